//! What a scheduler and a kubelet do with pods.

use serde_json::{Value, json};

use super::work::{Work, all};
use crate::state::State;

/// Who writes the status of pods.
const KUBELET: &str = "kubelet";

/// The node of pods if there is no Node object.
const NODE: &str = "fake-node";

/// The address of a node that says none: one that documentation is free to use.
const NODE_ADDRESS: &str = "192.0.2.1";

/// Lets pods that wait run and be ready.
pub(super) fn start(state: &mut State) {
    for pod in all(state, "v1", "pods") {
        let is_gated = pod.spec()["schedulingGates"].as_array().is_some_and(|gates| !gates.is_empty());
        if pod.phase() != "Pending" || pod.object.is_being_deleted() || is_gated {
            continue;
        }
        let nodes = all(state, "v1", "nodes");
        let named = pod.spec()["nodeName"].as_str().unwrap_or_default();
        let node = if named.is_empty() {
            nodes.iter().find(|node| node.spec()["unschedulable"] != true)
        } else {
            nodes.iter().find(|node| node.name() == named)
        };
        let pod = if named.is_empty() {
            let Some(pod) = pod.bind(state, node.map_or(NODE, Work::name)) else { continue };
            pod
        } else {
            pod
        };
        let address = node.and_then(address).unwrap_or(NODE_ADDRESS);
        let status = running(state, &pod, address);
        pod.set_status(state, KUBELET, status);
    }
}

fn address(node: &Work) -> Option<&str> {
    let addresses = node.status()["addresses"].as_array()?;
    addresses.iter().find(|address| address["type"] == "InternalIP")?["address"].as_str()
}

/// An address for a pod, another one for each.
fn pod_address(state: &State) -> String {
    let number = state.store.revision();
    format!("10.244.{}.{}", number / 254 % 256, number % 254 + 1)
}

fn running(state: &State, pod: &Work, host: &str) -> Value {
    let now = state.clock.timestamp();
    let generation = pod.number("/metadata/generation");
    let mut status = pod.status().clone();
    let conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    status["conditions"] = conditions.map(|kind| condition(kind, None, generation, &now)).to_vec().into();
    status["phase"] = "Running".into();
    let address = pod_address(state);
    for (one, list, address) in [("hostIP", "hostIPs", host), ("podIP", "podIPs", address.as_str())] {
        status[one] = address.into();
        status[list] = json!([{"ip": address}]);
    }
    status["startTime"] = now.clone().into();
    status["observedGeneration"] = generation.into();
    for (containers, list) in [("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")] {
        let containers = pod.spec()[containers].as_array();
        let is_init = list == "initContainerStatuses";
        let statuses = containers.into_iter().flatten().map(|container| {
            let ends = is_init && container["restartPolicy"] != "Always";
            container_status(container, ends, &now)
        });
        let statuses: Vec<Value> = statuses.collect();
        if !statuses.is_empty() {
            status[list] = statuses.into();
        }
    }
    status
}

fn condition(kind: &str, not: Option<&str>, generation: i64, now: &str) -> Value {
    let mut condition = json!({
        "type": kind, "status": if not.is_some() { "False" } else { "True" }, "observedGeneration": generation,
        "lastProbeTime": null, "lastTransitionTime": now,
    });
    if let Some(reason) = not.filter(|reason| !reason.is_empty()) {
        condition["reason"] = reason.into();
    }
    condition
}

/// A container that runs, or has done what it was for.
fn container_status(container: &Value, has_ended: bool, now: &str) -> Value {
    let (name, image) = (&container["name"], &container["image"]);
    let id = format!("fake://{}", name.as_str().unwrap_or_default());
    let state = if has_ended {
        json!({"terminated": {
            "exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now, "containerID": id,
        }})
    } else {
        json!({"running": {"startedAt": now}})
    };
    json!({
        "name": name, "image": image, "imageID": image, "containerID": id, "restartCount": 0, "lastState": {},
        "ready": true, "started": !has_ended, "state": state,
    })
}

/// Lets the running pods of jobs succeed.
pub(super) fn finish_jobs(state: &mut State) {
    let now = state.clock.timestamp();
    for pod in all(state, "v1", "pods") {
        let owners = pod.object.value["metadata"]["ownerReferences"].as_array();
        let is_of_job = owners.into_iter().flatten().any(|owner| owner["kind"] == "Job" && owner["controller"] == true);
        if !is_of_job || pod.phase() != "Running" || pod.object.is_being_deleted() {
            continue;
        }
        let mut status = pod.status().clone();
        status["phase"] = "Succeeded".into();
        let generation = pod.number("/metadata/generation");
        for old in status["conditions"].as_array_mut().into_iter().flatten() {
            let kind = old["type"].as_str().unwrap_or_default().to_owned();
            match kind.as_str() {
                "Ready" | "ContainersReady" => *old = condition(&kind, Some("PodCompleted"), generation, &now),
                "PodReadyToStartContainers" => *old = condition(&kind, Some(""), generation, &now),
                _ => {}
            }
        }
        let containers = pod.spec()["containers"].as_array().into_iter().flatten();
        let ended = containers.map(|container| {
            let mut status = container_status(container, true, &now);
            status["ready"] = false.into();
            status
        });
        status["containerStatuses"] = ended.collect::<Vec<_>>().into();
        pod.set_status(state, KUBELET, status);
    }
}
