//! Who a user of a kubeconfig is: certificate, token, password, plugin or provider.

use secrecy::SecretString;

use super::{
    entries::{AuthProvider, Cluster, Exec, User},
    located::{Located, Problems},
    overrides::{self, Overrides},
};
use crate::{
    config::{
        ClientIdentity, Credentials, ExecApiVersion, ExecConfig, InteractiveMode, OidcConfig, OidcOrigin, PemSource,
    },
    error::Error,
    file,
    text::{Keep, non_empty, printable},
};

/// The client certificate. Each half that is overridden replaces its file and its data.
pub(super) fn identity(
    user: &Located<'_, User>,
    overrides: &Overrides,
    problems: &mut Problems,
) -> Option<ClientIdentity> {
    let value = user.value;
    let certificate = if let Some(pem) = &overrides.client_certificate {
        Ok(Some((overrides::label("client_certificate"), pem.clone())))
    } else {
        let (file, data) = (value.client_certificate.as_ref(), value.client_certificate_data.as_ref());
        user.pem("client-certificate", file, data, problems)
    };
    let key = match &overrides.client_key {
        Some(pem) => Ok(Some((overrides::label("client_key"), pem.clone()))),
        None => user.pem("client-key", value.client_key.as_ref(), value.client_key_data.as_ref(), problems),
    };
    let (Ok(certificate), Ok(key)) = (certificate, key) else {
        return None;
    };
    match (certificate, key) {
        (Some((certificate_place, certificate)), Some((key_place, key))) => {
            problems.check(&certificate_place, certificate.certificates());
            problems.check(&key_place, key.private_key());
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

/// What is sent as `Authorization`. A token and a password go before a plugin and a provider; a certificate goes before
/// a plugin.
pub(super) fn credentials(
    user: &Located<'_, User>,
    cluster: &Located<'_, Cluster>,
    overrides: &Overrides,
    has_identity: bool,
    to_tls: bool,
    problems: &mut Problems,
) -> Credentials {
    let value = user.value;
    let exec = value.exec.as_ref().and_then(|exec| exec_config(user, exec, cluster, problems));
    if value.exec.is_some() && value.auth_provider.is_some() {
        problems.add(format!("{user}: exec and auth-provider are both set; remove one"));
    }
    // Without TLS none of it is used, and a provider that is not there is no harm.
    let oidc = value.auth_provider.as_ref().filter(|_| to_tls).and_then(|provider| oidc(user, provider, problems));
    if let Some(inline) = inline_credentials(user, overrides, problems) {
        return inline;
    }
    match (exec, oidc) {
        (Some(exec), _) if !has_identity => Credentials::Exec(exec),
        (_, Some(oidc)) => Credentials::Oidc(oidc),
        _ => Credentials::None,
    }
}

/// A token, a file with one, or a user name and a password.
fn inline_credentials(user: &Located<'_, User>, overrides: &Overrides, problems: &mut Problems) -> Option<Credentials> {
    let value = user.value;
    let (file, token) = match &overrides.token {
        Some(token) => (None, Some(token.clone())),
        None => (
            non_empty(value.token_file.as_ref()).map(|file| user.resolve(file)),
            non_empty(value.token.as_ref()).map(SecretString::from),
        ),
    };
    let username = overrides.username.as_deref().or(non_empty(value.username.as_ref()));
    let password = overrides.password.clone().or_else(|| non_empty(value.password.as_ref()).map(SecretString::from));
    let basic = username.is_some() || password.is_some();
    if basic && (token.is_some() || file.is_some()) {
        problems.add(format!("{user}: token and username are both set, only one can be sent; remove one"));
    }
    match (file, token) {
        (Some(path), fallback) => {
            if fallback.is_none() {
                let opened = file::open(&path);
                let opened = opened.map_err(|error| Error::config(file::shown(&path)).with_source(error));
                problems.check(&format!("{user}: tokenFile"), opened);
            }
            Some(Credentials::TokenFile { path, fallback })
        }
        (None, Some(token)) => Some(Credentials::Bearer(token)),
        (None, None) if basic => Some(Credentials::Basic {
            username: username.unwrap_or_default().to_owned(),
            password: password.unwrap_or_default(),
        }),
        (None, None) => None,
    }
}

const EXEC_GROUP: &str = "client.authentication.k8s.io";
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

fn exec_config(
    user: &Located<'_, User>,
    exec: &Exec,
    cluster: &Located<'_, Cluster>,
    problems: &mut Problems,
) -> Option<ExecConfig> {
    let api_version = exec_api_version(user, exec, problems);
    let interactive_mode = match (non_empty(exec.interactive_mode.as_ref()), api_version) {
        (Some("Never"), _) => Some(InteractiveMode::Never),
        (Some("IfAvailable"), _) | (None, Some(ExecApiVersion::V1Beta1)) => Some(InteractiveMode::IfAvailable),
        (Some("Always"), _) => Some(InteractiveMode::Always),
        (Some(mode), _) => {
            problems.add(format!("{user}: exec.interactiveMode: is {mode:?}; it must be Never, IfAvailable or Always"));
            None
        }
        (None, Some(_)) => {
            problems.add(format!(
                "{user}: exec.interactiveMode: must be set with {EXEC_GROUP}/v1; set Never, IfAvailable or Always"
            ));
            None
        }
        (None, None) => None,
    };
    let Some(command) = non_empty(exec.command.as_ref()) else {
        problems.add(format!("{user}: exec.command: is missing; name the program to run"));
        return None;
    };
    let mut config = ExecConfig::new(exec_command(user, command));
    for variable in &exec.env.0 {
        match non_empty(variable.name.as_ref()) {
            Some(name) => {
                let value = SecretString::from(variable.value.as_deref().unwrap_or_default());
                config.env.push((name.to_owned(), value));
            }
            None => problems.add(format!("{user}: exec.env: has a variable without a name")),
        }
    }
    config.args.clone_from(&exec.args.0);
    config.api_version = api_version?;
    config.interactive_mode = interactive_mode?;
    config.install_hint = non_empty(exec.install_hint.as_ref()).map(|hint| printable(hint, Keep::Lines).into_owned());
    config.provide_cluster_info = exec.provide_cluster_info.unwrap_or_default();
    config.cluster_extension = cluster
        .value
        .extensions
        .iter()
        .flatten()
        .flatten()
        .find(|extension| extension.name.as_deref() == Some(EXEC_EXTENSION))
        .and_then(|extension| extension.extension.clone());
    Some(config)
}

fn exec_api_version(user: &Located<'_, User>, exec: &Exec, problems: &mut Problems) -> Option<ExecApiVersion> {
    let Some(version) = non_empty(exec.api_version.as_ref()) else {
        problems.add(format!("{user}: exec.apiVersion: is missing; set {EXEC_GROUP}/v1 or the one the plugin speaks"));
        return None;
    };
    match version.strip_prefix(EXEC_GROUP).and_then(|rest| rest.strip_prefix('/')) {
        Some("v1") => Some(ExecApiVersion::V1),
        Some("v1beta1") => Some(ExecApiVersion::V1Beta1),
        Some("v1alpha1") => {
            problems.add(format!(
                "{user}: exec.apiVersion: {EXEC_GROUP}/v1alpha1 has been removed from Kubernetes; update the plugin and set \
                 {EXEC_GROUP}/v1 or v1beta1"
            ));
            None
        }
        _ => {
            problems
                .add(format!("{user}: exec.apiVersion: is {version:?}; only {EXEC_GROUP}/v1 and v1beta1 are known"));
            None
        }
    }
}

/// A bare name is looked for in `$PATH`; anything with a folder in it is relative to the kubeconfig.
fn exec_command(user: &Located<'_, User>, command: &str) -> String {
    if command.contains(std::path::MAIN_SEPARATOR) {
        user.resolve(command).to_string_lossy().into_owned()
    } else {
        command.to_owned()
    }
}

fn oidc(user: &Located<'_, User>, provider: &AuthProvider, problems: &mut Problems) -> Option<OidcConfig> {
    let name = non_empty(provider.name.as_ref()).unwrap_or_default();
    let instead = match name {
        "oidc" => None,
        "gcp" => Some("; use the exec plugin gke-gcloud-auth-plugin instead"),
        "azure" => Some("; use the exec plugin kubelogin instead"),
        _ => {
            problems.add(format!("{user}: auth-provider: {name:?} is unknown; oidc is the only one"));
            return None;
        }
    };
    if let Some(instead) = instead {
        problems.add(format!("{user}: auth-provider: {name} has been removed from Kubernetes{instead}"));
        return None;
    }
    let field = |name: &str| {
        let value = provider.config.as_ref().and_then(|config| config.get(name)).and_then(Option::as_ref);
        non_empty(value)
    };
    let mut required = |name: &str| {
        let value = field(name);
        if value.is_none() {
            problems.add(format!("{user}: auth-provider.config.{name}: is missing"));
        }
        value
    };
    let (issuer_url, client_id) = (required("idp-issuer-url"), required("client-id"));
    let ca = user.pem(
        "idp-certificate-authority",
        field("idp-certificate-authority").map(str::to_owned).as_ref(),
        field("idp-certificate-authority-data").map(str::to_owned).as_ref(),
        problems,
    );
    let ca = ca.ok().flatten();
    if let Some((place, ca)) = &ca {
        problems.check(place, ca.ca());
    }
    let mut config = OidcConfig::new(issuer_url?, client_id?);
    config.client_secret = field("client-secret").map(SecretString::from);
    config.id_token = field("id-token").map(SecretString::from);
    config.refresh_token = field("refresh-token").map(SecretString::from);
    config.ca = ca.map(|(_, ca): (String, PemSource)| ca);
    config.origin = user.file().map(|file| OidcOrigin { file: file.to_owned(), user: user.name().to_owned() });
    Some(config)
}
