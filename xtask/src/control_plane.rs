//! `cargo xtask control-plane`: a control plane to try things on.

use std::{
    io::{self, Read as _},
    path::Path,
};

use clap::Args;
use k8s_client_test_harness::ControlPlane;

use crate::Result;

/// Starts a control plane and keeps it until Ctrl-C, or until its standard input ends
#[derive(Debug, Args)]
pub(crate) struct Command {}

pub(crate) fn run(_: &Command) -> Result<()> {
    let plane = ControlPlane::start()?;
    println!("export KUBECONFIG={}", plane.kubeconfig().display());
    if let Some(logs) = plane.logs() {
        println!("# logs: {}", logs.display());
        println!("# pods run if their spec.nodeName is websocket-node or spdy-node, as processes of this machine");
    }
    // Ctrl-C ends this program, and the harness sees to the rest.
    io::stdin().read_to_end(&mut Vec::new())?;
    plane.stop()?;
    Ok(())
}

/// The cluster that a command was given, or a control plane of our own.
pub(crate) fn given_or_started(kubeconfig: Option<&Path>) -> Result<ControlPlane> {
    Ok(match kubeconfig {
        Some(kubeconfig) => ControlPlane::existing(kubeconfig),
        None => ControlPlane::start()?,
    })
}
