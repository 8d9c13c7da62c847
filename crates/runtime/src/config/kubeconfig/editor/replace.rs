//! Writing a kubeconfig in one step, so that it stays the same file to its owner.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::lock::unwritable;
use crate::{error::Result, file};

/// Puts content in the place of a file's, at once: a reader sees the old one or the new one, whole. A file that is
/// there keeps its owner and its permissions, a new one is its owner's alone. A link is followed.
///
/// A file that cannot be replaced so is written in place, as by kubectl: who reads it meanwhile without the lock may
/// see a part. Those are files that are mounted by themselves, as containers do it, and those of another owner if this
/// process may not give files away.
pub(super) fn replace(file: &Path, content: &[u8]) -> Result<()> {
    let target = follow(file);
    write(&target, content, keep_owner).map_err(|error| unwritable(&target, error))
}

fn write(target: &Path, content: &[u8], keep_owner: impl FnOnce(&File, &Metadata) -> io::Result<()>) -> io::Result<()> {
    let mut another_owner = false;
    let replaced = file::replace(target, content, |new| {
        if let Ok(old) = fs::metadata(target) {
            keep_owner(new, &old).inspect_err(|_| another_owner = true)?;
            keep_permissions(new, &old)?;
        }
        new.sync_all()
    });
    match replaced {
        Err(error)
            if another_owner || matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices) =>
        {
            write_in_place(target, content)
        }
        replaced => replaced,
    }
}

#[cfg(unix)]
fn keep_owner(new: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let made = new.metadata()?;
    let owner = (made.uid() != old.uid()).then_some(old.uid());
    let group = (made.gid() != old.gid()).then_some(old.gid());
    if (owner, group) == (None, None) { Ok(()) } else { fchown(new, owner, group) }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

fn keep_permissions(new: &File, old: &Metadata) -> io::Result<()> {
    let permissions = old.permissions();
    // To be run as its owner, or the like, is nothing that a kubeconfig needs.
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(permissions.mode() & 0o777)
    };
    new.set_permissions(permissions)
}

fn write_in_place(target: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(target)?;
    file.write_all(content)?;
    file.sync_all()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_mounted_by_itself_or_cannot_be_given_away_is_written_in_place() {
        for kind in [io::ErrorKind::ResourceBusy, io::ErrorKind::CrossesDevices, io::ErrorKind::PermissionDenied] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("config");
            fs::write(&file, "old, and longer").unwrap();
            write(&file, b"new", |_, _| Err(kind.into())).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), "new", "{kind}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{kind}: nothing else is left");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("config")).unwrap();
        assert!(replace(&folder.path().join("config"), b"new").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_owner_and_its_group() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o4640)).unwrap();
        // Only root may give files away; others have nothing to keep but their own.
        let given = chown(&file, Some(12345), Some(54321)).is_ok();
        let before = fs::metadata(&file).unwrap();
        replace(&file, b"new").unwrap();
        let after = fs::metadata(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!((after.uid(), after.gid(), after.mode() & 0o7777), (before.uid(), before.gid(), 0o640));
        assert_eq!(given, before.uid() == 12345);
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
        drop(super::super::lock::Lock::take_all([nested.as_path()]).unwrap());
        assert_eq!(mode(&folder.path().join("a/b")) & 0o700, 0o700);
    }
}
