//! A process in a container, seen through the connection to it: [`Process`].

use std::{
    fmt,
    future::poll_fn,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::{Bytes, BytesMut};
use futures_util::future::try_join;
use http::Method;

use super::{
    ExitStatus, Stderr, Stdin, Stdout,
    driver::{Driver, Io, Purpose},
    handles::ReadHalf,
    state::{End, Shared, Wish},
    status,
    wire::{Channel, Writer},
};
use crate::{
    error::{Delivery, Error, ErrorKind, Result},
    rest::CallFuture,
};

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TerminalSize {
    /// The columns.
    pub width: u16,
    /// The rows.
    pub height: u16,
}

impl TerminalSize {
    pub(super) fn message(self) -> Vec<u8> {
        format!(r#"{{"Width":{},"Height":{}}}"#, self.width, self.height).into_bytes()
    }
}

/// Tells a process's terminal its size; [`Process::resizer`] makes it.
///
/// It never waits: of sizes that come faster than the connection takes them, the latest is sent. A size for a process
/// without a terminal, or one that has ended, changes nothing. Dropping it changes nothing either.
#[derive(Clone)]
pub struct Resizer(Arc<Shared>);

impl Resizer {
    /// Sets the size.
    pub fn resize(&self, size: TerminalSize) {
        self.0.resize(size);
    }
}

impl fmt::Debug for Resizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resizer").finish_non_exhaustive()
    }
}

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// WebSocket.
    WebSocket,
    /// SPDY/3.1.
    Spdy,
}

/// A process in a container, as [`Exec`](super::Exec) starts it or [`Attach`](super::Attach) finds it.
///
/// It is used as [`tokio::process::Child`]: take what you need of `stdin`, `stdout` and `stderr`, and
/// [`wait`](Self::wait) for the end.
///
/// # What dropping it does
///
/// It closes the connection, and reading from streams that were taken fails. The process sees the end of its input and
/// otherwise goes on: Kubernetes has no way to signal it. Its output is lost. Once [`wait`](Self::wait) has returned,
/// dropping it does nothing to streams that are still being read.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
///
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut process = pods.exec("web").command(["sort"]).stdin(true).await?;
/// if let Some(mut stdin) = process.stdin.take() {
///     stdin.write_all(b"b\na\n").await?;
///     // Dropped here, which ends the input.
/// }
/// if let Some(stdout) = process.stdout.take() {
///     let mut lines = stdout.lines();
///     while let Some(line) = lines.next_line().await? {
///         println!("{line}");
///     }
/// }
/// println!("{}", process.wait().await?);
/// # Ok(())
/// # }
/// ```
pub struct Process {
    /// The process's input, if it was asked for. Dropping it ends the input.
    pub stdin: Option<Stdin>,
    /// The process's output, if it was asked for.
    pub stdout: Option<Stdout>,
    /// The process's errors, if they were asked for. With a terminal they are part of `stdout`.
    pub stderr: Option<Stderr>,
    shared: Arc<Shared>,
    protocol: Protocol,
    method: Method,
    url: String,
}

/// What a process has written, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: Bytes,
    /// What it wrote to its standard error.
    pub stderr: Bytes,
}

/// Which channels a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter of the API")]
pub(super) struct Asked {
    pub(super) stdin: bool,
    pub(super) stdout: bool,
    pub(super) stderr: bool,
    pub(super) tty: bool,
}

/// A connection on which a process's channels travel.
pub(super) struct Opened {
    pub(super) io: Box<dyn Io>,
    pub(super) writer: Writer,
    /// What is to be sent first.
    pub(super) output: BytesMut,
    pub(super) protocol: Protocol,
    pub(super) method: Method,
    pub(super) url: String,
}

impl Asked {
    /// The channels in the order in which SPDY opens them, by their names there.
    pub(super) fn channels(self) -> Vec<(Channel, &'static str)> {
        [
            (true, Channel::Error, "error"),
            (self.stdin, Channel::Stdin, "stdin"),
            (self.stdout, Channel::Stdout, "stdout"),
            (self.stderr, Channel::Stderr, "stderr"),
            (self.tty, Channel::Resize, "resize"),
        ]
        .into_iter()
        .filter_map(|(asked, channel, name)| asked.then_some((channel, name)))
        .collect()
    }
}

