//! Three candidates for half an hour, in which everything fails that can: never two terms at once.
//!
//! A resource sees what the work of each term does. Terms have fencing tokens; whoever acts with another one than the
//! highest that has begun works outside of his term. `K8S_CLIENT_ELECTION_SEED=…` runs one seed alone.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use fastrand::Rng;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Candidate, SECOND,
    server::{Answer, Fate, Server},
};
use crate::Term;

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);
const CANDIDATES: usize = 3;
const SEEDS: u64 = 20;

/// What only one may change at a time.
#[derive(Default)]
struct Resource {
    highest: Option<u32>,
    /// The candidates whose work lives.
    living: Vec<usize>,
    terms: usize,
    acts: usize,
}

/// Stops a candidate as `SIGSTOP` stops a process.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<GateState>>);

#[derive(Default)]
struct GateState {
    closed: bool,
    opened: Option<Instant>,
    waker: Option<Waker>,
}

impl Gate {
    fn close(&self) {
        self.0.lock().unwrap().closed = true;
    }

    fn open(&self) {
        let mut state = self.0.lock().unwrap();
        (state.closed, state.opened) = (false, Some(Instant::now()));
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Whether the process stands still, or has had no turn yet since.
    fn is_closed(&self) -> bool {
        let state = self.0.lock().unwrap();
        state.closed || state.opened == Some(Instant::now())
    }
}

/// A process behind a gate.
struct Process<F> {
    life: Pin<Box<F>>,
    gate: Gate,
}

impl<F: Future> Future for Process<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        {
            let mut state = self.gate.0.lock().unwrap();
            state.waker = Some(context.waker().clone());
            if state.closed {
                return Poll::Pending;
            }
        }
        self.life.as_mut().poll(context)
    }
}

/// The work of a candidate, as the resource sees it.
struct Working {
    resource: Arc<Mutex<Resource>>,
    candidate: usize,
}

impl Working {
    fn begin(resource: &Arc<Mutex<Resource>>, gates: &[Gate], candidate: usize, token: u32) -> Self {
        let mut seen = resource.lock().unwrap();
        assert!(seen.highest.is_none_or(|highest| highest < token), "{token} comes after {:?}", seen.highest);
        let awake = seen.living.iter().find(|other| !gates[**other].is_closed());
        assert!(awake.is_none(), "candidate {candidate} begins while candidate {awake:?} works");
        seen.highest = Some(token);
        seen.terms += 1;
        seen.living.push(candidate);
        Self { resource: resource.clone(), candidate }
    }

    fn act(&self, token: u32) {
        let mut seen = self.resource.lock().unwrap();
        assert_eq!(seen.highest, Some(token), "candidate {} acts outside of its term", self.candidate);
        seen.acts += 1;
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let living = &mut self.resource.lock().unwrap_or_else(std::sync::PoisonError::into_inner).living;
        living.retain(|candidate| *candidate != self.candidate);
    }
}

/// A few of the requests fail, each in its own way.
fn somewhat_bad(rng: &mut Rng) -> Fate {
    let there = Duration::from_millis(rng.u64(0..60));
    let back = Duration::from_millis(rng.u64(0..60));
    let fate = Fate { there, back, ..Fate::GOOD };
    match rng.u32(0..100) {
        0..90 => fate,
        90 => Fate { there: Duration::from_millis(rng.u64(0..30_000)), ..fate },
        91 => Fate { back: Duration::from_millis(rng.u64(0..9_000)), ..fate },
        92..94 => Fate { processed: false, answer: Answer::Lost, ..fate },
        94..96 => Fate { answer: Answer::Lost, ..fate },
        // It hangs, and is processed after the candidate has given up.
        96 => Fate { there: Duration::from_millis(rng.u64(5_000..30_000)), answer: Answer::None, ..fate },
        97 => Fate { answer: Answer::None, ..fate },
        _ => Fate { processed: false, answer: Answer::Error(*rng.choice(&[409, 429, 500, 503]).unwrap()), ..fate },
    }
}

/// What one machine goes through.
async fn trouble(machine: Arc<Machine>, mut rng: Rng) {
    loop {
        // Longer than a term lasts without renewals: no two faults fall into one.
        sleep(Duration::from_secs(rng.u64(20..90))).await;
        let time = Duration::from_millis(rng.u64(2_000..60_000));
        match rng.u32(0..6) {
            0 => {
                machine.gate.close();
                sleep(time).await;
                machine.gate.open();
            }
            1 => {
                machine.gate.close();
                sleep(time).await;
                machine.candidate.clocks.was_suspended(time);
                machine.gate.open();
            }
            2 => machine.candidate.clocks.step(*rng.choice(&[3600, -3600]).unwrap()),
            _ => {
                let cut = *rng.choice(&[Fate::REFUSED, Fate::HANGS, Fate::ANSWER_LOST, Fate::ANSWER_HANGS]).unwrap();
                machine.candidate.line.set(cut);
                sleep(time).await;
                machine.connect(rng.fork());
            }
        }
    }
}

