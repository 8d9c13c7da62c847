//! The objects in memory: what is there, who has to know of changes, and how far the store has come.

mod buffer;
mod incoming;
mod index;
mod status;
#[cfg(test)]
mod tests;

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
};

use k8s_client_runtime::machine::Hashes;
use tokio::sync::Notify;

use self::incoming::{Arrived, Readers};
pub(crate) use self::{
    buffer::{Buffer, Filter, RawEvent},
    incoming::Incoming,
    index::{AnyIndex, IndexMap, ValuesOf},
    status::Status,
};
use crate::{
    ObjectKey,
    entry::{Arrival, Entry},
    keep::Decode,
};

/// The objects by namespace and name.
type Objects<T> = HashMap<Box<str>, HashSet<ByName<T>, Hashes>, Hashes>;

/// An object that is found by its name, among those of its namespace.
struct ByName<T>(Arc<Entry<T>>);

impl<T> Borrow<str> for ByName<T> {
    fn borrow(&self) -> &str {
        self.0.key.name()
    }
}

impl<T> Hash for ByName<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.name().hash(state);
    }
}

impl<T> PartialEq for ByName<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.key.name() == other.0.key.name()
    }
}

impl<T> Eq for ByName<T> {}

/// What one informer has in memory.
pub(crate) struct Store<T> {
    inner: RwLock<Inner<T>>,
    decode: Decode<T>,
    status: Mutex<Status>,
    /// Wakes those who wait for a status, in their order: what they do next must not be left to chance.
    status_changed: Notify,
}

struct Inner<T> {
    objects: Objects<T>,
    count: usize,
    indexes: Vec<Weak<dyn AnyIndex<T>>>,
    subscribers: Vec<Weak<Buffer<T>>>,
    /// Which sources have brought all their objects.
    synced: Vec<bool>,
    /// Nothing more comes.
    ended: bool,
}

