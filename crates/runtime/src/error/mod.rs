//! The one error type of this crate.
//!
//! An [`Error`] says what was tried, on what, what came back and, where there is something to be done, what to do. It
//! is asked with predicates ([`Error::is_not_found`], [`Error::is_conflict`], …) that follow client-go's `Is*`
//! functions; the server's whole [`Status`] is at [`Error::status`].

use std::{error::Error as StdError, fmt, time::Duration};

use http::Method;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause};

pub use self::object::UndecodableObject;
pub(crate) use self::{delivery::Delivery, secrets::speaks_of_secrets};
use crate::{
    codec,
    text::{Keep, non_empty, printable},
};

mod delivery;
mod object;
mod predicates;
mod secrets;
#[cfg(test)]
mod tests;

/// What `Result` means in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn StdError + Send + Sync>;

/// Why a call failed.
///
/// # Troubleshooting
///
/// | predicate | what to look at |
/// |---|---|
/// | [`is_not_found`](Error::is_not_found) | the name and the namespace; a 404 without a [`Status`] is a URL that this server does not serve |
/// | [`is_conflict`](Error::is_conflict) | somebody else changed the object: read it again and repeat ([`retry_on_conflict`](crate::retry::retry_on_conflict)) |
/// | [`is_forbidden`](Error::is_forbidden) | RBAC: `kubectl auth can-i` with the same credentials |
/// | [`is_unauthorized`](Error::is_unauthorized) | the credentials, which the message names: expired, or of another cluster |
/// | [`is_expired`](Error::is_expired) | a watch or a page from a version the server has forgotten: list again |
/// | [`is_invalid`](Error::is_invalid) | [`causes`](Error::causes) name the fields |
/// | [`is_timeout`](Error::is_timeout) | the server, or the way to it, is slow; a change may have been made |
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// match config_maps.get("web").await {
///     Ok(web) => println!("{:?}", web.data),
///     Err(error) if error.is_not_found() => println!("it is not there"),
///     Err(error) if error.is_transient() => println!("try again later: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    request: Option<(Method, String)>,
    status: Option<Status>,
    retry_after: Option<Duration>,
    source: Option<Cause>,
    undecodable: Option<UndecodableObject>,
    delivery: Delivery,
    /// What became of the request, where the rest does not say it.
    outcome: Option<&'static str>,
    /// Which credentials the server did not accept, without their value.
    credentials: Option<String>,
    retries: u32,
    /// What the attempt before the last one ended in, if that was something else.
    previous: Option<String>,
}

/// The part of a call in which it failed.
///
/// ```
/// use k8s_client_runtime::{Error, ErrorKind};
///
/// /// Whose turn it is to do something.
/// fn who(error: &Error) -> &'static str {
///     match error.kind() {
///         ErrorKind::Config | ErrorKind::Auth | ErrorKind::Request => "us: nothing was sent",
///         ErrorKind::Connect | ErrorKind::Transport | ErrorKind::Timeout => "the network, or nobody: it may pass",
///         ErrorKind::Api => "whoever the server's answer names",
///         _ => "read the message",
///     }
/// }
/// ```
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
            undecodable: None,
            delivery: Delivery::default(),
            outcome: None,
            credentials: None,
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
        error.0.retry_after = status.details.as_ref().and_then(|details| {
            // This reason asks for it in itself, and JSON and protobuf leave zeros out.
            let at_once = (status.reason.as_deref() == Some("ServerTimeout")).then_some(0);
            let seconds = details.retry_after_seconds.or(at_once)?;
            u64::try_from(seconds).ok().map(Duration::from_secs)
        });
        error.0.status = Some(status);
        error
    }

    /// The error of an answer that ended inside of something. Nobody ends it there on purpose.
    pub(crate) fn cut_off(inside: &str) -> Self {
        let problem = format!("the connection was lost: the answer ends in the middle of {inside}");
        Self::new(ErrorKind::Transport, problem).with_delivery(Delivery::Lost)
    }

    /// The same error with what caused it.
    pub(crate) fn with_source(mut self, source: impl Into<Cause>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with the request it happened to. What could not be decoded is not quoted where it may be a
    /// secret.
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
    pub(crate) fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.0.delivery = delivery;
        self
    }

    pub(crate) fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// The same error with what became of the request.
    pub(crate) fn with_outcome(mut self, outcome: Option<&'static str>) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// The same error with a description of the credentials that the server did not accept.
    pub(crate) fn with_credentials(mut self, credentials: String) -> Self {
        self.0.credentials = Some(credentials);
        self
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
}

/// The cause that marks a [`Status`] made by the client because the server sent none.
pub(crate) const UNEXPECTED_SERVER_RESPONSE: &str = "UnexpectedServerResponse";

impl Error {
    /// What went wrong, without the request and its retries. What others wrote can do nothing to a terminal or a log.
    fn description(&self) -> String {
        let inner = &*self.0;
        let mut text = String::new();
        if let Some(status) = &inner.status {
            if let Some(code) = status.code.filter(|code| *code != 0) {
                text = format!("{code} ");
            }
            text.push_str(&printable(self.reason().unwrap_or("Unknown"), Keep::Nothing));
            if let Some(message) = non_empty(status.message.as_ref()) {
                text.push_str(": ");
                text.push_str(&printable(message, Keep::Nothing));
            }
        } else {
            // It may have lines of its own, such as the hint of a credential plugin.
            text.push_str(&printable(&inner.message, Keep::Lines));
        }
        // Sources are small and say the decisive word ("connection refused"), and many programs print only the top.
        let mut source = inner.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&printable(&error.to_string(), Keep::Nothing));
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
        if let Some(outcome) = inner.outcome {
            write!(f, "; {outcome}")?;
        }
        if let Some(credentials) = &inner.credentials {
            write!(f, "; the request was sent with {credentials}")?;
        }
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
