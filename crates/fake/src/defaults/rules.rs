//! What the server refuses by code that is not in its specs, of the kinds that tests have most.

use serde_json::{Map, Value};

use super::{pod, workload};
use crate::{failure::Cause, model::Resource};

/// What is wrong with an object.
pub(crate) fn wrong(resource: &Resource, object: &Value) -> Vec<Cause> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("apps", "deployments" | "replicasets" | "daemonsets" | "statefulsets") => workload::missing(resource, object),
        ("batch", "jobs") => workload::wrong_job(object),
        ("", "pods") => pod::missing(&object["spec"], "spec"),
        ("", "services") => ports_of_service(&object["spec"]),
        ("", "persistentvolumes") => volume(&object["spec"]),
        _ => Vec::new(),
    }
}

fn ports_of_service(spec: &Value) -> Vec<Cause> {
    let has_ports = spec["ports"].as_array().is_some_and(|ports| !ports.is_empty());
    if has_ports || spec["type"] == "ExternalName" || spec["clusterIP"] == "None" {
        return Vec::new();
    }
    vec![Cause::required("spec.ports", "")]
}

/// What a volume lacks.
fn volume(spec: &Value) -> Vec<Cause> {
    let is_empty =
        |field: &str| spec.get(field).is_none_or(|value| value.is_null() || *value == Value::Array(Vec::new()));
    let lacks = |field: &str| is_empty(field).then(|| Cause::required(format!("spec.{field}"), ""));
    let is_size_alone = spec["capacity"].as_object().is_some_and(|all| all.len() == 1 && all.contains_key("storage"));
    let size =
        (!is_size_alone).then(|| Cause::unsupported("spec.capacity", &spec["capacity"].to_string(), &["storage"]));
    let source = source_of_volume(spec).is_empty();
    let source = source.then(|| Cause::required("spec", "must specify a volume type"));
    [lacks("accessModes"), lacks("capacity"), size, source].into_iter().flatten().collect()
}

/// Where a volume is: what is left of its spec without what all have.
fn source_of_volume(spec: &Value) -> Map<String, Value> {
    const OF_ALL: [&str; 9] = [
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    ];
    let members = spec.as_object().into_iter().flatten();
    let own = members.filter(|(name, value)| !OF_ALL.contains(&name.as_str()) && !value.is_null());
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What is wrong with a change of an object: fields that cannot be changed once they are set, and what is wrong with
/// any object.
pub(crate) fn wrong_change(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = wrong(resource, new);
    let mut changes = Changes { old, new, causes: &mut causes };
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("apps", "deployments" | "replicasets") => changes.immutable("spec.selector"),
        ("apps", "daemonsets") => {
            changes.immutable("spec.selector");
            // It is looked at first.
            causes.rotate_right(usize::from(old["spec"]["selector"] != new["spec"]["selector"]));
        }
        ("apps", "statefulsets") => {
            for field in ["selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy"] {
                changes.immutable(&format!("spec.{field}"));
            }
        }
        ("batch", "jobs") => {
            if new["spec"]["completionMode"] != "Indexed" {
                changes.immutable("spec.completions");
            } else if let Some(value) = changes.of("spec.completions").filter(|it| **it != new["spec"]["parallelism"]) {
                let problem = "can only be modified in tandem with spec.parallelism";
                let cause = Cause::invalid("spec.completions", value, problem);
                changes.causes.push(cause);
            }
            changes.immutable("spec.selector");
            changes.causes.extend(workload::wrong_change_of_template(old, new));
            for field in ["completionMode", "podFailurePolicy", "managedBy", "successPolicy"] {
                changes.immutable(&format!("spec.{field}"));
            }
        }
        ("", "nodes") => {
            let had = |field: &str| !old["spec"][field].is_null();
            if had("podCIDRs") {
                changes.forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
            }
            if had("providerID") && new["spec"]["providerID"].is_null() {
                causes.push(Cause::invalid("spec.providerID", &Value::Null, "field cannot be cleared once set"));
            }
        }
        ("", "persistentvolumes") if source_of_volume(&old["spec"]) != source_of_volume(&new["spec"]) => {
            let problem = "spec.persistentvolumesource is immutable after creation";
            causes.push(Cause::forbidden("spec.persistentvolumesource", problem));
        }
        ("", "pods") => causes.extend(pod::wrong_change(&old["spec"], &new["spec"])),
        ("", "secrets" | "configmaps") => {
            if resource.plural == "secrets" {
                changes.immutable("type");
            }
            if old["immutable"] == true {
                for field in ["immutable", "data", "binaryData"] {
                    changes.forbidden(field, "field is immutable when `immutable` is set");
                }
            }
        }
        ("scheduling.k8s.io", "priorityclasses") => {
            changes.forbidden("value", "may not be changed in an update.");
            changes.immutable("preemptionPolicy");
        }
        ("storage.k8s.io", "storageclasses") => {
            for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
                changes.immutable_without_value(field);
            }
        }
        _ => {}
    }
    causes
}

