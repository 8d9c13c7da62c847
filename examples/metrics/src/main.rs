//! Shows what a client, an informer and a queue report of themselves, in Prometheus' text form. The names are those
//! that Kubernetes' own components have for the same.
//!
//! ```console
//! cargo run -p metrics -- [--kubeconfig FILE]
//! ```

mod client;
mod operator;

use std::{error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    informer::{Informer, ObjectKey},
    queue::Queue,
};
use prometheus_client::{encoding::text::encode, registry::Registry};

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
    let queue: Queue<ObjectKey> =
        Queue::<ObjectKey>::builder().metrics(operator::QueueMetrics::register(&mut registry)).build();
    for key in informer.lister().keys() {
        queue.add(key);
    }
    queue.close();
    while let Some(item) = queue.next().await {
        namespaces.get(item.name()).await?;
        item.done();
    }
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
