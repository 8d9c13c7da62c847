//! An item, and what its queue knows of it.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::state::Entry;

/// An item as the queue and its worker share it. It is hashed and allocated once, before anyone waits for the lock.
pub(crate) type Name<T> = Arc<Named<T>>;

pub(crate) struct Named<T> {
    hash: u64,
    item: T,
    /// Only looked at by who has the state of the queue, so nobody ever waits for it. It is here and not in a table
    /// because items are made and taken in the same order: what lies side by side is read one after the other.
    entry: Mutex<Entry>,
}

impl<T> Named<T> {
    pub(crate) fn new(item: T, hash: u64) -> Self {
        Self { hash, item, entry: Mutex::new(Entry::new()) }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn entry(&self) -> MutexGuard<'_, Entry> {
        self.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Named<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}
