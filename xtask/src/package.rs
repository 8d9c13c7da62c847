//! `cargo xtask package`: the published crates as users would get them.

use clap::Args;

use crate::{Result, process, versions};

/// Packs every published crate into target/package as `cargo publish` would, and builds what was packed
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// Builds nothing: the manifests and the lists of files are checked alone.
    #[arg(long)]
    no_verify: bool,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let metadata = process::metadata()?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A package of the workspace has no source; one that is not to be published has an empty list of registries.
    let is_published = |package: &&serde_json::Value| package["source"].is_null() && package["publish"].is_null();
    let names = packages.iter().filter(is_published).filter_map(|package| package["name"].as_str());
    let names: Vec<&str> = names.flat_map(|name| ["--package", name]).collect();
    let newest = versions::stored(&crate::root().join("api-specs"))?.pop().unwrap_or_default();
    process::run(
        process::cargo()
            .arg("package")
            .args(["--locked", "--allow-dirty", "--quiet"])
            .args(command.no_verify.then_some("--no-verify"))
            .args(names)
            // No crate chooses the Kubernetes version by itself, as an application does.
            .env("K8S_OPENAPI_ENABLED_VERSION", newest.trim_start_matches('v')),
    )?;
    println!("package: {} crates can be published", packages.iter().filter(is_published).count());
    Ok(())
}
