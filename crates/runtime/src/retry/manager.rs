//! Pauses of loops that go on for ever.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Backoff;

/// Pauses without an end, for a loop that must go on: each is longer than the one before, up to the cap, and they begin
/// anew when all went well for a while. client-go's backoff manager.
///
/// By default they are those of client-go's reflector: [`Backoff::REFLECTOR`], anew after two minutes.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// use k8s_client_runtime::{retry::BackoffManager, watch::WatchEvent};
///
/// /// Follows all changes, through lost connections and restarts of the server.
/// async fn follow(config_maps: ResourceClient<ConfigMap>) {
///     let mut backoff = BackoffManager::default();
///     let mut version = None;
///     loop {
///         if let Err(error) = list_and_watch(&config_maps, &mut version).await {
///             eprintln!("{error}");
///             if error.must_list_again() {
///                 version = None;
///             }
///             backoff.wait().await;
///         }
///     }
/// }
///
/// /// Goes on from the version, if there is one, until the server ends the watch, which it does in time.
/// async fn list_and_watch(
///     config_maps: &ResourceClient<ConfigMap>,
///     version: &mut Option<String>,
/// ) -> Result<(), Error> {
///     if version.is_none() {
///         let list = config_maps.list().await?;
///         println!("{} objects", list.items.len());
///         *version = list.metadata.resource_version;
///     }
///     let watch = config_maps.watch().allow_watch_bookmarks();
///     let mut events = watch.resource_version(version.clone().unwrap_or_default()).await?;
///     while let Some(event) = events.try_next().await? {
///         match &event {
///             WatchEvent::Bookmark { .. } => {}
///             event => println!("{event:?}"),
///         }
///         *version = event.resource_version().map(str::to_owned).or(version.take());
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct BackoffManager {
    backoff: Backoff,
    reset_after: Duration,
    /// The next pause, without its random part.
    next: Duration,
    last: Option<Instant>,
}

impl BackoffManager {
    /// Pauses that grow as the backoff says, without its `steps`, and begin anew when none was asked for that long.
    pub fn new(backoff: Backoff, reset_after: Duration) -> Self {
        let mut manager = Self { backoff, reset_after, next: Duration::ZERO, last: None };
        manager.reset();
        manager
    }

    /// The next pause. It counts as begun.
    pub fn delay(&mut self) -> Duration {
        let now = Instant::now();
        if self.last.is_some_and(|last| now.saturating_duration_since(last) > self.reset_after) {
            self.reset();
        }
        self.last = Some(now);
        let pause = self.next;
        self.next = self.backoff.grown(pause);
        self.backoff.jittered(pause)
    }

    /// Waits for the next pause.
    pub async fn wait(&mut self) {
        sleep(self.delay()).await;
    }

    /// Begins with the shortest pause again.
    pub fn reset(&mut self) {
        let Backoff { duration, cap, .. } = self.backoff;
        self.next = cap.map_or(duration, |cap| duration.min(cap));
        self.last = None;
    }
}

impl Default for BackoffManager {
    /// client-go's reflector.
    fn default() -> Self {
        Self::new(Backoff::REFLECTOR, Duration::from_secs(120))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PLAIN: Backoff = Backoff { jitter: 0.0, ..Backoff::REFLECTOR };

    fn milliseconds(manager: &mut BackoffManager, count: usize) -> Vec<u128> {
        (0..count).map(|_| manager.delay().as_millis()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_the_cap_and_stay_there() {
        let mut manager = PLAIN.manager(Duration::from_secs(120));
        let expected = [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000];
        assert_eq!(milliseconds(&mut manager, 9), expected);
        // `steps` is for whoever gives up.
        assert_eq!(milliseconds(&mut Backoff { steps: 1, ..PLAIN }.manager(Duration::MAX), 9), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_begin_anew_after_a_quiet_time() {
        let mut manager = PLAIN.manager(Duration::from_secs(120));
        milliseconds(&mut manager, 5);
        advance(Duration::from_secs(120)).await;
        assert_eq!(milliseconds(&mut manager, 1), [25_600]);
        advance(Duration::from_secs(121)).await;
        assert_eq!(milliseconds(&mut manager, 2), [800, 1600]);
        manager.reset();
        assert_eq!(milliseconds(&mut manager, 2), [800, 1600]);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_takes_the_pause_with_its_random_part() {
        let mut manager = BackoffManager::default();
        for base in [800, 1600, 3200] {
            let started = Instant::now();
            manager.wait().await;
            let waited = started.elapsed().as_millis();
            assert!((base..=2 * base + 1).contains(&waited), "{waited} of {base}");
        }
    }

    #[tokio::test]
    async fn silly_values_do_not_panic() {
        let silly = Backoff { steps: 0, duration: Duration::MAX, factor: f64::INFINITY, jitter: f64::MAX, cap: None };
        let mut manager = silly.manager(Duration::ZERO);
        assert_eq!((0..3).map(|_| manager.delay()).max(), Some(Duration::MAX));
        let mut small = Backoff { cap: Some(Duration::ZERO), ..silly }.manager(Duration::MAX);
        assert_eq!((0..3).map(|_| small.delay()).max(), Some(Duration::ZERO));
    }
}
