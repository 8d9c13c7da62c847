//! What a subscriber has not read yet: at most one entry for each object, whatever happens meanwhile.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{give_back, is_sparse};
use crate::{ObjectKey, entry::Entry};

/// Which objects a subscriber wants to hear of.
pub(crate) type Filter<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// An event, with objects as the store keeps them.
pub(crate) enum RawEvent<T> {
    Added(Arc<Entry<T>>),
    Updated { old: Arc<Entry<T>>, new: Arc<Entry<T>> },
    Deleted { last: Arc<Entry<T>>, seen: bool },
    Synced,
}

pub(crate) struct Buffer<T> {
    filter: Option<Filter<T>>,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// What is read next, by when it came.
    order: BTreeMap<u64, Slot>,
    pending: HashMap<ObjectKey, Pending<T>>,
    next_ticket: u64,
    /// Second halves of what was read.
    ready: VecDeque<RawEvent<T>>,
    /// With a filter: the objects that the subscriber knows, or will when it has read everything.
    visible: HashSet<ObjectKey>,
    waker: Option<Waker>,
    ended: bool,
}

enum Slot {
    Object(ObjectKey),
    Synced,
}

/// What has become of an object since the subscriber read of it.
struct Pending<T> {
    ticket: u64,
    /// What the subscriber knows.
    before: Option<Arc<Entry<T>>>,
    /// The last state of the object that the subscriber knows, if that one was deleted, and whether the deletion was
    /// seen.
    gone: Option<(Arc<Entry<T>>, bool)>,
    /// What there is now.
    after: Option<Arc<Entry<T>>>,
}

impl<T> Buffer<T> {
    pub(crate) fn new(filter: Option<Filter<T>>) -> Self {
        let state = State {
            order: BTreeMap::new(),
            pending: HashMap::new(),
            next_ticket: 0,
            ready: VecDeque::new(),
            visible: HashSet::new(),
            waker: None,
            ended: false,
        };
        Self { filter, state: Mutex::new(state) }
    }

    pub(crate) fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether the subscriber wants to hear of this object.
    pub(crate) fn matches(&self, object: &T) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter(object))
    }

    /// An object was set or removed. `is` says whether the subscriber wants to hear of the new one; `last` is the last
    /// state that a watch brought of one that was removed.
    pub(crate) fn changed(
        &self,
        old: Option<&Arc<Entry<T>>>,
        new: Option<&Arc<Entry<T>>>,
        is: bool,
        last: Option<&Arc<Entry<T>>>,
    ) {
        let Some(key) = new.or(old).map(|entry| entry.key.clone()) else { return };
        let mut state = self.state();
        let (mut old, mut new, mut last) = (old, new, last);
        if self.is_filtered() {
            let was = state.visible.contains(&key);
            let is = is && new.is_some();
            old = old.filter(|_| was);
            if !is && old.zip(new).is_some_and(|(old, new)| old.uid == new.uid) {
                // An object that stops matching is seen to go.
                last = old;
            }
            new = new.filter(|_| is);
            if is && !was {
                state.visible.insert(key.clone());
            } else if was && !is {
                state.visible.remove(&key);
                if is_sparse(state.visible.len(), state.visible.capacity()) {
                    state.visible.shrink_to_fit();
                }
            }
        }
        state.note(key, old, new, last);
    }

    /// Announces an object as it is, unless something about it waits to be read.
    pub(crate) fn repeat(&self, entry: &Arc<Entry<T>>) {
        let mut state = self.state();
        let known = !self.is_filtered() || state.visible.contains(&entry.key);
        if known && !state.pending.contains_key(&entry.key) {
            state.note(entry.key.clone(), Some(entry), Some(entry), None);
        }
    }

    /// Everything that was there at the beginning has been announced.
    pub(crate) fn synced(&self) {
        let mut state = self.state();
        let ticket = state.ticket();
        state.order.insert(ticket, Slot::Synced);
        state.wake();
    }

    /// Nothing more comes.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.wake();
    }

    /// How much waits to be read.
    pub(crate) fn len(&self) -> usize {
        let state = self.state();
        state.order.len() + state.ready.len()
    }

    /// The next event; `None` when there are no more to come.
    pub(crate) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<RawEvent<T>>> {
        let mut state = self.state();
        loop {
            if let Some(event) = state.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            let Some((_, slot)) = state.order.pop_first() else { break };
            match slot {
                Slot::Synced => return Poll::Ready(Some(RawEvent::Synced)),
                Slot::Object(key) => {
                    if let Some(pending) = state.pending.remove(&key) {
                        state.ready.extend(pending.into_events());
                        give_back(&mut state.pending);
                    }
                }
            }
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing of a program's own is called under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    fn note(
        &mut self,
        key: ObjectKey,
        old: Option<&Arc<Entry<T>>>,
        new: Option<&Arc<Entry<T>>>,
        last: Option<&Arc<Entry<T>>>,
    ) {
        if old.is_none() && new.is_none() {
            return;
        }
        let goes = old.is_some_and(|old| new.is_none_or(|new| new.uid != old.uid));
        // Without a last state, the one before is the best there is.
        let end = old.filter(|_| goes).map(|old| last.map_or((old.clone(), false), |last| (last.clone(), true)));
        if let Some(pending) = self.pending.get_mut(&key) {
            pending.after = new.cloned();
            if end.is_some() && pending.before.as_ref().zip(old).is_some_and(|(before, old)| old.uid == before.uid) {
                pending.gone = end;
            }
            if pending.before.is_none() && pending.after.is_none() {
                let ticket = pending.ticket;
                self.pending.remove(&key);
                self.order.remove(&ticket);
                give_back(&mut self.pending);
            }
        } else {
            let ticket = self.ticket();
            self.order.insert(ticket, Slot::Object(key.clone()));
            let pending = Pending { ticket, before: old.cloned(), gone: end, after: new.cloned() };
            self.pending.insert(key, pending);
        }
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Pending<T> {
    fn into_events(self) -> impl Iterator<Item = RawEvent<T>> {
        let deleted = |(last, seen)| RawEvent::Deleted { last, seen };
        let (first, second) = match (self.before, self.after) {
            (None, None) => (None, None),
            (None, Some(new)) => (Some(RawEvent::Added(new)), None),
            (Some(old), None) => (Some(deleted(self.gone.unwrap_or((old, false)))), None),
            (Some(old), Some(new)) if old.uid == new.uid => (Some(RawEvent::Updated { old, new }), None),
            (Some(old), Some(new)) => (Some(deleted(self.gone.unwrap_or((old, false)))), Some(RawEvent::Added(new))),
        };
        first.into_iter().chain(second)
    }
}
