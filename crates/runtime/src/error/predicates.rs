//! The questions that an error answers: client-go's `Is*` functions, and whether it may pass.

use super::{Delivery, Error, ErrorKind, UNEXPECTED_SERVER_RESPONSE};

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
    /// client-go's `IsResourceExpired`. Servers give either reason: [`must_list_again`](Error::must_list_again) asks
    /// for both.
    pub fn is_expired(&self) -> bool {
        self.has_reason("Expired")
    }

    /// A watch or a page cannot go on from where it was, since the server has forgotten that version (410, as an answer
    /// or as an event): list again.
    pub fn must_list_again(&self) -> bool {
        self.is_expired() || self.is_gone()
    }

    /// The server has not yet come to the version that was asked for (504 with the cause `ResourceVersionTooLarge`), as
    /// one whose memory lags behind, or after a restore. Ask without a version.
    pub fn is_too_large_resource_version(&self) -> bool {
        // Kubernetes 1.17 had no reason for the cause, and only these words.
        let says_so = |text: Option<&String>| text.is_some_and(|text| text.contains("Too large resource version"));
        self.has_cause("ResourceVersionTooLarge")
            || self.has_reason_or_code("Timeout", 504)
                && (says_so(self.status().and_then(|status| status.message.as_ref()))
                    || self.causes().iter().any(|cause| says_so(cause.message.as_ref())))
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

    /// It took too long: a time limit of the client passed ([`ErrorKind::Timeout`]), or the server ran out of time
    /// (504, reason `Timeout`). client-go's `IsTimeout` is the server's half; [`code`](Error::code) is there for that
    /// alone.
    ///
    /// A change that timed out may have been made, or may still be.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout || self.has_reason_or_code("Timeout", 504)
    }

    /// The server could not do it in time and asks to try again (reason `ServerTimeout`): strictly this, and no other
    /// limit, for which there is [`is_timeout`](Error::is_timeout).
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
    /// or a certificate that is wrong, credentials that are refused or not there. A conflict is none: the call must not
    /// be the same.
    ///
    /// It does not say that the call is safe to repeat: a create that timed out may have been done. What is safe
    /// without a doubt has been repeated before there was an error: see [`Request::send`](crate::rest::Request::send).
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Timeout => true,
            ErrorKind::Connect => matches!(self.0.delivery, Delivery::Unreachable | Delivery::Refused | Delivery::Lost),
            ErrorKind::Transport => self.0.delivery != Delivery::Garbled,
            ErrorKind::Api => {
                self.retry_after().is_some()
                    || self.is_too_many_requests()
                    || self.is_service_unavailable()
                    || self.is_timeout()
                    || self.is_server_timeout()
                    || self.code() == Some(502)
                    || self.is_etcd_unsettled()
            }
            ErrorKind::Auth => self.0.delivery == Delivery::Unreachable,
            ErrorKind::Config | ErrorKind::Request | ErrorKind::Decode => false,
        }
    }

    /// etcd's words inside an internal error, which has no reason of its own for them.
    fn is_etcd_unsettled(&self) -> bool {
        let message = self.status().and_then(|status| status.message.as_deref()).unwrap_or_default();
        self.code().is_none_or(|code| code >= 500) && ETCD_UNSETTLED.iter().any(|words| message.contains(words))
    }

    /// The port of the server, or of the proxy on the way to it, refuses connections: the server is not running, or not
    /// yet. client-go's `IsConnectionRefused`.
    ///
    /// Nothing was sent, and a watch can be opened again at the same version.
    pub fn is_connection_refused(&self) -> bool {
        self.0.delivery == Delivery::Refused
    }

    /// The answer was no [`Status`](Error::status) of Kubernetes: a proxy, a load balancer or a wrong URL answered.
    pub fn is_unexpected_server_error(&self) -> bool {
        self.has_cause(UNEXPECTED_SERVER_RESPONSE)
    }
}
