//! Which requests occurrences become: a state machine without clocks, tasks or requests.
//!
//! An occurrence that happened before is only counted. Its event is created at once and its second occurrence is
//! written at once, so that people see that there are repeats; after that, the count is written once in a while and
//! when it has been quiet. What is to be written is remembered as the event's key: whenever a request can be sent, it
//! has the count of then.

mod budget;
mod limits;
mod series;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, hash::BuildHasher, hash::RandomState, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;

use self::{
    budget::{Budget, BudgetKey},
    series::{Place, Series},
};
pub(crate) use self::{
    limits::{Limits, SeriesTimes},
    series::Key,
};
use crate::{Dropped, lru::Lru, occurrence, occurrence::Occurrence};

/// What client-go puts before the note of the last of several similar events.
const COMBINED: &str = "(combined from similar events): ";

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) key: Arc<Key>,
    /// The server does not have the event yet.
    pub(crate) creates: bool,
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) count: u64,
    /// How many occurrences the server learns of.
    pub(crate) occurrences: u64,
    ticket: Ticket,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Written,
    /// The event to be changed is gone.
    Missing,
    /// The event to be created is there: an earlier request has created it, and its answer was lost.
    Exists,
    /// It may succeed later.
    Transient,
    /// It might, but there is no time for that.
    GivenUp,
    Refused,
}

/// The place in the line of what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// Occurrences that will not be written.
pub(crate) type Loss = (Dropped, u64);

/// Similar events: the same in all but their notes.
#[derive(Default)]
struct Similar {
    /// Hashes of what is their own.
    own: Vec<u64>,
    last: Duration,
}

pub(crate) struct Correlator {
    limits: Limits,
    series: Lru<Key, Series>,
    similar: Lru<Key, Similar>,
    budgets: Lru<BudgetKey, Budget>,
    waiting: VecDeque<(Ticket, Arc<Key>)>,
    sending: Option<Ticket>,
    last_ticket: Ticket,
    /// The number in the name of the newest event.
    last_number: i64,
    hasher: RandomState,
    losses: Vec<Loss>,
}

