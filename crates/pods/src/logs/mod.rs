//! The logs of many pods.

use std::{
    fmt,
    future::{Future, IntoFuture, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use k8s_client_informer::Informer;
use k8s_client_runtime::{
    Error, RestClient, Result,
    codec::Codec,
    k8s_openapi::{api::core::v1::Pod, jiff::Timestamp},
    machine,
    resource::{Lists, LogLine, TypedClient, Watches},
};
use tokio::{sync::mpsc, task::JoinHandle};

mod containers;
mod follow;

use containers::Containers;
use follow::Followers;

/// How many entries are held for a reader that pauses, beside the buffer of each container.
const ENTRIES: usize = 256;
/// How many bytes are held for each container.
const BUFFER: u32 = 1 << 20;

/// Clients of pods, in one namespace or in all, that follow the logs of many of them.
pub trait FollowPodLogs: Lists<Kind: Codec<Object = Pod>> + Watches + Clone + 'static {
    /// Follows the logs of the pods that are there and of those to come: see [`PodLogsBuilder`].
    fn follow_logs(&self) -> PodLogsBuilder<Self> {
        PodLogsBuilder {
            pods: self.clone(),
            label_selector: None,
            field_selector: None,
            selection: Selection {
                client: self.list().into_request().rest_client().clone(),
                chosen: Box::new(|_, _| true),
                tail_lines: None,
                since_seconds: None,
                since_time: None,
                buffer: BUFFER,
            },
        }
    }
}

impl<C: Lists<Kind: Codec<Object = Pod>> + Watches + Clone + 'static> FollowPodLogs for C {}

/// Follows the logs of many pods as one stream, as stern does. Awaiting it gives the stream, as soon as the server has
/// agreed to list the pods.
///
/// The pods are listed and watched. Each container that has been started is followed for as long as it runs, and again
/// each time it is started: init containers and debug containers too. What is followed is followed to its end, also if
/// the labels of its pod change; what is started after that is not. The caller needs the verbs `list`, `watch` and
/// `get` on `pods`, and `get` on `pods/log`.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, RestClient, k8s_openapi::api::core::v1::Pod, resource::ResourceClient};
/// use k8s_client_pods::FollowPodLogs as _;
///
/// # async fn example(client: RestClient) -> Result<(), Error> {
/// let pods = ResourceClient::<Pod>::all_namespaces(&client);
/// let logs = pods.follow_logs().label_selector("app=web").filter(|_, container| container != "istio-proxy");
/// let mut logs = logs.since_seconds(60).await?;
/// while let Some(entry) = logs.next().await {
///     println!("{}/{} {}: {:?}", entry.namespace, entry.pod, entry.container, entry.event);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct PodLogsBuilder<C> {
    pods: C,
    label_selector: Option<String>,
    field_selector: Option<String>,
    selection: Selection,
}

/// What is followed of the pods.
struct Selection {
    client: RestClient,
    chosen: Chosen,
    tail_lines: Option<u32>,
    since_seconds: Option<u32>,
    since_time: Option<Timestamp>,
    buffer: u32,
}

/// Whether a container of a pod is wanted.
type Chosen = Box<dyn Fn(&str, &str) -> bool + Send + Sync>;

impl<C> PodLogsBuilder<C> {
    /// Chooses pods by labels, such as `app=web,tier!=cache`. Default: all pods.
    pub fn label_selector(mut self, selector: impl Into<String>) -> Self {
        self.label_selector = Some(selector.into());
        self
    }

    /// Chooses pods by fields, such as `spec.nodeName=node-1`. Default: all pods.
    pub fn field_selector(mut self, selector: impl Into<String>) -> Self {
        self.field_selector = Some(selector.into());
        self
    }

    /// Chooses containers by the names of the pod and of the container. Default: all containers.
    pub fn filter(mut self, chosen: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.selection.chosen = Box::new(chosen);
        self
    }

    /// Starts this many lines before the end of each log. Default: at its beginning.
    ///
    /// As the other options for the beginning, it is for containers that run already. Those that are started later are
    /// read from their first line on.
    pub fn tail_lines(mut self, lines: u32) -> Self {
        self.selection.tail_lines = Some(lines);
        self
    }

