//! Running other programs, and telling what is going on.

use std::{
    env,
    io::{IsTerminal as _, stdout},
    process::Command,
};

use serde_json::Value;

use crate::Result;

/// The cargo that runs this program, in the workspace's folder.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::root());
    cargo
}

/// What cargo says of all packages, those of others included.
pub(crate) fn metadata() -> Result<Value> {
    let output = cargo().args(["metadata", "--locked", "--format-version", "1"]).output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs a program to its end; any other exit code than 0 is an error that shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ");
    let status = command.status().map_err(|error| format!("{line}: cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}").into()) }
}

/// Builds this program again with a client of Kubernetes in it, and lets that one do what was asked for, where it was.
#[cfg(not(feature = "cluster"))]
pub(crate) fn with_client() -> Result<std::process::ExitStatus> {
    let mut cargo = cargo();
    cargo.args(["run", "--quiet", "--package", "xtask", "--features", "cluster", "--manifest-path"]);
    cargo.arg(crate::root().join("Cargo.toml")).arg("--").args(env::args_os().skip(1)).current_dir(env::current_dir()?);
    cargo.status().map_err(|error| format!("cargo cannot be started: {error}").into())
}

/// A line that stands out.
pub(crate) fn heading(text: &str) {
    if stdout().is_terminal() {
        println!("\n\x1b[1m{text}\x1b[0m");
    } else {
        println!("\n=== {text}");
    }
}
