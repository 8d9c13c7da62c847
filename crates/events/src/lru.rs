//! A map of bounded size.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::Arc,
};

/// A map that forgets what was not used for the longest time.
pub(crate) struct Lru<K, V> {
    entries: HashMap<Arc<K>, Entry<V>>,
    /// The keys by when they were used last.
    order: BTreeMap<u64, Arc<K>>,
    uses: u64,
    capacity: usize,
}

struct Entry<V> {
    used: u64,
    value: V,
}

impl<K: Eq + Hash, V> Lru<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), uses: 0, capacity: capacity.max(1) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.capacity
    }

    /// The value of the key, which counts as used.
    pub(crate) fn using(&mut self, key: &K) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        let key = self.order.remove(&entry.used)?;
        self.uses += 1;
        entry.used = self.uses;
        self.order.insert(self.uses, key);
        Some(&mut entry.value)
    }

    /// The value of the key, which does not count as used.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Adds a key that is not there. What must be forgotten for it comes back.
    pub(crate) fn insert(&mut self, key: Arc<K>, value: V) -> Option<(Arc<K>, V)> {
        let oldest = if self.is_full() { self.order.pop_first() } else { None };
        let forgotten = oldest.and_then(|(_, oldest)| self.entries.remove_entry(&oldest));
        self.uses += 1;
        self.order.insert(self.uses, key.clone());
        self.entries.insert(key, Entry { used: self.uses, value });
        forgotten.map(|(key, entry)| (key, entry.value))
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.used);
        Some(entry.value)
    }

    /// The value of the key, which counts as used, or a new one.
    pub(crate) fn using_or(&mut self, key: &Arc<K>, new: impl FnOnce() -> V) -> &mut V {
        if self.using(key).is_none() {
            self.insert(key.clone(), new());
        }
        &mut self.entries.get_mut(key).expect("it is there now").value
    }

    /// Shows every value, in the order of use, and forgets those for which the answer is no.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Arc<K>, &mut V) -> bool) {
        self.order.retain(|_, key| {
            let Some(entry) = self.entries.get_mut(key) else { return false };
            let keeps = keep(key, &mut entry.value);
            if !keeps {
                self.entries.remove(key);
            }
            keeps
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_used_is_forgotten_first() {
        let mut lru = Lru::new(2);
        assert!(lru.is_empty());
        assert_eq!(lru.insert(Arc::new("a"), 1), None);
        assert_eq!(*lru.using_or(&Arc::new("b"), || 2), 2);
        assert_eq!(lru.using(&"a").copied(), Some(1));
        assert_eq!(lru.insert(Arc::new("c"), 3), Some((Arc::new("b"), 2)), "b was not used for longer than a");
        // A look is no use.
        assert_eq!(lru.get_mut(&"a").copied(), Some(1));
        assert_eq!(lru.insert(Arc::new("d"), 4), Some((Arc::new("a"), 1)));
        lru.retain(|_, value| *value != 3);
        assert_eq!(lru.get_mut(&"c"), None);
        assert_eq!(lru.remove(&"d"), Some(4));
        assert!(lru.is_empty() && lru.order.is_empty());
    }
}
