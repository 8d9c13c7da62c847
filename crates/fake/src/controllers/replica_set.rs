//! ReplicaSets: as many pods as they want.

use std::cmp::Reverse;

use serde_json::json;

use super::{
    MANAGER,
    work::{Work, count},
};
use crate::{api::selects, state::State};

pub(super) fn sync(state: &mut State, set: &Work) {
    let mut pods = set.claimed(state, ("v1", "pods"), |_| true);
    let mut active: Vec<&Work> = pods.iter().filter(|pod| pod.is_active()).collect();
    let wanted = usize::try_from(set.number("/spec/replicas")).unwrap_or(0);
    for _ in active.len()..wanted {
        if !set.create_pod(state, |_| {}) {
            break;
        }
    }
    // Those that serve nobody go first, then the newest.
    active.sort_by_cached_key(|pod| (pod.is_ready(), Reverse(pod.object.meta("creationTimestamp").to_owned())));
    for pod in active.iter().take(active.len().saturating_sub(wanted)) {
        pod.delete(state);
    }
    pods = set.controlled(state, "v1", "pods");
    write_status(state, set, &pods);
}

fn write_status(state: &mut State, set: &Work, pods: &[Work]) {
    let minimum = set.number("/spec/minReadySeconds");
    let labels = json!({"matchLabels": set.spec()["template"]["metadata"]["labels"]});
    let active = || pods.iter().filter(|pod| pod.is_active());
    let is_labeled = |pod: &Work| selects(&labels, &pod.object.value["metadata"]["labels"]);
    let mut status = json!({
        "replicas": count(active(), |_| true),
        "observedGeneration": set.number("/metadata/generation"),
    });
    for (name, number) in [
        ("fullyLabeledReplicas", count(active(), is_labeled)),
        ("readyReplicas", count(active(), Work::is_ready)),
        ("availableReplicas", count(active(), |pod| pod.is_available(state, minimum))),
    ] {
        if number > 0 {
            status[name] = number.into();
        }
    }
    if has_terminating(set) {
        status["terminatingReplicas"] = count(pods, |pod| pod.object.is_being_deleted()).into();
    }
    set.set_status(state, MANAGER, status);
}

/// Whether this version of Kubernetes counts pods that are ending.
pub(super) fn has_terminating(work: &Work) -> bool {
    let status = work.resource.schema.field("status");
    status.is_some_and(|status| status.schema.field("terminatingReplicas").is_some())
}
