//! `k8s-client-generate`: typed clients of custom resources from the command line.

mod cluster;

use std::{
    io::{self, Read as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use k8s_client_generate::{Difference, Generator};

/// What a run ends with: its errors are for people to read.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Makes typed clients, types and apply configurations of CustomResourceDefinitions
#[derive(Debug, Parser)]
#[command(version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Command {
    /// Files and folders with definitions in YAML or JSON; `-` is standard input
    paths: Vec<PathBuf>,
    /// Takes the definitions of the cluster that the kubeconfig chooses
    #[arg(long)]
    cluster: bool,
    /// Takes the definitions of the cluster of this context
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The kubeconfig file, in place of $KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The folder that gets a folder for each API group
    #[arg(long, short, value_name = "FOLDER")]
    output: PathBuf,
    /// Takes the definitions of this API group alone; may be given more than once
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Makes modules in place of crates
    #[arg(long)]
    modules: bool,
    /// The name of the package, where there is one group
    #[arg(long, value_name = "NAME", conflicts_with = "modules")]
    package: Option<String>,
    /// Takes dependencies, version, edition and lints of the workspace
    #[arg(long, conflicts_with = "modules")]
    workspace: bool,
    /// Takes the descriptions of the schema into the docs of fields
    #[arg(long)]
    descriptions: bool,
    /// The folder of the names files, in place of those of the groups
    #[arg(long, value_name = "FOLDER")]
    names: Option<PathBuf>,
    /// Writes nothing; names each file that would change, and fails if there is one
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let command = Command::parse();
    match run(&command) {
        Ok(difference) if command.check && !difference.is_empty() => {
            eprint!("{difference}");
            eprintln!("error: {} files are not as generated; run the same without --check", difference.len());
            ExitCode::FAILURE
        }
        Ok(difference) => {
            eprintln!("{} files differed", difference.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command) -> Result<Difference> {
    let mut generator = Generator::new();
    let from_cluster = command.cluster || command.context.is_some() || command.kubeconfig.is_some();
    if from_cluster {
        let (server, definitions) = cluster::definitions(command.kubeconfig.as_deref(), command.context.as_deref())?;
        generator = generator.value(&server, definitions)?;
    } else if command.paths.is_empty() {
        return Err("nothing to read: name files or folders, `-` for standard input, or --cluster".into());
    }
    for path in &command.paths {
        generator = if path.as_os_str() == "-" {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(|error| format!("standard input: {error}"))?;
            generator.text("standard input", &text)?
        } else {
            generator.path(path)
        };
    }
    for group in &command.group {
        generator = generator.group(group);
    }
    if let Some(package) = &command.package {
        generator = generator.package(package);
    }
    if let Some(names) = &command.names {
        generator = generator.names(names);
    }
    if command.modules {
        generator = generator.modules();
    }
    if command.workspace {
        generator = generator.workspace_dependencies();
    }
    if command.descriptions {
        generator = generator.descriptions();
    }
    Ok(if command.check { generator.check(&command.output)? } else { generator.write(&command.output)? })
}
