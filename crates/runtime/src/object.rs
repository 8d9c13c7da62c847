//! What the verbs and generic code ask of an object and of a list, whatever their types are.

use std::{borrow::Cow, collections::BTreeMap};

#[doc(hidden)]
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use k8s_openapi::{
    ListableResource, Metadata, Resource,
    apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta},
};

#[doc(hidden)]
pub use crate::text::{non_empty, short_type_name};

/// An object of any type: typed ones by a blanket implementation, and those whose type is known only at run time.
///
/// client-go's `metav1.Object`, as far as generic code needs it.
///
/// Its methods are there for what holds an object, too, as the `Arc` of a lister does. A function that takes
/// `&impl AnyObject` is given what is in it: `&*pod`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an object with metadata",
    note = "an object in an `Arc` or behind a reference, such as a lister or `reconcile` gives, is passed on as `&*object`"
)]
pub trait AnyObject {
    /// `metadata.name`; `None` when it is not set or empty.
    fn name(&self) -> Option<&str>;

    /// `metadata.namespace`; `None` when it is not set or empty.
    fn namespace(&self) -> Option<&str>;

    /// `metadata.uid`; `None` when it is not set or empty.
    fn uid(&self) -> Option<&str>;

    /// `metadata.resourceVersion`; `None` when it is not set or empty.
    fn resource_version(&self) -> Option<&str>;

    /// `metadata.generation`: how often what is wanted of the object has changed.
    fn generation(&self) -> Option<i64>;

    /// `metadata.creationTimestamp`.
    fn creation_timestamp(&self) -> Option<Time>;

    /// `metadata.deletionTimestamp`: since when the object is being deleted. It is there as long as there are
    /// finalizers, or until its time is up.
    fn deletion_timestamp(&self) -> Option<Time>;

    /// The value of one label.
    fn label(&self, key: &str) -> Option<&str>;

    /// `metadata.labels`, in the order of their keys.
    fn labels(&self) -> impl Iterator<Item = (&str, &str)>;

    /// The value of one annotation.
    fn annotation(&self, key: &str) -> Option<&str>;

    /// `metadata.annotations`, in the order of their keys.
    fn annotations(&self) -> impl Iterator<Item = (&str, &str)>;

    /// `metadata.finalizers`: what must be done before the object may go.
    fn finalizers(&self) -> impl Iterator<Item = &str>;

    /// `metadata.ownerReferences`: the objects that this one goes with.
    fn owner_references(&self) -> Cow<'_, [OwnerReference]>;

    /// The owner that controls the object, of which there is one at most: client-go's `GetControllerOf`.
    fn controller(&self) -> Option<OwnerReference> {
        self.owner_references().iter().find(|owner| owner.controller == Some(true)).cloned()
    }

    /// Takes `metadata.managedFields` out of the object.
    fn remove_managed_fields(&mut self);
}

/// A list of any type.
pub trait AnyList {
    /// The type of the items.
    type Object;

    /// The items.
    fn items(&self) -> &[Self::Object];

    /// The items, to be changed.
    fn items_mut(&mut self) -> &mut Vec<Self::Object>;

    /// The items, without the list around them.
    fn into_items(self) -> Vec<Self::Object>;

    /// `metadata.resourceVersion`; `None` when it is not set or empty.
    fn resource_version(&self) -> Option<&str>;

    /// `metadata.continue`: where the next page starts; `None` on the last one.
    fn continue_token(&self) -> Option<&str>;

    /// Takes `metadata.continue` and `metadata.remainingItemCount` out of the list, to which the next pages have been
    /// added.
    fn remove_continue_token(&mut self);
}

