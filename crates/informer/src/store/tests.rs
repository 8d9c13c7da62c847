//! A store and its subscribers, held against a model: any order of events, lists, late and slow readers.

use std::{collections::BTreeMap, task::Context};

use futures_util::task::noop_waker;
use proptest::prelude::*;

use super::*;
use crate::{entry::Decoded, keep::Kept};

/// The payload of a test's objects: what the filter and the index look at.
type Colour = u8;

fn arrival(name: u8, uid: u8, version: u32, colour: Colour) -> Arrival<Colour> {
    let object = Arc::new(colour);
    let entry = Entry {
        key: ObjectKey::new("ns", name.to_string()),
        uid: uid.to_string().into(),
        version: version.to_string().into(),
        kept: Kept::Whole(object.clone()),
        source: 0,
    };
    Arrival { entry, object: Decoded::Kept(object) }
}

fn store() -> Store<Colour> {
    Store::new(1, |_| Err(k8s_client_runtime::codec::Error::custom("nothing is encoded")))
}

fn index(store: &Store<Colour>) -> Arc<IndexMap<Colour, Colour>> {
    let index = Arc::new(IndexMap::new(Box::new(|colour: &Colour| vec![*colour]) as _));
    store.add_index(&index);
    index
}

#[derive(Clone, Debug)]
enum Step {
    /// A watch brings an object; with another uid, one that was made anew.
    Set {
        name: u8,
        anew: bool,
        colour: Colour,
    },
    /// A watch brings a deletion.
    Remove {
        name: u8,
    },
    /// A list brings these objects; those that are not among them are gone. Somebody may subscribe and make an index
    /// while they arrive.
    Replace {
        names: Vec<u8>,
        anew: bool,
        joined: bool,
    },
    Subscribe {
        filtered: bool,
    },
    /// A subscriber reads so many events.
    Read {
        who: usize,
        events: usize,
    },
    Resync {
        who: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..5_u8, any::<bool>(), 0..3_u8).prop_map(|(name, anew, colour)| Step::Set { name, anew, colour }),
        3 => (0..5_u8).prop_map(|name| Step::Remove { name }),
        2 => (prop::collection::vec(0..5_u8, 0..5), any::<bool>(), any::<bool>())
            .prop_map(|(names, anew, joined)| Step::Replace { names, anew, joined }),
        2 => any::<bool>().prop_map(|filtered| Step::Subscribe { filtered }),
        5 => (0..6_usize, 1..5_usize).prop_map(|(who, events)| Step::Read { who, events }),
        1 => (0..6_usize).prop_map(|who| Step::Resync { who }),
    ]
}

/// What a subscriber knows by what it was told.
struct Reader {
    buffer: Arc<Buffer<Colour>>,
    known: BTreeMap<String, (Box<str>, Box<str>)>,
    synced: usize,
}

fn state(entry: &Entry<Colour>) -> (Box<str>, Box<str>) {
    (entry.uid.clone(), entry.version.clone())
}

impl Reader {
    fn new(store: &Store<Colour>, filtered: bool) -> Self {
        let filter: Option<Filter<Colour>> = filtered.then(|| Box::new(|colour: &Colour| *colour == 1) as _);
        Self { buffer: store.subscribe(filter), known: BTreeMap::new(), synced: 0 }
    }

    /// Reads one event, which must follow from what was told before.
    fn read(&mut self) -> Result<bool, TestCaseError> {
        let waker = noop_waker();
        let Poll::Ready(event) = self.buffer.poll_next(&mut Context::from_waker(&waker)) else { return Ok(false) };
        match event.expect("the store goes on") {
            RawEvent::Synced => self.synced += 1,
            RawEvent::Added(new) => {
                let before = self.known.insert(new.key.to_string(), state(&new));
                prop_assert!(before.is_none(), "{} is added and was known", new.key);
            }
            RawEvent::Updated { old, new } => {
                let before = self.known.insert(new.key.to_string(), state(&new));
                prop_assert_eq!(before, Some(state(&old)));
                prop_assert_eq!(&old.uid, &new.uid);
            }
            RawEvent::Deleted { last, .. } => {
                let before = self.known.remove(&last.key.to_string());
                prop_assert_eq!(before.map(|(uid, _)| uid), Some(last.uid.clone()));
            }
        }
        Ok(true)
    }
}

use std::task::Poll;

