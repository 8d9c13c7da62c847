//! What to ask the server for next: the rules of client-go's reflector as a state machine without clocks, sockets and
//! types.

use std::time::Duration;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A watch that begins with all objects there are, and goes on as a watch. Without a version, as new as can be.
    WatchList { version: Option<String> },
    /// All objects, at least as new as this version. `"0"` is whatever the server has at hand, `None` the newest.
    List { version: Option<String> },
    /// The changes since this version.
    Watch { version: String },
}

/// What to ask for, and how long to wait before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) step: Step,
    /// Whether a pause of the backoff comes first.
    pub(crate) pause: bool,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The list is whole and has this version.
    Listed { version: Option<String> },
    /// A list, or the opening of a watch, or a watch under way has failed.
    Failed(Failure),
    /// The watch has ended as watches do.
    Ended {
        /// It was over at once and brought nothing new.
        at_once: bool,
    },
    /// The watch brought all objects but not the mark behind them: it ended, or nothing came for long.
    NeverMarked,
}

/// Failures by what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server has forgotten the version: 410, as a status or as an event.
    Expired,
    /// The server has not come to the version yet.
    TooLarge,
    /// Something that passes: a lost or refused connection, a time-out, a server that is busy.
    Passing,
    /// The server cannot serve this, or what it sends cannot be read. Asking for the same may fail for ever.
    Broken,
    /// The request is one that the server does not know, as older ones do not know watches with initial events.
    Unsupported,
    /// The server refuses: the resource is not there, or we may not.
    Refused,
}

/// The state.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The newest version that the store has.
    version: Option<String>,
    /// The version that a watch was told to be too old. A list that brings it again is of no use.
    expired: Option<String>,
    /// Lists must not name a version, until one has succeeded.
    newest: bool,
    /// Whether the server may be asked for watches with initial events.
    watch_lists: bool,
    /// Whether the last watch ended at once.
    ended_at_once: bool,
    /// What was planned last.
    planned: Step,
}

impl Machine {
    pub(crate) fn new(watch_lists: bool) -> Self {
        Self {
            version: None,
            expired: None,
            newest: false,
            watch_lists,
            ended_at_once: false,
            planned: Step::List { version: None },
        }
    }

    /// The first step.
    pub(crate) fn start(&mut self) -> Plan {
        self.all(false)
    }

    /// The newest version that the store has.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The store has come to this version: by an event or a bookmark of a watch.
    pub(crate) fn saw(&mut self, version: &str) {
        match &mut self.version {
            // Some servers have objects without versions, which move nothing.
            _ if version.is_empty() => {}
            Some(known) => version.clone_into(known),
            None => self.version = Some(version.to_owned()),
        }
    }

    /// The watch with initial events has brought all of them, and goes on as a watch.
    pub(crate) fn synced(&mut self, version: &str) {
        self.saw(version);
        self.newest = false;
        self.planned = Step::Watch { version: version.to_owned() };
    }

    /// The step after this outcome.
    pub(crate) fn next(&mut self, outcome: Outcome) -> Plan {
        match (self.planned.clone(), outcome) {
            (_, Outcome::Listed { version }) => self.listed(version),
            (_, Outcome::Ended { at_once }) => {
                let before = std::mem::replace(&mut self.ended_at_once, at_once);
                // One may have met a server on its way down. Of a server, or of something before it, that ends every
                // watch so, changes are learnt by lists alone.
                if at_once && before { self.all(true) } else { self.watch(at_once) }
            }
            (_, Outcome::NeverMarked) => {
                self.watch_lists = false;
                self.all(true)
            }
            (Step::WatchList { .. }, Outcome::Failed(Failure::Unsupported)) => {
                self.watch_lists = false;
                // Nothing was listed yet, so there is nothing to spare the server.
                self.all(false)
            }
            (Step::WatchList { .. } | Step::List { .. }, Outcome::Failed(failure)) => {
                self.newest |= matches!(failure, Failure::Expired | Failure::TooLarge);
                self.all(true)
            }
            (Step::Watch { .. }, Outcome::Failed(failure)) => match failure {
                // A watch that cannot be opened, or broke, goes on where it was: nothing needs to be listed for that.
                Failure::Passing => self.watch(true),
                Failure::Expired => {
                    self.expired.clone_from(&self.version);
                    self.all(true)
                }
                Failure::TooLarge => {
                    self.newest = true;
                    self.all(true)
                }
                Failure::Broken | Failure::Unsupported | Failure::Refused => self.all(true),
            },
        }
    }

