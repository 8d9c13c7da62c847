//! Paths to fields: what conflicts name and what sets of fields are made of.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde_json::Value;

use super::value::{compare, in_path, write_json, write_text};

/// A step from a value to one of its parts.
#[derive(Clone, Debug)]
pub(crate) enum PathElement {
    /// A field of a struct, or the entry of a map with this key.
    Field(Arc<str>),
    /// The item of a list that has these keys, sorted by their names.
    Key(Vec<(String, Value)>),
    /// The item of a set with this value.
    Value(Value),
    /// The item at this place of an atomic list.
    Index(i64),
}

impl PathElement {
    /// A field.
    pub(crate) fn field(name: impl Into<Arc<str>>) -> Self {
        Self::Field(name.into())
    }

    /// The keys of an item, in any order.
    pub(crate) fn key(mut keys: Vec<(String, Value)>) -> Self {
        keys.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self::Key(keys)
    }

    /// The element as a key of FieldsV1: `f:name`, `k:{"name":"c"}`, `v:"text"` or `i:0`.
    pub(crate) fn to_fields_v1(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => {
                let mut text = String::from("k:{");
                for (index, (name, value)) in keys.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    write_text(&mut text, name);
                    text.push(':');
                    write_json(&mut text, value);
                }
                text.push('}');
                text
            }
            Self::Value(value) => {
                let mut text = String::from("v:");
                write_json(&mut text, value);
                text
            }
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// Reads a key of FieldsV1. `None` is a kind of element that is not known, which the server leaves out.
    pub(crate) fn from_fields_v1(text: &str) -> Result<Option<Self>, String> {
        let Some((kind, content)) = text.split_once(':').filter(|(kind, _)| kind.len() == 1) else {
            return Err(format!("the field {text:?} of fieldsV1 has no kind, such as `f:`"));
        };
        let json = || -> Result<Value, String> {
            serde_json::from_str(content).map_err(|error| format!("the field {text:?} of fieldsV1: {error}"))
        };
        Ok(Some(match kind {
            "f" => Self::field(content),
            "v" => Self::Value(json()?),
            "k" => match json()? {
                Value::Object(keys) => Self::key(keys.into_iter().collect()),
                _ => return Err(format!("the field {text:?} of fieldsV1 is not a map of keys")),
            },
            "i" => Self::Index(content.parse().map_err(|error| format!("the field {text:?} of fieldsV1: {error}"))?),
            _ => return Ok(None),
        }))
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) => left.cmp(right),
            (Self::Key(left), Self::Key(right)) => left
                .iter()
                .zip(right)
                .map(|((left_name, left), (right_name, right))| {
                    left_name.cmp(right_name).then_with(|| compare(left, right))
                })
                .find(|order| order.is_ne())
                .unwrap_or_else(|| left.len().cmp(&right.len())),
            (Self::Value(left), Self::Value(right)) => compare(left, right),
            (Self::Index(left), Self::Index(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathElement {}

/// The element as messages show it: `.name`, `[name="c"]`, `[="text"]` or `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let keys: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={}", in_path(value))).collect();
                write!(f, "[{}]", keys.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", in_path(value)),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}
