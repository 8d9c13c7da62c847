//! A good answer, and the ways to take it in.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header, response::Parts};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Status, serde::de::DeserializeOwned};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::{
    CallFuture,
    attempts::Again,
    deadline::{timed_out, within},
    timed_body, trace,
    warnings::{Warning, warnings},
};
use crate::{
    codec::{self, MediaType},
    error::{Error, ErrorKind, Result},
    transport::{Body, headers::Shown},
};

/// How much of a text in place of a Status becomes its message.
const MAX_MESSAGE: usize = 2048;

/// An answer of the 2xx kind whose body is still to be read.
pub struct Response {
    head: Parts,
    body: Body,
    origin: Origin,
    again: Option<Again>,
}

/// Which call an answer belongs to.
pub(super) struct Origin {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) deadline: Option<Instant>,
    pub(super) retries: u32,
    pub(super) bodies_are_shown: bool,
    pub(super) span: Span,
}

impl Response {
    pub(super) fn new(head: Parts, body: Body, origin: Origin) -> Self {
        Self { head, body, origin, again: None }
    }

    /// The same answer of a call that may be sent again if the answer breaks off.
    pub(super) fn with_again(self, again: Again) -> Self {
        Self { again: Some(again), ..self }
    }

    /// The HTTP status code.
    pub fn status_code(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Whether the call made the object, as against changed it: the code is 201.
    pub fn was_created(&self) -> bool {
        self.head.status == StatusCode::CREATED
    }

    /// The warnings that the server sent along (code 299); malformed ones are left out. The client's
    /// [`WarningHandler`](super::WarningHandler) has been told of them already.
    pub fn warnings(&self) -> Vec<Warning> {
        warnings(&self.head.headers)
    }

    /// How often the request was sent again before this answer came.
    pub fn retries(&self) -> u32 {
        self.origin.retries
    }

    /// The body as a stream of bytes, which takes as long as it takes: the call's time limit ends here. Only a watch
    /// that the server was told to end, by `timeoutSeconds`, must end 30 seconds later.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The form of the body by its content type, for one that is decoded as it comes.
    pub(crate) fn media_type(&self) -> Result<MediaType> {
        media_type(&self.head).map_err(|error| error.with_request(&self.origin.method, self.origin.url.clone()))
    }

    /// The form of the events of a watch, which is what only 200 means, as in client-go: another success, such as 204,
    /// would pass for a watch that has ended.
    pub(crate) fn watch_media_type(&self) -> Result<MediaType> {
        match self.head.status {
            StatusCode::OK => self.media_type(),
            code => {
                let what = format!("the server answered {code} in place of the events of a watch, which are 200 OK");
                Err(Error::new(ErrorKind::Decode, what).with_request(&self.origin.method, self.origin.url.clone()))
            }
        }
    }

    /// The body, to be decoded as it comes, within the call's time limit: what comes after it is not waited for.
    pub(super) fn list_body(self) -> Result<ListBody> {
        let media_type = self.media_type()?;
        let body = match self.origin.deadline {
            Some(deadline) => timed_body::until(deadline, self.body, timed_out),
            None => self.body,
        };
        let body = body.steady();
        Ok(ListBody { again: self.again, ..ListBody::new(body, media_type, self.origin.url) })
    }

    /// The same answer, whose body is traced, if anybody traces: then it is all there already.
    pub(super) async fn traced(self) -> Result<Self> {
        if !trace::are_bodies_wanted() {
            return Ok(self);
        }
        let (head, body, origin) = self.whole().await?;
        Ok(Self::new(head, body.into(), origin))
    }

    /// The answer as it came.
    pub(super) fn into_http(self) -> http::Response<Body> {
        http::Response::from_parts(self.head, self.body)
    }

    /// Reads the whole body. When the connection is lost inside of the answer to a GET, the request is sent again, as
    /// [`Request::send`](super::Request::send) says.
    pub async fn bytes(self) -> Result<Bytes> {
        Ok(self.collecting().await?.body)
    }

    /// Reads the whole body as JSON of any type: a small one of your own makes a large list cheap.
    pub async fn json<T: DeserializeOwned + Send>(self) -> Result<T> {
        self.collecting().await?.decode(|media_type, body| match media_type {
            MediaType::Json => codec::from_json(body),
            MediaType::Protobuf => Err(codec::not_json()),
        })
    }

    /// Boxed for the reason that sending is: it is compiled here, once.
    fn collecting(self) -> CallFuture<WholeBody> {
        Box::pin(self.collect())
    }

    /// Reads the whole body, to be decoded by what its content type says.
    pub(crate) async fn collect(self) -> Result<WholeBody> {
        let (head, body, origin) = self.whole().await?;
        Ok(WholeBody { head, body, method: origin.method, url: origin.url })
    }

    /// Reads the whole body. One that breaks off is asked for again, where that is safe: nobody has seen a part of it.
    async fn whole(self) -> Result<(Parts, Bytes, Origin)> {
        let mut response = self;
        loop {
            let Self { head, body, origin, again } = response;
            match (origin.collect(&head, body).await, again) {
                (Ok(body), _) => return Ok((head, body, origin)),
                (Err(error), None) => return Err(error),
                (Err(error), Some(again)) => response = again.after(error).await?,
            }
        }
    }
}

/// Shows the head, without what it may hold of secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("url", &self.origin.url)
            .field("status", &self.head.status)
            .field("headers", &Shown(&self.head.headers))
            .finish_non_exhaustive()
    }
}

