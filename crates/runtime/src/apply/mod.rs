//! Apply configurations: objects of which every field is optional, for server-side apply.
//!
//! An applied object says which fields its manager owns, so only fields that were set on purpose may be sent. The types
//! of k8s-openapi cannot do that: their required fields are always there. So each type that an applied object can
//! contain has a twin with optional fields: in `v1::apply` of its group's crate, and for metadata in `crates/api/meta`,
//! which all share. This module is what they have in common. `resource/patch.rs` has the checks that all clients make
//! before a configuration is sent: its name, its namespace, `apiVersion` and `kind`, and that it is not an object that
//! was read.
//!
//! * **One line for each field.** A generated file is a list of fields for `record!`, which makes the struct, its
//!   setters and a table of `(name, &dyn Field)`: a [`Record`]. One serialiser and one deserialiser work over the
//!   tables of all types. serde's derived code for core's 217 types takes three times as long to compile.
//! * **All versions at once.** A configuration has the fields of every supported Kubernetes version: it contains no
//!   object of k8s-openapi, a gate has no place inside a struct, and a server refuses a field that it does not know.
//!   The versions that have a field stand beside it (`@ (34..=36)`), for extraction. Types and fields that the newest
//!   version lacks are `old`: their docs link nowhere.
//! * **Shapes.** How a type merges (`Shape`: by field, by entry, by key, as a set, as a whole) is a constant made of
//!   the schema's `x-kubernetes-list-type`, `-list-map-keys` and `-map-type`, read as Kubernetes reads them: a list
//!   without a list type is atomic, an object without a map type is granular, and a field may be `granular` though its
//!   type is atomic.
//! * **[`Extract`]** is the way back: from an object that was read to the configuration of the fields that one manager
//!   owns. It walks the object, its shape and the manager's `FieldsV1` together. List items match by their key fields;
//!   a missing key has its default value, and matching does not make the manager its owner. Items with the same key are
//!   owned together. A field that the manager owns but the shape or k8s-openapi's compiled version lacks is an error
//!   that names it, since the next apply would remove it from the object. So is a field that was applied in another
//!   version of the API. Other owned fields that are absent were applied as null or dropped by the server.
//! * **The feature `clients`** (default) of group crates. Configurations contain those of other groups; `apps` contains
//!   nearly all of `core`. Such a dependency is for the configurations alone and compiles none of that group's clients
//!   and codecs. The module `api` of each crate names the crates that its configurations come from.

mod extract;
mod field;
mod generated;
mod macros;
mod natural;
mod ownership;
mod problem;
mod record;
mod shape;

use k8s_openapi::{Resource, serde::Serialize};
#[doc(hidden)]
pub use serde_json::Value;

pub(crate) use self::field::{unexpected, whole};
// What the generator's macros need.
pub use self::{
    extract::Extract,
    natural::{AsByteString, AsIntOrString, AsQuantity},
};
#[doc(hidden)]
pub use self::{
    extract::extract_value,
    field::{Field, Node, RequiredField},
    problem::Problem,
    record::{Record, Unknown, deserialize, record_from_json, record_to_json, serialize},
    shape::Shape,
};
use crate::codec;

/// What can be applied: the configuration of an object, or any JSON.
///
/// It names its object itself. A namespace in it must be that of the client it is given to.
pub trait Configuration {
    /// `metadata.name`
    fn name(&self) -> Option<&str>;

    /// `metadata.namespace`
    fn namespace(&self) -> Option<&str>;

    /// The body: `apiVersion`, `kind` and what was set.
    ///
    /// # Errors
    ///
    /// When serde cannot write the configuration. Generated ones never fail.
    fn to_json(&self) -> codec::Result<Value>;
}

/// A [`Configuration`] of this kind.
///
/// `serde_json::Value` is one of every kind; for a type of your own with serde's traits, `serde_json::to_value` makes
/// it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a configuration of `{K}`",
    note = "apply the kind's own `…ApplyConfiguration`, or a `serde_json::Value`; a struct of your own becomes one by the option \
            `apply` of `custom_resource!`",
    note = "an object that was read is not applied, since its manager would own all its fields; `…ApplyConfiguration::extract` \
            takes from it what the manager owns"
)]
pub trait Applicable<K>: Configuration {}

/// Any JSON object, as it is.
impl Configuration for Value {
    fn name(&self) -> Option<&str> {
        self["metadata"]["name"].as_str()
    }

    fn namespace(&self) -> Option<&str> {
        self["metadata"]["namespace"].as_str()
    }

    fn to_json(&self) -> codec::Result<Value> {
        Ok(self.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<K> Applicable<K> for Value {}

/// The body of a configuration of one's own for objects of type `T`: with what names the type, and without what is not
/// set.
#[doc(hidden)]
pub fn without_unset<T: Resource>(configuration: &impl Serialize) -> codec::Result<Value> {
    fn remove_nulls(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| !value.is_null());
                fields.values_mut().for_each(remove_nulls);
            }
            Value::Array(items) => items.iter_mut().for_each(remove_nulls),
            _ => {}
        }
    }

    let mut json = serde_json::to_value(configuration)?;
    remove_nulls(&mut json);
    if let Value::Object(fields) = &mut json {
        fields.entry("apiVersion").or_insert_with(|| T::API_VERSION.into());
        fields.entry("kind").or_insert_with(|| T::KIND.into());
    }
    Ok(json)
}

/// A list of what converts into its items: what generated setters make of an iterator. They take each item as an `A`.
#[doc(hidden)]
pub fn list<A: Into<T>, T>(items: impl IntoIterator<Item = impl Into<A>>) -> Option<Vec<T>> {
    Some(items.into_iter().map(|item| item.into().into()).collect())
}

/// A map of what converts into its keys and values: what generated setters make of an iterator. They take each value as
/// an `A`.
#[doc(hidden)]
pub fn map<A: Into<T>, T>(
    entries: impl IntoIterator<Item = (impl Into<String>, impl Into<A>)>,
) -> Option<std::collections::BTreeMap<String, T>> {
    Some(entries.into_iter().map(|(key, value)| (key.into(), value.into().into())).collect())
}
