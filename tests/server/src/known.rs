//! What a subscriber knows by what it was told.

use std::{collections::BTreeMap, sync::Arc};

use k8s_client_informer::Event;
use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;

/// The uids and versions of objects by their names.
pub(crate) type Known = BTreeMap<String, (String, String)>;

pub(crate) fn value(config_map: &ConfigMap) -> &str {
    config_map.data.as_ref().and_then(|data| data.get("value")).map_or("", String::as_str)
}

/// What tells the states of objects from each other.
fn identity(object: &ConfigMap) -> (String, String) {
    (object.metadata.uid.clone().unwrap_or_default(), object.metadata.resource_version.clone().unwrap_or_default())
}

fn name(object: &ConfigMap) -> String {
    object.metadata.name.clone().expect("a name")
}

/// What a subscriber knows who was told of these.
pub(crate) fn known<'a>(objects: impl IntoIterator<Item = &'a Arc<ConfigMap>>) -> Known {
    objects.into_iter().map(|object| (name(object), identity(object))).collect()
}

/// An event that was told, which must follow from what was told before.
pub(crate) fn told(known: &mut Known, event: &Event<ConfigMap>) {
    match event {
        Event::Added(new) => assert_eq!(known.insert(name(new), identity(new)), None),
        Event::Updated { old, new } => assert_eq!(known.insert(name(new), identity(new)), Some(identity(old))),
        Event::Deleted { last, .. } => {
            assert_eq!(known.remove(&name(last)).map(|(uid, _)| uid), last.metadata.uid);
        }
        Event::Synced => {}
    }
}
