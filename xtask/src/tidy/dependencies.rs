//! Rules about what packages depend on, and about their manifests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Files, Package, packages};
use crate::Result;

/// Licences that go with ours, by their names in SPDX.
const LICENCES: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Every dependency has its reason in the root manifest: a comment on its line, or above the lines that it stands
/// among.
pub(super) fn reasons(files: &Files, metadata: &Value) -> Result<Vec<String>> {
    let manifest = files.get("Cargo.toml").ok_or("Cargo.toml is missing")?;
    let reasons = reasons_of(manifest);
    let packages = packages(metadata);
    let ours: BTreeSet<_> = packages.iter().filter(|package| package.is_ours).map(|it| it.name.as_str()).collect();
    let named: BTreeSet<_> = packages
        .iter()
        .filter(|package| package.is_ours)
        .flat_map(|package| &package.dependencies)
        .map(|(name, _)| name.as_str())
        .filter(|name| !ours.contains(name))
        .collect();
    let without = named
        .iter()
        .filter(|name| !reasons.get(**name).is_some_and(|has_reason| *has_reason))
        .map(|name| format!("Cargo.toml: no comment among [workspace.dependencies] says why `{name}` is there"));
    let unused = reasons.keys().filter(|name| !named.contains(name.as_str()) && !ours.contains(name.as_str()));
    let unused = unused.map(|name| format!("Cargo.toml: nobody depends on `{name}`"));
    Ok(without.chain(unused).collect())
}

/// The entries of `[workspace.dependencies]`, and whether there is a reason for each.
fn reasons_of(manifest: &str) -> BTreeMap<String, bool> {
    let mut reasons = BTreeMap::new();
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let mut comment_above = false;
    for line in lines.take_while(|line| !line.starts_with('[')) {
        if line.starts_with('#') {
            comment_above = true;
        } else if line.is_empty() {
            comment_above = false;
        } else if let Some((name, value)) = line.split_once('=') {
            reasons.insert(name.trim().to_owned(), comment_above || value.contains('#'));
        }
    }
    reasons
}

/// Every dependency has a licence that goes with ours.
pub(super) fn licences(metadata: &Value) -> Vec<String> {
    let foreign = |package: &Package| {
        let licence = &package.licence;
        (!package.is_ours && !is_allowed(licence)).then(|| {
            format!("{}: its licence `{licence}` is not on the list of xtask/src/tidy/dependencies.rs", package.name)
        })
    };
    packages(metadata).iter().filter_map(foreign).collect()
}

/// Whether one can take a package by licences of the list: an expression of SPDX, or the old `MIT/Apache-2.0`.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // `AND` binds closer than `OR`. Without brackets, `A AND (B OR C)` is `A AND B OR C`, which asks for less than it
    // says only if all but C are needed; so every part that `AND` joins must have an allowed choice.
    let allowed = |licence: &str| {
        let licence = licence.split(" WITH ").next().unwrap_or(licence).trim();
        LICENCES.contains(&licence)
    };
    if expression.contains(" AND ") {
        expression.split(" AND ").all(|part| part.split(" OR ").any(allowed))
    } else {
        expression.split(" OR ").any(allowed)
    }
}

/// What the manifest of a published crate says of itself.
const OF_PUBLISHED: [&str; 5] = [
    "license.workspace = true",
    "repository.workspace = true",
    "homepage.workspace = true",
    "documentation = \"",
    "readme = \"README.md\"",
];

/// Every package takes the workspace's lints and edition. Published ones say where they come from, have a README, and
/// can be built by docs.rs; the others say that they are not.
pub(super) fn manifests(files: &Files) -> Vec<String> {
    let lacks = |path: &str, text: &str, what: &str| {
        (!text.contains(what)).then(|| format!("{path}: lacks `{}`", what.replace('\n', " ")))
    };
    files
        .iter()
        .filter(|(path, text)| {
            // A package of fuzz targets is a workspace of its own.
            let ours = !path.starts_with("codegen/tests/") && !text.contains("cargo-fuzz = true");
            ours && path.ends_with("/Cargo.toml") && text.contains("[package]")
        })
        .flat_map(|(path, text)| {
            let mut wanted = vec!["[lints]\nworkspace = true", "edition.workspace = true"];
            let is_published = path.starts_with("crates/") || *path == "codegen/Cargo.toml";
            wanted.extend(if is_published { &OF_PUBLISHED[..] } else { &["publish = false"] });
            wanted
                .extend(text.contains("\nlatest = [").then_some("[package.metadata.docs.rs]").filter(|_| is_published));
            let readme = path.replace("Cargo.toml", "README.md");
            let no_readme = (is_published && !files.contains_key(&readme)).then(|| format!("{readme}: is missing"));
            wanted.into_iter().filter_map(|what| lacks(path, text, what)).chain(no_readme).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_without_a_reason_or_a_user_are_named() {
        let manifest = "[workspace]\n[workspace.dependencies]\n# A heading.\n\nbare = \"1\"\nwith = \"1\" # Why.\n\n\
                        # Why both.\na = \"1\"\nb = { version = \"1\" }\n\nunused = \"1\" # Why.\n\n[profile.dev]\nc = 1\n";
        let dependencies =
            serde_json::json!([{"name": "bare"}, {"name": "with"}, {"name": "a"}, {"name": "b"}, {"name": "c"}]);
        let metadata = serde_json::json!({"packages": [
            {"name": "ours", "source": null, "dependencies": dependencies},
            {"name": "a", "source": "registry", "dependencies": [{"name": "theirs"}]},
        ]});
        let files = Files::from([("Cargo.toml".to_owned(), manifest.to_owned())]);
        assert_eq!(
            reasons(&files, &metadata).unwrap(),
            [
                "Cargo.toml: no comment among [workspace.dependencies] says why `bare` is there",
                "Cargo.toml: no comment among [workspace.dependencies] says why `c` is there",
                "Cargo.toml: nobody depends on `unused`",
            ]
        );
    }

    /// The packages that a package is built of, with features.
    fn built_of(package: &str, features: &str) -> BTreeSet<String> {
        let mut cargo = crate::process::cargo();
        cargo.args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--no-dedupe"]);
        let output = cargo.args(["--package", package, "--features", features]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    #[test]
    fn the_fake_server_is_built_of_what_the_runtime_is_built_of() {
        let runtime = built_of("k8s-client-runtime", "latest");
        let more_than_runtime = |features: &str| -> Vec<String> {
            built_of("k8s-client-fake", features).difference(&runtime).cloned().collect()
        };
        // What JSON patches need.
        let more = ["json-patch", "jsonptr", "k8s-client-fake", "thiserror", "thiserror-impl"];
        assert_eq!(more_than_runtime("latest"), more);
        // And the dates in a server's answers.
        assert_eq!(more_than_runtime("latest,listen"), [&["httpdate"][..], &more].concat());
    }

    #[test]
    fn licences_are_those_of_the_list() {
        for licence in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(is_allowed(licence), "{licence}");
        }
        for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND OpenSSL", "Proprietary"] {
            assert!(!is_allowed(licence), "{licence}");
        }
    }
}
