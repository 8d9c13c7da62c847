//! Debug containers: added to a pod that runs, and attached to.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

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
/// let debug = pods.debug("web", "busybox").target("nginx").command(["ps", "aux"]).await?;
/// if let Some(mut process) = debug.process {
///     process.wait().await?;
/// }
/// // What it wrote before it was attached to is in the log only.
/// println!("{}", pods.logs("web").container(&debug.name).await?);
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

    /// Whether to send input. Default: no.
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

    async fn start(mut self) -> Result<DebugContainer> {
        self.container["name"] = self.name.clone().into();
        self.container["stdin"] = self.stdin.into();
        self.container["tty"] = self.tty.into();
        let patch = Patch::StrategicMerge(json!({ "spec": { "ephemeralContainers": [self.container] } }));
        self.pods.patch_subresource::<Json<Value>>(&self.pod, "ephemeralcontainers", &patch).await?;
        let has_started = |pod: Option<&Pod>| pod.is_none_or(|pod| state(pod, &self.name) != State::Waiting);
        let pod = self.pods.wait_for(&self.pod, has_started).within(self.within).await?;
        let mut started = pod.map_or(State::Ended, |pod| state(&pod, &self.name));
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Runs,
    Ended,
}

/// The state of a debug container. All of a pod that is over have ended.
fn state(pod: &Pod, container: &str) -> State {
    let status = pod.status.as_ref();
    let statuses = status.and_then(|status| status.ephemeral_container_statuses.as_deref()).unwrap_or_default();
    let state = statuses.iter().find(|status| status.name == container).and_then(|status| status.state.as_ref());
    let is_over = matches!(status.and_then(|status| status.phase.as_deref()), Some("Succeeded" | "Failed"));
    match state {
        Some(ContainerState { terminated: Some(_), .. }) => State::Ended,
        _ if is_over => State::Ended,
        Some(ContainerState { running: Some(_), .. }) => State::Runs,
        _ => State::Waiting,
    }
}
