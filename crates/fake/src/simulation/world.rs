//! What a simulation consists of: the server, what draws lots, and what has gone wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use tokio::{sync::Notify, time::Instant};

use super::{FaultKind, Faults};
use crate::FakeServer;

/// How many lines a failure shows.
const SHOWN: usize = 60;

pub(super) struct World {
    pub(super) server: FakeServer,
    /// When the faults stop.
    pub(super) end: Instant,
    /// How long nothing may be written until it counts as quiet.
    pub(super) quiet: Duration,
    state: Mutex<State>,
    failed: Notify,
}

struct State {
    /// Draws what the script draws. What else is drawn does not change it.
    script: Rng,
    /// Draws faults and delays.
    fate: Rng,
    faults: Faults,
    /// Until when the server is away.
    away_until: Option<Instant>,
    /// How often it was away.
    restarts: u64,
    last_write: Instant,
    failure: Option<String>,
    notes: Vec<(Duration, String)>,
    /// How many faults there were.
    met: u64,
    /// What kills each of the programs.
    programs: BTreeMap<String, Arc<Notify>>,
    /// What is worked on by somebody who must be alone.
    alone: BTreeSet<String>,
}

impl World {
    pub(super) fn new(server: FakeServer, seed: u64, faults: Faults, length: Duration, quiet: Duration) -> Arc<Self> {
        let mut fate = Rng::with_seed(seed);
        let state = State {
            script: fate.fork(),
            fate,
            faults,
            away_until: None,
            restarts: 0,
            last_write: Instant::now(),
            failure: None,
            notes: Vec::new(),
            met: 0,
            programs: BTreeMap::new(),
            alone: BTreeSet::new(),
        };
        let (state, end, failed) = (Mutex::new(state), Instant::now() + length, Notify::new());
        Arc::new(Self { server, end, quiet, state, failed })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next number of the script.
    pub(super) fn scripted(&self, range: Range<u64>) -> u64 {
        if range.is_empty() { range.start } else { self.state().script.u64(range) }
    }

    /// A number that decides what happens.
    pub(super) fn draw(&self, range: Range<u64>) -> u64 {
        self.state().fate.u64(range)
    }

    /// A time up to this one.
    pub(super) fn draw_time(&self, longest: Duration) -> Duration {
        let most = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.state().fate.u64(0..=most))
    }

    /// Whether a fault of this kind happens now, of which so many in a thousand do where it can. It is drawn in any
    /// case, so that leaving a kind out changes nothing else.
    pub(super) fn happens(&self, kind: FaultKind, in_a_thousand: u64, can: bool) -> bool {
        let mut state = self.state();
        let happens = state.fate.u64(0..1000) < in_a_thousand && can && state.faults.has(kind);
        state.met += u64::from(happens);
        happens
    }

    /// No more faults.
    pub(super) fn end_faults(&self) {
        self.state().faults = Faults::none();
        self.note("nothing goes wrong any more".to_owned());
    }

    /// The server is away for this time.
    pub(super) fn take_away(&self, time: Duration) {
        let mut state = self.state();
        state.away_until = Some(Instant::now() + time);
        state.restarts += 1;
        drop(state);
        self.server.cut_watches();
    }

    /// Whether the server is away, and how often it was.
    pub(super) fn presence(&self) -> (bool, u64) {
        let state = self.state();
        (state.away_until.is_some_and(|until| Instant::now() < until), state.restarts)
    }

    pub(super) fn wrote(&self) {
        self.state().last_write = Instant::now();
    }

    pub(super) fn last_write(&self) -> Instant {
        self.state().last_write
    }

    pub(super) fn met(&self) -> u64 {
        self.state().met
    }

    /// Writes down what has happened beside requests.
    pub(super) fn note(&self, text: String) {
        let at = self.server.age();
        let mut state = self.state();
        // Twice as many as are shown are looked at seldom enough.
        if state.notes.len() >= 2 * SHOWN {
            state.notes.drain(..SHOWN);
        }
        state.notes.push((at, text));
    }

    /// Takes a program in; what is returned kills it.
    pub(super) fn add_program(&self, name: &str) -> Arc<Notify> {
        let kill = Arc::new(Notify::new());
        self.state().programs.insert(name.to_owned(), Arc::clone(&kill));
        kill
    }

    /// Kills one of the programs.
    pub(super) fn kill_one(&self) {
        let mut state = self.state();
        if state.programs.is_empty() {
            return;
        }
        let programs = state.programs.len();
        let chosen = state.fate.usize(0..programs);
        if let Some(kill) = state.programs.values().nth(chosen) {
            kill.notify_waiters();
        }
    }

    /// Whether nobody else has this, who must be alone with it.
    pub(super) fn take_alone(&self, what: &str) -> bool {
        self.state().alone.insert(what.to_owned())
    }

    pub(super) fn give_back(&self, what: &str) {
        self.state().alone.remove(what);
    }

    /// The simulation has failed. The first reason counts.
    pub(super) fn fail(&self, reason: String) {
        self.state().failure.get_or_insert(reason);
        self.failed.notify_one();
    }

    /// Why it has failed, when it has.
    pub(super) async fn failed(&self) -> String {
        loop {
            if let Some(failure) = self.failure() {
                return failure;
            }
            self.failed.notified().await;
        }
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    /// The last requests, and what happened between them, each with its time.
    pub(super) fn story(&self) -> String {
        let requests = self.server.requests();
        let notes = self.state().notes.clone();
        let line = |request: &crate::RecordedRequest| {
            let sender = request.user_agent.split('/').next().unwrap_or_default();
            let fault = request.fault.as_ref().map(|fault| format!(" ({fault:?})")).unwrap_or_default();
            let code = request.code.map_or("no answer".to_owned(), |code| code.to_string());
            format!("{sender}: {request}: {code}{fault}")
        };
        let requests = requests.iter().map(|request| (request.at, line(request)));
        let mut lines: Vec<_> = notes.into_iter().chain(requests).collect();
        lines.sort_by_key(|(at, _)| *at);
        let mut story = String::new();
        for (at, line) in &lines[lines.len().saturating_sub(SHOWN)..] {
            let _ = writeln!(story, "{:>10.3} s  {line}", at.as_secs_f64());
        }
        story
    }
}
