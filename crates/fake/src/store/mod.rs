//! What the server keeps: objects by resource and key, and everything that ever happened to them.
//!
//! As in etcd, there is one revision, which each write raises by one, and each object has that of its last write. The
//! log of writes is what watches read from, and what lists of an older revision are made from.

mod object;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

pub(crate) use object::Object;

/// The objects and their history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    /// The revision of the last write.
    revision: u64,
    /// By group and plural, `deployments.apps`, and then by key.
    objects: HashMap<Arc<str>, BTreeMap<String, Arc<Object>>>,
    /// The writes after the revision that was last compacted, without gaps.
    log: VecDeque<Arc<Event>>,
}

/// A write.
#[derive(Debug)]
pub(crate) struct Event {
    /// Its revision.
    pub(crate) revision: u64,
    /// The resource with its group.
    pub(crate) resource: Arc<str>,
    /// The object's key.
    pub(crate) key: String,
    /// The object before, `None` for one that was created.
    pub(crate) before: Option<Arc<Object>>,
    /// The object after, `None` for one that was deleted.
    pub(crate) after: Option<Arc<Object>>,
    /// The object that is gone, with the revision of the deletion.
    pub(crate) gone: Option<Arc<Object>>,
}

/// The key of an object, in the order of etcd: by the bytes of `namespace/name`, or of the name alone.
pub(crate) fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// The keys of a namespace begin with this; those of all namespaces with nothing.
pub(crate) fn prefix(namespace: Option<&str>) -> String {
    namespace.filter(|namespace| !namespace.is_empty()).map_or_else(String::new, |namespace| format!("{namespace}/"))
}

impl Store {
    /// The revision of the last write.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision up to which nothing is known any more.
    pub(crate) fn compacted(&self) -> u64 {
        self.revision - self.log.len() as u64
    }

    /// Forgets what happened up to a revision.
    pub(crate) fn compact(&mut self, revision: u64) {
        let forgotten = revision.min(self.revision).saturating_sub(self.compacted());
        self.log.drain(..usize::try_from(forgotten).unwrap_or(usize::MAX).min(self.log.len()));
    }

    /// An object.
    pub(crate) fn get(&self, resource: &str, key: &str) -> Option<&Arc<Object>> {
        self.objects.get(resource)?.get(key)
    }

    /// The objects whose keys begin with `prefix`, from the one behind `after` on.
    pub(crate) fn list<'a>(
        &'a self,
        resource: &str,
        prefix: &'a str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a String, &'a Arc<Object>)> + use<'a> {
        let start = match after {
            Some(after) if after > prefix => Bound::Excluded(after.to_owned()),
            _ => Bound::Included(prefix.to_owned()),
        };
        let objects = self.objects.get(resource).into_iter();
        objects.flat_map(move |objects| {
            objects.range((start.clone(), Bound::Unbounded)).take_while(move |(key, _)| key.starts_with(prefix))
        })
    }

    /// The objects of a resource as they were at a revision; `None` if that is not known any more.
    pub(crate) fn at(&self, resource: &str, revision: u64) -> Option<BTreeMap<String, Arc<Object>>> {
        let mut objects = self.objects.get(resource).cloned().unwrap_or_default();
        for event in self.after(revision)?.rev().filter(|event| &*event.resource == resource) {
            match &event.before {
                Some(before) => drop(objects.insert(event.key.clone(), Arc::clone(before))),
                None => drop(objects.remove(&event.key)),
            }
        }
        Some(objects)
    }

    /// The store as somebody saw it who has not heard yet what happened to a resource since a revision; `None` if that
    /// is not known any more.
    pub(crate) fn rewound(&self, resource: &str, revision: u64) -> Option<Self> {
        let past = self.at(resource, revision)?;
        let log = self.log.iter().take_while(|event| event.revision <= revision).cloned().collect();
        let mut store = Self { revision, objects: self.objects.clone(), log };
        store.objects.insert(Arc::from(resource), past);
        Some(store)
    }

    /// The writes after a revision; `None` if some are not known any more.
    pub(crate) fn after(&self, revision: u64) -> Option<impl DoubleEndedIterator<Item = &Arc<Event>>> {
        let skipped = usize::try_from(revision.checked_sub(self.compacted())?).ok()?;
        Some(self.log.range(skipped.min(self.log.len())..))
    }

    /// Creates or replaces an object; `make` is given the revision of the write.
    pub(crate) fn put(&mut self, resource: &str, key: &str, make: impl FnOnce(u64) -> Object) -> Arc<Object> {
        self.revision += 1;
        let object = Arc::new(make(self.revision));
        let (resource, objects) = self.of(resource);
        let before = objects.insert(key.to_owned(), Arc::clone(&object));
        let after = Some(Arc::clone(&object));
        self.remember(resource, key, before, after, None);
        object
    }

    /// Deletes an object; `make` is given the revision and makes what watches are told of it.
    pub(crate) fn remove(
        &mut self,
        resource: &str,
        key: &str,
        make: impl FnOnce(u64) -> Object,
    ) -> Option<Arc<Object>> {
        let (resource, objects) = self.of(resource);
        let before = objects.remove(key)?;
        self.revision += 1;
        let gone = Arc::new(make(self.revision));
        self.remember(resource, key, Some(before), None, Some(Arc::clone(&gone)));
        Some(gone)
    }

    /// The resources of which there are objects.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.objects.iter().filter(|(_, objects)| !objects.is_empty()).map(|(resource, _)| &**resource)
    }

    /// How many objects there are of each resource.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.objects.iter().map(|(resource, objects)| (&**resource, objects.len()))
    }

    fn of(&mut self, resource: &str) -> (Arc<str>, &mut BTreeMap<String, Arc<Object>>) {
        let name = match self.objects.get_key_value(resource) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(resource),
        };
        (Arc::clone(&name), self.objects.entry(name).or_default())
    }

    fn remember(
        &mut self,
        resource: Arc<str>,
        key: &str,
        before: Option<Arc<Object>>,
        after: Option<Arc<Object>>,
        gone: Option<Arc<Object>>,
    ) {
        let (revision, key) = (self.revision, key.to_owned());
        self.log.push_back(Arc::new(Event { revision, resource, key, before, after, gone }));
    }
}

#[cfg(test)]
mod tests;
