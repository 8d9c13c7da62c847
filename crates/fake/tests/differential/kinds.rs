//! The kinds that sequences are about, and objects of them that every server accepts.

use fastrand::Rng;
use serde_json::{Value, json};

/// Where definitions of custom resources are.
pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A kind.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) api_version: &'static str,
    pub(crate) name: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) is_custom: bool,
    /// Whether it has `status`, with what it can say.
    pub(crate) status: Option<fn(&mut Rng) -> Value>,
    pub(crate) has_scale: bool,
    /// A whole object beside its metadata.
    pub(crate) whole: fn(&mut Rng) -> Value,
    /// A part that can be merged into any object of the kind, by all types of patch.
    pub(crate) part: fn(&mut Rng) -> Value,
    /// Fields of selectors, each with values.
    pub(crate) selectable: &'static [(&'static str, &'static [&'static str])],
}

pub(crate) const KINDS: [Kind; 12] = [
    Kind { part: map_part, ..plain("v1", "ConfigMap", "configmaps", config_map) },
    Kind {
        part: secret_part,
        selectable: &[("type", &["Opaque", "example.com/x"])],
        ..plain("v1", "Secret", "secrets", secret)
    },
    Kind { part: |_| json!({}), ..plain("v1", "ServiceAccount", "serviceaccounts", |_| json!({})) },
    Kind { part: lease_spec, ..plain("coordination.k8s.io/v1", "Lease", "leases", lease_spec) },
    Kind { part: role, ..plain("rbac.authorization.k8s.io/v1", "Role", "roles", role) },
    Kind {
        part: service_part,
        status: Some(|_| json!({})),
        selectable: &[("spec.type", &["ClusterIP", "NodePort"]), ("spec.clusterIP", &["None"])],
        ..plain("v1", "Service", "services", service)
    },
    Kind {
        part: deployment_part,
        status: Some(deployment_status),
        has_scale: true,
        ..plain("apps/v1", "Deployment", "deployments", deployment)
    },
    Kind {
        part: replicas_part,
        status: Some(replica_set_status),
        has_scale: true,
        ..plain("apps/v1", "ReplicaSet", "replicasets", deployment_of_replicas)
    },
    Kind {
        part: budget_part,
        status: Some(budget_status),
        ..plain("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", budget)
    },
    Kind { part: network_part, ..plain("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", network_policy) },
    Kind {
        is_custom: true,
        part: widget,
        status: Some(widget_status),
        has_scale: true,
        selectable: &[("spec.color", &["red", "blue", ""])],
        ..plain("diff.example.com/v1", "Widget", "widgets", widget)
    },
    Kind { is_custom: true, part: gadget, ..plain("diff.example.com/v1", "Gadget", "gadgets", gadget) },
];

const fn plain(
    api_version: &'static str,
    name: &'static str,
    plural: &'static str,
    whole: fn(&mut Rng) -> Value,
) -> Kind {
    Kind {
        api_version,
        name,
        plural,
        is_custom: false,
        status: None,
        has_scale: false,
        whole,
        part: whole,
        selectable: &[],
    }
}

impl Kind {
    /// The path of its objects in the sequence's namespace.
    pub(crate) fn path(&self) -> String {
        format!("{}/namespaces/{{ns}}/{}", self.root(), self.plural)
    }

    /// The path of its group and version.
    pub(crate) fn root(&self) -> String {
        let prefix = if self.api_version.contains('/') { "/apis" } else { "/api" };
        format!("{prefix}/{}", self.api_version)
    }
}

/// One of these.
pub(crate) fn one<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

/// The members that are drawn, each with a chance of two in three.
fn some(members: Value, rng: &mut Rng) -> Value {
    let Value::Object(members) = members else { return members };
    members.into_iter().filter(|_| rng.u8(..3) > 0).collect::<serde_json::Map<_, _>>().into()
}

fn text(rng: &mut Rng) -> &'static str {
    one(rng, &["a", "b", "", "x \"<y>\" & é\n", "7"])
}

fn config_map(rng: &mut Rng) -> Value {
    let members = json!({
        "data": some(json!({"k1": text(rng), "k2": "b", "k.3": "c"}), rng),
        "binaryData": {"raw": "AAEC"},
    });
    some(members, rng)
}

fn map_part(rng: &mut Rng) -> Value {
    let value = text(rng);
    some(json!({"data": some(json!({"k1": value, "k4": "d"}), rng)}), rng)
}

