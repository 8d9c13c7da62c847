//! `cargo xtask crd`: takes definitions of custom resources in, for tests.

use std::{fs, path::PathBuf};

use clap::Args;
use k8s_client_codegen::crd::facts;

use crate::Result;

/// Takes CustomResourceDefinitions into tests/custom-resources/definitions, without prose and rules about values
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// The Go module that the files are of, with its version, and its licence: "cert-manager@v1.21.2, Apache-2.0"
    source: String,
    /// Files of YAML or JSON
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let folder = crate::root().join("tests/custom-resources/definitions");
    let sources = folder.join("SOURCES");
    let known = if sources.exists() { fs::read_to_string(&sources)? } else { String::new() };
    let mut lines: Vec<String> = known.lines().map(str::to_owned).collect();
    for file in &command.files {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        for (name, text) in facts(&file.display().to_string(), &text)? {
            fs::write(folder.join(format!("{name}.json")), text)?;
            lines.retain(|line| line.split(':').next() != Some(&name));
            lines.push(format!("{name}: {}", command.source));
            println!("{name}");
        }
    }
    lines.sort();
    fs::write(sources, lines.join("\n") + "\n")?;
    Ok(())
}
