//! The algorithm, without requests and without waiting: what a candidate knows of the lease, and what it does next.
//!
//! It is client-go's, with these rules on top, which make two terms at once impossible:
//!
//! * Whatever is written carries the version that was read. So a write succeeds only if nobody else has written since.
//! * A lease that is held by another is taken only when it has not changed for its duration by *this* candidate's
//!   clock, from when it was seen. Times in the record are for people.
//! * Any change of the object counts as a sign of life, and each renewal changes it, even where the clock stands still.
//! * A new term has a new number, even if its holder is the same. A term is known by holder and number.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::SignedDuration,
};
use tokio::time::Instant;

use crate::{Loss, clock::Moment};

/// A candidate's view of a lease.
pub(crate) struct Candidacy {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) identity: Arc<str>,
    pub(crate) labels: BTreeMap<String, String>,
    /// As the record has it.
    pub(crate) lease_seconds: i32,
    /// The control plane chooses: a lease is never taken, only kept.
    pub(crate) coordinated: bool,
    seen: Option<Seen>,
    /// The number of the term, while there is one.
    term: Option<i32>,
    /// The number of the term that was last tried to begin. The answer may have been lost.
    claimed: Option<i32>,
}

/// The lease as it was last seen.
struct Seen {
    lease: Lease,
    /// When this version of it was seen first.
    at: Instant,
    /// It has been deleted since.
    deleted: bool,
}

/// What a candidate does next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Creates the lease if it has no version, and otherwise replaces that version of it.
    Write(Box<Lease>),
    /// Looks again later.
    Wait,
    /// Gives the term up.
    End(Loss),
}

