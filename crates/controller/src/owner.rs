//! Whom an object belongs to.

use std::any::TypeId;

use k8s_client_informer::ObjectKey;
use k8s_client_runtime::{
    k8s_openapi::{ClusterResourceScope, Resource},
    object::AnyObject,
};

/// The object of the type `T` that owns this one, as the controller among its `ownerReferences`: for an index of
/// objects by their owners, beside [`Controller::owned_by`](crate::Controller::owned_by).
///
/// ```no_run
/// use k8s_client_controller::owner_of;
/// use k8s_client_informer::{Index, Informer, ObjectKey};
/// # use k8s_client_runtime::k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
///
/// # fn example(pods: Informer<Pod>) {
/// let of_replica_set: Index<ObjectKey, Pod> = pods.index(|pod: &Pod| owner_of::<ReplicaSet>(pod));
/// println!("{} pods", of_replica_set.get(&ObjectKey::new("default", "web-7d4b9c6f5d")).len());
/// # }
/// ```
pub fn owner_of<T: Resource<Scope: 'static>>(object: &impl AnyObject) -> Option<ObjectKey> {
    let owner = controller_of(object, T::GROUP, T::KIND)?;
    let in_cluster = TypeId::of::<T::Scope>() == TypeId::of::<ClusterResourceScope>();
    Some(match object.namespace() {
        Some(namespace) if !in_cluster => ObjectKey::new(namespace, owner),
        _ => ObjectKey::cluster(owner),
    })
}

/// The name of the object of this group and kind that owns this one as its controller.
pub(crate) fn controller_of(object: &impl AnyObject, group: &str, kind: &str) -> Option<String> {
    let owner = object.controller()?;
    let owner_group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    (owner.kind == kind && owner_group == group).then_some(owner.name)
}

/// The keys that the object may have that owns an object as its controller and is of this group and kind, whatever its
/// scope.
pub(crate) fn owners<O: AnyObject>(group: &str, kind: &str) -> impl Fn(&O) -> Vec<ObjectKey> + Send + Sync + 'static {
    let (group, kind) = (group.to_owned(), kind.to_owned());
    move |object| {
        let Some(owner) = controller_of(object, &group, &kind) else { return Vec::new() };
        // An owner is in the same namespace, or in none.
        let in_cluster = ObjectKey::cluster(owner.as_str());
        object.namespace().map(|namespace| ObjectKey::new(namespace, owner)).into_iter().chain([in_cluster]).collect()
    }
}

#[cfg(test)]
mod tests {
    use k8s_client_runtime::k8s_openapi::{
        api::{
            apps::v1::ReplicaSet,
            core::v1::{Node, Pod},
        },
        apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
    };

    use super::*;

    #[test]
    fn owner_is_found_by_group_and_kind_where_its_scope_has_it() {
        let owned_by = |api_version: &str, kind: &str, controller| Pod {
            metadata: ObjectMeta {
                namespace: Some("default".to_owned()),
                owner_references: Some(vec![OwnerReference {
                    api_version: api_version.to_owned(),
                    kind: kind.to_owned(),
                    name: "it".to_owned(),
                    controller,
                    ..OwnerReference::default()
                }]),
                ..ObjectMeta::default()
            },
            ..Pod::default()
        };
        let replica_set = owned_by("apps/v1beta1", "ReplicaSet", Some(true));
        assert_eq!(owner_of::<ReplicaSet>(&replica_set), Some(ObjectKey::new("default", "it")), "whatever its version");
        assert_eq!(owner_of::<Node>(&owned_by("v1", "Node", Some(true))), Some(ObjectKey::cluster("it")));
        for other in [
            owned_by("example.com/v1", "ReplicaSet", Some(true)),
            owned_by("apps/v1", "Deployment", Some(true)),
            owned_by("apps/v1", "ReplicaSet", None),
            Pod::default(),
        ] {
            assert_eq!(owner_of::<ReplicaSet>(&other), None);
        }
    }
}
