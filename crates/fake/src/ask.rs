//! Programs of `tests/control-plane`, which answer a line for each line that they are sent.

use std::{
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;

/// What a program answers.
pub(crate) fn ask(program: &Path, questions: Vec<Value>) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = BufWriter::new(child.stdin.take().ok_or("no standard input")?);
    let count = questions.len();
    let writer = thread::spawn(move || questions.iter().try_for_each(|question| writeln!(input, "{question}")));
    let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let answers = output
        .lines()
        .take(count)
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<Result<Vec<Value>, Box<dyn std::error::Error>>>();
    writer.join().map_err(|_| "the writer panicked")??;
    child.wait()?;
    answers
}
