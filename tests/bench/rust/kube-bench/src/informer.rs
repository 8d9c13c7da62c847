//! A reflector of the namespace's pods: until it has them all, while many of them change, and when it reads them anew.
//! Then it looks at each of them.

use std::sync::Arc;

use bench_shared::{Error, Forgetful, MOST_CHANGES, Memory, Task};
use futures_util::{StreamExt as _, pin_mut};
use http_body_util::{BodyExt as _, Full};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, Config,
    client::{ClientBuilder, DynBody},
    runtime::{
        WatchStreamExt as _,
        reflector::{self, ObjectRef},
        watcher::{self, Event, watcher},
    },
};
use tokio::sync::Notify;
use tower::layer::layer_fn;

fn body(text: &'static str) -> Box<DynBody> {
    Box::new(Full::from(text).map_err(|never| match never {}))
}

pub(crate) async fn follow(task: &Task) -> Result<usize, Error> {
    let memory = Memory::default();
    let forgetful = {
        let memory = memory.clone();
        layer_fn(move |service| Forgetful::new(service, &memory, body))
    };
    let config = Config::infer().await?;
    let client: Client = ClientBuilder::try_from(config)?.with_layer(&forgetful).build();
    let pods = Api::<Pod>::namespaced(client, &task.namespace);

    let (reader, writer) = reflector::store();
    let (read, updated) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell_read, tell_updated) = (read.clone(), updated.clone());
    let (expected, mut changes) = (task.size.min(MOST_CHANGES), 0);
    // Somebody must go on polling it.
    tokio::spawn(async move {
        let events = watcher(pods, watcher::Config::default()).default_backoff().reflect(writer);
        pin_mut!(events);
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::InitDone) => tell_read.notify_one(),
                Ok(Event::InitApply(pod)) => drop(ObjectRef::from_obj(&pod)),
                Ok(Event::Apply(pod)) => {
                    drop(ObjectRef::from_obj(&pod));
                    changes += 1;
                    if changes == expected {
                        tell_updated.notify_one();
                    }
                }
                Ok(_) => {}
                Err(error) => eprintln!("the watcher goes on after: {error}"),
            }
        }
    });
    read.notified().await;
    bench_shared::part(reader.len()).await?;

    updated.notified().await;
    bench_shared::part(expected).await?;

    memory.lose();
    read.notified().await;
    bench_shared::settle().await;
    bench_shared::part(reader.len()).await?;

    let keys: Vec<_> = reader.state().iter().map(|pod| ObjectRef::from_obj(&**pod)).collect();
    let objects = keys.iter().filter_map(|key| reader.get(key));
    Ok(objects.filter(|pod| pod.spec.as_ref().is_some_and(|spec| !spec.containers.is_empty())).count())
}
