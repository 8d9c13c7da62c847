//! The configuration of a program that runs in a pod: its service account.

use super::{
    Config, ConfigSource, PemSource,
    environment::Environment,
    kubeconfig::{
        connection::build,
        entries::{Cluster, User},
        located::{Located, Problems},
        overrides::Overrides,
    },
};
use crate::{
    error::{Error, Result},
    file,
};

/// Whether the process runs in a pod. Whether the pod has a service account too is told by [`load`], which says what is
/// missing.
pub(super) fn is_pod(environment: &Environment) -> bool {
    address(environment).is_some()
}

pub(super) fn load(environment: &Environment, overrides: &Overrides) -> Result<Config> {
    let address = address(environment).ok_or_else(|| {
        Error::config(
            "in-cluster configuration: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must both be set; they are in \
             every pod",
        )
    })?;
    let token = environment.service_account.join("token");
    if overrides.token.is_none() {
        file::open(&token).map_err(|error| {
            let hint = "is automountServiceAccountToken off?";
            Error::config(format!("in-cluster configuration: {} ({hint})", token.display())).with_source(error)
        })?;
    }

    let cluster = Cluster { server: Some(address), certificate_authority: ca(environment), ..Cluster::default() };
    let user = User { token_file: Some(token.to_string_lossy().into_owned()), ..User::default() };
    let mut problems = Problems::default();
    let label = "in-cluster configuration";
    let (cluster, user) = (Located::made(label, &cluster), Located::made(label, &user));
    let config = build(&cluster, &user, overrides, environment, &mut problems);
    let mut config = problems.or(config)?;
    config.source = ConfigSource::InCluster;
    if let Some(namespace) = overrides.namespace.clone().or_else(|| namespace(environment)) {
        config.default_namespace = namespace;
    }
    Ok(config)
}

/// The namespace that a pod's programs mean; nothing outside of a pod with a service account.
pub(super) fn namespace(environment: &Environment) -> Option<String> {
    if !is_pod(environment) || !environment.service_account.join("token").is_file() {
        return None;
    }
    environment
        .text("POD_NAMESPACE")
        .or_else(|| file::read_text(&environment.service_account.join("namespace")).ok())
        .map(|namespace| namespace.trim().to_owned())
        .filter(|namespace| !namespace.is_empty())
}

fn address(environment: &Environment) -> Option<String> {
    let host = environment.text("KUBERNETES_SERVICE_HOST")?;
    let port = environment.text("KUBERNETES_SERVICE_PORT")?;
    Some(if host.contains(':') { format!("https://[{host}]:{port}") } else { format!("https://{host}:{port}") })
}

/// The service account's CA, also if its file is still empty. A bad one is no error, as in client-go: clusters whose
/// certificate is publicly signed need none, and with others the handshake fails.
fn ca(environment: &Environment) -> Option<String> {
    let file = environment.service_account.join("ca.crt");
    match PemSource::File(file.clone()).ca() {
        Ok(_) => Some(file.to_string_lossy().into_owned()),
        Err(error) => {
            tracing::warn!(%error, "no usable CA in the service account, the roots of the system are trusted");
            None
        }
    }
}
