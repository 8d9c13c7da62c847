//! Revisions, ranges and history.

use serde_json::json;

use super::*;

fn put(store: &mut Store, key: &str, number: u64) {
    let version = Arc::from("v1");
    store.put("things", key, |revision| Object::new(json!({"metadata": {}, "number": number}), &version, revision));
}

fn numbers<'a>(objects: impl Iterator<Item = (&'a String, &'a Arc<Object>)>) -> Vec<(String, u64)> {
    objects.map(|(key, object)| (key.clone(), object.value["number"].as_u64().unwrap())).collect()
}

#[test]
fn each_write_takes_the_next_revision_and_objects_have_that_of_their_last() {
    let mut store = Store::default();
    put(&mut store, "a", 1);
    put(&mut store, "b", 2);
    put(&mut store, "a", 3);
    assert_eq!(store.revision(), 3);
    assert_eq!(store.get("things", "a").unwrap().meta("resourceVersion"), "3");
    assert_eq!(store.get("things", "b").unwrap().meta("resourceVersion"), "2");
}

#[test]
fn lists_are_in_the_order_of_the_bytes_of_keys() {
    let mut store = Store::default();
    for key in ["a/x", "a-b/x", "b/y", "a/w"] {
        put(&mut store, key, 0);
    }
    let keys = |prefix: &str, after| -> Vec<String> {
        store.list("things", prefix, after).map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(keys("", None), ["a-b/x", "a/w", "a/x", "b/y"]);
    assert_eq!(keys("a/", None), ["a/w", "a/x"]);
    assert_eq!(keys("a/", Some("a/w")), ["a/x"]);
    assert_eq!(keys("", Some("a/x")), ["b/y"]);
}

#[test]
fn a_list_of_an_older_revision_is_what_there_was_then() {
    let mut store = Store::default();
    put(&mut store, "a", 1);
    put(&mut store, "b", 2);
    put(&mut store, "a", 3);
    store.remove("things", "b", |revision| Object::new(json!({"metadata": {}}), &Arc::from("v1"), revision));
    put(&mut store, "c", 5);
    let at = |revision| numbers(store.at("things", revision).unwrap().iter());
    assert_eq!(at(0), []);
    assert_eq!(at(2), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    assert_eq!(at(3), [("a".to_owned(), 3), ("b".to_owned(), 2)]);
    assert_eq!(at(5), [("a".to_owned(), 3), ("c".to_owned(), 5)]);
}

#[test]
fn what_was_compacted_is_not_known_any_more() {
    let mut store = Store::default();
    (0..5).for_each(|number| put(&mut store, "a", number));
    store.compact(3);
    assert_eq!(store.compacted(), 3);
    assert!(store.after(2).is_none());
    assert_eq!(store.after(3).unwrap().map(|event| event.revision).collect::<Vec<_>>(), [4, 5]);
    assert!(store.at("things", 2).is_none());
    assert!(store.after(9).unwrap().next().is_none());
}
