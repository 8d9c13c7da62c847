//! A controller: each config map with the label `copy=yes` has a copy beside it, which is made, kept as it should be,
//! and goes with its original.
//!
//! ```console
//! cargo run -p controller -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```
//!
//! Several copies of it may run, of which one works. It runs until Ctrl-C or SIGTERM. With `--yes` it makes an original
//! itself, and ends.

use std::{collections::BTreeMap, error::Error, future::Future, path::PathBuf, sync::Arc, time::Duration};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    api::core::v1::apply::ConfigMapApplyConfiguration,
    controller::{Controller, Next},
    informer::Informer,
    k8s_openapi::api::core::v1::ConfigMap,
    leader_election::{Elector, Ends},
    stop_signal,
};
use k8s_client_api_meta::v1::apply::OwnerReferenceApplyConfiguration;
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
    let config_maps = client.core_v1().config_maps(&options.namespace);
    let originals = Informer::of(config_maps.clone()).label_selector("copy=yes").start();
    let copies = Informer::of(config_maps).label_selector("copy-of").start();

    // The function below is called for an original that is new or has changed, and when a copy that it owns has.
    let controller = Controller::for_each(&originals).owned_by(&copies).workers(4).reconcile(client.clone(), reconcile);
    let mut shown = Ok(());
    let stop =
        async { if options.yes { shown = show(&client, &options.namespace).await } else { stop_signal().await } };

    // It runs while this copy of the program leads. When it is to stop, calls under way come to their end.
    let mut elector = Elector::new(&config, &options.namespace, "copier")?;
    let ends = elector
        .lead_until(stop, |term| {
            let stopping = term.stopping();
            controller.only_while(move || term.is_valid()).run_until(stopping)
        })
        .await;
    if let Ends::Lost(loss) = ends {
        return Err(loss.to_string().into());
    }
    shown
}

/// Makes the copy what it should be. Applying says what is wanted, whatever there is: nothing is to be compared.
async fn reconcile(client: Clientset, original: Arc<ConfigMap>) -> Result<Next, k8s_client::Error> {
    let [name, namespace, uid] = [&original.metadata.name, &original.metadata.namespace, &original.metadata.uid]
        .map(|it| it.clone().unwrap_or_default());
    // The owner is what takes the copy along when the original goes.
    let owner = OwnerReferenceApplyConfiguration::default()
        .api_version("v1")
        .kind("ConfigMap")
        .name(&name)
        .uid(uid)
        .controller(true);
    let copy = ConfigMapApplyConfiguration::new(format!("{name}-copy"), &namespace)
        .labels([("copy-of", &name)])
        .owner_references([owner])
        .data(original.data.clone().unwrap_or_default());
    client.core_v1().config_maps(&namespace).apply(&copy).field_manager("copier").force().await?;
    println!("{name} has its copy");
    Ok(Next::wait())
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
