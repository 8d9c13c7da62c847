//! Which request meets which fault.

use fastrand::Rng;

/// What happens to one attempt of one request. "Processed" is what the store did; it is not always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is processed and answered.
    None,
    /// The connection is closed before the request is read.
    DropBefore,
    /// It is processed, and the connection is closed in place of an answer.
    DropAfter,
    /// It is processed; half of the answer comes, then the stream or connection ends.
    HalfAnswer,
    /// It is processed; half of the answer comes, then nothing more.
    HalfThenSilence,
    /// It is processed, and never answered; the connection works on.
    Stall,
    /// Not processed: GOAWAY with a last stream below this one.
    GoAwayBelow,
    /// It is processed and answered; GOAWAY tells the client to open no more streams.
    GoAwayGraceful,
    /// It is processed; then GOAWAY with this stream as the last, and the connection is closed without an answer.
    GoAwayAfter,
    /// Not processed: RST_STREAM with REFUSED_STREAM.
    Refused,
    /// It is processed, then RST_STREAM with INTERNAL_ERROR.
    ResetAfter,
    /// Not processed: this code, and `Retry-After` if there is one, in seconds.
    Busy { code: u16, retry_after: Option<u16> },
    /// Not processed; the connection is reset by TCP.
    TcpReset,
    /// Not processed: from now on nothing is read from the connection and nothing written; it stays open.
    BlackHole,
}

impl Fault {
    /// Whether the server says that it did not process the request, so that the client should send it again.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::GoAwayBelow | Self::Refused | Self::Busy { retry_after: Some(_), .. })
    }

    /// Whether the client gets a whole answer.
    pub(crate) fn is_answered(self) -> bool {
        matches!(self, Self::None | Self::GoAwayGraceful)
    }
}

/// How often each fault comes, in 10,000 requests. What ends a connection hits all others on it too, so it is rare.
const SHARES: &[(u32, Fault)] = &[
    (40, Fault::DropBefore),
    (40, Fault::DropAfter),
    (100, Fault::HalfAnswer),
    (20, Fault::HalfThenSilence),
    (30, Fault::Stall),
    (60, Fault::GoAwayBelow),
    (60, Fault::GoAwayGraceful),
    (40, Fault::GoAwayAfter),
    (300, Fault::Refused),
    (150, Fault::ResetAfter),
    (250, Fault::Busy { code: 429, retry_after: Some(0) }),
    (60, Fault::Busy { code: 429, retry_after: Some(1) }),
    (100, Fault::Busy { code: 503, retry_after: Some(0) }),
    (100, Fault::Busy { code: 429, retry_after: None }),
    (100, Fault::Busy { code: 503, retry_after: None }),
    (30, Fault::TcpReset),
    (10, Fault::BlackHole),
];

/// The faults of a whole run. They depend on the seed, the request and how often it came, and on nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    seed: Option<u64>,
}

impl Plan {
    /// Every fault, in random order.
    pub(crate) fn random(seed: u64) -> Self {
        Self { seed: Some(seed) }
    }

    /// No fault at all.
    pub(crate) fn healthy() -> Self {
        Self { seed: None }
    }

    /// What meets this attempt of this request.
    pub(crate) fn fault(self, id: u64, attempt: usize, http2: bool) -> Fault {
        let Some(seed) = self.seed else { return Fault::None };
        let mut rng = Rng::with_seed(seed ^ id.rotate_left(20) ^ (attempt as u64).rotate_left(50));
        let mut dice = rng.u32(0..10_000);
        for (share, fault) in SHARES {
            match dice.checked_sub(*share) {
                Some(rest) => dice = rest,
                None => return if http2 { *fault } else { without_http2(*fault) },
            }
        }
        Fault::None
    }
}

/// The nearest that HTTP/1.1 has.
fn without_http2(fault: Fault) -> Fault {
    match fault {
        Fault::GoAwayBelow | Fault::Refused => Fault::Busy { code: 429, retry_after: Some(0) },
        Fault::GoAwayAfter | Fault::ResetAfter => Fault::DropAfter,
        other => other,
    }
}
