//! What `tracing` is told of a call, and what nobody is told.
//!
//! A call is a span, `k8s_client.request`. Its attempts and their ends are events at the level of debugging, what is
//! sent again one of information. Headers and bodies are events of the most detailed level: never a credential, and
//! never the body of what may hold secrets. Headers of requests are told by `transport`, which knows all that are sent.

use http::Uri;
use tracing::{Level, Span, field};

use super::{CallKind, answer::Target};
use crate::{
    error::speaks_of_secrets,
    protobuf::MAGIC,
    text::{Keep, printable},
};

/// How much of a body is shown.
const MAX_BODY: usize = 10 << 10;

/// The span of a call. What is known at its end is recorded then. Nothing is written for it unless somebody listens.
pub(super) fn span(method: &http::Method, kind: CallKind, uri: &Uri, target: &Target) -> Span {
    tracing::debug_span!(
        "k8s_client.request",
        %method,
        url = shown_url(kind, &uri.to_string()),
        resource = target.resource.as_deref(),
        namespace = target.namespace.as_deref(),
        name = target.name.as_deref(),
        attempts = field::Empty,
        status = field::Empty,
    )
}

/// The URL as it may be shown: what a program in a container is told, and what goes through a proxy, is between those
/// two.
pub(super) fn shown_url(kind: CallKind, url: &str) -> &str {
    match url.split_once('?') {
        Some((path, _)) if kind == CallKind::Streaming => path,
        _ => url,
    }
}

/// Whether bodies of this call may be shown: nothing of secrets and tokens, told by any segment of the path that speaks
/// of them, and nothing of a stream.
pub(super) fn bodies_are_shown(kind: CallKind, uri: &Uri) -> bool {
    kind == CallKind::Ordinary && !speaks_of_secrets(uri.path())
}

/// Whether anybody listens to what is told of bodies.
pub(super) fn are_bodies_wanted() -> bool {
    tracing::enabled!(Level::TRACE)
}

/// Tells of the body of a request or an answer, as far as it may be shown.
pub(super) fn body(of: &'static str, shown: bool, body: &[u8]) {
    if !are_bodies_wanted() || body.is_empty() {
        return;
    }
    let bytes = body.len();
    if !shown {
        tracing::trace!(bytes, "body of the {of}, not shown since it may hold secrets");
        return;
    }
    if body.starts_with(MAGIC) {
        tracing::trace!(
            bytes,
            "body of the {of}, not shown since it is protobuf; set Config::disable_protobuf to see it"
        );
        return;
    }
    let (front, cut) = (&body[..bytes.min(MAX_BODY)], bytes > MAX_BODY);
    // A cut may go through a character, which leaves up to three bytes over.
    let text = match str::from_utf8(front) {
        Ok(text) => text,
        Err(error) if cut && front.len() - error.valid_up_to() < 4 => {
            str::from_utf8(&front[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => {
            tracing::trace!(bytes, "body of the {of}, not shown, since it is not text");
            return;
        }
    };
    tracing::trace!(bytes, cut, body = %printable(text, Keep::Nothing), "body of the {of}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_secrets_and_tokens_are_never_shown() {
        let shown = |kind, path: &str| bodies_are_shown(kind, &format!("http://h{path}").parse().expect("a URL"));
        for path in [
            "/api/v1/secrets",
            "/api/v1/namespaces/ns/secrets/x?pretty=true",
            "/k8s/prod/api/v1/watch/namespaces/ns/secrets",
            "/api/v1/namespaces/ns/serviceaccounts/x/token",
            "/apis/authentication.k8s.io/v1/tokenreviews",
            "/apis/bitnami.com/v1alpha1/namespaces/ns/sealedsecrets",
            "/api/v1/namespaces/ns/SECRETS/x",
        ] {
            assert!(!shown(CallKind::Ordinary, path), "{path}");
        }
        let path = "/api/v1/namespaces/ns/configmaps?fieldSelector=type=secret";
        assert!(shown(CallKind::Ordinary, path));
        assert!(!shown(CallKind::Watch, path) && !shown(CallKind::Streaming, path));
    }

    #[test]
    fn query_of_a_stream_is_not_shown() {
        let url = "https://h/api/v1/namespaces/ns/pods/x/exec?command=login&command=hunter2";
        assert_eq!(shown_url(CallKind::Streaming, url), "https://h/api/v1/namespaces/ns/pods/x/exec");
        assert_eq!(shown_url(CallKind::Ordinary, url), url);
    }
}
