//! What a plugin is told: the `ExecCredential` in `KUBERNETES_EXEC_INFO`.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::api_version;
use crate::{
    config::{Config, ExecApiVersion, ExecConfig, Proxy},
    error::Result,
};

pub(super) fn exec_info(version: ExecApiVersion, cluster: Option<&Value>, interactive: bool) -> String {
    let mut spec = json!({ "interactive": interactive });
    if let Some(cluster) = cluster {
        spec["cluster"] = cluster.clone();
    }
    json!({ "apiVersion": api_version(version), "kind": "ExecCredential", "spec": spec }).to_string()
}

/// `spec.cluster`: what the plugin needs to talk to the API server itself. What is not set is left out.
pub(super) fn cluster(exec: &ExecConfig, config: &Config) -> Result<Value> {
    let mut cluster = Map::new();
    let mut tell = |name: &str, value: Value| cluster.insert(name.to_owned(), value);
    tell("server", config.server_url()?.to_string().trim_end_matches('/').into());
    if let Some(name) = &config.tls.server_name {
        tell("tls-server-name", name.as_str().into());
    }
    if config.tls.insecure_skip_verify {
        tell("insecure-skip-tls-verify", true.into());
    }
    if let Some(ca) = &config.tls.ca {
        tell("certificate-authority-data", BASE64_STANDARD.encode(ca.read()?.expose_secret()).into());
    }
    if let Proxy::Url(proxy) = &config.proxy {
        let uri = proxy.to_string();
        let url = match (proxy.login(), uri.split_once("://")) {
            (Some((user, password)), Some((scheme, host))) => {
                format!("{scheme}://{}:{}@{host}", in_url(user), in_url(password.expose_secret()))
            }
            _ => uri,
        };
        tell("proxy-url", url.into());
    }
    if config.disable_compression {
        tell("disable-compression", true.into());
    }
    if let Some(extension) = &exec.cluster_extension {
        tell("config", extension.clone());
    }
    Ok(Value::Object(cluster))
}

fn in_url(text: &str) -> impl std::fmt::Display {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}
