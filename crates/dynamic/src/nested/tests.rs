use super::*;
use serde_json::json;

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is not an object"),
    }
}

/// One of each kind of value, under `a`.
fn sample() -> Fields {
    fields(json!({ "a": {
        "null": null,
        "bool": true,
        "integer": -7,
        "large": u64::MAX,
        "uneven": 9_007_199_254_740_993_i64,
        "float": 1.5,
        "whole": 2.0,
        "string": "text",
        "list": ["one", 2],
        "strings": ["one", "two"],
        "map": { "key": "value", "none": null },
        "texts": { "key": "value" },
    } }))
}

#[test]
fn values_are_read_by_their_type() {
    let object = sample();
    assert_eq!(nested_string(&object, &["a", "string"]), Ok(Some("text")));
    assert_eq!(nested_bool(&object, &["a", "bool"]), Ok(Some(true)));
    assert_eq!(nested_i64(&object, &["a", "integer"]), Ok(Some(-7)));
    assert_eq!(nested_f64(&object, &["a", "float"]), Ok(Some(1.5)));
    assert_eq!(nested_f64(&object, &["a", "whole"]), Ok(Some(2.0)));
    assert_eq!(nested_number_as_f64(&object, &["a", "integer"]), Ok(Some(-7.0)));
    assert_eq!(nested_number_as_f64(&object, &["a", "float"]), Ok(Some(1.5)));
    assert_eq!(nested_slice(&object, &["a", "list"]), Ok(Some(&[json!("one"), json!(2)][..])));
    assert_eq!(nested_string_slice(&object, &["a", "strings"]), Ok(Some(vec!["one", "two"])));
    assert_eq!(nested_map(&object, &["a", "texts"]), Ok(Some(&fields(json!({ "key": "value" })))));
    let texts = BTreeMap::from([("key".to_owned(), "value".to_owned())]);
    assert_eq!(nested_string_map(&object, &["a", "texts"]), Ok(Some(texts)));
    assert_eq!(nested_field(&object, &["a", "null"]), Ok(Some(&Value::Null)));
    assert_eq!(nested_field_copy(&object, &["a", "float"]), Ok(Some(json!(1.5))));
}

#[test]
fn what_is_not_there_is_none_and_so_is_all_below_null() {
    let object = sample();
    for path in [&["b"][..], &["a", "b"], &["b", "c"], &["a", "null", "b"], &["a", "map", "none", "b"]] {
        assert_eq!(nested_field(&object, path), Ok(None), "{path:?}");
        assert_eq!(nested_string(&object, path), Ok(None), "{path:?}");
        assert_eq!(nested_null_coercing_string_map(&object, path), Ok(None), "{path:?}");
        assert_eq!(nested_field_mut(&mut sample(), path), Ok(None), "{path:?}");
    }
}

#[test]
fn wrong_shapes_are_errors_that_name_the_path() {
    let object = sample();
    let told = |error: FieldError| error.to_string();
    for (error, text) in [
        (nested_field(&object, &["a", "string", "b", "c"]).map(drop), ".a.string: is a string, expected an object"),
        (nested_string(&object, &["a", "integer"]).map(drop), ".a.integer: is an integer, expected a string"),
        (nested_string(&object, &["a", "null"]).map(drop), ".a.null: is null, expected a string"),
        (nested_bool(&object, &["a", "string"]).map(drop), ".a.string: is a string, expected a boolean"),
        (
            nested_i64(&object, &["a", "whole"]).map(drop),
            ".a.whole: is a float, expected an integer of 64 bits with a sign",
        ),
        (
            nested_i64(&object, &["a", "large"]).map(drop),
            ".a.large: is an integer, expected an integer of 64 bits with a sign",
        ),
        (nested_f64(&object, &["a", "integer"]).map(drop), ".a.integer: is an integer, expected a float"),
        (
            nested_number_as_f64(&object, &["a", "uneven"]).map(drop),
            ".a.uneven: is an integer, expected a number that a float has exactly",
        ),
        (
            nested_number_as_f64(&object, &["a", "large"]).map(drop),
            ".a.large: is an integer, expected a number that a float has exactly",
        ),
        (
            nested_number_as_f64(&object, &["a", "bool"]).map(drop),
            ".a.bool: is a boolean, expected a number that a float has exactly",
        ),
        (nested_slice(&object, &["a", "map"]).map(drop), ".a.map: is an object, expected a list"),
        (nested_string_slice(&object, &["a", "list"]).map(drop), ".a.list[1]: is an integer, expected a string"),
        (nested_map(&object, &["a", "list"]).map(drop), ".a.list: is a list, expected an object"),
        (nested_string_map(&object, &["a", "map"]).map(drop), ".a.map[\"none\"]: is null, expected a string"),
        (nested_string_map(&object, &["a", "null"]).map(drop), ".a.null: is null, expected an object"),
        (nested_field(&object, &[]).map(drop), ".: the path names no field"),
    ] {
        assert_eq!(error.map_err(told), Err(text.to_owned()));
    }
}

