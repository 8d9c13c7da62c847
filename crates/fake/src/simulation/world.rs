//! What a simulation consists of: the server, what draws lots, and what has gone wrong.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use k8s_client_runtime::machine::Process;
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
    programs: BTreeMap<String, Program>,
    /// What is worked on by somebody who must be alone, and who does.
    alone: BTreeMap<String, Vec<Worker>>,
    /// How many have worked so.
    workers: u64,
}

/// A program that was started.
struct Program {
    process: Arc<Process>,
    /// Says that it was killed.
    killed: Arc<Notify>,
}

/// Somebody who must be alone with something.
struct Worker {
    number: u64,
    /// The program that does it; the script has none.
    process: Option<Arc<Process>>,
}

impl Worker {
    /// Whether it does something now, rather than standing still.
    fn is_at_work(&self) -> bool {
        self.process.as_ref().is_none_or(|process| process.is_running())
    }
}

fn chosen(programs: &BTreeMap<String, Program>, lot: u64) -> Option<(&String, &Program)> {
    let number = lot.checked_rem(programs.len() as u64)?;
    programs.iter().nth(usize::try_from(number).ok()?)
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
            alone: BTreeMap::new(),
            workers: 0,
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
    pub(super) fn happens(&self, kind: FaultKind, in_a_thousand: u64, can: impl FnOnce() -> bool) -> bool {
        let is_drawn = {
            let mut state = self.state();
            state.fate.u64(0..1000) < in_a_thousand && state.faults.has(kind)
        };
        let happens = is_drawn && can();
        self.state().met += u64::from(happens);
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

    /// Takes in a program that starts, and says what it is and what tells of its being killed.
    pub(super) fn add_program(&self, name: &str) -> (Arc<Process>, Arc<Notify>) {
        let (process, killed) = (Arc::<Process>::default(), Arc::<Notify>::default());
        let program = Program { process: process.clone(), killed: killed.clone() };
        self.state().programs.insert(name.to_owned(), program);
        (process, killed)
    }

    /// A program has ended.
    pub(super) fn remove_program(&self, name: &str) {
        if let Some(program) = self.state().programs.remove(name) {
            program.process.kill();
        }
    }

    /// Kills the program that the lot falls on.
    pub(super) fn kill_one(&self, lot: u64) {
        if let Some(program) = chosen(&self.state().programs, lot) {
            program.1.process.kill();
            program.1.killed.notify_one();
        }
    }

    /// The program that the lot falls on.
    pub(super) fn one_program(&self, lot: u64) -> Option<(String, Arc<Process>)> {
        chosen(&self.state().programs, lot).map(|(name, program)| (name.clone(), program.process.clone()))
    }

    /// Somebody begins something, with which it must be alone. What is returned is its number.
    pub(super) fn take_alone(&self, what: &str) -> u64 {
        let number = {
            let mut state = self.state();
            state.workers += 1;
            let worker = Worker { number: state.workers, process: Process::current() };
            state.alone.entry(what.to_owned()).or_default().push(worker);
            state.workers
        };
        self.check_alone();
        number
    }

    pub(super) fn give_back(&self, what: &str, number: u64) {
        let mut state = self.state();
        let Some(workers) = state.alone.get_mut(what) else { return };
        workers.retain(|worker| worker.number != number);
        if workers.is_empty() {
            state.alone.remove(what);
        }
    }

    /// Fails if somebody is not alone who must be. Who stands still harms nobody as long as it does.
    pub(super) fn check_alone(&self) {
        let twice = {
            let state = self.state();
            let is_twice = |workers: &Vec<Worker>| workers.iter().filter(|worker| worker.is_at_work()).count() > 1;
            state.alone.iter().find(|(_, workers)| is_twice(workers)).map(|(what, _)| what.clone())
        };
        if let Some(what) = twice {
            self.fail(format!("{what} is worked on twice at the same time"));
        }
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
