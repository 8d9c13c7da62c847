//! What a program asks for instead of what the kubeconfig says: client-go's `ConfigOverrides`.

use std::{fmt, path::absolute};

use secrecy::{ExposeSecret, SecretString};

use crate::config::{Impersonation, PemSource, Proxy, server::without_credentials};

/// Values set on a [`ConfigLoader`](crate::config::ConfigLoader). Texts that are empty change nothing, as in client-go.
#[derive(Clone, Default)]
pub(in crate::config) struct Overrides {
    pub(in crate::config) context: Option<String>,
    pub(in crate::config) cluster: Option<String>,
    pub(in crate::config) user: Option<String>,
    pub(in crate::config) namespace: Option<String>,
    pub(in crate::config) server: Option<String>,
    pub(in crate::config) tls_server_name: Option<String>,
    pub(in crate::config) insecure_skip_tls_verify: bool,
    pub(in crate::config) certificate_authority: Option<PemSource>,
    pub(in crate::config) client_certificate: Option<PemSource>,
    pub(in crate::config) client_key: Option<PemSource>,
    pub(in crate::config) token: Option<SecretString>,
    pub(in crate::config) username: Option<String>,
    pub(in crate::config) password: Option<SecretString>,
    pub(in crate::config) timeout: Option<String>,
    pub(in crate::config) proxy: Option<Proxy>,
    pub(in crate::config) disable_compression: bool,
    pub(in crate::config) impersonate: Impersonation,
}

impl fmt::Debug for Overrides {
    /// A server's URL may hold a login, which is refused only when it is loaded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            context,
            cluster,
            user,
            namespace,
            server,
            tls_server_name,
            insecure_skip_tls_verify,
            certificate_authority,
            client_certificate,
            client_key,
            token,
            username,
            password,
            timeout,
            proxy,
            disable_compression,
            impersonate,
        } = self;
        f.debug_struct("Overrides")
            .field("context", context)
            .field("cluster", cluster)
            .field("user", user)
            .field("namespace", namespace)
            .field("server", &server.as_deref().map(without_credentials))
            .field("tls_server_name", tls_server_name)
            .field("insecure_skip_tls_verify", insecure_skip_tls_verify)
            .field("certificate_authority", certificate_authority)
            .field("client_certificate", client_certificate)
            .field("client_key", client_key)
            .field("token", token)
            .field("username", username)
            .field("password", password)
            .field("timeout", timeout)
            .field("proxy", proxy)
            .field("disable_compression", disable_compression)
            .field("impersonate", impersonate)
            .finish()
    }
}

impl Overrides {
    /// Whether they say by themselves which server is meant, so that no context need do so.
    pub(in crate::config) fn name_a_server(&self) -> bool {
        self.server.is_some() || self.cluster.is_some()
    }

    /// Whether they name an entry of a kubeconfig or a server, so that a pod's service account is not what is meant.
    pub(in crate::config) fn want_a_kubeconfig(&self) -> bool {
        self.context.is_some() || self.user.is_some() || self.name_a_server()
    }
}

/// PEM of an override. Relative paths mean the working directory as it is now.
pub(in crate::config) fn pem(source: PemSource) -> PemSource {
    match source {
        PemSource::File(path) => PemSource::File(absolute(&path).unwrap_or(path)),
        text @ PemSource::Text(_) => text,
    }
}

/// Text that is not empty.
pub(in crate::config) fn text(value: impl Into<String>) -> Option<String> {
    Some(value.into()).filter(|value| !value.is_empty())
}

/// A secret that is not empty.
pub(in crate::config) fn secret(value: SecretString) -> Option<SecretString> {
    Some(value).filter(|value| !value.expose_secret().is_empty())
}

/// How errors name an override.
pub(in crate::config) fn label(name: &str) -> String {
    format!("{name} given to the loader")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_server_has_no_login() {
        let overrides = Overrides { server: text("https://me:hunter2@host:6443"), ..Overrides::default() };
        let shown = format!("{overrides:?}");
        assert!(shown.contains("host:6443") && !shown.contains("hunter2"), "{shown}");
    }
}
