//! What a queue knows, without locks and clocks: every method is told the time, or whom to ask for it.

use std::{sync::Arc, time::Duration};

use hashbrown::{HashTable, hash_table::Entry as Found};
use tokio::time::Instant;

use crate::{
    backoff::{ItemBackoff, Tokens},
    metrics::{Metrics, Stats},
    named::Name,
    places::{Places, SMALL},
};

/// When an added item is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// At once, but not before the pause after a failure is over.
    Ready,
    /// At once.
    Now,
    /// At this time, and not before the pause after a failure is over.
    At(Instant),
}

/// How the work on an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Retry,
    AgainAfter(Duration),
}

/// What is known of an item.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) phase: Phase,
    priority: i32,
    /// How often it has failed in a row.
    failures: u32,
}

impl Entry {
    /// Of an item that is in no queue yet.
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Gone, priority: 0, failures: 0 }
    }

    pub(crate) fn has_ticket(&self, ticket: u64) -> bool {
        matches!(self.phase, Phase::Ready { ticket: current, .. } if current == ticket)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    /// It is not in the queue, or not any more.
    Gone,
    /// Since when is known if somebody is told.
    Ready {
        ticket: u64,
        since: Option<Instant>,
    },
    Waiting {
        at: Instant,
        ticket: u64,
        after_failure: bool,
    },
    Running {
        since: Instant,
        again: Option<When>,
    },
}

pub(crate) struct State<T> {
    names: Names<T>,
    places: Places<T>,
    running: usize,
    closed: bool,
    backoff: ItemBackoff,
    tokens: Option<Tokens>,
}

/// The items that are ready, waiting or worked on.
struct Names<T>(HashTable<Name<T>>);

impl<T> Names<T> {
    fn find(&self, item: &T, hash: u64) -> Option<&Name<T>>
    where
        T: Eq,
    {
        self.0.find(hash, |name| ***name == *item)
    }

    fn remove(&mut self, name: &Name<T>) {
        name.entry().phase = Phase::Gone;
        if let Ok(found) = self.0.find_entry(name.hash(), |other| Arc::ptr_eq(other, name)) {
            found.remove();
        }
    }

    /// Gives the memory back that a multitude of items has left, so seldom that it costs no more than they did.
    fn give_back(&mut self) {
        if self.0.capacity() > SMALL && self.0.len() * 4 < self.0.capacity() {
            self.0.shrink_to_fit(|name| name.hash());
        }
    }
}

impl<T> State<T> {
    pub(crate) fn new(backoff: ItemBackoff, tokens: Option<Tokens>, metrics: Option<Arc<dyn Metrics>>) -> Self {
        let (names, places) = (Names(HashTable::new()), Places::new(metrics));
        Self { names, places, running: 0, closed: false, backoff, tokens }
    }

    /// Adds an item. A repeat keeps the higher priority and the earlier time. Nothing is added to a closed queue.
    pub(crate) fn add(&mut self, name: &Name<T>, when: When, priority: i32, now: impl Fn() -> Instant)
    where
        T: Eq,
    {
        if self.closed {
            return;
        }
        let is_same = |known: &Name<T>| ***known == ***name;
        let found = match self.names.0.entry(name.hash(), is_same, |known| known.hash()) {
            Found::Occupied(found) => found,
            Found::Vacant(vacant) => {
                self.places.tell(Metrics::added);
                let phase = self.places.put(name, when, priority, now);
                *name.entry() = Entry { phase, priority, failures: 0 };
                vacant.insert(name.clone());
                return;
            }
        };
        let name = found.get();
        let entry = &mut *name.entry();
        let raised = priority > entry.priority;
        entry.priority = entry.priority.max(priority);
        match &mut entry.phase {
            Phase::Running { again, .. } => {
                if again.is_none() {
                    self.places.tell(Metrics::added);
                }
                *again = Some(again.map_or(when, |other| earlier(other, when)));
            }
            Phase::Ready { ticket, .. } => {
                if raised {
                    *ticket = self.places.change_line(name, priority);
                }
            }
            Phase::Waiting { at, ticket, after_failure } => {
                let sooner = match when {
                    When::Now => true,
                    When::Ready => !*after_failure,
                    When::At(time) => !*after_failure && time < *at,
                };
                if sooner {
                    self.places.wait_no_longer(*at, *ticket);
                    entry.phase = self.places.put(name, when, entry.priority, now);
                }
            }
            // What is gone is not in the table.
            Phase::Gone => {}
        }
    }

