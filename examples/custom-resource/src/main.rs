//! Defines a custom resource and works with its objects: create, list, watch, scale, status. In the end it removes all
//! of it.
//!
//! ```console
//! cargo run -p custom-resource -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```

use std::{
    error::Error,
    io::{BufRead as _, stdin},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use k8s_client::{
    Config, DynamicClient, Patch, RestClient, Unstructured, WatchEvent,
    dynamic::{
        DynamicResource, ScaleClient,
        nested::{nested_field, nested_i64, set_nested_field},
    },
    schema::GroupVersionResource,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// The name of the definition is made of the plural and the group.
const DEFINITION: &str = "crontabs.stable.example.com";

/// How long the server may take to serve what was defined.
const PATIENCE: Duration = Duration::from_secs(30);

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
    let client = RestClient::new(&config)?;
    let dynamic = DynamicClient::new(&client);
    let definitions =
        dynamic.resource(GroupVersionResource::new("apiextensions.k8s.io", "v1", "customresourcedefinitions"));

    println!("Defining {DEFINITION}...");
    definitions.create(&definition()?).await?;
    // Whatever fails from here on, the definition goes again, and its objects with it.
    let worked = work(&client, &definitions, &arguments).await;
    println!("Removing {DEFINITION}...");
    let removed = definitions.delete(DEFINITION).await;
    worked?;
    removed?;
    println!("Removed {DEFINITION}.");
    Ok(())
}

async fn work(client: &RestClient, definitions: &DynamicResource, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let resource = GroupVersionResource::new("stable.example.com", "v1", "crontabs");
    let crontabs = DynamicClient::new(client).resource(&resource).namespace(&arguments.namespace);
    established(definitions, &crontabs).await?;
    println!("{DEFINITION} is established.");

    prompt(arguments.yes)?;
    let created = crontabs.create(&crontab()?).field_manager("example").await?;
    println!("Created crontab {:?}.", created.name().unwrap_or_default());

    let list = crontabs.list().await?;
    println!("Listing crontabs in namespace {:?}:", arguments.namespace);
    for crontab in &list.items {
        let replicas = nested_i64(crontab.object(), &["spec", "replicas"])?.unwrap_or_default();
        println!(" * {} ({replicas} replicas)", crontab.name().unwrap_or_default());
    }

    prompt(arguments.yes)?;
    let version = list.resource_version().unwrap_or_default();
    let mut events = crontabs.watch().resource_version(version).timeout_seconds(60).await?;
    let scales = ScaleClient::new(client).resource(&resource).namespace(&arguments.namespace);
    scales.patch("nightly", &Patch::Merge(json!({ "spec": { "replicas": 3 } }))).await?;
    println!("Scaled crontab \"nightly\" to 3.");
    if let Some(WatchEvent::Modified(crontab)) = events.try_next().await? {
        let replicas = nested_i64(crontab.object(), &["spec", "replicas"])?.unwrap_or_default();
        println!("The watch tells of {replicas} replicas.");
    }

    prompt(arguments.yes)?;
    let mut crontab = crontabs.get("nightly").await?;
    set_nested_field(crontab.object_mut(), 3, &["status", "replicas"])?;
    let updated = crontabs.update_status(&crontab).await?;
    println!(
        "The status says {} replicas.",
        nested_i64(updated.object(), &["status", "replicas"])?.unwrap_or_default()
    );

    crontabs.delete("nightly").await?;
    println!("Deleted crontab \"nightly\".");
    Ok(())
}

/// Waits until the server has taken the definition in, and serves its objects.
async fn established(definitions: &DynamicResource, crontabs: &DynamicResource) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let definition = definitions.get(DEFINITION).await?;
        // They are null at first.
        let conditions = nested_field(definition.object(), &["status", "conditions"])?.and_then(Value::as_array);
        let is = |condition: &Value| condition["type"] == "Established" && condition["status"] == "True";
        // It says so a moment before the path is served.
        if conditions.is_some_and(|conditions| conditions.iter().any(is)) && crontabs.list().limit(1).await.is_ok() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{DEFINITION} was not established in {PATIENCE:?}").into());
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn definition() -> Result<Unstructured, Box<dyn Error>> {
    let replicas = json!({ "type": "object", "properties": { "replicas": { "type": "integer" } } });
    let spec = json!({
        "type": "object",
        "properties": { "schedule": { "type": "string" }, "replicas": { "type": "integer", "minimum": 0 } },
    });
    let version = json!({
        "name": "v1",
        "served": true,
        "storage": true,
        "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": spec, "status": replicas } } },
        "subresources": {
            "status": {},
            "scale": { "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas" },
        },
    });
    Ok(Unstructured::try_from(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": DEFINITION },
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": { "plural": "crontabs", "singular": "crontab", "kind": "CronTab", "shortNames": ["ct"] },
            "versions": [version],
        },
    }))?)
}

fn crontab() -> Result<Unstructured, Box<dyn Error>> {
    let mut crontab = Unstructured::new("stable.example.com/v1", "CronTab");
    crontab.set_name("nightly");
    set_nested_field(crontab.object_mut(), "0 3 * * *", &["spec", "schedule"])?;
    set_nested_field(crontab.object_mut(), 1, &["spec", "replicas"])?;
    Ok(crontab)
}

fn prompt(yes: bool) -> std::io::Result<()> {
    if !yes {
        println!("-> Press Return key to continue.");
        stdin().lock().read_line(&mut String::new())?;
    }
    Ok(())
}
