//! Where the entries of an archive may go: nowhere but into what was asked for.

use std::path::{Component, Path, PathBuf};

/// The longest path that is taken: the longest that systems have.
const MAX_PATH: usize = 4096;

/// How much of a path is shown.
const SHOWN: usize = 256;

/// The path of an entry below what was asked for, whose last name is `base`. Empty for that itself.
///
/// A `tar` that does what it is told writes nothing else. So whatever is absolute, goes up or lies beside is an attempt
/// to write elsewhere.
pub(super) fn path_below(path: &[u8], base: &str) -> Result<PathBuf, String> {
    let refused = |why: &str| {
        let shown = String::from_utf8_lossy(&path[..path.len().min(SHOWN)]);
        let more = if path.len() > SHOWN { "…" } else { "" };
        Err(format!("it has an entry {shown:?}{more}, {why}"))
    };
    if path.len() > MAX_PATH {
        return refused(&format!("whose path is longer than {MAX_PATH} bytes"));
    }
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
    let name = str::from_utf8(name).ok()?;
    is_plain_on_windows(name).then(|| std::ffi::OsStr::new(name))
}

/// Whether Windows takes a name for that of a file, and for no other name than it is.
///
/// Backslashes divide names, colons lead to drives and to streams in files, and names of devices lead to them whatever
/// stands behind a dot. Dots and spaces at the end are let go, so that another file would be meant.
#[cfg(any(not(unix), test))]
fn is_plain_on_windows(name: &str) -> bool {
    let has_meaning = |letter: char| letter < ' ' || r#"<>:"/\|?*"#.contains(letter);
    if name.is_empty() || name.ends_with(['.', ' ']) || name.contains(has_meaning) {
        return false;
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_device = match (stem.get(..3), stem.get(3..)) {
        (Some("COM" | "LPT"), Some(number)) => {
            matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        }
        _ => matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"),
    };
    !is_device
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
    fn long_paths_are_refused_and_shown_in_part() {
        let long = [b"site/", "é/".repeat(1 << 19).as_bytes()].concat();
        let problem = path_below(&long, "site").expect_err("it is too long");
        assert!(problem.len() < 1000 && problem.ends_with("…, whose path is longer than 4096 bytes"), "{problem}");
        let most = [b"site/", "a".repeat(MAX_PATH - 5).as_bytes()].concat();
        assert!(path_below(&most, "site").is_ok());
    }

    #[test]
    fn names_that_mean_something_else_on_windows_are_known() {
        for name in ["a", "a b.c", ".profile", "..a", "console", "com", "com10", "lpt", "nulls.txt", "é", "CONIN"] {
            assert!(is_plain_on_windows(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a.",
            "a ",
            "a\\b",
            "..\\b",
            "C:",
            "C:\\a",
            "a:b",
            "a\u{1}",
            "a\0",
            "a?",
            "a*",
            "a|b",
            "a<",
            "a>",
            "a\"",
            "CON",
            "con",
            "nul.txt",
            "NUL .txt",
            "aux.",
            "COM1",
            "com9.tar.gz",
            "LPT1",
            "COM¹",
            "conin$",
            "CONOUT$",
        ] {
            assert!(!is_plain_on_windows(name), "{name:?}");
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
