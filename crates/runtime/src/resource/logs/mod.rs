//! Logs of a pod.

use std::{fmt, future::IntoFuture};

use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;

use super::CallFuture;
use crate::{error::Result, rest::Request, transport::Body};

mod buffer;
pub(crate) mod cut;
mod follow;
mod follower;
mod known;
mod line;
mod lines;
mod pod;
mod progress;
mod stamp;
mod start;

pub use follower::{FollowLogs, LogFollower};
pub use line::LogLine;
pub use lines::LogLines;

/// What a container writes its log to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogStream {
    /// Both, in the order in which they were written.
    #[default]
    All,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl LogStream {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Stdout => "Stdout",
            Self::Stderr => "Stderr",
        }
    }
}

/// What comes of a log that is [followed](FollowLogs).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogEvent {
    /// A line that the container wrote, with its time stamp; or a piece of one that is longer than 16 MiB.
    Line(LogLine),
    /// Something that the server says in place of the log, such as why it cannot read it. A kubelet begins to answer
    /// before it knows whether there is a log, so its errors come as text. The same message in a row comes once.
    Message(String),
    /// The container has been started again: the lines of its next instance follow.
    Restarted {
        /// How often it has been restarted by now, as `restartCount` of its status.
        restart_count: i32,
    },
    /// The instance has ended, or its pod is gone, and the last of its log could not be read: lines may be missing.
    Incomplete {
        /// What hindered it.
        reason: String,
    },
}

/// Reads the log of a container. Awaiting it gives the whole as text; [`stream`](Logs::stream) and
/// [`lines`](Logs::lines) give it as it comes, which [`follow`](Logs::follow) needs. They end with the answer, which
/// says nothing about the container; [`follow_on`](Logs::follow_on) goes on for as long as the container runs.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// println!("{}", pods.logs("web").container("nginx").tail_lines(20).await?);
///
/// let mut lines = pods.logs("web").follow().since_seconds(60).lines().await?;
/// while let Some(line) = lines.try_next().await? {
///     println!("{line}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct Logs {
    request: Request,
}

impl Logs {
    pub(super) fn new(request: Request) -> Self {
        Self { request: request.streaming() }
    }

    fn set(self, key: &'static str, value: impl fmt::Display) -> Self {
        Self { request: self.request.with_query(|query| query.set(key, value.to_string())) }
    }

    /// The container. It may be left out when the pod has one only.
    pub fn container(self, container: &str) -> Self {
        self.set("container", container)
    }

    /// Keeps the answer open for what is written later. It ends with the container, and also with the connection:
    /// [`follow_on`](Logs::follow_on) goes on then.
    pub fn follow(self) -> Self {
        self.set("follow", true)
    }

    /// The log of the container's previous instance, such as one that crashed.
    pub fn previous(self) -> Self {
        self.set("previous", true)
    }

    /// Leaves out what is older than this many seconds. Not together with [`since_time`](Logs::since_time).
    pub fn since_seconds(self, seconds: u32) -> Self {
        self.set("sinceSeconds", seconds)
    }

    /// Leaves out what is older than this moment. Not together with [`since_seconds`](Logs::since_seconds).
    pub fn since_time(self, time: Timestamp) -> Self {
        self.set("sinceTime", time)
    }

    /// Starts this many lines before the end. Default: at the beginning. Container runtimes cut lines that are longer
    /// than 16 KiB, and each piece counts: such a line may come without its beginning.
    pub fn tail_lines(self, lines: u32) -> Self {
        self.set("tailLines", lines)
    }

    /// Ends after this many bytes.
    pub fn limit_bytes(self, bytes: u64) -> Self {
        self.set("limitBytes", bytes)
    }

    /// Puts a time stamp in front of each line.
    pub fn timestamps(self) -> Self {
        self.set("timestamps", true)
    }

    /// Which of the container's streams. Default: all. One alone cannot be had together with
    /// [`tail_lines`](Logs::tail_lines), and needs a server with the feature gate `PodLogsQuerySplitStreams`.
    pub fn stream_name(self, stream: LogStream) -> Self {
        self.set("stream", stream.as_str())
    }

    /// Lets the server format what it says itself, such as an error, for people.
    pub fn pretty(self) -> Self {
        self.set("pretty", true)
    }

    /// Lets the API server not check the kubelet's certificate. What is read may then come from anywhere.
    pub fn insecure_skip_tls_verify_backend(self) -> Self {
        self.set("insecureSkipTLSVerifyBackend", true)
    }

    /// The plain request.
    pub fn into_request(self) -> Request {
        self.request.header("accept", "text/plain, */*")
    }

    /// Reads the whole as bytes.
    pub async fn bytes(self) -> Result<Bytes> {
        self.into_request().send().await?.bytes().await
    }

    /// Reads bytes as they come.
    pub async fn stream(self) -> Result<Body> {
        Ok(self.into_request().send().await?.into_body())
    }

    /// Reads line after line as they come. A carriage return before the end of a line is a part of it.
    pub async fn lines(self) -> Result<LogLines> {
        let url = self.request.url();
        Ok(LogLines::new(self.stream().await?, url))
    }
}

/// Reads the whole as text; bytes that are not UTF-8 are replaced. Use [`Logs::bytes`] to have them.
impl IntoFuture for Logs {
    type Output = Result<String>;
    type IntoFuture = CallFuture<String>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned()) })
    }
}