impl Correlator {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            series: Lru::new(limits.remembered),
            similar: Lru::new(limits.remembered),
            budgets: Lru::new(limits.remembered),
            waiting: VecDeque::new(),
            sending: None,
            last_ticket: Ticket::default(),
            last_number: 0,
            hasher: RandomState::new(),
            losses: Vec::new(),
        }
    }

    /// Takes an occurrence in.
    pub(crate) fn record(&mut self, occurrence: &Occurrence, now: Duration) {
        let combined = Key::combined(occurrence);
        let (key, note) = if self.is_one_of_many(&combined, occurrence, now) {
            (combined, occurrence::fitting(format!("{COMBINED}{}", occurrence.note)))
        } else {
            let own = Some((occurrence.related.clone(), occurrence.note.clone()));
            (Key { own, ..combined }, occurrence.note.clone())
        };
        let series = self.series.using(&key);
        let (is_new, is_to_write) = match &series {
            Some(series) => (false, series.place == Place::Idle && series.written < 2),
            None => (true, true),
        };
        let dropped = if is_to_write { self.admit(&key, now).err() } else { None };
        if is_new {
            match dropped {
                // It would take the place of one that is to be written.
                Some(why) if why == Dropped::Full || self.series.is_full() => return self.lose(why, 1),
                _ => self.remember(&key, occurrence, now),
            }
        }
        let Some(series) = self.series.get_mut(&key) else { return };
        series.count += 1;
        series.last = occurrence.at.max(series.last);
        series.seen_at = now;
        series.note = note;
        match dropped {
            None if is_to_write => self.wait_to_write(&key),
            // The count of an event that is there is written some time.
            Some(why) if series.written == 0 => {
                series.reported += 1;
                self.lose(why, 1);
            }
            _ => {}
        }
    }

    fn remember(&mut self, key: &Key, occurrence: &Occurrence, now: Duration) {
        let name = self.new_name(occurrence);
        let forgotten = self.series.insert(Arc::new(key.clone()), Series::new(name, occurrence, now));
        let Some((forgotten, series)) = forgotten else { return };
        // Whoever waits for it waits no longer, and another one may take its place.
        if let Some(position) = self.waiting.iter().position(|(_, waiting)| *waiting == forgotten) {
            self.waiting.remove(position);
        }
        self.lose(Dropped::Full, series.unwritten());
    }

    /// Whether there were so many similar events lately that this one is combined with them. One that has an event of
    /// its own counts there.
    fn is_one_of_many(&mut self, combined: &Key, occurrence: &Occurrence, now: Duration) -> bool {
        let own = self.hasher.hash_one((&occurrence.related, &occurrence.note));
        let similar = match self.similar.using(combined) {
            Some(similar) => similar,
            None => self.similar.using_or(&Arc::new(combined.clone()), Similar::default),
        };
        if now.saturating_sub(similar.last) > self.limits.similar_window {
            similar.own.clear();
        }
        similar.last = now;
        if similar.own.contains(&own) {
            return false;
        }
        let is_one_of_many = similar.own.len() + 1 >= self.limits.similar;
        if !is_one_of_many {
            similar.own.push(own);
        }
        is_one_of_many
    }

    /// No two events of one object have the same number, also when the system's clock stands still.
    fn new_name(&mut self, occurrence: &Occurrence) -> String {
        let nanoseconds = i64::try_from(occurrence.at.as_nanosecond()).unwrap_or_default();
        self.last_number = nanoseconds.max(self.last_number.saturating_add(1));
        occurrence::event_name(occurrence.regarding.name(), self.last_number)
    }

    /// Whether an event may wait to be written. It takes from the object's budget.
    fn admit(&mut self, key: &Key, now: Duration) -> Result<(), Dropped> {
        if self.waiting.len() >= self.limits.waiting {
            return Err(Dropped::Full);
        }
        if self.take_from_budget(key, now) { Ok(()) } else { Err(Dropped::Spam) }
    }

    fn take_from_budget(&mut self, key: &Key, now: Duration) -> bool {
        let reason = self.limits.spam_per_reason.then(|| key.reason.clone());
        let budget = Arc::new(BudgetKey { regarding: key.regarding.clone(), type_: key.type_, reason });
        let limits = self.limits;
        self.budgets.using_or(&budget, || Budget::full(&limits, now)).take(&limits, now)
    }

    fn wait_to_write(&mut self, key: &Key) {
        if let Some(series) = self.series.get_mut(key) {
            series.place = Place::Waiting;
            self.last_ticket.0 += 1;
            self.waiting.push_back((self.last_ticket, Arc::new(key.clone())));
        }
    }

    /// The next request, of which there is one at a time: [`settle`](Self::settle) says what became of it.
    pub(crate) fn next(&mut self) -> Option<Write> {
        while let Some((ticket, key)) = self.waiting.pop_front() {
            let Some(series) = self.series.get_mut(&key) else { continue };
            series.place = Place::Sending;
            self.sending = Some(ticket);
            return Some(Write {
                creates: series.written == 0,
                name: series.name.clone(),
                note: series.note.clone(),
                first: series.first,
                last: series.last,
                count: series.count,
                occurrences: series.unwritten(),
                key,
                ticket,
            });
        }
        None
    }

    /// Takes in what became of the request.
    pub(crate) fn settle(&mut self, write: &Write, outcome: Outcome, now: Duration) {
        self.sending = None;
        let Some(series) = self.series.get_mut(&write.key).filter(|series| series.place == Place::Sending) else {
            return;
        };
        series.place = Place::Idle;
        match outcome {
            Outcome::Written | Outcome::Exists => {
                let was_written = series.written;
                series.tries = 0;
                series.written_at = now;
                series.reported = series.reported.max(write.count);
                // The request that has created it may have had a smaller count.
                series.written = if outcome == Outcome::Exists { 1 } else { write.count };
                let again = std::mem::take(&mut series.again);
                if !series.is_behind() {
                    return;
                }
                if again {
                    series.place = Place::Waiting;
                    self.waiting.push_front((write.ticket, write.key.clone()));
                } else if was_written == 0 && self.admit(&write.key, now).is_ok() {
                    self.wait_to_write(&write.key);
                }
            }
            Outcome::Missing => {
                series.written = 0;
                series.place = Place::Waiting;
                self.waiting.push_front((write.ticket, write.key.clone()));
            }
            Outcome::Transient => {
                series.tries += 1;
                if series.tries < self.limits.tries {
                    series.place = Place::Waiting;
                    // Behind the others: what hinders this one may not hinder them.
                    self.waiting.push_back((write.ticket, write.key.clone()));
                } else {
                    self.give_up(&write.key, Dropped::Unreachable);
                }
            }
            Outcome::GivenUp => self.give_up(&write.key, Dropped::Ended),
            Outcome::Refused => self.give_up(&write.key, Dropped::Refused),
        }
    }

    /// What the server does not take is lost. If it has the event, later occurrences still belong to it.
    fn give_up(&mut self, key: &Key, why: Dropped) {
        let Some(series) = self.series.get_mut(key) else { return };
        let lost = series.unwritten();
        if series.written > 0 {
            (series.written, series.reported, series.tries) = (series.count, series.count, 0);
        } else {
            self.series.remove(key);
        }
        self.lose(why, lost);
    }

    /// Lets the counts wait to be written for which it is time, and forgets series that have ended.
    pub(crate) fn tick(&mut self, now: Duration) {
        let times = self.limits.series;
        let mut due = Vec::new();
        self.series.retain(|key, series| {
            if series.place != Place::Idle {
                return true;
            }
            let has_ended = now.saturating_sub(series.seen_at) >= times.quiet;
            if series.is_behind() && (has_ended || now.saturating_sub(series.written_at) >= times.refresh) {
                due.push(key.clone());
                return true;
            }
            !has_ended
        });
        for key in due {
            self.wait_to_write(&key);
        }
    }

    /// Lets every count wait to be written that the server does not have. All are written when
    /// [`is_flushed`](Self::is_flushed) says so of the ticket.
    pub(crate) fn flush(&mut self) -> Ticket {
        let mut behind = Vec::new();
        self.series.retain(|key, series| {
            match series.place {
                Place::Idle if series.is_behind() => behind.push(key.clone()),
                Place::Sending => series.again = true,
                Place::Idle | Place::Waiting => {}
            }
            true
        });
        for key in behind {
            self.wait_to_write(&key);
        }
        self.last_ticket
    }

    pub(crate) fn is_flushed(&self, ticket: Ticket) -> bool {
        self.waiting.iter().map(|(waiting, _)| *waiting).chain(self.sending).all(|waiting| waiting > ticket)
    }

    /// How many events wait to be written, or are on their way.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len() + usize::from(self.sending.is_some())
    }

    /// Whether time changes nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.series.is_empty()
    }

    /// Gives up everything that is not written.
    pub(crate) fn end(&mut self) {
        let mut lost = 0;
        self.series.retain(|_, series| {
            lost += series.unwritten();
            false
        });
        self.waiting.clear();
        self.sending = None;
        self.lose(Dropped::Ended, lost);
    }

    fn lose(&mut self, why: Dropped, occurrences: u64) {
        if occurrences > 0 {
            self.losses.push((why, occurrences));
        }
    }

    /// What was lost since the last time.
    pub(crate) fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }
}
