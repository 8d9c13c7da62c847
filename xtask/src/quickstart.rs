//! `cargo xtask quickstart`: from a fresh clone to a deployment that came and went on a real API server.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command as Process, Stdio},
};

use clap::Args;
use k8s_client_test_harness::ControlPlane;

use crate::{Result, control_plane, process, regenerate};

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

/// Shows what comes and goes with the deployment.
const WAIT: &str = "wait-for-objects";

pub(crate) fn run(command: &Command) -> Result<()> {
    process::heading("1. The generated crates are what the specs say");
    regenerate::run(&regenerate::Command { check: true })?;

    // Beforehand, so that nothing is compiled between the steps.
    process::run(process::cargo().args(["build", "--package", EXAMPLE, "--package", WAIT]))?;

    process::heading("2. A control plane: etcd, kube-apiserver and kube-controller-manager");
    let plane = control_plane::given_or_started(command.kubeconfig.as_deref())?;
    println!("ready; kubeconfig: {}", plane.kubeconfig().display());

    process::heading(&format!("3. examples/{EXAMPLE}"));
    let mut example = cargo_run(EXAMPLE, &plane);
    if command.interactive {
        process::run(&mut example)?;
    } else {
        run_step_by_step(&mut example, &plane)?;
    }

    process::heading("4. Its ReplicaSet and pods went with it");
    if plane.has_controllers() {
        process::run(cargo_run(WAIT, &plane).args(["--until", "gone"]))?;
    } else {
        println!("not shown: no kube-controller-manager runs here, and it is what makes and deletes them");
    }

    println!("\nAll done. Next: examples/one-group-operator, and `cargo doc --open -p k8s-client`.");
    plane.stop()?;
    Ok(())
}

/// Answers the example's prompts, the first once the controllers have made a ReplicaSet and pods of the deployment.
fn run_step_by_step(example: &mut Process, plane: &ControlPlane) -> Result<()> {
    let mut running = example.stdin(Stdio::piped()).spawn()?;
    if plane.has_controllers() {
        let made = process::run(cargo_run(WAIT, plane).args(["--until", "present"]));
        if made.is_err() {
            running.kill()?;
            running.wait()?;
            made?;
        }
    }
    if let Some(mut prompts) = running.stdin.take() {
        prompts.write_all(b"\n\n\n")?;
    }
    let status = running.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{EXAMPLE}: {status}").into()) }
}

fn cargo_run(package: &str, plane: &ControlPlane) -> Process {
    let mut cargo = process::cargo();
    cargo.args(["run", "--quiet", "--package", package, "--", "--kubeconfig"]).arg(plane.kubeconfig());
    cargo
}
