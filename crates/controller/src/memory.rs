//! What is remembered of objects from one call to the next.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use k8s_client_informer::{Informer, ObjectKey};
use k8s_client_runtime::object::AnyObject;

use crate::Metrics;

/// Objects that are worked on, that have failed, or that a call has written. Of all others nothing is remembered.
pub(crate) struct Memory {
    state: Mutex<State>,
    metrics: Arc<dyn Metrics>,
}

#[derive(Default)]
struct State {
    objects: HashMap<ObjectKey, Remembered>,
    /// How many of them are worked on.
    running: usize,
}

#[derive(Default)]
struct Remembered {
    is_running: bool,
    /// What the last call was given, if it has not succeeded.
    given: Option<Wanted>,
    /// A version that a call has written and the informer may not have yet.
    written: Option<String>,
}

/// What people want of an object, as far as it can be told from what controllers say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    uid: Option<String>,
    generation: Option<i64>,
    is_deleted: bool,
}

impl Wanted {
    fn of(object: &impl AnyObject) -> Self {
        Self {
            uid: object.uid().map(str::to_owned),
            generation: object.generation(),
            is_deleted: object.deletion_timestamp().is_some(),
        }
    }
}

impl Memory {
    pub(crate) fn new(metrics: Arc<dyn Metrics>) -> Self {
        Self { state: Mutex::default(), metrics }
    }

    /// The work on an object begins, and lasts for as long as what is returned.
    pub(crate) fn begin<'a>(&'a self, key: &'a ObjectKey) -> Working<'a> {
        let mut state = self.state();
        state.objects.entry(key.clone()).or_default().is_running = true;
        state.running += 1;
        self.metrics.running(state.running);
        Working { memory: self, key }
    }

    /// Whether an object is worked on or has failed, and is another one now than its last call was given: somebody has
    /// changed what is wanted of it. Nothing is decoded for an object that is not remembered, as most are not.
    pub(crate) fn is_outdated<T>(&self, key: &ObjectKey, objects: &Informer<T>) -> bool
    where
        T: AnyObject + Send + Sync + 'static,
    {
        let Some(given) = self.state().objects.get(key).and_then(|it| it.given.clone()) else { return false };
        objects.lister().get_key(key).is_none_or(|object| Wanted::of(&*object) != given)
    }

    /// The objects that are worked on, in order.
    pub(crate) fn running(&self) -> Vec<ObjectKey> {
        let state = self.state();
        let mut running: Vec<_> = state.objects.iter().filter(|it| it.1.is_running).map(|it| it.0.clone()).collect();
        running.sort();
        running
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An object that is worked on, for as long as this lives: calls that are dropped are over, too.
pub(crate) struct Working<'a> {
    memory: &'a Memory,
    key: &'a ObjectKey,
}

impl Working<'_> {
    /// What a call before this one has written.
    pub(crate) fn written(&self) -> Option<String> {
        self.change(|it| it.written.take())
    }

    /// A call is given this object. `false` if it is not the object that has failed before, but another one of its
    /// name.
    pub(crate) fn give(&self, object: &impl AnyObject) -> bool {
        let wanted = Wanted::of(object);
        self.change(|it| {
            let is_same = it.given.as_ref().is_none_or(|given| given.uid == wanted.uid);
            it.given = Some(wanted);
            is_same
        })
    }

    /// The call has ended.
    pub(crate) fn end(self, has_failed: bool, written: Option<String>) {
        self.change(|it| {
            it.given = it.given.take().filter(|_| has_failed);
            it.written = written;
        });
    }

    fn change<R: Default>(&self, change: impl FnOnce(&mut Remembered) -> R) -> R {
        self.memory.state().objects.get_mut(self.key).map(change).unwrap_or_default()
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut state = self.memory.state();
        let State { objects, running } = &mut *state;
        if let Some(it) = objects.get_mut(self.key) {
            it.is_running = false;
            if it.given.is_none() && it.written.is_none() {
                objects.remove(self.key);
            }
        }
        // So seldom that it costs no more than filling the map did.
        if objects.capacity() > 64 && objects.len() * 4 < objects.capacity() {
            objects.shrink_to_fit();
        }
        *running -= 1;
        // A program's own metrics that have panicked before may do so again, which would end the program.
        if !std::thread::panicking() {
            self.memory.metrics.running(*running);
        }
    }
}
