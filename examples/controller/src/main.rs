//! Runs the controller of `lib.rs`: each config map with the label `copy=yes` has a copy beside it.
//!
//! ```console
//! cargo run -p controller -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```
//!
//! Several copies of it may run, of which one works. It runs until Ctrl-C or SIGTERM. With `--yes` it makes an original
//! itself, and ends.

use std::{collections::BTreeMap, error::Error, future::Future, path::PathBuf, time::Duration};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    k8s_openapi::api::core::v1::ConfigMap,
    leader_election::{Elector, Ends},
    stop_signal,
};
use tokio::time::sleep;

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// The namespace to work in
    #[arg(long, default_value = "default")]
    namespace: String,

    /// Makes and deletes an original itself, and ends
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
    let mut shown = Ok(());
    let stop =
        async { if options.yes { shown = show(&client, &options.namespace).await } else { stop_signal().await } };

    let mut elector = Elector::new(&config, &options.namespace, "copier")?;
    if let Ends::Lost(loss) = copier::run(&mut elector, client.clone(), &options.namespace, stop).await {
        return Err(loss.to_string().into());
    }
    shown
}

/// Makes an original, changes it, and takes its copy away.
async fn show(client: &Clientset, namespace: &str) -> Result<(), Box<dyn Error>> {
    let config_maps = client.core_v1().config_maps(namespace);
    let mut original = ConfigMap::default();
    original.metadata.name = Some("original".to_owned());
    original.metadata.labels = Some(BTreeMap::from([("copy".to_owned(), "yes".to_owned())]));
    original.data = Some(BTreeMap::from([("colour".to_owned(), "red".to_owned())]));
    config_maps.create(&original).await?;
    let copied = |colour: &'static str| {
        let config_maps = config_maps.clone();
        async move {
            let copy = config_maps.get("original-copy").await.ok()?;
            copy.data?.get("colour").filter(|it| *it == colour).map(|_| copy.metadata.uid)
        }
    };
    let first = until(|| copied("red")).await?;
    config_maps
        .modify("original", |it| it.data = Some(BTreeMap::from([("colour".to_owned(), "blue".to_owned())])))
        .await?;
    until(|| copied("blue")).await?;
    println!("the copy has followed");
    config_maps.delete("original-copy").await?;
    until(|| async { copied("blue").await.filter(|uid| *uid != first) }).await?;
    println!("the copy is there again");
    config_maps.delete("original").await?;
    Ok(())
}

/// Asks until there is an answer, for half a minute at most.
async fn until<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> Result<T, String> {
    for _ in 0..300 {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        sleep(Duration::from_millis(100)).await;
    }
    Err("it did not happen in half a minute".to_owned())
}
