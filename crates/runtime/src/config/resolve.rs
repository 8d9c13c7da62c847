//! From a context of a kubeconfig to a [`Config`]: what is contradictory, malformed or not supported is an error.

use std::path::{Path, PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::uri::Scheme;
use secrecy::SecretString;

use super::{
    ClientIdentity, Config, ConfigSource, Credentials, PemSource, TlsConfig,
    kubeconfig::{Cluster, Entries, Entry, Kubeconfig, User, describe_file, describe_files, given},
    server,
};
use crate::error::{Error, Result};

/// Makes a [`Config`] of the named context, or of the current one.
pub(super) fn resolve(kubeconfig: &Kubeconfig, context: Option<&str>) -> Result<Config> {
    let files = describe_files(&kubeconfig.files);
    let name = context.or(kubeconfig.current_context.as_deref()).ok_or_else(|| no_current_context(kubeconfig))?;
    let context = find(&kubeconfig.contexts, "context", name, &files)?;
    let in_context = |what: String| format!("{}: context {name:?}: {what}", describe_file(context.file.as_deref()));

    let mut problems = Problems::default();
    let cluster_name = given(context.value.cluster.as_ref());
    let cluster = match cluster_name.map(|name| find(&kubeconfig.clusters, "cluster", name, &files)) {
        Some(Ok(cluster)) => Some(cluster),
        Some(Err(error)) => {
            problems.add(in_context(error.to_string()));
            None
        }
        None => {
            problems.add(in_context("names no cluster".to_owned()));
            None
        }
    };
    // A context without a user is a context for anonymous requests.
    let user_name = given(context.value.user.as_ref());
    let user = match user_name.map(|name| find(&kubeconfig.users, "user", name, &files)) {
        Some(Ok(user)) => Some(Place::new("user", user_name.unwrap_or_default(), user)),
        Some(Err(error)) => {
            problems.add(in_context(error.to_string()));
            None
        }
        None => None,
    };
    let cluster = cluster.map(|cluster| Place::new("cluster", cluster_name.unwrap_or_default(), cluster));
    let config = cluster.and_then(|cluster| join(&cluster, user.as_ref(), &mut problems));

    let mut config = problems.or(config)?;
    if let Some(namespace) = given(context.value.namespace.as_ref()) {
        namespace.clone_into(&mut config.default_namespace);
    }
    config.source = ConfigSource::Kubeconfig { context: name.to_owned(), files: kubeconfig.files.clone() };
    Ok(config)
}

fn find<'a, T>(entries: &'a Entries<T>, kind: &str, name: &str, files: &str) -> Result<&'a Entry<T>> {
    entries.get(name).ok_or_else(|| {
        Error::config(format!("{kind} {name:?} does not exist in {files}; {}", what_there_is(entries.keys())))
    })
}

fn no_current_context(kubeconfig: &Kubeconfig) -> Error {
    let files = describe_files(&kubeconfig.files);
    if kubeconfig.is_empty() {
        return Error::config(format!("{files}: no configuration has been provided: the kubeconfig is empty"));
    }
    let there_is = what_there_is(kubeconfig.contexts.keys());
    Error::config(format!("{files}: no current-context is set, and none was asked for; {there_is}"))
}

fn what_there_is<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.map(String::as_str).collect();
    if names.is_empty() { "it has none".to_owned() } else { format!("it has: {}", names.join(", ")) }
}

