//! Values with their types: checking them, and the walks over one or two of them that merging is made of.
//!
//! Each walk takes the type that fits the value where the schema allows several forms. `null` fits all of them.

mod check;
mod combine;
mod compare;
mod field_set;
mod items;
mod reconcile;
mod remove;

use serde_json::Value;

use super::{
    set::FieldSet,
    types::{Atom, List, Map, Scalar, Type},
};

pub(super) use compare::Comparison;

/// Whether a list may have several items with the same keys, or a set the same value twice.
///
/// Objects that the server has stored may: they were written before the list was a map, or with a plain update.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Duplicates {
    Allowed,
    Refused,
}

/// A value that fits its type.
#[derive(Clone, Copy)]
pub(super) struct Typed<'v, 's> {
    pub(super) value: &'v Value,
    pub(super) of: Type<'s>,
}

impl<'v, 's> Typed<'v, 's> {
    /// Checks a value.
    pub(super) fn new(value: &'v Value, of: Type<'s>, duplicates: Duplicates) -> Result<Self, String> {
        check::check(value, of, duplicates)?;
        Ok(Self { value, of })
    }

    /// The fields that the value has.
    pub(super) fn field_set(self) -> FieldSet {
        field_set::field_set(self.value, self.of)
    }

    /// What has changed in `new`.
    pub(super) fn compare(self, new: &Value) -> Comparison {
        compare::compare(self.value, new, self.of)
    }

    /// The value with what `config` says.
    pub(super) fn merge(self, config: &Value) -> Value {
        combine::merge(self.value, config, self.of)
    }

    /// The value without these fields and items.
    pub(super) fn without(self, fields: &FieldSet) -> Value {
        remove::without(self.value, fields, self.of)
    }

    /// The set of fields as it must be where the schema has become atomic since it was written.
    pub(super) fn reconcile(self, fields: FieldSet) -> FieldSet {
        reconcile::reconcile(fields, self.of)
    }
}

/// The form in which a walk treats a value.
#[derive(Clone, Copy)]
enum Form<'s> {
    Map(Map<'s>),
    Scalar(Scalar),
    List(List<'s>),
}

/// Which forms are left, to compare those of two values.
type Forms = (bool, bool, bool);

impl<'s> Atom<'s> {
    /// Leaves only the form that the value has, if it is one of those that are allowed.
    fn for_value(self, value: Option<&Value>) -> Self {
        let nothing = Self { scalar: None, list: None, map: None };
        match value {
            Some(Value::Object(_)) if self.map.is_some() => Self { map: self.map, ..nothing },
            Some(Value::Array(_)) if self.list.is_some() => Self { list: self.list, ..nothing },
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) if self.scalar.is_some() => {
                Self { scalar: self.scalar, ..nothing }
            }
            _ => self,
        }
    }

    fn forms(self) -> Forms {
        (self.map.is_some(), self.scalar.is_some(), self.list.is_some())
    }

    /// The form to walk in. A type without any takes every scalar.
    fn form(self) -> Form<'s> {
        match (self.map, self.scalar, self.list) {
            (Some(map), _, _) => Form::Map(map),
            (None, Some(scalar), _) => Form::Scalar(scalar),
            (None, None, Some(list)) => Form::List(list),
            (None, None, None) => Form::Scalar(Scalar::Untyped),
        }
    }
}

/// The forms in which two values are walked together: one, or that of the left and then that of the right where they
/// differ.
fn forms_of_two<'s>(of: Type<'s>, left: Option<&Value>, right: Option<&Value>) -> (Option<Form<'s>>, Form<'s>) {
    let [left_atom, right_atom] = [left, right].map(|value| of.atom().for_value(value));
    match (left, right) {
        (_, None) => (None, left_atom.form()),
        (Some(_), Some(_)) if left_atom.forms() != right_atom.forms() => (Some(left_atom.form()), right_atom.form()),
        _ => (None, right_atom.form()),
    }
}
