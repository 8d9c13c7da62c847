//! `tar` in a container: started, listened to, and asked how it ended.

use k8s_client_runtime::{
    resource::Exec,
    streams::{Process, Stderr},
};

use super::{CopyError, inside::folder_and_name};

/// How much of what `tar` says is kept.
const MAX_MESSAGE: usize = 4096;

/// A path of a container, as `tar` is told it.
pub(super) struct Remote {
    /// As it was given.
    pub(super) path: String,
    folder: String,
    /// The name in the folder, or `.` for all in it.
    pub(super) name: String,
}

impl Remote {
    pub(super) fn new(path: &str) -> Result<Self, CopyError> {
        let problem = || {
            CopyError::Path(format!(
                "{path:?} of the container has no name that could be copied; name a file or a folder, such as /etc/app"
            ))
        };
        let (folder, name) = folder_and_name(path).ok_or_else(problem)?;
        Ok(Self { path: path.to_owned(), folder: folder.to_owned(), name: name.to_owned() })
    }

    /// Starts `tar` so that it sends an archive.
    pub(super) async fn read(&self, exec: Exec) -> Result<Process, CopyError> {
        // The folder is named beside the option, and the name has one in front: neither can be an option.
        let name = format!("./{}", self.name);
        Ok(exec.own_command(["tar", "-c", "-f", "-", "-C", &self.folder, &name]).await?)
    }

    /// Starts `tar` so that it takes an archive, whose owners and times mean nothing there.
    pub(super) async fn write(&self, exec: Exec) -> Result<Process, CopyError> {
        Ok(exec.own_command(["tar", "-x", "-m", "-o", "-f", "-", "-C", &self.folder]).stdin(true).await?)
    }
}

/// What `tar` says, up to its end.
pub(super) async fn listen(stderr: Option<Stderr>) -> String {
    let mut said = Vec::new();
    if let Some(mut stderr) = stderr {
        // A connection that is lost is noticed by whoever waits for the end.
        while let Ok(Some(chunk)) = stderr.chunk().await {
            said.extend_from_slice(&chunk[..chunk.len().min(MAX_MESSAGE - said.len())]);
        }
    }
    String::from_utf8_lossy(&said).trim().replace(|character: char| character.is_control(), " ")
}

/// How `tar` ended, if not as it should.
pub(super) async fn ended(mut process: Process, remote: &Remote, message: String) -> Result<(), CopyError> {
    let status = process.wait().await?;
    if status.success() {
        return Ok(());
    }
    Err(CopyError::Tar { remote: remote.path.clone(), code: status.code(), message })
}
