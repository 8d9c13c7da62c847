//! How long a lease lasts, and how often it is renewed.

use std::time::Duration;

use crate::ElectionError;

/// client-go's factor between the pauses of candidates at most and at least; here it only bounds how close the retry
/// period may come to the deadline.
const JITTER: f64 = 1.2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) lease_duration: Duration,
    pub(crate) renew_deadline: Duration,
    pub(crate) retry_period: Duration,
}

impl Timing {
    /// The defaults of Kubernetes' own components.
    pub(crate) const DEFAULT: Self = Self::seconds(15, 10, 2);
    /// For an API server that may be away for a minute: OpenShift's choice.
    pub(crate) const PATIENT: Self = Self::seconds(137, 107, 26);

    const fn seconds(lease_duration: u64, renew_deadline: u64, retry_period: u64) -> Self {
        Self {
            lease_duration: Duration::from_secs(lease_duration),
            renew_deadline: Duration::from_secs(renew_deadline),
            retry_period: Duration::from_secs(retry_period),
        }
    }

    /// client-go's rules.
    pub(crate) fn check(&self) -> Result<(), ElectionError> {
        let Self { lease_duration, renew_deadline, retry_period } = *self;
        let wrong = |text: String| Err(ElectionError::Invalid(text));
        if retry_period.is_zero() {
            return wrong("the retry period of a leader election is zero; it must be longer, such as 2 s".to_owned());
        }
        if renew_deadline.as_secs_f64() <= retry_period.as_secs_f64() * JITTER {
            return wrong(format!(
                "the renew deadline of a leader election is {renew_deadline:?}; it must be longer than {JITTER} times the \
                 retry period, which is {retry_period:?}"
            ));
        }
        if lease_duration <= renew_deadline {
            return wrong(format!(
                "the lease duration of a leader election is {lease_duration:?}; it must be longer than the renew deadline, \
                 which is {renew_deadline:?}, so that a leader has stopped before another one begins"
            ));
        }
        if i32::try_from(lease_duration.as_secs()).is_ok_and(|seconds| seconds < i32::MAX) {
            return Ok(());
        }
        wrong(format!("the lease duration of a leader election is {lease_duration:?}, which a Lease cannot hold"))
    }

    /// The lease duration as a record has it: whole seconds, rounded up, so that nobody takes the lease too early.
    pub(crate) fn seconds_of_record(&self) -> i32 {
        let part = u64::from(self.lease_duration.subsec_nanos() > 0);
        i32::try_from(self.lease_duration.as_secs().saturating_add(part)).unwrap_or(i32::MAX)
    }

    /// How long one request may take: controller-runtime's choice, which leaves room for a second one.
    pub(crate) fn request_timeout(&self) -> Duration {
        (self.renew_deadline / 2).max(Duration::from_secs(1))
    }

    /// How long a connection may be silent until it is asked for a sign of life, and how long that may take.
    pub(crate) fn ping_interval(&self) -> Duration {
        self.renew_deadline / 4
    }
}
