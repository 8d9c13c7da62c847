//! The numbers of a correlator.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many writes about one object and of one type may follow at once.
    pub(crate) spam_burst: u32,
    /// How long it takes until there may be one more.
    pub(crate) spam_refill: Duration,
    /// Whether each reason has a budget of its own.
    pub(crate) spam_per_reason: bool,
    /// How many events that differ in their notes alone are combined.
    pub(crate) similar: usize,
    /// How long after the last one of them the next one is no longer similar.
    pub(crate) similar_window: Duration,
    /// How many events may wait to be written.
    pub(crate) waiting: usize,
    /// How many events are remembered, how many groups of similar ones, and how many budgets.
    pub(crate) remembered: usize,
    /// How often each is tried.
    pub(crate) tries: u32,
    pub(crate) series: SeriesTimes,
}

/// When repeats are written, and when they are repeats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeriesTimes {
    /// The time from one write of a series that goes on to the next.
    pub(crate) refresh: Duration,
    /// How long after the last occurrence a series has ended.
    pub(crate) quiet: Duration,
}

impl SeriesTimes {
    /// client-go's for events.k8s.io.
    pub(crate) const EVENTS: Self = Self { refresh: Duration::from_secs(30 * 60), quiet: Duration::from_secs(6 * 60) };

    /// client-go writes each repeat until its budget is used up, then one in five minutes, and the event is the same
    /// for as long as the server has it: an hour by default.
    pub(crate) const CORE: Self = Self { refresh: Duration::from_secs(5 * 60), quiet: Duration::from_secs(60 * 60) };
}

/// client-go's.
impl Default for Limits {
    fn default() -> Self {
        Self {
            spam_burst: 25,
            spam_refill: 5 * MINUTE,
            spam_per_reason: false,
            similar: 10,
            similar_window: 10 * MINUTE,
            waiting: 1000,
            remembered: 4096,
            tries: 12,
            series: SeriesTimes::EVENTS,
        }
    }
}
