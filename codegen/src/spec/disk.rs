//! The files of a version's folder, read from the disk.

use std::{fs, path::Path};

use super::Files;
use crate::Error;

/// Reads the files of a version's folder, those that [`load`](super::load) takes.
pub fn read_dir(folder: &Path) -> Result<Files, Error> {
    let mut files = Files::new();
    collect(folder, "", &mut files)?;
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut Files) -> Result<(), Error> {
    let wrong = |path: &Path, error: std::io::Error| Error::file(path.display().to_string(), error.to_string());
    for entry in fs::read_dir(folder).map_err(|error| wrong(folder, error))? {
        let path = entry.map_err(|error| wrong(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(Error::file(path.display().to_string(), "the file's name is not UTF-8"));
        };
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            let text = fs::read_to_string(&path).map_err(|error| wrong(&path, error))?;
            files.insert(format!("{prefix}{name}"), text);
        }
    }
    Ok(())
}
