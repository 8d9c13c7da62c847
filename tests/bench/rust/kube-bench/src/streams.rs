//! Processes in a container, and connections to a port of a pod.

use bench_shared::{Error, READS, SERVER, SHORT, SOURCE, ask, count, counted, fill, writes};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{AttachParams, AttachedProcess},
};
use tokio::io::AsyncReadExt as _;

pub(crate) async fn exec(pods: &Api<Pod>, processes: usize) -> Result<usize, Error> {
    for _ in 0..processes {
        ended(pods.exec(SERVER, ["true"], &AttachParams::default()).await?).await?;
    }
    Ok(processes)
}

pub(crate) async fn exec_output(pods: &Api<Pod>, bytes: usize) -> Result<usize, Error> {
    let mut process = pods.exec(SERVER, writes(bytes), &AttachParams::default()).await?;
    let stdout = process.stdout().ok_or("there is no output")?;
    let count = count(stdout).await?;
    ended(process).await?;
    Ok(count)
}

pub(crate) async fn exec_input(pods: &Api<Pod>, bytes: usize) -> Result<usize, Error> {
    let mut process = pods.exec(SERVER, READS, &AttachParams::default().stdin(true)).await?;
    let mut stdout = process.stdout().ok_or("there is no output")?;
    fill(process.stdin().ok_or("there is no input")?, bytes).await?;
    let mut written = Vec::new();
    stdout.read_to_end(&mut written).await?;
    ended(process).await?;
    counted(&written)
}

/// Waits for the end of a process, which must have succeeded.
async fn ended(mut process: AttachedProcess) -> Result<(), Error> {
    let status = process.take_status().ok_or("there is no status")?.await.ok_or("the status did not come")?;
    process.join().await?;
    match status.status.as_deref() {
        Some("Success") => Ok(()),
        _ => Err(format!("{status:?}").into()),
    }
}

pub(crate) async fn port_forward(pods: &Api<Pod>, connections: usize) -> Result<usize, Error> {
    let mut items = 0;
    for _ in 0..connections {
        items += port_forward_output(pods, SHORT).await?;
    }
    Ok(items)
}

pub(crate) async fn port_forward_output(pods: &Api<Pod>, bytes: usize) -> Result<usize, Error> {
    let mut forwarder = pods.portforward(SERVER, &[SOURCE]).await?;
    let connection = forwarder.take_stream(SOURCE).ok_or("there is no connection")?;
    let count = ask(connection, bytes).await?;
    // To join its task is an error where the pod has closed first.
    forwarder.abort();
    Ok(count)
}
