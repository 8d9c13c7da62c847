//! The one error type of this crate.
//!
//! An [`Error`] says what was tried, on what, what came back and, where there is something to be done, what to do. It is
//! asked with predicates ([`Error::is_not_found`], [`Error::is_conflict`], …) that follow client-go's `Is*` functions; the
//! server's whole [`Status`] is at [`Error::status`].

use std::{error::Error as StdError, fmt, time::Duration};

use http::Method;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause};

use crate::codec;

/// What `Result` means in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// Why a call failed.
///
/// # Troubleshooting
///
/// | predicate | what to look at |
/// |---|---|
/// | [`is_not_found`](Error::is_not_found) | the name and the namespace; a 404 without a [`Status`] is a URL that this server does not serve |
/// | [`is_conflict`](Error::is_conflict) | somebody else changed the object: read it again and repeat ([`retry_on_conflict`](crate::retry::retry_on_conflict)) |
/// | [`is_forbidden`](Error::is_forbidden) | RBAC: `kubectl auth can-i` with the same credentials |
/// | [`is_unauthorized`](Error::is_unauthorized) | the credentials: expired, or of another cluster |
/// | [`is_expired`](Error::is_expired) | a watch or a page from a version the server has forgotten: list again |
/// | [`is_invalid`](Error::is_invalid) | [`causes`](Error::causes) name the fields |
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    request: Option<(Method, String)>,
    status: Option<Status>,
    retry_after: Option<Duration>,
    source: Option<Source>,
    fate: Fate,
    retries: u32,
    /// What the attempt before the last one ended in, if that was something else.
    previous: Option<String>,
}

/// What is known of a request that found no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing that would make it safe to send it again.
    #[default]
    Unknown,
    /// There was nobody to send it to.
    Unreachable,
    /// The server certainly did not process it.
    Unprocessed,
    /// Its connection was lost: the server may have processed it or not.
    Lost,
    /// What came back is no HTTP.
    Garbled,
}

/// The part of a call in which it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is unusable: a kubeconfig, a certificate, a URL. Nothing was sent.
    Config,
    /// Credentials could not be obtained. Nothing was sent.
    Auth,
    /// The request is wrong in itself: an empty name, a path segment with a `/`. Nothing was sent.
    Request,
    /// No connection to the server could be made.
    Connect,
    /// The connection broke, or did not speak HTTP.
    Transport,
    /// A time limit of the client passed.
    Timeout,
    /// The server answered with an error: [`Error::status`] has its words.
    Api,
    /// The server's answer could not be understood.
    Decode,
}

