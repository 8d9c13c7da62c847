//! The set of fields that a value has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Form, items::element_of};
use crate::merge::{
    path::PathElement,
    set::{FieldSet, Node},
    types::{List, Map, Type},
    value::is_empty,
};

/// The leaves of the value, its list items, its map entries, and what is empty.
pub(super) fn field_set(value: &Value, of: Type<'_>) -> FieldSet {
    node(value, of).below
}

/// Whether the value is a leaf, and else what is below it.
fn node(value: &Value, of: Type<'_>) -> Node {
    let leaf = Node { member: true, below: FieldSet::default() };
    match (of.atom().for_value(Some(value)).form(), value) {
        (Form::Map(map), Value::Object(members)) if !map.is_atomic() => members_below(members, map),
        (Form::List(list), Value::Array(items)) if !list.is_atomic() => items_below(items, list),
        (Form::Map(map), _) if !map.is_atomic() => Node::default(),
        (Form::List(list), _) if !list.is_atomic() => Node::default(),
        _ => leaf,
    }
}

fn members_below(members: &serde_json::Map<String, Value>, map: Map<'_>) -> Node {
    let mut below = FieldSet::default();
    for (name, value) in members {
        let field = map.field(name);
        let mut node = node(value, field.or_else(|| map.element()).unwrap_or(Type::Deduced));
        let empty = !value.is_array() && is_empty(value);
        node.member |= empty || field.is_none();
        below.put(PathElement::field(name.as_str()), node);
    }
    Node { member: false, below }
}

fn items_below(items: &[Value], list: List<'_>) -> Node {
    // Removing all fields of an item leaves `null`, to which no element leads. It counts as something in the list.
    let element = |item| element_of(item, list).unwrap_or(PathElement::Value(Value::Null));
    let mut by_element = BTreeMap::<PathElement, Vec<&Value>>::new();
    for item in items {
        by_element.entry(element(item)).or_default().push(item);
    }
    let mut below = FieldSet::default();
    for (element, items) in by_element {
        // Of items with the same keys nothing is known but that they are there.
        let found = if let [only] = items[..] { node(only, list.element()).below } else { FieldSet::default() };
        below.put(element, Node { member: true, below: found });
    }
    Node { member: false, below }
}
