//! An informer of the namespace's pods: until it has them all, while many of them change, and when it reads
//! them anew. Then it looks at each of them.

use std::{sync::Arc, time::Duration};

use bench_shared::{Error, Forgetful, Keep, MOST_CHANGES, Memory, Task};
use k8s_client_api_core::v1::{CoreV1Client, Pods};
use k8s_client_informer::{Event, Informer, Metrics};
use k8s_client_runtime::{Config, RestClient, k8s_openapi::api::core::v1::Pod, resource::Patch};
use serde_json::json;
use tokio::sync::Notify;
use tower::layer::layer_fn;

/// What a program may want of a pod.
struct Slim {
    app: Option<String>,
    node: Option<String>,
    phase: Option<String>,
    ip: Option<String>,
    restarts: i32,
}

impl Slim {
    fn of(pod: Pod) -> Self {
        let status = pod.status.unwrap_or_default();
        Self {
            app: pod.metadata.labels.and_then(|mut labels| labels.remove("app")),
            node: pod.spec.and_then(|spec| spec.node_name),
            phase: status.phase,
            ip: status.pod_ip,
            restarts: status.container_statuses.iter().flatten().map(|container| container.restart_count).sum(),
        }
    }

    /// How many of the fields there are, so that each of them is looked at.
    fn fields(&self) -> usize {
        let texts = [&self.app, &self.node, &self.phase, &self.ip];
        texts.into_iter().flatten().count() + usize::from(self.restarts >= 0)
    }
}

/// Tells when everything was read.
#[derive(Clone, Default)]
struct Reads(Arc<Notify>);

impl Metrics for Reads {
    fn listed(&self, _: usize, _: Duration) {
        self.0.notify_one();
    }
}

pub(crate) async fn follow(config: &Config, task: &Task) -> Result<usize, Error> {
    let (memory, reads) = (Memory::default(), Reads::default());
    let forgetful = {
        let memory = memory.clone();
        layer_fn(move |service| Forgetful::new(service, &memory, |text| text.as_bytes().to_vec().into()))
    };
    let client = RestClient::builder(config).layer(forgetful).build()?;
    let pods = CoreV1Client::new(&client).pods(&task.namespace);
    let informer = Informer::of(pods).metrics(reads.clone());
    let containers = |pod: &Pod| pod.spec.as_ref().map_or(0, |spec| spec.containers.len());
    let size = task.size;
    // In a task of the runtime, as the workers of a program are.
    let measuring = match task.keep {
        Keep::Usual => tokio::spawn(measure(informer.start(), size, memory, reads, containers)),
        Keep::Whole => tokio::spawn(measure(informer.whole().start(), size, memory, reads, containers)),
        Keep::Projected => tokio::spawn(measure(informer.project(Slim::of).start(), size, memory, reads, Slim::fields)),
    };
    measuring.await?
}

async fn measure<T: Send + Sync + 'static>(
    informer: Informer<T>,
    size: usize,
    memory: Memory,
    reads: Reads,
    look_at: fn(&T) -> usize,
) -> Result<usize, Error> {
    let mut changes = informer.subscribe();
    let mut seen = 0;
    while let Some(event) = changes.next_key().await {
        if event.object().is_none() {
            break;
        }
        seen += 1;
    }
    reads.0.notified().await;
    bench_shared::part(seen).await?;

    let expected = size.min(MOST_CHANGES);
    let mut updates = 0;
    while updates < expected {
        updates += usize::from(matches!(changes.next_key().await, Some(Event::Updated { .. })));
    }
    bench_shared::part(updates).await?;

    memory.lose();
    reads.0.notified().await;
    bench_shared::settle().await;
    bench_shared::part(informer.lister().len()).await?;

    let lister = informer.lister();
    let objects = lister.keys().into_iter().filter_map(|key| lister.get_key(&key));
    Ok(objects.filter(|object| look_at(object) > 0).count())
}

/// Changes each of the pods once, for those who follow them.
pub(crate) async fn change(pods: &Pods, size: usize) -> Result<usize, Error> {
    let round = std::process::id().to_string();
    let pods = pods.clone();
    let change = move |number| {
        let (pods, patch) =
            (pods.clone(), Patch::Merge(json!({ "metadata": { "annotations": { "example.com/round": round } } })));
        async move {
            pods.patch(&bench_shared::pod_name(number), &patch).await?;
            Ok(())
        }
    };
    bench_shared::at_once(size.min(MOST_CHANGES), change).await
}
