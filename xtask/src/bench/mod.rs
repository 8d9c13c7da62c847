//! `cargo xtask bench`: this project, kube and client-go side by side on one real API server.
//!
//! Each client has a program under `tests/bench` that does one job and ends. The clients take turns, so that what else
//! goes on at the machine disturbs all of them alike, and medians of several rounds are compared. Times are taken
//! without anything that counts; allocations and bytes on the wire have a round of their own, which also warms the
//! server up. Nothing here fails because something was slow.

mod forwarder;
mod job;
mod machine;
mod measure;
mod operators;
mod peer;
mod proc;
mod programs;
mod record;
mod results;
mod statistics;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use k8s_client_test_harness::ControlPlane;
use serde_json::{Value, json};

use self::{
    forwarder::Forwarder,
    job::{Job, Section},
    measure::Measured,
    operators::Operators,
    peer::{Peer, Program},
    programs::Programs,
    results::{Metric, Results, Run},
};
use crate::{Result, control_plane, process};

/// Compares k8s-client with kube and client-go on a real API server: CPU, time, memory, allocations and bytes on the
/// wire
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// What to measure. Default: all but `build`
    #[arg(value_enum)]
    jobs: Vec<Job>,
    /// A cluster that runs already, instead of building and starting a control plane. Bytes on the wire are not counted
    /// then
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// How often each client does each job
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many pods there are, such as 1000,5000
    #[arg(long, value_delimiter = ',', default_values_t = job::SIZES)]
    sizes: Vec<usize>,
    /// The clients. Default: all, in the variants there are
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// One round with 1,000 pods: whether everything works, not how fast it is
    #[arg(long, conflicts_with_all = ["rounds", "sizes", "record"])]
    quick: bool,
    /// Writes the tables into BENCHMARKS.md. Those of other jobs stay as they are
    #[arg(long)]
    record: bool,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let plan = Plan::of(command);
    let machine = machine::describe()?;
    if !plan.jobs.is_empty() {
        let results = plan.measure(command.kubeconfig.as_deref())?;
        let explained = match plan.rounds {
            1 => format!("{machine}* one round\n"),
            rounds => format!("{machine}* medians of {rounds} rounds, in parentheses the least and the most\n"),
        };
        for section in Section::ALL {
            let results = results.of(|job| job.section() == section);
            if !results.is_empty() {
                finish(section, &explained, &results.to_markdown(), &results.to_json(), command.record)?;
            }
        }
    }
    if plan.builds {
        let operators = Operators::build(&plan.programs())?;
        finish(Section::Build, &machine, &[operators.to_markdown()], &operators.to_json(), command.record)?;
    }
    Ok(())
}

/// Prints the tables of a section and stores them, with all that was measured. `explained` says when, where and how.
fn finish(section: Section, explained: &str, jobs: &[String], measured: &Value, record: bool) -> Result<()> {
    process::heading("Results");
    let markdown = format!("{explained}\n{}", jobs.join("\n"));
    println!("{markdown}");
    let write = |extension: &str, text: &str| {
        let path = programs::folder().join(format!("{}.{extension}", section.name()));
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("stored in {}", path.display());
        Result::Ok(())
    };
    write("md", &markdown)?;
    let stored = json!({ "explained": explained.lines().collect::<Vec<_>>(), "measured": measured });
    write("json", &format!("{stored:#}\n"))?;
    if record {
        record::write(section.name(), explained, jobs)?;
    }
    Ok(())
}

/// What is to be done.
#[derive(Debug)]
struct Plan {
    jobs: Vec<Job>,
    builds: bool,
    sizes: Vec<usize>,
    peers: Vec<Peer>,
    rounds: usize,
}

/// One job at one size.
#[derive(Clone, Copy, Debug)]
struct Step {
    job: Job,
    size: usize,
}

impl Step {
    fn run(self, peer: Peer, round: Option<usize>, measured: &Measured, values: BTreeMap<Metric, f64>) -> Result<Run> {
        let items = measured.report["items"].as_u64();
        let items = items.ok_or_else(|| format!("{}: {peer} does not tell how many items it saw", self.job))?;
        Ok(Run { job: self.job, size: self.size, peer, round, items, values })
    }
}

