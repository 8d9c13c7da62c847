//! What the programs are told to do, and with how many objects.

use std::{fmt, time::Duration};

use clap::ValueEnum;

/// The sizes of the namespaces, so that growth shows.
pub(super) const SIZES: [usize; 3] = [1_000, 5_000, 20_000];

/// How many lines a log has.
const LINES: usize = 1_000_000;

/// How many processes are started one after the other, and how many connections are made so; and how many bytes come
/// out of one of each. Two sizes show what grows.
const PROCESSES: [usize; 2] = [20, 200];
const CONNECTIONS: [usize; 2] = [100, 1_000];
const OUTPUT: [usize; 2] = [20_000_000, 200_000_000];
const FORWARDED: [usize; 2] = [100_000_000, 1_000_000_000];

/// Where the jobs run that have one size, however many objects there are.
const SIZE_OF_SINGLE_REQUESTS: usize = 5_000;

/// A section of BENCHMARKS.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Jobs,
    Controllers,
    Streams,
    Build,
}

impl Section {
    pub(super) const ALL: [Self; 4] = [Self::Jobs, Self::Controllers, Self::Streams, Self::Build];

    /// The name in BENCHMARKS.md, and of the files under `target/bench`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Controllers => "controllers",
            Self::Streams => "streams",
            Self::Build => "build",
        }
    }
}

/// Something that every client can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Job {
    /// The whole list of a namespace's pods, five times
    List,
    /// The same in pages of 500
    ListPaged,
    /// The same item by item, for clients that need not hold them all
    ListStreamed,
    /// The whole list once, uncompressed
    ListPlain,
    /// The same from a server at 20 milliseconds (there and back)
    #[value(name = "list-plain-20ms")]
    ListPlain20,
    /// The same from a server at 200 milliseconds
    #[value(name = "list-plain-200ms")]
    ListPlain200,
    /// A watch that begins with all the pods there are
    Watch,
    /// 2,000 reads of a pod, one after the other
    Get,
    /// 5,000 reads of a pod, 64 at once
    GetConcurrent,
    /// 500 times create, update, patch and delete of a ConfigMap of a kilobyte
    Write,
    /// An informer of a namespace's pods: until it has them, while 5,000 change, when it reads them anew, and looks at
    /// each
    Informer,
    /// A work queue: a million items through 8 workers
    Queue,
    /// The log of a container, a million lines
    Logs,
    /// Processes in a container that end at once, one after the other
    Exec,
    /// A process in a container that writes much
    ExecOutput,
    /// A process in a container that reads much
    ExecInput,
    /// Connections to a port of a pod that bring a line, one after the other
    PortForward,
    /// A connection to a port of a pod that brings much
    PortForwardOutput,
    /// How long a small operator takes to build, and how large it is; takes minutes
    Build,
}

impl Job {
    /// Those that need an API server, which is all that are run unless some are chosen.
    pub(super) const ON_A_SERVER: [Self; 18] = [
        Self::List,
        Self::ListPaged,
        Self::ListStreamed,
        Self::ListPlain,
        Self::ListPlain20,
        Self::ListPlain200,
        Self::Watch,
        Self::Get,
        Self::GetConcurrent,
        Self::Write,
        Self::Informer,
        Self::Queue,
        Self::Logs,
        Self::Exec,
        Self::ExecOutput,
        Self::ExecInput,
        Self::PortForward,
        Self::PortForwardOutput,
    ];

