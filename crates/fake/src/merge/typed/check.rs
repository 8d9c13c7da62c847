//! Checking values against their types.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use super::{Duplicates, Form, items::element_of};
use crate::merge::{
    path::PathElement,
    types::{List, Map, Scalar, Type},
    value::{go_type, in_source, in_text},
};

/// Checks a value; the error has all faults with their paths, as the server writes them.
pub(super) fn check(value: &Value, of: Type<'_>, duplicates: Duplicates) -> Result<(), String> {
    let mut faults = Faults { duplicates, path: Vec::new(), found: Vec::new() };
    faults.value(value, of);
    match faults.found.as_slice() {
        [] => Ok(()),
        [only] => Err(only.clone()),
        several => Err(format!("errors:\n  {}", several.join("\n  "))),
    }
}

struct Faults<'v> {
    duplicates: Duplicates,
    path: Vec<Step<'v>>,
    found: Vec<String>,
}

/// A step of the path to a value. Nothing is copied for those that have no faults.
enum Step<'v> {
    Member(&'v str),
    Item(PathElement),
}

impl<'v> Faults<'v> {
    fn value(&mut self, value: &'v Value, of: Type<'_>) {
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

    fn members(&mut self, members: &'v serde_json::Map<String, Value>, map: Map<'_>) {
        for (name, value) in members {
            self.path.push(Step::Member(name));
            let of = map.at(name);
            match of {
                Some(of) => self.value(value, of),
                None => self.add("field not declared in schema"),
            }
            self.path.pop();
            if of.is_none() {
                return;
            }
        }
    }

    fn items(&mut self, items: &'v [Value], list: List<'_>) {
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
            if self.duplicates == Duplicates::Refused {
                seen.insert(element.clone());
            }
            self.path.push(Step::Item(element));
            self.value(item, list.element());
            self.path.pop();
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

    fn add(&mut self, fault: &str) {
        let path: String = self.path.iter().map(ToString::to_string).collect();
        self.found.push(if path.is_empty() { fault.to_owned() } else { format!("{path}: {fault}") });
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => PathElement::field(*name).fmt(f),
            Self::Item(element) => element.fmt(f),
        }
    }
}

/// A value as Go prints the one that it walks over.
fn got(value: &Value) -> String {
    format!("&{{{}}}", in_text(value))
}
