//! Copies files to and from containers, by `tar` in the container, as `kubectl cp` does.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use k8s_client_runtime::resource::Exec;
use tokio::io::AsyncRead;

mod builders;
mod download;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod inside;
mod tar;
mod tar_process;
mod upload;

pub use builders::{Download, ReadFile, Upload, WriteFile};
pub use error::CopyError;

/// How much is copied unless more is allowed: nobody wants to find out that a container has no end of bytes by a disk
/// that is full.
const MAX_BYTES: u64 = 16 << 30;
/// How many entries are copied unless more are allowed.
const MAX_ENTRIES: u64 = 1_000_000;
/// What is read into memory: one file.
const ONE_FILE: Limits = Limits { bytes: 64 << 20, entries: 1 };
/// The permissions of a file that is written from memory.
const FILE_MODE: u32 = 0o644;

/// Copies files to and from the container that an `exec` is for; one with a command, an input or a terminal of its own
/// is refused. The container must have the program `tar`, and the caller the rights to execute in it.
///
/// A path means the same on both sides: what is copied is then at that path, and not below it. So to copy the folder
/// `site` into `/srv`, copy it to `/srv/site`. The folder that it goes into must be there.
///
/// ```no_run
/// # use k8s_client_runtime::{k8s_openapi::api::core::v1::Pod, resource::ResourceClient};
/// use k8s_client_pods::CopyFiles as _;
///
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), k8s_client_pods::CopyError> {
/// let container = pods.exec("web").container("nginx");
/// container.upload("./site", "/usr/share/nginx/html/site").await?;
/// container.write_file("/tmp/note.txt", "hello").await?;
/// container.write_file("/tmp/run.sh", "#!/bin/sh\nexec id\n").file_mode(0o755).await?;
///
/// let copied = container.download("/etc/nginx", "./nginx").await?;
/// println!("{} files, {} left out", copied.files, copied.skipped.len());
/// let hostname = container.read_file("/etc/hostname").await?;
/// # Ok(())
/// # }
/// ```
///
/// # What a hostile container can do
///
/// It sends whatever it likes. Nothing is written outside of the path that was asked for: entries with other paths are
/// errors; links, devices and pipes are left out; existing links of this machine are not followed; of modes, only the
/// permissions are taken. There are limits for [how many bytes](Download::max_bytes) and [how many
/// entries](Download::max_entries) come, those that are left out included, and for what an archive has beside them.
pub trait CopyFiles {
    /// Copies a file or a folder of the container to this path of this machine.
    fn download(&self, remote: impl Into<String>, local: impl Into<PathBuf>) -> Download;

    /// Reads a file of the container into memory.
    fn read_file(&self, remote: impl Into<String>) -> ReadFile;

    /// Copies a file or a folder of this machine to this path of the container.
    fn upload(&self, local: impl AsRef<Path>, remote: impl Into<String>) -> Upload;

    /// Writes a file of the container.
    fn write_file(&self, remote: impl Into<String>, content: impl Into<Bytes>) -> WriteFile<'static>;

    /// Writes a file of the container from a reader, of which so many bytes are read: an archive says first how long a
    /// file is.
    fn write_file_from<'a>(
        &self,
        remote: impl Into<String>,
        content: impl AsyncRead + Send + Unpin + 'a,
        length: u64,
    ) -> WriteFile<'a>;
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// How many files.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
    /// The paths of what was left out, because it is neither a file nor a folder: links, devices, pipes.
    pub skipped: Vec<PathBuf>,
}

/// How much may come from a container.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The bytes of all files.
    bytes: u64,
    /// Files, folders and what is left out.
    entries: u64,
}

impl CopyFiles for Exec {
    fn download(&self, remote: impl Into<String>, local: impl Into<PathBuf>) -> Download {
        let limits = Limits { bytes: MAX_BYTES, entries: MAX_ENTRIES };
        Download { exec: self.clone(), remote: remote.into(), local: local.into(), limits }
    }

    fn read_file(&self, remote: impl Into<String>) -> ReadFile {
        ReadFile { exec: self.clone(), remote: remote.into(), limits: ONE_FILE }
    }

    fn upload(&self, local: impl AsRef<Path>, remote: impl Into<String>) -> Upload {
        Upload { exec: self.clone(), local: local.as_ref().to_owned(), remote: remote.into(), file_mode: None }
    }

    fn write_file(&self, remote: impl Into<String>, content: impl Into<Bytes>) -> WriteFile<'static> {
        let content = content.into();
        let length = content.len() as u64;
        self.write_file_from(remote, Cursor::new(content), length)
    }

    fn write_file_from<'a>(
        &self,
        remote: impl Into<String>,
        content: impl AsyncRead + Send + Unpin + 'a,
        length: u64,
    ) -> WriteFile<'a> {
        let (exec, remote, content) = (self.clone(), remote.into(), Box::new(content));
        WriteFile { exec, remote, content, length, file_mode: FILE_MODE }
    }
}
