//! Trying again: client-go's `util/retry`, and its backoff manager for loops that go on for ever.

use std::{future::Future, time::Duration};

use tokio::time::sleep;

use crate::error::{Error, Result};

mod manager;

pub use manager::BackoffManager;

/// How often something is tried, and how long to wait in between.
///
/// `steps` counts the tries, so there are `steps - 1` pauses. Each pause is the duration plus a random part of up to
/// `jitter` times as much; the duration without the random part is multiplied by `factor` for the next one.
///
/// For a loop that must never end, such as one that reconnects, [`manager`](Self::manager) makes endless pauses of it.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// use std::time::Duration;
///
/// use k8s_client_runtime::retry::{Backoff, on_error};
///
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// // Six tries: 100, 200, 400, 800 and 1600 ms apart, and up to half as much again.
/// let backoff = Backoff { steps: 6, duration: Duration::from_millis(100), factor: 2.0, jitter: 0.5, cap: None };
/// let web = on_error(backoff, Error::is_transient, || async { config_maps.get("web").await }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// How often it is tried in all.
    pub steps: u32,
    /// The first pause.
    pub duration: Duration,
    /// By how much each pause grows. 1.0 and less keep it as it is.
    pub factor: f64,
    /// The random part of a pause: 0.1 adds up to a tenth.
    pub jitter: f64,
    /// The longest pause before the random part is added. The pause that reaches it is the last one of
    /// [`delays`](Self::delays), as in client-go.
    pub cap: Option<Duration>,
}

impl Backoff {
    /// For several writers of one object: five tries, 10 ms apart. client-go's `DefaultRetry`.
    pub const DEFAULT_RETRY: Self =
        Self { steps: 5, duration: Duration::from_millis(10), factor: 1.0, jitter: 0.1, cap: None };

    /// For a writer against a busy controller: four tries, 10, 50 and 250 ms apart. client-go's `DefaultBackoff`.
    pub const DEFAULT_BACKOFF: Self =
        Self { steps: 4, duration: Duration::from_millis(10), factor: 5.0, jitter: 0.1, cap: None };

    /// For a loop that lists and watches for ever: 800 ms, doubled up to 30 s, and up to as much again. client-go's
    /// reflector, which begins anew after two minutes without a pause: see [`BackoffManager`].
    pub const REFLECTOR: Self = Self {
        steps: u32::MAX,
        duration: Duration::from_millis(800),
        factor: 2.0,
        jitter: 1.0,
        cap: Some(Duration::from_secs(30)),
    };

    /// The pauses between the tries.
    pub fn delays(self) -> impl Iterator<Item = Duration> + Send + 'static {
        let mut left = self.steps.saturating_sub(1);
        let mut duration = self.duration;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let pause = duration;
            duration = self.grown(pause);
            if duration > pause && self.cap == Some(duration) {
                left = left.min(1);
            }
            Some(self.jittered(pause))
        })
    }

    /// Pauses without an end, which stay at the cap once they have reached it, and begin anew when none was wanted for
    /// so long. `steps` does not count.
    pub fn manager(self, reset_after: Duration) -> BackoffManager {
        BackoffManager::new(self, reset_after)
    }

    /// How long the pause after one of this length is, random parts left aside.
    fn grown(&self, pause: Duration) -> Duration {
        if self.factor > 1.0 {
            let grown = scaled(pause, self.factor);
            self.cap.map_or(grown, |cap| grown.min(cap))
        } else {
            pause
        }
    }

    /// The pause with its random part.
    fn jittered(&self, pause: Duration) -> Duration {
        let random = if self.jitter > 0.0 { self.jitter * fastrand::f64() } else { 0.0 };
        pause.saturating_add(scaled(pause, random))
    }
}

/// A duration times a factor; one that is out of range is as long as can be.
fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// Does something until it succeeds, fails in a way that is not worth another try, or the tries are used up.
///
/// The error of the last try is the one returned.
pub async fn on_error<T, E, F>(
    backoff: Backoff,
    retriable: impl Fn(&E) -> bool,
    mut operation: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut pauses = backoff.delays();
    loop {
        match operation().await {
            Err(error) if retriable(&error) => match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            },
            result => return result,
        }
    }
}

