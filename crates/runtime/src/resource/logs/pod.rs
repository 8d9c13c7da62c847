//! What a pod says about one of its containers, and what follows from it for a log that has ended.

use serde::Deserialize;

/// A pod, as far as it tells whether a log goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodView {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    uid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    containers: Vec<Named>,
    init_containers: Vec<Named>,
    ephemeral_containers: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    container_statuses: Vec<ContainerView>,
    init_container_statuses: Vec<ContainerView>,
    ephemeral_container_statuses: Vec<ContainerView>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerView {
    name: String,
    #[serde(rename = "containerID")]
    container_id: String,
    restart_count: i32,
    state: State,
    last_state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<serde::de::IgnoredAny>,
    waiting: Option<serde::de::IgnoredAny>,
    terminated: Option<Terminated>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Terminated {
    #[serde(rename = "containerID")]
    container_id: String,
}

/// One run of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instance {
    /// The pod, of which there may be another one of the same name.
    pub(super) uid: String,
    /// The container by the runtime's name.
    pub(super) id: String,
    /// How often the container had been restarted before.
    pub(super) restart_count: i32,
}

/// What becomes of the log of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// There is nobody to ask: the pod is gone.
    Gone,
    /// The pod is gone, and another one has its name.
    Replaced,
    /// The object says nothing about containers.
    Silent,
    /// The container has not been started yet.
    NotStarted,
    /// The instance runs, or is said to: more can come.
    Runs(Instance),
    /// The instance has ended. Nothing more is written, but not all may have been read.
    Ended {
        /// Where its log is read.
        log: EndedLog,
        /// Whether the pod can start the container again.
        may_restart: bool,
        /// The instance that came after it, if it has written anything.
        next: Option<Instance>,
    },
}

/// Where the log of an instance that has ended is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndedLog {
    /// As the container's log.
    Current,
    /// As that of the previous instance.
    Previous,
    /// Nowhere: two instances have come after it.
    Lost,
}

impl PodView {
    /// What becomes of the log of this instance of the container; of the first one that is found, if none is known. The
    /// container need not be named if there is only one.
    pub(super) fn outlook(&self, container: Option<&str>, known: Option<&Instance>) -> Outlook {
        if known.is_some_and(|known| known.uid != self.metadata.uid) {
            return Outlook::Replaced;
        }
        let has_ended = matches!(self.status.phase.as_str(), "Succeeded" | "Failed");
        let Some(container) = container.or_else(|| self.only_container()) else { return Outlook::Silent };
        let Some(status) = self.statuses().find(|status| status.name == container) else {
            return match (has_ended, known) {
                _ if !self.has(container) => Outlook::Silent,
                (true, _) => Outlook::Ended { log: EndedLog::Current, may_restart: false, next: None },
                (false, None) => Outlook::NotStarted,
                // What a kubelet has said once it says again.
                (false, Some(known)) => Outlook::Runs(known.clone()),
            };
        };
        let may_restart = !has_ended;
        let Some(instance) = self.instance_of(status) else {
            return match known {
                None => Outlook::NotStarted,
                Some(_) if has_ended => Outlook::Ended { log: EndedLog::Current, may_restart, next: None },
                Some(known) => Outlook::Runs(known.clone()),
            };
        };
        let known = known.unwrap_or(&instance);
        if known.id == instance.id {
            return match status.state.running {
                Some(_) if !has_ended => Outlook::Runs(instance),
                _ => Outlook::Ended { log: EndedLog::Current, may_restart, next: None },
            };
        }
        let is_previous = status.last_id() == Some(known.id.as_str()) && status.state.waiting.is_none();
        let log = if is_previous { EndedLog::Previous } else { EndedLog::Lost };
        Outlook::Ended { log, may_restart, next: Some(instance) }
    }

    /// The instance of the container whose log is the container's: the one that runs, or else the last one.
    pub(super) fn instance(&self, container: Option<&str>) -> Option<Instance> {
        let container = container.or_else(|| self.only_container())?;
        self.instance_of(self.statuses().find(|status| status.name == container)?)
    }

    fn instance_of(&self, status: &ContainerView) -> Option<Instance> {
        let id = status.current_id().filter(|id| !id.is_empty())?;
        let Metadata { uid } = &self.metadata;
        Some(Instance { uid: uid.clone(), id: id.to_owned(), restart_count: status.restart_count })
    }

    /// The container whose log is meant if none is named.
    fn only_container(&self) -> Option<&str> {
        match &self.spec.containers[..] {
            [only] => Some(&only.name),
            _ => None,
        }
    }

    /// Whether the pod has a container of this name.
    fn has(&self, container: &str) -> bool {
        let Spec { containers, init_containers, ephemeral_containers } = &self.spec;
        let mut all = containers.iter().chain(init_containers).chain(ephemeral_containers);
        all.any(|named| named.name == container)
    }

    fn statuses(&self) -> impl Iterator<Item = &ContainerView> {
        let Status { container_statuses, init_container_statuses, ephemeral_container_statuses, .. } = &self.status;
        container_statuses.iter().chain(init_container_statuses).chain(ephemeral_container_statuses)
    }
}

impl ContainerView {
    fn current_id(&self) -> Option<&str> {
        match (&self.state.running, &self.state.terminated) {
            (Some(_), _) => Some(&self.container_id),
            (None, Some(terminated)) => Some(first_of(&terminated.container_id, &self.container_id)),
            // What waits to be started again shows the log of its last instance.
            (None, None) => self.last_id(),
        }
    }

