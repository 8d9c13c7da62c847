//! What the verbs and generic code ask of an object and of a list, whatever their types are.

use k8s_openapi::{
    ListableResource, Metadata,
    apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta},
};

use crate::text::non_empty;

/// An object of any type: typed ones by a blanket implementation, and those whose type is known only at run time.
///
/// client-go's `metav1.Object`, as far as generic code needs it.
pub trait AnyObject {
    /// `metadata.name`; `None` when it is not set or empty.
    fn name(&self) -> Option<&str>;

    /// `metadata.namespace`; `None` when it is not set or empty.
    fn namespace(&self) -> Option<&str>;

    /// `metadata.uid`; `None` when it is not set or empty.
    fn uid(&self) -> Option<&str>;

    /// `metadata.resourceVersion`; `None` when it is not set or empty.
    fn resource_version(&self) -> Option<&str>;

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
}

#[diagnostic::do_not_recommend]
impl<T: Metadata<Ty = ObjectMeta>> AnyObject for T {
    fn name(&self) -> Option<&str> {
        non_empty(self.metadata().name.as_ref())
    }

    fn namespace(&self) -> Option<&str> {
        non_empty(self.metadata().namespace.as_ref())
    }

    fn uid(&self) -> Option<&str> {
        non_empty(self.metadata().uid.as_ref())
    }

    fn resource_version(&self) -> Option<&str> {
        non_empty(self.metadata().resource_version.as_ref())
    }

    fn remove_managed_fields(&mut self) {
        self.metadata_mut().managed_fields = None;
    }
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
    fn last_page_has_no_token() {
        let mut list = List::<ConfigMap> { items: vec![ConfigMap::default()], ..List::default() };
        list.metadata.continue_ = Some(String::new());
        list.metadata.resource_version = Some("7".to_owned());
        assert_eq!((list.continue_token(), AnyList::resource_version(&list)), (None, Some("7")));
        list.metadata.continue_ = Some("more".to_owned());
        assert_eq!(list.continue_token(), Some("more"));
        assert_eq!((AnyList::items(&list).len(), list.into_items().len()), (1, 1));
    }
}
