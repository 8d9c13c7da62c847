//! The name of an object in a store.

use std::fmt;

use k8s_client_runtime::object::AnyObject;

/// The namespace and name of an object, as `namespace/name` in texts: what work queues hold.
///
/// ```
/// use k8s_client_informer::ObjectKey;
///
/// let web = ObjectKey::new("default", "web");
/// assert_eq!((web.namespace(), web.name()), ("default", "web"));
/// assert_eq!(web.to_string(), "default/web");
/// assert_eq!(ObjectKey::cluster("node-1").to_string(), "node-1");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    namespace: Box<str>,
    name: Box<str>,
}

impl ObjectKey {
    /// The key of an object in a namespace.
    pub fn new(namespace: impl Into<Box<str>>, name: impl Into<Box<str>>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object of the cluster, which is in no namespace.
    pub fn cluster(name: impl Into<Box<str>>) -> Self {
        Self::new("", name)
    }

    /// The key of this object.
    pub fn of(object: &impl AnyObject) -> Self {
        Self::new(object.namespace().unwrap_or_default(), object.name().unwrap_or_default())
    }

    /// The namespace; empty for an object of the cluster.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace() {
            "" => write!(f, "{}", self.name),
            namespace => write!(f, "{namespace}/{}", self.name),
        }
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectKey({self})")
    }
}