    /// The instance before the one that runs or waits to run.
    fn last_id(&self) -> Option<&str> {
        self.last_state.terminated.as_ref().map(|state| state.container_id.as_str())
    }
}

fn first_of<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn instance(id: &str, restart_count: i32) -> Instance {
        Instance { uid: "u".to_owned(), id: id.to_owned(), restart_count }
    }

    fn running(id: &str, restarts: i32, last: &Value) -> Value {
        json!({ "name": "main", "containerID": id, "restartCount": restarts, "state": { "running": {} },
            "lastState": last })
    }

    fn terminated(id: &str) -> Value {
        json!({ "terminated": { "containerID": id, "exitCode": 1 } })
    }

    /// What a pod in this phase with these statuses says about the log of `main`.
    fn outlook(phase: &str, status: &Value, known: Option<&Instance>) -> Outlook {
        let statuses = if status.is_null() { json!([]) } else { json!([{ "name": "side" }, status]) };
        let pod = json!({ "metadata": { "uid": "u" }, "spec": { "containers": [{ "name": "main" }] },
            "status": { "phase": phase, "containerStatuses": statuses } });
        let pod: PodView = serde_json::from_value(pod).expect("a pod");
        pod.outlook(Some("main"), known)
    }

    fn ended(log: EndedLog, may_restart: bool, next: Option<Instance>) -> Outlook {
        Outlook::Ended { log, may_restart, next }
    }

    #[test]
    fn a_log_ends_by_the_state_of_its_container() {
        let a = || Some(instance("a", 0));
        let stopped = json!({ "name": "main", "containerID": "a", "state": terminated("a") });
        let crashed = json!({ "name": "main", "containerID": "a", "restartCount": 1,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } }, "lastState": terminated("a") });
        let crashed_again = json!({ "name": "main", "containerID": "b", "restartCount": 2,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } }, "lastState": terminated("b") });
        let starting = json!({ "name": "main", "state": { "waiting": { "reason": "ContainerCreating" } } });
        for (phase, status, known, expected) in [
            ("Pending", json!(null), None, Outlook::NotStarted),
            ("Pending", starting.clone(), None, Outlook::NotStarted),
            ("Running", running("a", 0, &json!({})), None, Outlook::Runs(instance("a", 0))),
            ("Running", running("a", 0, &json!({})), a(), Outlook::Runs(instance("a", 0))),
            // A kubelet that starts anew may report nothing for a moment.
            ("Running", json!(null), a(), Outlook::Runs(instance("a", 0))),
            ("Running", starting, a(), Outlook::Runs(instance("a", 0))),
            ("Running", stopped.clone(), a(), ended(EndedLog::Current, true, None)),
            ("Succeeded", stopped.clone(), a(), ended(EndedLog::Current, false, None)),
            ("Succeeded", stopped, None, ended(EndedLog::Current, false, None)),
            ("Failed", json!(null), a(), ended(EndedLog::Current, false, None)),
            ("Failed", running("a", 0, &json!({})), a(), ended(EndedLog::Current, false, None)),
            ("Running", crashed, a(), ended(EndedLog::Current, true, None)),
            (
                "Running",
                running("b", 1, &terminated("a")),
                a(),
                ended(EndedLog::Previous, true, Some(instance("b", 1))),
            ),
            ("Running", running("c", 2, &terminated("b")), a(), ended(EndedLog::Lost, true, Some(instance("c", 2)))),
            ("Running", crashed_again, a(), ended(EndedLog::Lost, true, Some(instance("b", 2)))),
        ] {
            assert_eq!(outlook(phase, &status, known.as_ref()), expected, "{phase} {status} {known:?}");
        }
    }

    #[test]
    fn another_pod_of_the_same_name_is_not_the_one_that_was_followed() {
        let other = Instance { uid: "other".to_owned(), ..instance("a", 0) };
        assert_eq!(outlook("Running", &running("a", 0, &json!({})), Some(&other)), Outlook::Replaced);
    }

    #[test]
    fn a_container_need_not_be_named_if_there_is_one_only() {
        let view = |containers: &Value| -> PodView {
            serde_json::from_value(json!({ "metadata": { "uid": "u" }, "spec": { "containers": containers },
                "status": { "containerStatuses": [running("a", 0, &json!({}))] } }))
            .expect("a pod")
        };
        let one = view(&json!([{ "name": "main" }]));
        assert_eq!(one.outlook(None, None), Outlook::Runs(instance("a", 0)));
        let two = view(&json!([{ "name": "main" }, { "name": "side" }]));
        assert_eq!(two.outlook(None, None), Outlook::Silent);
        // What is no pod at all has logs too, and says nothing about them.
        let build: PodView = serde_json::from_value(json!({ "metadata": { "uid": "u" } })).expect("an object");
        assert_eq!(build.outlook(None, None), Outlook::Silent);
    }

    #[test]
    fn init_and_debug_containers_have_logs_too() {
        for field in ["initContainerStatuses", "ephemeralContainerStatuses"] {
            let pod = json!({ "metadata": { "uid": "u" }, "status": { field: [running("a", 0, &json!({}))] } });
            let pod: PodView = serde_json::from_value(pod).expect("a pod");
            assert_eq!(pod.outlook(Some("main"), None), Outlook::Runs(instance("a", 0)), "{field}");
        }
    }
}
