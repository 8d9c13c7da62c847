//! A call: its time limits, and as many attempts as it takes.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header, response::Parts};
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, Span};

use super::{
    CallKind, Response, RestClient,
    answer::{self, Target},
    deadline::{self, in_time, timed_out, within},
    measured_body::measured,
    response::Origin,
    retrying::{Nature, Retries, asked_to_wait},
    timed_body, trace,
    warnings::warnings,
};
use crate::{
    error::{Error, Result},
    metrics::{Metrics, RequestLabels},
    transport::{Body, Endless, headers},
};

/// How long the server may take to switch a connection to another protocol.
const UPGRADE_LIMIT: Duration = Duration::from_secs(30);

/// A request that has passed all checks.
pub(super) struct Call {
    pub(super) client: RestClient,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) target: Target,
    pub(super) kind: CallKind,
    /// Whether somebody behind the server answers.
    pub(super) proxied: bool,
    /// The limit of this call, as against the configuration's.
    pub(super) timeout: Option<Duration>,
    /// How long the server has been told that a watch may take, and a margin.
    pub(super) longest: Option<Duration>,
    pub(super) max_retries: Option<u32>,
    pub(super) started: Instant,
}

impl Call {
    /// Sends the request until there is an answer that is not worth another try.
    pub(super) async fn run(self) -> Result<Response> {
        let span = trace::span(&self.method, self.kind, &self.uri, &self.target);
        let result = self.first(&span).instrument(span.clone()).await;
        self.settled(result, span)
    }

    /// The attempts of a call that begins.
    async fn first(&self, span: &Span) -> Result<(Response, Retries)> {
        let explicit = in_time(self.timeout);
        // A watch is opened again and again by those who live on it; client-go limits only what it has to repeat.
        if self.kind != CallKind::Watch {
            self.throttle(explicit).await.ok_or_else(timed_out)?;
        }
        // A limit that nobody set for this call begins when the call does, not when it begins to wait for its turn.
        let deadline = match self.kind {
            CallKind::Ordinary => explicit.or_else(|| in_time(self.client.timeout())),
            CallKind::Watch | CallKind::Streaming => explicit,
        };
        let retries = Retries::new(self.client.retry_policy(), self.max_retries, Instant::now(), deadline);
        trace::body("request", trace::bodies_are_shown(self.kind, &self.uri), &self.body);
        self.attempts(retries, None, span).await
    }

    /// The result for the caller, which the span notes too.
    fn settled(self, result: Result<(Response, Retries)>, span: Span) -> Result<Response> {
        let (retries, status) = match &result {
            Ok((response, _)) => (response.retries(), Some(response.status_code().as_u16())),
            Err(error) => (error.retries(), error.code()),
        };
        span.record("attempts", retries + 1);
        span.record("status", status);
        match result {
            Ok((response, retries)) if self.nature().may_be_read_again() => {
                Ok(response.with_again(Again(Box::new((self, retries, span)))))
            }
            Ok((response, _)) => Ok(response),
            Err(error) => {
                if self.is_measured() {
                    self.report(|metrics, request| metrics.request_latency(request, self.started.elapsed()));
                }
                Err(error.with_request(&self.method, self.shown_url(&self.uri.to_string())))
            }
        }
    }

    fn nature(&self) -> Nature {
        Nature::new(self.kind, &self.method)
    }