impl Candidacy {
    pub(crate) fn new(namespace: &str, name: &str, identity: &str, lease_seconds: i32) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: identity.into(),
            labels: BTreeMap::new(),
            lease_seconds,
            coordinated: false,
            seen: None,
            term: None,
            claimed: None,
        }
    }

    /// Remembers what the server has: the lease, or nothing.
    pub(crate) fn observe(&mut self, found: Option<Lease>, now: Instant) {
        match (found, &mut self.seen) {
            (None, None) => {}
            (None, Some(seen)) => seen.deleted = true,
            (Some(lease), Some(seen)) if version(&lease) == version(&seen.lease) => seen.deleted = false,
            (Some(lease), _) => self.seen = Some(Seen { lease, at: now, deleted: false }),
        }
    }

    /// Who holds the lease, as far as is known. Nobody does if it is empty.
    pub(crate) fn holder(&self) -> &str {
        self.seen.as_ref().filter(|seen| !seen.deleted).map_or("", Seen::holder)
    }

    pub(crate) fn leads(&self) -> bool {
        self.term.is_some()
    }

    /// The term that the lease, as it was last seen, gives to this candidate, if it does.
    pub(crate) fn own_term(&self) -> Option<i32> {
        self.seen.as_ref().filter(|seen| !seen.deleted && self.is_mine(seen)).map(Seen::number)
    }

    /// The lease was won. The term is this candidate's until it is given up.
    pub(crate) fn begin(&mut self, number: i32) {
        self.term = Some(number);
        self.claimed = None;
    }

    /// There is no term any more, whatever the lease says.
    pub(crate) fn end(&mut self) {
        self.term = None;
    }

    pub(crate) fn next(&mut self, now: Moment) -> Step {
        match self.term {
            Some(number) => self.keep(number, now),
            None => self.take(now),
        }
    }

    /// The record that gives the lease away, if it is still this candidate's: in the term that there is, or in the one
    /// that was tried to begin last.
    pub(crate) fn release(&self, now: Moment) -> Option<Box<Lease>> {
        let seen = self.seen.as_ref().filter(|seen| !seen.deleted && self.is_mine(seen))?;
        if self.term.or(self.claimed) != Some(seen.number()) {
            return None;
        }
        let mut lease = seen.lease.clone();
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        // As client-go does, for those who do not take an empty holder for nobody.
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(now.time());
        spec.acquire_time = Some(now.time());
        Some(Box::new(lease))
    }

    /// Whether an answer was lost that may have made this candidate the holder.
    pub(crate) fn may_hold(&self) -> bool {
        self.term.or(self.claimed).is_some()
    }

    fn keep(&self, number: i32, now: Moment) -> Step {
        let Some(seen) = &self.seen else { return Step::Wait };
        if !self.is_mine(seen) || seen.number() != number {
            return Step::End(Loss::Taken { holder: seen.holder().to_owned() });
        }
        if self.coordinated {
            if seen.deleted {
                return Step::End(Loss::Taken { holder: String::new() });
            }
            let preferred = seen.spec().and_then(|spec| spec.preferred_holder.as_deref()).unwrap_or_default();
            if !preferred.is_empty() {
                return Step::End(Loss::Unwanted { preferred: preferred.to_owned() });
            }
        }
        Step::Write(self.record(seen.successor(), number, now))
    }

    fn take(&mut self, now: Moment) -> Step {
        let Some(seen) = &self.seen else {
            if self.coordinated {
                return Step::Wait;
            }
            self.claimed = Some(0);
            return Step::Write(self.record(Lease::default(), 0, now));
        };
        let is_free = if self.coordinated {
            !seen.deleted && self.is_mine(seen) && !seen.is_expired(self.lease_seconds, now.monotonic)
        } else {
            // A holder whose lease was deleted may still work.
            seen.holder().is_empty() || self.is_mine(seen) || seen.is_expired(self.lease_seconds, now.monotonic)
        };
        if !is_free {
            return Step::Wait;
        }
        let number = seen.number().saturating_add(1);
        let mut lease = self.record(seen.successor(), number, now);
        lease.spec.get_or_insert_default().acquire_time = Some(now.time());
        self.claimed = Some(number);
        Step::Write(lease)
    }

    fn is_mine(&self, seen: &Seen) -> bool {
        seen.holder() == &*self.identity
    }

    /// The lease as this candidate's.
    fn record(&self, mut lease: Lease, number: i32, now: Moment) -> Box<Lease> {
        lease.metadata.namespace = Some(self.namespace.clone());
        lease.metadata.name = Some(self.name.clone());
        if !self.labels.is_empty() {
            lease.metadata.labels.get_or_insert_default().extend(self.labels.clone());
        }
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(self.identity.to_string());
        spec.lease_duration_seconds = Some(self.lease_seconds);
        spec.lease_transitions = Some(number);
        spec.acquire_time.get_or_insert_with(|| now.time());
        let renewed = now.time();
        // A write that changes nothing leaves the version as it is, and others would not see it.
        let is_new = spec.renew_time.as_ref() != Some(&renewed);
        spec.renew_time = Some(if is_new { renewed } else { a_little_later(&renewed) });
        Box::new(lease)
    }
}

impl Seen {
    fn spec(&self) -> Option<&LeaseSpec> {
        self.lease.spec.as_ref()
    }

    fn holder(&self) -> &str {
        self.spec().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
    }

    fn number(&self) -> i32 {
        self.spec().and_then(|spec| spec.lease_transitions).unwrap_or_default().max(0)
    }

    /// Whether it has not changed for as long as its record says; for the default where that says nothing.
    fn is_expired(&self, default: i32, now: Instant) -> bool {
        let seconds = self.spec().and_then(|spec| spec.lease_duration_seconds).unwrap_or(default);
        let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        now.saturating_duration_since(self.at) >= duration
    }

    /// What to write next: on the version that was seen, or anew if it was deleted.
    fn successor(&self) -> Lease {
        let mut lease = self.lease.clone();
        if self.deleted {
            let metadata = std::mem::take(&mut lease.metadata);
            lease.metadata.labels = metadata.labels;
            lease.metadata.annotations = metadata.annotations;
        }
        lease
    }
}

fn version(lease: &Lease) -> Option<&str> {
    lease.metadata.resource_version.as_deref()
}

fn a_little_later(time: &MicroTime) -> MicroTime {
    MicroTime(time.0.saturating_add(SignedDuration::from_micros(1)).unwrap_or(time.0))
}
