//! Following a resource: the task that does what the [`machine`] plans, and fills the store.

pub(crate) mod machine;
pub(crate) mod source;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _};
use k8s_client_runtime::{Error, ErrorKind, error::UndecodableObject};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::{
    machine::{Failure, Machine, Outcome, Pauses, Plan, Step},
    source::{Change, Part, Source, WatchStart},
};
use crate::{
    Metrics, ObjectKey, WatchFault,
    store::{Incoming, Store},
};

/// How long a watch with initial events may be silent before all of them are there.
const INITIAL_SILENCE: Duration = Duration::from_secs(30);
/// A watch that ends sooner than this and has brought nothing new is one that the server, or something before it, does
/// not want.
const TOO_SHORT: Duration = Duration::from_secs(1);
/// How long a watch is asked to last, at least and at most, in seconds: by chance in between, as in client-go, so that
/// many programs do not come back at the same time.
const WATCH_SECONDS: (u32, u32) = (300, 600);

/// What follows one source.
pub(crate) struct Follower<T> {
    pub(crate) source: Arc<dyn Source<T>>,
    pub(crate) store: Arc<Store<T>>,
    /// Which of the store's sources it is.
    pub(crate) number: usize,
    pub(crate) metrics: Arc<dyn Metrics>,
}

impl<T: Send + Sync + 'static> Follower<T> {
    /// Follows the source for ever.
    pub(crate) async fn follow(self) {
        let mut machine = Machine::new(true);
        let mut pauses = Pauses::new();
        let mut last_pause = Instant::now();
        let mut plan = machine.start();
        loop {
            if plan.pause {
                sleep(pauses.next(last_pause.elapsed(), fastrand::f64())).await;
                last_pause = Instant::now();
            }
            plan = self.step(&mut machine, plan.step).await;
        }
    }

    /// Does what is planned, and plans what comes next.
    async fn step(&self, machine: &mut Machine, step: Step) -> Plan {
        let outcome = match &step {
            Step::List { version } => self.list(version.as_deref()).await,
            Step::WatchList { version } => self.watch(machine, version.as_deref(), true).await,
            Step::Watch { version } => self.watch(machine, Some(version), false).await,
        };
        let outcome = outcome.unwrap_or_else(|error| self.failed(&step, error));
        self.judge_watches(&outcome);
        machine.next(outcome)
    }

    /// Takes note of watches that did not fail, and yet were of no use.
    fn judge_watches(&self, outcome: &Outcome) {
        let at_once = match outcome {
            Outcome::Ended { at_once } => *at_once,
            Outcome::NeverMarked => {
                let fault = WatchFault::NeverMarked;
                tracing::warn!(url = self.source.place().url, "{fault}");
                self.store.note(|status| status.watches_are_never_marked(self.number));
                return;
            }
            Outcome::Listed { .. } | Outcome::Failed(_) => return,
        };
        if at_once {
            self.metrics.ended_at_once();
            let fault = WatchFault::EndsAtOnce;
            tracing::warn!(url = self.source.place().url, "{fault}");
        }
        self.store.note(|status| status.watch_ended(self.number, at_once));
    }

    /// Takes note of a failure.
    fn failed(&self, step: &Step, error: Error) -> Outcome {
        let failure = classify(&error);
        self.metrics.failed(&error);
        let asked = match step {
            Step::List { .. } => "list",
            Step::WatchList { .. } => "watch with initial events",
            Step::Watch { .. } => "watch",
        };
        let asks_too_much = matches!(step, Step::WatchList { .. }) && failure == Failure::Unsupported;
        // A server that finds fault with a plain list or watch will go on to.
        let refused = matches!(failure, Failure::Refused | Failure::Unsupported) && !asks_too_much;
        match failure {
            Failure::Expired | Failure::Passing | Failure::Broken => {
                tracing::debug!(asked, %error, "an informer starts over");
            }
            Failure::TooLarge => tracing::info!(asked, %error, "an informer asks differently"),
            Failure::Unsupported if asks_too_much => tracing::info!(asked, %error, "an informer asks differently"),
            Failure::Refused | Failure::Unsupported => {
                tracing::warn!(asked, %error, "an informer is refused, and tries again");
            }
        }
        if !asks_too_much {
            self.store.note(|status| status.failed(self.number, Arc::new(error), refused));
        }
        Outcome::Failed(failure)
    }

    /// Shows all objects that have arrived.
    fn replace(&self, incoming: Incoming<T>, version: &str, started: Instant) {
        self.metrics.listed(incoming.len(), started.elapsed());
        self.store.replace(self.number, incoming, version);
        self.metrics.objects(self.store.len());
    }

    async fn list(&self, version: Option<&str>) -> Result<Outcome, Error> {
        let started = Instant::now();
        let mut parts = self.source.list(version).await?;
        self.store.note(|status| status.left_out(self.number, None));
        let mut incoming = self.store.incoming();
        while let Some(part) = parts.try_next().await? {
            match part {
                Part::Object(arrival) => self.store.receive(&mut incoming, self.number, arrival),
                Part::Undecodable(error) => {
                    let object = self.left_out(error);
                    self.store.receive_as_known(&mut incoming, self.number, &key_of(&object));
                }
                Part::End(version) => {
                    let version = version.filter(|version| !version.is_empty());
                    self.replace(incoming, version.as_deref().unwrap_or_default(), started);
                    return Ok(Outcome::Listed { version });
                }
            }
        }
        // A whole list ends with its metadata; this one is of no use.
        Ok(Outcome::Failed(Failure::Passing))
    }

    /// One object that cannot be decoded is not there, or stays as it was, and holds none of the others up.
    fn left_out(&self, error: Error) -> UndecodableObject {
        self.metrics.failed(&error);
        tracing::warn!(%error, "an informer leaves an object out");
        let object = error.undecodable_object().cloned().unwrap_or_default();
        self.store.note(|status| status.left_out(self.number, Some(Arc::new(error))));
        object
    }

    /// A watch brings an object that cannot be decoded.
    fn changed_unread(&self, machine: &mut Machine, incoming: Option<&mut Incoming<T>>, object: &UndecodableObject) {
        match incoming {
            Some(incoming) if object.deleted => incoming.remove(&key_of(object)),
            Some(incoming) => self.store.receive_as_known(incoming, self.number, &key_of(object)),
            None => {
                let version = object.resource_version.as_deref().unwrap_or_default();
                machine.saw(version);
                if object.deleted {
                    self.store.remove_unread(self.number, &key_of(object));
                    self.changed();
                }
                self.store.advance(self.number, version);
            }
        }
    }

    fn changed(&self) {
        self.metrics.changed();
        self.metrics.objects(self.store.len());
    }

    async fn watch(&self, machine: &mut Machine, version: Option<&str>, initial: bool) -> Result<Outcome, Error> {
        let seconds = fastrand::u32(WATCH_SECONDS.0..=WATCH_SECONDS.1);
        let started = Instant::now();
        let begun_at = machine.version().map(str::to_owned);
        let mut changes = self.source.watch(&WatchStart { version, initial, seconds }).await?;
        self.metrics.watched();
        self.store.note(|status| {
            status.well(self.number);
            if initial {
                status.left_out(self.number, None);
            }
        });
        // Nothing of this is shown, and no version counts, before all of it is there.
        let mut incoming = initial.then(|| self.store.incoming());
        let mut lasts = false;
        loop {
            let change = match &incoming {
                None if lasts => changes.next().await,
                None => {
                    let Ok(change) = timeout_at(started + TOO_SHORT, changes.next()).await else {
                        lasts = true;
                        self.store.note(|status| status.watch_ended(self.number, false));
                        continue;
                    };
                    change
                }
                Some(_) => match timeout(INITIAL_SILENCE, changes.next()).await {
                    Ok(change) => change,
                    Err(_) => return Ok(Outcome::NeverMarked),
                },
            };
            let Some(change) = change else {
                let is_new = machine.version() != begun_at.as_deref();
                return Ok(match incoming {
                    Some(_) => Outcome::NeverMarked,
                    None => Outcome::Ended { at_once: !is_new && started.elapsed() < TOO_SHORT },
                });
            };
            match (change?, &mut incoming) {
                (Change::Set(arrival), Some(incoming)) => self.store.receive(incoming, self.number, arrival),
                (Change::Gone(arrival), Some(incoming)) => incoming.remove(&arrival.entry.key),
                (Change::Undecodable(error), incoming) => {
                    let object = self.left_out(error);
                    self.changed_unread(machine, incoming.as_mut(), &object);
                }
                (Change::Mark { version, ends_initial: true }, begun) => {
                    if let Some(incoming) = begun.take() {
                        self.replace(incoming, &version, started);
                        machine.synced(&version);
                    }
                }
                (Change::Mark { .. }, Some(_)) => {}
                (Change::Set(arrival), None) => {
                    machine.saw(&arrival.entry.version);
                    self.store.set(self.number, arrival);
                    self.changed();
                }
                (Change::Gone(arrival), None) => {
                    machine.saw(&arrival.entry.version);
                    self.store.remove(self.number, arrival);
                    self.changed();
                }
                (Change::Mark { version, .. }, None) => {
                    machine.saw(&version);
                    self.store.advance(self.number, &version);
                }
            }
        }
    }
}

fn key_of(object: &UndecodableObject) -> ObjectKey {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    ObjectKey::new(text(&object.namespace), text(&object.name))
}

/// What follows from an error.
fn classify(error: &Error) -> Failure {
    if error.is_too_large_resource_version() {
        Failure::TooLarge
    } else if error.must_list_again() {
        Failure::Expired
    } else if error.is_transient() || error.is_too_many_requests() {
        Failure::Passing
    } else if error.is_internal_error() || error.kind() == ErrorKind::Decode {
        Failure::Broken
    } else if error.is_bad_request() || error.is_invalid() || error.is_method_not_supported() {
        Failure::Unsupported
    } else {
        Failure::Refused
    }
}
