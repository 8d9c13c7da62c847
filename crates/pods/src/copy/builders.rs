//! The verbs of copying: a builder each, which is awaited.

use std::{
    fmt,
    future::{Future, IntoFuture},
    path::PathBuf,
    pin::Pin,
};

use bytes::Bytes;
use k8s_client_runtime::resource::Exec;
use tokio::io::AsyncRead;

use super::{
    Copied, CopyError, Limits,
    download::{self, Memory},
    upload::{self, Content},
};

type Copying<'a, T> = Pin<Box<dyn Future<Output = Result<T, CopyError>> + Send + 'a>>;

/// Copies a file or a folder of a container to this machine: [`CopyFiles::download`](super::CopyFiles::download) makes
/// it.
#[derive(Clone, Debug)]
#[must_use = "nothing is copied until it is awaited"]
pub struct Download {
    pub(super) exec: Exec,
    pub(super) remote: String,
    pub(super) local: PathBuf,
    pub(super) limits: Limits,
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
    type IntoFuture = Copying<'static, Copied>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let folder = download::Folder::new(self.local);
            let (copied, _) = download::download(self.exec, &self.remote, folder, self.limits).await?;
            Ok(copied)
        })
    }
}

/// Reads a file of a container into memory: [`CopyFiles::read_file`](super::CopyFiles::read_file) makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct ReadFile {
    pub(super) exec: Exec,
    pub(super) remote: String,
    pub(super) limits: Limits,
}

impl ReadFile {
    /// How many bytes are read at most; more is an error. Default: 64 MiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = bytes;
        self
    }
}

impl IntoFuture for ReadFile {
    type Output = Result<Bytes, CopyError>;
    type IntoFuture = Copying<'static, Bytes>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { exec, remote, limits } = self;
            let (copied, memory) = download::download(exec, &remote, Memory::of(&remote), limits).await?;
            match copied.files {
                1 => Ok(memory.content.freeze()),
                _ => Err(CopyError::Path(format!(
                    "{remote:?} of the container is a link or a special file, which is not read; name what it leads to"
                ))),
            }
        })
    }
}

/// Copies a file or a folder of this machine to a container: [`CopyFiles::upload`](super::CopyFiles::upload) makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is copied until it is awaited"]
pub struct Upload {
    pub(super) exec: Exec,
    pub(super) local: PathBuf,
    pub(super) remote: String,
    pub(super) file_mode: Option<u32>,
}

impl Upload {
    /// The permissions of all files, such as `0o755`, of which `tar` takes away what the container's umask forbids.
    /// Default: those that each has on this machine, or 0644 on Windows.
    pub fn file_mode(mut self, mode: u32) -> Self {
        self.file_mode = Some(mode);
        self
    }
}

impl IntoFuture for Upload {
    type Output = Result<Copied, CopyError>;
    type IntoFuture = Copying<'static, Copied>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let content = Content::Path { local: self.local, file_mode: self.file_mode };
            upload::upload(self.exec, &self.remote, content).await
        })
    }
}

/// Writes a file of a container: [`CopyFiles::write_file`](super::CopyFiles::write_file) and
/// [`write_file_from`](super::CopyFiles::write_file_from) make it.
#[must_use = "nothing is written until it is awaited"]
pub struct WriteFile<'a> {
    pub(super) exec: Exec,
    pub(super) remote: String,
    pub(super) content: Box<dyn AsyncRead + Send + Unpin + 'a>,
    pub(super) length: u64,
    pub(super) file_mode: u32,
}

impl WriteFile<'_> {
    /// The permissions of the file, such as `0o755`, of which `tar` takes away what the container's umask forbids.
    /// Default: 0644.
    pub fn file_mode(mut self, mode: u32) -> Self {
        self.file_mode = mode;
        self
    }
}

impl<'a> IntoFuture for WriteFile<'a> {
    type Output = Result<(), CopyError>;
    type IntoFuture = Copying<'a, ()>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let content = Content::Reader { content: self.content, length: self.length, file_mode: self.file_mode };
            upload::upload(self.exec, &self.remote, content).await.map(drop)
        })
    }
}

impl fmt::Debug for WriteFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteFile")
            .field("exec", &self.exec)
            .field("remote", &self.remote)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