    /// Takes the next item that is ready.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Name<T>> {
        while let Some(name) = self.places.due(now) {
            let entry = &mut *name.entry();
            entry.phase = self.places.put_in_line(&name, entry.priority, || now);
        }
        while let Some((place, name)) = self.places.first_in_line() {
            let mut entry = name.entry();
            match entry.phase {
                Phase::Ready { ticket, since } if ticket == place => {
                    entry.phase = Phase::Running { since: now, again: None };
                    drop(entry);
                    self.running += 1;
                    self.places.taken(since, now);
                    return Some(name);
                }
                _ => self.places.was_left(),
            }
        }
        None
    }

    /// Ends the work on an item.
    pub(crate) fn finish(&mut self, name: &Name<T>, outcome: Outcome, now: impl Fn() -> Instant + Copy) {
        let mut guard = name.entry();
        let entry = &mut *guard;
        let Phase::Running { since, again } = entry.phase else { return };
        self.running -= 1;
        self.places.tell(|metrics| metrics.finished(now().saturating_duration_since(since)));
        if outcome == Outcome::Retry && !self.closed {
            self.places.tell(Metrics::retried);
            entry.failures = entry.failures.saturating_add(1);
            entry.phase = if again == Some(When::Now) {
                self.places.put_in_line(name, entry.priority, now)
            } else {
                let by_rate = self.tokens.as_mut().map_or(Duration::ZERO, |tokens| tokens.take(now()));
                match self.backoff.pause(entry.failures).max(by_rate) {
                    Duration::ZERO => self.places.put_in_line(name, entry.priority, now),
                    pause => self.places.put_for_later(name, after(now(), pause), true),
                }
            };
            return;
        }
        entry.failures = 0;
        let later = match outcome {
            Outcome::AgainAfter(pause) if !self.closed => now().checked_add(pause).map(When::At),
            _ => None,
        };
        // Whoever added it before the queue was closed is heard, but nothing waits any more.
        let again = again.filter(|when| !self.closed || !matches!(when, When::At(_)));
        if let Some(when) = again.into_iter().chain(later).reduce(earlier) {
            entry.phase = self.places.put(name, when, entry.priority, now);
        } else {
            drop(guard);
            self.names.remove(name);
            self.names.give_back();
        }
    }

    /// Ends the intake. What is ready is still handed out; what waits for its time is dropped: it is given back, to be
    /// dropped without the lock.
    pub(crate) fn close(&mut self) -> Vec<Name<T>> {
        self.closed = true;
        let waiting = self.places.take_waiting();
        for name in &waiting {
            self.names.remove(name);
        }
        waiting
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether nothing is ready and nothing is worked on.
    pub(crate) fn is_drained(&self) -> bool {
        self.places.depth() == 0 && self.running == 0
    }

    /// Whether an item is ready.
    pub(crate) fn has_ready(&self) -> bool {
        self.places.depth() > 0
    }

    /// When the next item that waits is to be taken.
    pub(crate) fn next_time(&self) -> Option<Instant> {
        self.places.next_time()
    }

    pub(crate) fn failures(&self, item: &T, hash: u64) -> u32
    where
        T: Eq,
    {
        self.names.find(item, hash).map_or(0, |name| name.entry().failures)
    }

    pub(crate) fn stats(&self, now: Instant) -> Stats {
        let running = self.names.0.iter().filter_map(|name| match name.entry().phase {
            Phase::Running { since, .. } => Some(now.saturating_duration_since(since)),
            _ => None,
        });
        let (unfinished, longest_running) = running
            .fold((Duration::ZERO, Duration::ZERO), |(sum, longest), age| (sum.saturating_add(age), longest.max(age)));
        let (ready, waiting) = (self.places.depth(), self.places.waiting());
        Stats { ready, waiting, running: self.running, unfinished, longest_running }
    }
}

/// A pause without end is one of a year at least, which no program waits for.
fn after(now: Instant, pause: Duration) -> Instant {
    now.checked_add(pause).unwrap_or(now + Duration::from_secs(365 * 24 * 3600))
}

