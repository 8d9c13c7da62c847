//! The entries of a kubeconfig as they are written: clusters, users and contexts.
//!
//! Every field and every item of a list may be null, every field may be missing, and fields that nobody knows are
//! passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(in crate::config) struct Cluster {
    pub(in crate::config) server: Option<String>,
    pub(in crate::config) certificate_authority: Option<String>,
    pub(in crate::config) certificate_authority_data: Option<String>,
    pub(in crate::config) insecure_skip_tls_verify: Option<bool>,
    pub(in crate::config) tls_server_name: Option<String>,
    pub(in crate::config) proxy_url: Option<String>,
    pub(in crate::config) disable_compression: Option<bool>,
    pub(in crate::config) extensions: Option<Vec<Option<Extension>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct Extension {
    pub(in crate::config) name: Option<String>,
    pub(in crate::config) extension: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(in crate::config) struct User {
    pub(in crate::config) client_certificate: Option<String>,
    pub(in crate::config) client_certificate_data: Option<String>,
    pub(in crate::config) client_key: Option<String>,
    pub(in crate::config) client_key_data: Option<String>,
    pub(in crate::config) token: Option<String>,
    #[serde(rename = "tokenFile")]
    pub(in crate::config) token_file: Option<String>,
    pub(in crate::config) username: Option<String>,
    pub(in crate::config) password: Option<String>,
    pub(in crate::config) exec: Option<Exec>,
    pub(in crate::config) auth_provider: Option<AuthProvider>,
    pub(in crate::config) r#as: Option<String>,
    pub(in crate::config) as_uid: Option<String>,
    pub(in crate::config) as_groups: Items<String>,
    pub(in crate::config) as_user_extra: Option<BTreeMap<String, Items<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::config) struct Exec {
    pub(in crate::config) api_version: Option<String>,
    pub(in crate::config) command: Option<String>,
    pub(in crate::config) args: Items<String>,
    pub(in crate::config) env: Items<Variable>,
    pub(in crate::config) install_hint: Option<String>,
    pub(in crate::config) provide_cluster_info: Option<bool>,
    pub(in crate::config) interactive_mode: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct Variable {
    pub(in crate::config) name: Option<String>,
    pub(in crate::config) value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct AuthProvider {
    pub(in crate::config) name: Option<String>,
    pub(in crate::config) config: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct Context {
    pub(in crate::config) cluster: Option<String>,
    pub(in crate::config) user: Option<String>,
    pub(in crate::config) namespace: Option<String>,
}

/// A list. Null is an empty one, and null items are empty ones, as in client-go.
#[derive(Default)]
pub(in crate::config) struct Items<T>(pub(in crate::config) Vec<T>);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Option::<Vec<Option<T>>>::deserialize(deserializer)?;
        Ok(Self(items.into_iter().flatten().map(Option::unwrap_or_default).collect()))
    }
}
