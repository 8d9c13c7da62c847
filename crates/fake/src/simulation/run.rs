//! Running scripts, seed after seed.

use std::{
    any::Any,
    env, fmt,
    future::Future,
    ops::{Bound, RangeBounds, RangeInclusive},
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
const SEED: &str = "K8S_CLIENT_SIMULATION_SEED";

/// The longest simulation, in minutes: a century, so that clocks can show its end.
const LONGEST: u64 = 100 * 365 * 24 * 60;

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
    seeds: RangeInclusive<u64>,
    length: Duration,
    quiet: Duration,
    faults: Faults,
    server: FakeServerBuilder,
}

impl Simulation {
    /// The simulation of one seed.
    pub fn new(seed: u64) -> Self {
        Self::seeds(seed..=seed)
    }

    /// One simulation after the other, for each of these seeds: `0..200`.
    ///
    /// # Panics
    ///
    /// When there is no seed in the range, since nothing would be simulated; and when the range has no end.
    #[track_caller]
    pub fn seeds(seeds: impl RangeBounds<u64> + fmt::Debug) -> Self {
        let first = match seeds.start_bound() {
            Bound::Included(first) => Some(*first),
            Bound::Excluded(before) => before.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let last = match seeds.end_bound() {
            Bound::Included(last) => Some(*last),
            Bound::Excluded(behind) => behind.checked_sub(1),
            Bound::Unbounded => panic!("the seeds {seeds:?} have no end: name the last one"),
        };
        let seeds = match (first, last) {
            (Some(first), Some(last)) if first <= last => first..=last,
            _ => panic!("there are no seeds in {seeds:?}: nothing would be simulated"),
        };
        let length = Duration::from_secs(30 * 60);
        let quiet = Duration::from_secs(20 * 60);
        Self { seeds, length, quiet, faults: Faults::all(), server: FakeServer::builder() }
    }

    /// How many simulated minutes [`Sim::turn`] goes on, a century at most. Default: 30.
    ///
    /// # Panics
    ///
    /// When it is none, since nothing would happen.
    #[track_caller]
    pub fn minutes(mut self, minutes: u64) -> Self {
        assert!(minutes > 0, "in a simulation of no minutes nothing happens");
        self.length = Duration::from_secs(minutes.min(LONGEST) * 60);
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

    /// Runs the script with each seed. With the environment variable `K8S_CLIENT_SIMULATION_SEED`, only with that one.
    ///
    /// # Panics
    ///
    /// When a simulation fails: with the seed, the reason, and what happened before. When
    /// `K8S_CLIENT_SIMULATION_SEED` is not a number.
    pub fn run<A: Future<Output = ()>>(mut self, script: impl Fn(Sim) -> A) {
        if let Some(seed) = env::var_os(SEED) {
            let seed = seed_of(&seed.to_string_lossy()).unwrap_or_else(|problem| panic!("{problem}"));
            self.seeds = seed..=seed;
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
                    if write.request().is_none() {
                        world.note(format!("the script, or what a cluster does by itself: {write}"));
                    }
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
fn seed_of(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{SEED} is {text:?}, which is not a seed: set it to the number that a failure names"))
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
        assert_eq!(seed_of("17"), Ok(17));
        assert_eq!(seed_of("18446744073709551615"), Ok(u64::MAX));
        for text in ["", "x", "-1", "1..5"] {
            let problem = seed_of(text).unwrap_err();
            assert_eq!(
                problem,
                format!(
                    "K8S_CLIENT_SIMULATION_SEED is {text:?}, which is not a seed: set it to the number that a failure \
                     names"
                )
            );
        }
    }

    fn simulated(simulation: Simulation) -> u64 {
        simulation.faults(Faults::none()).check(|sim| async move { while sim.turn().await {} }).unwrap().simulations
    }

    #[test]
    fn each_seed_of_a_range_is_simulated_to_the_last_there_is() {
        for (simulation, count) in [
            (Simulation::new(u64::MAX), 1),
            (Simulation::seeds(0..3), 3),
            (Simulation::seeds(4..=4), 1),
            (Simulation::seeds(..2), 2),
            (Simulation::seeds(u64::MAX - 1..=u64::MAX), 2),
        ] {
            assert_eq!(simulated(simulation.minutes(1)), count);
        }
    }

    #[test]
    fn what_would_simulate_nothing_is_refused() {
        let refused = |problem: &str, simulation: fn() -> Simulation| {
            let panic = std::panic::catch_unwind(simulation).unwrap_err();
            assert!(text_of_panic(&*panic).contains(problem), "{problem}: {}", text_of_panic(&*panic));
        };
        refused("there are no seeds in 5..5", || Simulation::seeds(5..5));
        refused("there are no seeds in ..0", || Simulation::seeds(..0));
        refused("the seeds 0.. have no end", || Simulation::seeds(0..));
        refused("of no minutes nothing happens", || Simulation::new(0).minutes(0));
        refused("there are no seeds in (Excluded", || {
            Simulation::seeds((Bound::Excluded(u64::MAX), Bound::Included(u64::MAX)))
        });
    }

    #[test]
    fn the_story_of_a_failure_has_what_the_script_did() {
        let failure = Simulation::new(1).minutes(1).faults(Faults::none()).check(|sim| async move {
            let web = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}});
            sim.server().add(&web).unwrap();
            sim.fail("enough");
            std::future::pending::<()>().await;
        });
        let story = failure.unwrap_err().story;
        assert!(
            story.contains("the script, or what a cluster does by itself: create configmaps default/web"),
            "{story}"
        );
    }

    #[test]
    fn times_without_end_end_at_some_time() {
        let calm = Simulation::new(0).minutes(u64::MAX).quiet(Duration::MAX).faults(Faults::none());
        let failure = calm.check(|sim| async move { sim.calm().await }).unwrap_err();
        assert!(failure.reason.contains("did not come to rest"), "{failure}");
    }
}
