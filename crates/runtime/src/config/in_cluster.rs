//! The configuration of a program that runs in a pod: its service account.

use std::fs;

use super::{Config, ConfigSource, Credentials, PemSource, environment::Environment, server};
use crate::error::{Error, Result};

/// Whether the process runs in a pod. Whether the pod has a service account too is told by [`load`], which says what is
/// missing.
pub(super) fn is_pod(environment: &Environment) -> bool {
    address(environment).is_some()
}

pub(super) fn load(environment: &Environment) -> Result<Config> {
    let address = address(environment).ok_or_else(|| {
        Error::config(
            "in-cluster configuration: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must both be set; they are in \
             every pod",
        )
    })?;
    let token = environment.service_account.join("token");
    fs::File::open(&token).map_err(|error| {
        let hint = "is automountServiceAccountToken off?";
        Error::config(format!("in-cluster configuration: {} ({hint})", token.display())).with_source(error)
    })?;

    let mut config = Config::at(server::parse(&address, true)?);
    config.source = ConfigSource::InCluster;
    config.credentials = Credentials::TokenFile { path: token, fallback: None };
    let ca = environment.service_account.join("ca.crt");
    if ca.exists() {
        let ca = PemSource::File(ca);
        ca.certificates()?;
        config.tls.ca = Some(ca);
    } else {
        // As client-go: clusters whose certificate is publicly signed need no CA.
        tracing::warn!(file = %ca.display(), "no CA in the service account, the roots of the system are trusted");
    }
    if let Some(namespace) = namespace(environment) {
        config.default_namespace = namespace;
    }
    Ok(config)
}

fn address(environment: &Environment) -> Option<String> {
    let host = environment.text("KUBERNETES_SERVICE_HOST")?;
    let port = environment.text("KUBERNETES_SERVICE_PORT")?;
    Some(if host.contains(':') { format!("https://[{host}]:{port}") } else { format!("https://{host}:{port}") })
}

fn namespace(environment: &Environment) -> Option<String> {
    environment
        .text("POD_NAMESPACE")
        .or_else(|| fs::read_to_string(environment.service_account.join("namespace")).ok())
        .map(|namespace| namespace.trim().to_owned())
        .filter(|namespace| !namespace.is_empty())
}
