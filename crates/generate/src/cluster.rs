//! A running API server as source: the one way in which the command and the workspace's own tasks read one. Not covered
//! by semver.

use std::path::Path;

use k8s_client_codegen::Error;
use k8s_client_runtime::{Config, RestClient};
use serde_json::Value;
use tokio::runtime::Runtime;

/// A server that answers one request after the other.
#[derive(Debug)]
pub struct Server {
    name: String,
    runtime: Runtime,
    client: RestClient,
}

/// What the server calls the definitions.
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

impl Server {
    /// A client of the server that the kubeconfig and its context choose, or what client-go would take without them.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be read, or has no such context.
    pub fn connect(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Self, Error> {
        let mut loader = Config::loader();
        if let Some(path) = kubeconfig {
            loader = loader.kubeconfig(path);
        }
        if let Some(name) = context {
            loader = loader.context(name);
        }
        let wrong = |error: &dyn std::fmt::Display| Error::file("kubeconfig", error.to_string());
        let config = loader.load().map_err(|error| wrong(&error))?;
        let name = config.server_url().map_err(|error| wrong(&error))?.to_string();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| wrong(&error))?;
        // What a client does beside its requests are tasks of the runtime that it was made in.
        let client = runtime.block_on(async { RestClient::new(&config) }).map_err(|error| wrong(&error))?;
        Ok(Self { name: name.trim_end_matches('/').to_owned(), runtime, client })
    }

    /// What messages call the server: its URL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The body of `GET <path>`.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses it; the message has both.
    pub fn get(&self, path: &str) -> Result<String, Error> {
        let request = self.client.get().abs_path(path).header("Accept", "application/json");
        let body = self.runtime.block_on(async { request.send().await?.bytes().await });
        let body = body.map_err(|error| Error::file(&self.name, error.to_string()))?;
        String::from_utf8(body.to_vec()).map_err(|_| Error::at(&self.name, path, "the answer is not UTF-8"))
    }

    /// The list of all definitions that the server has.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn definitions(&self) -> Result<Value, Error> {
        let text = self.get(DEFINITIONS)?;
        serde_json::from_str(&text)
            .map_err(|error| Error::at(&self.name, DEFINITIONS, format!("the answer is not JSON: {error}")))
    }
}
