//! One run of a program, from its start to the line in which it tells that it is done.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::proc;
use crate::Result;

/// How long a program with several parts is left alone before it is asked how much memory it has.
const SETTLED: Duration = Duration::from_secs(1);

/// What a run took.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// Seconds of user and system time, to the hundredth.
    pub(super) cpu: f64,
    /// Seconds from the program's start to its answer.
    pub(super) wall: f64,
    /// Bytes.
    pub(super) peak_memory: f64,
    /// Bytes a moment later.
    pub(super) memory: f64,
    /// What the program tells: `items`, and `allocations` and `allocated_bytes` if it counts them.
    pub(super) report: Value,
}

/// Runs the program and reads, while it waits for the end of its standard input, what it has used.
pub(super) fn run(program: &mut Command) -> Result<Measured> {
    let mut parts = run_in_parts(program, 1, |_| Ok(()))?;
    parts.pop().ok_or_else(|| "a program has one part at least".into())
}

/// Runs a program whose job has several parts, and reads after each what that part has used. `between` is called when
/// the program goes on to another part, and has it happen what that part is about.
pub(super) fn run_in_parts(
    program: &mut Command,
    parts: usize,
    mut between: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<Measured>> {
    let name = format!("{program:?}");
    let mut started = Instant::now();
    let child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut running = Running(child.map_err(|error| format!("{name}: cannot be started: {error}"))?);
    let process = running.0.id();
    let (mut measured, mut cpu_before) = (Vec::new(), 0.0);
    for part in 1..=parts {
        let answer = running.line()?;
        let wall = started.elapsed().as_secs_f64();
        if answer.is_empty() {
            let status = running.0.wait()?;
            return Err(format!("{name}: ended without an answer ({status}), see above").into());
        }
        let (cpu, peak_memory) = (proc::cpu_seconds(process)?, proc::peak_memory(process)?);
        if parts > 1 {
            thread::sleep(SETTLED);
        }
        let memory = proc::memory(process)?;
        let report = serde_json::from_str(&answer).map_err(|error| format!("{name}: {answer:?}: {error}"))?;
        measured.push(Measured { cpu: cpu - cpu_before, wall, peak_memory, memory, report });
        if part < parts {
            proc::forget_peak(process)?;
            cpu_before = proc::cpu_seconds(process)?;
            started = Instant::now();
            running.go_on()?;
            between(part)?;
        }
    }

    drop(running.0.stdin.take());
    let status = running.0.wait()?;
    if !status.success() {
        return Err(format!("{name}: {status}").into());
    }
    Ok(measured)
}

/// A program that ends with its owner, whatever goes wrong.
struct Running(Child);

impl Running {
    fn go_on(&mut self) -> Result<()> {
        if let Some(input) = self.0.stdin.as_mut() {
            input.write_all(b"\n")?;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if let Some(output) = self.0.stdout.as_mut() {
            BufReader::new(output).read_line(&mut line)?;
        }
        Ok(line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended and been waited for, which is the usual case.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Measured> {
        run(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn program_is_measured_while_it_waits() -> Result<()> {
        let measured = shell(r#"echo '{"items": 3}'; read -r _; exit 0"#)?;
        assert_eq!(measured.report["items"], 3);
        assert!(measured.wall > 0.0 && measured.peak_memory > 0.0, "{measured:?}");
        Ok(())
    }

    #[test]
    fn parts_are_measured_one_after_the_other() -> Result<()> {
        let script = r#"echo '{"items": 1}'; read -r _; echo '{"items": 2}'; read -r _; exit 0"#;
        let mut between = Vec::new();
        let parts = run_in_parts(Command::new("sh").args(["-c", script]), 2, |part| {
            between.push(part);
            Ok(())
        })?;
        let items: Vec<_> = parts.iter().map(|part| part.report["items"].as_u64()).collect();
        assert_eq!((items, between), (vec![Some(1), Some(2)], vec![1]));
        assert!(parts.iter().all(|part| part.memory > 0.0 && part.peak_memory > 0.0 && part.cpu >= 0.0));
        Ok(())
    }

    #[test]
    fn program_that_fails_is_named() {
        let error = |script| shell(script).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error("exit 3").contains("without an answer (exit status: 3)"), "{}", error("exit 3"));
        assert!(error("echo '{}'; read -r _; exit 4").contains("exit status: 4"));
        assert!(error("echo words; read -r _; exit 0").contains("words"));
    }
}
