//! Defaults of pods, alone and in templates.

use serde_json::{Value, json};

use super::default;
use crate::{failure::Cause, schema};

/// Fills in the spec of a pod.
pub(super) fn fill(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    default(spec, "restartPolicy", "Always");
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "securityContext", json!({}));
    if let Some(account) = spec["serviceAccountName"].as_str().map(str::to_owned).filter(|it| !it.is_empty()) {
        default(spec, "serviceAccount", account);
    }
    remove_null(spec, "serviceAccountName");
    for list in ["containers", "initContainers"] {
        spec_list(spec, list, container);
    }
    spec_list(spec, "volumes", volume);
}

/// Reading a member makes it; this takes back what is none.
fn remove_null(object: &mut Value, name: &str) {
    if object.get(name).is_some_and(Value::is_null)
        && let Some(object) = object.as_object_mut()
    {
        object.remove(name);
    }
}

fn spec_list(spec: &mut Value, name: &str, fill: impl FnMut(&mut Value)) {
    if let Some(items) = spec.get_mut(name).and_then(Value::as_array_mut) {
        items.iter_mut().for_each(fill);
    }
}

fn container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default().to_owned();
    remove_null(container, "image");
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    // The tag stands behind the last slash, since a registry's port has a colon too.
    let last = image.rsplit('/').next().unwrap_or_default();
    let is_latest = !image.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    default(container, "imagePullPolicy", if is_latest { "Always" } else { "IfNotPresent" });
    spec_list(container, "ports", |port| default(port, "protocol", "TCP"));
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) {
            for (name, value) in
                [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
            {
                default(probe, name, value);
            }
            if let Some(get) = probe.get_mut("httpGet").filter(|get| get.is_object()) {
                default(get, "path", "/");
                default(get, "scheme", "HTTP");
            }
        }
    }
    spec_list(container, "env", |variable| {
        let field = variable.pointer_mut("/valueFrom/fieldRef");
        if let Some(field) = field.filter(|field| field.is_object()) {
            default(field, "apiVersion", "v1");
        }
    });
}

/// What the files of a volume may be used for, unless it says otherwise.
const FILE_MODE: i64 = 0o644;

fn volume(volume: &mut Value) {
    for (source, mode) in
        [("configMap", FILE_MODE), ("secret", FILE_MODE), ("downwardAPI", FILE_MODE), ("projected", FILE_MODE)]
    {
        if let Some(source) = volume.get_mut(source).filter(|source| source.is_object()) {
            default(source, "defaultMode", mode);
        }
    }
    fill_host_path(volume);
}

/// The type of a path on the node: any, unless it is said.
pub(super) fn fill_host_path(volume: &mut Value) {
    if let Some(path) = volume.get_mut("hostPath").filter(|path| path.is_object() && path.get("type").is_none()) {
        path["type"] = "".into();
    }
}

/// A container asks for as much as it is limited to, unless it says otherwise. Templates of pods stay as they are.
pub(super) fn ask_for_limits(spec: &mut Value) {
    for list in ["containers", "initContainers"] {
        spec_list(spec, list, |container| {
            let Some(limits) = container["resources"].get("limits").and_then(Value::as_object).cloned() else { return };
            for (name, limit) in limits {
                default(&mut container["resources"]["requests"], &name, limit);
            }
        });
    }
}