/// An object before and after a write.
struct Changes<'a> {
    old: &'a Value,
    new: &'a Value,
    causes: &'a mut Vec<Cause>,
}

impl<'a> Changes<'a> {
    /// The new value of a field, if it is another one.
    fn of(&self, field: &str) -> Option<&'a Value> {
        let pointer = format!("/{}", field.replace('.', "/"));
        let (old, new) = (self.old.pointer(&pointer), self.new.pointer(&pointer));
        (old != new).then(|| new.unwrap_or(&Value::Null))
    }

    fn immutable(&mut self, field: &str) {
        if let Some(value) = self.of(field) {
            let cause = Cause::invalid(field, value, "field is immutable");
            self.causes.push(cause);
        }
    }

    /// Newer rules of the server do not show the value.
    fn immutable_without_value(&mut self, field: &str) {
        if self.of(field).is_some() {
            self.causes.push(Cause::invalid(field, &Value::Null, "field is immutable"));
        }
    }

    fn forbidden(&mut self, field: &str, problem: &str) {
        if self.of(field).is_some() {
            self.causes.push(Cause::forbidden(field, problem));
        }
    }
}

/// What is wrong with a status.
pub(crate) fn wrong_status(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    let mut counts = Counts { status: &new["status"], causes: Vec::new() };
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("apps", "deployments") => {
            let all = [
                "observedGeneration",
                "replicas",
                "updatedReplicas",
                "terminatingReplicas",
                "readyReplicas",
                "availableReplicas",
                "unavailableReplicas",
                "collisionCount",
            ];
            counts.of_pods(&all, &["updatedReplicas", "readyReplicas", "availableReplicas"], "readyReplicas");
        }
        ("apps", "replicasets") => {
            let all = [
                "replicas",
                "fullyLabeledReplicas",
                "readyReplicas",
                "availableReplicas",
                "terminatingReplicas",
                "observedGeneration",
            ];
            counts.of_pods(&all, &["fullyLabeledReplicas", "readyReplicas", "availableReplicas"], "readyReplicas");
        }
        ("apps", "statefulsets") => {
            let all = [
                "replicas",
                "readyReplicas",
                "currentReplicas",
                "updatedReplicas",
                "availableReplicas",
                "observedGeneration",
                "collisionCount",
            ];
            counts.of_pods(
                &all,
                &["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
                "status.readyReplicas",
            );
        }
        ("batch", "jobs") => {
            for count in ["succeeded", "failed"] {
                let before = old["status"][count].as_i64().unwrap_or_default();
                if counts.count(count) < before {
                    counts.wrong(count, &format!("cannot decrease the {count} counter"));
                }
            }
        }
        ("", "namespaces") => {
            let is_deleted = !old["metadata"]["deletionTimestamp"].is_null();
            let (expected, state) = if is_deleted { ("Terminating", "not empty") } else { ("Active", "empty") };
            if new["status"]["phase"] != expected {
                let problem = format!("may only be '{expected}' if `deletionTimestamp` is {state}");
                let phase = new["status"].get("phase").cloned().unwrap_or_else(|| "".into());
                counts.causes.push(Cause::invalid("status.Phase", &phase, &problem));
            }
        }
        _ => {}
    }
    counts.causes
}

/// The numbers of a status.
struct Counts<'a> {
    status: &'a Value,
    causes: Vec<Cause>,
}

impl Counts<'_> {
    fn count(&self, field: &str) -> i64 {
        self.status[field].as_i64().unwrap_or_default()
    }

    fn wrong(&mut self, field: &str, problem: &str) {
        let value = self.count(field).into();
        self.causes.push(Cause::invalid(format!("status.{field}"), &value, problem));
    }

    fn not_negative(&mut self, fields: &[&str]) {
        for field in fields {
            if self.count(field) < 0 {
                self.wrong(field, "must be greater than or equal to 0");
            }
        }
    }

    /// The numbers of pods: none is negative, none of these parts is more than all, and those that are ready for long
    /// enough are not more than the ready ones, which are called so.
    fn of_pods(&mut self, all: &[&str], parts: &[&str], ready: &str) {
        self.not_negative(all);
        for field in parts {
            self.not_above(field, "replicas", "cannot be greater than status.replicas");
        }
        self.not_above("availableReplicas", "readyReplicas", &format!("cannot be greater than {ready}"));
    }

    fn not_above(&mut self, field: &str, other: &str, problem: &str) {
        if self.count(field) > self.count(other) {
            self.wrong(field, problem);
        }
    }
}
