//! The table of how kinds differ: `kinds.toml`, beside this file.

use std::collections::BTreeSet;

use serde::Deserialize;

const TABLE: &str = include_str!("kinds.toml");
const FILE: &str = "codegen/src/emit/fake/kinds.toml";

/// The words that the fake server knows.
const WORDS: [&str; 11] = [
    "answers-object",
    "conditional",
    "created-by-update",
    "generation",
    "generation-of-annotations",
    "generation-of-creation",
    "graceful",
    "name-label",
    "name-path-segment",
    "orphans-dependents",
    "status-of-creator",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    is: String,
    resources: Vec<String>,
    reason: String,
}

/// What is said of each resource.
pub(super) struct Kinds(Vec<Kind>);

impl Kinds {
    /// Reads the table.
    pub(super) fn read() -> Result<Self, String> {
        let table: Table = toml::from_str(TABLE).map_err(|error| format!("{FILE}: {error}"))?;
        for kind in &table.kind {
            if !WORDS.contains(&kind.is.as_str()) {
                return Err(format!("{FILE}: nobody knows the word `{}`", kind.is));
            }
            if kind.reason.is_empty() {
                return Err(format!("{FILE}: an entry `{}` has no reason", kind.is));
            }
        }
        Ok(Self(table.kind))
    }

    /// The words for a resource, given as `deployments.apps`.
    pub(super) fn words(&self, group: &str, plural: &str) -> BTreeSet<&str> {
        let name = qualified(group, plural);
        let says = |kind: &&Kind| {
            kind.resources.iter().any(|entry| match entry.strip_prefix("*.") {
                Some(of_group) => of_group == group,
                None => *entry == name,
            })
        };
        self.0.iter().filter(says).map(|kind| kind.is.as_str()).collect()
    }

    /// Entries that say something of no resource of these, given as group and plural.
    #[cfg(test)]
    pub(super) fn unused(&self, resources: &BTreeSet<(String, String)>) -> Vec<String> {
        let is_used = |entry: &String| match entry.strip_prefix("*.") {
            Some(of_group) => resources.iter().any(|(group, _)| group == of_group),
            None => resources.iter().any(|(group, plural)| *entry == qualified(group, plural)),
        };
        let entries = self.0.iter().flat_map(|kind| &kind.resources);
        entries.filter(|entry| !is_used(entry)).map(|entry| format!("{FILE}: there is no resource {entry}")).collect()
    }
}

fn qualified(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_have_the_words_of_their_entries_and_of_their_groups() {
        let kinds = Kinds::read().unwrap();
        assert_eq!(Vec::from_iter(kinds.words("", "pods")), ["answers-object", "generation", "graceful"]);
        assert_eq!(Vec::from_iter(kinds.words("resource.k8s.io", "resourceclaims")), ["answers-object"]);
        assert!(kinds.words("", "configmaps").is_empty());
    }

    #[test]
    fn entries_without_a_resource_are_named() {
        let kinds = Kinds::read().unwrap();
        let unused = kinds.unused(&BTreeSet::from([(String::new(), "pods".to_owned())]));
        assert!(unused.iter().any(|problem| problem.ends_with("there is no resource services")), "{unused:?}");
        assert!(!unused.iter().any(|problem| problem.ends_with("there is no resource pods")), "{unused:?}");
    }
}
