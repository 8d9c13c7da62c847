//! Kubeconfigs as people have them, and what client-go makes of them.

mod clusters;
mod editing;
mod format;
mod loading;
mod overrides;
mod pods;
mod properties;
mod users;
mod variables;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::{environment::Environment, *};
use crate::error::ErrorKind;

/// Two clusters, two users and three contexts.
const COMPLETE: &str = r"
apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: prod
clusters:
- name: prod
  cluster: {server: 'https://prod.example:6443/prefix', tls-server-name: api.internal, extensions: []}
- name: local
  cluster: {server: http://localhost:8080}
users:
- name: me
  user: {token: sesame}
- name: admin
  user: {username: admin, password: hunter2}
contexts:
- name: prod
  context: {cluster: prod, user: me, namespace: shop}
- name: admin
  context: {cluster: prod, user: admin}
- name: local
  context: {cluster: local, user: me}
";

/// What an OpenID Connect provider must have.
const OIDC: &str = "idp-issuer-url: 'https://idp', client-id: me";

fn loaded(text: &str) -> Config {
    Config::from_kubeconfig_text(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn refused(text: &str) -> String {
    let error = Config::from_kubeconfig_text(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

/// A kubeconfig of one context with the given fields, in flow style, of its cluster and its user.
fn single(cluster: &str, user: &str) -> String {
    format!(
        "{{current-context: x, contexts: [{{name: x, context: {{cluster: c, user: u}}}}], \
         clusters: [{{name: c, cluster: {{{cluster}}}}}], users: [{{name: u, user: {{{user}}}}}]}}"
    )
}

struct Pem {
    certificate: String,
    key: String,
}

impl Pem {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }
}

fn token(config: &Config) -> &str {
    match &config.credentials {
        Credentials::Bearer(token) => token.expose_secret(),
        other => panic!("{other:?}"),
    }
}

/// The environment of a process outside of a cluster.
fn outside(home: &Path, list: Option<OsString>) -> Environment {
    Environment::of([("HOME", home.into()), ("KUBECONFIG", list.unwrap_or_default())], PathBuf::from("/nonexistent"))
}

fn list(paths: &[&Path]) -> OsString {
    std::env::join_paths(paths).unwrap()
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}
