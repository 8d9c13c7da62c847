//! What is kept of a pod: which of its containers have been started.

use std::sync::Arc;

use k8s_client_runtime::k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

/// The containers of a pod that have been started.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Containers {
    pub(super) namespace: Arc<str>,
    pub(super) pod: Arc<str>,
    pub(super) uid: String,
    pub(super) started: Vec<Started>,
}

/// The last instance of a container.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) container: Arc<str>,
    /// The instance by the runtime's name.
    pub(super) id: String,
    pub(super) restart_count: i32,
}

impl Containers {
    pub(super) fn of(pod: Pod) -> Self {
        let status = pod.status.unwrap_or_default();
        let statuses = [status.init_container_statuses, status.container_statuses, status.ephemeral_container_statuses];
        Self {
            namespace: pod.metadata.namespace.unwrap_or_default().into(),
            pod: pod.metadata.name.unwrap_or_default().into(),
            uid: pod.metadata.uid.unwrap_or_default(),
            started: statuses.into_iter().flatten().flatten().filter_map(Started::of).collect(),
        }
    }
}

impl Started {
    fn of(status: ContainerStatus) -> Option<Self> {
        let state = status.state.unwrap_or_default();
        let ended = |state: Option<ContainerState>| state?.terminated?.container_id;
        let id = match (state.running.is_some(), state.terminated.is_some()) {
            (true, _) => status.container_id,
            (false, true) => ended(Some(state)).or(status.container_id),
            // It waits to be started again, and its log is that of its last instance.
            (false, false) => ended(status.last_state),
        };
        let id = id.filter(|id| !id.is_empty())?;
        Some(Self { container: status.name.into(), id, restart_count: status.restart_count })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn containers_that_have_been_started_are_known_by_their_last_instance() {
        let started = |status: &Value| -> Option<(String, i32)> {
            let pod = json!({ "metadata": { "name": "web", "namespace": "ns", "uid": "u" },
                "spec": { "containers": [] }, "status": { "containerStatuses": [status] } });
            let containers = Containers::of(serde_json::from_value(pod).expect("a pod"));
            assert_eq!((&*containers.namespace, &*containers.pod, containers.uid.as_str()), ("ns", "web", "u"));
            containers.started.into_iter().next().map(|started| (started.id, started.restart_count))
        };
        let status = |id: Value, state: Value, last: Value| {
            json!({ "name": "main", "image": "i", "imageID": "", "ready": false, "restartCount": 3,
                "containerID": id, "state": state, "lastState": last })
        };
        let ended = |id: &str| json!({ "terminated": { "exitCode": 0, "containerID": id } });
        let waiting = || json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        for (status, expected) in [
            (status(json!("a"), json!({ "running": {} }), json!({})), Some("a")),
            (status(json!("b"), json!({ "running": {} }), ended("a")), Some("b")),
            (status(json!("a"), ended("a"), json!({})), Some("a")),
            (status(json!("a"), json!({ "terminated": { "exitCode": 1 } }), json!({})), Some("a")),
            (status(json!("a"), waiting(), ended("a")), Some("a")),
            (status(json!(null), waiting(), json!({})), None),
            (status(json!(""), json!({ "running": {} }), json!({})), None),
        ] {
            assert_eq!(started(&status), expected.map(|id| (id.to_owned(), 3)), "{status}");
        }
    }

    #[test]
    fn a_pod_without_a_status_has_started_nothing() {
        assert_eq!(Containers::of(Pod::default()).started, []);
    }
}