    /// The name on command lines.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::ListPaged => "list-paged",
            Self::ListStreamed => "list-streamed",
            Self::ListPlain => "list-plain",
            Self::ListPlain20 => "list-plain-20ms",
            Self::ListPlain200 => "list-plain-200ms",
            Self::Watch => "watch",
            Self::Get => "get",
            Self::GetConcurrent => "get-concurrent",
            Self::Write => "write",
            Self::Informer => "informer",
            Self::Queue => "queue",
            Self::Logs => "logs",
            Self::Exec => "exec",
            Self::ExecOutput => "exec-output",
            Self::ExecInput => "exec-input",
            Self::PortForward => "port-forward",
            Self::PortForwardOutput => "port-forward-output",
            Self::Build => "build",
        }
    }

    /// Where its results are told.
    pub(super) fn section(self) -> Section {
        match self {
            Self::Informer | Self::Queue => Section::Controllers,
            job if job.streams() => Section::Streams,
            Self::Build => Section::Build,
            _ => Section::Jobs,
        }
    }

    /// What a reader of the table should know.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::List => "The whole list of a namespace's pods, five times.",
            Self::ListPaged => "The same in pages of 500.",
            Self::ListStreamed => {
                "The same item by item, for programs that need not hold them all. kube and client-go have no list that \
                 streams; they read pages."
            }
            Self::ListPlain => "The whole list once, uncompressed: 20 MB of JSON, or 10 of protobuf, for 5,000 pods.",
            Self::ListPlain20 => "The same from a server at 20 ms, there and back.",
            Self::ListPlain200 => "The same from a server at 200 ms.",
            Self::Watch => "A watch from version 0 until each pod was told once.",
            Self::Get => "Reads of a pod, one after the other: as many as there are pods, 2,000 at most.",
            Self::GetConcurrent => "Reads of a pod, 64 at once: as many as there are pods, 5,000 at most.",
            Self::Write => "500 times create, update, merge-patch and delete of a ConfigMap of a kilobyte.",
            Self::Informer => {
                "An informer of a namespace's pods with one subscriber, which takes the key of each change: from the \
                 program's start until all pods are there; then changes of 5,000 of them; then everything once more, \
                 because the server has forgotten the version; then a look at each pod in memory. k8s-client keeps the \
                 bytes, and has decoded objects (whole) and five fields of each (projected) beside that; kube's \
                 reflector and client-go's shared informer keep decoded objects."
            }
            Self::Queue => "A million items through a work queue with 8 workers. kube has none to use by itself.",
            Self::Logs => {
                "The log of a container, line by line: a million lines, 94 MB, on a node of the control plane of the \
                 tests."
            }
            Self::Exec => "The program `true` in a container, one process after the other.",
            Self::ExecOutput => "A process in a container that writes so many bytes, which are counted as they come.",
            Self::ExecInput => "A process in a container that is sent so many bytes, and counts them.",
            Self::PortForward => {
                "Connections to a port of a pod, one after the other: a line goes, a hundred bytes come, the pod \
                 closes. k8s-client and kube have a connection to kube-apiserver for each of them. client-go has one \
                 for all, as kubectl does; **client-go-single** is client-go with one for each."
            }
            Self::PortForwardOutput => "A connection to a port of a pod on which so many bytes come.",
            Self::Build => "An operator on one API group, built from nothing.",
        }
    }

    /// What the programs are told to do.
    pub(super) fn task(self) -> &'static str {
        match self {
            Self::ListPlain20 | Self::ListPlain200 => Self::ListPlain.name(),
            job => job.name(),
        }
    }

    /// How long the way to the server and back is made.
    pub(super) fn round_trip(self) -> Duration {
        Duration::from_millis(match self {
            Self::ListPlain20 => 20,
            Self::ListPlain200 => 200,
            _ => 0,
        })
    }

    /// Whether it is about what travels to and from containers, on a node of the control plane of the tests.
    pub(super) fn streams(self) -> bool {
        matches!(
            self,
            Self::Logs | Self::Exec | Self::ExecOutput | Self::ExecInput | Self::PortForward | Self::PortForwardOutput
        )
    }

    /// What there is more or less of, if it matters how many there are.
    pub(super) fn counts(self) -> Option<&'static str> {
        match self {
            Self::Write | Self::Queue | Self::Logs | Self::Build => None,
            Self::Exec => Some("processes"),
            Self::PortForward => Some("connections"),
            Self::ExecOutput | Self::ExecInput | Self::PortForwardOutput => Some("bytes"),
            _ => Some("pods"),
        }
    }

    /// Whether allocations and bytes are counted: where requests and objects are what is measured.
    pub(super) fn is_counted(self) -> bool {
        !matches!(self, Self::Informer | Self::Queue) && !self.streams()
    }

    /// Those of the sizes that this job is done at.
    pub(super) fn sizes(self, chosen: &[usize]) -> Vec<usize> {
        match self {
            Self::List | Self::ListPaged | Self::ListStreamed | Self::Watch | Self::Informer => chosen.to_vec(),
            Self::ListPlain
            | Self::ListPlain20
            | Self::ListPlain200
            | Self::Get
            | Self::GetConcurrent
            | Self::Write
            | Self::Queue => {
                let fitting = chosen.iter().filter(|size| **size <= SIZE_OF_SINGLE_REQUESTS).max();
                fitting.or(chosen.iter().min()).copied().into_iter().collect()
            }
            Self::Logs => vec![LINES],
            Self::Exec => PROCESSES.to_vec(),
            Self::ExecOutput | Self::ExecInput => OUTPUT.to_vec(),
            Self::PortForward => CONNECTIONS.to_vec(),
            Self::PortForwardOutput => FORWARDED.to_vec(),
            Self::Build => Vec::new(),
        }
    }

    /// What makes the objects of the job, if it has some.
    pub(super) fn seed(self) -> Option<&'static str> {
        match self {
            Self::Queue | Self::Build => None,
            Self::Logs => Some("seed-log"),
            job if job.streams() => Some("seed-server"),
            _ => Some("seed"),
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The namespace for a job of this size, with so many pods, or a pod with so many lines.
pub(super) fn namespace(size: usize) -> String {
    format!("bench-{size}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_requests_are_done_at_one_size() {
        assert_eq!(Job::Get.sizes(&SIZES), [5_000]);
        assert_eq!(Job::Write.sizes(&[1_000]), [1_000]);
        assert_eq!(Job::Get.sizes(&[50_000, 20_000]), [20_000]);
        assert_eq!(Job::List.sizes(&SIZES), SIZES);
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for job in Job::value_variants() {
            assert_eq!(job.to_possible_value().map(|value| value.get_name().to_owned()).as_deref(), Some(job.name()));
        }
    }
}
