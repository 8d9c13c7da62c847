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
/// Objects are decoded when they arrive, and some not kept so. So indexes and filters read them then; for those that
/// come later, objects are decoded once more. There is nothing to decode while the store is locked.
pub(crate) struct Incoming<T> {
    objects: HashSet<Arrived<T>, Hashes>,
    readers: Readers<T>,
}

/// Indexes and filters.
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

impl<T> Readers<T> {
    /// Those that are not among others.
    pub(super) fn without(mut self, others: &Self) -> Self {
        self.indexes.retain(|index| !others.indexes.iter().any(|other| other.ptr_eq(index)));
        self.filtered.retain(|buffer| !others.filtered.iter().any(|other| other.ptr_eq(buffer)));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.indexes.is_empty() && self.filtered.is_empty()
    }

    fn read(&self, object: &T) -> Read {
        let values = self.indexes.iter().map(|index| index.upgrade().map(|index| index.values_of(object)));
        let matches = self.filtered.iter().map(|buffer| buffer.upgrade().is_some_and(|buffer| buffer.matches(object)));
        Read { values: values.collect(), matches: matches.collect() }
    }
}

/// What each of the readers has made of an object.
#[derive(Default)]
struct Read {
    values: Vec<Option<Values>>,
    matches: Vec<bool>,
}

impl<T> Incoming<T> {
    pub(super) fn new(readers: Readers<T>) -> Self {
        Self { objects: HashSet::default(), readers }
    }

    /// An object that the store does not have yet.
    pub(super) fn insert(&mut self, entry: Arc<Entry<T>>, object: &T) {
        let read = (!self.readers.is_empty()).then(|| Box::new(self.readers.read(object)));
        self.objects.replace(Arrived { entry, read });
    }

    /// An object that the store has in this state.
    pub(super) fn insert_known(&mut self, entry: Arc<Entry<T>>) {
        self.objects.replace(Arrived { entry, read: None });
    }

    pub(super) fn readers(&self) -> &Readers<T> {
        &self.readers
    }

    /// Has the objects read by those that came when some had arrived: all but those that are not to be read.
    pub(super) fn read_for(&mut self, newcomers: Readers<T>, object: impl Fn(&Arc<Entry<T>>) -> Option<Arc<T>>) {
        let (indexes, filtered) = (self.readers.indexes.len(), self.readers.filtered.len());
        let read = |mut arrived: Arrived<T>| {
            if let Some(object) = object(&arrived.entry) {
                let Read { values, matches } = newcomers.read(&object);
                let before = arrived.read.get_or_insert_default();
                before.values.resize_with(indexes, || None);
                before.values.extend(values);
                before.matches.resize(filtered, false);
                before.matches.extend(matches);
            }
            arrived
        };
        self.objects = std::mem::take(&mut self.objects).into_iter().map(read).collect();
        self.readers.indexes.extend(newcomers.indexes);
        self.readers.filtered.extend(newcomers.filtered);
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
    /// The values that the index has computed of the object.
    pub(super) fn values_for(&mut self, index: &Weak<dyn AnyIndex<T>>, readers: &Readers<T>) -> Option<Values> {
        let position = readers.indexes.iter().position(|known| known.ptr_eq(index))?;
        self.read.as_mut()?.values.get_mut(position)?.take()
    }

    /// Whether the subscription's filter has let the object through.
    pub(super) fn matches_for(&self, buffer: &Weak<Buffer<T>>, readers: &Readers<T>) -> bool {
        let position = readers.filtered.iter().position(|known| known.ptr_eq(buffer));
        let matches = position.zip(self.read.as_ref()).and_then(|(position, read)| read.matches.get(position).copied());
        matches.unwrap_or_default()
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
