//! A request, built step by step and checked before it is sent.

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use k8s_openapi::serde::Serialize;

use crate::{
    codec::{self, ApiResource, Codec, MediaType},
    rest::{CallKind, RestClient},
    transport::headers::is_secret,
};

mod path;
mod query;
mod send;
mod url;

use path::{check_name, push_path, push_segment};
pub(crate) use query::Query;
use send::AsJson;
use url::escaped;

/// One request to the API server, as client-go's `Request` builds it.
///
/// The setters never fail; what is wrong with a request is told when it is sent, before anything goes out. The typed
/// verbs of [`resource`](crate::resource) end here, and `into_request` of their builders gives it out.
///
/// ```no_run
/// # async fn example(client: k8s_client_runtime::RestClient) -> Result<(), k8s_client_runtime::Error> {
/// // A type of our own that reads only what we need of a large list.
/// #[derive(serde::Deserialize)]
/// struct Names { items: Vec<Named> }
/// #[derive(serde::Deserialize)]
/// struct Named { metadata: Name }
/// #[derive(serde::Deserialize)]
/// struct Name { name: String }
///
/// let pods: Names = client
///     .get()
///     .group_version("", "v1")
///     .namespace("default")
///     .resource("pods")
///     .query("labelSelector", "app=web")
///     .send()
///     .await?
///     .json()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    client: RestClient,
    method: Method,
    /// What stands before the namespace: `/api/v1`, `/apis/apps/v1`, or a whole path.
    prefix: String,
    namespace: Option<String>,
    resource: Option<Cow<'static, str>>,
    name: Option<String>,
    subresource: Option<Cow<'static, str>>,
    /// Segments after the subresource, kept with their slashes.
    suffix: String,
    query: Query,
    headers: HeaderMap,
    kind: CallKind,
    /// Whether the answer is that of somebody behind the server.
    proxied: bool,
    timeout: Option<Duration>,
    max_retries: Option<u32>,
    body: Bytes,
    /// The kind of `meta.k8s.io/v1` that the server is to make of objects.
    as_kind: Option<Cow<'static, str>>,
    /// Makes JSON of a body that is not, for a server that does not read it.
    as_json: Option<AsJson>,
    /// The first thing that was wrong.
    problem: Option<String>,
}

impl Request {
    pub(super) fn new(client: RestClient, method: Method) -> Self {
        Self {
            client,
            method,
            prefix: String::new(),
            namespace: None,
            resource: None,
            name: None,
            subresource: None,
            suffix: String::new(),
            query: Query::default(),
            headers: HeaderMap::new(),
            kind: CallKind::default(),
            proxied: false,
            timeout: None,
            max_retries: None,
            body: Bytes::new(),
            as_kind: None,
            as_json: None,
            problem: None,
        }
    }

    /// A request for a resource of the API.
    pub(crate) fn for_resource(client: &RestClient, method: Method, resource: &ApiResource) -> Self {
        client.verb(method).group_version(resource.group, resource.version).resource(resource.plural)
    }

    /// Sets the group and version: `("", "v1")` is the core group at `/api/v1`, all others are at
    /// `/apis/GROUP/VERSION`.
    pub fn group_version(mut self, group: &str, version: &str) -> Self {
        self.prefix.clear();
        self.prefix.push_str(if group.is_empty() { "/api" } else { "/apis" });
        for (what, segment) in [("API group", group), ("API version", version)] {
            if !segment.is_empty() {
                push_segment(&mut self.prefix, segment);
                self = self.checked(what, segment);
            }
        }
        self
    }

    /// Sets the namespace. Set to the empty string, it is an error wherever one object is meant.
    pub fn namespace(mut self, namespace: &str) -> Self {
        if self.namespace.is_some() {
            return self.wrong(format!("namespace set twice, now to {namespace:?}"));
        }
        self.namespace = Some(namespace.to_owned());
        if namespace.is_empty() { self } else { self.checked("namespace", namespace) }
    }

    /// Sets the resource: its plural name, written in lower case.
    pub fn resource(mut self, resource: impl Into<Cow<'static, str>>) -> Self {
        let resource = resource.into();
        if self.resource.is_some() {
            return self.wrong(format!("resource set twice, now to {resource:?}"));
        }
        self = self.checked("resource", &resource);
        self.resource = Some(resource);
        self
    }

    /// Sets the name of the object.
    pub fn name(mut self, name: &str) -> Self {
        if self.name.is_some() {
            return self.wrong(format!("resource name set twice, now to {name:?}"));
        }
        self.name = Some(name.to_owned());
        self.checked("resource name", name)
    }

    /// Sets the subresource, such as `status` or `scale`.
    pub fn subresource(mut self, subresource: impl Into<Cow<'static, str>>) -> Self {
        let subresource = subresource.into();
        if self.subresource.is_some() {
            return self.wrong(format!("subresource set twice, now to {subresource:?}"));
        }
        self = self.checked("subresource", &subresource);
        self.subresource = Some(subresource);
        self
    }

