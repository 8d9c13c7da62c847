//! The clients that are compared.

use std::fmt;

use clap::ValueEnum;

use super::job::Job;

/// A client, or a variant of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Peer {
    /// This project
    K8sClient,
    /// This project, leaving managedFields out
    K8sClientLean,
    /// This project, speaking JSON where it would speak protobuf
    K8sClientJson,
    /// kube-rs
    Kube,
    /// client-go, whose typed clients speak protobuf
    ClientGo,
    /// client-go, speaking JSON
    ClientGoJson,
}

impl Peer {
    /// Those that run unless some are chosen.
    pub(super) const ALL: [Self; 6] =
        [Self::K8sClient, Self::K8sClientLean, Self::K8sClientJson, Self::Kube, Self::ClientGo, Self::ClientGoJson];

    /// The name on command lines and in results.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::K8sClient => "k8s-client",
            Self::K8sClientLean => "k8s-client-lean",
            Self::K8sClientJson => "k8s-client-json",
            Self::Kube => "kube",
            Self::ClientGo => "client-go",
            Self::ClientGoJson => "client-go-json",
        }
    }

    /// The program that does this client's jobs.
    pub(super) fn program(self) -> Program {
        match self {
            Self::K8sClient | Self::K8sClientLean | Self::K8sClientJson => Program::K8sClient,
            Self::Kube => Program::Kube,
            Self::ClientGo | Self::ClientGoJson => Program::ClientGo,
        }
    }

    /// What the program is told beside its job.
    pub(super) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::K8sClientLean => &["--lean"],
            Self::K8sClientJson | Self::ClientGoJson => &["--json"],
            Self::K8sClient | Self::Kube | Self::ClientGo => &[],
        }
    }

    /// Whether it is another project's.
    pub(super) fn is_foreign(self) -> bool {
        self.program() != Program::K8sClient
    }

    /// Whether it does the job in a way of its own.
    pub(super) fn does(self, job: Job) -> bool {
        self != Self::K8sClientLean || matches!(job, Job::List | Job::ListPaged | Job::ListStreamed | Job::Watch)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A program under `tests/bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Program {
    K8sClient,
    Kube,
    ClientGo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for peer in Peer::value_variants() {
            assert_eq!(peer.to_possible_value().map(|value| value.get_name().to_owned()).as_deref(), Some(peer.name()));
        }
    }
}
