//! From this machine to a container.

use std::{
    fs::Metadata,
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use k8s_client_runtime::{resource::Exec, streams::Stdin};
use tokio::{
    fs::{self, File},
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
};

use super::{
    Copied, CopyError,
    tar::{END, Kind, header, padding},
    tar_process::{Remote, ended, listen},
};

/// How much is read at a time.
const CHUNK: usize = 64 << 10;

/// What is sent.
pub(super) enum Content<'a> {
    /// One file with so many bytes, and these permissions.
    Reader { content: Box<dyn AsyncRead + Send + Unpin + 'a>, length: u64, file_mode: u32 },
    /// A file or a folder of this machine, whose files have their own permissions or these.
    Path { local: PathBuf, file_mode: Option<u32> },
}

/// Starts `tar`, packs what is sent, and waits for its end.
pub(super) async fn upload(exec: Exec, remote: &str, content: Content<'_>) -> Result<Copied, CopyError> {
    let remote = Remote::new(remote)?;
    let mut process = remote.write(exec).await?;
    let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    drop(stdout);
    let packing = async {
        let Some(stdin) = stdin else { return Ok((None, Copied::default())) };
        let mut pack = Pack { stdin, remote: &remote, copied: Copied::default() };
        match pack.send_all(content).await {
            Ok(()) => Ok((None, pack.copied)),
            Err(Stop::Lost(error)) => Ok((Some(error), pack.copied)),
            Err(Stop::Failed(error)) => Err(error),
        }
    };
    let ((lost, copied), message) = tokio::try_join!(packing, async { Ok(listen(stderr).await) })?;
    // If it takes no more, it says itself why, or the connection does.
    ended(process, &remote, message).await?;
    match lost {
        None => Ok(copied),
        Some(error) => {
            let problem = format!("tar ended there before it had read all that was sent: {error}");
            Err(CopyError::Incomplete { remote: remote.path, problem })
        }
    }
}

/// Why no more is sent.
enum Stop {
    Lost(io::Error),
    Failed(CopyError),
}

impl From<CopyError> for Stop {
    fn from(error: CopyError) -> Self {
        Self::Failed(error)
    }
}

/// Puts an archive together.
struct Pack<'a> {
    stdin: Stdin,
    remote: &'a Remote,
    copied: Copied,
}

impl Pack<'_> {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.stdin.write_all(bytes).await.map_err(Stop::Lost)
    }

    /// The whole archive, of what then has the name in the container.
    async fn send_all(&mut self, content: Content<'_>) -> Result<(), Stop> {
        let name = self.remote.name.as_str();
        match content {
            Content::Reader { content, length, file_mode } => {
                self.file(name.as_bytes(), content, length, file_mode, 0, None).await?;
            }
            Content::Path { local, file_mode } => self.all(&local, name, file_mode).await?,
        }
        self.send(&END).await?;
        self.stdin.shutdown().await.map_err(Stop::Lost)
    }

    /// A file or a folder with all in it.
    async fn all(&mut self, local: &Path, name: &str, file_mode: Option<u32>) -> Result<(), Stop> {
        // What was asked for may be a link, what is found in it may not: it could lead in a circle.
        let found = fs::metadata(local).await.map_err(CopyError::local(local))?;
        let mut waiting = vec![(local.to_owned(), name.as_bytes().to_vec(), found)];
        while let Some((path, name, found)) = waiting.pop() {
            let (mode, modified) = (mode(&found), modified(&found));
            if found.is_dir() {
                self.send(&header(&[&name[..], b"/"].concat(), Kind::Folder, mode, 0, modified)).await?;
                waiting.extend(children(&path, &name).await?);
            } else if found.is_file() {
                let file = File::open(&path).await.map_err(CopyError::local(&path))?;
                self.file(&name, file, found.len(), file_mode.unwrap_or(mode), modified, Some(&path)).await?;
            } else {
                self.copied.skipped.push(path);
            }
        }
        Ok(())
    }

    async fn file(
        &mut self,
        name: &[u8],
        mut content: impl AsyncRead + Unpin,
        length: u64,
        mode: u32,
        modified: u64,
        path: Option<&Path>,
    ) -> Result<(), Stop> {
        self.send(&header(name, Kind::File, mode, length, modified)).await?;
        let remote = &self.remote.path;
        let failed = |error| match path {
            Some(path) => CopyError::local(path)(error),
            None => CopyError::Content { remote: remote.clone(), error },
        };
        let mut buffer = vec![0; CHUNK];
        let mut left = length;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
            let read = content.read(&mut buffer[..most]).await.map_err(failed)?;
            if read == 0 {
                let problem = format!("it ends {left} bytes before the {length} that it was to have");
                return Err(failed(io::Error::new(io::ErrorKind::UnexpectedEof, problem)).into());
            }
            self.send(&buffer[..read]).await?;
            left -= read as u64;
        }
        self.copied.files += 1;
        self.copied.bytes += length;
        self.send(padding(length)).await
    }
}

/// What is in a folder, by the names that it gets.
async fn children(folder: &Path, name: &[u8]) -> Result<Vec<(PathBuf, Vec<u8>, Metadata)>, CopyError> {
    let mut children = Vec::new();
    let mut entries = fs::read_dir(folder).await.map_err(CopyError::local(folder))?;
    while let Some(entry) = entries.next_entry().await.map_err(CopyError::local(folder))? {
        let path = entry.path();
        let found = fs::symlink_metadata(&path).await.map_err(CopyError::local(&path))?;
        let name = [name, b"/", entry.file_name().as_encoded_bytes()].concat();
        children.push((path, name, found));
    }
    Ok(children)
}

/// The permissions of a file or a folder.
#[cfg(unix)]
fn mode(found: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode()
}

#[cfg(not(unix))]
fn mode(found: &Metadata) -> u32 {
    if found.is_dir() { 0o755 } else { 0o644 }
}

/// When it was changed, in seconds.
fn modified(found: &Metadata) -> u64 {
    let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    modified.map_or(0, |time| time.as_secs())
}
