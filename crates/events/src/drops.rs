//! Counts what was dropped, and logs the counts once in a while.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{Dropped, Metrics};

/// A flood of drops is one line in so long.
pub(crate) const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// How many reasons there are. Each counts at the place that it has in [`Dropped::ALL`].
const REASONS: usize = Dropped::ALL.len();

pub(crate) struct Drops {
    controller: String,
    counts: [AtomicU64; REASONS],
    told: Mutex<Told>,
    metrics: Arc<dyn Metrics>,
}

#[derive(Default)]
struct Told {
    counts: [u64; REASONS],
    at: Option<Instant>,
}

impl Drops {
    pub(crate) fn new(controller: &str, metrics: Arc<dyn Metrics>) -> Self {
        Self { controller: controller.to_owned(), counts: Default::default(), told: Mutex::default(), metrics }
    }

    pub(crate) fn add(&self, why: Dropped, occurrences: u64) {
        self.counts[why as usize].fetch_add(occurrences, Ordering::Relaxed);
        self.metrics.dropped(why, occurrences);
    }

    pub(crate) fn count(&self, why: Dropped) -> u64 {
        self.counts[why as usize].load(Ordering::Relaxed)
    }

    fn counts(&self) -> [u64; REASONS] {
        std::array::from_fn(|reason| self.counts[reason].load(Ordering::Relaxed))
    }

    /// When the next line is due, if there is anything to tell.
    pub(crate) fn due(&self) -> Option<Instant> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (told.counts != self.counts()).then(|| told.at.map_or_else(Instant::now, |at| at + LOG_INTERVAL))
    }

    /// Logs what was dropped since the last line, if it is due.
    pub(crate) fn tell(&self) {
        if self.due().is_none_or(|due| due > Instant::now()) {
            return;
        }
        let counts = self.counts();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (why, (count, told)) in Dropped::ALL.iter().zip(counts.iter().zip(told.counts)) {
            let new = count.saturating_sub(told);
            if new > 0 {
                let comma = if text.is_empty() { "" } else { ", " };
                let _ = write!(text, "{comma}{new} ({why})");
            }
        }
        *told = Told { counts, at: Some(Instant::now()) };
        tracing::warn!(controller = self.controller, "events were dropped: {text}");
    }
}
