//! Shows what the parts of an operator report of themselves, in Prometheus' text form: client, informer, controller and
//! queue, event recorder and elector. The names are those that Kubernetes' own components and controller-runtime have
//! for the same.
//!
//! ```console
//! cargo run -p metrics -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```
//!
//! The operator looks at one namespace and records an event about it. It runs until Ctrl-C or SIGTERM; with `--yes`,
//! until it has seen the namespace. Then it shows its metrics.

mod client;
mod operator;
mod register;

use std::{error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    controller::{Controller, Next},
    event_recorder::Recorder,
    informer::Informer,
    leader_election::{Elector, Ends},
    stop_signal,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::sync::mpsc;

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// The namespace to look at
    #[arg(long, default_value = "default")]
    namespace: String,

    /// Ends when the namespace was seen
    #[arg(long)]
    yes: bool,
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
    let events = Recorder::builder(client.rest_client(), "metrics-example")
        .metrics(operator::EventMetrics::register(&mut registry))
        .start();
    let mut elector = Elector::builder(&config, &options.namespace, "metrics-example")
        .metrics(operator::ElectionMetrics::register(&mut registry))
        .build()?;
    let informer = Informer::of(namespaces.clone())
        .field_selector(format!("metadata.name={}", options.namespace))
        .metrics(operator::InformerMetrics::register(&mut registry))
        .start();
    informer.synced().await?;

    let (done, mut is_done) = mpsc::unbounded_channel();
    let controller = Controller::for_each(&informer)
        .metrics(operator::ControllerMetrics::register(&mut registry))
        .queue_metrics(operator::QueueMetrics::register(&mut registry))
        .reconcile((namespaces.clone(), events.clone(), done), |(namespaces, events, done), namespace| async move {
            namespaces.get(namespace.metadata.name.as_deref().unwrap_or_default()).await?;
            events.normal(&*namespace, "Seen", "Look").record();
            let _ = done.send(());
            Ok::<_, k8s_client::Error>(Next::wait())
        });
    operator::QueueStats::register(&mut registry, controller.queue());
    let stop = async {
        if options.yes {
            is_done.recv().await;
        } else {
            stop_signal().await;
        }
    };
    let ends = elector.lead_until(stop, |_term| controller.run()).await;
    if let Ends::Lost(loss) = ends {
        println!("# {loss}");
    }
    events.shutdown().await;
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
