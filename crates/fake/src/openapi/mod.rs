//! Documents of `OpenAPI` v3: an index of the groups' versions, and a document for each. And one of v2.
//!
//! They have what discovery clients and kubectl read: kinds, fields and their types, how lists merge, which operations
//! there are, and which of their parameters say that an operation can be tried or checked. The specs that all of this
//! comes from have no prose, so there is none here. Each document is made when it is asked for.

mod operations;
mod types;
mod v2;

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

/// The document of a path below `/openapi`, and its hash.
pub(crate) fn document(state: &State, path: &str) -> Result<(Value, String)> {
    let path = path.trim_end_matches('/');
    let Some(rest) = path.strip_prefix(ROOT) else {
        let is_v2 = path == "/openapi/v2";
        return if is_v2 { Ok((v2::document(state), hash(state, None))) } else { Err(Failure::unknown_path()) };
    };
    let of_group = |group, version| Ok((of_version(state, group, version)?, hash(state, Some(group))));
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        [""] => Ok((index(state), hash(state, None))),
        ["", "api", version] => of_group("", version),
        ["", "apis", group, version] => of_group(group, version),
        _ => Err(Failure::unknown_path()),
    }
}

fn index(state: &State) -> Value {
    let versions: BTreeSet<(&str, &str)> =
        state.resources().map(|resource| (resource.group.as_str(), resource.version.as_str())).collect();
    let entry = |(group, version): (&str, &str)| {
        let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
        let url = format!("{ROOT}/{path}?hash={}", hash(state, Some(group)));
        (path, json!({"serverRelativeURL": url}))
    };
    let paths: Map<String, Value> = versions.into_iter().map(entry).collect();
    json!({"paths": paths})
}

/// A text that changes when the documents of a group do, or those of any: clients keep documents for as long as it is
/// the same.
fn hash(state: &State, group: Option<&str>) -> String {
    let step = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    let fold = |hash: u128, text: &str| text.bytes().fold(hash, step);
    let seed = fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, state.model.version);
    let definitions = types::definitions(state, group);
    let hash = definitions.fold(seed, |hash, definition| fold(hash, &definition.value["spec"].to_string()));
    // As long as a real one, which some take as a sign.
    format!("{hash:032X}{:032X}", fold(hash, "again"))
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