impl Plan {
    fn of(command: &Command) -> Self {
        let chosen: BTreeSet<Job> = command.jobs.iter().copied().collect();
        let jobs = if chosen.is_empty() { Job::ON_A_SERVER.into() } else { chosen.clone() };
        let peers = if command.peers.is_empty() { &Peer::ALL[..] } else { &command.peers };
        let (sizes, rounds) =
            if command.quick { (job::SIZES[..1].to_vec(), 1) } else { (command.sizes.clone(), command.rounds) };
        Self {
            jobs: jobs.into_iter().filter(|job| *job != Job::Build).collect(),
            builds: chosen.contains(&Job::Build),
            sizes,
            peers: peers.to_vec(),
            rounds: usize::try_from(rounds).unwrap_or(usize::MAX),
        }
    }

    fn programs(&self) -> BTreeSet<Program> {
        self.peers.iter().map(|peer| peer.program()).collect()
    }

    fn steps(&self) -> Vec<Step> {
        self.jobs
            .iter()
            .flat_map(|&job| job.sizes(&self.sizes).into_iter().map(move |size| Step { job, size }))
            .collect()
    }

    fn measure(&self, kubeconfig: Option<&Path>) -> Result<Results> {
        process::heading("The programs");
        // Ours makes the pods, whoever else is chosen.
        let mut needed = self.programs();
        needed.insert(Program::K8sClient);
        let steps = self.steps();
        let counted: Vec<Step> = steps.iter().copied().filter(|step| step.job.is_counted()).collect();
        let programs = Programs::build(&needed, !counted.is_empty())?;

        process::heading("The control plane");
        let plane = control_plane::given_or_started(kubeconfig)?;
        let runner = Runner { programs, kubeconfig: plane.kubeconfig().to_owned() };
        let seeds = steps.iter().filter_map(|step| Some((step.job.seed()?, step.size)));
        for (seed, size) in seeds.collect::<BTreeSet<_>>() {
            runner.seed(seed, size)?;
        }

        let mut results = Results::default();
        if !counted.is_empty() {
            process::heading("Allocations and bytes on the wire");
            let wire = Wire::of(&plane, Duration::ZERO)?;
            results.add(self.take_turns(&counted, |step, peer| runner.count(step, peer, wire.as_ref()))?);
        }
        let mut far = BTreeMap::new();
        for round_trip in steps.iter().map(|step| step.job.round_trip()).filter(|round_trip| !round_trip.is_zero()) {
            let way = Wire::of(&plane, round_trip / 2)?
                .ok_or("jobs far from the server need a control plane of their own")?;
            far.insert(round_trip, way);
        }
        for round in 1..=self.rounds {
            process::heading(&format!("Round {round} of {}", self.rounds));
            results.add(self.take_turns(&steps, |step, peer| runner.time(step, peer, round, &far))?);
        }
        plane.stop()?;
        Ok(results)
    }

    /// Has each client do each job once, all of them one job before any of them the next.
    fn take_turns(&self, steps: &[Step], mut turn: impl FnMut(Step, Peer) -> Result<Run>) -> Result<Vec<Run>> {
        let mut runs: Vec<Run> = Vec::new();
        for &step in steps {
            let mut first: Option<(Peer, u64)> = None;
            for &peer in self.peers.iter().filter(|peer| peer.does(step.job)) {
                let run = turn(step, peer)?;
                let (other, items) = *first.get_or_insert((peer, run.items));
                // Whoever saw less has done less, and is not to be compared.
                if run.items != items {
                    let (job, saw) = (step.job, run.items);
                    return Err(format!("{job}: {peer} saw {saw} items and {other} {items}").into());
                }
                runs.push(run);
            }
        }
        Ok(runs)
    }
}

/// Runs programs against a server.
struct Runner {
    programs: Programs,
    kubeconfig: PathBuf,
}

impl Runner {
    /// Makes the objects, unless they are there.
    fn seed(&self, seed: &str, size: usize) -> Result<()> {
        println!("{}: {seed} {size}", job::namespace(size));
        let mut program = self.programs.command(Program::K8sClient, false);
        program.args([seed, &job::namespace(size), &size.to_string()]).env("KUBECONFIG", &self.kubeconfig);
        measure::run(&mut program)?;
        Ok(())
    }

    /// A run of which times and memory are taken.
    fn time(&self, step: Step, peer: Peer, round: usize, far: &BTreeMap<Duration, Wire>) -> Result<Run> {
        if step.job == Job::Informer {
            return self.time_informer(step, peer, round);
        }
        let mut program = self.program(step, peer, false);
        let kubeconfig = far.get(&step.job.round_trip()).map_or(&self.kubeconfig, |wire| &wire.kubeconfig);
        let measured = measure::run(program.env("KUBECONFIG", kubeconfig))?;
        tell(step, peer, &measured);
        let values = BTreeMap::from([
            (Metric::Cpu, measured.cpu),
            (Metric::Wall, measured.wall),
            (Metric::PeakMemory, measured.peak_memory),
        ]);
        step.run(peer, Some(round), &measured, values)
    }