impl<T: Send + Sync + 'static> Store<T> {
    pub(crate) fn new(sources: usize, decode: Decode<T>) -> Self {
        let inner = Inner {
            objects: HashMap::default(),
            count: 0,
            indexes: Vec::new(),
            subscribers: Vec::new(),
            synced: vec![false; sources],
            ended: false,
        };
        let status = Mutex::new(Status::new(sources));
        Self { inner: RwLock::new(inner), decode, status, status_changed: Notify::new() }
    }

    /// For objects that arrive one by one and are to replace those of their source all at once.
    pub(crate) fn incoming(&self) -> Incoming<T> {
        Incoming::new(self.read().readers())
    }

    /// Takes an object to those that arrive. A state that the store has already is kept once.
    pub(crate) fn receive(&self, incoming: &mut Incoming<T>, source: usize, arrival: Arrival<T>) {
        let mut entry = arrival.entry;
        entry.source = source;
        let known = self.entry(entry.key.namespace(), entry.key.name());
        match known.filter(|known| known.is_state(&entry)) {
            Some(known) => incoming.insert_known(known),
            None => incoming.insert(Arc::new(entry), &arrival.object),
        }
    }

    /// Takes an object that cannot be decoded to those that arrive: as it was, if it was there.
    pub(crate) fn receive_as_known(&self, incoming: &mut Incoming<T>, source: usize, key: &ObjectKey) {
        let known = self.entry(key.namespace(), key.name()).filter(|known| known.source == source);
        if let Some(known) = known {
            incoming.insert_known(known);
        }
    }

    /// Replaces the objects of a source by those that have arrived, and announces what differs.
    pub(crate) fn replace(&self, source: usize, mut incoming: Incoming<T>, version: &str) {
        let mut inner = loop {
            let inner = self.write();
            let newcomers = inner.readers().without(incoming.readers());
            if newcomers.is_empty() {
                break inner;
            }
            // They came while objects arrived. What is read for them may have to be decoded, so not under the lock.
            drop(inner);
            let is_new = |entry: &Arc<Entry<T>>| {
                let known = self.entry(entry.key.namespace(), entry.key.name());
                known.is_none_or(|known| !known.is_state(entry))
            };
            incoming.read_for(newcomers, |entry| is_new(entry).then(|| entry.read(self.decode)).flatten());
        };
        let gone: Vec<Arc<Entry<T>>> =
            inner.entries().filter(|entry| entry.source == source && !incoming.contains(&entry.key)).cloned().collect();
        for entry in gone {
            inner.remove(&entry, None);
        }
        let (readers, arrived) = incoming.into_parts();
        for mut arrived in arrived {
            let known = inner.get(arrived.entry.key.namespace(), arrived.entry.key.name());
            if !known.is_some_and(|known| known.is_state(&arrived.entry)) {
                inner.set_arrived(&mut arrived, &readers);
            }
        }
        inner.sync(source);
        drop(inner);
        self.note(|status| status.replaced(source, version));
    }

    /// Sets an object that a watch brought.
    pub(crate) fn set(&self, source: usize, arrival: Arrival<T>) {
        let mut entry = arrival.entry;
        entry.source = source;
        let entry = Arc::new(entry);
        self.write().set(&entry, &arrival.object);
        self.advance(source, &entry.version);
    }

    /// Removes an object of which a watch brought the last state.
    pub(crate) fn remove(&self, source: usize, arrival: Arrival<T>) {
        let entry = Arc::new(arrival.entry);
        self.write().remove(&entry, Some(&entry));
        self.advance(source, &entry.version);
    }

    /// Removes an object whose last state cannot be decoded.
    pub(crate) fn remove_unread(&self, source: usize, key: &ObjectKey) {
        let mut inner = self.write();
        if let Some(known) = inner.get(key.namespace(), key.name()).filter(|known| known.source == source).cloned() {
            inner.remove(&known, None);
        }
    }

    /// The source has come to this version.
    pub(crate) fn advance(&self, source: usize, version: &str) {
        self.note(|status| status.advance(source, version));
    }

    /// Something else about a source has changed.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status());
        self.status_changed.notify_waiters();
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something can be said of the status.
    pub(crate) async fn wait<R>(&self, until: impl Fn(&Status) -> Option<R>) -> R {
        loop {
            let changed = self.status_changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(result) = until(&self.status()) {
                return result;
            }
            changed.await;
        }
    }

    /// Nothing more comes: subscriptions end when what they have is read.
    pub(crate) fn end(&self) {
        let mut inner = self.write();
        inner.ended = true;
        inner.each_subscriber(|buffer, _| buffer.end());
        drop(inner);
        self.note(|status| status.ended = true);
    }

    pub(crate) fn entry(&self, namespace: &str, name: &str) -> Option<Arc<Entry<T>>> {
        self.read().get(namespace, name).cloned()
    }

    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.object(&*self.entry(namespace, name)?)
    }

    pub(crate) fn object(&self, entry: &Entry<T>) -> Option<Arc<T>> {
        entry.read(self.decode)
    }

    pub(crate) fn len(&self) -> usize {
        self.read().count
    }

    /// The entries of one namespace or of all.
    pub(crate) fn entries(&self, namespace: Option<&str>) -> Vec<Arc<Entry<T>>> {
        let inner = self.read();
        match namespace {
            Some(namespace) => {
                inner.objects.get(namespace).into_iter().flatten().map(|named| named.0.clone()).collect()
            }
            None => inner.entries().cloned().collect(),
        }
    }

    /// Adds an index, which has all objects at once.
    pub(crate) fn add_index(&self, index: &Arc<impl AnyIndex<T> + 'static>) {
        let mut values = self.make_of_all(|object| index.values_of(object));
        let mut inner = self.write();
        for entry in inner.entries() {
            match values.take(entry) {
                Some(values) => index.set_values(entry, values),
                None => {
                    if let Some(object) = entry.read(self.decode) {
                        index.set(entry, &object);
                    }
                }
            }
        }
        let index: Arc<dyn AnyIndex<T>> = index.clone();
        inner.indexes.retain(|index| index.strong_count() > 0);
        inner.indexes.push(Arc::downgrade(&index));
    }

    /// Adds a subscriber, which has all objects at once and every change from then on.
    pub(crate) fn subscribe(&self, filter: Option<Filter<T>>) -> Arc<Buffer<T>> {
        let buffer = Arc::new(Buffer::new(filter));
        let mut matches = buffer.is_filtered().then(|| self.make_of_all(|object| buffer.matches(object)));
        let mut inner = self.write();
        for entry in inner.entries() {
            let is = matches.as_mut().is_none_or(|matches| {
                let read = || entry.read(self.decode).is_some_and(|object| buffer.matches(&object));
                matches.take(entry).unwrap_or_else(read)
            });
            buffer.changed(None, Some(entry), is, None);
        }
        if inner.is_synced() {
            buffer.synced();
        }
        if inner.ended {
            buffer.end();
        }
        inner.subscribers.retain(|subscriber| subscriber.strong_count() > 0);
        inner.subscribers.push(Arc::downgrade(&buffer));
        buffer
    }

    /// What a function makes of each object. Objects may have to be decoded for that, so it is done without the lock;
    /// the few that change meanwhile are read again.
    fn make_of_all<R>(&self, make: impl Fn(&T) -> R) -> MadeOf<T, R> {
        let of = |entry: Arc<Entry<T>>| {
            let object = self.object(&entry)?;
            Some((entry.key.clone(), (entry, make(&object))))
        };
        MadeOf(self.entries(None).into_iter().filter_map(of).collect())
    }

    /// Announces every object to a subscriber that is not about to read of it anyway.
    pub(crate) fn resync(&self, buffer: &Buffer<T>) {
        let inner = self.read();
        inner.entries().for_each(|entry| buffer.repeat(entry));
    }

    // A panic under the lock can only come from a program's own index or filter; the maps are whole all the same.
    fn read(&self) -> RwLockReadGuard<'_, Inner<T>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner<T>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was made of objects, and of which states of them.
