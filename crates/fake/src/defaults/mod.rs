//! What the server fills in by code that is not in its specs, for the kinds that tests have most.
//!
//! Recorded from a real server. Of other kinds, only the defaults that stand in the specs are filled in.

mod pod;
mod workload;

use serde_json::{Value, json};

use crate::{
    failure::{Cause, Failure, Result},
    model::Resource,
    state::State,
};

/// Sets a member that is not there or empty.
fn default(object: &mut Value, name: &str, value: impl Into<Value>) {
    let member = &mut object[name];
    if member.is_null() || member == "" {
        *member = value.into();
    }
}

/// Fills in what is not given.
pub(crate) fn fill(resource: &Resource, object: &mut Value) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => {
            pod::fill(&mut object["spec"]);
            default(&mut object["spec"], "enableServiceLinks", true);
        }
        ("", "services") => service(&mut object["spec"]),
        ("", "secrets") => {
            default(object, "type", "Opaque");
            string_data(object);
        }
        ("", "persistentvolumeclaims") => default(&mut object["spec"], "volumeMode", "Filesystem"),
        ("", "persistentvolumes") => {
            default(&mut object["spec"], "volumeMode", "Filesystem");
            default(&mut object["spec"], "persistentVolumeReclaimPolicy", "Retain");
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
        ("apps" | "batch", _) | ("", "replicationcontrollers" | "podtemplates") => workload::fill(resource, object),
        _ => {}
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
        ("", "persistentvolumeclaims" | "persistentvolumes", None) => object["status"]["phase"] = json!("Pending"),
        ("", "services", _) => addresses(state, &mut object["spec"], old),
        ("batch", "jobs", None) => workload::label_pods_of_job(object),
        _ => {}
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

/// What a new object of the commonest kinds must have.
pub(crate) fn check(resource: &Resource, object: &Value) -> Result<()> {
    let causes = match (resource.group.as_str(), resource.plural.as_str()) {
        ("apps", "deployments" | "replicasets" | "daemonsets" | "statefulsets") => workload::missing(object),
        ("", "pods") => pod::missing(&object["spec"], "spec"),
        ("", "services") => ports_of_service(&object["spec"]),
        _ => Vec::new(),
    };
    if causes.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Err(Failure::invalid(&resource.group, &resource.kind, name, &causes))
}

fn ports_of_service(spec: &Value) -> Vec<Cause> {
    let has_ports = spec["ports"].as_array().is_some_and(|ports| !ports.is_empty());
    if has_ports || spec["type"] == "ExternalName" || spec["clusterIP"] == "None" {
        return Vec::new();
    }
    vec![Cause::required("spec.ports", "")]
}

/// Fields that cannot be changed once they are set.
pub(crate) fn check_immutable(resource: &Resource, old: &Value, new: &Value) -> Result<()> {
    let invalid = |field: &str, value: &Value| {
        let name = new["metadata"]["name"].as_str().unwrap_or_default();
        let cause = Cause::invalid(field, value, "field is immutable");
        Err(Failure::invalid(&resource.group, &resource.kind, name, &[cause]))
    };
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("apps", "deployments" | "replicasets" | "daemonsets" | "statefulsets") => {
            let mut causes = workload::missing(new);
            let (before, after) = (&old["spec"]["selector"], &new["spec"]["selector"]);
            if before != after && resource.plural != "statefulsets" {
                causes.push(Cause::invalid("spec.selector", after, "field is immutable"));
            }
            if causes.is_empty() {
                return Ok(());
            }
            let name = new["metadata"]["name"].as_str().unwrap_or_default();
            Err(Failure::invalid(&resource.group, &resource.kind, name, &causes))
        }
        ("", "services") if !ports_of_service(&new["spec"]).is_empty() => {
            let name = new["metadata"]["name"].as_str().unwrap_or_default();
            Err(Failure::invalid(&resource.group, &resource.kind, name, &ports_of_service(&new["spec"])))
        }
        ("", "pods") if !pod::may_become(&old["spec"], &new["spec"]) => {
            let name = new["metadata"]["name"].as_str().unwrap_or_default();
            let cause = Cause::forbidden("spec", pod::IMMUTABLE);
            Err(Failure::invalid(&resource.group, &resource.kind, name, &[cause]))
        }
        ("", "secrets") if old["type"] != new["type"] => invalid("type", &new["type"]),
        ("", "configmaps" | "secrets") if old["immutable"] == true => {
            let changed = ["data", "binaryData"].into_iter().find(|field| old.get(*field) != new.get(*field));
            let name = new["metadata"]["name"].as_str().unwrap_or_default();
            let forbidden = |field: &str| {
                let cause = Cause::forbidden(field, "field is immutable when `immutable` is set");
                Err(Failure::invalid(&resource.group, &resource.kind, name, &[cause]))
            };
            match changed {
                Some(field) => forbidden(field),
                None if new["immutable"] != true => forbidden("immutable"),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
