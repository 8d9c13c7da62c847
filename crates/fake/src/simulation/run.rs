//! Running scripts, seed after seed.

use std::{
    any::Any,
    env, fmt,
    future::Future,
    ops::Range,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use futures_util::FutureExt as _;
use k8s_client_runtime::machine;
use tokio::runtime;

use super::{Faults, Sim, events, world::World};
use crate::{FakeServer, FakeServerBuilder, RecordedRequest, server::SEEDED_START};

/// The variable that has one seed to run in place of all.
const SEED: &str = "SIMULATION_SEED";

/// How many requests are remembered.
const REMEMBERED: usize = 10_000;

/// A script that is run with one seed or with many.
///
/// ```
/// use k8s_client_fake::simulation::{Faults, Simulation};
///
/// Simulation::seeds(0..10).minutes(5).faults(Faults::none()).run(|sim| async move {
///     while sim.turn().await {
///         println!("a user does something: {}", sim.random(0..6));
///     }
/// });
/// ```
#[derive(Clone, Debug)]
#[must_use = "`run` runs it"]
pub struct Simulation {
    seeds: Range<u64>,
    length: Duration,
    quiet: Duration,
    faults: Faults,
    server: FakeServerBuilder,
}

impl Simulation {
    /// The simulation of one seed.
    pub fn new(seed: u64) -> Self {
        Self::seeds(seed..seed.saturating_add(1))
    }

    /// One simulation after the other, for each of these seeds.
    pub fn seeds(seeds: Range<u64>) -> Self {
        let length = Duration::from_secs(30 * 60);
        let quiet = Duration::from_secs(20 * 60);
        Self { seeds, length, quiet, faults: Faults::all(), server: FakeServer::builder() }
    }

    /// How many simulated minutes [`Sim::turn`] goes on. Default: 30.
    pub fn minutes(mut self, minutes: u64) -> Self {
        self.length = Duration::from_secs(minutes.saturating_mul(60));
        self
    }

    /// What goes wrong. Default: everything.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// How long nothing may be written until [`Sim::calm`] takes it that nothing is left to do. Default: 20 minutes,
    /// which is longer than a work queue lets anything wait that has failed.
    pub fn quiet(mut self, time: Duration) -> Self {
        self.quiet = time;
        self
    }

    /// What the server is: its version of Kubernetes. Its seed is that of the simulation.
    pub fn server(mut self, server: FakeServerBuilder) -> Self {
        self.server = server;
        self
    }

    /// Runs the script with each seed. With the environment variable `SIMULATION_SEED`, only with that one.
    ///
    /// # Panics
    ///
    /// When a simulation fails: with the seed, the reason, and what happened before. When `SIMULATION_SEED` is not a
    /// number.
    pub fn run<A: Future<Output = ()>>(mut self, script: impl Fn(Sim) -> A) {
        if let Some(seed) = env::var_os(SEED) {
            self.seeds = seeds_of(&seed.to_string_lossy()).unwrap_or_else(|problem| panic!("{problem}"));
        }
        if let Err(failure) = self.check(script) {
            panic!("{failure}");
        }
    }

    /// The same, with the first failure as a result.
    ///
    /// # Errors
    ///
    /// The first failure.
    pub fn check<A: Future<Output = ()>>(self, script: impl Fn(Sim) -> A) -> Result<Report, Failure> {
        let mut report = Report::default();
        for seed in self.seeds.clone() {
            self.run_one(seed, &script, &mut report)?;
        }
        Ok(report)
    }

    /// Runs each seed twice, and compares the requests: whether an operator does the same whenever the same happens.
    /// See [the rules](crate::simulation) for what may be wrong when it does not.
    ///
    /// # Errors
    ///
    /// The first failure; and the first request that the second run of a seed did not send in the same way.
    pub fn replays<A: Future<Output = ()>>(self, script: impl Fn(Sim) -> A) -> Result<Report, Failure> {
        let mut report = Report::default();
        for seed in self.seeds.clone() {
            let first = self.run_one(seed, &script, &mut report)?;
            let second = self.run_one(seed, &script, &mut report)?;
            let differs = first.iter().zip(&second).position(|(one, other)| one != other);
            let differs = differs.or((first.len() != second.len()).then_some(first.len().min(second.len())));
            if let Some(number) = differs {
                let shown = |requests: &[RecordedRequest]| {
                    requests.get(number).map_or("nothing more".to_owned(), |request| format!("{request:?}"))
                };
                let reason = format!(
                    "it does not replay. One run sent\n  {}\nwhere the other sent\n  {}",
                    shown(&first),
                    shown(&second)
                );
                let after = first.get(number).map(|request| request.at).unwrap_or_default();
                return Err(Failure { seed, after, reason, story: String::new() });
            }
        }
        Ok(report)
    }

    /// Runs one seed; what is returned are the last requests.
    fn run_one<A: Future<Output = ()>>(
        &self,
        seed: u64,
        script: &impl Fn(Sim) -> A,
        report: &mut Report,
    ) -> Result<Vec<RecordedRequest>, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| Failure {
            seed,
            after: Duration::ZERO,
            reason: format!("there is no runtime: {error}"),
            story: String::new(),
        })?;
        runtime.block_on(async {
            let _machine = machine::simulate(seed, UNIX_EPOCH + SEEDED_START);
            let server = self.server.clone().seed(seed).start();
            server.state().requests.limit(REMEMBERED);
            let world = World::new(server, seed, self.faults.clone(), self.length, self.quiet);
            let by_itself = [
                tokio::spawn(events::controllers(world.clone())),
                tokio::spawn(events::compaction(world.clone())),
                tokio::spawn(events::trouble(world.clone())),
            ];
            let noted = Arc::downgrade(&world);
            world.server.on_write(move |write| {
                let counts = !matches!(
                    write.resource(),
                    "leases.coordination.k8s.io" | "leasecandidates.coordination.k8s.io" | "events"
                );
                if let Some(world) = noted.upgrade().filter(|_| counts) {
                    world.wrote();
                }
            });
            let play = AssertUnwindSafe(async {
                tokio::select! {
                    biased;
                    reason = world.failed() => Err(reason),
                    () = script(Sim::new(world.clone())) => Ok(()),
                }
            });
            let played = play.catch_unwind().await;
            let played = played.unwrap_or_else(|panic| Err(text_of_panic(&*panic)));
            let played = world.failure().map_or(played, Err);
            by_itself.iter().for_each(tokio::task::JoinHandle::abort);
            report.simulations += 1;
            report.simulated += world.server.age();
            report.faults += world.met();
            report.requests += world.server.state().requests.count();
            match played {
                Ok(()) => Ok(world.server.take_requests()),
                Err(reason) => Err(Failure { seed, after: world.server.age(), reason, story: world.story() }),
            }
        })
    }
}

