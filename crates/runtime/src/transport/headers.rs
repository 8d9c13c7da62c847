//! Headers, as far as they may be shown.

use std::fmt;

use http::{HeaderMap, HeaderName, header};

/// Tells `tracing` of the headers of a request or an answer.
pub(crate) fn trace(of: &'static str, headers: &HeaderMap) {
    tracing::trace!(headers = ?Shown(headers), "headers of the {of}");
}

/// Whether the header's value is a credential, or looks like one by its name.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    // A WebSocket from a browser carries the bearer token as a protocol.
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE].contains(name)
        || *name == header::SEC_WEBSOCKET_PROTOCOL
        || ["token", "secret", "password", "api-key", "credential"].iter().any(|word| name.as_str().contains(word))
}

/// Headers as they may be shown.
pub(crate) struct Shown<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |name: &HeaderName, value: &http::HeaderValue| {
            if value.is_sensitive() || is_secret(name) { None } else { Some(value.clone()) }
        };
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            match shown(name, value) {
                Some(value) => map.entry(&name.as_str(), &value),
                None => map.entry(&name.as_str(), &format_args!("<hidden>")),
            };
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn secret_headers_are_named_and_hidden() {
        let mut headers = HeaderMap::new();
        let mut marked = HeaderValue::from_static("hunter2");
        marked.set_sensitive(true);
        headers.insert("x-marked", marked);
        for name in ["authorization", "cookie", "x-auth-token", "sec-websocket-protocol"] {
            headers.insert(name, HeaderValue::from_static("hunter2"));
        }
        headers.insert("accept", HeaderValue::from_static("application/json"));
        let text = format!("{:?}", Shown(&headers));
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains(r#""accept": "application/json""#) && text.contains("<hidden>"), "{text}");
    }
}