proptest! {
    #[test]
    fn every_reader_is_told_a_chain_without_gaps_to_what_there_is(steps in prop::collection::vec(step(), 0..80)) {
        let store = store();
        let mut readers: Vec<Reader> = Vec::new();
        let (mut version, mut uids, mut synced) = (0, [0_u8; 5], false);
        let mut colours: BTreeMap<String, Colour> = BTreeMap::new();
        let mut indexes = vec![index(&store)];
        for step in steps {
            version += 1;
            match step {
                Step::Set { name, anew, colour } => {
                    let exists = store.entry("ns", &name.to_string()).is_some();
                    let uid = &mut uids[usize::from(name)];
                    *uid = uid.wrapping_add(u8::from(anew || !exists));
                    store.set(0, arrival(name, *uid, version, colour));
                    colours.insert(format!("ns/{name}"), colour);
                }
                Step::Remove { name } => {
                    store.remove(0, arrival(name, uids[usize::from(name)], version, 0));
                    colours.remove(&format!("ns/{name}"));
                }
                Step::Replace { names, anew, joined } => {
                    let mut incoming = store.incoming();
                    for name in &names {
                        let known = store.entry("ns", &name.to_string());
                        let uid = &mut uids[usize::from(*name)];
                        *uid = uid.wrapping_add(u8::from(anew || known.is_none()));
                        let unchanged = known.filter(|_| !anew && name % 2 == 0);
                        let seen = unchanged.map_or(version, |known| known.version.parse().expect("a number"));
                        let colour = colours.get(&format!("ns/{name}")).copied().unwrap_or_default();
                        store.receive(&mut incoming, 0, arrival(*name, *uid, seen, colour));
                        colours.insert(format!("ns/{name}"), colour);
                    }
                    if joined {
                        indexes.push(index(&store));
                        readers.push(Reader::new(&store, true));
                    }
                    colours.retain(|key, _| names.iter().any(|name| *key == format!("ns/{name}")));
                    store.replace(0, incoming, &version.to_string());
                    synced = true;
                }
                Step::Subscribe { filtered } => readers.push(Reader::new(&store, filtered)),
                Step::Read { who, events } => {
                    if let Some(reader) = readers.get_mut(who) {
                        for _ in 0..events {
                            reader.read()?;
                        }
                    }
                }
                Step::Resync { who } => {
                    if let Some(reader) = readers.get(who) {
                        store.resync(&reader.buffer);
                    }
                }
            }
            for reader in &readers {
                prop_assert!(reader.buffer.len() <= 5 + 5 + 2, "at most an entry an object, whatever happens");
            }
            for (index, colour) in indexes.iter().flat_map(|index| (0..3).map(move |colour| (index, colour))) {
                let found: Vec<String> = index.get(&colour).iter().map(|entry| entry.key.to_string()).collect();
                let there: Vec<String> = colours.iter().filter(|(_, it)| **it == colour).map(|(key, _)| key.clone()).collect();
                prop_assert_eq!(found, there);
            }
        }
        for reader in &mut readers {
            while reader.read()? {}
            let filtered = reader.buffer.is_filtered();
            let there: BTreeMap<String, _> = store
                .entries(None)
                .iter()
                .filter(|entry| !filtered || colours[&entry.key.to_string()] == 1)
                .map(|entry| (entry.key.to_string(), state(entry)))
                .collect();
            prop_assert_eq!(&reader.known, &there);
            prop_assert_eq!(reader.synced, usize::from(synced));
        }
        prop_assert_eq!(store.len(), colours.len());
    }
}

#[test]
fn last_state_is_told_with_whether_it_was_seen() {
    let store = store();
    let waker = noop_waker();
    let mut context = Context::from_waker(&waker);
    store.set(0, arrival(1, 1, 1, 0));
    store.set(0, arrival(2, 1, 2, 0));
    let buffer = store.subscribe(None);
    while buffer.poll_next(&mut context).is_ready() {}
    store.remove(0, arrival(1, 1, 7, 5));
    store.replace(0, store.incoming(), "9");
    let mut told = Vec::new();
    while let Poll::Ready(Some(event)) = buffer.poll_next(&mut context) {
        if let RawEvent::Deleted { last, seen } = event {
            told.push((last.key.to_string(), last.version.to_string(), seen));
        }
    }
    assert_eq!(told, [("ns/1".into(), "7".into(), true), ("ns/2".into(), "2".into(), false)]);
}

