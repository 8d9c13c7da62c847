//! What a subscriber knows from the events that it was given.

use std::{collections::BTreeMap, sync::Arc};

use k8s_client_informer::Event;
use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;

/// The uids and versions of objects by their names.
pub type Known = BTreeMap<String, (String, String)>;

/// The value that [`Server::set`](crate::Server::set) gave an object.
pub fn value(config_map: &ConfigMap) -> &str {
    config_map.data.as_ref().and_then(|data| data.get("value")).map_or("", String::as_str)
}

/// What tells the states of objects from each other.
fn identity(object: &ConfigMap) -> (String, String) {
    (object.metadata.uid.clone().unwrap_or_default(), object.metadata.resource_version.clone().unwrap_or_default())
}

fn name(object: &ConfigMap) -> String {
    object.metadata.name.clone().expect("a name")
}

/// What a subscriber knows that was given these objects.
pub fn known<'a>(objects: impl IntoIterator<Item = &'a Arc<ConfigMap>>) -> Known {
    objects.into_iter().map(|object| (name(object), identity(object))).collect()
}

/// Takes in an event, which must follow from those before.
///
/// # Panics
///
/// When it does not.
pub fn told(known: &mut Known, event: &Event<ConfigMap>) {
    match event {
        Event::Added(new) => assert_eq!(known.insert(name(new), identity(new)), None),
        Event::Updated { old, new } => assert_eq!(known.insert(name(new), identity(new)), Some(identity(old))),
        Event::Deleted { last, .. } => {
            assert_eq!(known.remove(&name(last)).map(|(uid, _)| uid), last.metadata.uid);
        }
        Event::Synced => {}
    }
}
