//! What the server fills in by code that is not in its specs, for the kinds that tests have most.
//!
//! Recorded from a real server. Of other kinds, only the defaults that stand in the specs are filled in.

mod pod;
mod rules;
mod workload;

use serde_json::{Value, json};

pub(crate) use workload::count_no_templates;

pub(crate) use rules::{wrong, wrong_change, wrong_status};

use crate::{model::Resource, state::State};

/// Sets a member that is not there or empty.
fn default(object: &mut Value, name: &str, value: impl Into<Value>) {
    let member = &mut object[name];
    if member.is_null() || member == "" {
        *member = value.into();
    }
}

/// Fills in what is not given.
pub(crate) fn fill(resource: &Resource, object: &mut Value, minor: u32) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => {
            pod::fill(&mut object["spec"]);
            default(&mut object["spec"], "enableServiceLinks", true);
            pod::ask_for_limits(&mut object["spec"]);
            in_list_too(object, "status", "podIP", "podIPs", |address| json!({"ip": address}));
        }
        ("", "nodes") => {
            in_list_too(object, "spec", "podCIDR", "podCIDRs", Value::clone);
            if let Some(capacity) = object["status"].get("capacity").cloned() {
                default(&mut object["status"], "allocatable", capacity);
            }
        }
        ("", "services") => service(&mut object["spec"]),
        ("", "secrets") => {
            default(object, "type", "Opaque");
            string_data(object);
        }
        ("", "persistentvolumeclaims") => workload::fill_claim(object),
        ("", "persistentvolumes") => {
            default(&mut object["spec"], "volumeMode", "Filesystem");
            default(&mut object["spec"], "persistentVolumeReclaimPolicy", "Retain");
            pod::fill_host_path(&mut object["spec"]);
        }
        ("scheduling.k8s.io", "priorityclasses") => default(object, "preemptionPolicy", "PreemptLowerPriority"),
        ("storage.k8s.io", "storageclasses") => {
            default(object, "reclaimPolicy", "Delete");
            default(object, "volumeBindingMode", "Immediate");
        }
        ("networking.k8s.io", "networkpolicies") => {
            let policies = if object["spec"]["egress"].is_array() { &["Ingress", "Egress"][..] } else { &["Ingress"] };
            default(&mut object["spec"], "policyTypes", json!(policies));
            for rules in ["ingress", "egress"] {
                let rules = object["spec"].get_mut(rules).and_then(Value::as_array_mut).into_iter().flatten();
                for port in rules.filter_map(|rule| rule.get_mut("ports")?.as_array_mut()).flatten() {
                    default(port, "protocol", "TCP");
                }
            }
        }
        ("autoscaling", _) => default(&mut object["spec"], "minReplicas", 1),
        ("apps" | "batch", _) | ("", "replicationcontrollers" | "podtemplates") => {
            workload::fill(resource, object, minor);
        }
        _ => {}
    }
}

/// Keeps a field and the first item of the list that has taken its place the same. The field counts where they differ.
fn in_list_too(object: &mut Value, part: &str, field: &str, list: &str, item: fn(&Value) -> Value) {
    let Some(part) = object.get_mut(part).filter(|part| part.is_object()) else { return };
    let first = part.get(list).and_then(|list| list.get(0)).cloned();
    if let Some(value) = part.get(field).filter(|value| value.as_str().is_some_and(|text| !text.is_empty())) {
        let expected = item(value);
        if first.as_ref() != Some(&expected) {
            part[list] = json!([expected]);
        }
    } else if let Some(first) = first {
        let value = first.get("ip").cloned().unwrap_or(first);
        if value != "" {
            part[field] = value;
        }
    }
}

/// `stringData` is a way to write `data`.
fn string_data(object: &mut Value) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let Some(Value::Object(texts)) = object.as_object_mut().and_then(|object| object.remove("stringData")) else {
        return;
    };
    for (key, text) in texts {
        object["data"][key] = STANDARD.encode(text.as_str().unwrap_or_default()).into();
    }
}

/// The network that addresses of services come from.
const SERVICE_NETWORK: [u8; 2] = [10, 0];

fn service(spec: &mut Value) {
    default(spec, "sessionAffinity", "None");
    if spec["sessionAffinity"] == "ClientIP" {
        default(&mut spec["sessionAffinityConfig"]["clientIP"], "timeoutSeconds", 10_800);
    } else if let Some(spec) = spec.as_object_mut() {
        spec.remove("sessionAffinityConfig");
    }
    default(spec, "type", "ClusterIP");
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        default(port, "protocol", "TCP");
        if matches!(&port["targetPort"], Value::Null) || port["targetPort"] == 0 || port["targetPort"] == "" {
            port["targetPort"] = port["port"].clone();
        }
    }
    if spec["type"] != "ExternalName" {
        default(spec, "internalTrafficPolicy", "Cluster");
    }
}

/// Sets what the server itself decides. `old` is the object that is replaced, if there is one.
pub(crate) fn decide(state: &mut State, resource: &Resource, object: &mut Value, old: Option<&Value>) {
    match (resource.group.as_str(), resource.plural.as_str(), old) {
        ("", "pods", None) => {
            object["status"]["phase"] = json!("Pending");
            object["status"]["qosClass"] = pod::quality(&object["spec"]).into();
        }
        ("", "persistentvolumeclaims", None) => object["status"]["phase"] = json!("Pending"),
        ("", "persistentvolumes", None) => {
            object["status"]["phase"] = json!("Pending");
            object["status"]["lastPhaseTransitionTime"] = state.clock.timestamp().into();
        }
        ("apps", "daemonsets", _) => workload::count_templates(object, old),
        ("", "services", _) => addresses(state, &mut object["spec"], old),
        ("batch", "jobs", None) => workload::label_pods_of_job(object),
        _ => {}
    }
}

/// Takes out of an object's metadata what only its conversion to a version puts there.
pub(crate) fn without_what_is_converted(resource: &Resource, object: &mut Value) {
    if resource.plural == "daemonsets" {
        workload::forget_templates(object);
    }
}

/// Gives a service its addresses.
fn addresses(state: &mut State, spec: &mut Value, old: Option<&Value>) {
    if spec["type"] == "ExternalName" {
        return;
    }
    if let Some(old) = old {
        for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            let before = old["spec"][name].clone();
            if !before.is_null() {
                default(spec, name, before);
            }
        }
    }
    if spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
        let [a, b] = SERVICE_NETWORK;
        spec["clusterIP"] = format!("{a}.{b}.{}.{}", state.random.u8(1..=254), state.random.u8(1..=254)).into();
    }
    let address = spec["clusterIP"].clone();
    default(spec, "clusterIPs", json!([address]));
    default(spec, "ipFamilies", json!(["IPv4"]));
    default(spec, "ipFamilyPolicy", "SingleStack");
}
