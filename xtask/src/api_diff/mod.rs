//! `cargo xtask api-diff`: what differs between two versions of an API, and who that breaks.

mod side;

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use k8s_client_codegen::{
    diff::{self, Api, Audience, Report, Stability},
    spec::Spec,
};

use self::side::{Loaded, Side};
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
    /// The form of the report
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// What concerns one API group only: its resources and types, and the types of others that its kinds have
    #[arg(long)]
    group: Option<String>,
    /// Ends with 1 if a change of a stable version concerns one of these; `wire,apply` is what most want
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHOM")]
    fail_on: Vec<Whom>,
    /// Lets changes of beta and alpha versions, and behind closed feature gates, count for --fail-on, too
    #[arg(long, requires = "fail_on")]
    unstable: bool,
    /// The kubeconfig of a server; by default $KUBECONFIG, then ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; by default the current one
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For pull requests and changelogs.
    Markdown,
    /// For programs.
    Json,
}

/// Whom a change concerns.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Whom {
    /// Requests or answers that worked do not work any more, or mean something else.
    Wire,
    /// Server-side apply: who owns what changes.
    Apply,
    /// Code in Rust does not compile any more.
    Rust,
    /// What is new and breaks nobody.
    Additive,
    /// What later versions will do.
    Schedule,
}

impl From<Whom> for Audience {
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::Wire => Self::Wire,
            Whom::Apply => Self::Apply,
            Whom::Rust => Self::Rust,
            Whom::Additive => Self::Additive,
            Whom::Schedule => Self::Schedule,
        }
    }
}

pub(crate) fn run(command: &Command) -> ExitCode {
    let (old, new) = (command.old.clone(), command.new.clone().unwrap_or(Side::Cluster(None)));
    #[cfg(not(feature = "cluster"))]
    if [&old, &new].into_iter().any(|side| matches!(side, Side::Cluster(_))) {
        return with_client();
    }
    match reports(command, &old, &new) {
        Ok(reports) => {
            print(command.format, &reports);
            if is_found(command, &reports) { ExitCode::from(1) } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(CANNOT)
        }
    }
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

/// The exit code where the report could not be made.
const CANNOT: u8 = 2;

fn print(format: Format, reports: &[Report]) {
    let each = |form: fn(&Report) -> String| reports.iter().map(form).collect::<Vec<_>>().join("\n");
    match format {
        Format::Text => print!("{}", each(diff::text)),
        Format::Markdown => print!("{}", each(diff::markdown)),
        Format::Json => print!("{}", diff::json(reports)),
    }
}

fn is_found(command: &Command, reports: &[Report]) -> bool {
    let audiences: BTreeSet<Audience> = command.fail_on.iter().map(|whom| (*whom).into()).collect();
    let least = if command.unstable { Stability::Alpha } else { Stability::Stable };
    reports.iter().any(|report| report.concerning(&audiences, least).next().is_some())
}

fn reports(command: &Command, old: &Side, new: &Side) -> Result<Vec<Report>> {
    let sides = if command.steps { steps(old, new)? } else { vec![old.clone(), new.clone()] };
    let server = side::Server { kubeconfig: command.kubeconfig.as_deref(), context: command.context.as_deref() };
    // Of a server, what the other side has is read.
    let of_definitions = sides.iter().any(|side| matches!(side, Side::Definitions { .. }));
    let loaded: Vec<Loaded> = sides.iter().map(|side| side.load(&server, of_definitions)).collect::<Result<_>>()?;
    let mut reports = Vec::new();
    for pair in loaded.windows(2) {
        let [old, new] = pair else { continue };
        reports.push(old.compare(new)?);
    }
    let Some(group) = &command.group else { return Ok(reports) };
    if !reports.iter().any(|report| report.has_group(group)) {
        let known: BTreeSet<&str> = reports.iter().flat_map(|report| &report.groups).map(String::as_str).collect();
        let known: Vec<&str> = known.into_iter().collect();
        return Err(format!("no API group is called {group}; there are {}", known.join(", ")).into());
    }
    Ok(reports.into_iter().map(|report| report.in_group(group)).collect())
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
