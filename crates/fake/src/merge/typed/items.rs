//! The path elements of list items.

use serde_json::Value;

use crate::{
    merge::{path::PathElement, types::List, value::quoted},
    schema::ListKind,
};

/// The element that leads to an item of a list that is not atomic.
pub(super) fn element_of(item: &Value, list: List<'_>) -> Result<PathElement, String> {
    match list.kind() {
        ListKind::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        ListKind::Set => match item {
            Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
            Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
            Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
            scalar => Ok(PathElement::Value(scalar.clone())),
        },
        ListKind::Map(keys) => key_of(item, list, keys),
    }
}

fn key_of(item: &Value, list: List<'_>, keys: &[String]) -> Result<PathElement, String> {
    let fields = match item {
        Value::Object(fields) => fields,
        Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let item_type = list.element().atom().map;
    let mut found = Vec::new();
    for key in keys {
        // A key that is missing and has no default is left out: the item is another one than those which have it.
        let default = || item_type.and_then(|map| map.default(key));
        if let Some(value) = fields.get(key).or_else(default) {
            found.push((key.clone(), value.clone()));
        }
    }
    if found.is_empty() {
        let keys: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
             values for any key fields)",
            keys.join(" ")
        ));
    }
    Ok(PathElement::key(found))
}