#[test]
fn memory_of_what_is_gone_is_given_back() {
    let store = store();
    let index = index(&store);
    let stalled = store.subscribe(None);
    for round in 0..1000 {
        store.set(0, arrival(1, 1, round, u8::try_from(round % 200).expect("small")));
        store.set(0, arrival(2, 2, round, 7));
        store.remove(0, arrival(2, 2, round, 7));
    }
    assert_eq!((stalled.len(), index.values()), (1, vec![199]));
    store.remove(0, arrival(1, 1, 1000, 0));
    assert_eq!((stalled.len(), index.values().len(), store.len()), (0, 0, 0));
    drop(stalled);
    let inner = store.inner.read().expect("nobody panics");
    assert!(inner.objects.is_empty() && inner.subscribers.iter().all(|subscriber| subscriber.strong_count() == 0));
}

/// A store of config maps that are kept as bytes. It counts how often one is decoded, and none is while the store is
/// locked.
mod kept_as_bytes {
    use std::{
        cell::{Cell, RefCell},
        sync::Weak,
    };

    use k8s_client_runtime::{
        codec::{self, Codec as _},
        k8s_openapi::api::core::v1::ConfigMap,
    };

    use super::*;
    use crate::keep::{Compact, Encoded, decode_kept_lean};

    thread_local! {
        static STORE: RefCell<Weak<Store<ConfigMap>>> = const { RefCell::new(Weak::new()) };
        static DECODED: Cell<usize> = const { Cell::new(0) };
    }

    fn decode(encoded: &Encoded) -> codec::Result<ConfigMap> {
        DECODED.set(DECODED.get() + 1);
        if let Some(store) = STORE.with_borrow(Weak::upgrade) {
            assert!(store.inner.try_write().is_ok(), "an object is decoded while the store is locked");
        }
        decode_kept_lean::<ConfigMap>(encoded)
    }

    pub(super) fn store() -> Arc<Store<ConfigMap>> {
        let store = Arc::new(Store::new(1, decode));
        STORE.set(Arc::downgrade(&store));
        DECODED.set(0);
        store
    }

    pub(super) fn decoded() -> usize {
        DECODED.get()
    }

    pub(super) fn arrival(name: &str, version: u8) -> Arrival<ConfigMap> {
        let body = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}","resourceVersion":"{version}"}}}}"#
        );
        let compacted = Compact::<ConfigMap>::decode_json(body.as_bytes()).expect("a config map");
        Arrival::encoded(compacted.object, compacted.encoded)
    }

    pub(super) fn index(store: &Store<ConfigMap>) -> Arc<IndexMap<Option<String>, ConfigMap>> {
        let index = Arc::new(IndexMap::new(Box::new(|it: &ConfigMap| vec![it.metadata.name.clone()]) as _));
        store.add_index(&index);
        index
    }

    /// A subscriber to all but one.
    pub(super) fn filtered(store: &Store<ConfigMap>) -> Arc<Buffer<ConfigMap>> {
        store.subscribe(Some(Box::new(|it: &ConfigMap| it.metadata.name.as_deref() != Some("no"))))
    }
}

#[test]
fn objects_that_a_list_brought_are_not_decoded_again() {
    use kept_as_bytes::{arrival, decoded, filtered, index};

    let store = kept_as_bytes::store();
    let (by_name, some) = (index(&store), filtered(&store));
    let mut incoming = store.incoming();
    for name in ["web", "no"] {
        store.receive(&mut incoming, 0, arrival(name, 1));
    }
    store.replace(0, incoming, "5");
    assert_eq!((by_name.values().len(), some.len()), (2, 2), "one object and the mark behind it");
    assert_eq!(decoded(), 0);
}

#[test]
fn late_index_and_late_filter_decode_nothing_while_the_store_is_locked() {
    use kept_as_bytes::{arrival, decoded, filtered, index};

    let store = kept_as_bytes::store();
    for name in ["web", "no"] {
        store.set(0, arrival(name, 1));
    }
    let (by_name, some) = (index(&store), filtered(&store));
    assert_eq!((by_name.values().len(), some.len(), decoded()), (2, 1, 4));

    // Those that come while a list arrives.
    let mut incoming = store.incoming();
    store.receive(&mut incoming, 0, arrival("web", 1));
    store.receive(&mut incoming, 0, arrival("no", 2));
    let (late_index, late) = (index(&store), filtered(&store));
    store.receive(&mut incoming, 0, arrival("new", 3));
    let before = decoded();
    store.replace(0, incoming, "5");
    assert_eq!(decoded() - before, 2, "once for both of them, and what they know is not decoded for them");
    for index in [by_name, late_index] {
        assert_eq!(index.values().len(), 3);
    }
    // Two objects and the mark behind them.
    assert_eq!((some.len(), late.len()), (3, 3));
}
