//! The requests that came.

use k8s_client_runtime::http::Method;
use serde_json::Value;

use crate::server::FakeServer;

/// A request that a [`FakeServer`] was sent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: Method,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The query as it was sent; empty if there was none.
    pub query: String,
    /// What it does, in the words of RBAC: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or
    /// `deletecollection`. `None` for what is no resource's.
    pub verb: Option<&'static str>,
    /// The group of the resource; empty for the core group.
    pub group: String,
    /// The version of the resource, such as `v1`.
    pub version: String,
    /// The resource's plural, such as `deployments`; empty for what is no resource's.
    pub resource: String,
    /// The subresource, such as `status`.
    pub subresource: Option<String>,
    /// The namespace that the path names.
    pub namespace: Option<String>,
    /// The object that the path names.
    pub name: Option<String>,
    /// The media type of the body.
    pub content_type: String,
    /// The body as JSON; null if there is none, or it is none.
    pub body: Value,
    /// The code of the answer; `None` for a request that was dropped.
    pub code: Option<u16>,
}

impl RecordedRequest {
    /// Whether it writes.
    pub fn is_write(&self) -> bool {
        self.verb.is_some_and(|verb| !matches!(verb, "get" | "list" | "watch"))
    }
}

/// A line that says what it was: `create configmaps default/settings`.
impl std::fmt::Display for RecordedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(verb) = self.verb else { return write!(f, "{} {}", self.method, self.path) };
        write!(f, "{verb} {}", self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(subresource) = &self.subresource {
            write!(f, "/{subresource}")?;
        }
        let of_body = self.body["metadata"]["name"].as_str();
        match (&self.namespace, self.name.as_deref().or(of_body)) {
            (Some(namespace), Some(name)) => write!(f, " {namespace}/{name}"),
            (Some(place), None) => write!(f, " {place}/"),
            (None, Some(name)) => write!(f, " {name}"),
            (None, None) => Ok(()),
        }
    }
}

impl FakeServer {
    /// The requests that came since the start, or since they were last taken away, in their order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().requests.clone()
    }

    /// The same, and then there are none.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut self.state().requests)
    }

    /// The lines of the requests that wrote: what a test most often compares.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = k8s_client_fake::FakeServer::new();
    /// let path = "/api/v1/namespaces/default/configmaps/settings";
    /// let _ = server.client()?.delete().abs_path(path).send().await;
    /// assert_eq!(server.writes(), ["delete configmaps default/settings"]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn writes(&self) -> Vec<String> {
        self.state().requests.iter().filter(|request| request.is_write()).map(ToString::to_string).collect()
    }
}