/// A reference to this object as the owner that controls another one, for `metadata.ownerReferences`: client-go's
/// `NewControllerRef`. The other one is collected when its owner goes. It is in the owner's namespace, or the owner is
/// in none.
///
/// The owner is one that was read, since the reference has its uid. Apply configurations have a method of this name.
///
/// ```
/// use k8s_client_runtime::object::controller_reference;
/// use k8s_openapi::api::core::v1::{ConfigMap, Pod};
///
/// fn own(pod: &mut Pod, config_map: &ConfigMap) {
///     pod.metadata.owner_references = Some(vec![controller_reference(config_map)]);
/// }
/// ```
pub fn controller_reference<T: Resource + AnyObject>(owner: &T) -> OwnerReference {
    OwnerReference {
        api_version: T::API_VERSION.to_owned(),
        kind: T::KIND.to_owned(),
        name: owner.name().unwrap_or_default().to_owned(),
        uid: owner.uid().unwrap_or_default().to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The methods of [`AnyObject`] for a type that has another object in this field. Not covered by semver.
#[doc(hidden)]
#[macro_export]
macro_rules! any_object_by_object {
    ($field:ident) => {
        $crate::any_object_by_object! { @methods $field:
            name() -> ::std::option::Option<&str>;
            namespace() -> ::std::option::Option<&str>;
            uid() -> ::std::option::Option<&str>;
            resource_version() -> ::std::option::Option<&str>;
            generation() -> ::std::option::Option<i64>;
            creation_timestamp() -> ::std::option::Option<$crate::object::Time>;
            deletion_timestamp() -> ::std::option::Option<$crate::object::Time>;
            label(key: &str) -> ::std::option::Option<&str>;
            labels() -> impl ::std::iter::Iterator<Item = (&str, &str)>;
            annotation(key: &str) -> ::std::option::Option<&str>;
            annotations() -> impl ::std::iter::Iterator<Item = (&str, &str)>;
            finalizers() -> impl ::std::iter::Iterator<Item = &str>;
            owner_references() -> ::std::borrow::Cow<'_, [$crate::object::OwnerReference]>;
        }

        fn remove_managed_fields(&mut self) {
            $crate::object::AnyObject::remove_managed_fields(&mut self.$field);
        }
    };
    (@methods $field:ident: $($method:ident($($argument:ident: $type:ty)?) -> $result:ty;)*) => {
        $(
            fn $method(&self $(, $argument: $type)?) -> $result {
                $crate::object::AnyObject::$method(&self.$field $(, $argument)?)
            }
        )*
    };
}

/// The methods of [`AnyObject`] for a type that has an `ObjectMeta`, given by two functions. Not covered by semver.
#[doc(hidden)]
#[macro_export]
macro_rules! any_object_by_metadata {
    ($metadata:expr, $metadata_mut:expr) => {
        fn name(&self) -> Option<&str> {
            $crate::object::non_empty($metadata(self).name.as_ref())
        }

        fn namespace(&self) -> Option<&str> {
            $crate::object::non_empty($metadata(self).namespace.as_ref())
        }

        fn uid(&self) -> Option<&str> {
            $crate::object::non_empty($metadata(self).uid.as_ref())
        }

        fn resource_version(&self) -> Option<&str> {
            $crate::object::non_empty($metadata(self).resource_version.as_ref())
        }

        fn generation(&self) -> Option<i64> {
            $metadata(self).generation
        }

        fn creation_timestamp(&self) -> Option<$crate::object::Time> {
            $metadata(self).creation_timestamp.clone()
        }

        fn deletion_timestamp(&self) -> Option<$crate::object::Time> {
            $metadata(self).deletion_timestamp.clone()
        }

        fn label(&self, key: &str) -> Option<&str> {
            $crate::object::entry($metadata(self).labels.as_ref(), key)
        }

        fn labels(&self) -> impl ::std::iter::Iterator<Item = (&str, &str)> {
            $crate::object::entries($metadata(self).labels.as_ref())
        }

        fn annotation(&self, key: &str) -> Option<&str> {
            $crate::object::entry($metadata(self).annotations.as_ref(), key)
        }

        fn annotations(&self) -> impl ::std::iter::Iterator<Item = (&str, &str)> {
            $crate::object::entries($metadata(self).annotations.as_ref())
        }

        fn finalizers(&self) -> impl ::std::iter::Iterator<Item = &str> {
            $metadata(self).finalizers.iter().flatten().map(String::as_str)
        }

        fn owner_references(&self) -> ::std::borrow::Cow<'_, [$crate::object::OwnerReference]> {
            ::std::borrow::Cow::Borrowed($metadata(self).owner_references.as_deref().unwrap_or_default())
        }

        fn remove_managed_fields(&mut self) {
            $metadata_mut(self).managed_fields = None;
        }
    };
}

#[diagnostic::do_not_recommend]
impl<T: Metadata<Ty = ObjectMeta>> AnyObject for T {
    any_object_by_metadata!(T::metadata, T::metadata_mut);
}

#[doc(hidden)]
pub fn entry<'a>(texts: Option<&'a BTreeMap<String, String>>, key: &str) -> Option<&'a str> {
    texts?.get(key).map(String::as_str)
}

