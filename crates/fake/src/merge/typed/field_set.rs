//! The set of fields that a value has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Form, items::element_of};
use crate::merge::{
    path::PathElement,
    set::FieldSet,
    types::{List, Map, Type},
    value::is_empty,
};

/// The leaves of the value, its list items, its map entries, and what is empty.
pub(super) fn field_set(value: &Value, of: Type<'_>) -> FieldSet {
    let mut walk = Walk { path: Vec::new(), set: FieldSet::default() };
    walk.value(value, of);
    walk.set
}

struct Walk {
    path: Vec<PathElement>,
    set: FieldSet,
}

impl Walk {
    fn value(&mut self, value: &Value, of: Type<'_>) {
        match of.atom().for_value(Some(value)).form() {
            Form::Scalar(_) => self.add(),
            Form::Map(map) if map.is_atomic() => self.add(),
            Form::Map(map) => {
                if let Value::Object(members) = value {
                    self.members(members, map);
                }
            }
            Form::List(list) if list.is_atomic() => self.add(),
            Form::List(list) => {
                if let Value::Array(items) = value {
                    self.items(items, list);
                }
            }
        }
    }

    fn members(&mut self, members: &serde_json::Map<String, Value>, map: Map<'_>) {
        for (name, value) in members {
            let field = map.field(name);
            self.path.push(PathElement::field(name.as_str()));
            self.value(value, field.or_else(|| map.element()).unwrap_or(Type::Deduced));
            let empty = !value.is_array() && is_empty(value);
            if empty || field.is_none() {
                self.add();
            }
            self.path.pop();
        }
    }

    fn items(&mut self, items: &[Value], list: List<'_>) {
        // Removing all fields of an item leaves `null`, to which no element leads. It counts as something in the list.
        let element = |item| element_of(item, list).unwrap_or(PathElement::Value(Value::Null));
        let items: Vec<_> = items.iter().map(|item| (element(item), item)).collect();
        let mut counts = BTreeMap::<&PathElement, usize>::new();
        for (element, _) in &items {
            *counts.entry(element).or_default() += 1;
        }
        for (element, item) in &items {
            self.path.push(element.clone());
            if counts.get(element) == Some(&1) {
                self.value(item, list.element());
            }
            self.add(); // Of items with the same keys nothing is known but that they are there.
            self.path.pop();
        }
    }

    fn add(&mut self) {
        self.set.insert(&self.path);
    }
}
