//! A bad answer, made into the error that says it best.

use std::{borrow::Cow, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{Method, StatusCode, header, response::Parts};
use http_body::Frame;
use http_body_util::StreamBody;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause, StatusDetails};
use tokio::time::{Instant, timeout_at};

use super::trace;
use crate::{
    auth::SentWith,
    codec::{self, MediaType},
    error::{Error, Result, UNEXPECTED_SERVER_RESPONSE},
    transport::Body,
};

/// How much of an answer that is no Status goes into the error. client-go keeps as much.
const MAX_TEXT: usize = 2048;

/// How much of a bad answer is read at all: a Status with the causes of a large object stays far below.
const MAX_BODY: usize = 1 << 20;

/// How much of a bad answer is read before the request is sent again. client-go drains as much.
const MAX_DRAINED: usize = 2048;

/// How long the words of a bad answer are waited for; its code is known without them.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the request was about.
#[derive(Default)]
pub(super) struct Target {
    pub(super) resource: Option<Cow<'static, str>>,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
}

/// The error of an answer outside 2xx: the server's own Status, or one that is made from the code and the text.
pub(super) async fn error(
    method: &Method,
    target: &Target,
    head: &Parts,
    body: Body,
    shown: bool,
    deadline: Option<Instant>,
) -> Error {
    let patience = Instant::now() + PATIENCE;
    let until = deadline.map_or(patience, |deadline| deadline.min(patience));
    read(method, target, head, &collected(body, MAX_BODY, shown, until).await)
}

/// The error of an answer that is not the last one of its call: from as much as is there until then.
pub(super) async fn short_error(
    method: &Method,
    target: &Target,
    head: &Parts,
    body: Body,
    shown: bool,
    until: Instant,
) -> Error {
    read(method, target, head, &collected(body, MAX_DRAINED, shown, until).await)
}

/// The body of a bad answer that somebody behind the server may have given, as long as it is no Status: then it is the
/// server's error.
pub(super) async fn of_another(
    method: &Method,
    target: &Target,
    head: &Parts,
    mut body: Body,
    shown: bool,
    deadline: Option<Instant>,
) -> Result<Body> {
    let media_type = head.headers.get(header::CONTENT_TYPE).map(|value| MediaType::of_answer(Some(value)));
    if media_type == Some(None) {
        return Ok(body);
    }
    let patience = Instant::now() + PATIENCE;
    let until = deadline.map_or(patience, |deadline| deadline.min(patience));
    let mut start = BytesMut::new();
    // What does not come to its end in time is no Status; its reader gets what has come, and waits for the rest.
    let ended = timeout_at(until, body.read_chunks_up_to(MAX_BODY, &mut start)).await;
    let start = start.freeze();
    if matches!(ended, Ok(Ok(()))) && sent_status(head, &start).is_some() {
        trace::body("answer", shown, &start);
        return Err(read(method, target, head, &start));
    }
    let error = ended.ok().and_then(Result::err);
    let start = stream::iter((!start.is_empty()).then_some(Ok(start)));
    let end = stream::iter(error.map(Err));
    Ok(body.wrapped(|body| StreamBody::new(start.chain(end).chain(body).map_ok(Frame::data))))
}