#[test]
fn nulls_among_texts_are_empty_when_that_is_asked_for() {
    let object = sample();
    let texts = nested_null_coercing_string_map(&object, &["a", "map"]).unwrap().unwrap();
    assert_eq!(texts, BTreeMap::from([("key", "value"), ("none", "")].map(|(k, v)| (k.to_owned(), v.to_owned()))));
    assert_eq!(nested_null_coercing_string_map(&object, &["a", "null"]), Ok(Some(BTreeMap::new())));
    let error = nested_null_coercing_string_map(&object, &["a"]).unwrap_err();
    assert!(error.path().starts_with(".a["), "{error}");
}

#[test]
fn values_are_set_with_all_that_leads_to_them() {
    let mut object = Fields::new();
    set_nested_field(&mut object, 3, &["spec", "replicas"]).unwrap();
    set_nested_string_slice(&mut object, ["a", "b"], &["spec", "args"]).unwrap();
    set_nested_slice(&mut object, vec![json!(1)], &["spec", "list"]).unwrap();
    set_nested_map(&mut object, fields(json!({ "x": null })), &["spec", "map"]).unwrap();
    set_nested_string_map(&mut object, [("app", "web")], &["metadata", "labels"]).unwrap();
    let expected = json!({
        "spec": { "replicas": 3, "args": ["a", "b"], "list": [1], "map": { "x": null } },
        "metadata": { "labels": { "app": "web" } },
    });
    assert_eq!(Value::Object(object), expected);
}

#[test]
fn nothing_is_set_where_something_else_is_in_the_way() {
    let mut object = sample();
    for (path, text) in [
        (&["a", "string", "b"][..], ".a.string: is a string, expected an object"),
        (&["a", "null", "b"], ".a.null: is null, expected an object"),
        (&["a", "list", "0"], ".a.list: is a list, expected an object"),
        (&[], ".: the path names no field"),
    ] {
        assert_eq!(set_nested_field(&mut object, 1, path).map_err(|error| error.to_string()), Err(text.to_owned()));
    }
    assert_eq!(object, sample());
}

#[test]
fn fields_are_changed_in_place() {
    let mut object = sample();
    *nested_field_mut(&mut object, &["a", "list"]).unwrap().unwrap() = json!([]);
    assert_eq!(nested_slice(&object, &["a", "list"]), Ok(Some(&[][..])));
    assert_eq!(nested_field_mut(&mut object, &["a", "bool", "b"]).unwrap_err().path(), ".a.bool");
}

#[test]
fn removing_gives_what_was_there() {
    let mut object = sample();
    assert_eq!(remove_nested_field(&mut object, &["a", "bool"]), Some(json!(true)));
    for path in [&["a", "bool"][..], &["a", "string", "b"], &["b", "c"], &[]] {
        assert_eq!(remove_nested_field(&mut object, path), None, "{path:?}");
    }
}
