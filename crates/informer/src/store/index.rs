//! Objects by something that is computed of them.

use std::{
    any::Any,
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
};

use k8s_client_runtime::machine::Hashes;

use super::give_back;
use crate::{ObjectKey, entry::Entry};

/// An index, whatever its values are.
pub(crate) trait AnyIndex<T>: Send + Sync {
    /// An object is there, or has changed.
    fn set(&self, entry: &Arc<Entry<T>>, object: &T);

    /// What [`set_values`](Self::set_values) takes of an object that will be there.
    fn values_of(&self, object: &T) -> Values;

    /// The object with these values is there, or has changed.
    fn set_values(&self, entry: &Arc<Entry<T>>, values: Values);

    /// An object is gone.
    fn remove(&self, key: &ObjectKey);
}

/// A `Vec` of an index's values.
pub(crate) type Values = Box<dyn Any + Send + Sync>;

/// The values of an object.
pub(crate) type ValuesOf<V, T> = Box<dyn Fn(&T) -> Vec<V> + Send + Sync>;

pub(crate) struct IndexMap<V, T> {
    values_of: ValuesOf<V, T>,
    maps: RwLock<Maps<V, T>>,
}

struct Maps<V, T> {
    by_value: HashMap<V, BTreeMap<ObjectKey, Arc<Entry<T>>>, Hashes>,
    by_key: HashMap<ObjectKey, Vec<V>>,
}

impl<V: Clone + Eq + Hash, T> IndexMap<V, T> {
    pub(crate) fn new(values_of: ValuesOf<V, T>) -> Self {
        Self { values_of, maps: RwLock::new(Maps { by_value: HashMap::default(), by_key: HashMap::new() }) }
    }

    /// The objects with this value, in the order of their keys.
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Vec<Arc<Entry<T>>>
    where
        V: Borrow<Q>,
    {
        let maps = self.maps.read().unwrap_or_else(PoisonError::into_inner);
        maps.by_value.get(value).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// All values that objects have.
    pub(crate) fn values(&self) -> Vec<V> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner).by_value.keys().cloned().collect()
    }
}

impl<V: Clone + Eq + Hash + Send + Sync + 'static, T: Send + Sync> AnyIndex<T> for IndexMap<V, T> {
    fn set(&self, entry: &Arc<Entry<T>>, object: &T) {
        self.put(entry, (self.values_of)(object));
    }

    fn values_of(&self, object: &T) -> Values {
        Box::new((self.values_of)(object))
    }

    fn set_values(&self, entry: &Arc<Entry<T>>, values: Values) {
        // They are this index's own, so they are of its type.
        self.put(entry, values.downcast().map_or_else(|_| Vec::new(), |values| *values));
    }

    fn remove(&self, key: &ObjectKey) {
        self.maps.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl<V: Clone + Eq + Hash, T> IndexMap<V, T> {
    fn put(&self, entry: &Arc<Entry<T>>, values: Vec<V>) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.remove(&entry.key);
        for value in &values {
            maps.by_value.entry(value.clone()).or_default().insert(entry.key.clone(), entry.clone());
        }
        if !values.is_empty() {
            maps.by_key.insert(entry.key.clone(), values);
        }
    }
}

impl<V: Eq + Hash, T> Maps<V, T> {
    /// Values that nothing has any more are forgotten.
    fn remove(&mut self, key: &ObjectKey) {
        for value in self.by_key.remove(key).into_iter().flatten() {
            if let Some(entries) = self.by_value.get_mut(&value) {
                entries.remove(key);
                if entries.is_empty() {
                    self.by_value.remove(&value);
                }
            }
        }
        give_back(&mut self.by_value);
        give_back(&mut self.by_key);
    }
}
