//! Debug containers: added to a pod that runs, and attached to.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use bytes::Bytes;
use k8s_client_runtime::{
    Error, Result,
    codec::{Codec, Json},
    k8s_openapi::api::core::v1::{ContainerState, Pod},
    resource::{Gets, Patch, ResourceClient},
    streams::Process,
    wait::WaitFor as _,
};
use serde_json::{Value, json};
use tokio::time::sleep;

/// How long the start of the container is waited for: an image may have to be pulled.
const START: Duration = Duration::from_secs(120);
/// How often it is tried to attach to a container that has just been started, which some runtimes refuse at first.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// Clients of pods that add debug containers.
pub trait DebugPods: Gets<Kind: Codec<Object = Pod>> {
    /// Adds a container with this image to the named pod, which must be running, and attaches to it: see
    /// [`DebugContainerBuilder`].
    fn debug(&self, pod: &str, image: impl Into<String>) -> DebugContainerBuilder {
        let request = self.get(pod).into_request();
        let namespace = request.namespace_set().unwrap_or_default();
        let letters = std::iter::repeat_with(fastrand::lowercase).take(5).collect::<String>();
        DebugContainerBuilder {
            pods: ResourceClient::namespaced(request.rest_client(), namespace),
            pod: pod.to_owned(),
            name: format!("debugger-{letters}"),
            container: json!({ "image": image.into() }),
            stdin: false,
            tty: false,
            within: START,
        }
    }
}

impl<C: Gets<Kind: Codec<Object = Pod>>> DebugPods for C {}