#[doc(hidden)]
pub fn entries(texts: Option<&BTreeMap<String, String>>) -> impl Iterator<Item = (&str, &str)> {
    texts.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()))
}

impl<T: ListableResource> AnyList for k8s_openapi::List<T> {
    type Object = T;

    fn items(&self) -> &[T] {
        &self.items
    }

    fn items_mut(&mut self) -> &mut Vec<T> {
        &mut self.items
    }

    fn into_items(self) -> Vec<T> {
        self.items
    }

    fn resource_version(&self) -> Option<&str> {
        let metadata: &ListMeta = &self.metadata;
        non_empty(metadata.resource_version.as_ref())
    }

    fn continue_token(&self) -> Option<&str> {
        non_empty(self.metadata.continue_.as_ref())
    }

    fn remove_continue_token(&mut self) {
        self.metadata.continue_ = None;
        self.metadata.remaining_item_count = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::{List, api::core::v1::ConfigMap};

    #[test]
    fn empty_text_is_no_name() {
        let named = |name: Option<&str>| ConfigMap {
            metadata: ObjectMeta { name: name.map(str::to_owned), ..ObjectMeta::default() },
            ..ConfigMap::default()
        };
        assert_eq!(named(Some("web")).name(), Some("web"));
        assert_eq!(named(Some("")).name(), None);
        assert_eq!(named(None).name(), None);
    }

    #[test]
    fn metadata_is_read_from_any_object() {
        let owner =
            |name: &str, controller| OwnerReference { name: name.to_owned(), controller, ..OwnerReference::default() };
        let object = ConfigMap {
            metadata: ObjectMeta {
                labels: Some([("app".to_owned(), "web".to_owned())].into()),
                finalizers: Some(vec!["example.com/clean".to_owned()]),
                owner_references: Some(vec![owner("a", None), owner("b", Some(true))]),
                generation: Some(3),
                ..ObjectMeta::default()
            },
            ..ConfigMap::default()
        };
        assert_eq!((object.label("app"), object.label("tier"), object.generation()), (Some("web"), None, Some(3)));
        assert_eq!(object.labels().collect::<Vec<_>>(), [("app", "web")]);
        assert_eq!(object.finalizers().collect::<Vec<_>>(), ["example.com/clean"]);
        assert_eq!(object.controller().map(|owner| owner.name).as_deref(), Some("b"));
        assert!(object.annotations().next().is_none() && object.deletion_timestamp().is_none());
    }

    #[test]
    fn owner_is_referred_to_as_client_go_does() {
        let metadata =
            ObjectMeta { name: Some("web".to_owned()), uid: Some("1-2".to_owned()), ..ObjectMeta::default() };
        let reference = controller_reference(&ConfigMap { metadata, ..ConfigMap::default() });
        assert_eq!(
            serde_json::to_value(reference).expect("it is written"),
            serde_json::json!({
                "apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": "1-2",
                "controller": true, "blockOwnerDeletion": true,
            })
        );
    }

    #[test]
    fn last_page_has_no_token() {
        let mut list = List::<ConfigMap> { items: vec![ConfigMap::default()], ..List::default() };
        list.metadata.continue_ = Some(String::new());
        list.metadata.resource_version = Some("7".to_owned());
        assert_eq!((list.continue_token(), AnyList::resource_version(&list)), (None, Some("7")));
        list.metadata.continue_ = Some("more".to_owned());
        assert_eq!(list.continue_token(), Some("more"));
        list.metadata.remaining_item_count = Some(3);
        list.remove_continue_token();
        let only_version = ListMeta { resource_version: Some("7".to_owned()), ..ListMeta::default() };
        assert_eq!(list.metadata, only_version);
        assert_eq!((AnyList::items(&list).len(), list.into_items().len()), (1, 1));
    }
}
