//! Which credentials a request had, for the error of a server that does not accept them.

use std::{fmt, sync::Arc};

use crate::{
    config::{Config, ConfigSource, Credentials, PemSource},
    file,
};

/// In the extensions of an answer, says in words which credentials the request had: never their value.
#[derive(Clone, Debug)]
pub(crate) struct SentWith(Arc<str>);

impl SentWith {
    /// What requests get by this configuration.
    pub(super) fn of(config: &Config) -> Self {
        let certificate = config.tls.identity.as_ref().map(|identity| match &identity.certificate {
            PemSource::File(path) => format!("the client certificate {}", file::shown(path)),
            PemSource::Text(_) => "a client certificate".to_owned(),
        });
        let authorization = match &config.credentials {
            Credentials::None => None,
            Credentials::Bearer(_) => Some("a bearer token".to_owned()),
            Credentials::TokenFile { path, .. } => Some(format!("the bearer token of {}", file::shown(path))),
            Credentials::Basic { username, .. } => Some(format!("the password of user name {username:?}")),
            Credentials::Exec(plugin) => Some(format!("the credentials that plugin {:?} printed", plugin.command)),
            Credentials::Oidc(oidc) => Some(format!("the token of OpenID Connect provider {:?}", oidc.issuer_url)),
        };
        let credentials = match (authorization, certificate) {
            (Some(authorization), Some(certificate)) => format!("{authorization} and {certificate}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "no credentials".to_owned(),
        };
        let source = match &config.source {
            ConfigSource::Kubeconfig(source) => match &source.user {
                Some(user) => format!("user {user:?}, {}", config.source),
                None => format!("no user, {}", config.source),
            },
            source => source.to_string(),
        };
        Self(format!("{credentials} (configured by {source})").into())
    }

    /// What a request has that brings an `Authorization` of its own.
    pub(super) fn own_header() -> Self {
        Self("an Authorization header of its own".into())
    }
}

impl fmt::Display for SentWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::config::{ClientIdentity, ExecConfig, OidcConfig};

    #[test]
    fn credentials_are_named_and_not_shown() {
        let secret = || SecretString::from("TOPSECRET");
        let mut exec = ExecConfig::new("aws\n");
        exec.args = vec!["TOPSECRET".to_owned()];
        let mut oidc = OidcConfig::new("https://issuer", "client");
        oidc.id_token = Some(secret());
        let identity = |certificate| ClientIdentity { certificate, key: PemSource::text("TOPSECRET") };
        for (credentials, identity, expected) in [
            (Credentials::None, None, "no credentials"),
            (Credentials::None, Some(identity(PemSource::File("/me.crt".into()))), "the client certificate /me.crt"),
            (Credentials::Bearer(secret()), None, "a bearer token"),
            (
                Credentials::TokenFile { path: "/token".into(), fallback: Some(secret()) },
                Some(identity(PemSource::text("TOPSECRET"))),
                "the bearer token of /token and a client certificate",
            ),
            (
                Credentials::Basic { username: "me".to_owned(), password: secret() },
                None,
                "the password of user name \"me\"",
            ),
            (Credentials::Exec(exec), None, "the credentials that plugin \"aws\\n\" printed"),
            (Credentials::Oidc(oidc), None, "the token of OpenID Connect provider \"https://issuer\""),
        ] {
            let mut config = Config::new("https://host").unwrap();
            config.tls.identity = identity;
            config.credentials = credentials;
            assert_eq!(SentWith::of(&config).to_string(), format!("{expected} (configured by the program)"));
        }
        let text = "{current-context: x, contexts: [{name: x, context: {cluster: c, user: me}}], \
                    clusters: [{name: c, cluster: {server: 'https://h'}}], users: [{name: me, user: {token: TOPSECRET}}]}";
        let config = Config::from_kubeconfig_text(text).unwrap();
        let expected = "a bearer token (configured by user \"me\", context \"x\" of kubeconfig)";
        assert_eq!(SentWith::of(&config).to_string(), expected);
    }
}
