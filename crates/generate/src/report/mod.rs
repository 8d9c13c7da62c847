//! Reports of what differs between two sides, as `k8s-client-generate diff` and `cargo xtask api-diff` have them. Not
//! covered by semver.

mod side;

use std::{collections::BTreeSet, fmt, fs, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use k8s_client_codegen::diff::{self, Audience, Report, Stability};

pub use self::side::{Side, compare};

/// The exit code where a report could not be made.
pub const CANNOT: u8 = 2;

/// How reports are shown, and what ends with 1.
#[derive(Debug, Args)]
pub struct Form {
    /// The form of the report
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// What concerns one API group only: its resources and types, and the types of others that its kinds have
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Ends with 1 if a change of a stable version concerns one of these; `wire,apply` is what most want
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHOM")]
    pub fail_on: Vec<Whom>,
    /// Lets changes of beta and alpha versions, and behind closed feature gates, count for --fail-on, too
    #[arg(long, requires = "fail_on")]
    pub unstable: bool,
    /// A file with changes that do not count for --fail-on: a line each, as they are printed when they are found
    #[arg(long, value_name = "FILE", requires = "fail_on")]
    pub allow: Option<PathBuf>,
}

/// Which server is meant by `cluster`.
#[derive(Debug, Args)]
pub struct Connection {
    /// The kubeconfig of a server; by default $KUBECONFIG, then ~/.kube/config
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; by default the current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For pull requests and changelogs.
    Markdown,
    /// For programs.
    Json,
}

/// Whom a change concerns.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Whom {
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

impl Form {
    /// The reports as far as they concern the group that was asked for.
    ///
    /// # Errors
    ///
    /// When neither side of any has the group.
    pub fn of_group(&self, reports: Vec<Report>) -> Result<Vec<Report>, String> {
        let Some(group) = &self.group else { return Ok(reports) };
        if !reports.iter().any(|report| report.has_group(group)) {
            let known: BTreeSet<&str> = reports.iter().flat_map(|report| &report.groups).map(String::as_str).collect();
            let known: Vec<&str> = known.into_iter().collect();
            return Err(format!("no API group is called {group}; there are {}", known.join(", ")));
        }
        Ok(reports.into_iter().map(|report| report.in_group(group)).collect())
    }

    /// The text of reports.
    pub fn text(&self, reports: &[Report]) -> String {
        let each = |form: fn(&Report) -> String| reports.iter().map(form).collect::<Vec<_>>().join("\n");
        match self.format {
            Format::Text => each(diff::text),
            Format::Markdown => each(diff::markdown),
            Format::Json => diff::json(reports),
        }
    }

    /// Prints reports, or why there are none, and says how the program ends.
    pub fn end<E: fmt::Display>(&self, reports: Result<Vec<Report>, E>) -> ExitCode {
        let found = reports.map_err(|error| error.to_string()).and_then(|reports| {
            let allowed = self.allowed()?;
            print!("{}", self.text(&reports));
            Ok(self.found(&reports, &allowed))
        });
        match found {
            Ok(found) if found.is_empty() => ExitCode::SUCCESS,
            Ok(found) => {
                // Apart from the report, which may be for programs.
                for change in found {
                    eprintln!("found: {change}");
                }
                ExitCode::from(1)
            }
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::from(CANNOT)
            }
        }
    }

    /// The changes of `--fail-on`, but for those that are allowed. Says which of these there are no more, so that the
    /// list does not outlive its reasons.
    fn found(&self, reports: &[Report], allowed: &BTreeSet<String>) -> BTreeSet<String> {
        let audiences: BTreeSet<Audience> = self.fail_on.iter().map(|whom| (*whom).into()).collect();
        let least = if self.unstable { Stability::Alpha } else { Stability::Stable };
        let changes = reports.iter().flat_map(|report| report.concerning(&audiences, least));
        let changes: BTreeSet<String> = changes.map(ToString::to_string).collect();
        for change in allowed.difference(&changes) {
            eprintln!("allowed, but not found: {change}");
        }
        changes.difference(allowed).cloned().collect()
    }

    /// The lines of `--allow` but for comments.
    fn allowed(&self) -> Result<BTreeSet<String>, String> {
        let Some(path) = &self.allow else { return Ok(BTreeSet::new()) };
        let text = fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
        let lines = text.lines().map(|line| line.trim().trim_start_matches("found: "));
        Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
    }
}
