//! The Kubernetes versions that `api-specs` has.

use std::{fs, path::Path};

use crate::Result;

/// The folders of all stored versions, oldest first: `v1.33`.
pub(crate) fn stored(specs: &Path) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(specs).map_err(|error| format!("{}: {error}", specs.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // `spec update` writes a version beside the one that it replaces.
        versions.extend(number(&name).map(|number| (number, name)));
    }
    if versions.is_empty() {
        return Err("api-specs has no version; run `cargo xtask spec update`".into());
    }
    versions.sort();
    Ok(versions.into_iter().map(|(_, name)| name).collect())
}

fn number(name: &str) -> Option<(u32, u32)> {
    let (major, minor) = name.strip_prefix('v')?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The feature of a folder's version: `v1_33` of `v1.33`.
pub(crate) fn feature(folder: &str) -> String {
    folder.replace('.', "_")
}
