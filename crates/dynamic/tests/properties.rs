//! What holds for every object and every path.

use k8s_client_dynamic::{Fields, Unstructured, UnstructuredList, nested::*};
use proptest::{collection, prelude::*};
use serde_json::{Number, Value, json};

/// Few names, so that paths meet objects.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-c]", 1 => ".{0,3}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| Number::from_f64(float).map_or(Value::Null, Value::Number)),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 5, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::vec((name(), inner), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn fields() -> impl Strategy<Value = Fields> {
    collection::vec((name(), value()), 0..5).prop_map(|fields| fields.into_iter().collect())
}

fn path() -> impl Strategy<Value = Vec<String>> {
    collection::vec(name(), 0..5)
}

fn borrowed(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

proptest! {
    #[test]
    fn objects_survive_being_written_and_read(object in fields()) {
        let object = Unstructured::from(object);
        let text = serde_json::to_string(&object).unwrap();
        prop_assert_eq!(serde_json::from_str::<Unstructured>(&text).unwrap(), object.clone());
        prop_assert_eq!(Unstructured::from_typed(&object), Ok(object.clone()));
        prop_assert_eq!(object.to_typed::<Unstructured>(), Ok(object));
    }

    #[test]
    fn lists_survive_being_written_and_read(own in fields(), items in collection::vec(fields(), 0..4)) {
        let mut whole = own;
        whole.insert("items".to_owned(), Value::Array(items.into_iter().map(Value::Object).collect()));
        let list = UnstructuredList::try_from(whole.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&list).unwrap(), Value::Object(whole));
    }

    #[test]
    fn no_helper_panics_and_wrong_shapes_name_a_part_of_the_path(object in fields(), path in path()) {
        let path = borrowed(&path);
        let whole = format!(".{}", path.join("."));
        let mut changed = object.clone();
        for error in [
            nested_field(&object, &path).err(),
            nested_field_copy(&object, &path).err(),
            nested_field_mut(&mut changed, &path).err(),
            nested_string(&object, &path).err(),
            nested_bool(&object, &path).err(),
            nested_i64(&object, &path).err(),
            nested_f64(&object, &path).err(),
            nested_number_as_f64(&object, &path).err(),
            nested_slice(&object, &path).err(),
            nested_map(&object, &path).err(),
            set_nested_field(&mut changed, 1, &path).err(),
        ].into_iter().flatten() {
            prop_assert!(whole.starts_with(error.path()), "{} is not on the way to {}", error.path(), whole);
        }
        for error in [
            nested_string_slice(&object, &path).err(),
            nested_string_map(&object, &path).err(),
            nested_null_coercing_string_map(&object, &path).err(),
        ].into_iter().flatten() {
            prop_assert!(whole.starts_with(error.path()) || error.path().starts_with(&whole));
        }
    }

    #[test]
    fn what_was_set_is_there_and_can_be_removed(object in fields(), path in path(), value in value()) {
        let path = borrowed(&path);
        let mut changed = object.clone();
        if set_nested_field(&mut changed, value.clone(), &path).is_ok() {
            prop_assert_eq!(nested_field(&changed, &path), Ok(Some(&value)));
            prop_assert_eq!(remove_nested_field(&mut changed, &path), Some(value));
            prop_assert_eq!(nested_field(&changed, &path), Ok(None));
        } else {
            prop_assert_eq!(changed, object, "a failed change must change nothing");
        }
    }

    #[test]
    fn setting_touches_nothing_else(object in fields(), field in "[a-c]", other in "[a-c]", value in value()) {
        prop_assume!(field != other);
        let mut changed = object.clone();
        set_nested_field(&mut changed, value, &[&field]).unwrap();
        prop_assert_eq!(changed.get(&other), object.get(&other));
    }

    #[test]
    fn removing_what_is_not_there_changes_nothing(object in fields(), path in path()) {
        let path = borrowed(&path);
        let mut changed = object.clone();
        if remove_nested_field(&mut changed, &path).is_none() {
            prop_assert_eq!(changed, object);
        }
    }

    #[test]
    fn numbers_are_what_they_were(integer in any::<i64>(), float in any::<f64>()) {
        let object = Fields::from_iter([("i".to_owned(), json!(integer)), ("f".to_owned(), json!(float))]);
        prop_assert_eq!(nested_i64(&object, &["i"]), Ok(Some(integer)));
        prop_assert!(nested_f64(&object, &["i"]).is_err() && nested_i64(&object, &["f"]).is_err());
        if float.is_finite() {
            prop_assert_eq!(nested_f64(&object, &["f"]), Ok(Some(float)));
        }
        if let Ok(number) = nested_number_as_f64(&object, &["i"]) {
            prop_assert_eq!(number.map(|number| format!("{number:.0}")), Some(integer.to_string()));
        }
    }
}
