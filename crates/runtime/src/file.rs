//! Files that other programs write too: read safely, and replaced in one step. Not part of the API: for the crates of
//! this library only.
//!
//! A configuration may be somebody else's, and so may a folder for caches: a path must not make the program wait for a
//! pipe's writer, or read for ever.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use crate::text::{Keep, printable};

/// No kubeconfig, certificate, token or document of discovery comes near this.
const MOST_BYTES: u64 = 16 << 20;

/// The path as an error or a log may show it: it may be somebody else's, with anything in it.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), Keep::Nothing).into_owned()
}

/// Reads a regular file, or the one that a link leads to.
///
/// # Errors
///
/// When it cannot be read, is not a regular file, or has more than 16 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    bytes(open(path)?)
}

/// The text of a regular file, which must be UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let not_utf8 = |_| io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8 text");
    String::from_utf8(read(path)?).map_err(not_utf8)
}

/// The bytes of a file that the user chose, and that may be a pipe: `--kubeconfig <(decrypt FILE)`.
pub(crate) fn read_chosen(path: &Path) -> io::Result<Vec<u8>> {
    bytes(File::open(path)?)
}

fn bytes(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // What a file says of its size need not be true, as in /proc.
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("has more than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}

/// Opens a regular file for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait already.
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"))
    }
}

/// Puts content in the place of a file or a link, at once: a reader sees the old content or the new, whole. The new
/// file is its owner's alone, unless `prepare` changes that before it is put in place.
///
/// It is not waited for until the content is on the disk, which takes long and is nothing to a cache. A file that must
/// survive a crash of the system is synced by `prepare`.
///
/// # Errors
///
/// When a file cannot be written in that folder, or `prepare` fails. Everything is as before then.
pub fn replace(path: &Path, content: &[u8], prepare: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
    let temporary = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    let done = file.write_all(content).and_then(|()| prepare(&file));
    // Some systems do not rename a file that is open.
    drop(file);
    let done = done.and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        // What failed is the error to report.
        let _ = fs::remove_file(&temporary);
    }
    done
}

/// Makes a folder with those above it, as far as they are not there, with this mode where there are modes.
///
/// # Errors
///
/// When one of them cannot be made.
pub fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    #[cfg(not(unix))]
    let _ = mode;
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_too_large_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let file = File::create(&path).unwrap();
        file.set_len(MOST_BYTES).unwrap();
        assert_eq!(read(&path).unwrap().len() as u64, MOST_BYTES);
        file.set_len(MOST_BYTES + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "has more than 16 MiB");
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"old, and longer", |_| Ok(())).unwrap();
        replace(&path, b"new", |_| Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old, and longer");
        replace(&path, b"new", |_| Ok(())).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            // A link goes, and what it led to stays.
            let link = folder.path().join("link");
            symlink("file", &link).unwrap();
            replace(&link, b"other", |_| Ok(())).unwrap();
            assert_eq!((fs::read(&path).unwrap(), fs::read(&link).unwrap()), (b"new".to_vec(), b"other".to_vec()));
            fs::remove_file(link).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }
}
