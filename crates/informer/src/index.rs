//! Objects by a value that is computed of them.

use std::{borrow::Borrow, fmt, hash::Hash, sync::Arc};

use crate::{
    ObjectKey,
    informer::Shared,
    store::{IndexMap, ValuesOf},
};

/// Objects by values that a function computes of them, such as pods by their nodes.
/// [`Informer::index`](crate::Informer::index) makes it; a clone is the same index. It lasts as long as there is a
/// clone.
///
/// ```no_run
/// use k8s_client_informer::{Index, Informer};
/// # use k8s_client_runtime::k8s_openapi::api::core::v1::Pod;
///
/// # fn example(pods: Informer<Pod>) {
/// let by_node: Index<String, Pod> = pods.index(|pod: &Pod| pod.spec.as_ref()?.node_name.clone());
/// println!("{} pods on node-1", by_node.get("node-1").len());
/// # }
/// ```
pub struct Index<V, T: Send + Sync + 'static> {
    shared: Arc<Shared<T>>,
    map: Arc<IndexMap<V, T>>,
}

impl<V: Clone + Eq + Hash + Send + Sync + 'static, T: Send + Sync + 'static> Index<V, T> {
    pub(crate) fn new(shared: Arc<Shared<T>>, values_of: ValuesOf<V, T>) -> Self {
        let map = Arc::new(IndexMap::new(values_of));
        shared.store.add_index(&map);
        Self { shared, map }
    }

    /// The objects with this value, in the order of their keys.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Vec<Arc<T>>
    where
        V: Borrow<Q>,
    {
        self.map.get(value).iter().filter_map(|entry| self.shared.store.object(entry)).collect()
    }

    /// The keys of the objects with this value, in order. No object is decoded for that.
    pub fn keys<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Vec<ObjectKey>
    where
        V: Borrow<Q>,
    {
        self.map.get(value).iter().map(|entry| entry.key.clone()).collect()
    }

    /// All values that objects have, in no particular order.
    pub fn values(&self) -> Vec<V> {
        self.map.values()
    }
}

impl<V, T: Send + Sync + 'static> Clone for Index<V, T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), map: self.map.clone() }
    }
}

impl<V, T: Send + Sync + 'static> fmt::Debug for Index<V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}
