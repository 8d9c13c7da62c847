//! Shows what a client, an informer and a controller with its queue report of themselves, in Prometheus' text form. The
//! names are those that Kubernetes' own components and controller-runtime have for the same.
//!
//! ```console
//! cargo run -p metrics -- [--kubeconfig FILE]
//! ```

mod client;
mod operator;
mod register;

use std::{error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    controller::{Controller, Next},
    informer::Informer,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::sync::mpsc;

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut config = match &options.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    // Nothing is global: the registry is a value, and so is what is told of requests.
    let mut registry = Registry::default();
    config.metrics = Some(Arc::new(client::ClientMetrics::register(&mut registry)));
    let client = Clientset::new(&config)?;
    let namespaces = client.core_v1().namespaces();

    let informer = Informer::of(namespaces.clone()).metrics(operator::InformerMetrics::register(&mut registry)).start();
    informer.synced().await?;
    let (done, mut each) = mpsc::unbounded_channel();
    let controller = Controller::for_each(&informer)
        .metrics(operator::ControllerMetrics::register(&mut registry))
        .queue_metrics(operator::QueueMetrics::register(&mut registry))
        .reconcile((namespaces.clone(), done), |(namespaces, done), namespace| async move {
            namespaces.get(namespace.metadata.name.as_deref().unwrap_or_default()).await?;
            let _ = done.send(());
            Ok::<_, k8s_client::Error>(Next::wait())
        });
    // A program of use runs until it is told to stop; this one until it has seen each namespace.
    let number = informer.lister().len();
    controller
        .run_until(async {
            for _ in 0..number {
                each.recv().await;
            }
        })
        .await;
    // One answer that is an error.
    if let Err(error) = namespaces.get("no-such-namespace").await {
        println!("# {error}");
    }
    informer.shutdown().await;

    // A program answers GET /metrics with this text.
    let mut text = String::new();
    encode(&mut text, &registry)?;
    print!("{text}");
    Ok(())
}
