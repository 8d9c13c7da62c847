//! What was measured: every single run, and the tables made of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    job::Job,
    peer::Peer,
    statistics::Summary,
    table::{Row, Table, Unit, grouped},
};

/// What is measured of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    Cpu,
    Wall,
    PeakMemory,
    /// What a program has a moment after the first part of its job.
    Memory,
    CpuOfChanges,
    CpuOfRelist,
    PeakOfRelist,
    /// That peak by the memory before.
    GrowthOfRelist,
    /// Of looking at each object in memory once.
    CpuOfReads,
    Allocations,
    AllocatedBytes,
    Received,
    Sent,
}

impl Metric {
    const ALL: [Self; 13] = [
        Self::Cpu,
        Self::Wall,
        Self::PeakMemory,
        Self::Memory,
        Self::CpuOfChanges,
        Self::CpuOfRelist,
        Self::PeakOfRelist,
        Self::GrowthOfRelist,
        Self::CpuOfReads,
        Self::Allocations,
        Self::AllocatedBytes,
        Self::Received,
        Self::Sent,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu_seconds",
            Self::Wall => "wall_seconds",
            Self::PeakMemory => "peak_memory_bytes",
            Self::Memory => "memory_bytes",
            Self::CpuOfChanges => "changes_cpu_seconds",
            Self::CpuOfRelist => "relist_cpu_seconds",
            Self::PeakOfRelist => "relist_peak_memory_bytes",
            Self::GrowthOfRelist => "relist_peak_by_memory",
            Self::CpuOfReads => "reads_cpu_seconds",
            Self::Allocations => "allocations",
            Self::AllocatedBytes => "allocated_bytes",
            Self::Received => "received_bytes",
            Self::Sent => "sent_bytes",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Wall => "wall",
            Self::PeakMemory => "peak memory",
            Self::Memory => "memory afterwards",
            Self::CpuOfChanges => "CPU of the changes",
            Self::CpuOfRelist => "CPU of a relist",
            Self::PeakOfRelist => "peak memory of the relist",
            Self::GrowthOfRelist => "that peak by the memory before",
            Self::CpuOfReads => "CPU of looking at each once",
            Self::Allocations => "allocations",
            Self::AllocatedBytes => "allocated",
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Cpu | Self::Wall | Self::CpuOfChanges | Self::CpuOfRelist | Self::CpuOfReads => Unit::Seconds,
            Self::PeakMemory
            | Self::Memory
            | Self::PeakOfRelist
            | Self::AllocatedBytes
            | Self::Received
            | Self::Sent => Unit::Bytes,
            Self::GrowthOfRelist => Unit::Ratio,
            Self::Allocations => Unit::Count,
        }
    }
}

/// One run of one client.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) job: Job,
    pub(super) size: usize,
    pub(super) peer: Peer,
    /// None in the counting round, of which no time is taken.
    pub(super) round: Option<usize>,
    /// How many objects or events it saw.
    pub(super) items: u64,
    pub(super) values: BTreeMap<Metric, f64>,
}

/// All runs, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Results(Vec<Run>);

impl Results {
    pub(super) fn add(&mut self, runs: impl IntoIterator<Item = Run>) {
        self.0.extend(runs);
    }

    /// Those of some jobs.
    pub(super) fn of(&self, is_meant: impl Fn(Job) -> bool) -> Self {
        Self(self.0.iter().filter(|run| is_meant(run.job)).cloned().collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn to_json(&self) -> Value {
        let run = |run: &Run| {
            let mut value = json!({
                "job": run.job.name(),
                "size": run.size,
                "peer": run.peer.name(),
                "round": run.round,
                "items": run.items,
            });
            for (metric, measured) in &run.values {
                value[metric.name()] = json!(measured);
            }
            value
        };
        self.0.iter().map(run).collect()
    }

    /// A table for each job under its name, with a line for each size and metric and a column for each client.
    pub(super) fn to_markdown(&self) -> Vec<String> {
        let jobs: BTreeSet<Job> = self.0.iter().map(|run| run.job).collect();
        let table = |job: Job| format!("### {job}\n\n{}\n\n{}", wrapped(job.description()), self.table(job));
        jobs.into_iter().map(table).collect()
    }

    fn table(&self, job: Job) -> Table {
        let of_the_job: Vec<&Run> = self.0.iter().filter(|run| run.job == job).collect();
        let peers: BTreeSet<Peer> = of_the_job.iter().map(|run| run.peer).collect();
        let sizes: BTreeSet<usize> = of_the_job.iter().map(|run| run.size).collect();
        let mut rows = Vec::new();
        for size in sizes {
            for metric in Metric::ALL {
                let cell = |peer: &Peer| {
                    let runs = of_the_job.iter().filter(|run| run.size == size && run.peer == *peer);
                    Summary::of(runs.filter_map(|run| run.values.get(&metric).copied()))
                };
                let label = match job.counts() {
                    Some(what) => format!("{} {what}: {}", grouped(size), metric.label()),
                    None => metric.label().to_owned(),
                };
                rows.push(Row { label, unit: metric.unit(), cells: peers.iter().map(cell).collect() });
            }
        }
        Table { peers: peers.into_iter().collect(), rows }
    }
}

/// The text in lines of the width that all texts here have.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= 120 => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_wrapped_at_spaces() {
        let text = ["word"; 60].join(" ");
        let lines = wrapped(&text);
        assert!(lines.lines().all(|line| line.len() <= 120) && lines.lines().count() == 3, "{lines}");
        assert_eq!(lines.replace('\n', " "), text);
    }

    #[test]
    fn runs_become_medians_and_keep_their_values() {
        let mut results = Results::default();
        for (peer, round, cpu) in [
            (Peer::K8sClient, 1, 0.5),
            (Peer::Kube, 1, 2.0),
            (Peer::K8sClient, 2, 1.5),
            (Peer::Kube, 2, 2.0),
            (Peer::K8sClient, 3, 1.0),
            (Peer::Kube, 3, 2.0),
        ] {
            let values = BTreeMap::from([(Metric::Cpu, cpu)]);
            results.add([Run { job: Job::List, size: 5_000, peer, round: Some(round), items: 25_000, values }]);
        }
        let expected = "\
### list

The whole list of a namespace's pods, five times.

| | k8s-client | kube | k8s-client / best peer |
|---|--:|--:|--:|
| 5,000 pods: CPU | 1.00 s (0.50–1.50) | 2.00 s | 0.50 |
";
        assert_eq!(results.to_markdown(), [expected]);
        let json = results.to_json();
        assert_eq!(json.as_array().map(Vec::len), Some(6));
        assert_eq!(
            json[2],
            json!({
                "job": "list", "size": 5000, "peer": "k8s-client", "round": 2, "items": 25000, "cpu_seconds": 1.5
            })
        );
    }
}
