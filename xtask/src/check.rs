//! `cargo xtask check`: what a contributor runs before a change is shown to others. Minutes, where `.ci/run` takes
//! longer.

use clap::Args;

use crate::{Result, process, regenerate, tidy};

/// Checks formatting, house rules, generated files, lints and the tests that need no control plane
#[derive(Debug, Args)]
pub(crate) struct Command {}

pub(crate) fn run(_: &Command) -> Result<()> {
    process::heading("Formatting");
    process::run(process::cargo().args(["fmt", "--all", "--check"]))?;
    process::heading("House rules");
    tidy::run(&tidy::Command {})?;
    process::heading("Generated files");
    regenerate::run(&regenerate::Command { check: true })?;
    process::heading("Lints, with the features that the workspace has by default");
    process::run(process::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ]))?;
    process::heading("Unit tests");
    // The tests of the integration package start a control plane; the generator's golden crates take minutes to
    // compile.
    let unit_tests =
        ["test", "--workspace", "--locked", "--lib", "--bins", "--exclude", "k8s-client-integration-tests"];
    process::run(process::cargo().args(unit_tests))?;
    println!(
        "\nAll well. `.ci/run` does the rest: other features and versions, docs, and all tests on a real control plane."
    );
    Ok(())
}