/// The one of two wishes that is fulfilled sooner.
fn earlier(a: When, b: When) -> When {
    match (a, b) {
        (When::Now, _) | (_, When::Now) => When::Now,
        (When::Ready, _) | (_, When::Ready) => When::Ready,
        (When::At(a), When::At(b)) => When::At(a.min(b)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::named::Named;

    const PAUSE: u64 = 7;

    /// A name is made anew each time that an item is added. Hashes of different items may be the same.
    fn name(item: u8) -> Name<u8> {
        Arc::new(Named::new(item, u64::from(item % 2)))
    }

    impl State<u8> {
        fn phase(&self, item: u8) -> Option<Phase> {
            self.names.find(&item, u64::from(item % 2)).map(|name| name.entry().phase)
        }

        /// What must be so at any time.
        fn check(&self) {
            let is_ready = |name: &Name<u8>| matches!(name.entry().phase, Phase::Ready { .. });
            assert_eq!(self.places.depth(), self.names.0.iter().filter(|name| is_ready(name)).count());
            self.places.check();
        }
    }

    /// What somebody does, at a later time than the one before.
    #[derive(Clone, Debug)]
    enum Step {
        Add { item: u8, when: u8, priority: i32 },
        Take,
        Finish { which: usize, outcome: u8 },
        Close,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4_u8, 0..4_u8, -1..2_i32).prop_map(|(item, when, priority)| Step::Add { item, when, priority }),
            4 => Just(Step::Take),
            4 => (0..4_usize, 0..3_u8).prop_map(|(which, outcome)| Step::Finish { which, outcome }),
            1 => Just(Step::Close),
        ]
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    proptest! {
        /// Held against what any order of adding and working must keep, at every step.
        #[test]
        fn nothing_runs_twice_and_nothing_that_was_added_is_lost(steps in prop::collection::vec((step(), 0..4_u64), 0..80)) {
            let start = Instant::now();
            let mut state = State::new(ItemBackoff::by(|_| Duration::from_secs(PAUSE)), None, None);
            let (mut time, mut running, mut closed) = (0, Vec::new(), false);
            // Items that somebody wants taken, and not before which time.
            let mut wanted: HashMap<u8, u64> = HashMap::new();
            let mut failed_until: HashMap<u8, u64> = HashMap::new();
            for (step, seconds) in steps {
                time += seconds;
                let now = after(start, time);
                match step {
                    Step::Add { item, when, priority } => {
                        let (when, at) = match when {
                            0 => (When::Now, time),
                            1 => (When::At(after(now, 5)), time + 5),
                            _ => (When::Ready, time),
                        };
                        state.add(&name(item), when, priority, || now);
                        if !closed {
                            if when == When::Now {
                                failed_until.remove(&item);
                            }
                            let at = at.max(failed_until.get(&item).copied().unwrap_or(0));
                            let soonest = wanted.entry(item).or_insert(at);
                            *soonest = at.min(*soonest);
                        }
                    }
                    Step::Take => {
                        let due: Vec<u8> = wanted.iter().filter(|(item, at)| **at <= time && !running.iter().any(|other: &Name<u8>| ***other == **item))
                            .map(|(item, _)| *item).collect();
                        match state.take(now) {
                            Some(taken) => {
                                prop_assert!(due.contains(&taken), "{} is taken, due are {due:?}", **taken);
                                wanted.remove(&**taken);
                                running.push(taken);
                            }
                            None => prop_assert!(due.is_empty(), "{due:?} are due"),
                        }
                    }
                    Step::Finish { which, outcome } if which < running.len() => {
                        let taken = running.swap_remove(which);
                        let item = **taken;
                        failed_until.remove(&item);
                        let asked_now = wanted.get(&item).is_some_and(|at| *at <= time);
                        match outcome {
                            0 => state.finish(&taken, Outcome::Done, || now),
                            1 => {
                                let wanted_now = matches!(
                                    state.phase(item),
                                    Some(Phase::Running { again: Some(When::Now), .. })
                                );
                                state.finish(&taken, Outcome::Retry, || now);
                                if !closed && !wanted_now {
                                    failed_until.insert(item, time + PAUSE);
                                    wanted.insert(item, time + PAUSE);
                                } else if !closed {
                                    wanted.insert(item, time);
                                }
                            }
                            _ => {
                                state.finish(&taken, Outcome::AgainAfter(Duration::from_secs(3)), || now);
                                if !closed {
                                    let soonest = wanted.entry(item).or_insert(time + 3);
                                    *soonest = (time + 3).min(*soonest);
                                }
                            }
                        }
                        if closed && !asked_now {
                            wanted.remove(&item);
                        }
                    }
                    Step::Finish { .. } => {}
                    Step::Close => {
                        state.close();
                        closed = true;
                        wanted.retain(|item, _| match state.phase(*item) {
                            Some(Phase::Ready { .. }) => true,
                            Some(Phase::Running { again, .. }) => matches!(again, Some(When::Ready | When::Now)),
                            Some(Phase::Waiting { .. } | Phase::Gone) | None => false,
                        });
                    }
                }
                let stats = state.stats(now);
                prop_assert_eq!(stats.running, running.len());
                prop_assert_eq!(stats.ready + stats.waiting + stats.running, state.names.0.len());
                state.check();
            }
        }
    }

    #[test]
    fn places_that_were_left_are_cleared_and_taken_once() {
        let now = Instant::now();
        let mut state = State::new(ItemBackoff::default(), None, None);
        // Items of a low priority are never taken, as others are always there: each of those begins low, too.
        for round in 0..10_000 {
            state.add(&name(0), When::Ready, -100, || now);
            state.add(&name(1), When::Ready, -100, || now);
            (-99..=i32::from(round % 7 == 0)).step_by(20).for_each(|up| state.add(&name(1), When::Ready, up, || now));
            state.add(&name(1), When::Ready, 1, || now);
            let taken = state.take(now).expect("it is ready");
            assert_eq!(**taken, 1);
            state.finish(&taken, Outcome::Done, || now);
            state.check();
            assert!(state.places.in_lines() <= 2 * SMALL + 2, "{} places", state.places.in_lines());
        }
        assert_eq!(state.take(now).map(|taken| **taken), Some(0));
        assert!(state.take(now).is_none() && state.places.in_lines() == 0, "each is taken once");
    }
}
