//! A log that goes on: what it is asked for, and the stream that it is.

use std::{
    fmt,
    future::IntoFuture,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use futures_util::TryStreamExt;
use tokio::task::JoinHandle;

use super::{
    LogEvent, Logs,
    buffer::{Taker, buffer},
    follow::{Follow, FollowOptions},
    pod::Instance,
};
use crate::{
    error::Result,
    machine,
    rest::{CallFuture, Request, poll_turn},
};

/// How many bytes are held for a reader that pauses.
const BUFFER: u32 = 16 << 20;

/// Follows the log of a container for as long as the container runs: through lost connections, restarts of the API
/// server and of the kubelet, and rotated files, without a gap and without a repeat. [`Logs::follow_on`] makes it;
/// awaiting it gives the [`LogFollower`] once the server has begun to answer.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::{LogEvent, ResourceClient}};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let mut log = pods.logs("web").container("nginx").tail_lines(10).follow_on().await?;
/// while let Some(event) = log.try_next().await? {
///     match event {
///         LogEvent::Line(line) => println!("{line}"),
///         other => eprintln!("{other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct FollowLogs {
    request: Request,
    container: Option<String>,
    options: FollowOptions,
    buffer: u32,
}

impl Logs {
    /// Follows the log for as long as the container runs, whatever happens to the connection: see [`FollowLogs`].
    ///
    /// It starts with what the other options choose. [`previous`](Logs::previous) and
    /// [`limit_bytes`](Logs::limit_bytes) are refused: such a log has an end of its own.
    pub fn follow_on(self) -> FollowLogs {
        let container = self.request.query_value("container").map(str::to_owned);
        let refused = ["previous", "limitBytes"].into_iter().find(|key| self.request.query_value(key).is_some());
        let request = self.follow().timestamps().into_request();
        let request = match refused {
            Some(key) => request.wrong(format!("a log with the option {key} ends by itself: use `lines`")),
            None => request,
        };
        FollowLogs { request, container, options: FollowOptions::default(), buffer: BUFFER }
    }
}

impl FollowLogs {
    /// Goes on when the container is started again, with the log of its next instance. Default: the end of the
    /// instance is the end.
    pub fn through_restarts(mut self) -> Self {
        self.options.through_restarts = true;
        self
    }

    /// Waits for a container that has not been started yet. Default: that is an error, which says what it waits for.
    pub fn wait_for_start(mut self) -> Self {
        self.options.wait_for_start = true;
        self
    }

    /// Gives out lines again that the kubelet sends again.
    ///
    /// A kubelet whose reader is slow may lose the file when it is rotated, and then sends the newest one from its
    /// beginning. By default, when stamps jump back by more than a second, lines that were given out before are
    /// dropped; 262,144 lines are remembered for that.
    pub fn keep_replays(mut self) -> Self {
        self.options.keep_replays = true;
        self
    }

    /// How many bytes are read ahead of whoever takes the lines. Default: 16 MiB. A log that is not read is lost when
    /// the kubelet rotates it, so it is read as fast as it comes, into this buffer.
    pub fn buffer_bytes(mut self, bytes: u32) -> Self {
        self.buffer = bytes;
        self
    }

    /// Follows this instance of the container and no other, which has been started: it is not waited for the log to be
    /// opened, and what hinders that is treated as what hinders going on. Not covered by semver.
    #[doc(hidden)]
    pub fn of_instance(mut self, pod_uid: &str, container_id: &str) -> Self {
        let instance = Instance { uid: pod_uid.to_owned(), id: container_id.to_owned(), restart_count: 0 };
        self.options.instance = Some(instance);
        self
    }

    async fn start(self) -> Result<LogFollower> {
        let url = self.request.url();
        let (filler, taker) = buffer(self.buffer);
        let mut follow = Follow::new(self.request, self.container, self.options, filler);
        let body = if follow.is_of_instance() { None } else { Some(follow.first().await?) };
        Ok(LogFollower { taker, task: tokio::spawn(machine::own(follow.run(body))), url })
    }
}

impl IntoFuture for FollowLogs {
    type Output = Result<LogFollower>;
    type IntoFuture = CallFuture<LogFollower>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl fmt::Debug for FollowLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowLogs").field("request", &self.request).finish_non_exhaustive()
    }
}

/// The log of a container, for as long as the container runs. [`FollowLogs`] makes it.
///
/// The end is decided by the state of the pod, never by the end of an answer: a server that is restarted, a load
/// balancer that is tired of waiting and a container that exits look the same in the answer. So the pod is read when an
/// answer ends, for which the caller needs the verb `get` on `pods` beside that on `pods/log`. Without it the log still
/// goes on after a connection that breaks, and ends with the first answer that ends.
///
/// # What it cannot do
///
/// * What the kubelet has deleted is lost: only a container's newest file can be read, of 10 MiB by default. That
///   happens when nobody takes lines for so long that the [buffer](FollowLogs::buffer_bytes) is full, or when the
///   server is away for long.
/// * After a lost connection, the log is asked for by time. If the clock of the node is set back after that, or just
///   then, the server leaves out what is written until it has caught up.
/// * Of a container that is started twice while nobody can be asked, the log in between is lost. Where that, or a
///   container or pod that was removed, is known to have taken lines away, [`LogEvent::Incomplete`] says so.
/// * Of more than a million lines in two seconds, the first come again after a lost connection.
/// * If the connection is lost before the first line has come, the log begins anew with
///   [`tail_lines`](Logs::tail_lines) before its end, as it is then.
///
/// # Errors
///
/// An error ends the stream. There is one when the server refuses to go on with what it allowed before, such as after
/// rights were taken away.
#[must_use = "a stream does nothing until it is polled"]
pub struct LogFollower {
    taker: Taker,
    task: JoinHandle<()>,
    url: String,
}

impl LogFollower {
    /// The next event, or `None` at the end.
    pub async fn try_next(&mut self) -> Result<Option<LogEvent>> {
        TryStreamExt::try_next(self).await
    }
}

impl Stream for LogFollower {
    type Item = Result<LogEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        ready!(poll_turn(context));
        self.taker.poll_next(context)
    }
}

impl Drop for LogFollower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for LogFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogFollower({})", self.url)
    }
}