fn secret(rng: &mut Rng) -> Value {
    let kind = one(rng, &["Opaque", "example.com/x", ""]);
    let members = json!({
        "data": {"k1": one(rng, &["YQ==", "Yg==", ""])}, "stringData": {"k2": text(rng)}, "type": kind,
    });
    some(members, rng)
}

fn secret_part(rng: &mut Rng) -> Value {
    some(json!({"data": {"k1": one(rng, &["YQ==", "Yg=="])}, "stringData": {"k3": "c"}}), rng)
}

fn lease_spec(rng: &mut Rng) -> Value {
    let spec = json!({
        "holderIdentity": one(rng, &["a", "b"]), "leaseDurationSeconds": rng.u8(1..4), "leaseTransitions": rng.u8(..3),
        "renewTime": one(rng, &["2026-01-01T00:00:00.000000Z", "2026-01-01T01:00:00.120000+01:00"]),
    });
    json!({"spec": some(spec, rng)})
}

fn role(rng: &mut Rng) -> Value {
    let rule = |rng: &mut Rng| {
        json!({
            "apiGroups": [one(rng, &["", "apps"])], "resources": [one(rng, &["pods", "deployments"])],
            "verbs": [one(rng, &["get", "list"])],
        })
    };
    let rules: Vec<Value> = (0..rng.u8(..3)).map(|_| rule(rng)).collect();
    if rng.u8(..6) == 0 { json!({}) } else { json!({"rules": rules}) }
}

fn service(rng: &mut Rng) -> Value {
    let mut ports = vec![json!({"name": "http", "port": 80}), json!({"name": "dns", "port": 53, "protocol": "UDP"})];
    ports.truncate(rng.usize(1..3));
    if rng.bool() {
        ports[0]["targetPort"] = if rng.bool() { 8080.into() } else { "web".into() };
    }
    json!({"spec": {"selector": {"app": "x"}, "ports": ports}})
}

fn service_part(rng: &mut Rng) -> Value {
    let members = json!({
        "selector": {"app": one(rng, &["x", "y"])}, "publishNotReadyAddresses": rng.bool(),
        "sessionAffinity": one(rng, &["None", "ClientIP"]),
    });
    json!({"spec": some(members, rng)})
}

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

fn deployment(rng: &mut Rng) -> Value {
    let members = json!({
        "replicas": rng.u8(..3), "paused": rng.bool(), "minReadySeconds": rng.u8(..2),
        "strategy": one(rng, &[0, 1, 2]),
    });
    let mut spec = some(members, rng);
    if let Some(strategy) = spec.get_mut("strategy") {
        *strategy = match strategy.as_u64() {
            Some(0) => json!({"type": "Recreate"}),
            Some(1) => json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}),
            _ => json!({}),
        };
    }
    spec["selector"] = json!({"matchLabels": {"app": "x"}});
    spec["template"] = template(rng);
    json!({"spec": spec})
}

fn deployment_part(rng: &mut Rng) -> Value {
    let members = json!({
        "replicas": rng.u8(..3), "paused": rng.bool(), "minReadySeconds": rng.u8(..2),
        "template": {"metadata": {"annotations": {"a": text(rng)}}},
    });
    json!({"spec": some(members, rng)})
}

