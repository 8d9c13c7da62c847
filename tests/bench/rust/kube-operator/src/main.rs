//! `examples/one-group-operator` as it is written with kube: for its build time and its size.

use futures_util::{TryStreamExt as _, pin_mut};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client, Error, ResourceExt as _,
    api::{PostParams, WatchEvent, WatchParams},
};
use tokio::time::{Duration, sleep};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::try_default().await?;
    loop {
        // Watches end: the server closes them in time, and connections break.
        if let Err(error) = Box::pin(label_deployments(&client)).await {
            eprintln!("{error}");
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn label_deployments(client: &Client) -> Result<(), Error> {
    // A watch of version 0 starts with all the deployments there are.
    let events = Api::<Deployment>::all(client.clone()).watch(&WatchParams::default(), "0").await?;
    pin_mut!(events);
    while let Some(event) = events.try_next().await? {
        let deployment = match event {
            WatchEvent::Added(deployment) | WatchEvent::Modified(deployment) => deployment,
            WatchEvent::Error(status) => return Err(Error::Api(status)),
            _ => continue,
        };
        if deployment.labels().contains_key("team") {
            continue;
        }
        let name = deployment.name_any();
        let namespace = deployment.namespace().unwrap_or_default();
        match label(&Api::namespaced(client.clone(), &namespace), &name).await {
            Ok(()) => println!("labelled {namespace}/{name}"),
            Err(error) => eprintln!("{error}"),
        }
    }
    Ok(())
}

/// Reads, changes and updates until nobody else was faster, as the other programs do.
async fn label(deployments: &Api<Deployment>, name: &str) -> Result<(), Error> {
    let params = PostParams { field_manager: Some("one-group-operator".to_owned()), ..PostParams::default() };
    for _ in 0..5 {
        let mut deployment = deployments.get(name).await?;
        deployment.labels_mut().entry("team".to_owned()).or_insert_with(|| "unowned".to_owned());
        match deployments.replace(name, &params, &deployment).await {
            Err(Error::Api(status)) if status.is_conflict() => sleep(Duration::from_millis(10)).await,
            result => return result.map(drop),
        }
    }
    Ok(())
}
