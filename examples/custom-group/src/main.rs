//! A controller of a group of custom resources: it says of each `Certificate` of cert-manager that it is ready, as a
//! program that issues certificates would.
//!
//! The group's crate, in `generated`, is made of the definition by
//!
//! ```console
//! k8s-client-generate definitions --output generated --workspace
//! ```
//!
//! The program is run by
//!
//! ```console
//! cargo run -p custom-group -- [--kubeconfig FILE] [--namespace NAME] [--yes]
//! ```
//!
//! It runs until Ctrl-C or SIGTERM. With `--yes` it installs the definition, makes a certificate itself, and removes
//! both.

use std::{error::Error, future::Future, path::PathBuf, sync::Arc, time::Duration};

use cert_manager_client::v1::{
    CertManagerV1Client,
    apply::{
        CertificateApplyConfiguration, CertificateConditionApplyConfiguration, CertificateStatusApplyConfiguration,
    },
    types::{Certificate, CertificateConditionStatus, CertificateIssuerRef, CertificateSpec, CertificateUsage},
};
use clap::Parser;
use k8s_client::{
    Clientset, Config,
    controller::{Controller, Next},
    custom_resource::Timestamp,
    informer::Informer,
    stop_signal,
};
use tokio::{sync::oneshot, time::sleep};

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// The namespace to work in
    #[arg(long, default_value = "default")]
    namespace: String,

    /// Makes and deletes a certificate itself, and ends
    #[arg(long)]
    yes: bool,
}

/// The definition that the crate is generated of.
const DEFINITION: &str = include_str!("../definitions/certificates.cert-manager.io.json");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let config = match &options.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let client = Clientset::new(&config)?;
    let group = CertManagerV1Client::new(client.rest_client());
    if options.yes {
        let definitions = client.apiextensions_v1().custom_resource_definitions();
        let definition = definitions.create(&serde_json::from_str(DEFINITION)?).await?;
        until(|| async { group.all_certificates().list().await.ok() }).await?;
        let shown = show(&group, &options.namespace).await;
        definitions.delete(definition.metadata.name.as_deref().unwrap_or_default()).await?;
        return shown;
    }
    run(group, options.namespace, stop_signal()).await;
    Ok(())
}

/// Runs the controller of a namespace until something has happened.
async fn run(group: CertManagerV1Client, namespace: String, end: impl Future) {
    let certificates = Informer::of(group.certificates(&namespace)).start();
    Controller::for_each(&certificates).reconcile(group, reconcile).run_until(end).await;
}

/// Says what has become of a certificate. Applying owns these fields of the status, and no others.
async fn reconcile(group: CertManagerV1Client, certificate: Arc<Certificate>) -> Result<Next, k8s_client::Error> {
    let [name, namespace] =
        [&certificate.metadata.name, &certificate.metadata.namespace].map(|it| it.clone().unwrap_or_default());
    let generation = certificate.metadata.generation.unwrap_or_default();
    let known = certificate.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    if known.into_iter().any(|it| it.type_ == "Ready" && it.observed_generation == Some(generation)) {
        return Ok(Next::wait());
    }
    let condition = CertificateConditionApplyConfiguration::default()
        .type_("Ready")
        .status(CertificateConditionStatus::True)
        .reason("Issued")
        .message(format!("issued by {}", certificate.spec.clone().unwrap_or_default().issuer_ref.name))
        .observed_generation(generation)
        .last_transition_time(Timestamp::now());
    let status = CertificateStatusApplyConfiguration::default().conditions([condition]);
    let applied = CertificateApplyConfiguration::new(&name, &namespace).status(status);
    group.certificates(&namespace).apply_status(&applied).field_manager("issuer").force().await?;
    println!("{name} is ready");
    Ok(Next::wait())
}

/// Makes a certificate and changes it.
async fn show(group: &CertManagerV1Client, namespace: &str) -> Result<(), Box<dyn Error>> {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(run(group.clone(), namespace.to_owned(), stopped));
    let certificates = group.certificates(namespace);
    let mut certificate = Certificate::default();
    certificate.metadata.name = Some("web".to_owned());
    certificate.spec = Some(CertificateSpec {
        dns_names: Some(vec!["example.com".to_owned()]),
        issuer_ref: CertificateIssuerRef { name: "nobody".to_owned(), ..CertificateIssuerRef::default() },
        secret_name: "web-tls".to_owned(),
        usages: Some(vec![CertificateUsage::DigitalSignature, CertificateUsage::ServerAuth]),
        ..CertificateSpec::default()
    });
    certificates.create(&certificate).await?;
    let ready = |generation: i64| {
        let certificates = certificates.clone();
        async move {
            let conditions = certificates.get("web").await.ok()?.status?.conditions?;
            conditions.into_iter().find(|it| it.observed_generation == Some(generation))
        }
    };
    println!("{}", until(|| ready(1)).await?.message.unwrap_or_default());
    let add = |certificate: &mut Certificate| {
        let spec = certificate.spec.get_or_insert_default();
        spec.dns_names.get_or_insert_default().push("www.example.com".to_owned());
    };
    certificates.modify("web", add).await?;
    until(|| ready(2)).await?;
    println!("the change is seen");
    certificates.delete("web").await?;
    drop(stop);
    running.await?;
    Ok(())
}

/// Asks until there is an answer, for half a minute at most.
async fn until<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> Result<T, String> {
    for _ in 0..300 {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        sleep(Duration::from_millis(100)).await;
    }
    Err("it did not happen in half a minute".to_owned())
}
