//! When a request is sent again: client-go's rules, as functions of what happened.

use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;

use super::{CallKind, deadline};
use crate::{
    config::RetryPolicy,
    error::{Delivery, Error, ErrorKind},
    retry::Backoff,
};

/// The pauses before the server's own wish is taken into account. client-go waits one second each time; these begin
/// small, since most lost connections are replaced at once, differ from client to client, and are ten seconds in all,
/// as client-go's are.
const PAUSES: Backoff =
    Backoff { steps: u32::MAX, duration: Duration::from_millis(50), factor: 1.6, jitter: 0.5, cap: None };

/// How much longer than the server asks a pause may be: up to a fifth.
const SPREAD: f64 = 0.2;

/// What a request is, as far as sending it twice is concerned.
///
/// Every body is held in memory, so there is none that could not be sent again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nature {
    pub(super) kind: CallKind,
    /// It changes nothing, so it may be processed twice.
    pub(super) reads: bool,
}

impl Nature {
    pub(super) fn new(kind: CallKind, method: &Method) -> Self {
        Self { kind, reads: *method == Method::GET }
    }

    /// Why a request without an answer is sent again, if it is.
    pub(super) fn worth_another_try(self, error: &Error) -> Option<&'static str> {
        let certain = "the server did not process it";
        let lost = "the connection was lost";
        match error.delivery() {
            Delivery::Unprocessed => Some(certain),
            Delivery::Lost if self.reads && self.kind != CallKind::Streaming => Some(lost),
            _ if self.kind == CallKind::Watch && error.kind() == ErrorKind::Timeout => Some("it took too long"),
            _ => None,
        }
    }

    /// Whether it may be sent once more when its answer breaks off before anybody has seen a part of it.
    pub(super) fn may_be_read_again(self) -> bool {
        self.reads && self.kind == CallKind::Ordinary
    }

    /// What became of a request that failed, for the words of its error. Of one that only reads it matters little.
    pub(super) fn outcome(self, error: &Error) -> Option<&'static str> {
        if error.delivery() == Delivery::Unprocessed {
            return Some("the server did not process the request");
        }
        if self.reads && self.kind != CallKind::Streaming {
            return None;
        }
        match error.kind() {
            ErrorKind::Transport | ErrorKind::Timeout if error.delivery() == Delivery::Unreachable => None,
            ErrorKind::Transport | ErrorKind::Timeout => Some("the server may have processed the request"),
            ErrorKind::Api if error.is_timeout() => Some("the server may still be processing the request"),
            _ => None,
        }
    }
}

/// How long the server asks to wait before it is asked again, if it asks at all: an answer of 429 or from 500 on, with
/// a `Retry-After` in seconds. Without one it says nothing of whether the request was processed.
pub(super) fn asked_to_wait(code: StatusCode, retry_after: Option<Duration>) -> Option<Duration> {
    retry_after.filter(|_| code == StatusCode::TOO_MANY_REQUESTS || code.as_u16() >= 500)
}

/// How often and until when a call is sent again.
#[derive(Debug)]
pub(super) struct Retries {
    done: u32,
    max: u32,
    /// No attempt begins after it.
    last_start: Option<Instant>,
    /// The end of the call.
    deadline: Option<Instant>,
}

impl Retries {
    pub(super) fn new(policy: RetryPolicy, max: Option<u32>, started: Instant, deadline: Option<Instant>) -> Self {
        let last_start = deadline::end(started, policy.max_elapsed);
        Self { done: 0, max: max.unwrap_or(policy.max_retries), last_start, deadline }
    }

    /// How often the call was sent again so far.
    pub(super) fn done(&self) -> u32 {
        self.done
    }

    /// When the next attempt is to begin: after a pause of its own and no earlier than asked. Nothing if it were one
    /// too many or too late.
    pub(super) fn next(&mut self, now: Instant, asked: Duration) -> Option<Instant> {
        if self.done >= self.max {
            return None;
        }
        let pause = PAUSES.delays().nth(self.done as usize)?.max(asked);
        let begin = now.checked_add(pause)?;
        let late = self.last_start.is_some_and(|last| begin > last);
        let vain = self.deadline.is_some_and(|deadline| begin >= deadline);
        if late || vain {
            return None;
        }
        self.done += 1;
        // All that the server has told the same would come back at the same moment.
        let latest = self.last_start.into_iter().chain(self.deadline.map(|end| begin + (end - begin) / 2)).min();
        let room = latest.map_or(Duration::MAX, |latest| latest.saturating_duration_since(begin));
        let spread = asked.mul_f64(SPREAD).min(room).mul_f64(fastrand::f64());
        Some(begin.checked_add(spread).unwrap_or(begin))
    }

