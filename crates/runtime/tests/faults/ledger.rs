//! What happened to each request, as the server knows it and as the client was told; and whether the two agree.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_client_runtime::{Error, ErrorKind};

use crate::plan::Fault;

/// The server's side.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    attempts: HashMap<u64, Vec<Attempt>>,
    /// Connections that ended otherwise than in good order, so that answers on them may be lost.
    broken: HashSet<u64>,
}

/// One time that a request arrived.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    connection: u64,
    fault: Fault,
    processed: bool,
}

/// The client's side: what one call came to.
pub(crate) struct Outcome {
    pub(crate) id: u64,
    pub(crate) changes: bool,
    /// How often the client sent it.
    pub(crate) sent: usize,
    pub(crate) took: Duration,
    pub(crate) result: Result<(), Error>,
}

impl Ledger {
    /// Notes that a request arrived; the fault is chosen by how often it came before.
    pub(crate) fn arrived(&self, id: u64, connection: u64, choose: impl FnOnce(usize) -> Fault) -> Fault {
        let mut entries = self.entries();
        let attempts = entries.attempts.entry(id).or_default();
        let fault = choose(attempts.len());
        attempts.push(Attempt { connection, fault, processed: false });
        fault
    }

    /// Notes that the store has seen the request of this connection.
    pub(crate) fn processed(&self, id: u64, connection: u64) {
        let mut entries = self.entries();
        let attempts = entries.attempts.entry(id).or_default();
        let attempt = attempts.iter_mut().rev().find(|attempt| attempt.connection == connection && !attempt.processed);
        attempt.expect("what is processed has arrived").processed = true;
    }

    pub(crate) fn broken(&self, connection: u64) {
        self.entries().broken.insert(connection);
    }

    /// How often each fault came.
    pub(crate) fn faults(&self) -> BTreeMap<Fault, usize> {
        let mut counts = BTreeMap::new();
        for attempt in self.entries().attempts.values().flatten() {
            *counts.entry(attempt.fault).or_default() += 1;
        }
        counts
    }

    /// How many calls were refused at first and succeeded later.
    pub(crate) fn rescued(&self, outcomes: &[Outcome]) -> usize {
        let entries = self.entries();
        let refused = |id| entries.attempts.get(id).is_some_and(|attempts| attempts[0].fault.is_refusal());
        outcomes.iter().filter(|outcome| outcome.result.is_ok() && refused(&outcome.id)).count()
    }

    /// Everything that should not have happened. `retries` is how often a client sends a request again at most, and
    /// `limit` how long a call may take.
    pub(crate) fn violations(&self, outcomes: &[Outcome], retries: usize, limit: Duration) -> Vec<String> {
        let entries = self.entries();
        outcomes.iter().filter_map(|outcome| entries.violation(outcome, retries, limit)).collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn violation(&self, outcome: &Outcome, retries: usize, limit: Duration) -> Option<String> {
        let attempts = self.attempts.get(&outcome.id).map(Vec::as_slice).unwrap_or_default();
        let processed = attempts.iter().filter(|attempt| attempt.processed).count();
        let Outcome { id, changes, sent, took, result } = outcome;
        let problem = match result {
            _ if took > &limit => format!("took {took:?}"),
            _ if *changes && processed > 1 => format!("was processed {processed} times"),
            _ if *sent > retries + 1 => format!("was sent {sent} times"),
            Ok(()) if processed == 0 => "succeeded, but was never processed".to_owned(),
            Err(error) if self.is_unexplained(outcome, attempts, error, retries) => "failed for no reason".to_owned(),
            _ => return None,
        };
        let told = result.as_ref().map_or_else(ToString::to_string, |()| "success".to_owned());
        Some(format!("request {id} {problem}: the client sent it {sent} times and was told: {told}; {attempts:?}"))
    }

    /// Whether nothing that happened to the last attempt can be the reason of the error.
    fn is_unexplained(&self, outcome: &Outcome, attempts: &[Attempt], error: &Error, retries: usize) -> bool {
        // A slow machine is a reason; so is what happened to an attempt that never arrived.
        if error.kind() == ErrorKind::Timeout || attempts.len() < outcome.sent {
            return false;
        }
        let Some(last) = attempts.last() else { return true };
        if self.broken.contains(&last.connection) {
            return false;
        }
        last.fault.is_answered() || last.fault.is_refusal() && outcome.sent <= retries
    }
}
