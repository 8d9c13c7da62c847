//! From a cluster and a user, with what overrides say, to a [`Config`].
//!
//! client-go's rules hold: everything is validated, and what is wrong is said at once; credentials and certificates are
//! used only where the server's address begins with `https`.

use http::{Uri, uri::Scheme};

use super::{
    duration::parse_timeout,
    entries::{Cluster, User},
    located::{Located, Problems},
    overrides::{self, Overrides},
    user,
};
use crate::{
    config::{Config, Credentials, Impersonation, Proxy, ProxyUrl, TlsConfig, environment::Environment, server},
    text::non_empty,
};

pub(in crate::config) fn build(
    cluster: &Located<'_, Cluster>,
    user: &Located<'_, User>,
    overrides: &Overrides,
    environment: &Environment,
    problems: &mut Problems,
) -> Option<Config> {
    let server = server(cluster, overrides, problems);
    let mut tls = tls(cluster, overrides, problems);
    tls.identity = user::identity(user, overrides, problems);
    let to_tls = server.as_ref().is_some_and(|server| server.scheme() == Some(&Scheme::HTTPS));
    let credentials = user::credentials(user, cluster, overrides, tls.identity.is_some(), to_tls, problems);
    let proxy = proxy(cluster, overrides, problems);
    let timeout = overrides.timeout.as_deref().map(parse_timeout).transpose();
    let timeout = timeout.map_err(|error| problems.add(format!("{}: {error}", overrides::label("timeout"))));
    let impersonate = impersonate(user, overrides, problems);

    let mut config = Config::at(server?, environment);
    if to_tls {
        config.tls = tls;
        config.credentials = credentials;
    } else if tls.identity.is_some() || !matches!(credentials, Credentials::None) {
        tracing::warn!(server = %config.server, "credentials are not sent to a server without https://");
    }
    config.proxy = proxy;
    config.disable_compression = overrides.disable_compression || cluster.value.disable_compression == Some(true);
    config.timeout = timeout.ok()?.flatten();
    config.impersonate = impersonate;
    Some(config)
}

fn server(cluster: &Located<'_, Cluster>, overrides: &Overrides, problems: &mut Problems) -> Option<Uri> {
    let (place, text) = match (&overrides.server, non_empty(cluster.value.server.as_ref())) {
        (Some(server), _) => (overrides::label("server"), server.as_str()),
        (None, Some(server)) => (cluster.to_string(), server),
        (None, None) => {
            problems.add(format!("{cluster}: no server found for it; set its server field"));
            return None;
        }
    };
    // Without a scheme nothing of the kubeconfig is for TLS, as in client-go's clientcmd. What a program sets may be.
    problems.check(&place, server::parse(text))
}

fn tls(cluster: &Located<'_, Cluster>, overrides: &Overrides, problems: &mut Problems) -> TlsConfig {
    let value = cluster.value;
    // One of the three replaces all three, so that a CA of the file does not stand against an override.
    let (ca, insecure_skip_verify) = if overrides.insecure_skip_tls_verify || overrides.certificate_authority.is_some()
    {
        let ca = overrides.certificate_authority.clone();
        (ca.map(|ca| (overrides::label("certificate_authority"), ca)), overrides.insecure_skip_tls_verify)
    } else {
        let file = value.certificate_authority.as_ref();
        let data = value.certificate_authority_data.as_ref();
        let ca = cluster.pem("certificate-authority", file, data, problems);
        (ca.ok().flatten(), value.insecure_skip_tls_verify == Some(true))
    };
    if let Some((place, ca)) = &ca {
        problems.check(place, ca.ca());
        if insecure_skip_verify {
            problems.add(format!(
                "{cluster}: insecure-skip-tls-verify makes no sense with a certificate-authority; remove one"
            ));
        }
    }
    // Another server has another name.
    let server_name = match &overrides.tls_server_name {
        None if overrides.server.is_none() => non_empty(value.tls_server_name.as_ref()).map(str::to_owned),
        name => name.clone(),
    };
    TlsConfig { ca: ca.map(|(_, ca)| ca), insecure_skip_verify, server_name, identity: None }
}

fn proxy(cluster: &Located<'_, Cluster>, overrides: &Overrides, problems: &mut Problems) -> Proxy {
    if let Some(proxy) = &overrides.proxy {
        return proxy.clone();
    }
    let configured = non_empty(cluster.value.proxy_url.as_ref());
    let url = configured.and_then(|url| problems.check(&format!("{cluster}: proxy-url"), ProxyUrl::parse(url)));
    url.map(Proxy::Url).unwrap_or_default()
}

fn impersonate(user: &Located<'_, User>, overrides: &Overrides, problems: &mut Problems) -> Option<Impersonation> {
    let value = user.value;
    let asked = overrides.impersonate.clone();
    let text = |asked: String, field: Option<&String>| {
        if asked.is_empty() { non_empty(field).unwrap_or_default().to_owned() } else { asked }
    };
    let uid = text(asked.uid.unwrap_or_default(), value.as_uid.as_ref());
    let groups = if asked.groups.is_empty() { value.as_groups.0.clone() } else { asked.groups };
    let mut extra = asked.extra;
    for (key, values) in value.as_user_extra.iter().flatten() {
        extra.entry(key.clone()).or_insert_with(|| values.0.clone());
    }
    let impersonation = Impersonation {
        user: text(asked.user, value.r#as.as_ref()),
        uid: Some(uid).filter(|uid| !uid.is_empty()),
        groups,
        extra,
    };
    if impersonation == Impersonation::default() {
        return None;
    }
    if impersonation.user.is_empty() {
        problems
            .add(format!("{user}: as-uid, as-groups and as-user-extra need a user to act as; set as, or remove them"));
    }
    Some(impersonation)
}
