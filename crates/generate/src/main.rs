//! `k8s-client-generate`: typed clients of custom resources from the command line.

use std::{
    io::{self, Read as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use k8s_client_generate::{
    Difference, Error, Generator,
    cluster::Server,
    report::{self, Connection, Form, Side},
};

/// Makes typed clients, types and apply configurations of CustomResourceDefinitions
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Command {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    generate: Generate,
}

/// What else can be done with definitions.
#[derive(Debug, Subcommand)]
enum Other {
    Diff(Diff),
}

/// Says what differs between two versions of definitions, and who that breaks
///
/// What can be compared: definitions as a file or a folder (`crds.yaml`), one version of them (`crds.yaml@v1beta1`),
/// and those of a server (`cluster`, `cluster:CONTEXT`). Of a server, the resources that the other side defines are
/// compared.
///
/// Exit codes: 0 if nothing of --fail-on was found, 1 if something was, 2 if the report could not be made.
#[derive(Debug, Args)]
struct Diff {
    /// The older side
    old: Side,
    /// The newer side
    new: Side,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Generate {
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
    #[arg(long, short, value_name = "FOLDER", required = true)]
    output: Option<PathBuf>,
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
    if let Some(Other::Diff(diff)) = &command.other {
        let report = report::compare(&diff.old, &diff.new, &diff.connection).map_err(|error| error.to_string());
        return diff.form.end(report.and_then(|report| diff.form.of_group(vec![report])));
    }
    let command = command.generate;
    match run(&command) {
        Ok(difference) if command.check && !difference.is_empty() => {
            eprint!("{difference}");
            eprintln!("error: files that are not as generated: {}; run the same without --check", difference.len());
            ExitCode::FAILURE
        }
        Ok(difference) => {
            eprintln!("files that differed: {}", difference.len());
            ExitCode::SUCCESS
        }
        Err(errors) => {
            // Each definition that is wrong has a line.
            for error in errors.to_string().lines() {
                eprintln!("error: {error}");
            }
            ExitCode::from(report::CANNOT)
        }
    }
}

/// What messages call it.
const STANDARD_INPUT: &str = "standard input";

fn run(command: &Generate) -> Result<Difference, Error> {
    let mut generator = Generator::new();
    let from_cluster = command.cluster || command.context.is_some() || command.kubeconfig.is_some();
    if from_cluster {
        let server = Server::connect(command.kubeconfig.as_deref(), command.context.as_deref())?;
        generator = generator.value(server.name(), server.definitions()?);
    } else if command.paths.is_empty() {
        let message = "name files or folders, `-` for standard input, or --cluster";
        return Err(Error::file("nothing to read", message));
    }
    for path in &command.paths {
        generator = if path.as_os_str() == "-" {
            generator.text(STANDARD_INPUT, standard_input()?)
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
    // The command line has one.
    let output = command.output.clone().unwrap_or_default();
    if command.check { generator.check(&output) } else { generator.write(&output) }
}

fn standard_input() -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read = io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| Error::file(STANDARD_INPUT, format!("cannot be read: {error}")))?;
    k8s_client_generate::decoded(bytes).ok_or_else(|| Error::file(STANDARD_INPUT, "is not a text in UTF-8 or UTF-16"))
}
