//! Objects that arrive one by one and are to replace those of their source all at once.

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{Hash, Hasher},
    sync::{Arc, Weak},
};

use k8s_client_runtime::machine::Hashes;

use super::{AnyIndex, Buffer, index::Values};
use crate::{ObjectKey, entry::Entry};

/// What has arrived so far.
///
/// Objects are decoded when they arrive, and some not kept so. So indexes and filters read them then: there is nothing
/// to decode while the store is locked.
pub(crate) struct Incoming<T> {
    objects: HashSet<Arrived<T>, Hashes>,
    readers: Readers<T>,
}

/// The indexes and filters that there were when the first object arrived.
pub(super) struct Readers<T> {
    pub(super) indexes: Vec<Weak<dyn AnyIndex<T>>>,
    pub(super) filtered: Vec<Weak<Buffer<T>>>,
}

/// An object that has arrived: found by its key, and small, since a list that brings nothing new needs no more memory
/// than these.
pub(super) struct Arrived<T> {
    pub(super) entry: Arc<Entry<T>>,
    /// `None` for one that the store has already.
    read: Option<Box<Read>>,
}

/// What each of the readers has made of an object.
struct Read {
    values: Vec<Option<Values>>,
    matches: Vec<Option<bool>>,
}

impl<T> Incoming<T> {
    pub(super) fn new(readers: Readers<T>) -> Self {
        Self { objects: HashSet::default(), readers }
    }

    /// An object that the store does not have yet.
    pub(super) fn insert(&mut self, entry: Arc<Entry<T>>, object: &T) {
        let Readers { indexes, filtered } = &self.readers;
        let read = || Read {
            values: indexes.iter().map(|index| index.upgrade().map(|index| index.values_of(object))).collect(),
            matches: filtered.iter().map(|buffer| buffer.upgrade().map(|buffer| buffer.matches(object))).collect(),
        };
        let is_read = !indexes.is_empty() || !filtered.is_empty();
        self.objects.replace(Arrived { entry, read: is_read.then(|| Box::new(read())) });
    }

    /// An object that the store has in this state.
    pub(super) fn insert_known(&mut self, entry: Arc<Entry<T>>) {
        self.objects.replace(Arrived { entry, read: None });
    }

    pub(crate) fn remove(&mut self, key: &ObjectKey) {
        self.objects.remove(key);
    }

    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.objects.contains(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn into_parts(self) -> (Readers<T>, impl Iterator<Item = Arrived<T>>) {
        (self.readers, self.objects.into_iter())
    }
}

impl<T> Arrived<T> {
    /// The values that the index has computed when the object arrived, if it was there.
    pub(super) fn values_for(&mut self, index: &Weak<dyn AnyIndex<T>>, readers: &Readers<T>) -> Option<Values> {
        let position = readers.indexes.iter().position(|known| known.ptr_eq(index))?;
        self.read.as_mut()?.values.get_mut(position)?.take()
    }

    /// Whether the subscription's filter has let the object through when it arrived, if it was there.
    pub(super) fn matches_for(&self, buffer: &Weak<Buffer<T>>, readers: &Readers<T>) -> Option<bool> {
        let position = readers.filtered.iter().position(|known| known.ptr_eq(buffer))?;
        self.read.as_ref()?.matches.get(position).copied().flatten()
    }
}

impl<T> Borrow<ObjectKey> for Arrived<T> {
    fn borrow(&self) -> &ObjectKey {
        &self.entry.key
    }
}

impl<T> Hash for Arrived<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entry.key.hash(state);
    }
}

impl<T> PartialEq for Arrived<T> {
    fn eq(&self, other: &Self) -> bool {
        self.entry.key == other.entry.key
    }
}

impl<T> Eq for Arrived<T> {}
