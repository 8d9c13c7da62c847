//! The name of an object in a store.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use k8s_client_runtime::object::AnyObject;

/// The namespace and name of an object, as `namespace/name` in texts: what work queues hold. A clone shares the text.
///
/// ```
/// use k8s_client_informer::ObjectKey;
///
/// let web = ObjectKey::new("default", "web");
/// assert_eq!((web.namespace(), web.name()), ("default", "web"));
/// assert_eq!(web.to_string(), "default/web");
/// assert_eq!(ObjectKey::cluster("node-1").to_string(), "node-1");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectKey {
    /// The namespace, if there is one, and a slash; then the name.
    text: Arc<str>,
    /// Where the name begins. Two keys of one text differ in it where a name has a slash.
    name: usize,
}

impl ObjectKey {
    /// The key of an object in a namespace.
    pub fn new(namespace: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        let (namespace, name) = (namespace.as_ref(), name.as_ref());
        if namespace.is_empty() {
            return Self { text: name.into(), name: 0 };
        }
        Self { text: [namespace, "/", name].concat().into(), name: namespace.len() + 1 }
    }

    /// The key of an object of the cluster, which is in no namespace.
    pub fn cluster(name: impl AsRef<str>) -> Self {
        Self::new("", name)
    }

    /// The key of this object.
    pub fn of(object: &impl AnyObject) -> Self {
        Self::new(object.namespace().unwrap_or_default(), object.name().unwrap_or_default())
    }

    /// The namespace; empty for an object of the cluster.
    pub fn namespace(&self) -> &str {
        self.text.get(..self.name.saturating_sub(1)).unwrap_or_default()
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.text.get(self.name..).unwrap_or_default()
    }
}

impl Hash for ObjectKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The text alone nearly always says which key it is.
        self.text.hash(state);
    }
}

impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.namespace(), self.name()).cmp(&(other.namespace(), other.name()))
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_and_ordered_by_namespace_and_then_by_name() {
        let keys = [
            ObjectKey::cluster("a/b"),
            ObjectKey::cluster("z"),
            ObjectKey::new("a", "b"),
            ObjectKey::new("a", "c"),
            ObjectKey::new("a-b", "a"),
        ];
        assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
        assert!(keys.iter().all(|key| ObjectKey::new(key.namespace(), key.name()) == *key));
    }
}
