//! Documents of `OpenAPI` v3: an index of the groups' versions, and a document for each.
//!
//! They have what discovery clients and kubectl read: kinds, fields and their types, how lists merge, which operations
//! there are, and which of their parameters say that an operation can be tried or checked. The specs that all of this
//! comes from have no prose and no enums, so there are none here. Each document is made when it is asked for.

mod operations;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    failure::{Failure, Result},
    model::Resource,
    state::State,
};

/// Where the documents are.
const ROOT: &str = "/openapi/v3";

/// A group, a version and a kind, as extensions name them.
type Kind<'a> = (&'a str, &'a str, &'a str);

fn kind((group, version, kind): Kind<'_>) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

/// The document of a path below `/openapi`.
pub(crate) fn document(state: &State, path: &str) -> Result<Value> {
    let Some(rest) = path.trim_end_matches('/').strip_prefix(ROOT) else {
        return Err(Failure::not_implemented("documents of OpenAPI v2"));
    };
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        [""] => Ok(index(state)),
        ["", "api", version] => of_version(state, "", version),
        ["", "apis", group, version] => of_version(state, group, version),
        _ => Err(Failure::unknown_path()),
    }
}

fn index(state: &State) -> Value {
    let versions: BTreeSet<(&str, &str)> =
        state.resources().map(|resource| (resource.group.as_str(), resource.version.as_str())).collect();
    let entry = |(group, version): (&str, &str)| {
        let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
        let url = format!("{ROOT}/{path}?hash={:016X}", fingerprint(state, group));
        (path, json!({"serverRelativeURL": url}))
    };
    let paths: Map<String, Value> = versions.into_iter().map(entry).collect();
    json!({"paths": paths})
}

/// A number that changes when the documents of a group do: clients keep documents for as long as it is the same.
fn fingerprint(state: &State, group: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let fold = |hash: u64, text: &str| text.bytes().fold(hash, step);
    let hash = fold(0xcbf2_9ce4_8422_2325, state.model.version);
    types::definitions(state, group).fold(hash, |hash, definition| fold(hash, &definition.value["spec"].to_string()))
}

fn of_version(state: &State, group: &str, version: &str) -> Result<Value> {
    let is_of = |resource: &&std::sync::Arc<Resource>| resource.group == group && resource.version == version;
    let resources: Vec<&Resource> = state.resources().filter(is_of).map(|resource| &**resource).collect();
    if resources.is_empty() {
        return Err(Failure::unknown_path());
    }
    let mut components = types::Components::new(state);
    let mut paths = BTreeMap::new();
    for resource in resources {
        operations::add(resource, &mut components, &mut paths);
    }
    Ok(json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": state.model.version},
        "paths": paths,
        "components": {"schemas": components.schemas()},
    }))
}
