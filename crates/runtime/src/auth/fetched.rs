//! Credentials that must be fetched: kept as long as they are good, and fetched once however many requests wait for them.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use k8s_openapi::jiff::Timestamp;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::error::{Error, ErrorKind, Result};

/// What was fetched is used for at least this long, whatever it says of its end. Where the clocks of two machines differ, it
/// may seem to be over when it arrives, and would be fetched again by each request. A 401 ends it sooner.
const USED_AT_LEAST: Duration = Duration::from_secs(10);

/// Keeps what was fetched last. The clients of a configuration share one.
pub(super) struct Fetched<T>(Mutex<State<T>>);

struct State<T> {
    kept: Option<Kept<T>>,
    under_way: Option<UnderWay<T>>,
    last_lot: Lot,
}

/// Which of the values fetched one after the other: a 401 to one says nothing against its successor.
pub(super) type Lot = u64;

struct Kept<T> {
    fresh: Fresh<T>,
    lot: Lot,
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

/// Why a fetch failed, for all who wait.
type Outcome<T> = Result<Fresh<T>, String>;

struct UnderWay<T> {
    lot: Lot,
    outcome: watch::Receiver<Option<Outcome<T>>>,
    /// The fetch goes on when who asked for it gives up, and ends with the last client.
    _task: JoinSet<()>,
}

impl<T: Clone + Send + Sync + 'static> Fetched<T> {
    /// Begins with what is configured, if anything is.
    pub(super) fn new(configured: Option<Fresh<T>>) -> Self {
        let kept = configured.map(|fresh| Kept { fresh, lot: 0, since: None, refused: false });
        Self(Mutex::new(State { kept, under_way: None, last_lot: 0 }))
    }

    /// What is kept, if it is still good; otherwise what `fetch` brings, which is told what there was before.
    ///
    /// A fetch that fails is an error for all who waited for it; the next request begins another.
    pub(super) async fn get<F>(&self, fetch: impl FnOnce(Option<T>) -> F) -> Result<(T, Lot)>
    where
        F: Future<Output = Result<Fresh<T>>> + Send + 'static,
    {
        let (lot, mut outcome) = {
            let mut state = self.state();
            if let Some(kept) = state.kept.as_ref().filter(|kept| kept.is_good()) {
                return Ok((kept.fresh.value.clone(), kept.lot));
            }
            state.join(fetch)
        };
        let outcome = match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        // The task ends without a word only when its runtime does.
        let outcome =
            outcome.unwrap_or_else(|| Err("the fetching of credentials was interrupted; try again".to_owned()));
        self.state().finish(lot, &outcome);
        match outcome {
            Ok(fresh) => Ok((fresh.value, lot)),
            Err(message) => Err(Error::new(ErrorKind::Auth, message)),
        }
    }

    /// Has the next request fetch again, unless what was refused is not what is kept any more.
    pub(super) fn refuse(&self, lot: Lot) {
        if let Some(kept) = self.state().kept.as_mut().filter(|kept| kept.lot == lot) {
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
    fn join<F>(&mut self, fetch: impl FnOnce(Option<T>) -> F) -> (Lot, watch::Receiver<Option<Outcome<T>>>)
    where
        F: Future<Output = Result<Fresh<T>>> + Send + 'static,
    {
        let Self { kept, under_way, last_lot } = self;
        let fetch = under_way.get_or_insert_with(|| {
            *last_lot += 1;
            let fetching = fetch(kept.as_ref().map(|kept| kept.fresh.value.clone()));
            let (sender, outcome) = watch::channel(None);
            let mut task = JoinSet::new();
            task.spawn(async move {
                let outcome = fetching.await.map_err(|error| error.to_string());
                sender.send_replace(Some(outcome));
            });
            UnderWay { lot: *last_lot, outcome, _task: task }
        });
        (fetch.lot, fetch.outcome.clone())
    }

    /// The first of those who waited puts away what came.
    fn finish(&mut self, lot: Lot, outcome: &Outcome<T>) {
        if self.under_way.take_if(|fetch| fetch.lot == lot).is_some()
            && let Ok(fresh) = outcome
        {
            self.kept = Some(Kept { fresh: fresh.clone(), lot, since: Some(Instant::now()), refused: false });
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
