//! Copies files to and from containers, by `tar` in the container, as `kubectl cp` does.

use std::{
    future::{Future, IntoFuture},
    path::{Path, PathBuf},
    pin::Pin,
};

use bytes::{Bytes, BytesMut};
use k8s_client_runtime::resource::Exec;
use tokio::io::AsyncRead;

mod download;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod inside;
mod tar;
mod tar_process;
mod upload;

pub use error::CopyError;

use download::Memory;
use upload::Content;

/// How much is copied unless more is allowed: nobody wants to find out that a container has no end of bytes by a disk
/// that is full.
const MAX_BYTES: u64 = 16 << 30;
/// How many entries are copied unless more are allowed.
const MAX_ENTRIES: u64 = 1_000_000;
/// What is read into memory: one file.
const ONE_FILE: Limits = Limits { bytes: 64 << 20, entries: 1 };

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

    /// Reads a file of the container into memory: 64 MiB at most.
    fn read_file(&self, remote: impl Into<String>) -> impl Future<Output = Result<Bytes, CopyError>> + Send;

    /// Copies a file or a folder of this machine to this path of the container.
    fn upload(
        &self,
        local: impl AsRef<Path> + Send,
        remote: impl Into<String>,
    ) -> impl Future<Output = Result<Copied, CopyError>> + Send;

    /// Writes a file of the container, with the permissions 0644.
    fn write_file(
        &self,
        remote: impl Into<String>,
        content: impl Into<Bytes>,
    ) -> impl Future<Output = Result<(), CopyError>> + Send;

    /// Writes a file of the container from a reader, of which so many bytes are read: an archive says first how long a
    /// file is. It gets the permissions 0644.
    fn write_file_from(
        &self,
        remote: impl Into<String>,
        content: impl AsyncRead + Send + Unpin,
        length: u64,
    ) -> impl Future<Output = Result<(), CopyError>> + Send;
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

/// Copies a file or a folder of a container to this machine: [`CopyFiles::download`] makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is copied until it is awaited"]
pub struct Download {
    exec: Exec,
    remote: String,
    local: PathBuf,
    limits: Limits,
}

/// How much may come from a container.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The bytes of all files.
    bytes: u64,
    /// Files, folders and what is left out.
    entries: u64,
}

impl Download {
    /// How many bytes are copied at most; more is an error. Default: 16 GiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// How many files, folders and links may come at most; more is an error. Default: 1,000,000.
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.limits.entries = entries;
        self
    }
}

impl IntoFuture for Download {
    type Output = Result<Copied, CopyError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let folder = download::Folder::new(self.local);
            let (copied, _) = download::download(self.exec, &self.remote, folder, self.limits).await?;
            Ok(copied)
        })
    }
}

impl CopyFiles for Exec {
    fn download(&self, remote: impl Into<String>, local: impl Into<PathBuf>) -> Download {
        let limits = Limits { bytes: MAX_BYTES, entries: MAX_ENTRIES };
        Download { exec: self.clone(), remote: remote.into(), local: local.into(), limits }
    }

    fn read_file(&self, remote: impl Into<String>) -> impl Future<Output = Result<Bytes, CopyError>> + Send {
        let (exec, remote) = (self.clone(), remote.into());
        async move {
            let memory = Memory(BytesMut::new());
            let (copied, memory) = download::download(exec, &remote, memory, ONE_FILE).await?;
            match copied.files {
                1 => Ok(memory.0.freeze()),
                _ => Err(CopyError::Path(format!(
                    "{remote:?} of the container is a link or a special file, which is not read; name what it leads to"
                ))),
            }
        }
    }

    fn upload(
        &self,
        local: impl AsRef<Path> + Send,
        remote: impl Into<String>,
    ) -> impl Future<Output = Result<Copied, CopyError>> + Send {
        let (exec, local, remote) = (self.clone(), local.as_ref().to_owned(), remote.into());
        async move { upload::upload(exec, &remote, Content::<&[u8]>::Path(&local)).await }
    }

    fn write_file(
        &self,
        remote: impl Into<String>,
        content: impl Into<Bytes>,
    ) -> impl Future<Output = Result<(), CopyError>> + Send {
        let (exec, remote, content) = (self.clone(), remote.into(), content.into());
        async move {
            let length = content.len() as u64;
            upload::upload(exec, &remote, Content::Reader(&content[..], length)).await.map(drop)
        }
    }

    fn write_file_from(
        &self,
        remote: impl Into<String>,
        content: impl AsyncRead + Send + Unpin,
        length: u64,
    ) -> impl Future<Output = Result<(), CopyError>> + Send {
        let (exec, remote) = (self.clone(), remote.into());
        async move { upload::upload(exec, &remote, Content::Reader(content, length)).await.map(drop) }
    }
}