    /// Sends the request as often as it is worth it; at first again, if its answer was lost.
    async fn attempts(&self, mut retries: Retries, lost: Option<Error>, span: &Span) -> Result<(Response, Retries)> {
        let nature = self.nature();
        let bodies_are_shown = trace::bodies_are_shown(self.kind, &self.uri);
        let mut previous: Option<Error> = None;
        let mut next = match lost {
            None => None,
            Some(error) => {
                let done = retries.done();
                match nature.worth_another_try(&error).and_then(|reason| Some((retries.next_own()?, reason))) {
                    Some((begin, reason)) => Some((begin, error, reason)),
                    None => return Err(error.after_retries(done, None)),
                }
            }
        };
        loop {
            if let Some((begin, failure, reason)) = next {
                let done = retries.done();
                self.tell(span, begin, done, reason, &failure);
                sleep_until(begin).await;
                if self.throttle(retries.last_start()).await.is_none() {
                    // Its turn came too late: what is told is why it was to be sent again.
                    return Err(failure.after_retries(done - 1, previous.as_ref()));
                }
                previous = Some(failure);
            }
            let started = Instant::now();
            let outcome = self.attempt(retries.deadline()).await;
            let done = retries.done();
            let failed = |error: Error| {
                let outcome = nature.outcome(&error);
                error.with_outcome(outcome).after_retries(done, previous.as_ref())
            };
            note(&outcome, started, done);
            self.report(|metrics, request| {
                metrics.request_size(request, self.body.len() as u64);
                metrics.request_result(request, outcome.as_ref().map(http::Response::status));
            });
            next = Some(match outcome {
                Ok(answer) => {
                    let (head, body) = answer.into_parts();
                    let asked = asked_to_wait(head.status, answer::retry_after(&head));
                    let Some(begin) = asked.and_then(|asked| retries.next(Instant::now(), asked)) else {
                        let origin = Origin {
                            method: self.method.clone(),
                            url: self.shown_url(&self.uri.to_string()).to_owned(),
                            deadline: retries.deadline(),
                            retries: done,
                            bodies_are_shown,
                            span: span.clone(),
                        };
                        let response = self.finish(head, body, started, origin).await.map_err(failed)?;
                        return Ok((response, retries));
                    };
                    // Read while the time passes, so that the connection can be used again, but not all of it.
                    let refused =
                        answer::short_error(&self.method, &self.target, &head, body, bodies_are_shown, begin).await;
                    (begin, refused, "the server asks for it")
                }
                Err(error) => {
                    match nature.worth_another_try(&error).and_then(|reason| Some((retries.next_own()?, reason))) {
                        Some((begin, reason)) => (begin, error, reason),
                        None => return Err(failed(error)),
                    }
                }
            });
        }
    }

    /// Waits for the rate limit, until then at most.
    async fn throttle(&self, end: Option<Instant>) -> Option<()> {
        let Some(limiter) = self.client.rate_limiter() else { return within(end, async {}).await };
        let asked = Instant::now();
        let turn = within(end, limiter.take()).await;
        self.report(|metrics, request| metrics.rate_limiter_latency(request, asked.elapsed()));
        turn
    }

    /// Tells that the request is sent again.
    fn tell(&self, span: &Span, begin: Instant, retry: u32, reason: &str, failure: &Error) {
        self.report(|metrics, request| metrics.request_retry(request, failure));
        let milliseconds = millis(begin.saturating_duration_since(Instant::now()));
        if span.is_disabled() {
            // Nobody is told by the span which request it is.
            let (method, url) = (&self.method, self.uri.to_string());
            let url = self.shown_url(&url);
            tracing::info!(%method, url, retry, milliseconds, reason, %failure, "sending the request again");
        } else {
            tracing::info!(retry, milliseconds, reason, %failure, "sending the request again");
        }
    }

    /// Sends the request once and waits for the head of the answer.
    async fn attempt(&self, deadline: Option<Instant>) -> Result<http::Response<Body>> {
        let mut request = http::Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if self.kind != CallKind::Ordinary {
            request.extensions_mut().insert(Endless);
        }
        // A limit of the call itself may be longer than that of all heads, and is then meant to be.
        let head_limit = match self.kind {
            _ if self.timeout.is_some() => None,
            CallKind::Ordinary | CallKind::Watch => self.client.response_header_timeout(),
            // A proxy that swallows the wish to upgrade may wait for a request that never comes.
            CallKind::Streaming => self.headers.contains_key(header::UPGRADE).then_some(UPGRADE_LIMIT),
        };
        let head_limit = [head_limit, self.longest].into_iter().flatten().min();
        within(deadline, self.client.send(request, head_limit)).await.unwrap_or_else(|| Err(timed_out()))
    }

