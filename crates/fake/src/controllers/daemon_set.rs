//! DaemonSets: a pod for each node.

use serde_json::{Value, json};

use super::{
    MANAGER,
    work::{Work, all, count, hash},
};
use crate::{api::selects, state::State};

const REVISION: &str = "controller-revision-hash";

pub(super) fn sync(state: &mut State, set: &Work) {
    let revision = hash(&set.spec()["template"]);
    let selector = &set.spec()["template"]["spec"]["nodeSelector"];
    let takes = |node: &Work| {
        selector.is_null() || selects(&json!({"matchLabels": selector}), &node.object.value["metadata"]["labels"])
    };
    let nodes: Vec<Work> = all(state, "v1", "nodes").into_iter().filter(takes).collect();
    let pods = set.claimed(state, ("v1", "pods"), |_| true);
    let on = |pod: &Work, node: &Work| pod.spec()["nodeName"] == node.name();
    for pod in &pods {
        let is_old = pod.label(REVISION) != revision && set.spec()["updateStrategy"]["type"] != "OnDelete";
        if !pod.object.is_being_deleted() && (is_old || !pod.is_active() || !nodes.iter().any(|node| on(pod, node))) {
            pod.delete(state);
        }
    }
    for node in nodes.iter().filter(|node| !pods.iter().any(|pod| on(pod, node))) {
        set.create_pod(state, |pod| {
            pod["metadata"]["labels"][REVISION] = revision.clone().into();
            pod["spec"]["nodeName"] = node.name().into();
        });
    }
    let status = status(state, set, &revision, nodes.len());
    set.set_status(state, MANAGER, status);
}

fn status(state: &State, set: &Work, revision: &str, nodes: usize) -> Value {
    let pods = set.controlled(state, "v1", "pods");
    let active = || pods.iter().filter(|pod| pod.is_active());
    let minimum = set.number("/spec/minReadySeconds");
    let available = count(active(), |pod| pod.is_available(state, minimum));
    let wanted = i64::try_from(nodes).unwrap_or(i64::MAX);
    let mut status = json!({
        "currentNumberScheduled": count(active(), |_| true),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": wanted,
        "numberReady": count(active(), Work::is_ready),
        "observedGeneration": set.number("/metadata/generation"),
    });
    for (name, number) in [
        ("updatedNumberScheduled", count(active(), |pod| pod.label(REVISION) == revision)),
        ("numberAvailable", available),
        ("numberUnavailable", wanted - available),
    ] {
        if number > 0 {
            status[name] = number.into();
        }
    }
    status
}
