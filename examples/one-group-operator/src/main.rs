//! Keeps the label `team=unowned` on every deployment that names no team: an operator that depends on one group crate.

use k8s_client_api_apps::v1::AppsV1Client;
use k8s_client_runtime::{Error, RestClient, watch::WatchEvent};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let apps = AppsV1Client::new(&RestClient::try_default().await?);
    loop {
        // A watch without a version starts with all the deployments there are.
        let mut events = apps.all_deployments().watch().await?;
        loop {
            match events.try_next().await {
                Ok(Some(WatchEvent::Added(deployment) | WatchEvent::Modified(deployment))) => {
                    let metadata = deployment.metadata;
                    let (Some(namespace), Some(name)) = (metadata.namespace, metadata.name) else { continue };
                    if metadata.labels.is_some_and(|labels| labels.contains_key("team")) {
                        continue;
                    }
                    let labelled = apps.deployments(&namespace).modify(&name, |deployment| {
                        let labels = deployment.metadata.labels.get_or_insert_default();
                        labels.entry("team".to_owned()).or_insert_with(|| "unowned".to_owned());
                    });
                    match labelled.field_manager("one-group-operator").await {
                        Ok(_) => println!("labelled {namespace}/{name}"),
                        Err(error) if error.is_not_found() => {}
                        Err(error) => eprintln!("{error}"),
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) if error.must_list_again() => break,
                Err(error) => return Err(error),
            }
        }
    }
}
