//! The requests that came.

use std::{collections::VecDeque, fmt, sync::OnceLock, time::Duration};

use bytes::Bytes;
use k8s_client_runtime::{http::Method, k8s_openapi::serde::de::DeserializeOwned};
use serde_json::Value;

use super::Fault;
use crate::{model::Model, protobuf, server::FakeServer};

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
    /// `deletecollection`. `None` if the path is not that of a resource.
    pub verb: Option<&'static str>,
    /// The group of the resource; empty for the core group.
    pub group: String,
    /// The version of the resource, such as `v1`.
    pub version: String,
    /// The resource's plural, such as `deployments`; empty if the path is not that of a resource.
    pub resource: String,
    /// The subresource, such as `status`.
    pub subresource: Option<String>,
    /// The namespace that the path names.
    pub namespace: Option<String>,
    /// The object that the path names.
    pub name: Option<String>,
    /// Who sent it, as it calls itself: the header `User-Agent`.
    pub user_agent: String,
    /// The media type of the body.
    pub content_type: String,
    pub(crate) sent: SentBody,
    /// How long after the server's start it came, whatever the server's clock shows.
    pub at: Duration,
    /// What went wrong with it because a test or a simulation wanted that.
    pub fault: Option<Fault>,
    /// The code of the answer; `None` for a request that was dropped.
    pub code: Option<u16>,
}

impl RecordedRequest {
    /// Whether it writes.
    pub fn is_write(&self) -> bool {
        self.verb.is_some_and(|verb| !matches!(verb, "get" | "list" | "watch"))
    }

    /// The body as JSON, also if it came as protobuf; null if there is none, or if it is neither.
    pub fn body(&self) -> &Value {
        self.sent.json()
    }

    /// The object that it is about, named by the path or by what is created.
    pub(crate) fn object_name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| self.body()["metadata"]["name"].as_str())
    }

    /// The body as a type: what a program has sent.
    ///
    /// ```
    /// # use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = k8s_client_fake::FakeServer::new();
    /// # let settings = serde_json::json!({"metadata": {"name": "settings"}, "data": {"color": "blue"}});
    /// # let path = "/api/v1/namespaces/default/configmaps";
    /// # server.client()?.post().abs_path(path).json(&settings).send().await?;
    /// let sent: ConfigMap = server.requests()[0].object()?;
    /// assert_eq!(sent.data.unwrap()["color"], "blue");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// When the body is not of the type.
    pub fn object<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(self.body())
    }
}

/// A body as it came. It is read when somebody looks at it, which hardly anybody does.
#[derive(Clone)]
pub(crate) struct SentBody {
    bytes: Bytes,
    model: &'static Model,
    json: OnceLock<Value>,
}

impl SentBody {
    pub(crate) fn new(bytes: Bytes, model: &'static Model) -> Self {
        Self { bytes, model, json: OnceLock::new() }
    }

    fn json(&self) -> &Value {
        let read = || protobuf::json(&self.bytes, self.model).or_else(|| serde_json::from_slice(&self.bytes).ok());
        self.json.get_or_init(|| read().unwrap_or_default())
    }
}

impl PartialEq for SentBody {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl fmt::Debug for SentBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.json().fmt(f)
    }
}

/// The requests that came, numbered from 0.
#[derive(Debug)]
pub(crate) struct Requests {
    kept: VecDeque<RecordedRequest>,
    /// The number of the first one that is kept.
    first: u64,
    /// How many are kept.
    limit: usize,
}

impl Default for Requests {
    fn default() -> Self {
        Self { kept: VecDeque::new(), first: 0, limit: usize::MAX }
    }
}

impl Requests {
    /// Keeps no more than the last ones, so many.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Keeps a request, and returns its number.
    pub(crate) fn push(&mut self, request: RecordedRequest) -> u64 {
        if self.kept.len() >= self.limit {
            self.kept.pop_front();
            self.first += 1;
        }
        self.kept.push_back(request);
        self.first + self.kept.len() as u64 - 1
    }

    /// The one of a number, if it is still kept.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut RecordedRequest> {
        self.kept.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// How many came.
    pub(crate) fn count(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn take(&mut self) -> Vec<RecordedRequest> {
        self.first += self.kept.len() as u64;
        std::mem::take(&mut self.kept).into()
    }
}

/// A line that says what it was: `create configmaps default/settings`.
impl fmt::Display for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(verb) = self.verb else { return write!(f, "{} {}", self.method, self.path) };
        write!(f, "{verb} {}", self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(subresource) = &self.subresource {
            write!(f, "/{subresource}")?;
        }
        match (&self.namespace, self.object_name()) {
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
        self.state().requests.kept.iter().cloned().collect()
    }

    /// The same, and then there are none.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.state().requests.take()
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
        let state = self.state();
        state.requests.kept.iter().filter(|request| request.is_write()).map(ToString::to_string).collect()
    }
}