struct MadeOf<T, R>(HashMap<ObjectKey, (Arc<Entry<T>>, R)>);

impl<T, R> MadeOf<T, R> {
    /// What was made of this very state.
    fn take(&mut self, entry: &Arc<Entry<T>>) -> Option<R> {
        self.0.remove(&entry.key).filter(|(of, _)| Arc::ptr_eq(of, entry)).map(|(_, made)| made)
    }
}

/// Gives the memory back of what a map had and has no more.
fn give_back<K: Eq + Hash, V, S: BuildHasher>(map: &mut HashMap<K, V, S>) {
    if is_sparse(map.len(), map.capacity()) {
        map.shrink_to_fit();
    }
}

/// Whether a map or a set has much more room than it needs: so seldom, if it is shrunk then, that all of it costs no
/// more than filling it did.
fn is_sparse(len: usize, capacity: usize) -> bool {
    capacity > 64 && len * 4 < capacity
}

impl<T> Inner<T> {
    /// Who reads objects when they arrive.
    fn readers(&self) -> Readers<T> {
        let filtered = |buffer: &&Weak<Buffer<T>>| buffer.upgrade().is_some_and(|buffer| buffer.is_filtered());
        Readers {
            indexes: self.indexes.iter().filter(|index| index.strong_count() > 0).cloned().collect(),
            filtered: self.subscribers.iter().filter(filtered).cloned().collect(),
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Arc<Entry<T>>> {
        self.objects.values().flatten().map(|named| &named.0)
    }

    fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Entry<T>>> {
        Some(&self.objects.get(namespace)?.get(name)?.0)
    }

    fn set(&mut self, entry: &Arc<Entry<T>>, object: &T) {
        let old = self.insert(entry);
        self.indexes.iter().filter_map(Weak::upgrade).for_each(|index| index.set(entry, object));
        self.each_subscriber(|buffer, _| buffer.changed(old.as_ref(), Some(entry), buffer.matches(object), None));
    }

    /// Sets an object by what its readers have made of it before.
    fn set_arrived(&mut self, arrived: &mut Arrived<T>, readers: &Readers<T>) {
        let entry = arrived.entry.clone();
        let old = self.insert(&entry);
        for weak in &self.indexes {
            if let Some((index, values)) = weak.upgrade().zip(arrived.values_for(weak, readers)) {
                index.set_values(&entry, values);
            }
        }
        self.each_subscriber(|buffer, weak| {
            let is = !buffer.is_filtered() || arrived.matches_for(weak, readers);
            buffer.changed(old.as_ref(), Some(&entry), is, None);
        });
    }

    /// Puts an object into the map, and returns what was there.
    fn insert(&mut self, entry: &Arc<Entry<T>>) -> Option<Arc<Entry<T>>> {
        let namespace = entry.key.namespace();
        if !self.objects.contains_key(namespace) {
            self.objects.insert(namespace.into(), HashSet::default());
        }
        let names = self.objects.get_mut(namespace);
        let old = names.and_then(|names| names.replace(ByName(entry.clone()))).map(|named| named.0);
        if old.is_none() {
            self.count += 1;
        }
        old
    }

    /// Removes an object; its last state is known if a watch has brought it.
    fn remove(&mut self, entry: &Entry<T>, last: Option<&Arc<Entry<T>>>) {
        let (namespace, name) = (entry.key.namespace(), entry.key.name());
        let Some(names) = self.objects.get_mut(namespace) else { return };
        let Some(ByName(old)) = names.take(name) else { return };
        if is_sparse(names.len(), names.capacity()) {
            names.shrink_to_fit();
        }
        if names.is_empty() {
            self.objects.remove(namespace);
            give_back(&mut self.objects);
        }
        self.count -= 1;
        self.indexes.iter().filter_map(Weak::upgrade).for_each(|index| index.remove(&old.key));
        // A last state of another object of that name says nothing of the one that was here.
        let last = last.filter(|last| last.uid == old.uid);
        self.each_subscriber(|buffer, _| buffer.changed(Some(&old), None, false, last));
    }

    fn sync(&mut self, source: usize) {
        let before = self.is_synced();
        if let Some(synced) = self.synced.get_mut(source) {
            *synced = true;
        }
        if !before && self.is_synced() {
            self.each_subscriber(|buffer, _| buffer.synced());
        }
    }

    fn is_synced(&self) -> bool {
        self.synced.iter().all(|synced| *synced)
    }

    fn each_subscriber(&mut self, tell: impl Fn(&Buffer<T>, &Weak<Buffer<T>>)) {
        let mut gone = false;
        for subscriber in &self.subscribers {
            match subscriber.upgrade() {
                Some(buffer) => tell(&buffer, subscriber),
                None => gone = true,
            }
        }
        if gone {
            self.subscribers.retain(|subscriber| subscriber.strong_count() > 0);
        }
    }
}