struct Machine {
    number: usize,
    candidate: Candidate,
    gate: Gate,
}

impl Machine {
    fn connect(&self, mut rng: Rng) {
        self.candidate.line.decide(move || somewhat_bad(&mut rng));
    }

    /// Its program starts, takes part, and ends or crashes, again and again.
    async fn run(self: Arc<Self>, resource: Arc<Mutex<Resource>>, gates: Vec<Gate>, renew: Duration, mut rng: Rng) {
        loop {
            let mut builder = self.candidate.builder().identity(format!("{}-{}", self.number, rng.u32(..)));
            builder.rng = rng.fork();
            let mut elector = builder.build().unwrap();
            elector.parts.timing.renew_deadline = renew;
            let work = |term: Term| {
                let (resource, gates, number) = (resource.clone(), gates.clone(), self.number);
                async move {
                    let working = Working::begin(&resource, &gates, number, term.fencing_token());
                    loop {
                        working.act(term.fencing_token());
                        sleep(SECOND / 10).await;
                    }
                }
            };
            let time = Duration::from_secs(rng.u64(30..900));
            if rng.bool() {
                let none: Option<()> = elector.campaign_until(sleep(time), work).await;
                assert!(none.is_none(), "the work has no end");
            } else {
                // A crash.
                let _ = timeout(time, elector.campaign::<(), _>(work)).await;
            }
            sleep(Duration::from_secs(rng.u64(0..20))).await;
        }
    }
}

/// Half an hour with these faults. Panics if two terms overlap.
fn half_an_hour(seed: u64, renew: Duration) -> (usize, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // The runtime's own jitter.
    fastrand::seed(seed);
    let mut rng = Rng::with_seed(seed);
    runtime.block_on(async {
        let server = Server::default();
        let resource = Arc::new(Mutex::new(Resource::default()));
        let gates: Vec<_> = (0..CANDIDATES).map(|_| Gate::default()).collect();
        let mut tasks = tokio::task::JoinSet::new();
        let mut machines = Vec::new();
        for (number, gate) in gates.iter().enumerate() {
            let candidate = Candidate::new(&server, "");
            candidate.clocks.step(rng.i64(-3600..3600));
            let machine = Arc::new(Machine { number, candidate, gate: gate.clone() });
            machine.connect(rng.fork());
            let life = machine.clone().run(resource.clone(), gates.clone(), renew, rng.fork());
            tasks.spawn(Process { life: Box::pin(life), gate: gate.clone() });
            tasks.spawn(trouble(machine.clone(), rng.fork()));
            machines.push(machine);
        }
        // The server is killed and started again.
        tasks.spawn(async move {
            loop {
                sleep(Duration::from_secs(rng.u64(60..300))).await;
                for machine in &machines {
                    machine.candidate.line.set(*rng.choice(&[Fate::REFUSED, Fate::ANSWER_LOST]).unwrap());
                }
                sleep(Duration::from_secs(rng.u64(1..40))).await;
                for machine in &machines {
                    machine.connect(rng.fork());
                }
            }
        });
        if let Ok(Some(Err(ended))) = timeout(HALF_AN_HOUR, tasks.join_next()).await {
            std::panic::resume_unwind(ended.into_panic());
        }
        tasks.shutdown().await;
        let resource = resource.lock().unwrap();
        (resource.terms, resource.acts)
    })
}

#[test]
fn half_an_hour_of_faults_never_has_two_terms_at_once() {
    let seeds = match std::env::var("K8S_CLIENT_ELECTION_SEED") {
        Ok(seed) => vec![seed.parse().expect("a number")],
        Err(_) => (0..SEEDS).collect(),
    };
    let (mut terms, mut acts) = (0, 0);
    for seed in &seeds {
        let (of_this, acts_of_this) = catch_unwind(|| half_an_hour(*seed, 10 * SECOND))
            .unwrap_or_else(|_| panic!("two terms overlap; K8S_CLIENT_ELECTION_SEED={seed} shows it again"));
        terms += of_this;
        acts += acts_of_this;
    }
    // Each half hour has many terms, and somebody leads in most of the time: a test of nothing would pass as well.
    assert!(terms > 15 * seeds.len(), "only {terms} terms");
    assert!(acts > 9_000 * seeds.len(), "only {acts} acts of 18,000 in each half hour");
}

#[test]
fn simulation_sees_terms_that_overlap() {
    // Leaders that do not stop in time.
    let overlaps = (0..5).any(|seed| catch_unwind(AssertUnwindSafe(|| half_an_hour(seed, 60 * SECOND))).is_err());
    assert!(overlaps, "a deadline longer than the lease must be seen");
}