    /// Appends segments behind all others: `suffix("healthz/live")`. Empty segments are left out.
    pub fn suffix(mut self, segments: &str) -> Self {
        match escaped(segments) {
            Ok(path) => {
                push_path(&mut self.suffix, &path);
                self
            }
            Err(problem) => self.wrong(problem),
        }
    }

    /// Appends segments, and a `/` where there are none: the root of whatever is behind this request.
    pub(crate) fn rooted_suffix(self, segments: &str) -> Self {
        let mut request = self.suffix(segments);
        if request.suffix.is_empty() {
            request.suffix.push('/');
        }
        request
    }

    /// Sets everything up to the namespace: `abs_path("/version")`. The path of the server's own URL stays in front.
    pub fn abs_path(mut self, path: &str) -> Self {
        match escaped(path) {
            Ok(segments) => {
                // The root is a path of its own behind a server's URL that has one.
                self.prefix = if segments.is_empty() && path.starts_with('/') { "/".to_owned() } else { segments };
                self
            }
            Err(problem) => self.wrong(problem),
        }
    }

    /// Adds a query parameter. An empty value is left out.
    pub fn query(mut self, key: impl Into<Cow<'static, str>>, value: impl AsRef<str>) -> Self {
        if !value.as_ref().is_empty() {
            self.query.push(key, value.as_ref());
        }
        self
    }