fn join(cluster: &Place<'_, Cluster>, user: Option<&Place<'_, User>>, problems: &mut Problems) -> Option<Config> {
    let Some(server) = given(cluster.value.server.as_ref()) else {
        problems.add(format!("{cluster}: no server found for cluster {:?}; set its server field", cluster.name));
        return None;
    };
    if given(cluster.value.proxy_url.as_ref()).is_some() {
        problems.add(cluster.unsupported("proxy-url"));
    }
    if let Some(user) = user {
        refuse_impersonation(user, problems);
    }
    let server = match server::parse(server, uses_tls(cluster.value, user.map(|user| user.value))) {
        Ok(server) => server,
        Err(error) => {
            problems.add(format!("{cluster}: {error}"));
            return None;
        }
    };
    let mut config = Config::at(server);
    if config.server.scheme() != Some(&Scheme::HTTPS) {
        // As client-go: no secret travels in the clear.
        if user.is_some_and(|user| has_credentials(user.value)) {
            tracing::warn!(server = %config.server, "credentials are not sent to a server without TLS");
        }
        return Some(config);
    }
    config.tls = tls(cluster, problems);
    if let Some(user) = user {
        config.tls.identity = identity(user, problems);
        config.credentials = credentials(user, problems);
    }
    Some(config)
}

fn uses_tls(cluster: &Cluster, user: Option<&User>) -> bool {
    let of_cluster = [&cluster.certificate_authority, &cluster.certificate_authority_data];
    let of_user = user.map(|user| [&user.client_certificate, &user.client_certificate_data]);
    cluster.insecure_skip_tls_verify == Some(true)
        || of_cluster.into_iter().chain(of_user.into_iter().flatten()).any(|field| given(field.as_ref()).is_some())
}

fn has_credentials(user: &User) -> bool {
    [&user.token, &user.token_file, &user.username, &user.client_certificate, &user.client_certificate_data]
        .into_iter()
        .any(|field| given(field.as_ref()).is_some())
        || user.exec.is_some()
        || user.auth_provider.is_some()
}

fn tls(cluster: &Place<'_, Cluster>, problems: &mut Problems) -> TlsConfig {
    let Cluster { certificate_authority, certificate_authority_data, .. } = cluster.value;
    let ca = cluster.pem(
        "certificate-authority",
        certificate_authority.as_ref(),
        certificate_authority_data.as_ref(),
        problems,
    );
    let ca = ca.unwrap_or_default();
    let insecure_skip_verify = cluster.value.insecure_skip_tls_verify.unwrap_or_default();
    if insecure_skip_verify && ca.is_some() {
        problems.add(format!(
            "{cluster}: insecure-skip-tls-verify makes no sense with a certificate-authority; remove one"
        ));
    }
    if let Some((field, ca)) = &ca {
        problems.check(cluster, field, ca.certificates());
    }
    TlsConfig {
        ca: ca.map(|(_, ca)| ca),
        insecure_skip_verify,
        server_name: given(cluster.value.tls_server_name.as_ref()).map(str::to_owned),
        identity: None,
    }
}

fn identity(user: &Place<'_, User>, problems: &mut Problems) -> Option<ClientIdentity> {
    let value = user.value;
    let certificate = user.pem(
        "client-certificate",
        value.client_certificate.as_ref(),
        value.client_certificate_data.as_ref(),
        problems,
    );
    let key = user.pem("client-key", value.client_key.as_ref(), value.client_key_data.as_ref(), problems);
    let (Ok(certificate), Ok(key)) = (certificate, key) else {
        return None;
    };
    match (certificate, key) {
        (Some((certificate_field, certificate)), Some((key_field, key))) => {
            problems.check(user, &certificate_field, certificate.certificates());
            problems.check(user, &key_field, key.private_key());
            Some(ClientIdentity { certificate, key })
        }
        (Some(_), None) => {
            problems.add(format!("{user}: client-certificate without a client-key; set client-key or client-key-data"));
            None
        }
        (None, Some(_)) => {
            problems.add(format!(
                "{user}: client-key without a client-certificate; set client-certificate or client-certificate-data"
            ));
            None
        }
        (None, None) => None,
    }
}

