//! `cargo xtask coverage`: which operations of a version have a generated method, and why the others have none.

use std::{fs, path::Path};

use clap::Args;
use k8s_client_codegen::{
    coverage,
    spec::{self, Files},
};

use crate::{Result, versions};

/// Lists every operation of a Kubernetes version with the generated method that reaches it.
///
/// Fails if an operation has neither a method nor a reason for having none.
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// The Kubernetes version, such as 1.37; by default the newest that is stored.
    #[arg(long, conflicts_with = "all")]
    version: Option<String>,
    /// All stored versions, one after the other.
    #[arg(long)]
    all: bool,
    /// Prints the counts only.
    #[arg(long)]
    summary: bool,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let specs = crate::root().join("api-specs");
    let mut folders = versions::stored(&specs)?;
    match &command.version {
        Some(version) => folders = vec![format!("v{}", version.trim_start_matches('v'))],
        None if command.all => {}
        None => drop(folders.drain(..folders.len() - 1)),
    }
    let sources = sources(&crate::root().join("crates/api"))?;
    let mut is_complete = true;
    for folder in folders {
        let spec = spec::load(&spec::read_dir(&specs.join(folder))?)?;
        let report = coverage::check(&spec, &sources)?;
        is_complete &= report.is_complete();
        if command.summary {
            println!("{}", report.counts());
        } else {
            print!("{report}");
        }
    }
    if is_complete { Ok(()) } else { Err("the generated methods and the spec do not agree, see above".into()) }
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
