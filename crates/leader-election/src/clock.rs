//! Time, by the two clocks of a machine.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use k8s_client_runtime::machine;
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::MicroTime, jiff::Timestamp};
use tokio::time::{Instant, sleep};

/// A moment by both clocks. The monotonic one cannot be set, but on Linux it stands still while the machine is
/// suspended. The system's goes on then, but can be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) monotonic: Instant,
    pub(crate) system: SystemTime,
}

impl Moment {
    /// The moment after this time. One that no clock reaches is this one, which is on the safe side.
    pub(crate) fn after(self, time: Duration) -> Self {
        Self {
            monotonic: self.monotonic.checked_add(time).unwrap_or(self.monotonic),
            system: self.system.checked_add(time).unwrap_or(self.system),
        }
    }

    /// How long it is from the other moment to this one: by the clock by which it is shorter.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let by_system = self.system.duration_since(earlier.system).unwrap_or_default();
        self.monotonic.saturating_duration_since(earlier.monotonic).min(by_system)
    }

    /// What the record of a lease has as a time. It is for people: no candidate relies on it.
    pub(crate) fn time(self) -> MicroTime {
        let since = self.system.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        MicroTime(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX))
    }
}

/// Where the time comes from: the machine, or a test.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Clock {
    pub(crate) fn machine() -> Self {
        Self::of(|| Moment { monotonic: Instant::now(), system: machine::system_time() })
    }

    pub(crate) fn of(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Moment {
        (self.0)()
    }

    /// Waits until the monotonic clock has come to this time.
    pub(crate) async fn sleep_until(&self, time: Instant) {
        loop {
            let left = time.saturating_duration_since(self.now().monotonic);
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }
}
