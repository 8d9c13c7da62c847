//! One event, and its repeats.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use crate::{
    Reference,
    occurrence::{Occurrence, Type},
};

/// What makes two occurrences one event. The program is the same for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) regarding: Reference,
    pub(crate) type_: Type,
    pub(crate) reason: String,
    pub(crate) action: String,
    /// What the combined event of similar ones does not have.
    pub(crate) own: Option<(Option<Reference>, String)>,
}

impl Key {
    /// The key of the event that similar ones are combined into.
    pub(crate) fn combined(occurrence: &Occurrence) -> Self {
        Self {
            regarding: occurrence.regarding.clone(),
            type_: occurrence.type_,
            reason: occurrence.reason.clone(),
            action: occurrence.action.clone(),
            own: None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// The note of the last occurrence.
    pub(crate) note: String,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// How often it happened.
    pub(crate) count: u64,
    /// The count that the server has; 0 when it does not have the event.
    pub(crate) written: u64,
    /// How many occurrences were reported as written or as dropped.
    pub(crate) reported: u64,
    /// The count is to be written again after the request that is on its way.
    pub(crate) again: bool,
    pub(crate) seen_at: Duration,
    pub(crate) written_at: Duration,
    /// Whether it waits to be written, or is on its way.
    pub(crate) place: Place,
    pub(crate) tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Idle,
    Waiting,
    Sending,
}

impl Series {
    pub(crate) fn new(name: String, occurrence: &Occurrence, now: Duration) -> Self {
        Self {
            name,
            note: String::new(),
            first: occurrence.at,
            last: occurrence.at,
            count: 0,
            written: 0,
            reported: 0,
            again: false,
            seen_at: now,
            written_at: now,
            place: Place::Idle,
            tries: 0,
        }
    }

    /// Whether the server's count is too small. It has no count of an event that was held back.
    pub(crate) fn is_behind(&self) -> bool {
        self.written > 0 && self.count > self.written
    }

    /// How many occurrences are lost if the series is. Those that were held back have been reported.
    pub(crate) fn unwritten(&self) -> u64 {
        self.count.saturating_sub(self.reported)
    }
}