impl Origin {
    /// Reads the whole body within the call's time limit, and traces it.
    async fn collect(&self, head: &Parts, body: Body) -> Result<Bytes> {
        let collected = within(self.deadline, body.collect()).instrument(self.span.clone()).await;
        let body = collected.unwrap_or_else(|| Err(timed_out()));
        let body =
            body.and_then(|body| if is_cut_off(head, &body) { Err(Error::cut_off("its body")) } else { Ok(body) });
        let body = body.map_err(|error| self.explain(error))?;
        self.span.in_scope(|| trace::body("answer", self.bodies_are_shown, &body));
        Ok(body)
    }

    /// The error of a body that did not come to its end. What was to be done has been done by then.
    fn explain(&self, error: Error) -> Error {
        let done = "the server has processed the request, only its answer is lost";
        error.with_outcome((self.method != Method::GET).then_some(done)).with_request(&self.method, self.url.clone())
    }
}

/// The body of an answer to a GET that is decoded as it comes.
pub(crate) struct ListBody {
    pub(crate) body: Body,
    pub(crate) media_type: MediaType,
    pub(crate) url: String,
    again: Option<Again>,
}

impl ListBody {
    /// A body of this form, of the answer to a GET of this URL.
    pub(crate) fn new(body: Body, media_type: MediaType, url: String) -> Self {
        Self { body, media_type, url, again: None }
    }

    /// What sends the request again if this answer is lost before anybody has seen a part of it.
    pub(crate) fn again(&mut self) -> impl FnOnce(Error) -> CallFuture<Self> + Send + use<> {
        let again = self.again.take();
        |lost| {
            Box::pin(async move {
                match again {
                    Some(again) => again.after(lost).await?.list_body(),
                    None => Err(lost),
                }
            })
        }
    }

    /// The same for a reader that keeps all that is decoded, and therefore takes no more than the client's limit.
    pub(crate) fn bounded(self) -> Self {
        Self { body: self.body.bounded(), ..self }
    }
}

/// Whether a body without a length ends in the middle of what it holds: then its connection, or one behind a proxy, was
/// lost.
fn is_cut_off(head: &Parts, body: &[u8]) -> bool {
    !head.headers.contains_key(header::CONTENT_LENGTH)
        && media_type(head).is_ok_and(|media_type| codec::is_cut_off(media_type, body))
}

fn media_type(head: &Parts) -> Result<MediaType> {
    let content_type = head.headers.get(header::CONTENT_TYPE);
    MediaType::of_answer(content_type).ok_or_else(|| {
        let given = content_type.map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into());
        Error::new(
            ErrorKind::Decode,
            format!("the answer is {given}, neither JSON nor protobuf: is this the URL of a Kubernetes API server?"),
        )
    })
}

/// A whole answer.
pub(crate) struct WholeBody {
    head: Parts,
    pub(crate) body: Bytes,
    method: Method,
    url: String,
}

impl WholeBody {
    /// Decodes the body as an object. A Status in place of the object is an error, never an object with nothing in it.
    pub(crate) fn decode<T>(&self, decode: impl FnOnce(MediaType, &[u8]) -> codec::Result<T>) -> Result<T> {
        let media_type = self.check()?;
        decode(media_type, &self.body).map_err(|error| self.unreadable(error))
    }

    /// How to decode the body, unless it is a Status that tells of a failure. A Status of success is for whoever asked
    /// for a Status; as anything else it does not decode.
    fn check(&self) -> Result<MediaType> {
        let media_type = self.media_type()?;
        match self.status() {
            Some(status) if status.status.as_deref() == Some("Failure") => Err(self.with_request(Error::api(status))),
            _ => Ok(media_type),
        }
    }

    /// The body as a Status, if that is what it is.
    pub(crate) fn status(&self) -> Option<Status> {
        codec::status(media_type(&self.head).ok()?, &self.body)
    }

    /// The body as a Status that does not name its kind.
    pub(crate) fn unnamed_status(&self) -> Option<Status> {
        codec::unnamed_status(&self.body)
    }

    /// A Status of success for a body that has none: its message is the body, if that is text.
    pub(crate) fn made_status(&self) -> Status {
        let text = str::from_utf8(&self.body).unwrap_or_default().trim();
        Status {
            status: Some("Success".to_owned()),
            code: Some(i32::from(self.head.status.as_u16())),
            message: Some(text.chars().take(MAX_MESSAGE).collect()).filter(|text: &String| !text.is_empty()),
            ..Status::default()
        }
    }

    fn media_type(&self) -> Result<MediaType> {
        if self.body.is_empty() {
            let problem = format!("0-length response with status code: {}", self.head.status.as_u16());
            return Err(self.with_request(Error::new(ErrorKind::Decode, problem)));
        }
        media_type(&self.head).map_err(|error| self.with_request(error))
    }

    fn unreadable(&self, error: codec::Error) -> Error {
        self.with_request(Error::new(ErrorKind::Decode, "the answer could not be decoded").with_source(error))
    }

    fn with_request(&self, error: Error) -> Error {
        error.with_request(&self.method, self.url.clone())
    }
}
