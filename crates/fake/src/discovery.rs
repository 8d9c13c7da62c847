//! Discovery: what the server serves, in the forms that clients ask for.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    http::{Path, Representation},
    model::{Resource, Subresource},
    state::State,
};

/// A version of a group, and its resources.
type Version = (String, Vec<Arc<Resource>>);

/// The groups in their order, each with its versions and their resources.
fn groups(state: &State) -> Vec<(String, Vec<Version>)> {
    let of = |group: &str, version: &str| -> Vec<Arc<Resource>> {
        let is_of = |resource: &&Arc<Resource>| resource.group == group && resource.version == version;
        state.resources().filter(is_of).cloned().collect()
    };
    let mut groups: Vec<_> = state
        .model
        .groups
        .iter()
        .map(|(group, versions)| {
            let versions = versions.iter().map(|version| ((*version).to_owned(), of(group, version))).collect();
            ((*group).to_owned(), versions)
        })
        .collect();
    let mut custom: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (group, version, _) in state.custom.keys() {
        let versions = custom.entry(group).or_default();
        if !versions.contains(&version.as_str()) {
            versions.push(version);
        }
    }
    for (group, mut versions) in custom {
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        let versions: Vec<_> = versions.into_iter().map(|version| (version.to_owned(), of(group, version))).collect();
        groups.push((group.to_owned(), versions));
    }
    groups
}

/// Versions in Kubernetes' order: stable ones first, then betas and alphas, newest first among equals.
fn priority(version: &str) -> (u8, u32, u32) {
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    match (rest.split_once("alpha"), rest.split_once("beta")) {
        (Some((major, minor)), _) => (1, number(major), number(minor)),
        (_, Some((major, minor))) => (2, number(major), number(minor)),
        _ => (3, number(rest), 0),
    }
}

/// The document of a path of discovery.
pub(crate) fn document(state: &State, path: &Path, representation: Representation) -> Result<Value> {
    let is_aggregated = representation == Representation::Aggregated;
    match path {
        Path::CoreVersions if is_aggregated => {
            let core = vec![("v1".to_owned(), of_core(state))];
            Ok(aggregated(&[(String::new(), core)]))
        }
        Path::Groups if is_aggregated => Ok(aggregated(&groups(state))),
        Path::CoreVersions => Ok(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}],
        })),
        Path::Groups => {
            let groups: Vec<Value> = groups(state).iter().map(|(name, versions)| group(name, versions)).collect();
            Ok(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        Path::Group(name) => {
            let groups = groups(state);
            let (name, versions) = groups.iter().find(|(group, _)| group == name).ok_or_else(Failure::unknown_path)?;
            let mut document = group(name, versions);
            document["kind"] = "APIGroup".into();
            document["apiVersion"] = "v1".into();
            Ok(document)
        }
        Path::GroupVersion { group, version } => {
            let resources = if group.is_empty() && version == "v1" {
                of_core(state)
            } else {
                let groups = groups(state);
                let versions = groups.into_iter().find(|(name, _)| name == group).map(|(_, versions)| versions);
                let found = versions.into_iter().flatten().find(|(name, _)| name == version);
                found.map(|(_, resources)| resources).ok_or_else(Failure::unknown_path)?
            };
            let api_version = if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
            let resources: Vec<Value> = resources.iter().flat_map(|resource| plain(resource)).collect();
            Ok(json!({
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources,
            }))
        }
        Path::Resource(_) | Path::Other(_) => Err(Failure::unknown_path()),
    }
}

fn of_core(state: &State) -> Vec<Arc<Resource>> {
    state.model.resources.get("v1").into_iter().flat_map(BTreeMap::values).cloned().collect()
}

fn group(name: &str, versions: &[Version]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|(version, _)| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

/// A resource and its subresources as entries of a list.
fn plain(resource: &Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": resource.verbs,
    });
    for (key, list) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
        if !list.is_empty() {
            entry[key] = json!(list);
        }
    }
    let of_sub = |(name, subresource): (&String, &Subresource)| {
        let mut entry = json!({
            "name": format!("{}/{name}", resource.plural), "singularName": "", "namespaced": resource.namespaced,
            "kind": subresource.kind, "verbs": subresource.verbs,
        });
        if (&subresource.group, &subresource.version) != (&resource.group, &resource.version) {
            entry["group"] = json!(subresource.group);
            entry["version"] = json!(subresource.version);
        }
        entry
    };
    std::iter::once(entry).chain(resource.subresources.iter().map(of_sub)).collect()
}

fn aggregated(groups: &[(String, Vec<Version>)]) -> Value {
    let kind = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let resource = |resource: &Arc<Resource>| {
        let subresources: Vec<Value> = resource
            .subresources
            .iter()
            .map(|(name, subresource)| {
                json!({
                    "subresource": name, "verbs": subresource.verbs,
                    "responseKind": kind(&subresource.group, &subresource.version, &subresource.kind),
                })
            })
            .collect();
        let mut entry = json!({
            "resource": resource.plural, "singularResource": resource.singular, "verbs": resource.verbs,
            "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
            "responseKind": kind(&resource.group, &resource.version, &resource.kind),
        });
        for (key, list) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
            if !list.is_empty() {
                entry[key] = json!(list);
            }
        }
        if !subresources.is_empty() {
            entry["subresources"] = subresources.into();
        }
        entry
    };
    let items: Vec<Value> = groups
        .iter()
        .map(|(name, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|(version, resources)| {
                    let resources: Vec<Value> = resources.iter().map(resource).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

/// What `/version` says.
pub(crate) fn version(state: &State) -> Value {
    let minor = state.minor();
    json!({
        "major": "1", "minor": minor.to_string(), "emulationMajor": "1", "emulationMinor": minor.to_string(),
        "minCompatibilityMajor": "1", "minCompatibilityMinor": minor.saturating_sub(1).to_string(),
        "gitVersion": format!("v{}", state.model.version), "gitCommit": "", "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "fake",
    })
}
