//! Applies a deployment, with a pause before each step: the recommended way to write.
//!
//! ```console
//! cargo run -p apply-deployment -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```
//!
//! A configuration says only what its manager means, and the server remembers who said what. So two programs can each
//! have their part of one object, and what one of them does not say any more is removed.

use std::{
    io::{BufRead as _, stdin},
    path::PathBuf,
};

use clap::Parser;
use k8s_client::{
    Clientset, Config, PropagationPolicy,
    api::{
        apps::v1::apply::{DeploymentApplyConfiguration, DeploymentSpecApplyConfiguration},
        core::v1::apply::{
            ContainerApplyConfiguration, ContainerPortApplyConfiguration, PodSpecApplyConfiguration,
            PodTemplateSpecApplyConfiguration,
        },
        meta::v1::apply::LabelSelectorApplyConfiguration,
    },
    apply::Extract as _,
    k8s_openapi::api::apps::v1::Deployment,
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

/// The deployment's name.
const NAME: &str = "apply-demo";

/// Who rolls the program out, and who decides how many of it there are.
const RELEASES: &str = "releases";
const CAPACITY: &str = "capacity";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let config = match &arguments.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let deployments = Clientset::new(&config)?.apps_v1().deployments(&arguments.namespace);

    println!("Applying a deployment as {RELEASES:?}...");
    // Whether it is there already makes no difference.
    let configuration = demo_deployment(&arguments.namespace);
    let applied = deployments.apply(&configuration).field_manager(RELEASES).await?;
    print_managers(&applied)?;

    prompt(arguments.yes)?;
    println!("Reading it, changing the image, applying it again...");
    // What was extracted is all that this manager has said so far, so that nothing gets lost. A program that always
    // builds its whole configuration, as most do, need not read first.
    let read = deployments.get(NAME).await?;
    let mut extracted = DeploymentApplyConfiguration::extract(&read, RELEASES)?;
    for container in containers(&mut extracted) {
        container.image = Some("nginx:1.13".to_owned());
    }
    let applied = deployments.apply(&extracted).field_manager(RELEASES).await?;
    print_managers(&applied)?;

    prompt(arguments.yes)?;
    println!("Applying the number of pods as {CAPACITY:?}...");
    let applied = deployments.apply(&scaled(&arguments.namespace, 2)).field_manager(CAPACITY).await?;
    print_managers(&applied)?;

    prompt(arguments.yes)?;
    println!("Applying another number as {RELEASES:?}...");
    let mut theirs = DeploymentApplyConfiguration::extract(&applied, RELEASES)?;
    theirs.spec.get_or_insert_default().replicas = Some(3);
    match deployments.apply(&theirs).field_manager(RELEASES).await {
        Err(error) if error.is_conflict() => println!("Refused: {error}"),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("two managers own one field with different values".into()),
    }

    prompt(arguments.yes)?;
    println!("Taking the number over, and leaving the ports to nobody...");
    for container in containers(&mut theirs) {
        container.ports = None;
    }
    let applied = deployments.apply(&theirs).field_manager(RELEASES).force().await?;
    print_managers(&applied)?;

    prompt(arguments.yes)?;
    println!("Deleting deployment...");
    deployments.delete(NAME).propagation_policy(PropagationPolicy::Foreground).await?;
    println!("Deleted deployment.");
    Ok(())
}

fn demo_deployment(namespace: &str) -> DeploymentApplyConfiguration {
    let container = ContainerApplyConfiguration::default()
        .name("web")
        .image("nginx:1.12")
        .ports([ContainerPortApplyConfiguration::default().name("http").container_port(80)]);
    let template = PodTemplateSpecApplyConfiguration::default()
        .labels([("app", "demo")])
        .spec(PodSpecApplyConfiguration::default().containers([container]));
    let spec = DeploymentSpecApplyConfiguration::default()
        .selector(LabelSelectorApplyConfiguration::default().match_labels([("app", "demo")]))
        .template(template);
    DeploymentApplyConfiguration::new(NAME, namespace).spec(spec)
}

/// Another manager's whole configuration: all that it has an opinion on.
fn scaled(namespace: &str, replicas: i32) -> DeploymentApplyConfiguration {
    let spec = DeploymentSpecApplyConfiguration::default().replicas(replicas);
    DeploymentApplyConfiguration::new(NAME, namespace).spec(spec)
}

fn containers(deployment: &mut DeploymentApplyConfiguration) -> impl Iterator<Item = &mut ContainerApplyConfiguration> {
    let template = deployment.spec.as_mut().and_then(|spec| spec.template.as_mut());
    let spec = template.and_then(|template| template.spec.as_mut());
    spec.and_then(|spec| spec.containers.as_mut()).into_iter().flatten()
}

/// Prints who has applied what.
fn print_managers(deployment: &Deployment) -> Result<(), Box<dyn std::error::Error>> {
    for manager in [RELEASES, CAPACITY] {
        let extracted = DeploymentApplyConfiguration::extract(deployment, manager)?;
        match extracted.spec {
            Some(spec) => {
                println!(" * {manager} owns");
                print_fields("spec", &serde_json::to_value(spec)?);
            }
            None => println!(" * {manager} owns nothing"),
        }
    }
    Ok(())
}

/// Prints a line for each value: `spec.replicas: 2`.
fn print_fields(path: &str, value: &serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                print_fields(&format!("{path}.{name}"), value);
            }
        }
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                print_fields(&format!("{path}[{index}]"), item);
            }
        }
        value => println!("     {path}: {value}"),
    }
}

fn prompt(yes: bool) -> std::io::Result<()> {
    if !yes {
        println!("-> Press Return key to continue.");
        stdin().lock().read_line(&mut String::new())?;
    }
    Ok(())
}
