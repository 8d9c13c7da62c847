//! Compares what is generated with what is there, and replaces that.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use k8s_client_codegen::{Error, crd, emit, write::check_path};

/// What generated files say in their first line.
pub(crate) const HEADER: &str = emit::CRD_HEADER_OF_ALL;

/// The names file of a group, in its folder.
pub(crate) const NAMES: &str = crd::NAMES_FILE;

/// What is generated.
#[derive(Debug, Default)]
pub(crate) struct Generated {
    root: PathBuf,
    /// The files by their paths from the root.
    pub(crate) files: BTreeMap<String, String>,
    /// Files that stand elsewhere.
    pub(crate) elsewhere: BTreeMap<PathBuf, String>,
    /// The folders in which no other generated file may be, from the root.
    pub(crate) folders: Vec<String>,
}

impl Generated {
    pub(crate) fn new(root: Option<&Path>) -> Self {
        Self { root: root.unwrap_or(Path::new("")).to_owned(), ..Self::default() }
    }

    fn all(&self) -> impl Iterator<Item = (PathBuf, &String)> {
        let files = self.files.iter().map(|(path, text)| (self.root.join(path), text));
        files.chain(self.elsewhere.iter().map(|(path, text)| (path.clone(), text)))
    }
}

/// The files that differ from what would be generated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Files whose text differs.
    pub changed: Vec<PathBuf>,
    /// Files that are not there.
    pub missing: Vec<PathBuf>,
    /// Files that an earlier run made.
    pub extra: Vec<PathBuf>,
}

impl Difference {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.changed.len() + self.missing.len() + self.extra.len()
    }
}

/// A line for each file.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (paths, what) in [(&self.changed, "changed"), (&self.missing, "missing"), (&self.extra, "extra")] {
            paths.iter().try_for_each(|path| writeln!(f, "{what}: {}", path.display()))?;
        }
        Ok(())
    }
}

/// The text of a file, if it is there.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(path, &error)),
    }
}

pub(crate) fn compare(generated: &Generated) -> Result<Difference, Error> {
    let mut difference = Difference::default();
    for (path, text) in generated.all() {
        match read(&path)? {
            Some(found) if found == *text => {}
            Some(_) => difference.changed.push(path),
            None => difference.missing.push(path),
        }
    }
    for folder in &generated.folders {
        extra(&generated.root.join(folder), generated, &mut difference.extra)?;
    }
    Ok(difference)
}

/// Finds generated files that are not to be there. What does not say that it is generated is somebody's own.
fn extra(folder: &Path, generated: &Generated, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(wrong(folder, &error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| wrong(folder, &error))?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            extra(&path, generated, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !generated.all().any(|(known, _)| known == path)
            && read(&path)?.is_some_and(|text| text.lines().next().is_some_and(|line| line.contains(HEADER)))
        {
            found.push(path);
        }
    }
    Ok(())
}

pub(crate) fn replace(generated: &Generated, difference: &Difference) -> Result<(), Error> {
    generated.files.keys().try_for_each(|path| check_path(path))?;
    for (path, text) in generated.all() {
        if difference.changed.contains(&path) || difference.missing.contains(&path) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| wrong(folder, &error))?;
            }
            fs::write(&path, text).map_err(|error| wrong(&path, &error))?;
        }
    }
    for path in &difference.extra {
        fs::remove_file(path).map_err(|error| wrong(path, &error))?;
        // It fails on the first folder that is not empty, which ends it.
        let _ = path.ancestors().skip(1).take_while(|folder| *folder != generated.root).try_for_each(fs::remove_dir);
    }
    Ok(())
}

fn wrong(path: &Path, error: &io::Error) -> Error {
    Error::file(path.display().to_string(), error.to_string())
}
