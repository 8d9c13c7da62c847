//! Which program a plugin's name means, by the rules of Go.

use std::{
    env::split_paths,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Why a name does not mean a program that may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// No folder of the list has it.
    NotFound,
    /// The list leads to the working directory, which may be anybody's: its program would be run by name alone.
    InWorkingDirectory,
}

/// The program that a command means: a path means itself, a name is looked for in the folders of the list.
pub(super) fn lookup(command: &str, path: Option<&OsStr>) -> Result<PathBuf, Unusable> {
    if command.contains('/') {
        return Ok(PathBuf::from(command));
    }
    // An empty element is the working directory too.
    let found = split_paths(path.unwrap_or_default()).map(|folder| folder.join(command)).find(|path| is_program(path));
    match found {
        None => Err(Unusable::NotFound),
        Some(path) if path.is_absolute() => Ok(path),
        Some(_) => Err(Unusable::InWorkingDirectory),
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::{env::join_paths, fs::Permissions};

    use super::*;

    #[test]
    fn a_name_means_a_program_of_the_list_and_never_one_of_the_working_directory() {
        let folder = tempfile::tempdir_in(".").unwrap();
        let relative = Path::new(folder.path().file_name().unwrap());
        let absolute = folder.path().canonicalize().unwrap();
        for (name, mode) in [("plugin", 0o755), ("data", 0o644)] {
            fs::write(absolute.join(name), "").unwrap();
            fs::set_permissions(absolute.join(name), Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(absolute.join("folder")).unwrap();
        let other = Path::new("/nonexistent");
        let found = Ok(absolute.join("plugin"));
        for (command, list, expected) in [
            ("plugin", vec![other, &absolute], found.clone()),
            ("plugin", vec![&absolute, relative], found),
            ("plugin", vec![relative, &absolute], Err(Unusable::InWorkingDirectory)),
            ("plugin", vec![&Path::new(".").join(relative)], Err(Unusable::InWorkingDirectory)),
            ("plugin", vec![other], Err(Unusable::NotFound)),
            ("data", vec![&absolute], Err(Unusable::NotFound)),
            ("folder", vec![&absolute], Err(Unusable::NotFound)),
            ("", vec![&absolute], Err(Unusable::NotFound)),
            // A path is what somebody meant.
            ("./plugin", vec![other], Ok(PathBuf::from("./plugin"))),
            ("/bin/plugin", vec![other], Ok(PathBuf::from("/bin/plugin"))),
        ] {
            assert_eq!(lookup(command, Some(&join_paths(&list).unwrap())), expected, "{command:?} {list:?}");
        }
        assert_eq!(lookup("plugin", None), Err(Unusable::NotFound));
        // An empty element is the working directory.
        let program = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempfile_in(".").unwrap();
        let name = program.path().file_name().unwrap().to_str().unwrap();
        for list in ["", ":/nonexistent", ".", "/nonexistent:"] {
            assert_eq!(lookup(name, Some(OsStr::new(list))), Err(Unusable::InWorkingDirectory), "{list:?}");
        }
    }
}
