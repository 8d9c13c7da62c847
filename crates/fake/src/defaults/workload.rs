//! Defaults of what makes pods.

use serde_json::{Value, json};

use super::{default, pod};
use crate::{
    api::{is_label, selects},
    failure::Cause,
    model::Resource,
};

/// Fills in the spec of a deployment, a job and the like.
pub(super) fn fill(resource: &Resource, object: &mut Value, minor: u32) {
    if resource.plural == "podtemplates" {
        pod::fill(&mut object["template"]["spec"]);
        return;
    }
    match resource.plural.as_str() {
        "daemonsets" => count_no_templates(&mut object["metadata"]),
        "jobs" => label_like_pods(object),
        _ => {}
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
                let rolling = &mut spec["updateStrategy"]["rollingUpdate"];
                default(rolling, "partition", 0);
                if minor >= 35 {
                    default(rolling, "maxUnavailable", 1);
                }
            }
            for claim in spec.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
                claim["apiVersion"] = "v1".into();
                claim["kind"] = "PersistentVolumeClaim".into();
                fill_claim(claim);
                default(&mut claim["status"], "phase", "Pending");
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

/// Fills in a claim of a volume.
pub(super) fn fill_claim(claim: &mut Value) {
    default(&mut claim["spec"], "volumeMode", "Filesystem");
}

/// How often the template of a `DaemonSet` was changed: an annotation, because the field is gone.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// That count, where nobody says it.
pub(crate) fn count_no_templates(metadata: &mut Value) {
    default(&mut metadata["annotations"], TEMPLATE_GENERATION, "0");
}

/// Counts the changes of a `DaemonSet`'s template.
pub(super) fn count_templates(object: &mut Value, old: Option<&Value>) {
    let count = |object: &Value| -> i64 {
        object["metadata"]["annotations"][TEMPLATE_GENERATION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let count = match old {
        None => count(object).max(1),
        Some(old) => count(old) + i64::from(old["spec"]["template"] != object["spec"]["template"]),
    };
    object["metadata"]["annotations"][TEMPLATE_GENERATION] = count.to_string().into();
}

/// Takes that annotation away.
pub(super) fn forget_templates(object: &mut Value) {
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    annotations.remove(TEMPLATE_GENERATION);
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

/// A job without labels has those of its pods.
fn label_like_pods(job: &mut Value) {
    let has_labels = job["metadata"]["labels"].as_object().is_some_and(|labels| !labels.is_empty());
    if !has_labels && let Some(labels) = job.pointer("/spec/template/metadata/labels").cloned() {
        job["metadata"]["labels"] = labels;
    }
}

fn job(spec: &mut Value) {
    if spec.get("parallelism").is_none_or(Value::is_null) {
        default(spec, "completions", 1);
    }
    default(spec, "parallelism", 1);
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
    // Labels that are those of its pods are one map with them in the server, unless the name is drawn: for that, the
    // server copies the job.
    let is_named = job["metadata"]["generateName"].as_str().unwrap_or_default().is_empty();
    let has_those_of_pods = is_named && job["metadata"]["labels"] == job["spec"]["template"]["metadata"]["labels"];
    let labels = &mut job["spec"]["template"]["metadata"]["labels"];
    for prefix in ["", "batch.kubernetes.io/"] {
        labels[format!("{prefix}controller-uid")] = uid.clone();
        labels[format!("{prefix}job-name")] = name.clone();
    }
    let labels = labels.clone();
    job["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid;
    if has_those_of_pods {
        job["metadata"]["labels"] = labels;
    }
}

/// What is wrong with a job.
pub(super) fn wrong_job(job: &Value) -> Vec<Cause> {
    let spec = &job["spec"];
    let mut causes = Vec::new();
    let name = job["metadata"]["name"].as_str().unwrap_or_default();
    if let Some(last) = spec["completions"].as_i64().filter(|count| spec["completionMode"] == "Indexed" && *count > 0) {
        let pod = format!("{name}-{}", last - 1);
        if !is_label(&pod) || pod.len() > 63 {
            let problem = format!("will not able to create pod with invalid DNS label: {pod}");
            causes.push(Cause::invalid("metadata.name", &name.into(), &problem));
        }
    }
    causes.extend(pod::missing(&spec["template"]["spec"], "spec.template.spec"));
    if !matches!(spec["template"]["spec"]["restartPolicy"].as_str(), Some("OnFailure" | "Never")) {
        let problem = "valid values: \"OnFailure\", \"Never\"";
        causes.push(Cause::required("spec.template.spec.restartPolicy", problem));
    }
    if spec["selector"].is_null() {
        causes.push(Cause::required("spec.selector", ""));
    }
    let labels = &spec["template"]["metadata"]["labels"];
    if !selects(&spec["selector"], labels) {
        let problem = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, problem));
    }
    causes
}

/// What is wrong with a change of a job's template. While the job waits for its first start, it may be made to run
/// elsewhere and with more or less.
pub(super) fn wrong_change_of_template(old: &Value, new: &Value) -> Option<Cause> {
    let status = &old["status"];
    let has_begun = !status["startTime"].is_null() || status["active"].as_i64().is_some_and(|active| active > 0);
    let waits = old["spec"]["suspend"] == true && !has_begun;
    let (old, new) = (&old["spec"]["template"], &new["spec"]["template"]);
    if !waits {
        return (old != new).then(|| Cause::invalid("spec.template", new, "field is immutable"));
    }
    let fixed = |template: &Value| {
        let fields = ["affinity", "nodeSelector", "schedulingGates", "tolerations"];
        pod::without(&template["spec"], "resources", &fields)
    };
    let is_changed = fixed(old) != fixed(new);
    is_changed.then(|| Cause::invalid("spec.template.spec", &new["spec"], "field is immutable"))
}

/// What an object that makes pods lacks.
pub(super) fn missing(resource: &Resource, object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    if let Some(replicas) = spec["replicas"].as_i64().filter(|replicas| *replicas < 0) {
        causes.push(Cause::invalid("spec.replicas", &replicas.into(), "must be greater than or equal to 0"));
    }
    let selector = &spec["selector"];
    // Of a DaemonSet, the server says only what follows from it.
    if selector.is_null() && resource.plural != "daemonsets" {
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
    let rolling = &spec["updateStrategy"]["rollingUpdate"];
    if resource.plural == "statefulsets" && spec["updateStrategy"]["type"] == "OnDelete" && !rolling.is_null() {
        let problem = "only allowed for updateStrategy 'RollingUpdate'";
        causes.push(Cause::invalid("spec.updateStrategy.rollingUpdate", rolling, problem));
    }
    causes
}
