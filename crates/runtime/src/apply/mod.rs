//! Apply configurations: objects of which every field is optional, for server-side apply.
//!
//! An applied object says which fields its manager owns, so only what was set on purpose may be sent. The types of
//! k8s-openapi cannot do that: their required fields are always there. Generated crates have a configuration for each type
//! of the API (`v1::apply`); this module is what they have in common.
//!
//! A configuration is a [`Record`]: a struct of optional fields with a table of their names. One serialiser and one
//! deserialiser work over the tables of all of them, which costs a third of what serde's derived code costs to compile.
//!
//! [`Extract`] is the way back: from an object that was read to the configuration of what one manager owns of it.

mod extract;
mod field;
mod macros;
mod natural;
mod ownership;
mod problem;
mod record;
mod shape;

pub use serde_json::Value;

pub use self::{
    extract::{Extract, extract_value},
    field::{Field, Node},
    natural::{AsByteString, AsIntOrString, AsQuantity},
    problem::Problem,
    record::{Record, deserialize, record_from_json, record_to_json, serialize},
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
/// `serde_json::Value` is one of every kind; for a type of your own with serde's traits, `serde_json::to_value` makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no configuration of `{K}`",
    note = "apply the kind's own `…ApplyConfiguration`, or a `serde_json::Value`"
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

impl<K> Applicable<K> for Value {}

/// A list of what converts into its items: what generated setters make of an iterator. They take each item as an `A`.
#[doc(hidden)]
pub fn list<A: Into<T>, T>(items: impl IntoIterator<Item = impl Into<A>>) -> Option<Vec<T>> {
    Some(items.into_iter().map(|item| item.into().into()).collect())
}

/// A map of what converts into its keys and values: what generated setters make of an iterator. They take each value as an
/// `A`.
#[doc(hidden)]
pub fn map<A: Into<T>, T>(
    entries: impl IntoIterator<Item = (impl Into<String>, impl Into<A>)>,
) -> Option<std::collections::BTreeMap<String, T>> {
    Some(entries.into_iter().map(|(key, value)| (key.into(), value.into().into())).collect())
}
