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
    /// This project, keeping decoded objects in memory
    K8sClientWhole,
    /// This project, keeping five fields of each object in memory
    K8sClientProjected,
    /// kube-rs
    Kube,
    /// client-go, whose typed clients speak protobuf
    ClientGo,
    /// client-go, speaking JSON
    ClientGoJson,
    /// client-go, with a connection to the server for each forwarded one
    ClientGoSingle,
}

impl Peer {
    /// Those that run unless some are chosen.
    pub(super) const ALL: [Self; 9] = [
        Self::K8sClient,
        Self::K8sClientLean,
        Self::K8sClientJson,
        Self::K8sClientWhole,
        Self::K8sClientProjected,
        Self::Kube,
        Self::ClientGo,
        Self::ClientGoJson,
        Self::ClientGoSingle,
    ];

    /// The name on command lines and in results.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::K8sClient => "k8s-client",
            Self::K8sClientLean => "k8s-client-lean",
            Self::K8sClientJson => "k8s-client-json",
            Self::K8sClientWhole => "k8s-client-whole",
            Self::K8sClientProjected => "k8s-client-projected",
            Self::Kube => "kube",
            Self::ClientGo => "client-go",
            Self::ClientGoJson => "client-go-json",
            Self::ClientGoSingle => "client-go-single",
        }
    }

    /// The program that does this client's jobs.
    pub(super) fn program(self) -> Program {
        match self {
            Self::K8sClient
            | Self::K8sClientLean
            | Self::K8sClientJson
            | Self::K8sClientWhole
            | Self::K8sClientProjected => Program::K8sClient,
            Self::Kube => Program::Kube,
            Self::ClientGo | Self::ClientGoJson | Self::ClientGoSingle => Program::ClientGo,
        }
    }

    /// What the program is told beside its job.
    pub(super) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::K8sClientLean => &["--lean"],
            Self::K8sClientWhole => &["--whole"],
            Self::K8sClientProjected => &["--projected"],
            Self::K8sClientJson | Self::ClientGoJson => &["--json"],
            Self::ClientGoSingle => &["--single"],
            Self::K8sClient | Self::Kube | Self::ClientGo => &[],
        }
    }

    /// Whether it is another project's.
    pub(super) fn is_foreign(self) -> bool {
        self.program() != Program::K8sClient
    }

    /// Whether it does the job in a way of its own.
    pub(super) fn does(self, job: Job) -> bool {
        match self {
            Self::K8sClient | Self::ClientGo => true,
            Self::Kube => job != Job::Queue,
            Self::K8sClientJson | Self::ClientGoJson => job != Job::Queue && !job.streams(),
            Self::K8sClientLean => matches!(job, Job::List | Job::ListPaged | Job::ListStreamed | Job::Watch),
            Self::K8sClientWhole | Self::K8sClientProjected => job == Job::Informer,
            Self::ClientGoSingle => job == Job::PortForward,
        }
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