impl Error {
    /// An error of the given kind with a message of its own.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            request: None,
            status: None,
            retry_after: None,
            source: None,
            fate: Fate::default(),
            retries: 0,
            previous: None,
        }))
    }

    /// A configuration error. The message names the file, the entry and the field.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// An error answered by the server.
    pub(crate) fn api(status: Status) -> Self {
        let mut error = Self::new(ErrorKind::Api, "");
        error.0.retry_after = status
            .details
            .as_ref()
            .and_then(|details| details.retry_after_seconds)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs);
        error.0.status = Some(status);
        error
    }

    /// The same error with what caused it.
    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with the request it happened to. What could not be decoded is not quoted where it may be a secret.
    pub(crate) fn with_request(mut self, method: &Method, url: impl Into<String>) -> Self {
        let url = url.into();
        if self.0.kind == ErrorKind::Decode && speaks_of_secrets(&url) {
            let place = self.0.source.take().and_then(|source| source.downcast::<codec::Error>().ok());
            if let Some(error) = place {
                let place = error.place();
                let hidden = "what is wrong there is not shown, since it may quote a secret";
                self.0.message = format!("{}: {place}; {hidden}", self.0.message);
            }
        }
        self.0.request.get_or_insert_with(|| (method.clone(), url));
        self
    }

    /// The same error with the wait that the server's `Retry-After` header asks for.
    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait.or(self.0.retry_after);
        self
    }

    /// The same error with what is known of the request.
    pub(crate) fn with_fate(mut self, fate: Fate) -> Self {
        self.0.fate = fate;
        self
    }

    pub(crate) fn fate(&self) -> Fate {
        self.0.fate
    }

    /// The same error, of a call that was sent again this often, with the error of the attempt before.
    pub(crate) fn after_retries(mut self, retries: u32, previous: Option<&Self>) -> Self {
        self.0.retries = retries;
        self.0.previous = previous.map(Self::description).filter(|previous| *previous != self.description());
        self
    }

    /// The part of the call that failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the server said, when it said anything: always there for [`ErrorKind::Api`].
    pub fn status(&self) -> Option<&Status> {
        self.0.status.as_ref()
    }

    /// The HTTP method of the request that failed.
    pub fn method(&self) -> Option<&Method> {
        self.0.request.as_ref().map(|(method, _)| method)
    }

    /// The URL of the request that failed; of one that streams without its query, which holds the commands of exec.
    pub fn url(&self) -> Option<&str> {
        self.0.request.as_ref().map(|(_, url)| url.as_str())
    }

    /// How long the server asks to wait before another try: its `Retry-After` header, or `details.retryAfterSeconds`.
    /// client-go calls it `SuggestsClientDelay`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the request was sent again before it failed for good.
    pub fn retries(&self) -> u32 {
        self.0.retries
    }

    /// The causes that the server lists, such as each invalid field of a 422.
    pub fn causes(&self) -> &[StatusCause] {
        self.status()
            .and_then(|status| status.details.as_ref())
            .and_then(|details| details.causes.as_deref())
            .unwrap_or_default()
    }

    /// Whether the server lists a cause of this reason, such as `FieldValueRequired`.
    pub fn has_cause(&self, reason: &str) -> bool {
        self.causes().iter().any(|cause| cause.reason.as_deref() == Some(reason))
    }

    /// The HTTP status code of the server's answer.
    pub fn code(&self) -> Option<u16> {
        self.status().and_then(|status| status.code).and_then(|code| u16::try_from(code).ok())
    }

    /// The machine-readable reason that the server gave, such as `NotFound`.
    pub fn reason(&self) -> Option<&str> {
        self.status().and_then(|status| status.reason.as_deref()).filter(|reason| !reason.is_empty())
    }

    fn has_reason(&self, reason: &str) -> bool {
        self.reason() == Some(reason)
    }

    /// client-go's rule for most reasons: the reason says so, or the reason is none that is known and the code says so.
    fn has_reason_or_code(&self, reason: &str, code: u16) -> bool {
        match self.reason() {
            Some(given) if KNOWN_REASONS.contains(&given) => given == reason,
            _ => self.code() == Some(code),
        }
    }

    /// The object, or the URL, does not exist (404).
    pub fn is_not_found(&self) -> bool {
        self.has_reason_or_code("NotFound", 404)
    }

    /// An object of this name exists already (409 with reason `AlreadyExists`).
    pub fn is_already_exists(&self) -> bool {
        self.has_reason("AlreadyExists")
    }

    /// The object changed since it was read, or an applied field belongs to another manager (409).
    pub fn is_conflict(&self) -> bool {
        self.has_reason_or_code("Conflict", 409)
    }

    /// The object breaks a validation rule (422); [`causes`](Error::causes) name the fields.
    pub fn is_invalid(&self) -> bool {
        self.has_reason_or_code("Invalid", 422)
    }

    /// The item is no longer to be had at the server, and no forwarding address is known (410).
    pub fn is_gone(&self) -> bool {
        self.has_reason_or_code("Gone", 410)
    }

    /// The resource version or the continue token is too old (410 with reason `Expired`): list again.
    ///
    /// client-go's `IsResourceExpired`. Servers give either reason: [`must_list_again`](Error::must_list_again) asks for
    /// both.
    pub fn is_expired(&self) -> bool {
        self.has_reason("Expired")
    }

    /// A watch or a page cannot go on from where it was, since the server has forgotten that version (410, as an answer or
    /// as an event): list again.
    pub fn must_list_again(&self) -> bool {
        self.is_expired() || self.is_gone()
    }

    /// None of the accepted media types can be served (406).
    pub fn is_not_acceptable(&self) -> bool {
        self.has_reason_or_code("NotAcceptable", 406)
    }

    /// The server does not read the media type of the body (415).
    pub fn is_unsupported_media_type(&self) -> bool {
        self.has_reason_or_code("UnsupportedMediaType", 415)
    }

    /// The resource does not have this verb (405).
    pub fn is_method_not_supported(&self) -> bool {
        self.has_reason_or_code("MethodNotAllowed", 405)
    }

    /// The server, or the aggregated server behind it, is unavailable (503).
    pub fn is_service_unavailable(&self) -> bool {
        self.has_reason_or_code("ServiceUnavailable", 503)
    }

    /// The request is malformed (400).
    pub fn is_bad_request(&self) -> bool {
        self.has_reason_or_code("BadRequest", 400)
    }

    /// The server does not accept the credentials (401).
    pub fn is_unauthorized(&self) -> bool {
        self.has_reason_or_code("Unauthorized", 401)
    }

    /// The user may not do this (403).
    pub fn is_forbidden(&self) -> bool {
        self.has_reason_or_code("Forbidden", 403)
    }

    /// The server ran out of time (504, reason `Timeout`).
    pub fn is_timeout(&self) -> bool {
        self.has_reason_or_code("Timeout", 504)
    }

    /// The server could not do it in time and asks to try again (reason `ServerTimeout`).
    pub fn is_server_timeout(&self) -> bool {
        self.has_reason("ServerTimeout")
    }

    /// Something broke inside the server (500).
    pub fn is_internal_error(&self) -> bool {
        self.has_reason_or_code("InternalError", 500)
    }

    /// The server asks to slow down (429).
    pub fn is_too_many_requests(&self) -> bool {
        self.has_reason("TooManyRequests") || self.code() == Some(429)
    }

    /// The body is larger than the server takes (413).
    pub fn is_request_entity_too_large(&self) -> bool {
        self.has_reason_or_code("RequestEntityTooLarge", 413)
    }

    /// The server could not read the stored object (reason `StorageReadError`).
    pub fn is_store_read_error(&self) -> bool {
        self.has_reason("StorageReadError")
    }

    /// The same call, if it is safe to repeat, may well succeed a little later.
    ///
    /// | error | why |
    /// |---|---|
    /// | [`Connect`](ErrorKind::Connect), when there was no TCP connection, TLS or a proxy lost it, or the proxy did not reach the server | a server that restarts, a network that is mended |
    /// | [`Transport`](ErrorKind::Transport), unless the other side speaks no HTTP | connections break, and layers have bad moments |
    /// | [`Timeout`](ErrorKind::Timeout) | it was slow this time |
    /// | [`Auth`](ErrorKind::Auth), when the provider of tokens did not answer, or with a 5xx | it restarts, or its network is mended |
    /// | any with [`retry_after`](Error::retry_after) | the server asks to come again |
    /// | 429, reason `TooManyRequests` | the server is busy |
    /// | 503, reason `ServiceUnavailable` | the server, or the aggregated server behind it, is not ready |
    /// | 504, reasons `Timeout` and `ServerTimeout` | the server ran out of time |
    /// | 502 | a proxy or load balancer did not reach the server |
    /// | 500 that tells of etcd's leader changing, or of etcd being slow | API servers pass these on as internal errors |
    ///
    /// All others are told again what they were told before: the other 4xx, answers that do not decode, a configuration
    /// or a certificate that is wrong, credentials that are refused or not there. A conflict is none: the call must not be the same.
    ///
    /// It does not say that the call is safe to repeat: a create that timed out may have been done. What is safe without a
    /// doubt has been repeated before there was an error: see [`Request::send`](crate::rest::Request::send).
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Timeout => true,
            ErrorKind::Connect => matches!(self.0.fate, Fate::Unreachable | Fate::Lost),
            ErrorKind::Transport => self.0.fate != Fate::Garbled,
            ErrorKind::Api => {
                self.retry_after().is_some()
                    || self.is_too_many_requests()
                    || self.is_service_unavailable()
                    || self.is_timeout()
                    || self.is_server_timeout()
                    || self.code() == Some(502)
                    || self.is_etcd_unsettled()
            }
            ErrorKind::Auth => self.0.fate == Fate::Unreachable,
            ErrorKind::Config | ErrorKind::Request | ErrorKind::Decode => false,
        }
    }

    /// etcd's words inside an internal error, which has no reason of its own for them.
    fn is_etcd_unsettled(&self) -> bool {
        let message = self.status().and_then(|status| status.message.as_deref()).unwrap_or_default();
        self.code().is_none_or(|code| code >= 500) && ETCD_UNSETTLED.iter().any(|words| message.contains(words))
    }

    /// The answer was no [`Status`] of Kubernetes: a proxy, a load balancer or a wrong URL answered.
    pub fn is_unexpected_server_error(&self) -> bool {
        self.has_cause(UNEXPECTED_SERVER_RESPONSE)
    }
}

