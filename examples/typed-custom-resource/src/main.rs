//! Defines a custom resource and works with its objects as a type of this program: create, get, list, watch, update,
//! status, apply, delete. In the end it removes all of it.
//!
//! ```console
//! cargo run -p typed-custom-resource -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```

use std::{
    error::Error,
    io::{BufRead as _, stdin},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use k8s_client::{
    Backoff, Clientset, Config, CustomResource as _, ResourceClient, WaitFor as _, WatchEvent, custom_resource,
    k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta, retry, wait::conditions::crd_established,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An object of the resource.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct CronTab {
    metadata: ObjectMeta,
    spec: CronTabSpec,
    status: Option<CronTabStatus>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct CronTabSpec {
    schedule: String,
    replicas: i32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct CronTabStatus {
    replicas: i32,
}

/// What is applied of an object: only what is set is sent, and owned from then on.
#[derive(Serialize)]
struct CronTabConfiguration {
    metadata: ObjectMeta,
    spec: CronTabSpecConfiguration,
}

#[derive(Default, Serialize)]
struct CronTabSpecConfiguration {
    schedule: Option<String>,
    replicas: Option<i32>,
}

custom_resource!(CronTab, "example.com/v1", "crontabs", Namespaced, status, apply = CronTabConfiguration);

/// The name of the definition is made of the plural and the group.
const DEFINITION: &str = "crontabs.example.com";

/// The object that this program makes.
const NAME: &str = "nightly";

#[derive(Parser)]
struct Arguments {
    /// The kubeconfig file. Default: $KUBECONFIG, ~/.kube/config, then the cluster that this runs in.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The namespace to work in.
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Goes on without asking.
    #[arg(long)]
    yes: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let config = match &arguments.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let client = Clientset::new(&config)?;
    let definitions = client.apiextensions_v1().custom_resource_definitions();

    println!("Defining {DEFINITION}...");
    let number = json!({ "type": "integer", "minimum": 0 });
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": { "schedule": { "type": "string" }, "replicas": number },
            },
            "status": { "type": "object", "properties": { "replicas": number } },
        },
    });
    definitions.create(&CronTab::definition(serde_json::from_value(schema)?)).await?;
    // Whatever fails from here on, the definition goes again, and its objects with it.
    let worked = work(&client, &arguments).await;
    println!("Removing {DEFINITION}...");
    let removed = definitions.delete(DEFINITION).await;
    worked?;
    removed?;
    println!("Removed {DEFINITION}.");
    Ok(())
}

async fn work(client: &Clientset, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let crontabs = ResourceClient::<CronTab>::namespaced(client.rest_client(), &arguments.namespace);
    established(client, &crontabs).await?;
    println!("{DEFINITION} is established.");

    prompt(arguments.yes)?;
    let name = || ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
    let spec = CronTabSpec { schedule: "0 3 * * *".to_owned(), replicas: 1 };
    crontabs.create(&CronTab { metadata: name(), spec, status: None }).await?;
    println!("Created crontab {NAME:?}.");

    let list = crontabs.list().await?;
    println!("Listing crontabs in namespace {:?}:", arguments.namespace);
    for crontab in &list.items {
        let name = crontab.metadata.name.as_deref().unwrap_or_default();
        println!(" * {name} at {} ({} replicas)", crontab.spec.schedule, crontab.spec.replicas);
    }

    prompt(arguments.yes)?;
    // What happens from the list on.
    let version = list.metadata.resource_version.unwrap_or_default();
    let mut events = crontabs.watch().resource_version(version).timeout_seconds(60).await?;
    let mut nightly = crontabs.get(NAME).await?;
    nightly.spec.replicas = 2;
    let mut nightly = crontabs.update(&nightly).await?;
    println!("Updated crontab {NAME:?}.");
    if let Some(WatchEvent::Modified(crontab)) = events.try_next().await? {
        println!("The watch reports {} replicas.", crontab.spec.replicas);
    }

    prompt(arguments.yes)?;
    nightly.status = Some(CronTabStatus { replicas: 2 });
    let nightly = crontabs.update_status(&nightly).await?;
    println!("The status says {} replicas.", nightly.status.map_or(0, |status| status.replicas));

    prompt(arguments.yes)?;
    // The schedule stays as it is: it is not set here. The replicas belong to whoever wrote them last, so they are
    // taken over.
    let spec = CronTabSpecConfiguration { replicas: Some(3), ..Default::default() };
    let wanted = CronTabConfiguration { metadata: name(), spec };
    let applied = crontabs.apply(&wanted).field_manager("scaler").force().await?;
    println!("Applied {} replicas; it still runs at {}.", applied.spec.replicas, applied.spec.schedule);

    crontabs.delete(NAME).await?;
    println!("Deleted crontab {NAME:?}.");
    Ok(())
}

/// Waits until the server has taken the definition in, and serves its objects.
async fn established(client: &Clientset, crontabs: &ResourceClient<CronTab>) -> Result<(), k8s_client::Error> {
    let definitions = client.apiextensions_v1().custom_resource_definitions();
    definitions.wait_for(DEFINITION, crd_established).await?;
    // It says so a moment before the path is served.
    let pauses = Backoff { steps: 300, duration: Duration::from_millis(100), factor: 1.0, jitter: 0.0, cap: None };
    let list = || crontabs.list().limit(1).into_future();
    retry::on_error(pauses, k8s_client::Error::is_not_found, list).await.map(drop)
}

fn prompt(yes: bool) -> std::io::Result<()> {
    if !yes {
        println!("-> Press Return key to continue.");
        stdin().lock().read_line(&mut String::new())?;
    }
    Ok(())
}
