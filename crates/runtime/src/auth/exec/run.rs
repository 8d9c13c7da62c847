//! Running a plugin.

use std::{fmt::Arguments, io, process::Stdio, time::Duration};

use secrecy::ExposeSecret;
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
};

use super::error;
#[cfg(unix)]
use super::lookup::{Unusable, lookup};
use crate::{
    config::ExecConfig,
    error::{Error, Result},
    metrics::ExecPluginOutcome,
    text::{Keep, printable},
};

/// Tokens and certificates with their chains stay far below this.
const MAX_OUTPUT: u64 = 1 << 20;

/// Why a plugin gave no answer.
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) outcome: ExecPluginOutcome,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, outcome: ExecPluginOutcome::ClientError }
    }
}

/// What the plugin wrote to standard output. It is killed when nobody waits any more.
pub(super) async fn run(
    exec: &ExecConfig,
    info: &str,
    interactive: bool,
    time_limit: Option<Duration>,
) -> Result<Vec<u8>, Failure> {
    let failed = |what: Arguments<'_>| error(&exec.command, what);
    let child = command(exec, info, interactive)?.spawn().map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => not_found(exec),
        _ => failed(format_args!("cannot be run")).with_source(cause).into(),
    })?;
    let answering = answer_of(child, &exec.command);
    match time_limit {
        None => answering.await,
        Some(limit) => tokio::time::timeout(limit, answering).await.unwrap_or_else(|_| {
            Err(failed(format_args!("did not answer within {} s and was ended", limit.as_secs())).into())
        }),
    }
}

fn command(exec: &ExecConfig, info: &str, interactive: bool) -> Result<Command, Failure> {
    let mut command = program(exec)?;
    command
        .args(&exec.args)
        .envs(exec.env.iter().map(|(name, value)| (name, value.expose_secret())))
        .env("KUBERNETES_EXEC_INFO", info)
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    Ok(command)
}

/// The command of the plugin's program, found in this process's `$PATH` as in Go, whatever the plugin's own is.
#[cfg(unix)]
fn program(exec: &ExecConfig) -> Result<Command, Failure> {
    let path = std::env::var_os("PATH");
    let program = lookup(&exec.command, path.as_deref()).map_err(|unusable| match unusable {
        Unusable::NotFound => not_found(exec),
        Unusable::InWorkingDirectory => error(
            &exec.command,
            format_args!(
                "is found in the working directory, by an element of $PATH that is not absolute; anybody could have \
                 put it there; name it with its folder (./NAME), or make $PATH absolute"
            ),
        )
        .into(),
    })?;
    let mut command = Command::new(program);
    // Programs may do what the name says that they are called by.
    command.arg0(&exec.command);
    Ok(command)
}

/// The command of the plugin's program. The system does not look into the working directory.
#[cfg(not(unix))]
fn program(exec: &ExecConfig) -> Result<Command, Failure> {
    Ok(Command::new(&exec.command))
}

async fn answer_of(mut child: Child, command: &str) -> Result<Vec<u8>, Failure> {
    let failed = |what: Arguments<'_>| error(command, what);
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let reading = stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output).await;
        reading.map_err(|cause| failed(format_args!("could not be listened to")).with_source(cause))?;
    }
    if output.len() as u64 > MAX_OUTPUT {
        return Err(failed(format_args!("answered more than {MAX_OUTPUT} bytes")).into());
    }
    let status = child.wait().await.map_err(|cause| failed(format_args!("was lost")).with_source(cause))?;
    let error = match status.code() {
        Some(0) => return Ok(output),
        Some(code) => failed(format_args!("failed with exit code {code}")),
        None => failed(format_args!("was ended by a signal")),
    };
    Err(Failure { error, outcome: ExecPluginOutcome::ExecutionError { exit_code: status.code() } })
}

fn not_found(exec: &ExecConfig) -> Failure {
    let error = match exec.install_hint.as_deref().filter(|hint| !hint.trim().is_empty()) {
        Some(hint) => error(&exec.command, format_args!("not found; {}", printable(hint.trim(), Keep::Lines))),
        None => error(&exec.command, format_args!("not found; it must be installed and in $PATH")),
    };
    Failure { error, outcome: ExecPluginOutcome::NotFound }
}
