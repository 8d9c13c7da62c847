//! Kinds whose objects are in no namespace.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{one, small, some, text};

pub(super) fn namespace_status(rng: &mut Rng) -> Value {
    let condition = json!({
        "type": "NamespaceDeletionContentFailure", "status": one(rng, &["True", "False"]), "reason": "Tested",
        "message": text(rng), "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    some(json!({"conditions": [condition]}), rng)
}

pub(super) fn node(rng: &mut Rng) -> Value {
    let taint = json!({"key": "k", "value": one(rng, &["a", "b"]), "effect": one(rng, &["NoSchedule", "NoExecute"])});
    let spec = json!({"unschedulable": rng.bool(), "taints": [taint], "providerID": "p", "podCIDR": "10.1.0.0/24"});
    some(json!({"spec": some(spec, rng), "status": node_status(rng)}), rng)
}

pub(super) fn node_part(rng: &mut Rng) -> Value {
    json!({"spec": some(json!({"unschedulable": rng.bool(), "providerID": "p"}), rng)})
}

pub(super) fn node_status(rng: &mut Rng) -> Value {
    let condition = json!({
        "type": one(rng, &["Ready", "DiskPressure"]), "status": one(rng, &["True", "Unknown"]), "reason": "Tested",
        "message": text(rng), "lastHeartbeatTime": "2026-01-01T00:00:00Z",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let members = json!({
        "capacity": {"cpu": one(rng, &["1", "1000m"]), "pods": "10"}, "conditions": [condition],
        "addresses": [{"type": "InternalIP", "address": "10.8.0.1"}, {"type": "Hostname", "address": "h"}],
        "nodeInfo": {"machineID": "m"},
    });
    some(members, rng)
}

pub(super) fn volume(rng: &mut Rng) -> Value {
    let members = json!({
        "persistentVolumeReclaimPolicy": one(rng, &["Retain", "Delete"]), "storageClassName": one(rng, &["slow", ""]),
        "volumeMode": "Filesystem", "mountOptions": ["ro"],
    });
    let mut spec = some(members, rng);
    spec["capacity"] = json!({"storage": one(rng, &["1Gi", "1024Mi"])});
    spec["accessModes"] = json!([one(rng, &["ReadWriteOnce", "ReadOnlyMany"])]);
    spec["hostPath"] = json!({"path": "/data"});
    json!({"spec": spec})
}

pub(super) fn volume_part(rng: &mut Rng) -> Value {
    let members = json!({
        "persistentVolumeReclaimPolicy": one(rng, &["Retain", "Delete"]),
        "capacity": {"storage": one(rng, &["1Gi", "2Gi"])},
    });
    json!({"spec": some(members, rng)})
}

pub(super) fn volume_status(rng: &mut Rng) -> Value {
    some(json!({"phase": one(rng, &["Available", "Bound"]), "message": text(rng), "reason": "Tested"}), rng)
}

pub(super) fn role(rng: &mut Rng) -> Value {
    let mut role = small::role(rng);
    if rng.u8(..4) == 0 {
        role["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"a": one(rng, &["b", "c"])}}]});
    }
    role
}

pub(super) fn priority(rng: &mut Rng) -> Value {
    let members = json!({"description": text(rng), "preemptionPolicy": one(rng, &["Never", "PreemptLowerPriority"])});
    let mut class = some(members, rng);
    class["value"] = one(rng, &[7, 7, 7, 0]).into();
    class
}

pub(super) fn priority_part(rng: &mut Rng) -> Value {
    some(json!({"description": text(rng), "value": one(rng, &[7, 7, 8])}), rng)
}

pub(super) fn class(rng: &mut Rng) -> Value {
    let members = json!({
        "parameters": {"type": "fast"}, "allowVolumeExpansion": rng.bool(), "mountOptions": ["ro"],
        "reclaimPolicy": one(rng, &["Retain", "Delete"]),
        "volumeBindingMode": one(rng, &["Immediate", "WaitForFirstConsumer"]),
    });
    let mut class = some(members, rng);
    class["provisioner"] = "example.com/p".into();
    class
}

pub(super) fn class_part(rng: &mut Rng) -> Value {
    some(json!({"allowVolumeExpansion": rng.bool(), "parameters": {"type": one(rng, &["fast", "fast", "slow"])}}), rng)
}
