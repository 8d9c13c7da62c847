//! Definitions from a running cluster.

use std::path::Path;

use k8s_client_runtime::{Config, RestClient};
use serde_json::Value;

use crate::Result;

/// The list of all definitions that a server has, and how messages call it.
pub(crate) fn definitions(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<(String, Value)> {
    let mut loader = Config::loader();
    if let Some(path) = kubeconfig {
        loader = loader.kubeconfig(path);
    }
    if let Some(name) = context {
        loader = loader.context(name);
    }
    let config = loader.load()?;
    let server = config.server_url()?.to_string();
    let client = RestClient::new(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let request = client.get().group_version("apiextensions.k8s.io", "v1").resource("customresourcedefinitions");
    let list: Value = runtime.block_on(async { request.send().await?.json().await })?;
    Ok((server, list))
}