fn credentials(user: &Place<'_, User>, problems: &mut Problems) -> Credentials {
    let value = user.value;
    for (field, present) in [("exec", value.exec.is_some()), ("auth-provider", value.auth_provider.is_some())] {
        if present {
            problems.add(user.unsupported(field));
        }
    }
    let token = given(value.token.as_ref()).map(|token| SecretString::from(token.to_owned()));
    let file = given(value.token_file.as_ref()).map(|file| user.resolve(file));
    let username = given(value.username.as_ref());
    let password = given(value.password.as_ref());
    let basic = username.is_some() || password.is_some();
    if basic && (token.is_some() || file.is_some()) {
        problems.add(format!("{user}: token and username are both set, only one can be sent; remove one"));
    }
    match (file, token) {
        (Some(path), fallback) => {
            if fallback.is_none() {
                let opened = std::fs::File::open(&path);
                problems.check(
                    user,
                    "tokenFile",
                    opened.map_err(|error| Error::config(path.display().to_string()).with_source(error)),
                );
            }
            Credentials::TokenFile { path, fallback }
        }
        (None, Some(token)) => Credentials::Bearer(token),
        (None, None) if basic => Credentials::Basic {
            username: username.unwrap_or_default().to_owned(),
            password: SecretString::from(password.unwrap_or_default().to_owned()),
        },
        (None, None) => Credentials::None,
    }
}

fn refuse_impersonation(user: &Place<'_, User>, problems: &mut Problems) {
    let value = user.value;
    for (field, present) in [
        ("as", given(value.r#as.as_ref()).is_some()),
        ("as-uid", given(value.as_uid.as_ref()).is_some()),
        ("as-groups", value.as_groups.as_ref().is_some_and(|groups| !groups.is_empty())),
        ("as-user-extra", value.as_user_extra.as_ref().is_some_and(|extra| !extra.is_empty())),
    ] {
        if present {
            problems.add(user.unsupported(field));
        }
    }
}

/// An entry and how to name it in an error: `/home/me/.kube/config: user "me"`.
struct Place<'a, T> {
    kind: &'static str,
    name: &'a str,
    file: Option<&'a Path>,
    value: &'a T,
}

impl<'a, T> Place<'a, T> {
    fn new(kind: &'static str, name: &'a str, entry: &'a Entry<T>) -> Self {
        Self { kind, name, file: entry.file.as_deref(), value: &entry.value }
    }

    fn unsupported(&self, field: &str) -> String {
        format!("{self}: {field} is not supported yet")
    }

    /// A path of the entry: relative ones are relative to the folder of their file.
    fn resolve(&self, path: &str) -> PathBuf {
        match self.file.and_then(Path::parent) {
            Some(folder) => folder.join(path),
            None => PathBuf::from(path),
        }
    }

    /// PEM from one of the two fields `name` and `name-data`, of which the latter wins; with the field's name.
    fn pem(
        &self,
        name: &str,
        path: Option<&String>,
        data: Option<&String>,
        problems: &mut Problems,
    ) -> Result<Option<(String, PemSource)>, Malformed> {
        if let Some(data) = given(data) {
            let field = format!("{name}-data");
            let compact: String = data.split_ascii_whitespace().collect();
            // Neither the text nor the decoder's error is shown: both may tell something of a key.
            let Ok(bytes) = BASE64_STANDARD.decode(compact) else {
                let hint = if data.contains("-----BEGIN") {
                    format!("; PEM goes into a file named by {name}")
                } else {
                    String::new()
                };
                problems.add(format!("{self}: {field}: is not base64{hint}"));
                return Err(Malformed);
            };
            return Ok(Some((field, PemSource::text(String::from_utf8_lossy(&bytes)))));
        }
        Ok(given(path).map(|path| (name.to_owned(), PemSource::File(self.resolve(path)))))
    }
}

impl<T> std::fmt::Display for Place<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {:?}", describe_file(self.file), self.kind, self.name)
    }
}

/// A field that is there and no good, which is among the [`Problems`] already.
struct Malformed;

/// All that is wrong, to be said at once.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, problem: String) {
        self.0.push(problem);
    }

    fn check<T, U>(&mut self, place: &Place<'_, T>, field: &str, result: Result<U>) {
        if let Err(error) = result {
            self.add(format!("{place}: {field}: {error}"));
        }
    }

    fn or<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::config(self.0.join("; "))),
        }
    }
}