    /// The answer for the caller, or the error that it stands for.
    async fn finish(&self, head: Parts, body: Body, started: Instant, origin: Origin) -> Result<Response> {
        headers::trace("answer", &head.headers);
        for warning in warnings(&head.headers) {
            self.client.warning_handler().handle(&warning);
        }
        // Where nobody asked for an upgrade, that of a connection is no success.
        let wants_upgrade = self.headers.contains_key(header::UPGRADE);
        let fails = !(head.status.is_success() || wants_upgrade && head.status == StatusCode::SWITCHING_PROTOCOLS);
        let body = self.measured(body, fails);
        if fails {
            let shown = origin.bodies_are_shown;
            // An upgrade has not happened, whoever says so.
            if self.proxied && !wants_upgrade {
                let body = answer::of_another(&self.method, &self.target, &head, body, shown, origin.deadline).await?;
                return Ok(Response::new(head, body, origin));
            }
            // What somebody behind a proxy does not find is not what the server does not serve.
            let behind = Target::default();
            let target = if self.proxied { &behind } else { &self.target };
            return Err(answer::error(&self.method, target, &head, body, shown, origin.deadline).await);
        }
        let end = self.longest.and_then(|longest| deadline::end(started, longest));
        let body = match end {
            Some(end) => timed_body::until(end, body, timed_body::endless_watch),
            None => body,
        };
        Ok(Response::new(head, body, origin))
    }

    /// Reports something of this call to whoever wants to know.
    fn report(&self, report: impl FnOnce(&dyn Metrics, &RequestLabels<'_>)) {
        if let Some(metrics) = self.client.metrics() {
            let (host, resource) = (self.client.host(), self.target.resource.as_deref());
            report(&**metrics, &RequestLabels { method: &self.method, host, resource });
        }
    }

    /// Whether the time and the size of the answer mean anything: others end when somebody wants them to.
    fn is_measured(&self) -> bool {
        self.kind == CallKind::Ordinary
    }

    /// The body of an answer, whose end is reported: the end of the call too, unless the answer is an error.
    fn measured(&self, body: Body, fails: bool) -> Body {
        let Some(metrics) = self.client.metrics().filter(|_| self.is_measured()).cloned() else { return body };
        let (method, resource) = (self.method.clone(), self.target.resource.clone());
        let (host, started) = (self.client.host().to_owned(), self.started);
        measured(body, move |bytes| {
            let request = RequestLabels { method: &method, host: &host, resource: resource.as_deref() };
            metrics.response_size(&request, bytes);
            if !fails {
                metrics.request_latency(&request, started.elapsed());
            }
        })
    }

    fn shown_url<'a>(&self, url: &'a str) -> &'a str {
        trace::shown_url(self.kind, url)
    }
}

/// A call whose answer is there and may break off.
pub(crate) struct Again(Box<(Call, Retries, Span)>);

impl Again {
    /// Sends the request again after its answer was lost, if that is worth it.
    pub(super) async fn after(self, lost: Error) -> Result<Response> {
        let (call, retries, span) = *self.0;
        let result = call.attempts(retries, Some(lost), &span).instrument(span.clone()).await;
        call.settled(result, span)
    }
}

/// Tells of the end of an attempt, whose request the span names.
fn note(outcome: &Result<http::Response<Body>>, started: Instant, retry: u32) {
    let milliseconds = millis(started.elapsed());
    match outcome {
        Ok(answer) => tracing::debug!(retry, milliseconds, status = answer.status().as_u16(), "answered"),
        Err(error) => tracing::debug!(retry, milliseconds, %error, "not answered"),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