/// How long the server asks to wait: whole seconds. A date means nothing to client-go, and servers send none.
pub(super) fn retry_after(head: &Parts) -> Option<Duration> {
    let value = head.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

async fn collected(body: Body, limit: usize, shown: bool, until: Instant) -> Bytes {
    let body = timeout_at(until, body.collect_up_to(limit)).await.unwrap_or_default();
    trace::body("answer", shown, &body);
    body
}

fn read(method: &Method, target: &Target, head: &Parts, body: &[u8]) -> Error {
    let status = sent_status(head, body).unwrap_or_else(|| made_status(method, target, head.status, body));
    let error = Error::api(status).with_retry_after(retry_after(head));
    match head.extensions.get::<SentWith>() {
        Some(refused) => error.with_credentials(refused.to_string()),
        None => error,
    }
}

fn sent_status(head: &Parts, body: &[u8]) -> Option<Status> {
    // Whoever sends another type may mean JSON all the same, as whoever sends none.
    let media_type = MediaType::of_answer(head.headers.get(header::CONTENT_TYPE)).unwrap_or(MediaType::Json);
    let mut status = codec::status(media_type, body)?;
    if status.status.as_deref() == Some("Success") {
        return None;
    }
    if status.code.is_none_or(|code| code == 0) {
        status.code = Some(i32::from(head.status.as_u16()));
    }
    Some(status)
}

/// client-go's table from codes to reasons.
fn made_status(method: &Method, target: &Target, code: StatusCode, body: &[u8]) -> Status {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_TEXT)]).trim().to_owned();
    let (reason, message) = match code.as_u16() {
        409 if *method == Method::POST => ("AlreadyExists", "the server reports that the object exists already"),
        409 => ("Conflict", "the server reports a conflict"),
        404 => ("NotFound", "the server could not find the requested resource"),
        400 => ("BadRequest", "the server rejected the request for an unknown reason"),
        401 => ("Unauthorized", "the server asks for credentials that it accepts"),
        403 => ("Forbidden", "the server does not allow this request"),
        405 => ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
        406 => ("NotAcceptable", "the server cannot answer in any of the media types that were asked for"),
        413 => ("RequestEntityTooLarge", "the server finds the request's body too large"),
        415 => ("UnsupportedMediaType", "the server does not read the media type of the request's body"),
        422 => ("Invalid", "the server found the request invalid"),
        429 => ("TooManyRequests", "the server has received too many requests and asks to try again later"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "the server could not answer in time"),
        500.. => ("InternalError", "the server met an internal error"),
        101 => ("", "the server switches to another protocol, which it was not asked for"),
        300..=303 | 305..=399 => ("", "the server redirects, which API servers do not: check the server's URL"),
        _ => ("", "the server answered with an unknown code"),
    };
    let about = match (&target.resource, &target.name) {
        (Some(resource), Some(name)) => format!(" ({} {resource} {name})", method.as_str().to_lowercase()),
        (Some(resource), None) => format!(" ({} {resource})", method.as_str().to_lowercase()),
        _ => String::new(),
    };
    let said = if text.is_empty() { String::new() } else { format!(": {text}") };
    let hint = match &target.resource {
        // A server that has the resource says by a Status that it lacks the object.
        Some(resource) if code == StatusCode::NOT_FOUND => {
            format!("; the server may not serve {resource}: a custom resource needs its CRD to be installed first")
        }
        _ => String::new(),
    };
    Status {
        status: Some("Failure".to_owned()),
        code: Some(i32::from(code.as_u16())),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        message: Some(format!("{message}{about}{said}{hint}")),
        details: Some(StatusDetails {
            kind: target.resource.as_deref().map(str::to_owned),
            name: target.name.clone(),
            causes: Some(vec![StatusCause {
                reason: Some(UNEXPECTED_SERVER_RESPONSE.to_owned()),
                message: Some(text),
                ..StatusCause::default()
            }]),
            ..StatusDetails::default()
        }),
        ..Status::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target { resource: Some("pods".into()), namespace: None, name: Some("web".to_owned()) }
    }

    fn head(code: StatusCode) -> Parts {
        http::Response::builder().status(code).body(()).expect("a head").into_parts().0
    }

    #[test]
    fn codes_become_client_gos_reasons() {
        let reason = |method: Method, code: u16| {
            let code = StatusCode::from_u16(code).expect("a code");
            Error::api(made_status(&method, &target(), code, b"words")).reason().map(str::to_owned)
        };
        assert_eq!(reason(Method::POST, 409).as_deref(), Some("AlreadyExists"));
        assert_eq!(reason(Method::PUT, 409).as_deref(), Some("Conflict"));
        assert_eq!(reason(Method::GET, 504).as_deref(), Some("Timeout"));
        assert_eq!(reason(Method::GET, 502).as_deref(), Some("InternalError"));
        assert_eq!(reason(Method::GET, 302), None);
        assert_eq!(reason(Method::GET, 418), None);
    }

    #[test]
    fn text_of_whoever_answered_is_kept() {
        let error = Error::api(made_status(&Method::GET, &target(), StatusCode::NOT_FOUND, b"404 page not found\n"));
        assert!(error.is_not_found() && error.is_unexpected_server_error());
        assert_eq!(
            error.to_string(),
            "404 NotFound: the server could not find the requested resource (get pods web): 404 page not found; the server \
             may not serve pods: a custom resource needs its CRD to be installed first"
        );
    }

    #[test]
    fn status_of_the_server_is_taken_as_it_is() {
        let body = br#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","message":"too old"}"#;
        let error = Error::api(sent_status(&head(StatusCode::GONE), body).expect("a Status"));
        assert!(error.is_expired() && !error.is_unexpected_server_error());
        assert_eq!(error.code(), Some(410));
    }

    #[test]
    fn other_bodies_are_no_status() {
        for body in [&b""[..], b"<html>", br#"{"kind":"Pod"}"#, br#"{"kind":"Status","status":"Success"}"#] {
            assert!(sent_status(&head(StatusCode::BAD_GATEWAY), body).is_none());
        }
    }
}
