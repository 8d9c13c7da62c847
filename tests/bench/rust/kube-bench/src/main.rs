//! The benchmark's jobs, done by kube with its defaults.

mod informer;
mod streams;

use std::process::ExitCode;

use bench_shared::{Error, LISTS, LOG, MOST_CONCURRENT_GETS, MOST_GETS, PAGE, Task, WRITES, in_task};
use futures_util::{AsyncBufReadExt as _, TryStreamExt as _, pin_mut};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};

fn main() -> ExitCode {
    bench_shared::run(work)
}

async fn work(task: Task) -> Result<usize, Error> {
    if task.json {
        return Err("kube speaks nothing but JSON: there is no variant of it".into());
    }
    if task.job == "informer" {
        return informer::follow(&task).await;
    }
    let client = Client::try_default().await?;
    let pods = Api::<Pod>::namespaced(client.clone(), &task.namespace);
    match task.job.as_str() {
        "list" => list(&pods, LISTS).await,
        // It asks for no compression in any case.
        "list-plain" => list(&pods, 1).await,
        // kube has no list that streams: pages are what comes closest.
        "list-paged" | "list-streamed" => list_paged(&pods).await,
        "watch" => watch(&pods, task.size).await,
        "get" => get(&pods, task.size.min(MOST_GETS)).await,
        "get-concurrent" => get_concurrent(&pods, task.size.min(MOST_CONCURRENT_GETS)).await,
        "logs" => in_task(async move { read_log(&pods).await }).await,
        "exec" => in_task(async move { streams::exec(&pods, task.size).await }).await,
        "exec-output" => in_task(async move { streams::exec_output(&pods, task.size).await }).await,
        "exec-input" => in_task(async move { streams::exec_input(&pods, task.size).await }).await,
        "port-forward" => in_task(async move { streams::port_forward(&pods, task.size).await }).await,
        "port-forward-output" => in_task(async move { streams::port_forward_output(&pods, task.size).await }).await,
        "write" => write(&Api::namespaced(client, &task.namespace)).await,
        _ => Err(task.unknown()),
    }
}

async fn list(pods: &Api<Pod>, times: usize) -> Result<usize, Error> {
    let mut items = 0;
    for _ in 0..times {
        items += pods.list(&ListParams::default()).await?.items.len();
    }
    Ok(items)
}

async fn list_paged(pods: &Api<Pod>) -> Result<usize, Error> {
    let mut items = 0;
    for _ in 0..LISTS {
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let page = pods.list(&params).await?;
            items += page.items.len();
            // An empty token ends the list as none does.
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break,
            }
        }
    }
    Ok(items)
}

async fn watch(pods: &Api<Pod>, events: usize) -> Result<usize, Error> {
    let stream = pods.watch(&WatchParams::default(), "0").await?;
    pin_mut!(stream);
    let mut seen = 0;
    while seen < events {
        match stream.try_next().await? {
            Some(WatchEvent::Error(status)) => return Err(format!("the watch ended: {status:?}").into()),
            Some(WatchEvent::Bookmark(_)) => {}
            Some(_) => seen += 1,
            None => return Err(format!("the watch ended after {seen} of {events} events").into()),
        }
    }
    Ok(seen)
}

async fn get(pods: &Api<Pod>, count: usize) -> Result<usize, Error> {
    for number in 0..count {
        pods.get(&bench_shared::pod_name(number)).await?;
    }
    Ok(count)
}

async fn get_concurrent(pods: &Api<Pod>, count: usize) -> Result<usize, Error> {
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

async fn write(config_maps: &Api<ConfigMap>) -> Result<usize, Error> {
    let patch = Patch::Merge(serde_json::json!({ "data": { "patched": "yes" } }));
    for number in 0..WRITES {
        let name = bench_shared::written_name(number);
        let mut config_map = ConfigMap::default();
        config_map.metadata.name = Some(name.clone());
        config_map.data.get_or_insert_default().insert("settings".to_owned(), bench_shared::configuration());
        let mut created = config_maps.create(&PostParams::default(), &config_map).await?;
        created.data.get_or_insert_default().insert("updated".to_owned(), "yes".to_owned());
        config_maps.replace(&name, &PostParams::default(), &created).await?;
        config_maps.patch(&name, &PatchParams::default(), &patch).await?;
        config_maps.delete(&name, &DeleteParams::default()).await?;
    }
    Ok(WRITES)
}

async fn read_log(pods: &Api<Pod>) -> Result<usize, Error> {
    let mut lines = pods.log_stream(LOG, &LogParams::default()).await?.lines();
    let mut count = 0;
    while lines.try_next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}
