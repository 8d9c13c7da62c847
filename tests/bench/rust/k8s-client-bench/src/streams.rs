//! Processes in a container, and connections to a port of a pod.

use std::time::Duration;

use bench_shared::{Error, READS, SERVER, SHORT, SOURCE, ask, count, counted, fill, writes};
use k8s_client_api_core::v1::{CoreV1Client, Pods};
use serde_json::json;

use crate::seed;

pub(crate) async fn exec(pods: &Pods, processes: usize) -> Result<usize, Error> {
    for _ in 0..processes {
        let output = pods.exec(SERVER).command(["true"]).output().await?;
        if !output.status.success() {
            return Err(format!("true: {}", output.status).into());
        }
    }
    Ok(processes)
}

pub(crate) async fn exec_output(pods: &Pods, bytes: usize) -> Result<usize, Error> {
    let mut process = pods.exec(SERVER).command(writes(bytes)).await?;
    let stdout = process.stdout.take().ok_or("there is no output")?;
    let count = count(stdout).await?;
    let status = process.wait().await?;
    if status.success() { Ok(count) } else { Err(status.to_string().into()) }
}

pub(crate) async fn exec_input(pods: &Pods, bytes: usize) -> Result<usize, Error> {
    let mut process = pods.exec(SERVER).command(READS).stdin(true).await?;
    fill(process.stdin.take().ok_or("there is no input")?, bytes).await?;
    let output = process.wait_with_output(1000).await?;
    if output.status.success() { counted(&output.stdout) } else { Err(output.status.to_string().into()) }
}

pub(crate) async fn port_forward(pods: &Pods, connections: usize) -> Result<usize, Error> {
    let forward = pods.port_forward(SERVER);
    let mut items = 0;
    for _ in 0..connections {
        items += ask(forward.connect(SOURCE).await?, SHORT).await?;
    }
    Ok(items)
}

pub(crate) async fn port_forward_output(pods: &Pods, bytes: usize) -> Result<usize, Error> {
    ask(pods.port_forward(SERVER).connect(SOURCE).await?, bytes).await
}

/// Sees to it that the namespace has a pod that takes commands and connections. It runs on a node of the test's own
/// control plane, where containers are processes, and one without a command is a small server.
pub(crate) async fn seed(core: &CoreV1Client, namespace: &str) -> Result<usize, Error> {
    seed::make_namespace(core, namespace).await?;
    let pod = json!({
        "metadata": {
            "name": SERVER,
            // Without it the node gives a connection a second after one side has closed.
            "annotations": { "k8s-client.test/half-close": "true" },
        },
        "spec": {
            "nodeName": "websocket-node",
            "containers": [{ "name": "main", "image": "local", "args": [format!("--source={SOURCE}")] }],
        },
    });
    let pods = core.pods(namespace);
    seed::already_there_is_fine(pods.create(&serde_json::from_value(pod)?).await)?;
    while !answers(&pods).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(1)
}

/// Whether the pod runs and listens.
async fn answers(pods: &Pods) -> bool {
    let Ok(connection) = pods.port_forward(SERVER).connect(SOURCE).await else { return false };
    ask(connection, SHORT).await.is_ok_and(|count| count == SHORT)
}
