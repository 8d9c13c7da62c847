//! Defaults of what makes pods.

use serde_json::{Value, json};

use super::{default, pod};
use crate::{api::selects, failure::Cause, model::Resource};

/// Fills in the spec of a deployment, a job and the like.
pub(super) fn fill(resource: &Resource, object: &mut Value) {
    if resource.plural == "podtemplates" {
        pod::fill(&mut object["template"]["spec"]);
        return;
    }
    let Some(spec) = object.get_mut("spec").filter(|spec| spec.is_object()) else { return };
    match resource.plural.as_str() {
        "deployments" => {
            default(spec, "replicas", 1);
            default(spec, "revisionHistoryLimit", 10);
            default(spec, "progressDeadlineSeconds", 600);
            default(&mut spec["strategy"], "type", "RollingUpdate");
            if spec["strategy"]["type"] == "RollingUpdate" {
                let rolling = &mut spec["strategy"]["rollingUpdate"];
                default(rolling, "maxSurge", "25%");
                default(rolling, "maxUnavailable", "25%");
            }
        }
        "replicasets" | "replicationcontrollers" => default(spec, "replicas", 1),
        "daemonsets" => {
            default(spec, "revisionHistoryLimit", 10);
            default(&mut spec["updateStrategy"], "type", "RollingUpdate");
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                let rolling = &mut spec["updateStrategy"]["rollingUpdate"];
                default(rolling, "maxSurge", 0);
                default(rolling, "maxUnavailable", 1);
            }
        }
        "statefulsets" => {
            default(spec, "replicas", 1);
            default(spec, "revisionHistoryLimit", 10);
            default(spec, "podManagementPolicy", "OrderedReady");
            default(&mut spec["updateStrategy"], "type", "RollingUpdate");
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                default(&mut spec["updateStrategy"]["rollingUpdate"], "partition", 0);
            }
            let policy = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
            default(spec, "persistentVolumeClaimRetentionPolicy", policy);
        }
        "jobs" => {
            job(spec);
            return;
        }
        "cronjobs" => {
            default(spec, "concurrencyPolicy", "Allow");
            default(spec, "suspend", false);
            default(spec, "successfulJobsHistoryLimit", 3);
            default(spec, "failedJobsHistoryLimit", 1);
        }
        _ => return,
    }
    for path in ["/template/spec", "/jobTemplate/spec/template/spec"] {
        if let Some(template) = spec.pointer_mut(path) {
            pod::fill(template);
        }
    }
}

fn job(spec: &mut Value) {
    default(spec, "parallelism", 1);
    default(spec, "completions", 1);
    default(spec, "backoffLimit", 6);
    default(spec, "completionMode", "NonIndexed");
    default(spec, "suspend", false);
    default(spec, "manualSelector", false);
    default(spec, "podReplacementPolicy", "TerminatingOrFailed");
    if let Some(template) = spec.pointer_mut("/template/spec") {
        pod::fill(template);
    }
}

/// Pods are found by a label of the job's own.
pub(super) fn label_pods_of_job(job: &mut Value) {
    if job["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (job["metadata"]["uid"].clone(), job["metadata"]["name"].clone());
    let labels = &mut job["spec"]["template"]["metadata"]["labels"];
    for prefix in ["", "batch.kubernetes.io/"] {
        labels[format!("{prefix}controller-uid")] = uid.clone();
        labels[format!("{prefix}job-name")] = name.clone();
    }
    let labels = labels.clone();
    job["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid;
    for (label, value) in labels.as_object().into_iter().flatten() {
        default(&mut job["metadata"]["labels"], label, value.clone());
    }
}

/// What an object that makes pods lacks.
pub(super) fn missing(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    if let Some(replicas) = spec["replicas"].as_i64().filter(|replicas| *replicas < 0) {
        causes.push(Cause::invalid("spec.replicas", &replicas.into(), "must be greater than or equal to 0"));
    }
    let selector = &spec["selector"];
    if selector.is_null() {
        causes.push(Cause::required("spec.selector", ""));
    }
    let labels = &spec["template"]["metadata"]["labels"];
    if !selects(selector, labels) {
        let problem = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, problem));
    }
    causes.extend(pod::missing(&spec["template"]["spec"], "spec.template.spec"));
    if spec["strategy"]["type"] == "Recreate" && !spec["strategy"]["rollingUpdate"].is_null() {
        let problem = "may not be specified when strategy `type` is 'Recreate'";
        causes.push(Cause::forbidden("spec.strategy.rollingUpdate", problem));
    }
    causes
}
