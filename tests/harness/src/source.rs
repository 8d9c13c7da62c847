//! Where the control plane comes from.

use std::{env, ffi::OsString, path::PathBuf};

/// Names the kubeconfig of a cluster to test against, instead of starting one.
pub const KUBECONFIG_VARIABLE: &str = "K8S_CLIENT_TEST_KUBECONFIG";

/// With `false`, the cluster of [`KUBECONFIG_VARIABLE`] runs no controllers.
pub const CONTROLLERS_VARIABLE: &str = "K8S_CLIENT_TEST_CONTROLLERS";

/// Names the socket of the nodes of [`KUBECONFIG_VARIABLE`]'s cluster, see [`Nodes`](crate::Nodes).
pub const NODES_VARIABLE: &str = "K8S_CLIENT_TEST_NODES";

/// Names the folder of the programs to start, as it does for envtest.
pub const ASSETS_VARIABLE: &str = "KUBEBUILDER_ASSETS";

/// Where the control plane comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// It runs already; it is left running.
    Existing {
        /// How to reach it.
        kubeconfig: PathBuf,
        /// Whether controllers run in it.
        controllers: bool,
        /// Where faults of its nodes are asked for, if it has nodes of ours.
        nodes: Option<PathBuf>,
    },
    /// The programs in a folder, which are started.
    Assets(PathBuf),
    /// The programs that Go builds from `tests/control-plane`, which are started.
    Build,
}

impl Source {
    /// Reads the choice from the environment. An empty variable counts as none.
    pub fn from_env() -> Self {
        Self::choose(|name| env::var_os(name))
    }

    fn choose(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        if let Some(kubeconfig) = variable(KUBECONFIG_VARIABLE) {
            Self::Existing {
                kubeconfig: kubeconfig.into(),
                controllers: variable(CONTROLLERS_VARIABLE).is_none_or(|value| value != "false"),
                nodes: variable(NODES_VARIABLE).map(PathBuf::from),
            }
        } else if let Some(folder) = variable(ASSETS_VARIABLE) {
            Self::Assets(folder.into())
        } else {
            Self::Build
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_cluster_comes_before_assets_and_those_before_a_build() {
        let existing = |controllers| Source::Existing { kubeconfig: "config".into(), controllers, nodes: None };
        let with_nodes =
            Source::Existing { kubeconfig: "config".into(), controllers: true, nodes: Some("socket".into()) };
        let cases: [(&[(&str, &str)], Source); 7] = [
            (&[], Source::Build),
            (&[(ASSETS_VARIABLE, "")], Source::Build),
            (&[(ASSETS_VARIABLE, "bin")], Source::Assets("bin".into())),
            (&[(KUBECONFIG_VARIABLE, "config")], existing(true)),
            (&[(ASSETS_VARIABLE, "bin"), (KUBECONFIG_VARIABLE, "config")], existing(true)),
            (&[(KUBECONFIG_VARIABLE, "config"), (CONTROLLERS_VARIABLE, "false")], existing(false)),
            (&[(KUBECONFIG_VARIABLE, "config"), (NODES_VARIABLE, "socket")], with_nodes),
        ];
        for (environment, expected) in cases {
            let source = Source::choose(|name| {
                let (_, value) = environment.iter().find(|(known, _)| *known == name)?;
                Some(value.into())
            });
            assert_eq!(source, expected, "{environment:?}");
        }
    }
}
