//! Creates, updates, lists and deletes a deployment, with a pause before each step: client-go's example of this name.
//!
//! ```console
//! cargo run -p create-update-delete-deployment -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```

use std::{
    io::{BufRead as _, stdin},
    path::PathBuf,
};

use clap::Parser;
use k8s_client::{
    Backoff, Clientset, Config, PropagationPolicy, api::apps::v1::Deployments, k8s_openapi::api::apps::v1::Deployment,
    retry_on_conflict,
};

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
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let config = match &arguments.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let deployments = Clientset::new(&config)?.apps_v1().deployments(&arguments.namespace);

    println!("Creating deployment...");
    let created = deployments.create(&demo_deployment()?).await?;
    println!("Created deployment {:?}.", created.metadata.name.unwrap_or_default());

    prompt(arguments.yes)?;
    println!("Updating deployment...");
    // Somebody else may change the deployment between our reading and our writing. Then the server answers with a
    // conflict, and all of it is done again. `deployments.modify("demo-deployment", …)` is this in one call.
    retry_on_conflict(Backoff::DEFAULT_RETRY, || async {
        let mut deployment = deployments.get("demo-deployment").await?;
        deployment.spec.replicas = Some(1);
        for container in &mut deployment.spec.template.spec.get_or_insert_default().containers {
            container.image = Some("nginx:1.13".to_owned());
        }
        deployments.update(&deployment).await
    })
    .await?;
    println!("Updated deployment...");

    prompt(arguments.yes)?;
    list(&deployments, &arguments.namespace).await?;

    prompt(arguments.yes)?;
    println!("Deleting deployment...");
    deployments.delete("demo-deployment").propagation_policy(PropagationPolicy::Foreground).await?;
    println!("Deleted deployment.");
    Ok(())
}

async fn list(deployments: &Deployments, namespace: &str) -> k8s_client::Result<()> {
    println!("Listing deployments in namespace {namespace:?}:");
    for deployment in deployments.list().await?.items {
        let replicas = deployment.spec.replicas.unwrap_or_default();
        println!(" * {} ({replicas} replicas)", deployment.metadata.name.unwrap_or_default());
    }
    Ok(())
}

fn demo_deployment() -> serde_json::Result<Deployment> {
    serde_json::from_value(serde_json::json!({
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
