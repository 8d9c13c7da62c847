//! The log of a container that has written many lines.

use std::time::Duration;

use bench_shared::{Error, LOG, log_line};
use k8s_client_api_core::v1::{CoreV1Client, Pods};
use serde_json::json;

use crate::seed;

pub(crate) async fn read(pods: &Pods) -> Result<usize, Error> {
    let mut lines = pods.logs(LOG).lines().await?;
    let mut count = 0;
    while lines.try_next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Sees to it that the namespace has a pod that has written so many lines. It runs on a node of the test's own control
/// plane, where containers are processes.
pub(crate) async fn seed(core: &CoreV1Client, namespace: &str, lines: usize) -> Result<usize, Error> {
    seed::make_namespace(core, namespace).await?;
    let format = log_line("%07.0f");
    let pod = json!({
        "metadata": { "name": LOG },
        "spec": {
            "nodeName": "websocket-node",
            "restartPolicy": "Never",
            "containers": [{
                "name": "main",
                "image": "local",
                "command": ["sh", "-c", format!("seq -f '{format}' {lines}")],
            }],
        },
    });
    let pods = core.pods(namespace);
    seed::already_there_is_fine(pods.create(&serde_json::from_value(pod)?).await)?;
    let last = log_line(&format!("{lines:07}"));
    while !pods.logs(LOG).tail_lines(1).await.is_ok_and(|line| line.trim_end() == last) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(lines)
}
