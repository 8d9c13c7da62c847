//! A call: its time limits, and as many attempts as it takes.

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, response::Parts};
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, Span};

use super::{
    CallKind, Response, RestClient,
    answer::{self, Target},
    deadline::{self, in_time, timed_out, within},
    fairness::poll_turn,
    response::Origin,
    retrying::{Nature, Retries, asked_to_wait},
    timed_body, trace,
    warnings::warnings,
};
use crate::{
    error::{Error, Result},
    transport::headers,
    transport::{Body, Endless},
};

/// A request that has passed all checks.
pub(super) struct Call {
    pub(super) client: RestClient,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) target: Target,
    pub(super) kind: CallKind,
    /// The limit of this call, as against the configuration's.
    pub(super) timeout: Option<Duration>,
    /// How long the server has been told that a watch may take, and a margin.
    pub(super) longest: Option<Duration>,
    pub(super) max_retries: Option<u32>,
}

type Answer = http::Response<Body>;

impl Call {
    /// Sends the request until there is an answer that is not worth another try.
    pub(super) async fn run(self) -> Result<Response> {
        let url = self.uri.to_string();
        let span = trace::span(&self.method, self.shown_url(&url), &self.target);
        let result = self.attempts(&span, &url).instrument(span.clone()).await;
        let (retries, status) = match &result {
            Ok(response) => (response.retries(), Some(response.status_code().as_u16())),
            Err(error) => (error.retries(), error.code()),
        };
        span.record("attempts", retries + 1);
        span.record("status", status);
        result.map_err(|error| error.with_request(&self.method, self.shown_url(&url)))
    }

    async fn attempts(&self, span: &Span, url: &str) -> Result<Response> {
        poll_fn(poll_turn).await;
        let explicit = in_time(self.timeout);
        // A watch is opened again and again by those who live on it; client-go limits only what it has to repeat.
        if self.kind != CallKind::Watch {
            within(explicit, self.client.throttle()).await.ok_or_else(timed_out)?;
        }
        // A limit that nobody set for this call begins when the call does, not when it begins to wait for its turn.
        let deadline = match self.kind {
            CallKind::Ordinary => explicit.or_else(|| in_time(self.client.timeout())),
            CallKind::Watch | CallKind::Streaming => explicit,
        };
        let mut retries = Retries::new(self.client.retry_policy(), self.max_retries, Instant::now(), deadline);
        let nature = Nature::new(self.kind, &self.method);
        let mut previous: Option<Error> = None;
        let bodies_are_shown = trace::bodies_are_shown(self.kind, &self.uri);
        trace::body("request", bodies_are_shown, &self.body);
        loop {
            let started = Instant::now();
            let outcome = self.attempt(deadline).await;
            let done = retries.done();
            let failed = |error: Error| {
                let outcome = nature.outcome(&error);
                error.with_outcome(outcome).after_retries(done, previous.as_ref())
            };
            note(&outcome, started, done);
            let (begin, failure, reason) = match outcome {
                Ok(answer) => {
                    let (head, body) = answer.into_parts();
                    let asked = asked_to_wait(head.status, answer::retry_after(&head));
                    let Some(begin) = asked.and_then(|asked| retries.next(Instant::now(), asked)) else {
                        let origin = Origin {
                            method: self.method.clone(),
                            url: self.shown_url(url).to_owned(),
                            deadline,
                            retries: done,
                            bodies_are_shown,
                            span: span.clone(),
                        };
                        return self.finish(head, body, started, origin).await.map_err(failed);
                    };
                    // Read while the time passes, so that the connection can be used again, but not all of it.
                    let refused =
                        answer::short_error(&self.method, &self.target, &head, body, bodies_are_shown, begin).await;
                    (begin, refused, "the server asks for it")
                }
                Err(error) => {
                    let reason = nature.worth_another_try(&error);
                    match reason.and_then(|reason| Some((retries.next(Instant::now(), Duration::ZERO)?, reason))) {
                        Some((begin, reason)) => (begin, error, reason),
                        None => return Err(failed(error)),
                    }
                }
            };
            let pause = millis(begin.saturating_duration_since(Instant::now()));
            let retry = retries.done();
            if span.is_disabled() {
                // Nobody is told by the span which request it is.
                let (method, url) = (&self.method, self.shown_url(url));
                tracing::info!(%method, url, retry, milliseconds = pause, reason, %failure, "sending the request again");
            } else {
                tracing::info!(retry, milliseconds = pause, reason, %failure, "sending the request again");
            }
            sleep_until(begin).await;
            if within(retries.last_start(), self.client.throttle()).await.is_none() {
                // Its turn came too late: what is told is why it was to be sent again.
                return Err(failure.after_retries(done, previous.as_ref()));
            }
            previous = Some(failure);
        }
    }

    /// Sends the request once and waits for the head of the answer.
    async fn attempt(&self, deadline: Option<Instant>) -> Result<Answer> {
        let mut request = http::Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if self.kind != CallKind::Ordinary {
            request.extensions_mut().insert(Endless);
        }
        // A limit of the call itself may be longer than that of all heads, and is then meant to be.
        let head_limit = match self.kind {
            CallKind::Ordinary | CallKind::Watch if self.timeout.is_none() => self.client.response_header_timeout(),
            _ => None,
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
        if !head.status.is_success() && head.status != StatusCode::SWITCHING_PROTOCOLS {
            let shown = origin.bodies_are_shown;
            return Err(answer::error(&self.method, &self.target, &head, body, shown, origin.deadline).await);
        }
        let end = self.longest.and_then(|longest| deadline::end(started, longest));
        let body = match end {
            Some(end) => timed_body::until(end, body, timed_body::endless_watch),
            None => body,
        };
        Ok(Response::new(head, body, origin))
    }

    fn shown_url<'a>(&self, url: &'a str) -> &'a str {
        trace::shown_url(self.kind, url)
    }
}

/// Tells of the end of an attempt, whose request the span names.
fn note(outcome: &Result<Answer>, started: Instant, retry: u32) {
    let milliseconds = millis(started.elapsed());
    match outcome {
        Ok(answer) => tracing::debug!(retry, milliseconds, status = answer.status().as_u16(), "answered"),
        Err(error) => tracing::debug!(retry, milliseconds, %error, "not answered"),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
