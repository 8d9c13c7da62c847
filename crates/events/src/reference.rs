//! The objects that events are about.

use std::hash::{Hash, Hasher};

use k8s_client_runtime::object::AnyObject;
use k8s_openapi::{Resource, api::core::v1::ObjectReference};

/// Which object an event is about. Every typed object gives one by itself: `recorder.normal(&pod, …)`. One in an `Arc`,
/// such as a lister or a controller gives, is `&*pod`.
///
/// For an object whose type is known only at run time there is [`Reference::of`], and an `ObjectReference` is taken as
/// it is. Two are equal if they mean the same object, in whatever version.
///
/// ```
/// use k8s_client_events::Reference;
/// use k8s_openapi::api::core::v1::{ObjectReference, Pod};
///
/// let pod = Pod::default();
/// let container = Reference::from(&pod).field_path("spec.containers{web}");
/// let known = Reference::from(ObjectReference { name: Some("web".to_owned()), ..ObjectReference::default() });
/// assert_ne!(container, known);
/// ```
#[derive(Clone, Debug)]
pub struct Reference(ObjectReference);

impl Reference {
    /// The reference to this object of this kind, such as `example.com/v1` and `Widget`.
    pub fn of(api_version: &str, kind: &str, object: &impl AnyObject) -> Self {
        Self(ObjectReference {
            api_version: Some(api_version.to_owned()),
            kind: Some(kind.to_owned()),
            namespace: object.namespace().map(str::to_owned),
            name: object.name().map(str::to_owned),
            uid: object.uid().map(str::to_owned),
            resource_version: object.resource_version().map(str::to_owned),
            field_path: None,
        })
    }

    /// The part of the object that is meant, such as `spec.containers{web}`.
    pub fn field_path(mut self, path: impl Into<String>) -> Self {
        self.0.field_path = Some(path.into());
        self
    }

    pub(crate) fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref().filter(|namespace| !namespace.is_empty())
    }

    pub(crate) fn to_object_reference(&self) -> ObjectReference {
        self.0.clone()
    }

    /// All but the version, which differs each time the object changes.
    fn identity(&self) -> [&Option<String>; 6] {
        let ObjectReference { api_version, kind, namespace, name, uid, field_path, resource_version: _ } = &self.0;
        [api_version, kind, namespace, name, uid, field_path]
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Reference {}

impl Hash for Reference {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl<T: Resource + AnyObject> From<&T> for Reference {
    fn from(object: &T) -> Self {
        Self::of(T::API_VERSION, T::KIND, object)
    }
}

impl From<ObjectReference> for Reference {
    fn from(reference: ObjectReference) -> Self {
        Self(reference)
    }
}