/// Adds a debug container to a running pod, as `kubectl debug` does. Awaiting it gives the [`DebugContainer`] as soon
/// as that has been started.
///
/// The pod is not restarted. Such a container is never restarted either, and stays in the pod's description for as long
/// as the pod exists. The caller needs the verb `patch` on `pods/ephemeralcontainers`, `get`, `list` and `watch` on
/// `pods`, and those of attaching.
///
/// ```no_run
/// # use k8s_client_runtime::{k8s_openapi::api::core::v1::Pod, resource::ResourceClient};
/// use k8s_client_pods::DebugPods as _;
///
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), k8s_client_runtime::Error> {
/// // Runs a program to its end.
/// let output = pods.debug("web", "busybox").target("nginx").command(["ps", "aux"]).output().await?;
/// println!("{}", String::from_utf8_lossy(&output.log));
///
/// // Speaks with one.
/// let debug = pods.debug("web", "busybox").command(["sh"]).stdin(true).await?;
/// if let Some(mut shell) = debug.process {
///     // As with a process that `exec` starts: its input and its outputs are here.
///     shell.wait().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is added until it is awaited"]
pub struct DebugContainerBuilder {
    pods: ResourceClient<Pod>,
    pod: String,
    name: String,
    container: Value,
    stdin: bool,
    tty: bool,
    within: Duration,
}

impl fmt::Debug for DebugContainerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment and the command of the container may hold secrets.
        f.debug_struct("DebugContainerBuilder")
            .field("pod", &self.pod)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl DebugContainerBuilder {
    /// The name of the container. Default: `debugger-` and five letters, as kubectl has it. No container of the pod may
    /// have had it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The container whose processes are seen. Default: none.
    pub fn target(mut self, container: impl Into<String>) -> Self {
        self.container["targetContainerName"] = container.into().into();
        self
    }

    /// The program and its arguments. Default: those of the image.
    pub fn command<I, T>(mut self, command: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<String>,
    {
        self.container["command"] = command.into_iter().map(Into::into).collect::<Vec<String>>().into();
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        let variable = json!({ "name": name, "value": value });
        match &mut self.container["env"] {
            Value::Array(variables) => variables.push(variable),
            none => *none = json!([variable]),
        }
        self
    }

    /// Whether to send input. Default: no. Without a terminal, the end of the input is also that of the program's.
    pub fn stdin(mut self, on: bool) -> Self {
        self.stdin = on;
        self
    }

    /// Whether the container has a terminal. Default: no.
    pub fn tty(mut self, on: bool) -> Self {
        self.tty = on;
        self
    }

    /// How long the start of the container is waited for. Default: two minutes.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Runs the container to its end, and gives what it wrote: all of it, since its log is read, and nothing is
    /// attached to. Of a log that the node has rotated it is the newest file, of 10 MiB by default.
    ///
    /// No [`stdin`](Self::stdin) is sent. Beside the verbs to add the container, the caller needs `get` on `pods/log`.
    ///
    /// # Errors
    ///
    /// Those of the requests, so also one if the pod is deleted meanwhile. An exit code other than 0 is not one.
    pub async fn output(self) -> Result<DebugOutput> {
        // Boxed, since it is large.
        Box::pin(self.run()).await
    }

    async fn run(mut self) -> Result<DebugOutput> {
        // It would wait for input that nobody sends.
        self.stdin = false;
        let (_, uid) = self.add().await?;
        // Of another pod that has got the name, nothing is waited for.
        let is_over = |pod: &Pod| pod.metadata.uid != uid || state(pod, &self.name) == State::Ended;
        let has_ended = |pod: Option<&Pod>| pod.is_none_or(is_over);
        let pod = match self.pods.wait_for(&self.pod, has_ended).within(Duration::MAX).await? {
            Some(pod) => pod,
            None => self.pods.get(&self.pod).await?,
        };
        let log = self.pods.logs(&self.pod).container(&self.name).bytes().await?;
        let ended = container_state(&pod, &self.name).and_then(|state| state.terminated.as_ref());
        Ok(DebugOutput { exit_code: ended.map(|ended| ended.exit_code), log, name: self.name })
    }

    /// Adds the container, and waits until it has been started. Gives its state and the uid of the pod.
    async fn add(&mut self) -> Result<(State, Option<String>)> {
        self.container["name"] = self.name.clone().into();
        self.container["stdin"] = self.stdin.into();
        self.container["tty"] = self.tty.into();
        // Otherwise the end of the input only detaches, and the program waits for more, for ever.
        self.container["stdinOnce"] = (self.stdin && !self.tty).into();
        let patch = Patch::StrategicMerge(json!({ "spec": { "ephemeralContainers": [&self.container] } }));
        let changed = self.pods.patch_subresource::<Json<Value>>(&self.pod, "ephemeralcontainers", &patch).await?;
        let uid = changed.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
        let has_started = |pod: Option<&Pod>| pod.is_none_or(|pod| state(pod, &self.name) != State::Waiting);
        let pod = self.pods.wait_for(&self.pod, has_started).within(self.within).await?;
        Ok((pod.map_or(State::Ended, |pod| state(&pod, &self.name)), uid))
    }

    async fn start(mut self) -> Result<DebugContainer> {
        let (mut started, _) = self.add().await?;
        let mut failed = None;
        for _ in 0..TRIES {
            if started == State::Ended {
                return Ok(DebugContainer { name: self.name, process: None });
            }
            match self.pods.attach(&self.pod).container(&self.name).stdin(self.stdin).tty(self.tty).await {
                Ok(process) => return Ok(DebugContainer { name: self.name, process: Some(process) }),
                Err(error) => failed = Some(error),
            }
            sleep(PAUSE).await;
            started = state(&self.pods.get(&self.pod).await?, &self.name);
        }
        match failed {
            Some(error) if started != State::Ended => Err(error),
            _ => Ok(DebugContainer { name: self.name, process: None }),
        }
    }
}

impl IntoFuture for DebugContainerBuilder {
    type Output = Result<DebugContainer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// A debug container that has been started.
#[derive(Debug)]
#[non_exhaustive]
pub struct DebugContainer {
    /// Its name in the pod.
    pub name: String,
    /// The process in it. `None` if it has ended already: then its log has what it wrote, and the pod's status how it
    /// ended. What it wrote before it was attached to is in the log only.
    pub process: Option<Process>,
}

/// What a debug container has written, and how it ended: [`DebugContainerBuilder::output`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DebugOutput {
    /// The container's name in the pod.
    pub name: String,
    /// The exit code of its program. `None` if the pod ended and its node did not say.
    pub exit_code: Option<i32>,
    /// What it wrote to standard output and standard error, in the order in which it came.
    pub log: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Runs,
    Ended,
}

/// What its node says of a debug container.
fn container_state<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerState> {
    let statuses = pod.status.as_ref()?.ephemeral_container_statuses.as_deref()?;
    statuses.iter().find(|status| status.name == container)?.state.as_ref()
}

/// The state of a debug container. All of a pod that is over have ended.
fn state(pod: &Pod, container: &str) -> State {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let is_over = matches!(phase, Some("Succeeded" | "Failed"));
    match container_state(pod, container) {
        Some(ContainerState { terminated: Some(_), .. }) => State::Ended,
        _ if is_over => State::Ended,
        Some(ContainerState { running: Some(_), .. }) => State::Runs,
        _ => State::Waiting,
    }
}
