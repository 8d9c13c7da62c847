//! Where a configuration was found, and why there.

use std::{fmt, path::PathBuf};

use super::kubeconfig::describe_files;

/// Where a [`Config`](super::Config) was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigSource {
    /// It was made by the program.
    #[default]
    Program,
    /// It is a context of a kubeconfig.
    Kubeconfig(KubeconfigSource),
    /// It is the service account of the pod that the program runs in.
    InCluster,
}

/// What of a kubeconfig a [`Config`](super::Config) is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KubeconfigSource {
    /// Why these files were read.
    pub origin: KubeconfigOrigin,
    /// The files that were there and were read, in order of precedence. None if the text did not come from a file.
    pub files: Vec<PathBuf>,
    /// The name of the context. None where the program named the server or the cluster, and no context is current.
    pub context: Option<String>,
    /// The name of the cluster. None where the program named the server, and no cluster.
    pub cluster: Option<String>,
    /// The name of the user. Without one requests are anonymous, unless the program gave credentials.
    pub user: Option<String>,
}

/// Why the files of a kubeconfig were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KubeconfigOrigin {
    /// The program named the file.
    Explicit,
    /// The variable `KUBECONFIG` lists them.
    Variable,
    /// It is `~/.kube/config`, since nothing else was named.
    Home,
    /// There is no file; the program gave the text.
    Text,
}

impl fmt::Display for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("the program"),
            Self::InCluster => f.write_str("the pod's service account"),
            Self::Kubeconfig(KubeconfigSource { context: Some(context), files, .. }) => {
                write!(f, "context {context:?} of {}", describe_files(files))
            }
            Self::Kubeconfig(KubeconfigSource { files, .. }) => f.write_str(&describe_files(files)),
        }
    }
}
