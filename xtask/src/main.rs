//! The developer's command line: `cargo xtask <command>`. One file a command; most of the work is done in `codegen`.

mod api_diff;
mod bench;
mod check;
mod control_plane;
mod coverage;
mod crd;
mod examples;
mod fake;
mod package;
mod process;
mod quickstart;
mod regenerate;
mod spec;
mod test;
mod tidy;
mod versions;

use std::{
    panic,
    path::{Path, PathBuf},
    process::{ExitCode, exit},
};

use clap::Parser;

/// What a command ends with: its errors are for people to read.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Developer commands of k8s-client", bin_name = "cargo xtask")]
enum Command {
    ApiDiff(api_diff::Command),
    Bench(bench::Command),
    Check(check::Command),
    ControlPlane(control_plane::Command),
    Coverage(coverage::Command),
    Crd(crd::Command),
    Package(package::Command),
    Quickstart(quickstart::Command),
    Regenerate(regenerate::Command),
    #[command(subcommand)]
    Spec(spec::Command),
    Test(test::Command),
    Tidy(tidy::Command),
}

fn main() -> ExitCode {
    end_quietly_when_nobody_reads();
    let result = match Command::parse() {
        Command::ApiDiff(command) => return api_diff::run(&command),
        Command::Bench(command) => bench::run(&command),
        Command::Check(command) => check::run(&command),
        Command::ControlPlane(command) => control_plane::run(&command),
        Command::Coverage(command) => coverage::run(&command),
        Command::Crd(command) => crd::run(&command),
        Command::Package(command) => package::run(&command),
        Command::Quickstart(command) => quickstart::run(&command),
        Command::Regenerate(command) => regenerate::run(&command),
        Command::Spec(command) => spec::run(&command),
        Command::Test(command) => test::run(&command),
        Command::Tidy(command) => tidy::run(&command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What shells say of a program that SIGPIPE ended.
const BROKEN_PIPE: i32 = 141;

/// Ends the program, as a signal ends others, where `println!` would panic because `head` has read enough.
fn end_quietly_when_nobody_reads() {
    let panic = panic::take_hook();
    panic::set_hook(Box::new(move |info| match info.payload().downcast_ref::<String>() {
        Some(message) if message.starts_with("failed printing to stdout: Broken pipe") => exit(BROKEN_PIPE),
        _ => panic(info),
    }));
}

/// The workspace's folder.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}
