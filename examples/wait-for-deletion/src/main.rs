//! Waits until the ReplicaSets and pods of an app are gone: lists them, then watches on from the list's version.
//!
//! ```console
//! cargo run -p wait-for-deletion -- [--kubeconfig FILE] [--namespace NAME] [--selector app=demo]
//! ```

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use clap::Parser;
use k8s_client::{
    Clientset, Config, Result, WatchEvent,
    codec::Codec,
    openapi::{Metadata, Resource, apimachinery::pkg::apis::meta::v1::ObjectMeta},
    resource::{Lists, Watches},
};

#[derive(Parser)]
struct Arguments {
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

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let Arguments { kubeconfig, namespace, selector, timeout } = Arguments::parse();
    let config = match &kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let client = Clientset::new(&config)?;
    let gone = async {
        until_gone(&client.apps_v1().replica_sets(&namespace), &selector).await?;
        until_gone(&client.core_v1().pods(&namespace), &selector).await
    };
    tokio::time::timeout(Duration::from_secs(timeout), gone).await??;
    Ok(())
}

/// One function for both kinds: any client that lists and watches will do.
async fn until_gone<R>(resources: &R, selector: &str) -> Result<()>
where
    R: Lists + Watches<Kind = <R as Lists>::Kind>,
{
    let kind = <<<R as Lists>::Kind as Codec>::Object as Resource>::KIND;
    let list = resources.list().label_selector(selector).await?;
    let mut left: BTreeSet<_> = list.items.iter().map(name).collect();
    println!("{kind}: {} left", left.len());

    let version = list.metadata.resource_version.unwrap_or_default();
    let mut events = resources.watch().label_selector(selector).resource_version(version).await?;
    while !left.is_empty() {
        match events.try_next().await? {
            Some(WatchEvent::Added(object)) => {
                left.insert(name(&object));
            }
            Some(WatchEvent::Deleted(object)) if left.remove(&name(&object)) => {
                println!("{kind} {:?} is gone", name(&object));
            }
            Some(_) => {}
            None => return Box::pin(until_gone(resources, selector)).await,
        }
    }
    Ok(())
}

fn name(object: &impl Metadata<Ty = ObjectMeta>) -> String {
    object.metadata().name.clone().unwrap_or_default()
}
