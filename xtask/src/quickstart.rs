//! `cargo xtask quickstart`: from a fresh clone to a deployment that came and went on a real API server, or on the fake
//! one.

use std::path::PathBuf;

use clap::Args;
use k8s_client_test_harness::ControlPlane;

use crate::{Result, control_plane, examples, fake, process, regenerate};

/// Shows the whole: generated code is current, a control plane comes up, client-go's deployment example runs on it
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// A cluster that runs already, instead of building and starting a control plane
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The fake API server, which needs no Go and does itself what controllers do, in place of a control plane
    #[arg(long, conflicts_with = "kubeconfig")]
    fake: bool,
    /// Waits for the Return key before each step of the example
    #[arg(long)]
    interactive: bool,
}

/// The namespace that the example works in.
const NAMESPACE: &str = "default";

pub(crate) fn run(command: &Command) -> Result<()> {
    process::heading("1. The generated crates are what the specs say");
    regenerate::run(&regenerate::Command { check: true })?;

    // Beforehand, so that nothing is compiled between the steps.
    if command.fake {
        examples::build(examples::ON_FAKE)?;
        process::heading("2. The fake API server, which does what controllers do");
        let server = fake::Server::start(fake::Controllers::All)?;
        return show(command, ControlPlane::existing(server.kubeconfig()));
    }
    examples::build(examples::OF_THE_DEPLOYMENT)?;
    process::heading("2. A control plane: etcd, kube-apiserver and kube-controller-manager");
    show(command, control_plane::given_or_started(command.kubeconfig.as_deref())?)
}

/// Shows the example on a server.
fn show(command: &Command, plane: ControlPlane) -> Result<()> {
    println!("ready; kubeconfig: {}", plane.kubeconfig().display());

    process::heading(&format!("3. examples/{}", examples::DEPLOYMENT));
    if command.interactive {
        process::run(examples::program(examples::DEPLOYMENT, &plane)?.args(["--namespace", NAMESPACE]))?;
    } else {
        examples::deployment_step_by_step(&plane, NAMESPACE)?;
    }

    process::heading("4. Its ReplicaSet and pods went with it");
    if plane.has_controllers() {
        examples::deployment_gone(&plane, NAMESPACE)?;
    } else {
        println!("not shown: no kube-controller-manager runs here, and it is what makes and deletes them");
    }

    println!("\nAll done. Next: examples/one-group-operator, and `cargo doc --open -p k8s-client`.");
    plane.stop()?;
    Ok(())
}
