//! What discovery says of resources beyond their paths: singular and short names, categories, and the order of groups.
//!
//! Upstream publishes it beside the `OpenAPI` documents, as the answers of a server. Stored is what those documents do
//! not say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{json, node::Node};
use crate::Error;

/// The file's name in a version's folder.
pub(super) const FILE: &str = "discovery.json";

/// What discovery adds to the paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The groups but for the core group in the order in which a server lists them, each with its versions, the
    /// preferred one first.
    pub groups: Vec<(String, Vec<String>)>,
    /// The names of resources, by `apiVersion` and plural.
    pub names: BTreeMap<String, BTreeMap<String, ResourceNames>>,
}

/// How else a resource is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceNames {
    /// `deployment`
    pub singular: String,
    /// `deploy`
    pub short_names: Vec<String>,
    /// Groups of resources that kubectl knows by one word: `all`.
    pub categories: Vec<String>,
}

impl Discovery {
    /// Takes in what a server answers on `/apis` in its aggregated form, and on `/api/v1`.
    ///
    /// # Errors
    ///
    /// When a document has another form. The message names the place.
    pub fn take_in(aggregated: &str, core: &str) -> Result<Self, Error> {
        let parse = |file: &str, text: &str| {
            serde_json::from_str::<Value>(text).map_err(|error| Error::file(file, format!("not JSON: {error}")))
        };
        let (aggregated, core) = (parse("/apis", aggregated)?, parse("/api/v1", core)?);
        let mut discovery = Self::default();
        let mut of_core = BTreeMap::new();
        for resource in Node::root("/api/v1", &core).require("resources")?.items()? {
            let name = resource.require("name")?.string()?;
            // Subresources are called by their resource.
            if !name.contains('/') {
                of_core.insert(name.to_owned(), names(&resource, "singularName")?);
            }
        }
        discovery.names.insert("v1".to_owned(), of_core);
        for group in Node::root("/apis", &aggregated).require("items")?.items()? {
            let group_name = group.require("metadata")?.require("name")?.string()?;
            let mut versions = Vec::new();
            for version in group.require("versions")?.items()? {
                let name = version.require("version")?.string()?;
                let mut of_version = BTreeMap::new();
                for resource in version.require("resources")?.items()? {
                    let plural = resource.require("resource")?.string()?;
                    of_version.insert(plural.to_owned(), names(&resource, "singularResource")?);
                }
                discovery.names.insert(format!("{group_name}/{name}"), of_version);
                versions.push(name.to_owned());
            }
            discovery.groups.push((group_name.to_owned(), versions));
        }
        Ok(discovery)
    }

    /// The text to store.
    pub fn stored(&self) -> String {
        let groups: Vec<Value> =
            self.groups.iter().map(|(name, versions)| json!({"name": name, "versions": versions})).collect();
        let mut resources = serde_json::Map::new();
        for (api_version, of_version) in &self.names {
            let entry = |(plural, names): (&String, &ResourceNames)| {
                let mut entry = json!({"singular": names.singular});
                for (key, list) in [("shortNames", &names.short_names), ("categories", &names.categories)] {
                    if !list.is_empty() {
                        entry[key] = json!(list);
                    }
                }
                (plural.clone(), entry)
            };
            resources.insert(api_version.clone(), of_version.iter().map(entry).collect());
        }
        json::render(&json!({"groups": groups, "resources": resources}))
    }

    /// Reads the stored text.
    pub(super) fn load(root: &Node<'_>) -> Result<Self, Error> {
        let mut discovery = Self::default();
        for group in root.require("groups")?.items()? {
            discovery.groups.push((group.require("name")?.string()?.to_owned(), group.require("versions")?.strings()?));
        }
        for (api_version, resources) in root.require("resources")?.entries()? {
            let of_version = discovery.names.entry(api_version.to_owned()).or_default();
            for (plural, resource) in resources.entries()? {
                of_version.insert(plural.to_owned(), names(&resource, "singular")?);
            }
        }
        Ok(discovery)
    }

    /// The names of a resource.
    pub fn names(&self, api_version: &str, plural: &str) -> Option<&ResourceNames> {
        self.names.get(api_version)?.get(plural)
    }
}

fn names(resource: &Node<'_>, singular: &str) -> Result<ResourceNames, Error> {
    let strings = |key: &str| resource.get(key).map(|list| list.strings()).transpose().map(Option::unwrap_or_default);
    Ok(ResourceNames {
        singular: resource.require(singular)?.string()?.to_owned(),
        short_names: strings("shortNames")?,
        categories: strings("categories")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_in_reads_back_as_stored() {
        let aggregated = r#"{"items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
            {"resource": "deployments", "singularResource": "deployment", "shortNames": ["deploy"],
             "categories": ["all"], "verbs": ["get"]}]}]}]}"#;
        let core = r#"{"resources": [{"name": "pods", "singularName": "pod", "shortNames": ["po"]},
            {"name": "pods/log", "singularName": ""}]}"#;
        let discovery = Discovery::take_in(aggregated, core).unwrap();
        assert_eq!(discovery.groups, [("apps".to_owned(), vec!["v1".to_owned()])]);
        assert_eq!(discovery.names("apps/v1", "deployments").unwrap().categories, ["all"]);
        assert_eq!(discovery.names("v1", "pods").unwrap().short_names, ["po"]);
        assert_eq!(discovery.names("v1", "pods/log"), None);
        let stored: Value = serde_json::from_str(&discovery.stored()).unwrap();
        assert_eq!(Discovery::load(&Node::root(FILE, &stored)), Ok(discovery));
    }

    #[test]
    fn errors_name_the_document_and_the_place() {
        let error = Discovery::take_in(r#"{"items": [{"metadata": {}}]}"#, r#"{"resources": []}"#).unwrap_err();
        assert_eq!(error.to_string(), "/apis: $.items[0].metadata: `name` is missing");
    }
}
