//! What a queue knows, without locks and clocks: every method is told the time.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    backoff::{Backoff, Tokens},
    metrics::{Metrics, Stats},
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

/// What may have room left for this many items without a reason.
const SMALL: usize = 64;

/// An item is in the map as long as it is ready, waiting or worked on.
#[derive(Debug)]
struct Entry {
    phase: Phase,
    priority: i32,
    /// How often it has failed in a row.
    failures: u32,
}

#[derive(Debug)]
enum Phase {
    Ready { ticket: u64, since: Instant },
    Waiting { at: Instant, ticket: u64, after_failure: bool },
    Running { since: Instant, again: Option<When> },
}

pub(crate) struct State<T> {
    entries: HashMap<T, Entry>,
    /// By priority, and then in their order. A ticket that the entry does not have any more is passed over: the item
    /// was moved.
    ready: BTreeMap<i32, VecDeque<(u64, T)>>,
    waiting: BTreeMap<(Instant, u64), T>,
    running: usize,
    /// How many entries are ready.
    depth: usize,
    next_ticket: u64,
    closed: bool,
    backoff: Backoff,
    tokens: Option<Tokens>,
    metrics: Arc<dyn Metrics>,
}

impl<T: Clone + Eq + Hash> State<T> {
    pub(crate) fn new(backoff: Backoff, tokens: Option<Tokens>, metrics: Arc<dyn Metrics>) -> Self {
        Self {
            entries: HashMap::new(),
            ready: BTreeMap::new(),
            waiting: BTreeMap::new(),
            running: 0,
            depth: 0,
            next_ticket: 0,
            closed: false,
            backoff,
            tokens,
            metrics,
        }
    }

    /// Adds an item. A repeat keeps the higher priority and the earlier time. Nothing is added to a closed queue.
    pub(crate) fn add(&mut self, item: T, when: When, priority: i32, now: Instant) {
        if self.closed {
            return;
        }
        let Some(entry) = self.entries.get_mut(&item) else {
            self.metrics.added();
            self.place(item, when, priority, 0, now);
            return;
        };
        let raised = priority > entry.priority;
        entry.priority = entry.priority.max(priority);
        match &mut entry.phase {
            Phase::Running { again, .. } => {
                if again.is_none() {
                    self.metrics.added();
                }
                *again = Some(again.map_or(when, |other| earlier(other, when)));
            }
            Phase::Ready { ticket, .. } => {
                if raised {
                    let (moved, priority) = (take_ticket(&mut self.next_ticket), entry.priority);
                    *ticket = moved;
                    self.ready.entry(priority).or_default().push_back((moved, item));
                }
            }
            Phase::Waiting { at, ticket, after_failure } => {
                let sooner = match when {
                    When::Now => true,
                    When::Ready => !*after_failure,
                    When::At(time) => !*after_failure && time < *at,
                };
                if sooner {
                    self.waiting.remove(&(*at, *ticket));
                    let (priority, failures) = (entry.priority, entry.failures);
                    self.place(item, when, priority, failures, now);
                }
            }
        }
    }

    /// Puts an item where it belongs that is neither ready, waiting nor worked on.
    fn place(&mut self, item: T, when: When, priority: i32, failures: u32, now: Instant) {
        match when {
            When::At(at) if at > now => self.wait(item, at, false, priority, failures),
            _ => self.make_ready(item, priority, failures, now),
        }
    }

    fn wait(&mut self, item: T, at: Instant, after_failure: bool, priority: i32, failures: u32) {
        let ticket = take_ticket(&mut self.next_ticket);
        self.waiting.insert((at, ticket), item.clone());
        self.entries.insert(item, Entry { phase: Phase::Waiting { at, ticket, after_failure }, priority, failures });
    }

    fn make_ready(&mut self, item: T, priority: i32, failures: u32, now: Instant) {
        let ticket = take_ticket(&mut self.next_ticket);
        self.ready.entry(priority).or_default().push_back((ticket, item.clone()));
        self.entries.insert(item, Entry { phase: Phase::Ready { ticket, since: now }, priority, failures });
        self.depth += 1;
        self.metrics.depth(self.depth);
    }

    /// Takes the next item that is ready.
    pub(crate) fn take(&mut self, now: Instant) -> Option<T> {
        self.wake(now);
        loop {
            let mut highest = self.ready.last_entry()?;
            let Some((ticket, item)) = highest.get_mut().pop_front() else {
                highest.remove();
                continue;
            };
            if highest.get().is_empty() && highest.get().capacity() > SMALL {
                highest.remove();
            }
            let Some(entry) = self.entries.get_mut(&item) else { continue };
            let Phase::Ready { ticket: current, since } = entry.phase else { continue };
            if ticket != current {
                continue;
            }
            entry.phase = Phase::Running { since: now, again: None };
            self.running += 1;
            self.depth -= 1;
            self.metrics.depth(self.depth);
            self.metrics.taken(now.saturating_duration_since(since));
            return Some(item);
        }
    }

