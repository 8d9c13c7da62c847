//! Credentials that must be fetched: kept as long as they are good, and fetched once however many requests wait for
//! them.
//!
//! The answer of a credential plugin and the token of an OpenID Connect provider are kept in the configuration, where
//! all clients of the configuration and of its clones share them. They go away with the last of these.
//!
//! A credential is fetched when a request needs one and there is none, in a task of its own: a request that gives up
//! stops neither the other requests nor the next. Each value has a number. A 401 names the number that the server
//! refused, and the next request fetches again unless a newer value is there by then; the 401 itself is returned as it
//! is. A token that looks expired on arrival, because clocks differ, is used for ten seconds.
//!
//! A client certificate keeps its `Arc` as long as its text stays the same. By that, `transport` knows when its
//! connections have to be renewed. `auth` stands above `transport`, so `transport` passes it the function that reaches
//! the provider.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use k8s_openapi::jiff::Timestamp;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::error::{Delivery, Error, ErrorKind, Result};

/// What was fetched is used for at least this long, whatever it says of its end. Where the clocks of two machines
/// differ, it may seem to be over when it arrives, and would be fetched again by each request. A 401 ends it sooner.
const USED_AT_LEAST: Duration = Duration::from_secs(10);

/// Keeps what was fetched last. The clients of a configuration share one.
pub(super) struct Fetched<T>(Mutex<State<T>>);

struct State<T> {
    kept: Option<Kept<T>>,
    under_way: Option<UnderWay<T>>,
    last_generation: Generation,
}

/// Which of the values fetched one after the other: a 401 to one says nothing against its successor.
pub(super) type Generation = u64;

struct Kept<T> {
    fresh: Fresh<T>,
    generation: Generation,
    /// Nothing for what was not fetched but configured.
    since: Option<Instant>,
    refused: bool,
}

/// What a fetch brings.
#[derive(Clone)]
pub(super) struct Fresh<T> {
    pub(super) value: T,
    /// Until when it is good; for ever if it does not say.
    pub(super) expires: Option<Timestamp>,
}

/// What a fetch brought and when, or why it failed, for all who wait.
type Outcome<T> = Result<(Fresh<T>, Instant), Failure>;

/// An error as all who wait can have it.
#[derive(Clone)]
struct Failure {
    message: String,
    delivery: Delivery,
}

struct UnderWay<T> {
    generation: Generation,
    outcome: watch::Receiver<Option<Outcome<T>>>,
    /// The fetch goes on when who asked for it gives up, and ends with the last client.
    _task: JoinSet<()>,
}

