//! Compares generated files with those on disk, and replaces them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Component, Path, PathBuf},
};

use crate::{
    Error, Generated,
    emit::{CRATES, Files},
};

/// What generating would change, by path from the workspace's root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Files whose text differs.
    pub changed: Vec<String>,
    /// Files that are not there.
    pub missing: Vec<String>,
    /// Files among the generated crates that no generator makes.
    pub extra: Vec<String>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.missing.is_empty() && self.extra.is_empty()
    }
}

/// Refuses a path that would lead out of the folder that it is joined to, or is written in more than one way.
///
/// # Errors
///
/// When the path is empty or has a part other than a plain name.
pub fn check_path(path: &str) -> Result<(), Error> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let parts = Path::new(path).components();
    if !path.is_empty()
        && !path.contains('\\')
        && parts.clone().count() == path.split('/').count()
        && parts.clone().all(is_plain)
    {
        Ok(())
    } else {
        Err(Error::file(path.escape_debug().to_string(), "the path leads out of its folder; nothing is written"))
    }
}

/// All files as they should be: the generated ones, and the hand-written ones below the root that have regions.
///
/// # Errors
///
/// When a file with a region cannot be read, or lacks its markers.
pub fn complete(root: &Path, generated: Generated) -> Result<Files, Error> {
    let Generated { files, regions } = generated;
    let mut by_hand = Files::new();
    let mut paths: Vec<String> =
        ["Cargo.toml", "README.md", "codegen/Cargo.toml", "tests/integration/Cargo.toml"].map(str::to_owned).into();
    paths.extend(folders(root, "crates")?.into_iter().map(|folder| format!("{folder}/Cargo.toml")));
    for path in paths.into_iter().filter(|path| !path.starts_with(CRATES)) {
        let text = match files.get(&path) {
            Some(text) => text.clone(),
            None => fs::read_to_string(root.join(&path)).map_err(|error| wrong(&path, &error))?,
        };
        by_hand.insert(path, text);
    }
    // What is generated as a whole is right as it is.
    Ok(regions.fill(&by_hand)?.into_iter().chain(files).collect())
}

/// The folders in a folder.
fn folders(root: &Path, folder: &str) -> Result<Vec<String>, Error> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root.join(folder)).map_err(|error| wrong(folder, &error))? {
        let entry = entry.map_err(|error| wrong(folder, &error))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(format!("{folder}/{}", entry.file_name().to_string_lossy()));
        }
    }
    Ok(folders)
}

/// Compares the files with those below the root. Below `crates/api` nothing else may be.
///
/// # Errors
///
/// When a file or folder cannot be read.
pub fn compare(root: &Path, files: &Files) -> Result<Difference, Error> {
    let mut difference = Difference::default();
    for (path, text) in files {
        match fs::read(root.join(path)) {
            Ok(found) if found == text.as_bytes() => {}
            Ok(_) => difference.changed.push(path.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => difference.missing.push(path.clone()),
            Err(error) => return Err(wrong(path, &error)),
        }
    }
    let mut found = BTreeSet::new();
    list(root, Path::new(CRATES), &mut found)?;
    difference.extra = found.into_iter().filter(|path| !files.contains_key(path)).collect();
    Ok(difference)
}

/// Makes the files below the root what they should be: writes what differs and removes what is extra.
///
/// # Errors
///
/// When a file or folder cannot be written.
pub fn replace(root: &Path, files: &Files, difference: &Difference) -> Result<(), Error> {
    files.keys().try_for_each(|path| check_path(path))?;
    for path in difference.changed.iter().chain(&difference.missing) {
        let target = root.join(path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| wrong(path, &error))?;
        }
        let Some(text) = files.get(path) else { continue };
        fs::write(&target, text).map_err(|error| wrong(path, &error))?;
    }
    for path in &difference.extra {
        fs::remove_file(root.join(path)).map_err(|error| wrong(path, &error))?;
        remove_empty_folders(root, Path::new(path));
    }
    Ok(())
}

fn list(root: &Path, folder: &Path, found: &mut BTreeSet<String>) -> Result<(), Error> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(wrong(&folder.display().to_string(), &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| wrong(&folder.display().to_string(), &error))?;
        let path: PathBuf = folder.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(root, &path, found)?;
        } else {
            found.insert(path.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

/// Removes the folders above a removed file that hold nothing any more, up to the crates' own.
fn remove_empty_folders(root: &Path, path: &Path) {
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != Path::new(CRATES)) {
        // It fails on the first that is not empty, which ends it.
        if fs::remove_dir(root.join(folder)).is_err() {
            return;
        }
    }
}

fn wrong(path: &str, error: &io::Error) -> Error {
    Error::file(path, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_their_folder_are_refused() {
        for path in ["", "/etc/x", "..", "a/../b", "a/..", "./a", "a//b", "a/", "a\\b"] {
            assert!(check_path(path).is_err(), "{path}");
        }
        assert_eq!(check_path("schemas/io.k8s.api.apps.v1.json"), Ok(()));
    }

    #[test]
    fn changed_missing_and_extra_files_are_named_and_put_right() -> Result<(), Box<dyn std::error::Error>> {
        let root = tempfile::tempdir()?;
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap_or(root.path()))?;
            fs::write(path, text)
        };
        put("crates/api/a/same.rs", "same")?;
        put("crates/api/a/changed.rs", "by hand")?;
        put("crates/api/gone/src/extra.rs", "left behind")?;
        put("crates/other/src/lib.rs", "none of ours")?;
        let files = [("same", "same"), ("changed", "generated"), ("missing", "generated")];
        let files: Files =
            files.into_iter().map(|(name, text)| (format!("crates/api/a/{name}.rs"), text.to_owned())).collect();

        let difference = compare(root.path(), &files)?;
        assert_eq!(difference.changed, ["crates/api/a/changed.rs"]);
        assert_eq!(difference.missing, ["crates/api/a/missing.rs"]);
        assert_eq!(difference.extra, ["crates/api/gone/src/extra.rs"]);

        replace(root.path(), &files, &difference)?;
        assert!(compare(root.path(), &files)?.is_empty());
        assert!(!root.path().join("crates/api/gone").exists());
        assert!(root.path().join("crates/other/src/lib.rs").exists());
        Ok(())
    }
}
