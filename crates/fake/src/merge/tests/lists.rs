//! The order of merged lists.

use serde_json::{Value, json};

use super::server::Server;

/// Names as letters: `abc`.
fn items(names: &str) -> Value {
    names.chars().map(|name| json!({ "name": name })).collect()
}

fn names(items: &Value) -> String {
    items.as_array().into_iter().flatten().filter_map(|item| item["name"].as_str()).collect()
}

fn list(kind: &str) -> Value {
    let item = json!({ "type": "object", "properties": { "name": { "type": "string" }, "x": { "type": "integer" } } });
    let mut list = json!({ "type": "array", "items": item, "x-kubernetes-list-type": kind });
    if kind == "map" {
        list["x-kubernetes-list-map-keys"] = json!(["name"]);
    }
    json!({ "type": "object", "properties": { "list": list } })
}

#[test]
fn items_of_the_configuration_come_in_its_order_and_others_stay_in_their_places() -> Result<(), String> {
    for (live, config, merged) in [
        ("", "ab", "ab"),
        ("ab", "", "ab"),
        ("ab", "ab", "ab"),
        ("ab", "ba", "ba"),
        ("ab", "cd", "abcd"),
        ("abc", "bd", "abcd"),
        ("abc", "db", "adbc"),
        ("abc", "ca", "bca"),
        ("abcd", "dxa", "bcdxa"),
        ("axbyc", "cba", "xycba"),
        ("abcde", "xbydz", "axbcydez"),
    ] {
        let mut server = Server::of_custom(&list("map"));
        server.update("before", json!({ "spec": { "list": items(live) } }));
        server.apply("a", json!({ "spec": { "list": items(config) } }))?;
        assert_eq!(names(&server.live["spec"]["list"]), merged, "{live} and {config}");
    }
    Ok(())
}

#[test]
fn sets_are_united_and_atomic_lists_replaced() -> Result<(), String> {
    let set = json!({ "type": "array", "items": { "type": "string" }, "x-kubernetes-list-type": "set" });
    let mut server = Server::of_custom(&json!({ "type": "object", "properties": { "list": set } }));
    server.apply("a", json!({ "spec": { "list": ["b", "a"] } }))?;
    server.apply("b", json!({ "spec": { "list": ["c", "a"] } }))?;
    assert_eq!(server.live["spec"]["list"], json!(["b", "c", "a"]));
    server.apply("a", json!({ "spec": { "list": ["b"] } }))?;
    assert_eq!(server.live["spec"]["list"], json!(["b", "c", "a"]), "b owns a, too");
    server.apply("b", json!({ "spec": { "list": ["c"] } }))?;
    assert_eq!(server.live["spec"]["list"], json!(["b", "c"]));

    let mut server = Server::of_custom(&list("atomic"));
    server.apply("a", json!({ "spec": { "list": items("ab") } }))?;
    assert_eq!(server.owned("a"), r#"{"f:spec":{"f:list":{}}}"#);
    server.force("b", json!({ "spec": { "list": items("c") } }))?;
    assert_eq!((names(&server.live["spec"]["list"]).as_str(), server.managers()), ("c", vec!["b Apply".to_owned()]));
    Ok(())
}

#[test]
fn items_with_the_same_keys_are_kept_until_somebody_applies_one_of_them() -> Result<(), String> {
    let twice = json!([{ "name": "a", "x": 1 }, { "name": "b" }, { "name": "a", "x": 2 }]);
    let mut server = Server::of_custom(&list("map"));
    server.update("before", json!({ "spec": { "list": twice } }));
    assert_eq!(
        server.owned("before"),
        r#"{"f:spec":{".":{},"f:list":{".":{},"k:{\"name\":\"a\"}":{},"k:{\"name\":\"b\"}":{".":{},"f:name":{}}}}}"#
    );
    server.apply("a", json!({ "spec": { "list": [{ "name": "b", "x": 3 }] } }))?;
    let after = json!([{ "name": "a", "x": 1 }, { "name": "b", "x": 3 }, { "name": "a", "x": 2 }]);
    assert_eq!(server.live["spec"]["list"], after);
    server.force("a", json!({ "spec": { "list": [{ "name": "a", "x": 4 }] } }))?;
    assert_eq!(server.live["spec"]["list"], json!([{ "name": "a", "x": 4 }, { "name": "b" }]));

    // It is none of the two that the applied one is merged with.
    let mut server = Server::of_custom(&list("map"));
    server.update("before", json!({ "spec": { "list": twice } }));
    server.force("a", json!({ "spec": { "list": [{ "name": "a" }] } }))?;
    assert_eq!(server.live["spec"]["list"], json!([{ "name": "a" }, { "name": "b" }]));
    Ok(())
}

#[test]
fn keys_are_written_in_the_order_of_their_names() -> Result<(), String> {
    let item =
        json!({ "type": "object", "properties": { "name": { "type": "string" }, "port": { "type": "integer" } } });
    let list = json!({
        "type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "name"],
    });
    let mut server = Server::of_custom(&json!({ "type": "object", "properties": { "list": list } }));
    server.apply("a", json!({ "spec": { "list": [{ "name": "a", "port": 1 }, { "port": 1 }] } }))?;
    assert_eq!(
        server.owned("a"),
        r#"{"f:spec":{"f:list":{"k:{\"name\":\"a\",\"port\":1}":{".":{},"f:name":{},"f:port":{}},"#.to_owned()
            + r#""k:{\"port\":1}":{".":{},"f:port":{}}}}}"#
    );
    Ok(())
}
