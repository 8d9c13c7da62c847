//! Keeps four fields of each pod of a cluster in memory, and counts pods by node and phase. A whole pod takes some
//! kilobytes; what is kept here, a hundred bytes.
//!
//! ```console
//! cargo run -p pod-metrics-cache -- [--kubeconfig FILE] [--follow]
//! ```
//!
//! It prints the counts once; with `--follow` whenever they have changed, until Ctrl-C or SIGTERM.

use std::{collections::BTreeMap, error::Error, path::PathBuf, pin::pin, time::Duration};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    informer::{Informer, Lister},
    k8s_openapi::api::core::v1::Pod,
    stop_signal,
};
use tokio::time::timeout;

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// Goes on until it is asked to stop
    #[arg(long)]
    follow: bool,
}

/// What is kept of a pod.
struct Slim {
    node: Option<Box<str>>,
    phase: Option<Box<str>>,
    containers: u16,
    restarts: u32,
}

impl Slim {
    fn of(pod: Pod) -> Self {
        let (spec, status) = (pod.spec.unwrap_or_default(), pod.status.unwrap_or_default());
        let restarts = status.container_statuses.iter().flatten().map(|container| container.restart_count);
        Self {
            node: spec.node_name.map(Into::into),
            phase: status.phase.map(Into::into),
            containers: u16::try_from(spec.containers.len()).unwrap_or(u16::MAX),
            restarts: restarts.filter_map(|count| u32::try_from(count).ok()).sum(),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let config = match &options.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let client = Clientset::new(&config)?;
    let pods = Informer::of(client.core_v1().all_pods()).project(Slim::of).start();
    pods.synced().await?;
    print(&pods.lister());
    if !options.follow {
        return Ok(());
    }
    let mut changes = pods.subscribe();
    let mut stop = pin!(stop_signal());
    loop {
        tokio::select! {
            event = changes.next() => if event.is_none() { return Ok(()) },
            () = &mut stop => return Ok(()),
        }
        // Changes come in flocks.
        while timeout(Duration::from_millis(500), changes.next()).await.is_ok_and(|event| event.is_some()) {}
        print(&pods.lister());
    }
}

fn print(pods: &Lister<Slim>) {
    let mut counts: BTreeMap<(String, String), (u32, u32, u32)> = BTreeMap::new();
    for pod in pods.all() {
        let node = pod.node.as_deref().unwrap_or("(no node)").to_owned();
        let phase = pod.phase.as_deref().unwrap_or("(no phase)").to_owned();
        let (count, containers, restarts) = counts.entry((node, phase)).or_default();
        *count += 1;
        *containers += u32::from(pod.containers);
        *restarts += pod.restarts;
    }
    println!("{} pods", pods.len());
    for ((node, phase), (count, containers, restarts)) in counts {
        println!("  {node} {phase}: {count} pods, {containers} containers, {restarts} restarts");
    }
}
