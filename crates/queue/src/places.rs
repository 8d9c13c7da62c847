//! Where items stand while nobody works on them: in a line for each priority, or by the time they wait for.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::time::Instant;

use crate::{
    metrics::Metrics,
    named::Name,
    state::{Phase, When},
};

/// What may have room left for this many items without a reason.
pub(crate) const SMALL: usize = 64;

pub(crate) struct Places<T> {
    /// By priority, and then in their order.
    lines: BTreeMap<i32, VecDeque<(u64, Name<T>)>>,
    waiting: BTreeMap<(Instant, u64), Name<T>>,
    /// How many items are ready.
    depth: usize,
    /// How many places in lines are left behind by items that were moved to another line.
    left: usize,
    next_ticket: u64,
    pub(crate) metrics: Option<Arc<dyn Metrics>>,
}

impl<T> Places<T> {
    pub(crate) fn new(metrics: Option<Arc<dyn Metrics>>) -> Self {
        Self { lines: BTreeMap::new(), waiting: BTreeMap::new(), depth: 0, left: 0, next_ticket: 0, metrics }
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When the next item that waits is to be taken.
    pub(crate) fn next_time(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn tell(&self, tell: impl FnOnce(&(dyn Metrics + 'static))) {
        if let Some(metrics) = &self.metrics {
            tell(&**metrics);
        }
    }

    /// Puts an item where it belongs that has no place.
    pub(crate) fn put(&mut self, name: &Name<T>, when: When, priority: i32, now: impl Fn() -> Instant) -> Phase {
        match when {
            When::At(at) if at > now() => self.put_for_later(name, at, false),
            _ => self.put_in_line(name, priority, now),
        }
    }

    pub(crate) fn put_for_later(&mut self, name: &Name<T>, at: Instant, after_failure: bool) -> Phase {
        let ticket = self.ticket();
        self.waiting.insert((at, ticket), name.clone());
        Phase::Waiting { at, ticket, after_failure }
    }

    pub(crate) fn put_in_line(&mut self, name: &Name<T>, priority: i32, now: impl Fn() -> Instant) -> Phase {
        self.depth += 1;
        self.tell(|metrics| metrics.depth(self.depth));
        let since = self.metrics.is_some().then(now);
        Phase::Ready { ticket: self.stand(name, priority), since }
    }

    fn stand(&mut self, name: &Name<T>, priority: i32) -> u64 {
        let ticket = self.ticket();
        self.lines.entry(priority).or_default().push_back((ticket, name.clone()));
        ticket
    }

    /// Moves an item that is ready to the end of another line. The place that it leaves stays until somebody comes to
    /// it, or until there are more of those than of others.
    pub(crate) fn change_line(&mut self, name: &Name<T>, priority: i32) -> u64 {
        self.left += 1;
        if self.left > self.depth.max(SMALL) {
            for line in self.lines.values_mut() {
                line.retain(|(ticket, other)| !Arc::ptr_eq(other, name) && other.entry().has_ticket(*ticket));
                line.shrink_to(line.len() * 2);
            }
            self.lines.retain(|_, line| !line.is_empty());
            self.left = 0;
        }
        self.stand(name, priority)
    }

    /// The first place of the line of the highest priority.
    pub(crate) fn first_in_line(&mut self) -> Option<(u64, Name<T>)> {
        loop {
            let mut highest = self.lines.last_entry()?;
            let first = highest.get_mut().pop_front();
            // An empty line is kept for the next item, unless it has much room.
            if first.is_none() || (highest.get().is_empty() && highest.get().capacity() > SMALL) {
                highest.remove();
            }
            if first.is_some() {
                return first;
            }
        }
    }

    /// That place was one of an item, which is ready no longer.
    pub(crate) fn taken(&mut self, since: Option<Instant>, now: Instant) {
        self.depth -= 1;
        self.tell(|metrics| {
            metrics.depth(self.depth);
            metrics.taken(since.map(|since| now.saturating_duration_since(since)).unwrap_or_default());
        });
    }

    /// That place had been left.
    pub(crate) fn was_left(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// The item that waits no longer, if its time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Name<T>> {
        let first = self.waiting.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(crate) fn wait_no_longer(&mut self, at: Instant, ticket: u64) {
        self.waiting.remove(&(at, ticket));
    }

    /// All that wait, who wait no longer.
    pub(crate) fn take_waiting(&mut self) -> Vec<Name<T>> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }
}

#[cfg(test)]
impl<T> Places<T> {
    /// How many places there are in all lines.
    pub(crate) fn in_lines(&self) -> usize {
        self.lines.values().map(VecDeque::len).sum()
    }

    /// What must be so at any time.
    pub(crate) fn check(&self) {
        assert_eq!(self.in_lines(), self.depth + self.left);
        assert!(self.left <= self.depth.max(SMALL) + 1, "{} left, {} ready", self.left, self.depth);
    }
}
