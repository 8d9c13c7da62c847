//! StatefulSets: pods with numbers, one after the other.

use serde_json::{Value, json};

use super::{
    MANAGER,
    work::{self, Work, count, hash},
};
use crate::state::State;

const REVISION: &str = "controller-revision-hash";

pub(super) fn sync(state: &mut State, set: &Work) {
    let revision = format!("{}-{}", set.name(), hash(&set.spec()["template"]));
    step(state, set, &revision);
    write_status(state, set, &revision);
}

/// Does the next thing that may be done now.
fn step(state: &mut State, set: &Work, revision: &str) {
    let is_numbered = |pod: &Work| {
        let number = pod.name().strip_prefix(set.name()).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let pods = set.claimed(state, ("v1", "pods"), is_numbered);
    let pod_of = |number: i64| {
        let name = format!("{}-{number}", set.name());
        pods.iter().find(|pod| pod.name() == name)
    };
    let (first, wanted) = (set.number("/spec/ordinals/start"), set.number("/spec/replicas"));
    let is_parallel = set.spec()["podManagementPolicy"] == "Parallel";
    for number in first..first.saturating_add(wanted) {
        match pod_of(number) {
            None => {
                if !create(state, set, number, revision) {
                    return;
                }
            }
            Some(pod) if matches!(pod.phase(), "Succeeded" | "Failed") => pod.delete(state),
            Some(pod) if pod.is_active() && pod.is_ready() => continue,
            Some(_) => {}
        }
        if !is_parallel {
            return;
        }
    }
    // Those that are too many go one after the other, from the last one on.
    let number = |pod: &Work| pod.name().rsplit('-').next().and_then(|number| number.parse::<i64>().ok());
    let mut rest: Vec<&Work> = pods
        .iter()
        .filter(|pod| number(pod).is_none_or(|number| !(first..first.saturating_add(wanted)).contains(&number)))
        .collect();
    rest.sort_by_key(|pod| std::cmp::Reverse(number(pod)));
    if let Some(last) = rest.first() {
        if is_parallel {
            rest.iter().filter(|pod| !pod.object.is_being_deleted()).for_each(|pod| pod.delete(state));
        } else if !last.object.is_being_deleted() {
            last.delete(state);
        }
        return;
    }
    if set.spec()["updateStrategy"]["type"] == "OnDelete" {
        return;
    }
    let partition = set.number("/spec/updateStrategy/rollingUpdate/partition").max(first);
    for number in (partition..first.saturating_add(wanted)).rev() {
        match pod_of(number) {
            Some(pod) if pod.object.is_being_deleted() || !pod.is_ready() => return,
            Some(pod) if pod.label(REVISION) != revision => {
                pod.delete(state);
                return;
            }
            _ => {}
        }
    }
}

fn create(state: &mut State, set: &Work, number: i64, revision: &str) -> bool {
    let name = format!("{}-{number}", set.name());
    let claims: Vec<Value> = set.spec()["volumeClaimTemplates"].as_array().cloned().unwrap_or_default();
    for template in &claims {
        let claim = claim_name(template, &name);
        let body = json!({
            "metadata": {"name": claim, "labels": set.spec()["selector"]["matchLabels"]}, "spec": template["spec"],
        });
        // One that is there already is the pod's again.
        work::create(state, MANAGER, ("v1", "persistentvolumeclaims"), set.namespace(), &body);
    }
    set.create_pod(state, |pod| {
        if let Some(metadata) = pod["metadata"].as_object_mut() {
            metadata.remove("generateName");
        }
        pod["metadata"]["name"] = name.clone().into();
        let labels = &mut pod["metadata"]["labels"];
        labels[REVISION] = revision.into();
        labels["statefulset.kubernetes.io/pod-name"] = name.clone().into();
        labels["apps.kubernetes.io/pod-index"] = number.to_string().into();
        pod["spec"]["hostname"] = name.clone().into();
        if let Some(service) = set.spec()["serviceName"].as_str().filter(|service| !service.is_empty()) {
            pod["spec"]["subdomain"] = service.into();
        }
        let volumes = claims.iter().map(|template| {
            json!({
                "name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name(template, &name)},
            })
        });
        let mut all: Vec<Value> = volumes.collect();
        all.extend(pod["spec"]["volumes"].as_array().cloned().unwrap_or_default());
        if !all.is_empty() {
            pod["spec"]["volumes"] = all.into();
        }
    })
}

fn claim_name(template: &Value, pod: &str) -> String {
    format!("{}-{pod}", template["metadata"]["name"].as_str().unwrap_or_default())
}

fn write_status(state: &mut State, set: &Work, revision: &str) {
    let pods = set.controlled(state, "v1", "pods");
    let old = set.status();
    let minimum = set.number("/spec/minReadySeconds");
    let is_there = |pod: &Work| !matches!(pod.phase(), "Succeeded" | "Failed");
    let updated = count(&pods, |pod| is_there(pod) && pod.label(REVISION) == revision);
    let ready = count(&pods, |pod| pod.is_active() && pod.is_ready());
    let wanted = set.number("/spec/replicas");
    // The revision that all have had, until all have the new one.
    let current = match old["currentRevision"].as_str().filter(|current| !current.is_empty()) {
        Some(current) if updated != wanted || ready != wanted => current.to_owned(),
        _ => revision.to_owned(),
    };
    let mut status = json!({
        "observedGeneration": set.number("/metadata/generation"),
        "replicas": count(&pods, is_there),
        "availableReplicas": count(&pods, |pod| pod.is_active() && pod.is_available(state, minimum)),
        "updateRevision": revision, "currentRevision": current, "collisionCount": 0,
    });
    for (name, number) in [
        ("readyReplicas", ready),
        ("currentReplicas", count(&pods, |pod| is_there(pod) && pod.label(REVISION) == current)),
        ("updatedReplicas", updated),
    ] {
        if number > 0 {
            status[name] = number.into();
        }
    }
    set.set_status(state, MANAGER, status);
}