    /// The same of a job in parts: until everything is there, while it changes, when it is read anew from the server,
    /// and when all of it is read from memory.
    fn time_informer(&self, step: Step, peer: Peer, round: usize) -> Result<Run> {
        let mut program = self.program(step, peer, false);
        let parts = measure::run_in_parts(program.env("KUBECONFIG", &self.kubeconfig), 4, |part| match part {
            1 => self.change(step.size),
            _ => Ok(()),
        })?;
        for part in &parts {
            tell(step, peer, part);
        }
        let [there, changed, anew, read] = &parts[..] else { return Err("the job has four parts".into()) };
        let values = BTreeMap::from([
            (Metric::Cpu, there.cpu),
            (Metric::Wall, there.wall),
            (Metric::PeakMemory, there.peak_memory),
            (Metric::Memory, there.memory),
            (Metric::CpuOfChanges, changed.cpu),
            (Metric::CpuOfRelist, anew.cpu),
            (Metric::PeakOfRelist, anew.peak_memory),
            (Metric::GrowthOfRelist, anew.peak_memory / changed.memory),
            (Metric::CpuOfReads, read.cpu),
        ]);
        step.run(peer, Some(round), there, values)
    }

    /// Changes the pods that the programs follow.
    fn change(&self, size: usize) -> Result<()> {
        let mut program = self.programs.command(Program::K8sClient, false);
        program.args(["change", &job::namespace(size), &size.to_string()]).env("KUBECONFIG", &self.kubeconfig);
        measure::run(&mut program)?;
        Ok(())
    }

    /// A run of which allocations and bytes are counted.
    fn count(&self, step: Step, peer: Peer, wire: Option<&Wire>) -> Result<Run> {
        let mut program = self.program(step, peer, true);
        if let Some(wire) = wire {
            // What the program before left behind when it ended.
            wire.forwarder.take();
        }
        let kubeconfig = wire.map_or(&self.kubeconfig, |wire| &wire.kubeconfig);
        let measured = measure::run(program.env("KUBECONFIG", kubeconfig))?;
        let mut values = BTreeMap::new();
        for (metric, name) in [(Metric::Allocations, "allocations"), (Metric::AllocatedBytes, "allocated_bytes")] {
            values.extend(measured.report[name].as_f64().map(|value| (metric, value)));
        }
        if let Some((sent, received)) = wire.map(|wire| wire.forwarder.take()) {
            values.extend([(Metric::Sent, number(sent)), (Metric::Received, number(received))]);
        }
        println!("{:<16} {:>6} {peer:<15} {}", step.job, step.size, measured.report);
        step.run(peer, None, &measured, values)
    }

    fn program(&self, step: Step, peer: Peer, counts: bool) -> std::process::Command {
        let mut program = self.programs.command(peer.program(), counts);
        program.args([step.job.task(), &job::namespace(step.size), &step.size.to_string()]).args(peer.flags());
        program
    }
}

fn tell(step: Step, peer: Peer, measured: &Measured) {
    println!(
        "{:<16} {:>6} {peer:<20} {:>7.2} s CPU {:>7.2} s {:>7.1} MiB",
        step.job,
        step.size,
        measured.cpu,
        measured.wall,
        measured.peak_memory / (1024.0 * 1024.0)
    );
}

/// A way to the server on which bytes are counted, and take their time.
struct Wire {
    forwarder: Forwarder,
    kubeconfig: PathBuf,
}

impl Wire {
    /// None for a server that was there before: its certificate may not be one for the loopback address.
    fn of(plane: &ControlPlane, delay: Duration) -> Result<Option<Self>> {
        let Some(server) = plane.server() else {
            println!("there is no forwarder in front of a cluster that was given: bytes on the wire are not counted");
            return Ok(None);
        };
        let address: SocketAddr = server.trim_start_matches("https://").parse()?;
        let forwarder = Forwarder::start(address, delay)?;
        let counted = format!("https://{}", forwarder.address());
        let text = fs::read_to_string(plane.kubeconfig())?.replace(server, &counted);
        let kubeconfig = programs::folder().join(format!("forwarded-{}ms.kubeconfig", delay.as_millis()));
        fs::write(&kubeconfig, text).map_err(|error| format!("{}: {error}", kubeconfig.display()))?;
        Ok(Some(Self { forwarder, kubeconfig }))
    }
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}
