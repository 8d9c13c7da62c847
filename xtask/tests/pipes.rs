//! What becomes of output that nobody reads.
#![cfg(unix)]

use std::{
    error::Error,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

#[test]
fn a_reader_who_has_read_enough_ends_the_program_quietly() -> Result<(), Box<dyn Error>> {
    let mut coverage = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let mut running = coverage.arg("coverage").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let output = running.stdout.take().ok_or("it was asked for")?;
    BufReader::new(output).read_line(&mut String::new())?;
    let ended = running.wait_with_output()?;
    assert_eq!(ended.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    Ok(())
}
