//! Makes the pods that all programs read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bench_shared::Error;
use k8s_client_api_core::v1::{CoreV1Client, Pods};
use k8s_client_runtime::k8s_openapi::api::core::v1::{Namespace, Pod, ServiceAccount};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// How many pods are created at once.
const AT_ONCE: usize = 32;

/// Sees to it that the namespace has this many pods.
pub(crate) async fn seed(core: &CoreV1Client, namespace: &str, size: usize) -> Result<usize, Error> {
    make_namespace(core, namespace).await?;
    let pods = core.pods(namespace);
    if count(&pods).await? < size {
        fill(&pods, size).await?;
    }
    // A watch that waits for as many events as there should be pods must not wait for ever.
    match count(&pods).await? {
        there if there == size => Ok(size),
        there => Err(format!("namespace {namespace} has {there} pods, not {size}: delete it").into()),
    }
}

pub(crate) async fn make_namespace(core: &CoreV1Client, name: &str) -> Result<(), Error> {
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(name.to_owned());
    already_there_is_fine(core.namespaces().create(&namespace).await)?;
    // No pod is let in without it, and a control plane may have no controllers to make it.
    let mut account = ServiceAccount::default();
    account.metadata.name = Some("default".to_owned());
    already_there_is_fine(core.service_accounts(name).create(&account).await)
}

pub(crate) fn already_there_is_fine<T>(created: k8s_client_runtime::Result<T>) -> Result<(), Error> {
    match created {
        Err(error) if !error.is_already_exists() => Err(error.into()),
        _ => Ok(()),
    }
}

async fn count(pods: &Pods) -> Result<usize, Error> {
    let page = pods.list().limit(1).await?;
    let remaining = page.metadata.remaining_item_count.unwrap_or(0);
    Ok(page.items.len() + usize::try_from(remaining)?)
}

async fn fill(pods: &Pods, size: usize) -> Result<(), Error> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (pods, next) = (pods.clone(), Arc::clone(&next));
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= size {
                    return Ok::<_, Error>(());
                }
                already_there_is_fine(pods.create(&pod(number)?).await)?;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    Ok(())
}

/// A pod of the usual size: about 3.9 KB of JSON when it is read back, with its `managedFields` and the server's
/// defaults.
fn pod(number: usize) -> Result<Pod, Error> {
    let replica_set = format!("{:016x}", scattered(number / 10));
    let pod = json!({
        "metadata": {
            "name": bench_shared::pod_name(number),
            "labels": {
                "app.kubernetes.io/name": "web",
                "pod-template-hash": &replica_set[..10],
            },
            "annotations": { "checksum/config": checksum(number) },
        },
        "spec": {
            "containers": [web(number)],
            "tolerations": [
                { "key": "dedicated", "operator": "Equal", "value": "web", "effect": "NoSchedule" },
            ],
            "volumes": [
                { "name": "config", "configMap": { "name": "web-config" } },
                { "name": "cache", "emptyDir": {} },
            ],
        },
    });
    Ok(serde_json::from_value(pod)?)
}

/// What looks like a SHA-256 and is as hard to compress.
fn checksum(number: usize) -> String {
    let first = number * 4;
    (first..first + 4).map(|part| format!("{:016x}", scattered(part))).collect::<Vec<_>>().concat()
}

/// A number that looks random and is always the same: the last steps of splitmix64.
fn scattered(number: usize) -> u64 {
    let mut mixed = u64::try_from(number).unwrap_or_default().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn web(number: usize) -> Value {
    json!({
        "name": "web",
        "image": "registry.example.com/team/web:1.27.3",
        "args": ["--config=/etc/web/config.yaml"],
        "env": [
            { "name": "REPLICA", "value": number.to_string() },
            { "name": "MODE", "value": "production" },
        ],
        "ports": [{ "name": "http", "containerPort": 8080 }],
        "resources": {
            "requests": { "cpu": "100m", "memory": "128Mi" },
            "limits": { "cpu": "500m", "memory": "256Mi" },
        },
        "livenessProbe": { "httpGet": { "path": "/healthz", "port": "http" } },
        "volumeMounts": [
            { "name": "config", "mountPath": "/etc/web" },
            { "name": "cache", "mountPath": "/var/cache/web" },
        ],
    })
}
