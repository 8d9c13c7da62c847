//! Pods, and what makes them.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{one, some, text};

fn container(rng: &mut Rng, name: &str) -> Value {
    let members = json!({
        "env": [{"name": "A", "value": text(rng)}, {"name": "B", "value": "b"}],
        "command": ["sleep", one(rng, &["1", "2"])],
        "ports": if name == "main" { json!([{"containerPort": 80}]) } else { json!([{"containerPort": 53, "protocol": "UDP"}]) },
        "resources": {"limits": {"cpu": one(rng, &["500m", "0.5", "1"]), "memory": one(rng, &["1Gi", "1024Mi"])}},
        "imagePullPolicy": "Always",
    });
    let mut container = some(members, rng);
    container["name"] = name.into();
    container["image"] = one(rng, &["nginx", "nginx:1", "nginx:latest"]).into();
    container
}

fn template(rng: &mut Rng) -> Value {
    let mut containers = vec![container(rng, "main")];
    if rng.bool() {
        containers.push(container(rng, "side"));
    }
    json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": containers}})
}

/// What makes pods of a template and finds them by their label.
fn of_pods(mut spec: Value, rng: &mut Rng) -> Value {
    spec["selector"] = json!({"matchLabels": {"app": "x"}});
    spec["template"] = template(rng);
    json!({"spec": spec})
}

/// Puts a strategy in the place of its number; behind these comes an empty one.
fn name_strategy(spec: &mut Value, field: &str, strategies: &[Value; 2]) {
    if let Some(strategy) = spec.get_mut(field) {
        let number = strategy.as_u64().and_then(|number| usize::try_from(number).ok());
        *strategy = number.and_then(|number| strategies.get(number)).cloned().unwrap_or_else(|| json!({}));
    }
}

pub(super) fn deployment(rng: &mut Rng) -> Value {
    let members = json!({
        "replicas": rng.u8(..3), "paused": rng.bool(), "minReadySeconds": rng.u8(..2),
        "strategy": one(rng, &[0, 1, 2]),
    });
    let mut spec = some(members, rng);
    name_strategy(
        &mut spec,
        "strategy",
        &[json!({"type": "Recreate"}), json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})],
    );
    of_pods(spec, rng)
}

pub(super) fn deployment_part(rng: &mut Rng) -> Value {
    let members = json!({
        "replicas": rng.u8(..3), "paused": rng.bool(), "minReadySeconds": rng.u8(..2),
        "template": {"metadata": {"annotations": {"a": text(rng)}}},
    });
    json!({"spec": some(members, rng)})
}

pub(super) fn deployment_status(rng: &mut Rng) -> Value {
    let count = rng.u8(..3);
    let condition = json!({
        "type": one(rng, &["Available", "Progressing"]), "status": one(rng, &["True", "False"]), "reason": "Tested",
        "message": text(rng), "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let members = json!({
        "updatedReplicas": count, "observedGeneration": rng.u8(..3), "conditions": [condition],
    });
    let mut status = some(members, rng);
    status["replicas"] = count.into();
    status
}

pub(super) fn replica_set(rng: &mut Rng) -> Value {
    let spec = some(json!({"replicas": rng.u8(..3), "minReadySeconds": 1}), rng);
    of_pods(spec, rng)
}

pub(super) fn replicas_part(rng: &mut Rng) -> Value {
    json!({"spec": some(json!({"replicas": rng.u8(..3), "minReadySeconds": rng.u8(..2)}), rng)})
}

pub(super) fn replica_set_status(rng: &mut Rng) -> Value {
    json!({"replicas": rng.u8(..3), "observedGeneration": rng.u8(..3)})
}

pub(super) fn stateful_set(rng: &mut Rng) -> Value {
    let claim = json!({
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": one(rng, &["1Gi", "1024Mi"])}}},
    });
    let members = json!({
        "replicas": rng.u8(..3), "minReadySeconds": rng.u8(..2), "volumeClaimTemplates": [claim],
        "podManagementPolicy": one(rng, &["OrderedReady", "Parallel"]), "serviceName": "web",
        "updateStrategy": one(rng, &[0, 1, 2]),
    });
    let mut spec = some(members, rng);
    name_strategy(
        &mut spec,
        "updateStrategy",
        &[json!({"type": "OnDelete"}), json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}})],
    );
    of_pods(spec, rng)
}

pub(super) fn stateful_set_part(rng: &mut Rng) -> Value {
    let members = json!({
        "replicas": rng.u8(..3), "minReadySeconds": rng.u8(..2), "serviceName": one(rng, &["web", "web", "other"]),
        "template": {"metadata": {"annotations": {"a": text(rng)}}},
    });
    json!({"spec": some(members, rng)})
}