impl Process {
    pub(super) fn start(
        opened: Opened,
        asked: Asked,
        input: Option<Bytes>,
        buffer: usize,
        size: Option<TerminalSize>,
    ) -> Self {
        let Opened { io, writer, mut output, protocol, method, url } = opened;
        // The first size goes out before any input.
        if let Some(size) = size.filter(|_| asked.tty) {
            writer.data(&mut output, Channel::Resize, &size.message());
        }
        let shared = Shared::new(writer, buffer, output);
        let read = |asked: bool, channel| {
            let half = ReadHalf::new(&shared, channel);
            // What was not asked for is let go.
            asked.then_some(half)
        };
        let stdout = read(asked.stdout, Channel::Stdout).map(Stdout);
        let stderr = read(asked.stderr, Channel::Stderr).map(Stderr);
        let stdin = match input {
            None => asked.stdin.then(|| Stdin::new(&shared)),
            Some(input) => {
                shared.write_all(&input);
                None
            }
        };
        Driver::spawn(io, shared.clone(), Purpose::Process);
        Self { stdin, stdout, stderr, shared, protocol, method, url }
    }

    /// The protocol that was agreed with the server.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Tells the process's terminal its size.
    pub fn resizer(&self) -> Resizer {
        Resizer(self.shared.clone())
    }

    /// Waits for the end of the process.
    ///
    /// First it ends the input, and lets go of the outputs that were not taken: so nothing that nobody reads holds up
    /// the end. Outputs that were taken must be read or dropped. It can be called again, and gives the same result.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Api`] with the server's Status if the process could not run, as when there is no such program;
    /// [`ErrorKind::Transport`] if the connection was lost before the server reported the end. Then the process may
    /// still run.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        drop((self.stdin.take(), self.stdout.take(), self.stderr.take()));
        self.ended().await
    }

    /// Ends the input, reads the outputs that were not taken, and waits for the end of the process.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait), and one if the process writes more than `limit` bytes, standard error included.
    pub async fn wait_with_output(self, limit: usize) -> Result<Output> {
        self.collected(limit).await
    }

    /// Collects what the process writes. Boxed, so that it is compiled once.
    pub(super) fn collected(mut self, limit: usize) -> CallFuture<Output> {
        Box::pin(async move {
            drop(self.stdin.take());
            let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
            let left = AtomicUsize::new(limit);
            let (stdout, stderr) = (stdout.map(|stdout| stdout.0), stderr.map(|stderr| stderr.0));
            match try_join(read(stdout, &left), read(stderr, &left)).await {
                Ok((stdout, stderr)) => Ok(Output { status: self.ended().await?, stdout, stderr }),
                Err(Unread::TooLong) => Err(self.too_long(limit)),
                Err(Unread::Lost(error)) => Err(match self.ended().await {
                    Err(error) => error,
                    Ok(_) => Error::new(ErrorKind::Transport, "the output cannot be read").with_source(error),
                }),
            }
        })
    }

    fn too_long(&self, limit: usize) -> Error {
        let problem =
            format!("the process writes more than {limit} bytes; raise the limit, or read its outputs as they come");
        Error::new(ErrorKind::Decode, problem).with_request(&self.method, self.url.clone())
    }

    async fn ended(&self) -> Result<ExitStatus> {
        poll_fn(|context| self.shared.poll_end(context)).await;
        let state = self.shared.lock();
        let result = match &state.end {
            Some(End::Lost(failure)) => {
                Err(Error::new(ErrorKind::Transport, failure.words.clone()).with_delivery(Delivery::Lost))
            }
            _ => status::read(&state.report),
        };
        drop(state);
        result.map_err(|error| error.with_request(&self.method, self.url.clone()))
    }
}

/// Why an output is not there.
enum Unread {
    TooLong,
    Lost(io::Error),
}

/// Reads to the end, unless there are more bytes than are left.
async fn read(output: Option<ReadHalf>, left: &AtomicUsize) -> std::result::Result<Bytes, Unread> {
    let mut all = BytesMut::new();
    let Some(mut output) = output else { return Ok(Bytes::new()) };
    while let Some(chunk) = output.chunk().await.map_err(Unread::Lost)? {
        left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(chunk.len())).map_err(|_| Unread::TooLong)?;
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

impl Drop for Process {
    fn drop(&mut self) {
        self.shared.wish(Wish::Leave);
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
