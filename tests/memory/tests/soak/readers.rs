//! Who reads the changes of an informer, at a speed of their own.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_client_informer::{Event, Subscription};
use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::sleep;

pub(crate) fn value(config_map: &ConfigMap) -> &str {
    config_map.data.as_ref().and_then(|data| data.get("value")).map_or("", String::as_str)
}

/// What tells the states of objects from each other.
fn identity(object: &ConfigMap) -> (String, String) {
    (object.metadata.uid.clone().unwrap_or_default(), object.metadata.resource_version.clone().unwrap_or_default())
}

/// The uids and versions of objects by their names.
pub(crate) type Known = BTreeMap<String, (String, String)>;

/// What a reader of these objects knows in the end.
pub(crate) fn known<'a>(objects: impl IntoIterator<Item = &'a Arc<ConfigMap>>) -> Known {
    let of = |object: &Arc<ConfigMap>| (object.metadata.name.clone().expect("a name"), identity(object));
    objects.into_iter().map(of).collect()
}

/// Reads to the end, with pauses up to so long, and says what it knows then. Each change must follow from what was told
/// before.
pub(crate) async fn read_along(mut changes: Subscription<ConfigMap>, pause: Duration) -> Known {
    let mut known = Known::new();
    loop {
        sleep(pause.mul_f64(fastrand::f64())).await;
        // All that is there, and then a pause again.
        for _ in 0..changes.len().max(1) {
            let Some(event) = changes.next().await else { return known };
            let Some(object) = event.object() else { continue };
            let name = object.metadata.name.clone().expect("a name");
            match &event {
                Event::Added(new) => assert_eq!(known.insert(name, identity(new)), None),
                Event::Updated { old, new } => assert_eq!(known.insert(name, identity(new)), Some(identity(old))),
                Event::Deleted { last, .. } => assert_eq!(known.remove(&name).map(|(uid, _)| uid), last.metadata.uid),
                Event::Synced => {}
            }
        }
    }
}
