//! `cargo xtask tidy`: the house rules that a program can check.
//!
//! Each rule is one function that returns what breaks it; ARCHITECTURE.md says why the rules are as they are.

mod dependencies;
mod files;
mod layers;
mod prose;
mod versions;

use std::{collections::BTreeMap, fs};

use clap::Args;
use serde_json::Value;

use crate::{Result, process, root};

/// Checks the house rules: layers, generated headers, stray files, reasons and licences of dependencies
#[derive(Debug, Args)]
pub(crate) struct Command {}

/// Texts of files by their paths from the workspace's root.
type Files = BTreeMap<String, String>;

pub(crate) fn run(_: &Command) -> Result<()> {
    let files = tracked_files()?;
    let metadata = process::metadata()?;
    let problems: Vec<String> = [
        files::stray(&files),
        files::headers(&files),
        files::long(&files),
        files::crowded_folders(&files),
        files::module_files(&files),
        prose::wide_lines(&files),
        layers::in_runtime(&files)?,
        layers::between_crates(&metadata),
        dependencies::reasons(&files, &metadata)?,
        dependencies::licences(&metadata),
        dependencies::manifests(&files),
        versions::numbers(&files, &root().join("api-specs"))?,
    ]
    .concat();
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.len() {
        0 => {
            println!("tidy: {} files, no house rule broken", files.len());
            Ok(())
        }
        count => Err(format!("house rules broken: {count}").into()),
    }
}

/// Every file that git tracks or would track; files that are not text are left out.
fn tracked_files() -> Result<Files> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("git ls-files: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let names = String::from_utf8(output.stdout)?;
    let read = |name: &str| fs::read_to_string(root().join(name)).ok().map(|text| (name.to_owned(), text));
    Ok(names.split('\0').filter(|name| !name.is_empty()).filter_map(read).collect())
}

/// A package, as far as the rules need to know it.
struct Package {
    name: String,
    licence: String,
    /// Whether it is of this workspace.
    is_ours: bool,
    /// Whether it is one of `crates`, which users get.
    is_library: bool,
    /// Names and kinds (`dev`, `build` or nothing) of what it depends on.
    dependencies: Vec<(String, String)>,
}

fn packages(metadata: &Value) -> Vec<Package> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let package = |package: &Value| Package {
        name: text(package, "name"),
        licence: text(package, "license"),
        is_ours: package["source"].is_null(),
        is_library: text(package, "manifest_path").contains("/crates/"),
        dependencies: list(&package["dependencies"])
            .iter()
            .map(|dependency| (text(dependency, "name"), text(dependency, "kind")))
            .collect(),
    };
    list(&metadata["packages"]).iter().map(package).collect()
}

/// Whether a file is the generator's, by its path alone.
fn is_generated(path: &str) -> bool {
    // The generator's expected output is generated too.
    path.starts_with("crates/api/")
        || path.starts_with("codegen/tests/golden/expected/")
        || path.starts_with("codegen/tests/custom_resources/expected/")
        || path.starts_with("examples/custom-group/generated/")
        || path.starts_with("crates/fake/data/")
        || path == "crates/clientset/Cargo.toml"
        || path.ends_with("/generated.rs")
}

fn is_rust(path: &str) -> bool {
    path.strip_suffix(".rs").is_some()
}
