//! The benchmark's jobs, done by k8s-client with its defaults; and `seed`, which makes the objects of all.

mod informer;
mod logs;
mod queue;
mod seed;
mod streams;

use std::process::ExitCode;

use bench_shared::{Error, LISTS, MOST_CONCURRENT_GETS, MOST_GETS, PAGE, Task, WRITES, in_task};
use k8s_client_api_core::v1::{ConfigMaps, CoreV1Client, Pods, kinds::Pod};
use k8s_client_runtime::{
    Config, RestClient,
    k8s_openapi::api::core::v1::ConfigMap,
    resource::{List, Patch},
    watch::WatchEvent,
};

fn main() -> ExitCode {
    bench_shared::run(work)
}

async fn work(task: Task) -> Result<usize, Error> {
    let mut config = Config::infer()?;
    config.disable_protobuf = task.json;
    config.disable_compression = task.job == "list-plain";
    if task.job == "informer" {
        return informer::follow(&config, &task).await;
    }
    let core = CoreV1Client::new(&RestClient::new(&config)?);
    let pods = core.pods(&task.namespace);
    match task.job.as_str() {
        "list" => list(&pods, &task, LISTS).await,
        "list-plain" => list(&pods, &task, 1).await,
        "list-paged" => list_paged(&pods, &task).await,
        "list-streamed" => list_streamed(&pods, &task).await,
        "watch" => watch(&pods, &task).await,
        "get" => get(&pods, task.size.min(MOST_GETS)).await,
        "get-concurrent" => get_concurrent(&pods, task.size.min(MOST_CONCURRENT_GETS)).await,
        "write" => write(&core.config_maps(&task.namespace)).await,
        "queue" => queue::run().await,
        "change" => informer::change(&pods, task.size).await,
        "logs" => in_task(async move { logs::read(&pods).await }).await,
        "exec" => in_task(async move { streams::exec(&pods, task.size).await }).await,
        "exec-output" => in_task(async move { streams::exec_output(&pods, task.size).await }).await,
        "exec-input" => in_task(async move { streams::exec_input(&pods, task.size).await }).await,
        "port-forward" => in_task(async move { streams::port_forward(&pods, task.size).await }).await,
        "port-forward-output" => in_task(async move { streams::port_forward_output(&pods, task.size).await }).await,
        "seed-server" => streams::seed(&core, &task.namespace).await,
        "seed-log" => logs::seed(&core, &task.namespace, task.size).await,
        "seed" => seed::seed(&core, &task.namespace, task.size).await,
        _ => Err(task.unknown()),
    }
}

/// The list as the task wants it.
fn listing(pods: &Pods, task: &Task) -> List<Pod> {
    if task.lean { pods.list().without_managed_fields() } else { pods.list() }
}

async fn list(pods: &Pods, task: &Task, times: usize) -> Result<usize, Error> {
    let mut items = 0;
    for _ in 0..times {
        items += listing(pods, task).await?.items.len();
    }
    Ok(items)
}

async fn list_paged(pods: &Pods, task: &Task) -> Result<usize, Error> {
    let mut items = 0;
    for _ in 0..LISTS {
        let mut pages = listing(pods, task).limit(PAGE).pages();
        while let Some(page) = pages.try_next().await? {
            items += page.items.len();
        }
    }
    Ok(items)
}

async fn list_streamed(pods: &Pods, task: &Task) -> Result<usize, Error> {
    let mut items = 0;
    for _ in 0..LISTS {
        let mut stream = listing(pods, task).stream().await?;
        while let Some(_pod) = stream.try_next().await? {
            items += 1;
        }
    }
    Ok(items)
}

async fn watch(pods: &Pods, task: &Task) -> Result<usize, Error> {
    let events = task.size;
    let watch = pods.watch().resource_version("0");
    let mut stream = if task.lean { watch.without_managed_fields() } else { watch }.await?;
    let mut seen = 0;
    while seen < events {
        match stream.try_next().await? {
            Some(WatchEvent::Bookmark { .. }) => {}
            Some(_) => seen += 1,
            None => return Err(format!("the watch ended after {seen} of {events} events").into()),
        }
    }
    Ok(seen)
}

async fn get(pods: &Pods, count: usize) -> Result<usize, Error> {
    for number in 0..count {
        pods.get(&bench_shared::pod_name(number)).await?;
    }
    Ok(count)
}

async fn get_concurrent(pods: &Pods, count: usize) -> Result<usize, Error> {
    let pods = pods.clone();
    let get = move |number| {
        let pods = pods.clone();
        async move {
            pods.get(&bench_shared::pod_name(number)).await?;
            Ok(())
        }
    };
    bench_shared::at_once(count, get).await
}

async fn write(config_maps: &ConfigMaps) -> Result<usize, Error> {
    let patch = Patch::Merge(serde_json::json!({ "data": { "patched": "yes" } }));
    for number in 0..WRITES {
        let name = bench_shared::written_name(number);
        let mut config_map = ConfigMap::default();
        config_map.metadata.name = Some(name.clone());
        config_map.data.get_or_insert_default().insert("settings".to_owned(), bench_shared::configuration());
        let mut created = config_maps.create(&config_map).await?;
        created.data.get_or_insert_default().insert("updated".to_owned(), "yes".to_owned());
        config_maps.update(&created).await?;
        config_maps.patch(&name, &patch).await?;
        config_maps.delete(&name).await?;
    }
    Ok(WRITES)
}
