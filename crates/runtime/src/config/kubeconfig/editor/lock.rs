//! Files that several programs change: locked as client-go locks them, and replaced in one step.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::error::{Error, Result};

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
            make_folder(folder).map_err(|error| unwritable(folder, error))?;
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

/// Puts content in the place of a file's, at once: a reader sees the old one or the new one, whole. A file that is
/// there keeps its permissions, a new one is its owner's alone. A link is followed.
///
/// A file that is mounted by itself, as containers do it, cannot be replaced. It is written in place, as by kubectl: who
/// reads it meanwhile without the lock may see a part.
pub(super) fn replace(file: &Path, content: &[u8]) -> Result<()> {
    let target = follow(file);
    write(&target, content, |from, to| fs::rename(from, to)).map_err(|error| unwritable(&target, error))
}

fn write(target: &Path, content: &[u8], rename: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
    let temporary = target.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    let done = (|| {
        file.write_all(content)?;
        if let Ok(metadata) = fs::metadata(target) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()?;
        rename(&temporary, target)
    })();
    let Err(error) = done else { return Ok(()) };
    // What failed is the error to tell.
    let _ = fs::remove_file(&temporary);
    match error.kind() {
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => write_in_place(target, content),
        _ => Err(error),
    }
}

fn write_in_place(target: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(target)?;
    file.write_all(content)?;
    file.sync_all()
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

/// The file that a link leads to, even if it is not there yet.
fn follow(file: &Path) -> PathBuf {
    if let Ok(target) = fs::canonicalize(file) {
        return target;
    }
    let mut target = file.to_owned();
    // Links may form a circle.
    for _ in 0..16 {
        let Ok(next) = fs::read_link(&target) else { break };
        target = target.parent().map_or(next.clone(), |folder| folder.join(&next));
    }
    target
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder.create(folder)
}

fn unwritable(path: &Path, error: io::Error) -> Error {
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

    #[test]
    fn a_file_that_is_mounted_by_itself_is_written_in_place() {
        for (kind, expected) in [
            (io::ErrorKind::ResourceBusy, "new"),
            (io::ErrorKind::CrossesDevices, "new"),
            (io::ErrorKind::PermissionDenied, "old, and longer"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("config");
            fs::write(&file, "old, and longer").unwrap();
            let written = write(&file, b"new", |_, _| Err(kind.into()));
            assert_eq!(written.is_ok(), expected == "new", "{kind}");
            assert_eq!(fs::read_to_string(&file).unwrap(), expected, "{kind}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{kind}: nothing else is left");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone_and_one_that_is_there_keeps_its_permissions() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("config"), folder.path().join("link"));
        symlink("config", &link).unwrap();
        replace(&link, b"one").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("one", 0o600));

        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&link, b"two").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("two", 0o640));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");

        let nested = folder.path().join("a/b/config");
        drop(Lock::take(&nested).unwrap());
        assert_eq!(mode(&folder.path().join("a/b")) & 0o700, 0o700);
    }
}