    /// The same where the server asks for nothing.
    pub(super) fn next_own(&mut self) -> Option<Instant> {
        self.next(Instant::now(), Duration::ZERO)
    }

    /// The end of the call.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time by which another attempt must have begun.
    pub(super) fn last_start(&self) -> Option<Instant> {
        [self.last_start, self.deadline].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn answers_are_repeated_only_where_the_server_asks() {
        let after = |code: u16, wait| asked_to_wait(StatusCode::from_u16(code).expect("a code"), wait);
        for code in [429, 500, 502, 503, 504, 599] {
            assert_eq!(after(code, Some(SECOND)), Some(SECOND), "{code}");
            assert_eq!(after(code, None), None, "{code}");
        }
        for code in [200, 301, 400, 404, 408, 409, 425] {
            assert_eq!(after(code, Some(SECOND)), None, "{code}");
        }
        assert_eq!(after(429, Some(Duration::ZERO)), Some(Duration::ZERO));
    }

    #[test]
    fn failures_are_repeated_by_what_is_certain() {
        use CallKind::{Ordinary, Streaming, Watch};
        let (get, post) = (Method::GET, Method::POST);
        for (kind, method, delivery, expected) in [
            (Ordinary, &get, Delivery::Unprocessed, true),
            (Ordinary, &post, Delivery::Unprocessed, true),
            (Streaming, &get, Delivery::Unprocessed, true),
            (Ordinary, &Method::DELETE, Delivery::Unprocessed, true),
            (Ordinary, &get, Delivery::Lost, true),
            (Watch, &get, Delivery::Lost, true),
            (Streaming, &get, Delivery::Lost, false),
            (Ordinary, &post, Delivery::Lost, false),
            (Ordinary, &Method::PUT, Delivery::Lost, false),
            (Ordinary, &Method::DELETE, Delivery::Lost, false),
            (Ordinary, &Method::PATCH, Delivery::Lost, false),
            (Ordinary, &get, Delivery::Unknown, false),
            (Ordinary, &get, Delivery::Unreachable, false),
            (Ordinary, &get, Delivery::Garbled, false),
        ] {
            let error = Error::new(ErrorKind::Transport, "lost").with_delivery(delivery);
            let again = Nature::new(kind, method).worth_another_try(&error).is_some();
            assert_eq!(again, expected, "{kind:?} {method} {delivery:?}");
        }
        let late = Error::new(ErrorKind::Timeout, "late");
        for (kind, expected) in [(Ordinary, false), (Watch, true), (Streaming, false)] {
            assert_eq!(Nature::new(kind, &get).worth_another_try(&late).is_some(), expected, "{kind:?}");
        }
    }

    #[test]
    fn pauses_grow_from_small_to_client_gos_ten_seconds_in_all() {
        let pauses: Vec<_> = Backoff { jitter: 0.0, ..PAUSES }.delays().take(10).collect();
        assert_eq!(pauses[0], Duration::from_millis(50));
        let all: Duration = pauses.iter().sum();
        assert!((Duration::from_secs(8)..Duration::from_secs(10)).contains(&all), "{all:?}");
    }

    #[test]
    fn retries_end_by_number_by_time_and_by_deadline() {
        let now = Instant::now();
        let policy = RetryPolicy::default();
        let retries = |max, deadline: Option<u64>| {
            Retries::new(policy, max, now, deadline.map(|seconds| now + SECOND * u32::try_from(seconds).expect("few")))
        };
        let mut few = retries(Some(2), None);
        assert!(few.next(now, SECOND).is_some_and(|begin| begin >= now + SECOND && begin <= now + SECOND * 6 / 5));
        assert!(few.next(now, Duration::ZERO).is_some_and(|begin| begin > now && begin < now + SECOND));
        assert_eq!((few.next(now, SECOND), few.done()), (None, 2));
        assert_eq!(retries(Some(0), None).next(now, SECOND), None);

        let mut many = retries(None, None);
        assert!(many.next(now, SECOND * 60).is_some());
        assert_eq!(many.next(now + SECOND * 30, SECOND * 31), None);
        assert_eq!(many.next(now, Duration::MAX), None);
        assert_eq!((0..20).filter(|_| many.next(now, SECOND).is_some()).count(), 9);

        // Never earlier than asked, seldom at the same moment, and never too late for the sake of that.
        let begins: BTreeSet<_> = (0..100).filter_map(|_| retries(None, Some(21)).next(now, SECOND * 20)).collect();
        assert!(begins.len() > 10, "{begins:?}");
        assert!(begins.iter().all(|begin| *begin >= now + SECOND * 20 && *begin < now + SECOND * 21), "{begins:?}");

        let mut hurried = retries(None, Some(3));
        assert_eq!(hurried.next(now, SECOND * 3), None);
        assert!(hurried.next(now, SECOND * 2).is_some());
    }
}
