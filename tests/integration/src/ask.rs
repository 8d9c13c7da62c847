//! Questions to programs that know what Kubernetes makes of something.

use std::{
    fmt::Display,
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

use k8s_openapi::serde::de::DeserializeOwned;

use crate::TestResult;

/// Asks a program: a question a line, and an answer a line, in JSON.
pub fn ask<T: DeserializeOwned>(
    mut program: Command,
    questions: impl Iterator<Item = impl Display>,
) -> TestResult<Vec<T>> {
    let lines: Vec<String> = questions.map(|question| question.to_string()).collect();
    let lines = lines.join("\n");
    let mut running = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = running.stdin.take().ok_or("it has no standard input")?;
    // It answers before it has read everything.
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = running.wait_with_output()?;
    writer.join().map_err(|_| "the writer panicked")??;
    if !output.status.success() {
        return Err(format!("{program:?}: {}", output.status).into());
    }
    String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