    /// Leaves out what is older than this many seconds. Not together with [`since_time`](Self::since_time).
    pub fn since_seconds(mut self, seconds: u32) -> Self {
        self.selection.since_seconds = Some(seconds);
        self
    }

    /// Leaves out what is older than this moment. Not together with [`since_seconds`](Self::since_seconds).
    pub fn since_time(mut self, time: Timestamp) -> Self {
        self.selection.since_time = Some(time);
        self
    }

    /// How many bytes of each log are read ahead of whoever takes the entries. Default: 1 MiB. What is not read is lost
    /// when the kubelet rotates it.
    pub fn buffer_bytes(mut self, bytes: u32) -> Self {
        self.selection.buffer = bytes;
        self
    }
}

impl<C> PodLogsBuilder<C>
where
    C: Lists + Watches + TypedClient<Kind: Codec<Object = Pod>> + 'static,
{
    async fn start(self) -> Result<PodLogs> {
        let mut list = self.pods.list().limit(1);
        let mut informer = Informer::of(self.pods).project(Containers::of);
        if let Some(selector) = self.label_selector {
            list = list.label_selector(&selector);
            informer = informer.label_selector(selector);
        }
        if let Some(selector) = self.field_selector {
            list = list.field_selector(&selector);
            informer = informer.field_selector(selector);
        }
        // An informer goes on trying. Whoever asks for logs is told why there are none.
        list.raw().await?;
        let informer = informer.start();
        let (sender, entries) = mpsc::channel(ENTRIES);
        let followers = Followers::new(self.selection, sender);
        let task = tokio::spawn(machine::own(followers.follow(informer)));
        Ok(PodLogs { entries, task })
    }
}

impl<C> IntoFuture for PodLogsBuilder<C>
where
    C: Lists + Watches + TypedClient<Kind: Codec<Object = Pod>> + 'static,
{
    type Output = Result<PodLogs>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<PodLogs>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl<C> fmt::Debug for PodLogsBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodLogsBuilder")
            .field("label_selector", &self.label_selector)
            .field("field_selector", &self.field_selector)
            .finish_non_exhaustive()
    }
}

/// What comes of the log of one container.
#[derive(Debug)]
#[non_exhaustive]
pub struct PodLogEntry {
    /// The namespace of the pod.
    pub namespace: Arc<str>,
    /// The name of the pod.
    pub pod: Arc<str>,
    /// The name of the container.
    pub container: Arc<str>,
    /// What has come.
    pub event: PodLogEvent,
}

/// What can come of the log of one container.
#[derive(Debug)]
#[non_exhaustive]
pub enum PodLogEvent {
    /// The container runs: its lines follow.
    Started {
        /// How often it has been restarted before.
        restart_count: i32,
    },
    /// A line; or a piece of one that is longer than 16 MiB.
    Line(LogLine),
    /// Something that the server says in place of the log, such as why it cannot read it.
    Message(String),
    /// The container has ended, or its pod is gone, and the last of its log could not be read: lines may be missing.
    Incomplete {
        /// What hindered it.
        reason: String,
    },
    /// The container has ended, or its pod is gone. All of its log has come, unless [`Incomplete`](Self::Incomplete)
    /// came before this.
    Ended,
    /// The log cannot be followed any more. Those of other containers go on.
    Failed(Error),
}

/// The logs of many pods: a stream of [`PodLogEntry`]s that goes on until it is dropped.
///
/// The lines of one container are in their order. Those of different containers come as they arrive.
#[must_use = "the logs are followed no longer when this is dropped"]
pub struct PodLogs {
    entries: mpsc::Receiver<PodLogEntry>,
    task: JoinHandle<()>,
}

impl PodLogs {
    /// The next entry. `None` only if the informer of the pods has ended, or with the runtime.
    pub async fn next(&mut self) -> Option<PodLogEntry> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for PodLogs {
    type Item = PodLogEntry;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<PodLogEntry>> {
        self.entries.poll_recv(context)
    }
}

impl Drop for PodLogs {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for PodLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodLogs").finish_non_exhaustive()
    }
}
