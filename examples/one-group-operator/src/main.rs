//! Keeps the label `team=unowned` on every deployment that names no team: an operator that depends on one group crate.

use k8s_client_api_apps::v1::AppsV1Client;
use k8s_client_runtime::{Error, RestClient, watch::WatchEvent};
use tokio::time::{Duration, sleep};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let apps = AppsV1Client::new(&RestClient::try_default().await?);
    loop {
        // Watches end: the server closes them in time, and connections break.
        if let Err(error) = label_deployments(&apps).await {
            eprintln!("{error}");
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn label_deployments(apps: &AppsV1Client) -> Result<(), Error> {
    // A watch without a version starts with all the deployments there are.
    let mut events = apps.all_deployments().watch().await?;
    while let Some(event) = events.try_next().await? {
        let (WatchEvent::Added(deployment) | WatchEvent::Modified(deployment)) = event else { continue };
        let metadata = deployment.metadata;
        let (Some(namespace), Some(name)) = (metadata.namespace, metadata.name) else { continue };
        if metadata.labels.is_some_and(|labels| labels.contains_key("team")) {
            continue;
        }
        let label = apps.deployments(&namespace).modify(&name, |deployment| {
            let labels = deployment.metadata.labels.get_or_insert_default();
            labels.entry("team".to_owned()).or_insert_with(|| "unowned".to_owned());
        });
        match label.field_manager("one-group-operator").await {
            Ok(_) => println!("labelled {namespace}/{name}"),
            Err(error) => eprintln!("{error}"),
        }
    }
    Ok(())
}