pub(super) fn stateful_set_status(rng: &mut Rng) -> Value {
    let members = json!({
        "readyReplicas": rng.u8(..2), "currentReplicas": rng.u8(..3), "updatedReplicas": rng.u8(..2),
        "availableReplicas": rng.u8(..2), "observedGeneration": rng.u8(..3), "currentRevision": "r1",
        "updateRevision": one(rng, &["r1", "r2"]),
    });
    let mut status = some(members, rng);
    status["replicas"] = rng.u8(1..3).into();
    status
}

pub(super) fn daemon_set(rng: &mut Rng) -> Value {
    let mut spec = some(json!({"minReadySeconds": rng.u8(..2), "updateStrategy": one(rng, &[0, 1, 2])}), rng);
    name_strategy(
        &mut spec,
        "updateStrategy",
        &[json!({"type": "OnDelete"}), json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%"}})],
    );
    of_pods(spec, rng)
}

pub(super) fn daemon_set_part(rng: &mut Rng) -> Value {
    let members = json!({
        "minReadySeconds": rng.u8(..2), "revisionHistoryLimit": rng.u8(1..3),
        "template": {"metadata": {"annotations": {"a": text(rng)}}},
    });
    json!({"spec": some(members, rng)})
}

pub(super) fn daemon_set_status(rng: &mut Rng) -> Value {
    let members = json!({
        "observedGeneration": rng.u8(..3), "updatedNumberScheduled": rng.u8(..3), "numberAvailable": rng.u8(..3),
        "numberUnavailable": rng.u8(..2),
    });
    let mut status = some(members, rng);
    for always in ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"] {
        status[always] = rng.u8(..3).into();
    }
    status
}

pub(super) fn job(rng: &mut Rng) -> Value {
    let members = json!({
        "parallelism": rng.u8(..3), "completions": rng.u8(1..3), "backoffLimit": rng.u8(..3), "suspend": rng.bool(),
        "activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 5,
        "completionMode": one(rng, &["NonIndexed", "NonIndexed", "Indexed"]),
    });
    let mut spec = some(members, rng);
    if spec["completionMode"] == "Indexed" && spec.get("completions").is_none() {
        spec["completions"] = 2.into();
    }
    spec["template"] = template(rng);
    spec["template"]["spec"]["restartPolicy"] = one(rng, &["Never", "OnFailure"]).into();
    json!({"spec": spec})
}

pub(super) fn job_part(rng: &mut Rng) -> Value {
    let members = json!({
        "parallelism": rng.u8(..3), "backoffLimit": rng.u8(..3), "suspend": rng.bool(), "ttlSecondsAfterFinished": 6,
        "activeDeadlineSeconds": 70,
    });
    json!({"spec": some(members, rng)})
}

pub(super) fn job_status(rng: &mut Rng) -> Value {
    some(json!({"active": rng.u8(..3), "failed": rng.u8(..2), "ready": 0, "terminating": rng.u8(..2)}), rng)
}

pub(super) fn pod(rng: &mut Rng) -> Value {
    let mut spec = template(rng)["spec"].take();
    let members = json!({
        "nodeName": "n1", "terminationGracePeriodSeconds": one(rng, &[0, 1, 30]), "hostname": "h",
        "restartPolicy": one(rng, &["Always", "Never"]), "nodeSelector": {"disk": "ssd"},
        "volumes": [{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "x"}}],
        "securityContext": {"runAsUser": 7}, "activeDeadlineSeconds": 60,
        "tolerations": [{"key": "k", "operator": "Exists"}], "serviceAccountName": "default",
    });
    let Value::Object(members) = some(members, rng) else { return spec };
    for (key, value) in members {
        spec[key] = value;
    }
    json!({"spec": spec})
}

pub(super) fn pod_part(rng: &mut Rng) -> Value {
    let members = json!({"activeDeadlineSeconds": one(rng, &[50, 60])});
    json!({"spec": some(members, rng)})
}

pub(super) fn pod_status(rng: &mut Rng) -> Value {
    let condition = json!({
        "type": one(rng, &["Ready", "PodScheduled"]), "status": one(rng, &["True", "False"]),
        "lastProbeTime": null, "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let members = json!({
        "phase": one(rng, &["Pending", "Running", "Succeeded"]), "conditions": [condition], "reason": text(rng),
        "hostIP": "10.8.0.1", "podIP": one(rng, &["10.9.0.1", "10.9.0.2"]),
    });
    some(members, rng)
}
