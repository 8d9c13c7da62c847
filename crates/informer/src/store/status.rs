//! How far a store has come, and what is wrong.

use std::sync::Arc;

use k8s_client_runtime::Error;
use tokio::time::Instant;

use crate::{WatchFault, version};

/// What is known of all sources.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) sources: Vec<SourceStatus>,
    pub(crate) ended: bool,
}

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceStatus {
    pub(crate) synced: bool,
    pub(crate) version: Option<Box<str>>,
    /// When the server was last heard of.
    pub(crate) contact: Option<Instant>,
    /// Why the source is not followed at the moment.
    pub(crate) error: Option<Arc<Error>>,
    /// Whether the error is one that waiting does not mend.
    pub(crate) refused: bool,
    /// Why an object is not there, or stays as it was, though the server has it.
    pub(crate) undecodable: Option<Arc<Error>>,
    pub(crate) watches: Watches,
}

/// What is wrong with watches that do not fail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    /// The last one ended at once and brought nothing new.
    ended_at_once: bool,
    /// One with initial events was not marked behind them.
    never_marked: bool,
}

impl Status {
    pub(crate) fn new(sources: usize) -> Self {
        Self { sources: vec![SourceStatus::default(); sources], ended: false }
    }

    pub(crate) fn replaced(&mut self, source: usize, version: &str) {
        if let Some(source) = self.sources.get_mut(source) {
            source.synced = true;
            source.advance(version);
            source.well();
        }
    }

    pub(crate) fn advance(&mut self, source: usize, version: &str) {
        if let Some(source) = self.sources.get_mut(source) {
            source.advance(version);
            source.contact = Some(Instant::now());
        }
    }

    /// The server has answered.
    pub(crate) fn well(&mut self, source: usize) {
        if let Some(source) = self.sources.get_mut(source) {
            source.well();
        }
    }

    pub(crate) fn failed(&mut self, source: usize, error: Arc<Error>, refused: bool) {
        if let Some(source) = self.sources.get_mut(source) {
            source.error = Some(error);
            source.refused = refused;
        }
    }

    /// An object could not be decoded; `None` when everything is about to be read again.
    pub(crate) fn left_out(&mut self, source: usize, error: Option<Arc<Error>>) {
        if let Some(source) = self.sources.get_mut(source) {
            source.undecodable = error;
        }
    }

    /// A watch has ended, or has lasted so long that it did not end at once.
    pub(crate) fn watch_ended(&mut self, source: usize, at_once: bool) {
        if let Some(source) = self.sources.get_mut(source) {
            source.watches.ended_at_once = at_once;
        }
    }

    pub(crate) fn watches_are_never_marked(&mut self, source: usize) {
        if let Some(source) = self.sources.get_mut(source) {
            source.watches.never_marked = true;
        }
    }

    /// What is wrong with watches: what costs freshness before what costs the server.
    pub(crate) fn watch_fault(&self) -> Option<WatchFault> {
        if self.sources.iter().any(|source| source.watches.ended_at_once) {
            return Some(WatchFault::EndsAtOnce);
        }
        self.sources.iter().any(|source| source.watches.never_marked).then_some(WatchFault::NeverMarked)
    }

    pub(crate) fn is_synced(&self) -> bool {
        self.sources.iter().all(|source| source.synced)
    }

    /// Why a source is not synced and will not be by waiting.
    pub(crate) fn refusal(&self) -> Option<&Arc<Error>> {
        self.sources.iter().filter(|source| !source.synced && source.refused).find_map(|source| source.error.as_ref())
    }

    /// The version that this source has reached, or that all of them have. `None` before all of its objects are there.
    pub(crate) fn version(&self, source: Option<usize>) -> Option<&str> {
        let sources = source.map_or(Some(&self.sources[..]), |number| self.sources.get(number..=number))?;
        let mut versions = sources.iter().map(|source| source.version.as_deref().filter(|_| source.synced));
        let first = versions.next()??;
        versions.try_fold(first, |oldest, version| {
            let version = version?;
            let is_older = version::compare(version, oldest)?.is_lt();
            Some(if is_older { version } else { oldest })
        })
    }
}

impl SourceStatus {
    fn advance(&mut self, version: &str) {
        if !version.is_empty() && self.version.as_deref() != Some(version) {
            self.version = Some(version.into());
        }
    }

    fn well(&mut self) {
        self.contact = Some(Instant::now());
        self.error = None;
        self.refused = false;
    }
}
