//! `cargo xtask quickstart`: from a fresh clone to a deployment that came and went on a real API server.

use std::{path::PathBuf, process::Command as Process};

use clap::Args;
use k8s_client_test_harness::ControlPlane;

use crate::{Result, process, regenerate};

/// Shows the whole: generated code is current, a control plane comes up, client-go's deployment example runs on it
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// A cluster that runs already, instead of building and starting a control plane
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Waits for the Return key before each step of the example
    #[arg(long)]
    interactive: bool,
}

/// client-go's deployment example.
const EXAMPLE: &str = "create-update-delete-deployment";

/// Shows what the deletion of the deployment takes with it.
const CASCADE: &str = "wait-for-deletion";

pub(crate) fn run(command: &Command) -> Result<()> {
    process::heading("1. The generated crates are what the specs say");
    regenerate::run(&regenerate::Command { check: true })?;

    // Both at once and beforehand, so that the second sees the first's objects go.
    process::run(process::cargo().args(["build", "--package", EXAMPLE, "--package", CASCADE]))?;

    process::heading("2. A control plane: etcd, kube-apiserver and kube-controller-manager");
    let plane = match &command.kubeconfig {
        Some(kubeconfig) => ControlPlane::existing(kubeconfig),
        None => ControlPlane::start()?,
    };
    println!("ready; kubeconfig: {}", plane.kubeconfig().display());

    process::heading(&format!("3. examples/{EXAMPLE}"));
    let mut example = cargo_run(EXAMPLE, &plane);
    if !command.interactive {
        example.arg("--yes");
    }
    process::run(&mut example)?;

    process::heading("4. Its ReplicaSet and pods went with it");
    if plane.has_controllers() {
        process::run(&mut cargo_run(CASCADE, &plane))?;
    } else {
        println!("not shown: no kube-controller-manager runs here, and it is what deletes them");
    }

    println!("\nAll done. Next: examples/one-group-operator, and `cargo doc --open -p k8s-client`.");
    plane.stop()?;
    Ok(())
}

fn cargo_run(package: &str, plane: &ControlPlane) -> Process {
    let mut cargo = process::cargo();
    cargo.args(["run", "--quiet", "--package", package, "--", "--kubeconfig"]).arg(plane.kubeconfig());
    cargo
}
