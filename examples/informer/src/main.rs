//! Keeps the config maps of a namespace in memory, finds them by an index, and prints what changes.
//!
//! ```console
//! cargo run -p informer -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```
//!
//! It runs until Ctrl-C or SIGTERM. With `--yes` it makes some config maps itself, and ends.

use std::{collections::BTreeMap, error::Error, path::PathBuf, time::Duration};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    informer::{Event, Index, Informer},
    k8s_openapi::api::core::v1::ConfigMap,
    stop_signal,
};
use tokio::time::{sleep, timeout};

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// The namespace to follow
    #[arg(long, default_value = "default")]
    namespace: String,

    /// Makes and deletes config maps itself, and ends
    #[arg(long)]
    yes: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let config = match &options.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let client = Clientset::new(&config)?;
    let config_maps = client.core_v1().config_maps(&options.namespace);

    // One list, one watch, and a copy of everything in memory: as the bytes that came, without managed fields.
    let informer = Informer::of(config_maps.clone()).start();
    let by_team: Index<String, ConfigMap> =
        informer.index(|config_map: &ConfigMap| config_map.metadata.labels.as_ref()?.get("team").cloned());
    informer.synced().await?;
    println!("{} config maps in {}", informer.lister().len(), options.namespace);

    let mut changes = informer.subscribe();
    let printing = tokio::spawn(async move {
        while let Some(event) = changes.next().await {
            match event {
                Event::Added(added) => println!("  added {}", name(&added)),
                Event::Updated { new, .. } => println!("  changed {}", name(&new)),
                Event::Deleted { last, .. } => println!("  deleted {}", name(&last)),
                Event::Synced => println!("  (that is all there was)"),
            }
        }
    });
    if !options.yes {
        stop_signal().await;
        return Ok(());
    }

    let mut last = String::new();
    for (number, team) in ["blue", "green", "blue"].into_iter().enumerate() {
        let mut config_map = ConfigMap::default();
        config_map.metadata.name = Some(format!("informer-{number}"));
        config_map.metadata.labels = Some(BTreeMap::from([("team".to_owned(), team.to_owned())]));
        last = config_maps.create(&config_map).await?.metadata.resource_version.unwrap_or_default();
    }
    // What was written is read from memory as soon as the informer has come to its version.
    informer.wait_for(&last, Duration::from_secs(30)).await?;
    let blue: Vec<_> = by_team.get("blue").iter().map(|config_map| name(config_map).to_owned()).collect();
    println!("team blue has {}", blue.join(" and "));
    for number in 0..3 {
        config_maps.delete(&format!("informer-{number}")).await?;
    }
    // Others may have config maps of a team, too. These are gone from memory when their deletion has been seen.
    let are_gone = async {
        while by_team.get("blue").iter().any(|config_map| name(config_map).starts_with("informer-")) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), are_gone).await?;
    println!("team blue has none of them any more");
    informer.shutdown().await;
    printing.await?;
    Ok(())
}

fn name(config_map: &ConfigMap) -> &str {
    config_map.metadata.name.as_deref().unwrap_or_default()
}
