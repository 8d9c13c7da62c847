//! Definitions from files and folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use k8s_client_codegen::Error;

/// The texts of all files, by the names that messages have for them. The order is that of the paths.
pub(crate) fn texts(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Error> {
    let mut texts = Vec::new();
    for path in paths {
        let kind = fs::metadata(path).map_err(|error| wrong(path, &error))?;
        if kind.is_dir() {
            for file in files_of(path)? {
                texts.push(text(&file)?);
            }
        } else {
            texts.push(text(path)?);
        }
    }
    Ok(texts)
}

fn text(path: &Path) -> Result<(String, String), Error> {
    let bytes = fs::read(path).map_err(|error| wrong(path, &error))?;
    let name = path.display().to_string();
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(_) => Err(Error::file(name, "is not a text in UTF-8")),
    }
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
