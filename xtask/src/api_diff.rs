//! `cargo xtask api-diff`: what differs between two versions of Kubernetes, and who that breaks.

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use clap::{Args, ValueEnum};
use k8s_client_codegen::{
    diff::{self, Api, Audience, Report, Stability},
    spec::{self, Spec},
};

use crate::{Result, versions};

/// Says what differs between two versions of Kubernetes, and who that breaks.
///
/// Exit codes: 0 if nothing of --fail-on was found, 1 if something was, 2 if the report could not be made.
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// The older version, such as 1.36.
    old: String,
    /// The newer version, such as 1.37.
    new: String,
    /// Reports each stored version between the two by itself: what came and went again is seen only so.
    #[arg(long)]
    steps: bool,
    /// The form of the report.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// What concerns one API group only: its resources and types, and the types of others that its kinds have.
    #[arg(long)]
    group: Option<String>,
    /// Ends with 1 if a change of a stable version concerns one of these; `wire,apply` is what most want.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHOM")]
    fail_on: Vec<Whom>,
    /// Lets changes of beta and alpha versions count for --fail-on, too.
    #[arg(long, requires = "fail_on")]
    unstable: bool,
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
    match reports(command) {
        Ok(reports) => {
            print(command.format, &reports);
            if is_found(command, &reports) { ExitCode::from(1) } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

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

fn reports(command: &Command) -> Result<Vec<Report>> {
    let specs = crate::root().join("api-specs");
    let stored = versions::stored(&specs)?;
    let position = |version: &str| {
        let folder = format!("v{}", version.trim_start_matches('v'));
        let known = || stored.iter().map(|folder| folder.trim_start_matches('v')).collect::<Vec<_>>().join(", ");
        let found = stored.iter().position(|stored| *stored == folder);
        found.ok_or_else(|| format!("api-specs has no version {version}; it has {}", known()))
    };
    let (old, new) = (position(&command.old)?, position(&command.new)?);
    let ends = if command.steps { range(old, new) } else { vec![old, new] };
    let specs: Vec<Spec> = ends.iter().map(|&index| load(&specs.join(&stored[index]))).collect::<Result<_>>()?;
    let mut reports = Vec::new();
    for pair in specs.windows(2) {
        let [old, new] = pair else { continue };
        let report = compare(old, new);
        reports.push(match &command.group {
            Some(group) => report.in_group(group),
            None => report,
        });
    }
    Ok(reports)
}

/// All positions from one to another, in the order of the way.
fn range(from: usize, to: usize) -> Vec<usize> {
    if from <= to { (from..=to).collect() } else { (to..=from).rev().collect() }
}

fn load(folder: &Path) -> Result<Spec> {
    Ok(spec::load(&spec::read_dir(folder)?)?)
}

/// Compares two versions of Kubernetes.
pub(crate) fn compare(old: &Spec, new: &Spec) -> Report {
    diff::compare(&Api::of_spec(&name(old), old), &Api::of_spec(&name(new), new))
}

fn name(spec: &Spec) -> String {
    format!("Kubernetes {}", spec.version())
}
