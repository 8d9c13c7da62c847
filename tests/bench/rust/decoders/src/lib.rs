//! Sample objects as a cluster has them, and the JSON libraries that are compared.
//!
//! What the samples are depends on their number alone, so that every run reads the same bytes.

use k8s_openapi::{
    List, ListableResource,
    api::core::v1::{ConfigMap, Event, Pod},
    apimachinery::pkg::apis::meta::v1::ListMeta,
    serde::de::DeserializeOwned,
};
use serde_json::{Value, json};

/// How many items a list has that is measured: a page, as client-go's pager asks for.
pub const PAGE: usize = 500;

fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("samples are objects of their types")
}

/// A pod as a Deployment makes it and a kubelet runs it: 3.7 kB of JSON, a third of it `managedFields`.
pub fn pod(number: usize) -> Pod {
    let name = format!("web-7c5ddbdf54-{number:05}");
    let uid = format!("2f1c9a4e-0b7d-4c1e-9f3a-{number:012}");
    let probe = |path: &str| {
        json!({
            "httpGet": { "path": path, "port": "http", "scheme": "HTTP" },
            "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3,
        })
    };
    let condition = |kind: &str| json!({ "type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2025-11-03T09:14:27Z" });
    let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition);
    typed(json!({
        "metadata": {
            "name": name,
            "generateName": "web-7c5ddbdf54-",
            "namespace": format!("team-{}", number % 20),
            "uid": uid,
            "resourceVersion": (10_000_000 + number * 37).to_string(),
            "creationTimestamp": "2025-11-03T09:14:21Z",
            "labels": { "app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "shop", "pod-template-hash": "7c5ddbdf54" },
            "annotations": { "prometheus.io/scrape": "true", "prometheus.io/port": "9090" },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7c5ddbdf54",
                "uid": "f5a7e2f4-52c1-4a1b-8d9b-1f6f4f4f6f01", "controller": true, "blockOwnerDeletion": true,
            }],
            "managedFields": [
                {
                    "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                    "time": "2025-11-03T09:14:21Z", "fieldsType": "FieldsV1",
                    "fieldsV1": { "f:metadata": {
                        "f:annotations": { ".": {}, "f:prometheus.io/scrape": {}, "f:prometheus.io/port": {} },
                        "f:generateName": {},
                        "f:labels": { ".": {}, "f:app.kubernetes.io/name": {}, "f:pod-template-hash": {} },
                        "f:ownerReferences": { ".": {}, "k:{\"uid\":\"f5a7e2f4-52c1-4a1b-8d9b-1f6f4f4f6f01\"}": {} },
                    }, "f:spec": {
                        "f:containers": { "k:{\"name\":\"web\"}": {
                            ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}, "f:livenessProbe": {},
                            "f:ports": { ".": {}, "k:{\"containerPort\":8080,\"protocol\":\"TCP\"}": { ".": {}, "f:name": {} } },
                            "f:resources": { ".": {}, "f:limits": {}, "f:requests": {} },
                        } },
                        "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
                    } },
                },
                {
                    "manager": "kubelet", "operation": "Update", "apiVersion": "v1", "subresource": "status",
                    "time": "2025-11-03T09:14:27Z", "fieldsType": "FieldsV1",
                    "fieldsV1": { "f:status": {
                        "f:conditions": { "k:{\"type\":\"Ready\"}": { ".": {}, "f:status": {}, "f:type": {} } },
                        "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {}, "f:podIP": {}, "f:startTime": {},
                    } },
                },
            ],
        },
        "spec": {
            "containers": [{
                "name": "web",
                "image": "registry.example.com/shop/web:1.42.0",
                "imagePullPolicy": "IfNotPresent",
                "ports": [{ "name": "http", "containerPort": 8080, "protocol": "TCP" }],
                "env": [
                    { "name": "LOG_LEVEL", "value": "info" },
                    { "name": "POD_NAME", "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } } },
                ],
                "resources": { "limits": { "cpu": "1", "memory": "512Mi" }, "requests": { "cpu": "250m", "memory": "256Mi" } },
                "volumeMounts": [{
                    "name": "kube-api-access", "readOnly": true,
                    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                }],
                "livenessProbe": probe("/healthz"),
                "readinessProbe": probe("/readyz"),
            }],
            "volumes": [{ "name": "kube-api-access", "projected": { "defaultMode": 420, "sources": [
                { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
                { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            ] } }],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default", "nodeName": format!("node-{}", number % 100), "schedulerName": "default-scheduler",
            "securityContext": {}, "priority": 0, "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": [
                { "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 },
                { "key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 },
            ],
        },
        "status": {
            "phase": "Running",
            "conditions": conditions,
            "hostIP": "10.0.3.17", "podIP": format!("10.12.{}.{}", number / 250 % 250, number % 250),
            "startTime": "2025-11-03T09:14:21Z", "qosClass": "Burstable",
            "containerStatuses": [{
                "name": "web", "ready": true, "started": true, "restartCount": 0,
                "image": "registry.example.com/shop/web:1.42.0",
                "imageID": "registry.example.com/shop/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "containerID": "containerd://6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
                "state": { "running": { "startedAt": "2025-11-03T09:14:26Z" } },
            }],
        },
    }))
}

/// An event about such a pod.
pub fn event(number: usize) -> Event {
    typed(json!({
        "metadata": {
            "name": format!("web-7c5ddbdf54-{number:05}.17a2b3c4d5e6f708"),
            "namespace": format!("team-{}", number % 20),
            "uid": format!("8d1f4b02-7c3e-4b7f-8a57-{number:012}"),
            "resourceVersion": (20_000_000 + number * 3).to_string(),
            "creationTimestamp": "2025-11-03T09:14:21Z",
        },
        "involvedObject": {
            "kind": "Pod", "namespace": format!("team-{}", number % 20), "name": format!("web-7c5ddbdf54-{number:05}"),
            "uid": format!("2f1c9a4e-0b7d-4c1e-9f3a-{number:012}"), "apiVersion": "v1", "fieldPath": "spec.containers{web}",
        },
        "reason": "Pulled",
        "message": "Container image \"registry.example.com/shop/web:1.42.0\" already present on machine",
        "source": { "component": "kubelet", "host": format!("node-{}", number % 100) },
        "firstTimestamp": "2025-11-03T09:14:22Z", "lastTimestamp": "2025-11-03T09:14:22Z",
        "count": 1, "type": "Normal", "eventTime": null, "reportingComponent": "kubelet", "reportingInstance": "node-1",
    }))
}

/// A config map with a file in it.
pub fn config_map(number: usize) -> ConfigMap {
    let lines = (0..40).map(|line| format!("server.backend-{line}.url = \"http://backend-{line}:8080/\""));
    let file = lines.collect::<Vec<_>>().join("\n");
    typed(json!({
        "metadata": {
            "name": format!("settings-{number:05}"),
            "namespace": format!("team-{}", number % 20),
            "uid": format!("0c6fd1a7-8ecb-4b07-9bb4-{number:012}"),
            "resourceVersion": (30_000_000 + number).to_string(),
            "creationTimestamp": "2025-11-03T09:14:21Z",
        },
        "data": { "settings.toml": file, "level": "info" },
    }))
}

/// A list of this many.
pub fn list<T: ListableResource>(count: usize, item: fn(usize) -> T) -> List<T> {
    let metadata = ListMeta { resource_version: Some("40000000".to_owned()), ..ListMeta::default() };
    List { items: (0..count).map(item).collect(), metadata }
}

/// A library's name, and how it reads JSON.
pub type Reader<T> = (&'static str, fn(&[u8]) -> T);

/// How each library reads JSON.
///
/// # Panics
///
/// The readers do, where it is no JSON.
pub fn readers<T: DeserializeOwned>() -> Vec<Reader<T>> {
    let mut readers: Vec<Reader<T>> = vec![("serde_json", |body| serde_json::from_slice(body).expect("it is JSON"))];
    #[cfg(feature = "alternatives")]
    {
        // It changes its input, so it needs one of its own.
        readers.push(("simd-json", |body| simd_json::serde::from_slice(&mut body.to_vec()).expect("it is JSON")));
        readers.push(("sonic-rs", |body| sonic_rs::from_slice(body).expect("it is JSON")));
    }
    readers.shrink_to_fit();
    readers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_is_as_large_as_pods_are() {
        let size = serde_json::to_vec(&pod(7)).expect("it is an object").len();
        assert!((3_500..4_500).contains(&size), "{size}");
    }

    #[test]
    fn all_libraries_read_the_same() {
        let pods = list(3, pod);
        let body = serde_json::to_vec(&pods).expect("it is a list");
        for (name, read) in readers::<List<Pod>>() {
            assert_eq!(read(&body), pods, "{name}");
        }
    }
}