    fn listed(&mut self, version: Option<String>) -> Plan {
        self.newest = false;
        self.version = version;
        self.watch(false)
    }

    /// All objects again, and never an older state than the one we have.
    fn all(&mut self, pause: bool) -> Plan {
        let known = self.version.clone().filter(|_| !self.newest);
        let step = if self.watch_lists {
            Step::WatchList { version: known }
        } else if self.newest {
            Step::List { version: None }
        } else {
            Step::List { version: Some(known.unwrap_or_else(|| "0".to_owned())) }
        };
        self.plan(step, pause)
    }

    fn watch(&mut self, pause: bool) -> Plan {
        match self.version.clone() {
            version @ Some(_) if version == self.expired => {
                // The server lists from a memory that is older than what it can watch from.
                self.newest = true;
                self.all(true)
            }
            Some(version) => self.plan(Step::Watch { version }, pause),
            // A server that gives lists no version cannot be watched from one.
            None => self.all(true),
        }
    }

    fn plan(&mut self, step: Step, pause: bool) -> Plan {
        self.planned = step.clone();
        Plan { step, pause }
    }
}

/// The pauses of client-go's reflector: from 0.8 seconds doubled to 30, each up to twice as long by chance. What was
/// two minutes without a pause begins anew.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
}

pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(800);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After so long without a pause the next one is the first again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { next: FIRST_PAUSE }
    }

    /// The next pause, if the last one ended so long ago.
    pub(crate) fn next(&mut self, since_last: Duration, random: f64) -> Duration {
        if since_last >= FORGOTTEN_AFTER {
            self.next = FIRST_PAUSE;
        }
        let pause = self.next.mul_f64(1.0 + random);
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch_list(version: Option<&str>) -> Step {
        Step::WatchList { version: version.map(str::to_owned) }
    }

    fn list(version: Option<&str>) -> Step {
        Step::List { version: version.map(str::to_owned) }
    }

    fn watch(version: &str) -> Step {
        Step::Watch { version: version.to_owned() }
    }

    fn listed(version: &str) -> Outcome {
        Outcome::Listed { version: Some(version.to_owned()) }
    }

    /// What happens in a row: the store sees a version, or a step comes out so and the next one is planned.
    enum Turn {
        Saw(&'static str),
        Synced(&'static str),
        Then(Outcome, bool, Step),
    }
    use Turn::{Saw, Synced, Then};

    fn follow(watch_lists: bool, first: &Step, turns: Vec<Turn>) {
        let mut machine = Machine::new(watch_lists);
        assert_eq!(machine.start(), Plan { step: first.clone(), pause: false });
        for (number, turn) in turns.into_iter().enumerate() {
            match turn {
                Saw(version) => machine.saw(version),
                Synced(version) => machine.synced(version),
                Then(outcome, pause, step) => {
                    assert_eq!(machine.next(outcome.clone()), Plan { step, pause }, "turn {number}, after {outcome:?}");
                }
            }
        }
    }

    const ENDED: Outcome = Outcome::Ended { at_once: false };
    const AT_ONCE: Outcome = Outcome::Ended { at_once: true };
    const EXPIRED: Outcome = Outcome::Failed(Failure::Expired);
    const TOO_LARGE: Outcome = Outcome::Failed(Failure::TooLarge);
    const BROKEN: Outcome = Outcome::Failed(Failure::Broken);
    const PASSING: Outcome = Outcome::Failed(Failure::Passing);
    const UNSUPPORTED: Outcome = Outcome::Failed(Failure::Unsupported);
    const REFUSED: Outcome = Outcome::Failed(Failure::Refused);

    #[test]
    fn list_then_watch_then_watch_again_from_the_last_event() {
        follow(
            false,
            &list(Some("0")),
            vec![
                Then(listed("5"), false, watch("5")),
                Saw("7"),
                Then(ENDED, false, watch("7")),
                Then(AT_ONCE, true, watch("7")),
                Saw("9"),
                Then(PASSING, true, watch("9")),
                Then(PASSING, true, watch("9")),
                Saw(""),
                Then(BROKEN, true, list(Some("9"))),
                Then(BROKEN, true, list(Some("9"))),
            ],
        );
    }

    #[test]
    fn second_watch_in_a_row_that_ends_at_once_is_followed_by_a_list() {
        follow(
            false,
            &list(Some("0")),
            vec![
                Then(listed("5"), false, watch("5")),
                Then(AT_ONCE, true, watch("5")),
                Then(PASSING, true, watch("5")),
                Then(AT_ONCE, true, list(Some("5"))),
                // As long as it goes on so, every watch is.
                Then(listed("6"), false, watch("6")),
                Then(AT_ONCE, true, list(Some("6"))),
                Then(listed("6"), false, watch("6")),
                Then(ENDED, false, watch("6")),
                Then(AT_ONCE, true, watch("6")),
                Saw("7"),
                Then(ENDED, false, watch("7")),
            ],
        );
        follow(
            true,
            &watch_list(None),
            vec![
                Synced("5"),
                Then(AT_ONCE, true, watch("5")),
                Then(AT_ONCE, true, watch_list(Some("5"))),
                Synced("6"),
                Then(ENDED, false, watch("6")),
            ],
        );
    }

    #[test]
    fn watch_with_initial_events_goes_on_as_a_watch() {
        follow(
            true,
            &watch_list(None),
            vec![
                Then(PASSING, true, watch_list(None)),
                Synced("5"),
                Saw("6"),
                Then(ENDED, false, watch("6")),
                Then(EXPIRED, true, watch_list(Some("6"))),
                Then(TOO_LARGE, true, watch_list(None)),
                Then(EXPIRED, true, watch_list(None)),
                Synced("9"),
                Then(REFUSED, true, watch_list(Some("9"))),
            ],
        );
    }

    #[test]
    fn server_without_initial_events_is_listed_and_asked_no_more() {
        follow(
            true,
            &watch_list(None),
            vec![
                Then(UNSUPPORTED, false, list(Some("0"))),
                Then(listed("5"), false, watch("5")),
                Then(EXPIRED, true, list(Some("5"))),
            ],
        );
        follow(
            true,
            &watch_list(None),
            vec![Then(Outcome::NeverMarked, true, list(Some("0"))), Then(listed("5"), false, watch("5"))],
        );
    }

    #[test]
    fn relist_never_goes_back_in_time_unless_the_server_cannot_follow() {
        follow(
            false,
            &list(Some("0")),
            vec![
                Then(listed("5"), false, watch("5")),
                Saw("8"),
                Then(EXPIRED, true, list(Some("8"))),
                Then(EXPIRED, true, list(None)),
                // What has failed once fails again, so this lasts until a list has succeeded.
                Then(PASSING, true, list(None)),
                Then(BROKEN, true, list(None)),
                Then(listed("20"), false, watch("20")),
                Then(REFUSED, true, list(Some("20"))),
                Then(REFUSED, true, list(Some("20"))),
                Then(listed("21"), false, watch("21")),
                Then(TOO_LARGE, true, list(None)),
            ],
        );
    }

    #[test]
    fn version_that_was_too_old_is_not_watched_from_again() {
        follow(
            false,
            &list(Some("0")),
            vec![
                Then(listed("5"), false, watch("5")),
                Then(EXPIRED, true, list(Some("5"))),
                Then(listed("5"), true, list(None)),
                Then(listed("30"), false, watch("30")),
            ],
        );
        follow(
            true,
            &watch_list(None),
            vec![
                Synced("5"),
                Then(ENDED, false, watch("5")),
                Then(EXPIRED, true, watch_list(Some("5"))),
                Synced("5"),
                Then(ENDED, true, watch_list(None)),
            ],
        );
    }

    #[test]
    fn list_without_a_version_is_listed_again() {
        follow(false, &list(Some("0")), vec![Then(Outcome::Listed { version: None }, true, list(Some("0")))]);
    }

    #[test]
    fn pauses_grow_to_their_limit_and_begin_anew_after_a_quiet_time() {
        let mut pauses = Pauses::new();
        let quick = Duration::from_secs(1);
        let taken: Vec<u128> = (0..7).map(|_| pauses.next(quick, 0.0).as_millis()).collect();
        assert_eq!(taken, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
        assert_eq!(pauses.next(quick, 0.999).as_millis(), 59_970);
        assert_eq!(pauses.next(FORGOTTEN_AFTER, 0.5).as_millis(), 1200);
    }
}