/// Does a read-change-update again when it met a conflict. For an operation with an error type of its own, use
/// [`on_error`].
///
/// The operation must read the object itself, each time: repeating the update of an object read before only meets the
/// same conflict. `modify` of the typed clients does the reading for you.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// use k8s_client_runtime::retry::{Backoff, retry_on_conflict};
///
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let updated = retry_on_conflict(Backoff::DEFAULT_RETRY, || async {
///     let mut config_map = config_maps.get("web").await?;
///     config_map.data.get_or_insert_default().insert("key".to_owned(), "value".to_owned());
///     config_maps.update(&config_map).await
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
pub async fn retry_on_conflict<T, F>(backoff: Backoff, operation: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    on_error(backoff, Error::is_conflict, operation).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
    use tokio::time::Instant;

    fn error(reason: &str) -> Error {
        Error::api(Status { reason: Some(reason.to_owned()), code: Some(409), ..Status::default() })
    }

    fn without_jitter(backoff: Backoff) -> Vec<u128> {
        Backoff { jitter: 0.0, ..backoff }.delays().map(|pause| pause.as_millis()).collect()
    }

    #[test]
    fn defaults_are_client_gos() {
        assert_eq!(without_jitter(Backoff::DEFAULT_RETRY), [10, 10, 10, 10]);
        assert_eq!(without_jitter(Backoff::DEFAULT_BACKOFF), [10, 50, 250]);
    }

    #[test]
    fn jitter_adds_and_is_not_fed_into_the_next_pause() {
        for _ in 0..100 {
            let pauses: Vec<_> = Backoff::DEFAULT_BACKOFF.delays().collect();
            for (pause, base) in pauses.iter().zip([10.0, 50.0, 250.0]) {
                let milliseconds = pause.as_secs_f64() * 1000.0;
                assert!((base..=base * 1.1 + 1e-6).contains(&milliseconds), "{milliseconds} of {base}");
            }
        }
    }

    #[test]
    fn cap_ends_the_tries() {
        let capped =
            Backoff { steps: 10, factor: 10.0, cap: Some(Duration::from_millis(500)), ..Backoff::DEFAULT_BACKOFF };
        assert_eq!(without_jitter(capped), [10, 100, 500]);
    }

    #[test]
    fn silly_values_neither_panic_nor_loop() {
        let silly = Backoff { steps: 3, duration: Duration::MAX, factor: f64::MAX, jitter: f64::NAN, cap: None };
        assert_eq!(silly.delays().count(), 2);
        assert_eq!(Backoff { steps: 0, ..silly }.delays().count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn conflicts_are_retried_and_the_last_error_is_returned() {
        let started = Instant::now();
        let mut tries = 0;
        let result: Result<()> = retry_on_conflict(Backoff::DEFAULT_RETRY, || {
            tries += 1;
            async { Err(error("Conflict")) }
        })
        .await;
        assert!(result.expect_err("it never succeeds").is_conflict());
        assert_eq!(tries, 5);
        assert!((40..=44).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn other_errors_end_it_at_once() {
        let mut tries = 0;
        let result: Result<()> = retry_on_conflict(Backoff::DEFAULT_RETRY, || {
            tries += 1;
            async { Err(error("AlreadyExists")) }
        })
        .await;
        assert!(result.is_err_and(|error| error.is_already_exists()));
        assert_eq!(tries, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn success_after_a_conflict_is_returned() {
        let mut tries = 0;
        let result = on_error(
            Backoff::DEFAULT_RETRY,
            |error: &Error| error.kind() == ErrorKind::Api,
            || {
                tries += 1;
                let answer = if tries == 3 { Ok(tries) } else { Err(error("Conflict")) };
                async { answer }
            },
        )
        .await;
        assert_eq!(result.expect("the third try succeeds"), 3);
    }
}
