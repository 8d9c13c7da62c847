//! Reading what is in memory.

use std::{fmt, sync::Arc};

use k8s_client_runtime::{object::AnyObject, selector::Selector};

use crate::{ObjectKey, informer::Shared};

/// Reads the objects of an informer from memory: client-go's lister. A clone reads the same.
///
/// Objects that are kept as bytes are decoded when they are read, about 10 microseconds for a pod. Nothing can be
/// changed in a store, so what is read is never older than the informer's [version](crate::Informer::resource_version),
/// and never half written.
///
/// ```no_run
/// use k8s_client_informer::Lister;
/// # use k8s_client_runtime::k8s_openapi::api::core::v1::Pod;
///
/// # fn example(pods: Lister<Pod>) -> Result<(), Box<dyn std::error::Error>> {
/// if let Some(pod) = pods.get("default", "web") {
///     println!("{:?}", pod.status);
/// }
/// for pod in pods.in_namespace("default").list(&"app=web".parse()?) {
///     println!("{:?}", pod.metadata.name);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Lister<T: Send + Sync + 'static> {
    shared: Arc<Shared<T>>,
    namespace: Option<Box<str>>,
}

impl<T: Send + Sync + 'static> Lister<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared, namespace: None }
    }

    /// The same for the objects of one namespace.
    pub fn in_namespace(&self, namespace: impl Into<Box<str>>) -> Self {
        Self { shared: self.shared.clone(), namespace: Some(namespace.into()) }
    }

    /// The object of this name; `None` if there is none, or none in the lister's namespace. The namespace of an object
    /// of the cluster is empty.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.shared.store.get(namespace, name).filter(|_| self.is_meant(namespace))
    }

    /// The object with this key; `None` if there is none.
    pub fn get_key(&self, key: &ObjectKey) -> Option<Arc<T>> {
        self.get(key.namespace(), key.name())
    }

    /// Whether there is an object with this key. It is not decoded for that.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.is_meant(key.namespace()) && self.shared.store.entry(key.namespace(), key.name()).is_some()
    }

    /// All objects, in no particular order.
    pub fn all(&self) -> Vec<Arc<T>> {
        let store = &self.shared.store;
        store.entries(self.namespace.as_deref()).iter().filter_map(|entry| store.object(entry)).collect()
    }

    /// The objects whose labels match, in no particular order.
    pub fn list(&self, selector: &Selector) -> Vec<Arc<T>>
    where
        T: AnyObject,
    {
        let mut objects = self.all();
        objects.retain(|object| selector.matches_by(|key| object.label(key)));
        objects
    }

    /// The keys of all objects, in no particular order. No object is decoded for that.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.shared.store.entries(self.namespace.as_deref()).iter().map(|entry| entry.key.clone()).collect()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        match self.namespace.as_deref() {
            Some(namespace) => self.shared.store.entries(Some(namespace)).len(),
            None => self.shared.store.len(),
        }
    }

    /// Whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_meant(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|only| only == namespace)
    }
}

impl<T: Send + Sync + 'static> Clone for Lister<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), namespace: self.namespace.clone() }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Lister<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lister").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
