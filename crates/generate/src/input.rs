//! Definitions from files and folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use k8s_client_codegen::{Error, crd::Reader};

/// Reads all files, in the order of their paths. In folders, files that name no definition are passed over: they may be
/// templates, which are no YAML.
pub(crate) fn read(paths: &[PathBuf], reader: &mut Reader) {
    for path in paths {
        let is_folder = path.is_dir();
        let files = if is_folder { files_of(path) } else { Ok(vec![path.clone()]) };
        match files {
            Ok(files) => files.iter().for_each(|file| match text(file) {
                Ok((_, text)) if is_folder && !text.contains("CustomResourceDefinition") => {}
                Ok((name, text)) => reader.text(&name, &text),
                Err(error) => reader.error(error),
            }),
            Err(error) => reader.error(error),
        }
    }
}

fn text(path: &Path) -> Result<(String, String), Error> {
    let bytes = fs::read(path).map_err(|error| wrong(path, &error))?;
    let name = path.display().to_string();
    match decoded(bytes) {
        Some(text) => Ok((name, text)),
        None => Err(Error::file(name, "is not a text in UTF-8 or UTF-16")),
    }
}

/// A text in UTF-8, or in UTF-16 with the mark that says so, in which Windows' shells redirect what kubectl prints.
pub fn decoded(bytes: Vec<u8>) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => return String::from_utf8(bytes).ok(),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}

/// The files with definitions in a folder and those below it, sorted.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| wrong(&folder, &error))? {
            let path = entry.map_err(|error| wrong(&folder, &error))?.path();
            let has_definitions = |path: &Path| {
                path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known))
            };
            // A link is what it leads to, but for folders, which might lead round.
            if fs::symlink_metadata(&path).is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if path.is_file() && has_definitions(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn wrong(path: &Path, error: &io::Error) -> Error {
    Error::file(path.display().to_string(), format!("cannot be read: {error}"))
}
