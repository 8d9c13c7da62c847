//! Reading the files that a configuration consists of and names.
//!
//! A configuration may be somebody else's: a path in it must not make the program wait for a pipe's writer, or read for ever.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// No kubeconfig, certificate or token comes near this.
const MOST_BYTES: u64 = 16 << 20;

/// The bytes of a regular file, or of the one that a link leads to.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    bytes(open(path)?)
}

/// The text of a regular file, which must be UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let not_utf8 = |_| io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8 text");
    String::from_utf8(read(path)?).map_err(not_utf8)
}

/// The bytes of a file that the user chose, and that may be a pipe: `--kubeconfig <(decrypt FILE)`.
pub(super) fn read_chosen(path: &Path) -> io::Result<Vec<u8>> {
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
pub(super) fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait already.
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"))
    }
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
}
