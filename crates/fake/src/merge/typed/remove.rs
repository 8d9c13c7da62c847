//! Values without some of their fields and items.

use serde_json::{Map as Members, Value};

use super::{Form, items::element_of};
use crate::merge::{path::PathElement, set::FieldSet, types::Type};

/// The value without these fields and items. A map or list of which nothing is left becomes `null`, and so does an
/// atomic one of which a part was to be removed.
pub(super) fn without(value: &Value, fields: &FieldSet, of: Type<'_>) -> Value {
    match (of.atom().for_value(Some(value)).form(), value) {
        (Form::Scalar(_), _) => value.clone(),
        (Form::Map(map), Value::Object(members)) if !map.is_atomic() => {
            let left: Members<String, Value> = members
                .iter()
                .filter_map(|(name, member)| {
                    let element = PathElement::field(name.as_str());
                    let of = map.at(name).unwrap_or(Type::Deduced);
                    Some((name.clone(), part(member, &element, fields, of)?))
                })
                .collect();
            if left.is_empty() { Value::Null } else { Value::Object(left) }
        }
        (Form::List(list), Value::Array(items)) if !list.is_atomic() => {
            let left: Vec<Value> = items
                .iter()
                .filter_map(|item| match element_of(item, list) {
                    Ok(element) => part(item, &element, fields, list.element()),
                    Err(_) => Some(item.clone()),
                })
                .collect();
            if left.is_empty() { Value::Null } else { Value::Array(left) }
        }
        _ => Value::Null,
    }
}

/// What is left of a part; `None` when it is removed itself.
fn part(value: &Value, element: &PathElement, fields: &FieldSet, of: Type<'_>) -> Option<Value> {
    if fields.has_element(element) {
        return None;
    }
    Some(match fields.below(element) {
        Some(below) => without(value, below, of),
        None => value.clone(),
    })
}