impl<T: Clone + Send + Sync + 'static> Fetched<T> {
    /// Begins with what is configured, if anything is.
    pub(super) fn new(configured: Option<Fresh<T>>) -> Self {
        let kept = configured.map(|fresh| Kept { fresh, generation: 0, since: None, refused: false });
        Self(Mutex::new(State { kept, under_way: None, last_generation: 0 }))
    }

    /// What is kept, if it is still good; otherwise what `fetch` brings, which is told what there was before.
    ///
    /// A fetch that fails is an error for all who waited for it; the next request begins another.
    pub(super) async fn get<F>(&self, fetch: impl FnOnce(Option<T>) -> F) -> Result<(T, Generation)>
    where
        F: Future<Output = Result<Fresh<T>>> + Send + 'static,
    {
        let (generation, mut outcome) = {
            let mut state = self.state();
            state.take_in_abandoned();
            if let Some(kept) = state.kept.as_ref().filter(|kept| kept.is_good()) {
                return Ok((kept.fresh.value.clone(), kept.generation));
            }
            state.join(fetch)
        };
        let outcome = match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        // The task ends without a word only when its runtime does.
        let outcome = outcome.unwrap_or_else(|| {
            let message = "the fetching of credentials was interrupted; try again".to_owned();
            Err(Failure { message, delivery: Delivery::Unreachable })
        });
        self.state().finish(generation, &outcome);
        match outcome {
            Ok((fresh, _)) => Ok((fresh.value, generation)),
            Err(Failure { message, delivery }) => Err(Error::new(ErrorKind::Auth, message).with_delivery(delivery)),
        }
    }

    /// Has the next request fetch again, unless what was refused is not what is kept any more.
    pub(super) fn refuse(&self, generation: Generation) {
        if let Some(kept) = self.state().kept.as_mut().filter(|kept| kept.generation == generation) {
            kept.refused = true;
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone + Send + Sync + 'static> State<T> {
    /// Waits with the others for the fetch under way, or begins one.
    fn join<F>(&mut self, fetch: impl FnOnce(Option<T>) -> F) -> (Generation, watch::Receiver<Option<Outcome<T>>>)
    where
        F: Future<Output = Result<Fresh<T>>> + Send + 'static,
    {
        let Self { kept, under_way, last_generation } = self;
        let fetch = under_way.get_or_insert_with(|| {
            *last_generation += 1;
            let fetching = fetch(kept.as_ref().map(|kept| kept.fresh.value.clone()));
            let (sender, outcome) = watch::channel(None);
            let mut task = JoinSet::new();
            task.spawn(async move {
                let outcome =
                    fetching.await.map_err(|error| Failure { message: error.to_string(), delivery: error.delivery() });
                let outcome = outcome.map(|fresh| (fresh, Instant::now()));
                sender.send_replace(Some(outcome));
            });
            UnderWay { generation: *last_generation, outcome, _task: task }
        });
        (fetch.generation, fetch.outcome.clone())
    }

    /// The first of those who waited puts away what came.
    fn finish(&mut self, generation: Generation, outcome: &Outcome<T>) {
        if self.under_way.take_if(|fetch| fetch.generation == generation).is_some()
            && let Ok((fresh, since)) = outcome
        {
            self.kept = Some(Kept { fresh: fresh.clone(), generation, since: Some(*since), refused: false });
        }
    }

    /// A fetch may have ended when nobody waited for it any more, long ago: what it brought counts from then on, and
    /// its failure is nobody's.
    fn take_in_abandoned(&mut self) {
        let Some(fetch) = &self.under_way else { return };
        let (generation, outcome) = (fetch.generation, fetch.outcome.borrow().clone());
        match outcome {
            Some(outcome) => self.finish(generation, &outcome),
            // Its runtime has ended.
            None if fetch.outcome.has_changed().is_err() => self.under_way = None,
            None => {}
        }
    }
}

impl<T> Kept<T> {
    fn is_good(&self) -> bool {
        let in_time = self.fresh.expires.is_none_or(|end| now() <= end);
        let new = self.since.is_some_and(|since| since.elapsed() < USED_AT_LEAST);
        !self.refused && (in_time || new)
    }
}

/// What `Timestamp::now` would be; k8s-openapi builds jiff without the system's clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, pending, ready};

    use super::*;

    fn fetched(value: u32, expires: Option<Timestamp>) -> Ready<Result<Fresh<u32>>> {
        ready(Ok(Fresh { value, expires }))
    }

    /// Has a fetch begun and gives it up at once; it ends by itself.
    async fn abandon<F>(values: &Fetched<u32>, fetch: F)
    where
        F: Future<Output = Result<Fresh<u32>>> + Send + 'static,
    {
        let slow = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            fetch.await
        };
        assert!(tokio::time::timeout(Duration::ZERO, values.get(|_| slow)).await.is_err());
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waited_for_is_used_if_it_is_still_good() {
        let values = Fetched::new(None);
        abandon(&values, fetched(1, None)).await;
        assert_eq!(values.get(|_| fetched(2, None)).await.unwrap().0, 1);

        let values = Fetched::new(None);
        abandon(&values, fetched(1, Some(Timestamp::MIN))).await;
        tokio::time::sleep(USED_AT_LEAST).await;
        assert_eq!(values.get(|_| fetched(2, None)).await.unwrap().0, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_nobody_waited_for_is_not_told_later() {
        let values = Fetched::new(None);
        abandon(&values, async { Err(Error::new(ErrorKind::Auth, "it rained")) }).await;
        assert_eq!(values.get(|_| fetched(2, None)).await.unwrap().0, 2);
    }

    #[test]
    fn a_fetch_whose_runtime_ended_is_begun_again() {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let values = Fetched::new(None);
        runtime().block_on(async {
            assert!(tokio::time::timeout(Duration::from_millis(1), values.get(|_| pending())).await.is_err());
        });
        assert_eq!(runtime().block_on(values.get(|_| fetched(2, None))).unwrap().0, 2);
    }
}
