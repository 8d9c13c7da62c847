//! `cargo xtask api-diff`: what differs between two versions of an API, and who that breaks.

mod side;

use std::process::ExitCode;

use clap::Args;
use k8s_client_codegen::{
    diff::{self, Api, Report},
    spec::Spec,
};
#[cfg(not(feature = "cluster"))]
use k8s_client_generate::report::CANNOT;
use k8s_client_generate::report::{self, Connection, Form};

use self::side::Side;
use crate::{Result, versions};

/// Says what differs between two versions of an API, and who that breaks
///
/// What can be compared: stored versions of Kubernetes (`1.36`); definitions of custom resources, as a file or a folder
/// (`crds.yaml`), or one version of them (`crds.yaml@v1beta1`); and what a server has (`cluster`, `cluster:CONTEXT`),
/// with either of them.
///
/// Exit codes: 0 if nothing of --fail-on was found, 1 if something was, 2 if the report could not be made.
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// The older side, such as 1.36
    old: Side,
    /// The newer side, such as 1.37; by default the server that --kubeconfig or --context names
    #[arg(required_unless_present_any = ["kubeconfig", "context"])]
    new: Option<Side>,
    /// Reports each stored version between the two by itself: what came and went again is seen only so
    #[arg(long)]
    steps: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) fn run(command: &Command) -> ExitCode {
    let new = command.new.clone().unwrap_or(Side::Other(report::Side::Cluster(None)));
    #[cfg(not(feature = "cluster"))]
    if command.old.is_server() || new.is_server() {
        return with_client();
    }
    command.form.end(reports(command, &new))
}

/// Lets this program, built with a client, do it; the exit code is that one's.
#[cfg(not(feature = "cluster"))]
fn with_client() -> ExitCode {
    match crate::process::with_client() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) if status.code() == Some(1) => ExitCode::from(1),
        Ok(_) => ExitCode::from(CANNOT),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(CANNOT)
        }
    }
}

fn reports(command: &Command, new: &Side) -> Result<Vec<Report>> {
    let old = command.old.clone();
    let sides = if command.steps { steps(&old, new)? } else { vec![old, new.clone()] };
    Ok(command.form.of_group(side::compare(&sides, &command.connection)?)?)
}

/// All stored versions from one to another, in the order of the way.
fn steps(old: &Side, new: &Side) -> Result<Vec<Side>> {
    let (Side::Version(old), Side::Version(new)) = (old, new) else {
        return Err(
            "--steps goes through the stored versions between two of them: give two such as 1.34 and 1.37".into()
        );
    };
    let stored = versions::stored(&crate::root().join("api-specs"))?;
    let (from, to) = (side::position(&stored, old)?, side::position(&stored, new)?);
    let side = |index: usize| Side::Version(stored[index].trim_start_matches('v').to_owned());
    Ok(if from <= to { (from..=to).map(side).collect() } else { (to..=from).rev().map(side).collect() })
}

/// Compares two versions of Kubernetes.
pub(crate) fn compare(old: &Spec, new: &Spec) -> Report {
    let api = |spec| Api::of_spec(&name(spec), spec);
    diff::compare(&api(old), &api(new))
}

fn name(spec: &Spec) -> String {
    format!("Kubernetes {}", spec.version())
}
