//! What is asked about pods beside a stream: the container that is meant, the pod behind a service, whether it is
//! there.

use std::{collections::BTreeMap, fmt::Display};

use serde::Deserialize;

use crate::{
    error::{Error, ErrorKind, Result},
    rest::{CallFuture, Request, RestClient},
};

/// Names the container that `kubectl exec` and `kubectl logs` take.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The part of a pod that matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: PodSpec,
    #[serde(default)]
    status: PodStatus,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
struct PodSpec {
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Debug, Deserialize)]
struct Container {
    #[serde(default)]
    name: String,
    #[serde(default)]
    ports: Vec<ContainerPort>,
}

#[derive(Debug, Deserialize)]
struct ContainerPort {
    #[serde(default)]
    name: String,
    #[serde(rename = "containerPort")]
    number: u16,
    #[serde(default)]
    protocol: Protocol,
}

#[derive(Debug, Default, Deserialize)]
struct PodStatus {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

impl Pod {
    pub(super) fn uid(&self) -> &str {
        &self.metadata.uid
    }

    /// Its containers have ended, and start no more.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|condition| condition.kind == "Ready" && condition.status == "True")
    }

    /// The port of a container by its name, of those that speak TCP.
    fn port(&self, name: &str) -> Option<u16> {
        let mut ports = self.spec.containers.iter().flat_map(|container| &container.ports);
        let is_it = |port: &&ContainerPort| port.name == name && port.protocol == Protocol::default();
        ports.find(is_it).map(|port| port.number)
    }
}

/// Reads a pod.
pub(super) fn get(pod: Request) -> CallFuture<Pod> {
    Box::pin(async move { pod.send().await?.json().await })
}

/// The container that kubectl takes when none is named: what the pod's annotation says, else the first.
pub(super) fn default_container(pod: Request) -> CallFuture<String> {
    Box::pin(async move {
        let (method, url) = (pod.method().clone(), pod.url());
        let Pod { mut metadata, spec, .. } = get(pod).await?;
        let first = || spec.containers.into_iter().next().map(|container| container.name);
        let container = metadata.annotations.remove(DEFAULT_CONTAINER).or_else(first);
        container.ok_or_else(|| Error::new(ErrorKind::Decode, "the pod has no containers").with_request(&method, url))
    })
}

/// A port of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodPort {
    /// The name of the pod.
    pub pod: String,
    /// The number of the port.
    pub port: u16,
}

#[derive(Debug, Deserialize)]
struct Service {
    spec: ServiceSpec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceSpec {
    #[serde(default)]
    selector: BTreeMap<String, String>,
    #[serde(default)]
    ports: Vec<ServicePort>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServicePort {
    #[serde(default)]
    name: String,
    port: u16,
    target_port: Option<TargetPort>,
    #[serde(default)]
    protocol: Protocol,
}

/// What a port speaks below its bytes, of which only TCP can be forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Protocol(String);

impl Default for Protocol {
    /// The API server's.
    fn default() -> Self {
        Self("TCP".to_owned())
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TargetPort {
    Number(u16),
    Name(String),
}

#[derive(Debug, Deserialize)]
struct Pods {
    items: Vec<Pod>,
}

/// Finds a pod behind a service, and the port of it that a port of the service leads to, as `kubectl port-forward
/// service/NAME` does. The port is that of the service, by number or by name.
///
/// The pod is one that runs, and is ready if any is. Connections then go to this pod, whatever becomes of the service.
/// It needs the verbs `get` on `services` and `list` on `pods`.
///
/// Every client has the `RestClient` at hand as `rest_client()`. [`PortForward`](super::PortForward#services) has an
/// example.
///
/// # Errors
///
/// Those of the two requests, and one that says why no connection can be made: no such port, no pod that runs.
pub async fn pod_of_service(
    client: &RestClient,
    namespace: &str,
    service: &str,
    port: impl Display,
) -> Result<PodPort> {
    let core = || client.get().group_version("", "v1").namespace(namespace);
    find(core().resource("services").name(service), core().resource("pods"), port.to_string()).await
}

fn find(service: Request, pods: Request, port: String) -> CallFuture<PodPort> {
    Box::pin(async move {
        let (method, url) = (service.method().clone(), service.url());
        let wrong = |problem: String| Error::new(ErrorKind::Request, problem).with_request(&method, url.clone());
        let ServiceSpec { selector, ports, cluster_ip } = service.send().await?.json::<Service>().await?.spec;
        if selector.is_empty() {
            return Err(wrong("the service has no selector, so no pod belongs to it".to_owned()));
        }
        // The same number can stand there once for each protocol.
        let mut found: Vec<_> =
            ports.iter().filter(|known| known.name == port || known.port.to_string() == port).collect();
        found.sort_by_key(|port| port.protocol != Protocol::default());
        let Some(found) = found.first() else {
            let known: Vec<_> =
                ports.iter().map(|port| format!("{} {}", port.port, port.name).trim().to_owned()).collect();
            return Err(wrong(format!("the service has no port {port:?}; it has {}", known.join(", "))));
        };
        if found.protocol != Protocol::default() {
            let Protocol(protocol) = &found.protocol;
            return Err(wrong(format!("port {port:?} of the service is {protocol}, and only TCP can be forwarded")));
        }
        let labels = selector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        let pods: Pods = pods.query("labelSelector", &labels).send().await?.json().await?;
        let mut running: Vec<_> = pods.items.into_iter().filter(|pod| pod.status.phase == "Running").collect();
        running.sort_by_key(|pod| !pod.is_ready());
        let Some(pod) = running.into_iter().next() else {
            return Err(wrong(format!("no pod of the service runs (with labels {labels})")));
        };
        let port = match &found.target_port {
            // Nobody translates the port of a service without an address.
            _ if cluster_ip.as_deref() == Some("None") => found.port,
            None => found.port,
            Some(TargetPort::Number(number)) => *number,
            Some(TargetPort::Name(name)) => pod.port(name).ok_or_else(|| {
                wrong(format!("the port leads to {name:?}, and no container of pod {} has it", pod.metadata.name))
            })?,
        };
        Ok(PodPort { pod: pod.metadata.name, port })
    })
}