/// Whether a URL or a path speaks of secrets or tokens, so that nothing of the bodies that travel there may be shown.
pub(crate) fn speaks_of_secrets(url: &str) -> bool {
    let path = url.split_once('?').map_or(url, |(path, _)| path).to_lowercase();
    ["secret", "token"].iter().any(|word| path.contains(word))
}

/// The cause that marks a [`Status`] made by the client because the server sent none.
pub(crate) const UNEXPECTED_SERVER_RESPONSE: &str = "UnexpectedServerResponse";

/// What etcd says while its members agree on a leader, or cannot keep up.
const ETCD_UNSETTLED: &[&str] = &[
    "etcdserver: leader changed",
    "etcdserver: no leader",
    "etcdserver: not leader",
    "etcdserver: request timed out",
    "etcdserver: too many requests",
];

/// The reasons that Kubernetes defines. A reason outside this list lets the HTTP code decide.
const KNOWN_REASONS: &[&str] = &[
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "AlreadyExists",
    "Conflict",
    "Gone",
    "Invalid",
    "ServerTimeout",
    "StorageReadError",
    "Timeout",
    "TooManyRequests",
    "BadRequest",
    "MethodNotAllowed",
    "NotAcceptable",
    "RequestEntityTooLarge",
    "UnsupportedMediaType",
    "InternalError",
    "Expired",
    "ServiceUnavailable",
];

