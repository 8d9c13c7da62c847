//! `cargo xtask test`: the examples and every test there is, on one real control plane, and what the fake API server
//! can pass of them on that too.

use std::{path::PathBuf, process::Command as Process};

use clap::Args;
use k8s_client_test_harness::ControlPlane;

use crate::{Result, control_plane, examples, fake, process, versions};

/// Runs the examples and all tests on a real control plane, with the newest Kubernetes version's types and then with
/// the oldest's, and those that the fake API server is to pass on that
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// A cluster that runs already, instead of building and starting a control plane
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Leaves out the second run, with the oldest Kubernetes version's types
    #[arg(long)]
    newest_only: bool,
    /// Runs only those on the fake API server, without a control plane
    #[arg(long, conflicts_with_all = ["kubeconfig", "newest_only"])]
    fake: bool,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    if command.fake {
        return fake::test();
    }
    process::heading("The control plane");
    let plane = control_plane::given_or_started(command.kubeconfig.as_deref())?;

    // Before the tests, whose summary is the last thing to read.
    examples::run_all(&plane)?;

    process::heading("Tests with the newest Kubernetes version's types");
    process::run(cargo_test(&plane).arg("--workspace"))?;

    fake::test()?;

    if !command.newest_only {
        // The newest is what the workspace builds by default.
        let oldest = versions::feature(&versions::stored(&crate::root().join("api-specs"))?.remove(0));
        process::heading(&format!("Tests with the oldest Kubernetes version's types ({oldest})"));
        process::run(
            cargo_test(&plane)
                .args(["--package", "k8s-client-runtime"])
                .args(["--package", "k8s-client-api-*"])
                .args(["--package", "k8s-client-discovery", "--package", "k8s-client-dynamic"])
                .args(["--package", "k8s-client-events", "--package", "k8s-client-leader-election"])
                .args(["--package", "k8s-client-pods"])
                .args(["--package", "k8s-client-integration-tests"])
                .args([
                    "--tests",
                    "--no-default-features",
                    "--features",
                    &oldest,
                    "--features",
                    "oldest",
                    "--features",
                    "ring",
                    "--features",
                    "clients",
                ]),
        )?;
    }
    plane.stop()?;
    Ok(())
}

fn cargo_test(plane: &ControlPlane) -> Process {
    let mut cargo = process::cargo();
    cargo.arg("test").envs(plane.environment());
    cargo
}
