//! client-go's work queue example: an informer puts the names of config maps that change into a queue, and workers take
//! them out. Work that fails is tried again after a pause.
//!
//! ```console
//! cargo run -p workqueue -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```
//!
//! It runs until Ctrl-C or SIGTERM. With `--yes` it makes some config maps itself, and ends. Most programs want a
//! controller, which has such a queue: see the example `controller`.

use std::{error::Error, path::PathBuf, time::Duration};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    informer::{Event, Informer, Lister, ObjectKey},
    k8s_openapi::api::core::v1::ConfigMap,
    queue::{ItemBackoff, Queue},
    stop_signal,
};

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// The namespace to work in
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
    let config_maps = Clientset::new(&config)?.core_v1().config_maps(&options.namespace);
    let informer = Informer::of(config_maps.clone()).start();
    let queue: Queue<ObjectKey> = Queue::<ObjectKey>::builder()
        .backoff(ItemBackoff::exponential(Duration::from_millis(100), Duration::from_secs(60)))
        .build();

    let workers: Vec<_> = (1..=2).map(|number| tokio::spawn(work(number, queue.clone(), informer.lister()))).collect();
    let mut changes = informer.subscribe();
    let feeding = tokio::spawn({
        let queue = queue.clone();
        async move {
            while let Some(event) = changes.next().await {
                if let Some(object) = event.object() {
                    queue.add(ObjectKey::of(&**object));
                }
                if let Event::Synced = event {
                    println!("everything that was there is in the queue");
                }
            }
        }
    });

    if options.yes {
        for number in 0..4 {
            let mut config_map = ConfigMap::default();
            config_map.metadata.name = Some(format!("workqueue-{number}"));
            config_maps.create(&config_map).await?;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        for number in 0..4 {
            config_maps.delete(&format!("workqueue-{number}")).await?;
        }
    } else {
        stop_signal().await;
    }
    informer.shutdown().await;
    feeding.await?;
    // What is in the queue is still done; then the workers end.
    queue.drain().await;
    for worker in workers {
        worker.await?;
    }
    println!("all work is done");
    Ok(())
}

async fn work(number: u32, queue: Queue<ObjectKey>, config_maps: Lister<ConfigMap>) {
    while let Some(item) = queue.next().await {
        match config_maps.get_key(&item) {
            None => println!("worker {number}: {} is gone", *item),
            // The first time, the work on every second one fails.
            Some(_) if item.name().ends_with(['1', '3']) && queue.failures(&item) == 0 => {
                println!("worker {number}: {} fails, and will be tried again", *item);
                item.retry();
                continue;
            }
            Some(_) => println!("worker {number}: {} is as it should be", *item),
        }
        item.done();
    }
}
