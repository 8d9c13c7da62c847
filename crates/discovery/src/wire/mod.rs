//! The documents of discovery as they travel, and as kubectl keeps them on disk.
//!
//! There are two forms. [`aggregated`] documents have all groups with their resources; of [`plain`] ones, `/api` and
//! `/apis` have the groups alone, and each group-version has a document of its own. The `Content-Type` of an answer
//! says which form it has ([`content_type`]): a plain document would be read as an aggregated one with nothing in it.
//!
//! k8s-openapi has types for some of them, which want fields that old and aggregated servers leave out. These take what
//! Go takes, in which a null is the same as a field that is not there. What even Go would refuse, a field of another
//! type, costs only the version or the group in whose entry it is: that is among the
//! [`failures`](crate::ServerResources::failures), and the others are read. So lists are decoded entry by entry
//! ([`Entry`]).

pub(crate) mod aggregated;

pub(crate) mod content_type;

pub(crate) mod plain;

use std::{collections::BTreeMap, fmt};

use k8s_client_runtime::schema::{GroupVersion, GroupVersionKind, ResourceScope};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::error::Error;

/// One of the two documents that name the groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// That of the core group, which has no name.
    Core,
    /// That of all other groups.
    Groups,
}

impl Root {
    /// Where it is.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Core => "/api",
            Self::Groups => "/apis",
        }
    }
}

/// A JSON object whose fields are decoded one by one, when they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Entry(BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

impl Entry {
    fn read(entry: &RawValue) -> Result<Self, Problem> {
        Ok(serde_json::from_str(entry.get())?)
    }

    /// A field, without any nulls in it.
    fn get<T: Default + DeserializeOwned>(&self, field: &str) -> Result<T, Problem> {
        let Some(raw) = self.0.get(field) else { return Ok(T::default()) };
        let decode = || {
            let mut value = serde_json::from_str(raw.get())?;
            remove_nulls(&mut value);
            if value.is_null() { Ok(T::default()) } else { T::deserialize(value) }
        };
        decode().map_err(|error| Problem::from(error).within(field))
    }

    /// A field that is a list, whose entries are not yet decoded.
    fn list(&self, field: &str) -> Result<Vec<Box<RawValue>>, Problem> {
        let Some(raw) = self.0.get(field) else { return Ok(Vec::new()) };
        let list: Result<Option<_>, _> = serde_json::from_str(raw.get());
        list.map(Option::unwrap_or_default).map_err(|error| Problem::from(error).within(field))
    }
}

/// Takes nulls out of objects and lists, at any depth that serde_json decodes.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(remove_nulls);
        }
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Why a document, or an entry of one, cannot be decoded.
#[derive(Debug)]
pub(crate) struct Problem(String);

impl Problem {
    fn within(self, field: &str) -> Self {
        Self(format!("{field}: {}", self.0))
    }

    /// Something lacks its name.
    fn nameless() -> Self {
        Self("it has no name".to_owned())
    }

    /// The error that stands for a version; with an empty version, for what cannot be known of a group.
    fn of(self, group_version: GroupVersion) -> Error {
        Error::malformed(group_version, self.0)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kind of a resource's objects. A group and a version that are empty are those of the list that it is in.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseKind {
    group: String,
    version: String,
    kind: String,
}

impl ResponseKind {
    /// The whole kind. `None` if there is no kind at all.
    fn in_list(self, list: &GroupVersion) -> Option<GroupVersionKind> {
        let or = |text: String, other: &String| if text.is_empty() { other.clone() } else { text };
        let (group, version) = (or(self.group, &list.group), or(self.version, &list.version));
        (!self.kind.is_empty()).then(|| GroupVersionKind::new(group, version, self.kind))
    }
}

fn scope(namespaced: bool) -> ResourceScope {
    if namespaced { ResourceScope::Namespaced } else { ResourceScope::Cluster }
}

#[cfg(test)]
mod tests;