    /// Sets a header, replacing what it had. Its value is marked sensitive if it is a credential by its name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(is_secret(&name));
                self.headers.insert(name, value);
                self
            }
            (Err(_), _) => self.wrong(format!("invalid header name {name:?}")),
            // The value may be a secret.
            (_, Err(_)) => self.wrong(format!("invalid value of header {name:?}: it holds a control character")),
        }
    }

    /// Has the server make another kind of the objects that it sends, one of `meta.k8s.io/v1`: `PartialObjectMetadata`,
    /// `PartialObjectMetadataList` or `Table`. A server that cannot sends them as they are.
    pub fn as_kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.as_kind = Some(kind.into());
        self
    }

    /// Limits the whole call, and tells the server so with `?timeout=`: waiting for the client's rate limit, all
    /// attempts and the pauses between them, and reading the answer. Of a watch or a stream, it limits only the time
    /// until the head of the answer is there.
    ///
    /// Without it the configuration's limit holds, which begins behind the rate limit, as client-go's does; by default
    /// there is none, as in client-go.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Says what kind of call this is, which decides the limits that hold without [`timeout`](Self::timeout). Default:
    /// [`CallKind::Ordinary`], whatever path and query say.
    pub fn kind(mut self, kind: CallKind) -> Self {
        self.kind = kind;
        self
    }

    /// Says that the answer takes as long as it takes, so that no limit of the configuration holds:
    /// [`CallKind::Streaming`].
    pub fn streaming(self) -> Self {
        self.kind(CallKind::Streaming)
    }

    /// Says that somebody behind the server answers, whose bad answers are no errors of the server.
    pub(crate) fn proxied(mut self) -> Self {
        self.proxied = true;
        self
    }

    /// How often at most the request is sent again, in place of what the configuration's
    /// [`RetryPolicy`](crate::config::RetryPolicy) says. 0 sends it once, whatever happens.
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = Some(max_retries);
        self
    }

    /// Sets the body as it is, and its content type.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sets a body that serde writes as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        self.encoded(MediaType::Json.as_str(), codec::to_json(body))
    }

    /// Sets an object as body, in the form that is best for the codec and that the server is not known to refuse.
    pub(crate) fn object<C: Codec>(mut self, object: &C::Object) -> Self {
        fn as_json<C: Codec>(body: &[u8]) -> codec::Result<Vec<u8>> {
            C::encode_json(&C::decode_protobuf(body)?)
        }
        let protobuf =
            C::ACCEPT.first() == Some(&MediaType::Protobuf) && self.client.writes_protobuf(&self.resource_key());
        let media_type = if protobuf { MediaType::Protobuf } else { MediaType::Json };
        self.as_json = protobuf.then_some(as_json::<C>);
        self.encoded(media_type.as_str(), C::encode(media_type, object))
    }

    /// The resource and subresource with their group and version, wherever their objects are.
    fn resource_key(&self) -> String {
        [&self.prefix, self.resource.as_deref().unwrap_or_default(), self.subresource.as_deref().unwrap_or_default()]
            .join("/")
    }

    /// Sets a body that may have failed to be written.
    pub(crate) fn encoded(self, content_type: &'static str, body: codec::Result<Vec<u8>>) -> Self {
        match body {
            Ok(body) => self.body(content_type, body),
            Err(error) => self.wrong(format!("the body cannot be written as {content_type}: {error}")),
        }
    }

    /// Adds the query parameters that options stand for.
    pub(crate) fn with_query(mut self, write: impl FnOnce(&mut Query)) -> Self {
        write(&mut self.query);
        self
    }

    /// The last value of a query parameter.
    pub(crate) fn query_value(&self, key: &str) -> Option<&str> {
        self.query.get(key)
    }

    /// A GET of the object whose subresource this request is for, without any options.
    pub(crate) fn of_the_object(&self) -> Self {
        Self {
            prefix: self.prefix.clone(),
            namespace: self.namespace.clone(),
            resource: self.resource.clone(),
            name: self.name.clone(),
            problem: self.problem.clone(),
            ..Self::new(self.client.clone(), Method::GET)
        }
    }

    /// Replaces the method.
    pub(crate) fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Says what is read, unless the caller said it.
    pub(crate) fn accept(self, media_types: &[MediaType]) -> Self {
        if self.headers.contains_key(header::ACCEPT) {
            return self;
        }
        let read = media_types.iter().filter(|it| **it != MediaType::Protobuf || self.client.reads_protobuf());
        let value = MediaType::accept(read, self.as_kind.as_deref());
        self.header(header::ACCEPT.as_str(), &value)
    }

    /// Notes what is wrong; the first problem is the one that is told.
    pub(crate) fn wrong(mut self, problem: impl Into<String>) -> Self {
        self.problem.get_or_insert_with(|| problem.into());
        self
    }

    fn checked(self, what: &str, name: &str) -> Self {
        match check_name(what, name) {
            Ok(()) => self,
            Err(problem) => self.wrong(problem),
        }
    }

    /// The namespace, if it was set. Not covered by semver.
    #[doc(hidden)]
    pub fn namespace_set(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The client that sends the request.
    pub fn rest_client(&self) -> &RestClient {
        &self.client
    }

    /// The resource, if it was set.
    pub(crate) fn resource_set(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The headers set so far; authorization and the like are added when the request is sent.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub fn body_bytes(&self) -> &Bytes {
        &self.body
    }

    /// A number that no other client has while this one is there. Clones of it have the same.
    #[doc(hidden)]
    pub fn client_id(&self) -> usize {
        self.client.id()
    }
}

/// Shows where the request goes; headers and body may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.shown_url())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, error::ErrorKind};

    fn client(server: &str) -> RestClient {
        RestClient::new(&Config::new(server).expect("a valid URL")).expect("a valid configuration")
    }

    #[tokio::test]
    async fn wrong_requests_are_refused_before_anything_is_sent() {
        let client = client("http://127.0.0.1:1");
        for (request, problem) in [
            (client.get().group_version("..", "v1"), "invalid API group \"..\": may not be '.' or '..'"),
            (client.get().group_version("apps", ".."), "invalid API version \"..\": may not be '.' or '..'"),
            (client.get().group_version("a/b", "v1"), "invalid API group \"a/b\": may not contain '/'"),
            (client.get().group_version("apps", "v1%2f"), "invalid API version \"v1%2f\": may not contain '%'"),
            (client.get().resource("pods").name(""), "resource name may not be empty"),
            (client.get().resource("pods").name(".."), "invalid resource name \"..\": may not be '.' or '..'"),
            (client.get().resource("pods").name("a/b"), "invalid resource name \"a/b\": may not contain '/'"),
            (client.get().resource("pods").resource("nodes"), "resource set twice, now to \"nodes\""),
            (client.get().resource("pods").name("a").name("b"), "resource name set twice, now to \"b\""),
            (client.get().namespace("a").namespace("b"), "namespace set twice, now to \"b\""),
            (client.get().subresource("a").subresource("b"), "subresource set twice, now to \"b\""),
            (client.get().resource("pods").subresource("log"), "a subresource needs the name of its resource"),
            (client.post().namespace("").resource("pods"), "an empty namespace may not be set during creation"),
            (
                client.get().namespace("").resource("pods").name("x"),
                "an empty namespace may not be set when a resource name is provided",
            ),
            (client.get().suffix("a/../b"), "invalid path \"a/../b\": may not contain '.' or '..' as a segment"),
            (client.get().header("a b", "c"), "invalid header name \"a b\""),
            (
                client.post().body("text/\nplain", ""),
                "invalid value of header \"content-type\": it holds a control character",
            ),
        ] {
            let error = request.send().await.expect_err(problem);
            assert_eq!(error.kind(), ErrorKind::Request, "{error}");
            assert!(error.to_string().ends_with(problem), "{error} should end in {problem}");
        }
    }

    #[test]
    fn debug_shows_neither_headers_nor_body() {
        let request = client("http://host").post().header("Authorization", "Bearer hunter2").json(&"hunter2");
        assert_eq!(format!("{request:?}"), "Request(POST http://host/)");
        let exec = client("http://host").get().abs_path("/exec").query("command", "hunter2").streaming();
        assert_eq!(format!("{exec:?}"), "Request(GET http://host/exec)");
    }
}
