//! What a client reports: its requests, connections, certificates and credential plugins.

use std::time::{Duration, SystemTime};

use k8s_client::{
    Error, ErrorKind,
    http::StatusCode,
    metrics::{ExecPluginOutcome, Metrics, RequestLabels},
};
use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::register::{Histograms, bytes, registered, seconds};

/// Names and values of labels.
type Labels<const N: usize> = [(&'static str, String); N];

/// Every method of `Metrics` that is of use here writes one metric.
pub(crate) struct ClientMetrics {
    latency: Histograms<Labels<2>>,
    limiter: Histograms<Labels<2>>,
    sent: Histograms<Labels<2>>,
    received: Histograms<Labels<2>>,
    results: Family<Labels<3>, Counter>,
    retries: Family<Labels<3>, Counter>,
    resolver: Histograms<Labels<1>>,
    connections: Family<Labels<1>, Counter>,
    plugins: Family<Labels<2>, Counter>,
    expiry: Gauge,
    rotation: Histogram,
    reloads: Family<Labels<1>, Counter>,
}

impl ClientMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = registry.sub_registry_with_prefix("rest_client");
        let (times, sizes) =
            (|| Family::new_with_constructor(seconds as _), || Family::new_with_constructor(bytes as _));
        // From an hour to three years.
        let ages = Histogram::new(exponential_buckets(3600.0, 3.0, 10));
        Self {
            latency: registered(it, "request_duration_seconds", "How long calls took", times()),
            limiter: registered(it, "rate_limiter_duration_seconds", "Waits for the rate limit", times()),
            sent: registered(it, "request_size_bytes", "Sizes of requests", sizes()),
            received: registered(it, "response_size_bytes", "Sizes of answers", sizes()),
            // `_total` is added to the names of counters.
            results: registered(it, "requests", "Attempts by their outcome", Family::default()),
            retries: registered(it, "request_retries", "Requests that were sent again", Family::default()),
            resolver: registered(
                it,
                "dns_resolution_duration_seconds",
                "Look-ups of names",
                Family::new_with_constructor(seconds as _),
            ),
            connections: registered(it, "connections", "Connections by their outcome", Family::default()),
            plugins: registered(it, "exec_plugin_call", "Runs of credential plugins", Family::default()),
            expiry: registered(it, "certificate_expiry_seconds", "When the client certificate ends", Gauge::default()),
            rotation: registered(it, "certificate_rotation_age_seconds", "Ages of certificates", ages),
            reloads: registered(it, "certificate_reloads", "Files that were read again", Family::default()),
        }
    }
}

fn verb_and_host(request: &RequestLabels<'_>) -> Labels<2> {
    [("verb", request.method.to_string()), ("host", request.host.to_owned())]
}

fn with_code(code: Option<u16>, request: &RequestLabels<'_>) -> Labels<3> {
    let code = code.map_or_else(|| "<error>".to_owned(), |code| code.to_string());
    [("code", code), ("method", request.method.to_string()), ("host", request.host.to_owned())]
}

#[expect(clippy::cast_precision_loss, reason = "nobody minds the last byte of 9 petabytes")]
fn as_float(bytes: u64) -> f64 {
    bytes as f64
}

impl Metrics for ClientMetrics {
    fn request_latency(&self, request: &RequestLabels<'_>, latency: Duration) {
        self.latency.get_or_create(&verb_and_host(request)).observe(latency.as_secs_f64());
    }

    fn rate_limiter_latency(&self, request: &RequestLabels<'_>, latency: Duration) {
        self.limiter.get_or_create(&verb_and_host(request)).observe(latency.as_secs_f64());
    }

    fn request_size(&self, request: &RequestLabels<'_>, bytes: u64) {
        self.sent.get_or_create(&verb_and_host(request)).observe(as_float(bytes));
    }

    fn response_size(&self, request: &RequestLabels<'_>, bytes: u64) {
        self.received.get_or_create(&verb_and_host(request)).observe(as_float(bytes));
    }

    fn request_result(&self, request: &RequestLabels<'_>, result: Result<StatusCode, &Error>) {
        let code = result.ok().map(|code| code.as_u16());
        self.results.get_or_create(&with_code(code, request)).inc();
    }

    fn request_retry(&self, request: &RequestLabels<'_>, because: &Error) {
        self.retries.get_or_create(&with_code(because.code(), request)).inc();
    }

    fn resolver_latency(&self, host: &str, latency: Duration) {
        self.resolver.get_or_create(&[("host", host.to_owned())]).observe(latency.as_secs_f64());
    }

    fn connection(&self, result: Result<(), ErrorKind>, _: Duration) {
        let result = result.map_or_else(|kind| format!("{kind:?}"), |()| "success".to_owned());
        self.connections.get_or_create(&[("result", result)]).inc();
    }

    fn exec_plugin_call(&self, command: &str, outcome: ExecPluginOutcome) {
        let labels = [("command", command.to_owned()), ("call_status", outcome.as_str().to_owned())];
        self.plugins.get_or_create(&labels).inc();
    }

    fn client_certificate_expiry(&self, expiry: SystemTime) {
        let since = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.expiry.set(since.as_secs().try_into().unwrap_or(i64::MAX));
    }

    fn client_certificate_rotation_age(&self, age: Duration) {
        self.rotation.observe(age.as_secs_f64());
    }

    fn certificate_reload(&self, result: Result<(), &Error>) {
        let result = if result.is_ok() { "success" } else { "failure" };
        self.reloads.get_or_create(&[("result", result.to_owned())]).inc();
    }
}
