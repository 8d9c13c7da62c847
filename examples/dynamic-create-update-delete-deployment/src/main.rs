//! Creates, updates, lists and deletes a deployment with the dynamic client, with a pause before each step: client-go's
//! example of this name.
//!
//! ```console
//! cargo run -p dynamic-create-update-delete-deployment -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```

use std::{
    error::Error,
    io::{BufRead as _, stdin},
    path::PathBuf,
};

use clap::Parser;
use k8s_client::{
    Backoff, Config, DynamicClient, PropagationPolicy, RestClient, Unstructured,
    dynamic::{
        DynamicResource, FieldError,
        nested::{nested_field_mut, nested_i64, set_nested_field},
    },
    retry_on_conflict,
    schema::GroupVersionResource,
};
use serde_json::Value;

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
    let resource = GroupVersionResource::new("apps", "v1", "deployments");
    let deployments = DynamicClient::new(&RestClient::new(&config)?).resource(resource).namespace(&arguments.namespace);

    println!("Creating deployment...");
    let created = deployments.create(&demo_deployment()?).await?;
    println!("Created deployment {:?}.", created.name().unwrap_or_default());

    prompt(arguments.yes)?;
    println!("Updating deployment...");
    update(&deployments).await?;
    println!("Updated deployment...");

    prompt(arguments.yes)?;
    list(&deployments, &arguments.namespace).await?;

    prompt(arguments.yes)?;
    println!("Deleting deployment...");
    deployments.delete("demo-deployment").propagation_policy(PropagationPolicy::Foreground).await?;
    println!("Deleted deployment.");
    Ok(())
}

/// Somebody else may change the deployment between our reading and our writing. Then the server answers with a
/// conflict, and all of it is done again.
async fn update(deployments: &DynamicResource) -> Result<(), Box<dyn Error>> {
    let updated = retry_on_conflict(Backoff::DEFAULT_RETRY, || async {
        let mut deployment = deployments.get("demo-deployment").await?;
        // A deployment of another shape will not be another one at the next try: no conflict, so it is given out at
        // once.
        if let Err(error) = change(&mut deployment) {
            return Ok(Err(error));
        }
        deployments.update(&deployment).await.map(Ok)
    })
    .await?;
    updated?;
    Ok(())
}

/// One replica, and a newer image in the first container.
fn change(deployment: &mut Unstructured) -> Result<(), Box<dyn Error>> {
    set_nested_field(deployment.object_mut(), 1, &["spec", "replicas"])?;
    let path = ["spec", "template", "spec", "containers"];
    let containers = nested_field_mut(deployment.object_mut(), &path)?.and_then(Value::as_array_mut);
    let container = containers.and_then(|containers| containers.first_mut()).and_then(Value::as_object_mut);
    let container = container.ok_or("deployment containers not found or of another shape")?;
    set_nested_field(container, "nginx:1.13", &["image"])?;
    Ok(())
}

async fn list(deployments: &DynamicResource, namespace: &str) -> Result<(), Box<dyn Error>> {
    println!("Listing deployments in namespace {namespace:?}:");
    for deployment in deployments.list().await?.items {
        let name = deployment.name().unwrap_or_default();
        match nested_i64(deployment.object(), &["spec", "replicas"]) {
            Ok(Some(replicas)) => println!(" * {name} ({replicas} replicas)"),
            Ok(None) => println!("Replicas not found for deployment {name}"),
            Err(error) => println!("Replicas of deployment {name}: {error}"),
        }
    }
    Ok(())
}

fn demo_deployment() -> Result<Unstructured, FieldError> {
    Unstructured::try_from(serde_json::json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "demo-deployment" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "demo" } },
            "template": {
                "metadata": { "labels": { "app": "demo" } },
                "spec": {
                    "containers": [{
                        "name": "web",
                        "image": "nginx:1.12",
                        "ports": [{ "name": "http", "protocol": "TCP", "containerPort": 80 }],
                    }],
                },
            },
        },
    }))
}

fn prompt(yes: bool) -> std::io::Result<()> {
    if !yes {
        println!("-> Press Return key to continue.");
        stdin().lock().read_line(&mut String::new())?;
    }
    Ok(())
}
