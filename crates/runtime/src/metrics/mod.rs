//! What a client reports of itself: [`Metrics`], client-go's `tools/metrics` as a value.
//!
//! Nothing is global: a [`Config`](crate::Config) has the receiver, and all clients of it and of its clones report to
//! it. Without one, nothing is measured. `examples/metrics` shows the numbers in Prometheus' text form.
//!
//! ```
//! use std::sync::{
//!     Arc,
//!     atomic::{AtomicU64, Ordering},
//! };
//!
//! use http::StatusCode;
//! use k8s_client_runtime::{
//!     Config, Error,
//!     metrics::{Metrics, RequestLabels},
//! };
//!
//! /// Counts the requests that the server asked to slow down for.
//! #[derive(Default)]
//! struct Throttled(AtomicU64);
//!
//! impl Metrics for Throttled {
//!     fn request_result(&self, _: &RequestLabels<'_>, result: Result<StatusCode, &Error>) {
//!         if result.is_ok_and(|code| code == StatusCode::TOO_MANY_REQUESTS) {
//!             self.0.fetch_add(1, Ordering::Relaxed);
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let throttled = Arc::new(Throttled::default());
//! let mut config = Config::new("https://10.0.0.1:6443")?;
//! config.metrics = Some(throttled.clone());
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
pub(crate) mod recording;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::{Method, StatusCode};

use crate::error::{Error, ErrorKind};

/// Receives what happens in the clients of a configuration: client-go's hooks, under their names. Every method does
/// nothing unless it is implemented.
///
/// The methods are called where the work is done, so they must be quick. The labels are few: no URL, no namespace and
/// no name is among them.
pub trait Metrics: Send + Sync {
    /// A call has ended: how long it took from its start to the last byte of the answer, retries and the wait for the
    /// rate limit included. Not for watches, logs and connections through the server: client-go's `RequestLatency`.
    ///
    /// An answer that its reader drops ends there. One that was lost and asked for again has ended twice.
    fn request_latency(&self, request: &RequestLabels<'_>, latency: Duration) {
        let _ = (request, latency);
    }

    /// A request has waited for [`Config::rate_limit`](crate::Config::rate_limit): `RateLimiterLatency`.
    fn rate_limiter_latency(&self, request: &RequestLabels<'_>, latency: Duration) {
        let _ = (request, latency);
    }

    /// A request was sent, once for every attempt: the bytes of its body, 0 if there is none: `RequestSize`.
    fn request_size(&self, request: &RequestLabels<'_>, bytes: u64) {
        let _ = (request, bytes);
    }

    /// The last answer of a call was read, which may be an error: the bytes of its body, after decompression:
    /// `ResponseSize`. For the same calls as [`request_latency`](Metrics::request_latency).
    fn response_size(&self, request: &RequestLabels<'_>, bytes: u64) {
        let _ = (request, bytes);
    }

    /// An attempt has ended: with the status code of an answer, or with the error that kept it from coming. Also for
    /// watches and streams: `RequestResult`, which has `<error>` in place of an error.
    fn request_result(&self, request: &RequestLabels<'_>, result: Result<StatusCode, &Error>) {
        let _ = (request, result);
    }

    /// A request is sent again, because of this error, which has the [`code`](Error::code) if there was an answer:
    /// `RequestRetry`.
    fn request_retry(&self, request: &RequestLabels<'_>, because: &Error) {
        let _ = (request, because);
    }

    /// The system was asked for the addresses of a host: `ResolverLatency`.
    fn resolver_latency(&self, host: &str, latency: Duration) {
        let _ = (host, latency);
    }

    /// A connection to the server, TLS included, was made or could not be made. client-go counts transports instead
    /// (`TransportCreateCalls`), of which a client here has one.
    fn connection(&self, result: Result<(), ErrorKind>, latency: Duration) {
        let _ = (result, latency);
    }

    /// A credential plugin has run: `ExecPluginCalls`. `command` is that of its configuration.
    fn exec_plugin_call(&self, command: &str, outcome: ExecPluginOutcome) {
        let _ = (command, outcome);
    }

    /// A client certificate is put to use, and is valid until then: `ClientCertExpiry`. client-go reports those of
    /// credential plugins only.
    fn client_certificate_expiry(&self, expiry: SystemTime) {
        let _ = expiry;
    }

    /// A client certificate was replaced by another, when the old one was this old, counted from the beginning of its
    /// validity: `ClientCertRotationAge`.
    fn client_certificate_rotation_age(&self, age: Duration) {
        let _ = age;
    }

    /// The files of the CA and the client certificate were read again and hold something new, or nothing good, so that
    /// what was read before stays in use: `TransportCAReloads`.
    fn certificate_reload(&self, result: Result<(), &Error>) {
        let _ = result;
    }
}

impl fmt::Debug for dyn Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// Which request something is reported of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestLabels<'a> {
    /// The HTTP method. client-go calls it the verb.
    pub method: &'a Method,
    /// The host and port of the server.
    pub host: &'a str,
    /// The resource in its plural, such as `pods`; `None` for a plain path such as `/version`.
    pub resource: Option<&'a str>,
}

/// How a run of a credential plugin ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExecPluginOutcome {
    /// It ended well.
    NoError,
    /// It failed.
    ExecutionError {
        /// Its exit code; `None` if a signal ended it.
        exit_code: Option<i32>,
    },
    /// There is no such program.
    NotFound,
    /// It could not be run, or did not answer in time, or answered without end.
    ClientError,
}

impl ExecPluginOutcome {
    /// What client-go's label `call_status` has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoError => "no_error",
            Self::ExecutionError { .. } => "plugin_execution_error",
            Self::NotFound => "plugin_not_found_error",
            Self::ClientError => "client_internal_error",
        }
    }
}
