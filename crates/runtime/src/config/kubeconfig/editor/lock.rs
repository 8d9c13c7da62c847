//! Files that several programs change are locked as client-go locks them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    file::make_folder,
};

/// How long another program may take to write a kubeconfig.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// A lock on a file, held until it is dropped: the file `<name>.lock`, which kubectl and client-go look for too.
#[derive(Debug)]
pub(super) struct Lock(PathBuf);

impl Lock {
    /// Locks these files, all or none, each once however often and in whichever way it is named.
    pub(super) fn take_all<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<Vec<Self>> {
        // In one order, so that no two programs wait for each other.
        let files: BTreeSet<PathBuf> = files.into_iter().map(in_its_folder).collect();
        files.iter().map(|file| Self::take(file)).collect()
    }

    /// Waits some seconds for whoever holds the lock.
    fn take(file: &Path) -> Result<Self> {
        Self::take_within(file, PATIENCE)
    }

    fn take_within(file: &Path, patience: Duration) -> Result<Self> {
        let mut path = file.to_owned().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        if let Some(folder) = path.parent() {
            make_folder(folder, 0o755).map_err(|error| unwritable(folder, error))?;
        }
        let start = Instant::now();
        loop {
            match File::create_new(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && start.elapsed() < patience => {
                    thread::sleep(PAUSE);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(Error::config(format!(
                        "{}: the kubeconfig is locked by another program; if none is running, remove {}",
                        file.display(),
                        path.display()
                    )));
                }
                Err(error) => return Err(unwritable(&path, error)),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(file = %self.0.display(), %error, "the lock of a kubeconfig cannot be removed");
        }
    }
}

/// The path of a file by the real path of its folder. A link stays the link: its lock is beside it, as kubectl's is.
fn in_its_folder(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = absolute.parent().and_then(|folder| fs::canonicalize(folder).ok());
    match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

pub(super) fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::config(format!("{}: cannot be written", path.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_stays_is_an_error_that_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/config");
        let held = Lock::take(&file).unwrap();
        let error = Lock::take_within(&file, Duration::from_millis(30)).unwrap_err().to_string();
        assert!(error.contains("locked by another program") && error.contains("new/config.lock"), "{error}");
        drop(held);
        drop(Lock::take_within(&file, Duration::ZERO).unwrap());
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0);
    }
}
