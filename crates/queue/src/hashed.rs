//! An item together with its hash.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    ops::Deref,
    sync::Arc,
};

/// An item as the queue and its worker share it. It is hashed and allocated once, before anyone waits for the lock.
pub(crate) type Name<T> = Arc<Hashed<T>>;

pub(crate) struct Hashed<T> {
    hash: u64,
    item: T,
}

impl<T: Hash> Hashed<T> {
    pub(crate) fn new(item: T, hasher: &impl BuildHasher) -> Self {
        Self { hash: hasher.hash_one(&item), item }
    }
}

impl<T> Hashed<T> {
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

impl<T> Deref for Hashed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T: fmt::Debug> fmt::Debug for Hashed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.item.fmt(f)
    }
}
