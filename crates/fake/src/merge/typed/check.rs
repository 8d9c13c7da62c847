//! Checking values against their types.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Duplicates, Form, items::element_of};
use crate::merge::{
    path::PathElement,
    types::{List, Map, Scalar, Type},
    value::{go_type, in_source, in_text},
};

/// Checks a value; the error has all faults with their paths, as the server writes them.
pub(super) fn check(value: &Value, of: Type<'_>, duplicates: Duplicates) -> Result<(), String> {
    let mut faults = Faults { duplicates, path: String::new(), found: Vec::new() };
    faults.value(value, of);
    match faults.found.as_slice() {
        [] => Ok(()),
        [only] => Err(only.clone()),
        several => Err(format!("errors:\n  {}", several.join("\n  "))),
    }
}

struct Faults {
    duplicates: Duplicates,
    path: String,
    found: Vec<String>,
}

impl Faults {
    fn value(&mut self, value: &Value, of: Type<'_>) {
        match of.atom().for_value(Some(value)).form() {
            Form::Map(map) => match value {
                Value::Null => {}
                Value::Object(members) => self.members(members, map),
                other => self.add(&format!("expected map, got {}", got(other))),
            },
            Form::Scalar(scalar) => self.scalar(value, scalar),
            Form::List(list) => match value {
                Value::Null => {}
                Value::Array(items) => self.items(items, list),
                other => self.add(&format!("expected list, got {}", got(other))),
            },
        }
    }

    fn members(&mut self, members: &serde_json::Map<String, Value>, map: Map<'_>) {
        for (name, value) in members {
            let element = PathElement::field(name.as_str());
            match map.at(name) {
                Some(of) => self.within(&element, |faults| faults.value(value, of)),
                None => return self.within(&element, |faults| faults.add("field not declared in schema")),
            }
        }
    }

    fn items(&mut self, items: &[Value], list: List<'_>) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let element = if list.is_atomic() {
                PathElement::Index(i64::try_from(index).unwrap_or(i64::MAX))
            } else {
                match element_of(item, list) {
                    Ok(element) => element,
                    Err(fault) => return self.add(&format!("element {index}: {fault}")),
                }
            };
            if self.duplicates == Duplicates::Refused && seen.contains(&element) {
                self.add(&format!("duplicate entries for key {element}"));
            }
            self.within(&element, |faults| faults.value(item, list.element()));
            seen.insert(element);
        }
    }

    fn scalar(&mut self, value: &Value, scalar: Scalar) {
        match (scalar, value) {
            (_, Value::Null)
            | (Scalar::Numeric | Scalar::Untyped, Value::Number(_))
            | (Scalar::String | Scalar::Untyped, Value::String(_))
            | (Scalar::Boolean | Scalar::Untyped, Value::Bool(_)) => {}
            (Scalar::Numeric, other) => {
                self.add(&format!("expected numeric (int or float), got {}", go_type(other)));
            }
            (Scalar::String, other) => {
                self.add(&format!("expected string, got &value.valueUnstructured{{Value:{}}}", in_source(other)));
            }
            (Scalar::Boolean, other) => self.add(&format!("expected boolean, got {}", got(other))),
            (Scalar::Untyped, other) => self.add(&format!("expected any scalar, got {}", got(other))),
        }
    }

    fn within(&mut self, element: &PathElement, walk: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(&element.to_string());
        walk(self);
        self.path.truncate(length);
    }

    fn add(&mut self, fault: &str) {
        self.found.push(if self.path.is_empty() { fault.to_owned() } else { format!("{}: {fault}", self.path) });
    }
}

/// A value as Go prints the one that it walks over.
fn got(value: &Value) -> String {
    format!("&{{{}}}", in_text(value))
}
