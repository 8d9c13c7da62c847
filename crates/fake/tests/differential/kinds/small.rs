//! Kinds that are not much more than their data.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{one, some, text};

pub(super) fn config_map(rng: &mut Rng) -> Value {
    let members = json!({
        "data": some(json!({"k1": text(rng), "k2": "b", "k.3": "c"}), rng),
        "binaryData": {"raw": "AAEC"},
    });
    some(members, rng)
}

pub(super) fn map_part(rng: &mut Rng) -> Value {
    let value = text(rng);
    some(json!({"data": some(json!({"k1": value, "k4": "d"}), rng)}), rng)
}

pub(super) fn secret(rng: &mut Rng) -> Value {
    let kind = one(rng, &["Opaque", "example.com/x", ""]);
    let members = json!({
        "data": {"k1": one(rng, &["YQ==", "Yg==", ""])}, "stringData": {"k2": text(rng)}, "type": kind,
    });
    some(members, rng)
}

pub(super) fn secret_part(rng: &mut Rng) -> Value {
    some(json!({"data": {"k1": one(rng, &["YQ==", "Yg=="])}, "stringData": {"k3": "c"}}), rng)
}

pub(super) fn lease_spec(rng: &mut Rng) -> Value {
    let spec = json!({
        "holderIdentity": one(rng, &["a", "b"]), "leaseDurationSeconds": rng.u8(1..4), "leaseTransitions": rng.u8(..3),
        "renewTime": one(rng, &["2026-01-01T00:00:00.000000Z", "2026-01-01T01:00:00.120000+01:00"]),
    });
    json!({"spec": some(spec, rng)})
}

pub(super) fn role(rng: &mut Rng) -> Value {
    let rule = |rng: &mut Rng| {
        json!({
            "apiGroups": [one(rng, &["", "apps"])], "resources": [one(rng, &["pods", "deployments"])],
            "verbs": [one(rng, &["get", "list"])],
        })
    };
    let rules: Vec<Value> = (0..rng.u8(..3)).map(|_| rule(rng)).collect();
    if rng.u8(..6) == 0 { json!({}) } else { json!({"rules": rules}) }
}

pub(super) fn service(rng: &mut Rng) -> Value {
    let mut ports = vec![json!({"name": "http", "port": 80}), json!({"name": "dns", "port": 53, "protocol": "UDP"})];
    ports.truncate(rng.usize(1..3));
    if rng.bool() {
        ports[0]["targetPort"] = if rng.bool() { 8080.into() } else { "web".into() };
    }
    json!({"spec": {"selector": {"app": "x"}, "ports": ports}})
}

pub(super) fn service_part(rng: &mut Rng) -> Value {
    let members = json!({
        "selector": {"app": one(rng, &["x", "y"])}, "publishNotReadyAddresses": rng.bool(),
        "sessionAffinity": one(rng, &["None", "ClientIP"]),
    });
    json!({"spec": some(members, rng)})
}

pub(super) fn budget(rng: &mut Rng) -> Value {
    let selector = json!({"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]});
    let mut spec = json!({"selector": some(selector, rng)});
    spec["minAvailable"] = if rng.bool() { json!(rng.u8(..2)) } else { json!("10%") };
    json!({"spec": spec})
}

pub(super) fn budget_part(rng: &mut Rng) -> Value {
    json!({"spec": {"unhealthyPodEvictionPolicy": one(rng, &["AlwaysAllow", "IfHealthyBudget"])}})
}

pub(super) fn budget_status(rng: &mut Rng) -> Value {
    json!({
        "currentHealthy": rng.u8(..3), "desiredHealthy": 1, "disruptionsAllowed": rng.u8(..2), "expectedPods": 1,
        "observedGeneration": 1,
    })
}

pub(super) fn network_policy(rng: &mut Rng) -> Value {
    let peers = json!([{"podSelector": {"matchLabels": {"app": "y"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}]);
    let ports = json!([{"port": 80}, {"port": "web", "protocol": "UDP"}, {}]);
    let rule = some(json!({"from": peers, "ports": ports}), rng);
    let spec = some(json!({"ingress": [rule], "policyTypes": ["Ingress"]}), rng);
    let mut spec = spec;
    spec["podSelector"] = if rng.bool() { json!({}) } else { json!({"matchLabels": {"app": "x"}}) };
    json!({"spec": spec})
}

pub(super) fn network_part(rng: &mut Rng) -> Value {
    json!({"spec": {"podSelector": {"matchLabels": {"app": one(rng, &["x", "y"])}}}})
}
