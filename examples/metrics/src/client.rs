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

/// Names and values of labels.
type Labels<const N: usize> = [(&'static str, String); N];

/// Every method of `Metrics` that is of use here writes one metric.
pub(crate) struct ClientMetrics {
    latency: Family<Labels<2>, Histogram>,
    limiter: Family<Labels<2>, Histogram>,
    sent: Family<Labels<2>, Histogram>,
    received: Family<Labels<2>, Histogram>,
    results: Family<Labels<3>, Counter>,
    retries: Family<Labels<3>, Counter>,
    resolver: Family<Labels<1>, Histogram>,
    connections: Family<Labels<1>, Counter>,
    plugins: Family<Labels<2>, Counter>,
    expiry: Gauge,
    rotation: Histogram,
    reloads: Family<Labels<1>, Counter>,
}

/// From a millisecond to half a minute.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

/// From 64 bytes to 16 MiB.
fn bytes() -> Histogram {
    Histogram::new(exponential_buckets(64.0, 4.0, 10))
}

impl ClientMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            latency: Family::new_with_constructor(seconds),
            limiter: Family::new_with_constructor(seconds),
            sent: Family::new_with_constructor(bytes),
            received: Family::new_with_constructor(bytes),
            results: Family::default(),
            retries: Family::default(),
            resolver: Family::new_with_constructor(seconds),
            connections: Family::default(),
            plugins: Family::default(),
            expiry: Gauge::default(),
            // From an hour to three years.
            rotation: Histogram::new(exponential_buckets(3600.0, 3.0, 10)),
            reloads: Family::default(),
        };
        let registry = registry.sub_registry_with_prefix("rest_client");
        registry.register("request_duration_seconds", "How long calls took", metrics.latency.clone());
        registry.register("rate_limiter_duration_seconds", "Waits for the rate limit", metrics.limiter.clone());
        registry.register("request_size_bytes", "Sizes of requests", metrics.sent.clone());
        registry.register("response_size_bytes", "Sizes of answers", metrics.received.clone());
        // `_total` is added to the names of counters.
        registry.register("requests", "Attempts by their outcome", metrics.results.clone());
        registry.register("request_retries", "Requests that were sent again", metrics.retries.clone());
        registry.register("dns_resolution_duration_seconds", "Look-ups of names", metrics.resolver.clone());
        registry.register("connections", "Connections by their outcome", metrics.connections.clone());
        registry.register("exec_plugin_call", "Runs of credential plugins", metrics.plugins.clone());
        registry.register("certificate_expiry_seconds", "When the client certificate ends", metrics.expiry.clone());
        registry.register("certificate_rotation_age_seconds", "Ages of certificates", metrics.rotation.clone());
        registry.register("certificate_reloads", "Files that were read again", metrics.reloads.clone());
        metrics
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