/// The one seed that the variable names.
fn seeds_of(text: &str) -> Result<Range<u64>, String> {
    let wrong = |_| format!("{SEED} is {text:?}, which is not a seed: set it to the number that a failure names");
    let seed: u64 = text.parse().map_err(wrong)?;
    Ok(Simulation::new(seed).seeds)
}

/// What a panic says.
pub(super) fn text_of_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".to_owned())
}

/// What simulations were that did not fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many there were.
    pub simulations: u64,
    /// How long they took, by their own clocks.
    pub simulated: Duration,
    /// How many requests came.
    pub requests: u64,
    /// How many faults there were.
    pub faults: u64,
}

/// A simulation that has failed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The seed, with which it fails again.
    pub seed: u64,
    /// How long after its begin, by its own clock.
    pub after: Duration,
    /// What is wrong.
    pub reason: String,
    /// The last requests and what happened between them, a line each.
    pub story: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, after, reason, story } = self;
        writeln!(f, "the simulation of seed {seed} failed after {:.3} simulated seconds:", after.as_secs_f64())?;
        writeln!(f, "{reason}\nWhat happened last:\n{story}{SEED}={seed} runs this one alone.")
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_taken_from_the_environment_and_what_is_not_one_is_refused() {
        assert_eq!(seeds_of("17"), Ok(17..18));
        assert_eq!(seeds_of("18446744073709551614"), Ok(u64::MAX - 1..u64::MAX));
        for text in ["", "x", "-1", "1..5"] {
            let problem = seeds_of(text).unwrap_err();
            assert_eq!(
                problem,
                format!("SIMULATION_SEED is {text:?}, which is not a seed: set it to the number that a failure names")
            );
        }
    }
}
