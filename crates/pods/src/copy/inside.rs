//! Where the entries of an archive may go: nowhere but into what was asked for.

use std::path::{Component, Path, PathBuf};

/// The path of an entry below what was asked for, whose last name is `base`. Empty for that itself.
///
/// A `tar` that does what it is told writes nothing else. So whatever is absolute, goes up or lies beside is an attempt
/// to write elsewhere.
pub(super) fn path_below(path: &[u8], base: &str) -> Result<PathBuf, String> {
    let refused = |why: &str| Err(format!("the archive has an entry {:?}, {why}", String::from_utf8_lossy(path)));
    if path.starts_with(b"/") {
        return refused("whose path is absolute");
    }
    let mut names = path.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b"."));
    if base != "." && names.next() != Some(base.as_bytes()) {
        return refused("which was not asked for");
    }
    let mut below = PathBuf::new();
    for name in names {
        let Some(name) = plain_name(name) else {
            return refused("whose path leads elsewhere");
        };
        below.push(name);
    }
    Ok(below)
}

/// The name, if it means a file of that name on this machine and nothing else.
fn plain_name(name: &[u8]) -> Option<&Path> {
    let name = Path::new(of_bytes(name)?);
    let mut components = name.components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None) if only == name.as_os_str() => Some(name),
        _ => None,
    }
}

#[cfg(unix)]
fn of_bytes(name: &[u8]) -> Option<&std::ffi::OsStr> {
    use std::os::unix::ffi::OsStrExt as _;
    (!name.contains(&0)).then(|| std::ffi::OsStr::from_bytes(name))
}

#[cfg(not(unix))]
fn of_bytes(name: &[u8]) -> Option<&std::ffi::OsStr> {
    // Colons and backslashes have meanings of their own where there are drives.
    let forbidden = |byte: &u8| matches!(byte, 0 | b':' | b'\\');
    (!name.iter().any(forbidden)).then_some(())?;
    str::from_utf8(name).ok().map(std::ffi::OsStr::new)
}

/// A path of a container as the folder that it is in and its name there. `None` if it has no name.
pub(super) fn folder_and_name(path: &str) -> Option<(&str, &str)> {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        // The root has no name; all in it is meant.
        return (!path.is_empty()).then_some(("/", "."));
    }
    let (folder, name) = match trimmed.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((folder, name)) => (folder, name),
        None => (".", trimmed),
    };
    (name != "..").then_some((folder, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_has_a_path() {
        for (path, base, expected) in [
            (&b"./site"[..], "site", ""),
            (b"site/", "site", ""),
            (b"site/a//b/./c", "site", "a/b/c"),
            (b"./a/b", ".", "a/b"),
            (b"./", ".", ""),
            (b"site/..a/b..", "site", "..a/b.."),
        ] {
            assert_eq!(path_below(path, base), Ok(PathBuf::from(expected)), "{path:?}");
        }
        for (path, base) in [
            (&b"/etc/passwd"[..], "etc"),
            (b"/etc/passwd", "."),
            (b"../site", "site"),
            (b"site/../../x", "site"),
            (b"site/a/..", "site"),
            (b"./..", "."),
            (b"sites", "site"),
            (b"other", "site"),
            (b"", "site"),
            (b"./", "site"),
            (b"site/a\0b", "site"),
        ] {
            assert!(path_below(path, base).is_err(), "{path:?} of {base}");
        }
    }

    #[test]
    fn paths_of_containers_have_a_folder_and_a_name() {
        for (path, expected) in [
            ("/etc/nginx", Some(("/etc", "nginx"))),
            ("/etc/nginx//", Some(("/etc", "nginx"))),
            ("/etc", Some(("/", "etc"))),
            ("a/b", Some(("a", "b"))),
            ("-rf", Some((".", "-rf"))),
            ("/", Some(("/", "."))),
            (".", Some((".", "."))),
            ("", None),
            ("..", None),
            ("/a/..", None),
        ] {
            assert_eq!(folder_and_name(path), expected, "{path}");
        }
    }
}
