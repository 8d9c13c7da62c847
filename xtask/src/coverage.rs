//! `cargo xtask coverage`: which operations of a version have a generated method, and why the others have none.

use std::{fs, path::Path};

use clap::Args;
use k8s_client_codegen::{
    coverage,
    spec::{self, Files},
};

use crate::Result;

/// Lists every operation of a Kubernetes version with the generated method that reaches it.
///
/// Fails if an operation has neither a method nor a reason for having none.
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// The Kubernetes version, such as 1.37; by default the newest that is stored.
    #[arg(long)]
    version: Option<String>,
    /// Prints the counts only.
    #[arg(long)]
    summary: bool,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let specs = crate::root().join("api-specs");
    let folder = match &command.version {
        Some(version) => format!("v{}", version.trim_start_matches('v')),
        None => newest(&specs)?,
    };
    let spec = spec::load(&spec::read_dir(&specs.join(folder))?)?;
    let report = coverage::check(&spec, &sources(&crate::root().join("crates/api"))?)?;
    if command.summary {
        println!("{}", report.counts());
    } else {
        print!("{report}");
    }
    if report.is_complete() { Ok(()) } else { Err("the generated methods and the spec do not agree, see above".into()) }
}

/// Finds the folder `v1.NN` with the greatest number.
fn newest(specs: &Path) -> Result<String> {
    let number = |name: &str| {
        let (major, minor) = name.strip_prefix('v')?.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    let mut versions = Vec::new();
    for entry in fs::read_dir(specs).map_err(|error| format!("{}: {error}", specs.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        versions.extend(number(&name).map(|number| (number, name)));
    }
    let (_, name) =
        versions.into_iter().max().ok_or("api-specs has no version; run `cargo xtask spec update 1.37.2`")?;
    Ok(name)
}

/// Reads the `src` folders of the group crates, if there are any yet.
fn sources(crates: &Path) -> Result<Files> {
    let mut sources = Files::new();
    if !crates.exists() {
        return Ok(sources);
    }
    for entry in fs::read_dir(crates)? {
        let path = entry?.path().join("src");
        if !path.is_dir() {
            continue;
        }
        let group = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        for (name, text) in spec::read_dir(&path)? {
            sources.insert(format!("{group}/src/{name}"), text);
        }
    }
    Ok(sources)
}
