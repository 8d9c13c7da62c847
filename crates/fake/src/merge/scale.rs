//! Ownership of `spec.replicas` through the scale subresource.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    managers::{Managers, Owned},
    path::PathElement,
    set::FieldSet,
};

/// The version of Scale.
const SCALE: &str = "autoscaling/v1";

/// Where each version of a resource has its number of replicas; `None` for a version without the subresource.
pub(crate) type ReplicasPaths = BTreeMap<String, Option<Vec<PathElement>>>;

fn in_scale() -> [PathElement; 2] {
    [PathElement::field("spec"), PathElement::field("replicas")]
}

fn only(path: &[PathElement]) -> FieldSet {
    let mut set = FieldSet::default();
    set.insert(path);
    set
}

/// The managedFields of a Scale: those managers of the resource that own its number of replicas.
pub(crate) fn to_scale(managed_fields: Option<&Value>, paths: &ReplicasPaths) -> Result<Option<Value>, String> {
    let managers = Managers::decode(managed_fields)?;
    let of_scale = managers.0.into_iter().filter_map(|(manager, owned)| {
        let path = paths.get(&owned.api_version)?.as_ref()?;
        let fields = owned.fields.has(path).then(|| only(&in_scale()))?;
        Some((manager, Owned { fields, api_version: SCALE.to_owned(), time: owned.time }))
    });
    Ok(Managers(of_scale.collect()).encode())
}

/// The managedFields of the resource after a write to its Scale in `api_version`.
///
/// Managers of the Scale get no time, as on the server.
pub(crate) fn from_scale(
    managed_fields: Option<&Value>,
    of_scale: Option<&Value>,
    api_version: &str,
    paths: &ReplicasPaths,
) -> Result<Option<Value>, String> {
    let mut of_scale = Managers::decode(of_scale)?.0;
    let mut managers = BTreeMap::new();
    for (manager, mut owned) in Managers::decode(managed_fields)?.0 {
        let Some(path) = paths.get(&owned.api_version) else { continue };
        if let Some(path) = path.as_ref().filter(|path| owned.fields.has(path))
            && of_scale.remove(&manager).is_none()
        {
            owned.fields = owned.fields.difference(&only(path));
        }
        if !owned.fields.is_empty() {
            managers.insert(manager, owned);
        }
    }
    let path = paths.get(api_version).cloned().flatten().unwrap_or_default();
    for (manager, owned) in of_scale {
        if owned.fields.has(&in_scale()) {
            let owned = Owned { fields: only(&path), api_version: api_version.to_owned(), time: None };
            managers.insert(manager, owned);
        }
    }
    Ok(Managers(managers).encode())
}