fn deployment_status(rng: &mut Rng) -> Value {
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

fn deployment_of_replicas(rng: &mut Rng) -> Value {
    let mut spec = some(json!({"replicas": rng.u8(..3), "minReadySeconds": 1}), rng);
    spec["selector"] = json!({"matchLabels": {"app": "x"}});
    spec["template"] = template(rng);
    json!({"spec": spec})
}

fn replicas_part(rng: &mut Rng) -> Value {
    json!({"spec": some(json!({"replicas": rng.u8(..3), "minReadySeconds": rng.u8(..2)}), rng)})
}

fn replica_set_status(rng: &mut Rng) -> Value {
    json!({"replicas": rng.u8(..3), "observedGeneration": rng.u8(..3)})
}

fn budget(rng: &mut Rng) -> Value {
    let selector = json!({"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]});
    let mut spec = json!({"selector": some(selector, rng)});
    spec["minAvailable"] = if rng.bool() { json!(rng.u8(..2)) } else { json!("10%") };
    json!({"spec": spec})
}

fn budget_part(rng: &mut Rng) -> Value {
    json!({"spec": {"unhealthyPodEvictionPolicy": one(rng, &["AlwaysAllow", "IfHealthyBudget"])}})
}

fn budget_status(rng: &mut Rng) -> Value {
    json!({
        "currentHealthy": rng.u8(..3), "desiredHealthy": 1, "disruptionsAllowed": rng.u8(..2), "expectedPods": 1,
        "observedGeneration": 1,
    })
}

fn network_policy(rng: &mut Rng) -> Value {
    let peers = json!([{"podSelector": {"matchLabels": {"app": "y"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}]);
    let ports = json!([{"port": 80}, {"port": "web", "protocol": "UDP"}, {}]);
    let rule = some(json!({"from": peers, "ports": ports}), rng);
    let spec = some(json!({"ingress": [rule], "policyTypes": ["Ingress"]}), rng);
    let mut spec = spec;
    spec["podSelector"] = if rng.bool() { json!({}) } else { json!({"matchLabels": {"app": "x"}}) };
    json!({"spec": spec})
}

fn network_part(rng: &mut Rng) -> Value {
    json!({"spec": {"podSelector": {"matchLabels": {"app": one(rng, &["x", "y"])}}}})
}

fn widget(rng: &mut Rng) -> Value {
    let part = |rng: &mut Rng, name: &str| {
        let mut part = some(json!({"size": rng.u8(..3), "note": "n"}), rng);
        part["name"] = name.into();
        part
    };
    let names: Vec<&str> = ["p", "q", "r"].into_iter().filter(|_| rng.bool()).collect();
    let parts: Vec<Value> = names.into_iter().map(|name| part(rng, name)).collect();
    let tags: Vec<&str> = ["t", "u", "v"].into_iter().filter(|_| rng.bool()).collect();
    let members = json!({
        "color": one(rng, &["red", "blue"]), "replicas": rng.u8(..3), "parts": parts, "tags": tags,
        "labels": some(json!({"l": "1", "m": "2"}), rng), "atomic": some(json!({"x": 1, "y": 2}), rng),
        "maybe": one(rng, &[None, Some(1), Some(2)]), "port": if rng.bool() { json!(80) } else { json!("http") },
        "free": some(json!({"a": [1, {"b": null}], "c": {"d": 1.5}}), rng), "steps": ["s", one(rng, &["s", "z"])],
    });
    json!({"spec": some(members, rng)})
}

fn widget_status(rng: &mut Rng) -> Value {
    some(json!({"replicas": rng.u8(..3), "selector": "app=x", "phase": one(rng, &["New", "Old"])}), rng)
}

fn gadget(rng: &mut Rng) -> Value {
    let members = json!({
        "spec": {"a": text(rng), "list": [{"name": "x"}, 1], "deep": {"b": rng.u8(..3)}}, "top": rng.bool(),
        "status": {"seen": rng.u8(..3)},
    });
    some(members, rng)
}

/// The definitions of the custom resources.
pub(crate) fn definitions() -> [Value; 2] {
    let part = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": {"type": "string"}, "size": {"type": "integer", "minimum": 0, "default": 1},
            "note": {"type": "string", "maxLength": 5},
        },
    });
    let spec = json!({
        "type": "object",
        "properties": {
            "color": {"type": "string", "enum": ["red", "blue"]},
            "replicas": {"type": "integer", "format": "int32", "maximum": 100},
            "parts": {
                "type": "array", "maxItems": 4, "items": part, "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "steps": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "atomic": {"type": "object", "additionalProperties": {"type": "integer"}, "x-kubernetes-map-type": "atomic"},
            "maybe": {"type": "integer", "nullable": true},
            "port": {"x-kubernetes-int-or-string": true},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "defaulted": {
                "type": "object", "default": {}, "properties": {"mode": {"type": "string", "default": "auto"}},
            },
        },
    });
    let status = json!({
        "type": "object",
        "properties": {
            "replicas": {"type": "integer"}, "selector": {"type": "string"}, "phase": {"type": "string"},
        },
    });
    let columns = json!([
        {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
    ]);
    let widgets = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.diff.example.com"},
        "spec": {
            "group": "diff.example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "additionalPrinterColumns": columns,
            }],
        },
    });
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let gadgets = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.diff.example.com"},
        "spec": {
            "group": "diff.example.com", "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetCollection"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": free}}],
        },
    });
    [widgets, gadgets]
}
