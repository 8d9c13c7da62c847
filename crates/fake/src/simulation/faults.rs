//! What can go wrong in a simulation.

use std::collections::BTreeSet;

/// A kind of thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// A write that names a `resourceVersion` is answered with a conflict.
    Conflict,
    /// A request is refused with 429, 500 or 503. Nothing is done.
    Refusal,
    /// The connection breaks before the server has read the request.
    LostRequest,
    /// The connection breaks after the server has done what was asked, and before it answers.
    LostAnswer,
    /// A request or its answer is under way for up to half a minute.
    SlowAnswer,
    /// The events of a watch are up to half a minute late, so that what informers have is old.
    SlowWatch,
    /// A watch ends within two minutes.
    WatchCut,
    /// A get or list that takes what the server has at hand, with the `resourceVersion` 0, shows what was there a few
    /// writes ago.
    StaleRead,
    /// The server forgets what happened, so that watches that were cut have to list again: 410.
    Compaction,
    /// The server is away for up to a minute.
    Restart,
    /// A program is killed, and started again within a minute.
    Crash,
    /// A program is stopped, as by SIGSTOP, for up to two minutes: nothing of it runs, while the time goes on and
    /// others do what they do.
    Pause,
    /// The clocks of the server and of the programs are set, by up to an hour each.
    ClockStep,
}

impl FaultKind {
    const ALL: [Self; 13] = [
        Self::Conflict,
        Self::Refusal,
        Self::LostRequest,
        Self::LostAnswer,
        Self::SlowAnswer,
        Self::SlowWatch,
        Self::WatchCut,
        Self::StaleRead,
        Self::Compaction,
        Self::Restart,
        Self::Crash,
        Self::Pause,
        Self::ClockStep,
    ];
}

/// Which kinds of faults a simulation has.
///
/// ```
/// use k8s_client_fake::simulation::{FaultKind, Faults};
///
/// let only_the_network = Faults::all().without(FaultKind::Crash).without(FaultKind::ClockStep);
/// let only_crashes = Faults::only([FaultKind::Crash, FaultKind::Restart]);
/// # assert!(only_the_network != only_crashes);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it is given to `Simulation::faults`"]
pub struct Faults {
    kinds: BTreeSet<FaultKind>,
}

impl Faults {
    /// All kinds there are.
    pub fn all() -> Self {
        Self::only(FaultKind::ALL)
    }

    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::only([])
    }

    /// These kinds.
    pub fn only(kinds: impl IntoIterator<Item = FaultKind>) -> Self {
        Self { kinds: kinds.into_iter().collect() }
    }

    /// All of these but one.
    pub fn without(mut self, kind: FaultKind) -> Self {
        self.kinds.remove(&kind);
        self
    }

    pub(super) fn has(&self, kind: FaultKind) -> bool {
        self.kinds.contains(&kind)
    }
}