/// The class of a pod, by what its containers ask for.
pub(super) fn quality(spec: &Value) -> &'static str {
    let containers: Vec<&Value> = spec["containers"].as_array().into_iter().flatten().collect();
    let asks = |container: &&&Value| {
        let resources = &container["resources"];
        ["limits", "requests"].iter().any(|kind| resources[kind].as_object().is_some_and(|map| !map.is_empty()))
    };
    let is_guaranteed = |container: &&Value| {
        let resources = &container["resources"];
        ["cpu", "memory"].iter().all(|name| {
            let (limit, request) = (&resources["limits"][name], &resources["requests"][name]);
            !limit.is_null() && (request.is_null() || request == limit)
        })
    };
    if !containers.iter().any(|container| asks(&container)) {
        "BestEffort"
    } else if containers.iter().all(is_guaranteed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// What a pod lacks.
pub(super) fn missing(spec: &Value, path: &str) -> Vec<Cause> {
    let containers = spec["containers"].as_array().map_or(&[][..], Vec::as_slice);
    if containers.is_empty() {
        return vec![Cause::required(format!("{path}.containers"), "")];
    }
    let lacks = |(index, container): (usize, &Value)| {
        let path = format!("{path}.containers[{index}]");
        let is_empty = |field: &&str| container[*field].as_str().unwrap_or_default().is_empty();
        let missing = ["name", "image"].into_iter().filter(is_empty);
        let missing = missing.map(|field| Cause::required(format!("{path}.{field}"), ""));
        missing.chain(asks_too_much(container, &path)).collect::<Vec<_>>()
    };
    containers.iter().enumerate().flat_map(lacks).collect()
}

/// The resources that a container asks for beyond its own limits.
fn asks_too_much(container: &Value, path: &str) -> Vec<Cause> {
    let resources = &container["resources"];
    let limits = resources["limits"].as_object().into_iter().flatten();
    let wrong = limits.filter_map(|(name, limit)| {
        let (limit, request) = (limit.as_str()?, resources["requests"][name].as_str()?);
        let problem = format!("must be less than or equal to {name} limit of {limit}");
        let cause = || Cause::invalid(format!("{path}.resources.requests"), &request.into(), &problem);
        schema::is_more(request, limit).then(cause)
    });
    wrong.collect()
}

/// What the server says when anything else of a pod is changed.
pub(super) const IMMUTABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
     `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
     `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// What is wrong with an update that makes one spec of the other.
pub(super) fn wrong_change(old: &Value, new: &Value) -> Vec<Cause> {
    for list in ["containers", "initContainers"] {
        let count = |spec: &Value| spec[list].as_array().map_or(0, Vec::len);
        if count(old) != count(new) {
            return vec![Cause::forbidden(format!("spec.{list}"), "pod updates may not add or remove containers")];
        }
    }
    let (before, after) = (&old["activeDeadlineSeconds"], &new["activeDeadlineSeconds"]);
    let deadline = |problem: &str| Cause::invalid("spec.activeDeadlineSeconds", after, problem);
    let mut causes = Vec::new();
    match (before.as_i64(), after.as_i64()) {
        (Some(before), Some(after)) if before < after => {
            return vec![deadline("must be less than or equal to previous value")];
        }
        (Some(_), None) => causes.push(deadline("must not update from a positive integer to nil value")),
        _ => {}
    }
    let lasting = |toleration: &Value| {
        let mut toleration = toleration.clone();
        toleration["tolerationSeconds"] = Value::Null;
        toleration
    };
    let tolerations =
        |spec: &Value| spec["tolerations"].as_array().into_iter().flatten().map(lasting).collect::<Vec<_>>();
    let after = tolerations(new);
    if tolerations(old).iter().any(|toleration| !after.contains(toleration)) {
        let problem = "existing toleration can not be modified except its tolerationSeconds";
        causes.push(Cause::forbidden("spec.tolerations", problem));
    }
    if !may_become(old, new) {
        causes.push(Cause::forbidden("spec", IMMUTABLE));
    }
    causes
}

/// Whether nothing else is changed.
fn may_become(old: &Value, new: &Value) -> bool {
    let fixed = |spec: &Value| without(spec, "image", &["activeDeadlineSeconds", "tolerations", "schedulingGates"]);
    fixed(old) == fixed(new)
}

/// A spec without this field of its containers, and without these of its own.
pub(super) fn without(spec: &Value, of_containers: &str, fields: &[&str]) -> Value {
    let mut spec = spec.clone();
    for list in ["containers", "initContainers"] {
        spec_list(&mut spec, list, |container| container[of_containers] = Value::Null);
    }
    if let Some(spec) = spec.as_object_mut() {
        for field in fields {
            spec.remove(*field);
        }
    }
    spec
}