impl Error {
    /// What went wrong, without the request and its retries.
    fn description(&self) -> String {
        let inner = &*self.0;
        let mut text = String::new();
        if let Some(status) = &inner.status {
            if let Some(code) = status.code.filter(|code| *code != 0) {
                text = format!("{code} ");
            }
            let reason = status.reason.as_deref().filter(|reason| !reason.is_empty());
            text.push_str(reason.unwrap_or("Unknown"));
            if let Some(message) = status.message.as_deref().filter(|message| !message.is_empty()) {
                text.push_str(": ");
                text.push_str(message);
            }
        } else {
            text.push_str(&inner.message);
        }
        // Sources are small and say the decisive word ("connection refused"), and many programs print only the top.
        let mut source = inner.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

/// The message, since this is what `unwrap` and a failing `main` print; all that is known with `{:#?}`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { self.0.fmt(f) } else { fmt::Display::fmt(self, f) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some((method, url)) = &inner.request {
            write!(f, "{method} {url}: ")?;
        }
        f.write_str(&self.description())?;
        match (inner.retries, &inner.previous) {
            (0, _) => Ok(()),
            (retries, None) => write!(f, " (in the end, after {} attempts)", retries + 1),
            (retries, Some(previous)) => {
                write!(f, " (in the end, after {} attempts; the one before: {previous})", retries + 1)
            }
        }
    }
}

impl StdError for Error {
    // The sources are part of the message already; a reporter that walks the chain would print them twice.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        None
    }
}

#[cfg(test)]
mod tests;
