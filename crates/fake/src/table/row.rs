//! A row in the making: what cells are made from.

use serde_json::{Map, Value};

use super::age::human;
use crate::{clock, scale::requirement_text};

/// What is written where there is nothing.
pub(super) const NONE: &str = "<none>";

/// An object of which a row is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) object: &'a Value,
    /// The time, in seconds after 1970.
    pub(super) now: u64,
}

impl<'a> Row<'a> {
    pub(super) fn at(&self, pointer: &str) -> &'a Value {
        self.object.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// A text; empty if there is none.
    pub(super) fn text(&self, pointer: &str) -> &'a str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// A text, or another one in its place.
    pub(super) fn text_or(&self, pointer: &str, otherwise: &str) -> Value {
        match self.text(pointer) {
            "" => otherwise.into(),
            text => text.into(),
        }
    }

    /// A whole number; 0 if there is none.
    pub(super) fn number(&self, pointer: &str) -> i64 {
        self.at(pointer).as_i64().unwrap_or_default()
    }

    pub(super) fn items(&self, pointer: &str) -> &'a [Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    /// How many members a map has.
    pub(super) fn members(&self, pointer: &str) -> usize {
        self.at(pointer).as_object().map_or(0, Map::len)
    }

    pub(super) fn name(&self) -> Value {
        self.text("/metadata/name").into()
    }

    pub(super) fn age(&self) -> Value {
        self.since(self.text("/metadata/creationTimestamp"))
    }

    /// How long ago a time was.
    pub(super) fn since(&self, time: &str) -> Value {
        match clock::seconds(time) {
            Some(time) => human(self.now.saturating_sub(time)).into(),
            None => "<unknown>".into(),
        }
    }

    pub(super) fn is_being_deleted(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }

    /// Whether a condition of its status is true.
    pub(super) fn has(&self, condition: &str) -> bool {
        self.items("/status/conditions").iter().any(|it| it["type"] == condition && it["status"] == "True")
    }
}

/// A member of each item as texts with commas between.
pub(super) fn joined(items: &[Value], member: &str) -> String {
    let texts = items.iter().filter_map(|item| item[member].as_str());
    texts.collect::<Vec<_>>().join(",")
}

/// Texts with commas between, or that there are none.
pub(super) fn list(items: &[Value]) -> String {
    let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    if texts.is_empty() { NONE.to_owned() } else { texts.join(",") }
}

/// Labels as `a=b,c=d`.
pub(super) fn labels(labels: &Value) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") }
}

/// A label selector as `a=b,c in (d,e)`; one that selects everything is none.
pub(super) fn selector(selector: &Value) -> String {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut parts: Vec<(String, String)> =
        equal.map(|(name, value)| (name.clone(), format!("{name}={}", value.as_str().unwrap_or_default()))).collect();
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        parts.push((key.to_owned(), requirement_text(expression)));
    }
    parts.sort();
    let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    if texts.is_empty() { NONE.to_owned() } else { texts.join(",") }
}
