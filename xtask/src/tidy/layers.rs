//! Rules about who may know whom: modules of the runtime, and crates.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Files, is_rust, packages};
use crate::Result;

const RUNTIME: &str = "crates/runtime/src/";

/// Everybody's: any module may import it, wherever it stands.
const EVERYBODYS: &str = "error";

/// The modules of the runtime stand in `lib.rs` in the order of a request. None may import one behind it.
pub(super) fn in_runtime(files: &Files) -> Result<Vec<String>> {
    let library = files.get("crates/runtime/src/lib.rs").ok_or("crates/runtime/src/lib.rs is missing")?;
    let order = modules(library);
    let rank = |module: &str| order.iter().position(|known| *known == module);
    let mut problems = Vec::new();
    for (path, text) in
        files.iter().filter(|(path, _)| is_rust(path) && !path.ends_with("/tests.rs") && !path.contains("/tests/"))
    {
        let Some(module) = path.strip_prefix(RUNTIME).filter(|path| *path != "lib.rs") else { continue };
        let module = module.split('/').next().unwrap_or(module).trim_end_matches(".rs");
        let Some(own) = rank(module) else {
            problems.push(format!("{path}: {RUNTIME}lib.rs has no module `{module}`"));
            continue;
        };
        for imported in crate_imports(text) {
            if imported != EVERYBODYS && rank(&imported).is_some_and(|other| other > own) {
                problems.push(format!("{path}: `{module}` imports `{imported}`, which stands behind it"));
            }
        }
    }
    Ok(problems)
}

/// The modules that a library declares, in their order.
fn modules(library: &str) -> Vec<&str> {
    library
        .lines()
        .filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';'))
        .collect()
}

/// The modules that a file imports from its crate: `use crate::a::…` and `use crate::{a::…, b}`. Docs and tests may
/// name any.
fn crate_imports(text: &str) -> BTreeSet<String> {
    // A module of tests ends the file; a mere `mod tests;` may stand above all imports.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut imports = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut word = String::new();
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => word.clear(),
                    ':' if depth == 0 && !word.is_empty() => {
                        imports.insert(std::mem::take(&mut word));
                    }
                    character if depth == 0 && (character.is_alphanumeric() || character == '_') => {
                        word.push(character);
                    }
                    _ => {}
                }
            }
        } else {
            imports.insert(part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    imports
}

/// The layer of one of our crates: it may know those of lower layers. The groups know one another as well.
fn layer(package: &str) -> Option<u8> {
    Some(match package {
        "k8s-client-version-check" => 0,
        "k8s-client-version" => 1,
        "k8s-client-runtime" | "k8s-client-queue" => 2,
        "k8s-client-api-meta" => 3,
        "k8s-client-dynamic"
        | "k8s-client-discovery"
        | "k8s-client-events"
        | "k8s-client-fake"
        | "k8s-client-informer" => 4,
        "k8s-client-leader-election" | "k8s-client-controller" | "k8s-client-pods" => GROUPS + 1,
        "k8s-client" | "k8s-client-generate" => GROUPS + 2,
        name if name.starts_with("k8s-client-api-") => GROUPS,
        _ => return None,
    })
}

/// The layer of the groups.
const GROUPS: u8 = 5;

/// Tools that must work when no crate of ours does.
const ALONE: [&str; 2] = ["k8s-client-codegen", "k8s-client-test-harness"];

pub(super) fn between_crates(metadata: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages(metadata).into_iter().filter(|package| package.is_ours) {
        let own = layer(&package.name);
        if own.is_none() && package.is_library {
            problems.push(format!("{}: xtask/src/tidy/layers.rs does not know its layer", package.name));
        }
        for (dependency, kind) in &package.dependencies {
            let Some(below) = layer(dependency) else { continue };
            let allowed = match own {
                // References between groups form no circle: the generator sees to that.
                Some(own) => below < own || (below == GROUPS && own == GROUPS) || kind == "dev",
                None => !ALONE.contains(&package.name.as_str()),
            };
            if !allowed {
                problems.push(format!("{} depends on {dependency}, which is not below it", package.name));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_in_both_spellings() {
        let text = "use crate::rest::Request;\nuse crate::{\n    codec::{self, Codec},\n    error::Result,\n};\n\
                    // crate::resource is only spoken of\n#[cfg(test)]\nmod tests;\nfn f() -> crate::watch::X {}\n\
                    #[cfg(test)]\nmod tests {\nuse crate::late::X;";
        let expected = ["codec", "error", "rest", "watch"].map(str::to_owned);
        assert_eq!(crate_imports(text), BTreeSet::from(expected));
    }

    #[test]
    fn module_that_imports_one_behind_it_or_is_not_declared_is_named() {
        let library =
            "//! mod no;\nmod text;\npub mod rest;\n\npub mod resource;\npub mod error;\npub use rest::Request;\n";
        let files = [
            ("lib.rs", library),
            ("text.rs", "use crate::error::Error;"),
            ("rest/a.rs", "use crate::resource::Get;"),
            ("resource/a.rs", "use crate::rest::Request;"),
            ("lost/a.rs", ""),
        ];
        let files = files.map(|(path, text)| (format!("{RUNTIME}{path}"), text.to_owned())).into();
        assert_eq!(
            in_runtime(&files).unwrap(),
            [
                "crates/runtime/src/lost/a.rs: crates/runtime/src/lib.rs has no module `lost`",
                "crates/runtime/src/rest/a.rs: `rest` imports `resource`, which stands behind it",
            ]
        );
    }

    #[test]
    fn layers_between_crates_hold() {
        let package = |name: &str, dependency: &str| {
            serde_json::json!({
                "name": name, "source": null, "manifest_path": "/w/crates/x/Cargo.toml",
                "dependencies": [{"name": dependency, "kind": null}],
            })
        };
        let metadata = serde_json::json!({"packages": [
            package("k8s-client-runtime", "k8s-client-api-core"),
            package("k8s-client", "k8s-client-api-core"),
            package("k8s-client-api-apps", "k8s-client-api-core"),
            package("k8s-client-api-core", "k8s-client-api-meta"),
            package("k8s-client-api-meta", "k8s-client-api-core"),
            package("k8s-client-new", "serde"),
            {"name": "k8s-client-codegen", "source": null, "manifest_path": "/w/codegen/Cargo.toml",
             "dependencies": [{"name": "k8s-client-runtime", "kind": null}]},
        ]});
        assert_eq!(
            between_crates(&metadata),
            [
                "k8s-client-runtime depends on k8s-client-api-core, which is not below it",
                "k8s-client-api-meta depends on k8s-client-api-core, which is not below it",
                "k8s-client-new: xtask/src/tidy/layers.rs does not know its layer",
                "k8s-client-codegen depends on k8s-client-runtime, which is not below it",
            ]
        );
    }
}