    /// Makes those ready whose time has come.
    fn wake(&mut self, now: Instant) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                return;
            }
            let item = first.remove();
            if let Some(entry) = self.entries.remove(&item) {
                self.make_ready(item, entry.priority, entry.failures, now);
            }
        }
    }

    /// Ends the work on an item, and gives it back if nobody wants it any more.
    pub(crate) fn finish(&mut self, item: &T, outcome: Outcome, now: Instant) -> Option<T> {
        let (item, entry) = self.entries.remove_entry(item)?;
        let Entry { phase: Phase::Running { since, again }, priority, failures } = entry else {
            self.entries.insert(item, entry);
            return None;
        };
        self.running -= 1;
        self.metrics.finished(now.saturating_duration_since(since));
        if outcome == Outcome::Retry {
            self.metrics.retried();
        }
        if self.closed {
            // Whoever added it before the queue was closed is heard; nobody else is.
            if matches!(again, Some(When::Ready | When::Now)) {
                self.make_ready(item, priority, 0, now);
                return None;
            }
            return Some(item);
        }
        match outcome {
            Outcome::Retry if again == Some(When::Now) => {
                self.make_ready(item, priority, failures.saturating_add(1), now);
            }
            Outcome::Retry => self.back_off(item, priority, failures.saturating_add(1), now),
            Outcome::Done | Outcome::AgainAfter(_) => {
                let later = match outcome {
                    Outcome::AgainAfter(pause) => now.checked_add(pause).map(When::At),
                    _ => None,
                };
                let Some(when) = again.into_iter().chain(later).reduce(earlier) else {
                    self.give_back();
                    return Some(item);
                };
                self.place(item, when, priority, 0, now);
            }
        }
        None
    }

    /// Gives the memory back that a multitude of items has left, so seldom that it costs no more than they did.
    fn give_back(&mut self) {
        if self.entries.capacity() > SMALL && self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to_fit();
        }
    }

    fn back_off(&mut self, item: T, priority: i32, failures: u32, now: Instant) {
        let by_rate = self.tokens.as_mut().map_or(Duration::ZERO, |tokens| tokens.take(now));
        let pause = self.backoff.pause(failures).max(by_rate);
        // A pause without end is one of a year at least, which no program waits for.
        let at = now.checked_add(pause).unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
        if pause.is_zero() {
            self.make_ready(item, priority, failures, now);
        } else {
            self.wait(item, at, true, priority, failures);
        }
    }

    /// Ends the intake. What is ready is still handed out; what waits for its time is dropped.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        for item in std::mem::take(&mut self.waiting).into_values() {
            self.entries.remove(&item);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether nothing is ready and nothing is worked on.
    pub(crate) fn is_drained(&self) -> bool {
        self.depth == 0 && self.running == 0
    }

    /// Whether an item is ready.
    pub(crate) fn has_ready(&self) -> bool {
        self.depth > 0
    }

    /// When the next item that waits is to be taken.
    pub(crate) fn next_time(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn failures(&self, item: &T) -> u32 {
        self.entries.get(item).map_or(0, |entry| entry.failures)
    }

    pub(crate) fn stats(&self, now: Instant) -> Stats {
        let running = self.entries.values().filter_map(|entry| match entry.phase {
            Phase::Running { since, .. } => Some(now.saturating_duration_since(since)),
            _ => None,
        });
        let (unfinished, longest_running) = running
            .fold((Duration::ZERO, Duration::ZERO), |(sum, longest), age| (sum.saturating_add(age), longest.max(age)));
        Stats { ready: self.depth, waiting: self.waiting.len(), running: self.running, unfinished, longest_running }
    }
}

fn take_ticket(next: &mut u64) -> u64 {
    *next += 1;
    *next
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
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::NoMetrics;

    const PAUSE: u64 = 7;

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
            let mut state = State::new(Backoff::by(|_| Duration::from_secs(PAUSE)), None, Arc::new(NoMetrics));
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
                        state.add(item, when, priority, now);
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
                        let due: Vec<u8> = wanted.iter().filter(|(item, at)| **at <= time && !running.contains(*item))
                            .map(|(item, _)| *item).collect();
                        match state.take(now) {
                            Some(item) => {
                                prop_assert!(due.contains(&item), "{item} is taken, due are {due:?}");
                                wanted.remove(&item);
                                running.push(item);
                            }
                            None => prop_assert!(due.is_empty(), "{due:?} are due"),
                        }
                    }
                    Step::Finish { which, outcome } if which < running.len() => {
                        let item = running.swap_remove(which);
                        failed_until.remove(&item);
                        let asked_now = wanted.get(&item).is_some_and(|at| *at <= time);
                        match outcome {
                            0 => drop(state.finish(&item, Outcome::Done, now)),
                            1 => {
                                let wanted_now = matches!(
                                    state.entries[&item].phase,
                                    Phase::Running { again: Some(When::Now), .. }
                                );
                                state.finish(&item, Outcome::Retry, now);
                                if !closed && !wanted_now {
                                    failed_until.insert(item, time + PAUSE);
                                    wanted.insert(item, time + PAUSE);
                                } else if !closed {
                                    wanted.insert(item, time);
                                }
                            }
                            _ => {
                                state.finish(&item, Outcome::AgainAfter(Duration::from_secs(3)), now);
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
                        let (ready, depth) = (&state.entries, state.depth);
                        wanted.retain(|item, _| ready.get(item).is_some_and(|entry| match entry.phase {
                            Phase::Ready { .. } => true,
                            Phase::Running { again, .. } => matches!(again, Some(When::Ready | When::Now)),
                            Phase::Waiting { .. } => false,
                        }));
                        prop_assert!(depth <= ready.len());
                    }
                }
                let stats = state.stats(now);
                prop_assert_eq!(stats.running, running.len());
                prop_assert_eq!(stats.ready + stats.waiting + stats.running, state.entries.len());
            }
        }
    }
}
