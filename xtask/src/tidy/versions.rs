//! Rules about the numbers of Kubernetes versions: nobody should have to look for them when a version comes or goes.

use std::path::Path;

use super::{Files, is_generated};
use crate::Result;

/// Files that speak of certain versions: records of what was, and inputs of tests.
const EXEMPT: [&str; 8] = [
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "api-specs/",
    "codegen/",
    "tests/bench/",
    "tests/control-plane/",
    "xtask/src/regenerate/",
    "xtask/src/tidy/versions.rs",
];

/// The features of versions are spelt in tables that `regenerate` owns; elsewhere a version is `latest` or `oldest`. No
/// line says from which version to which there is support.
pub(super) fn numbers(files: &Files, api_specs: &Path) -> Result<Vec<String>> {
    let stored = crate::versions::stored(api_specs)?;
    Ok(files
        .iter()
        .filter(|(path, _)| !is_generated(path) && !EXEMPT.iter().any(|exempt| path.starts_with(exempt)))
        .flat_map(|(path, text)| in_file(path, text, &stored))
        .collect())
}

fn in_file(path: &str, text: &str, stored: &[String]) -> Vec<String> {
    let features: Vec<String> = stored.iter().map(|folder| crate::versions::feature(folder)).collect();
    let ends = [stored.first(), stored.last()].map(|folder| folder.map_or("", |folder| folder.trim_start_matches('v')));
    let mut problems = Vec::new();
    let mut in_region = false;
    for (index, line) in text.lines().enumerate() {
        let begins = line.contains("regenerate: ");
        in_region = (in_region || begins) && !line.contains("regenerate: end");
        let is_comment = ["//", "# ", "<!--"].iter().any(|sign| line.trim_start().starts_with(sign));
        let named = features.iter().find(|feature| !is_comment && has_word(line, feature));
        let is_range =
            ends.iter().all(|end| has_word(line, end) || has_word(line, &format!("v{}", end.replace('.', "_"))));
        if in_region || begins {
            continue;
        }
        if let Some(feature) = named {
            problems.push(format!("{path}:{}: names `{feature}`; say `latest` or `oldest`", index + 1));
        } else if is_range && stored.len() > 1 {
            problems.push(format!("{path}:{}: names the range of versions, which changes with each", index + 1));
        }
    }
    problems
}

/// Whether a text has a word that no letter, digit or underscore continues.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let (before, after) = (text[..start].chars().next_back(), text[start + word.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_outside_of_regions_are_named() {
        let stored = ["v1.33", "v1.36", "v1.37"].map(str::to_owned);
        let found = |text: &str| in_file("a", text, &stored);
        assert_eq!(found("#[cfg(feature = \"v1_37\")]").len(), 1);
        assert_eq!(
            found("//! one of `v1_33` … `v1_37`"),
            ["a:1: names the range of versions, which changes with each"]
        );
        assert_eq!(found("# regenerate: x\nv1_33 = []\nv1_37 = []\n# regenerate: end\nv1_36 = []").len(), 1);
        for fine in [
            "k8s_if_ge_1_36 {",
            "/// Alpha in Kubernetes 1.37.",
            "v1_370",
            "//! `v1_37` is the latest",
            "a 1.33 and 1.371",
        ] {
            assert_eq!(found(fine), [""; 0], "{fine}");
        }
        assert_eq!(found("<!-- regenerate: v -->1.33 to 1.37<!-- regenerate: end -->"), [""; 0]);
    }
}
