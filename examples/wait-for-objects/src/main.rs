//! Waits until the ReplicaSets and pods of an app are there, or gone: lists them, then watches on from the list's
//! version.
//!
//! ```console
//! cargo run -p wait-for-objects -- --until gone [--kubeconfig FILE] [--namespace NAME] [--selector app=demo]
//! ```

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};
use k8s_client::{
    Clientset, Config, Kind, Result, WatchEvent,
    object::{AnyList, AnyObject},
    resource::{Lists, Watches},
};

#[derive(Parser)]
struct Arguments {
    /// What to wait for.
    #[arg(long)]
    until: Goal,
    /// The kubeconfig file. Default: $KUBECONFIG, ~/.kube/config, then the cluster that this runs in.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The namespace to look in.
    #[arg(long, default_value = "default")]
    namespace: String,
    /// The labels to look for.
    #[arg(long, default_value = "app=demo")]
    selector: String,
    /// How many seconds to wait at most.
    #[arg(long, default_value_t = 60)]
    timeout: u64,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Goal {
    /// There is at least one of each kind.
    Present,
    /// There is none of either kind.
    Gone,
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let Arguments { until, kubeconfig, namespace, selector, timeout } = Arguments::parse();
    let config = match &kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let client = Clientset::new(&config)?;
    let reached = async {
        wait(&client.apps_v1().replica_sets(&namespace), &selector, until).await?;
        wait(&client.core_v1().pods(&namespace), &selector, until).await
    };
    tokio::time::timeout(Duration::from_secs(timeout), reached).await??;
    Ok(())
}

/// One function for both kinds: any client that lists and watches will do.
async fn wait<R: Lists<Kind: Kind> + Watches>(resources: &R, selector: &str, goal: Goal) -> Result<()> {
    let kind = R::Kind::RESOURCE.kind;
    let list = resources.list().label_selector(selector).await?;
    let mut there: BTreeSet<_> = list.items().iter().map(name).collect();
    println!("{kind}: {} there", there.len());

    let version = list.resource_version().unwrap_or_default();
    let mut events = resources.watch().label_selector(selector).resource_version(version).await?;
    while there.is_empty() != (goal == Goal::Gone) {
        match events.try_next().await? {
            Some(WatchEvent::Added(object)) if there.insert(name(&object)) => {
                println!("{kind} {:?} is there", name(&object));
            }
            Some(WatchEvent::Deleted(object)) if there.remove(&name(&object)) => {
                println!("{kind} {:?} is gone", name(&object));
            }
            Some(_) => {}
            // The server ends every watch in time; then all of it again.
            None => return Box::pin(wait(resources, selector, goal)).await,
        }
    }
    Ok(())
}

fn name(object: &impl AnyObject) -> String {
    object.name().unwrap_or_default().to_owned()
}
