//! The fields of a record, whatever their types.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{MicroTime, ObjectMeta, Time},
        util::intstr::IntOrString,
    },
};
use serde_json::{Map, Value};

use super::{Problem, Shape};

/// A field of a record: it may be set or not.
///
/// It is there for any `Option` of a [`Node`]. The names of its methods, and of a node's, are such that nobody calls
/// one by mistake and is then advised to import this trait.
pub trait Field {
    /// The value, if it is set.
    fn field_to_json(&self) -> Option<Value>;

    /// Sets the value; null is none, but where it is a value too.
    fn set_field_json(&mut self, value: Value) -> Result<(), Problem>;
}

/// A value of a field, or a part of one.
pub trait Node: Sized {
    /// How it merges.
    const SHAPE: Shape = Shape::Atomic;

    /// Whether null is a value, and not the absence of one.
    const NULLABLE: bool = false;

    /// The value as JSON.
    fn node_to_json(&self) -> Value;

    /// The value that JSON stands for.
    fn node_from_json(value: Value) -> Result<Self, Problem>;
}

impl<T: Node> Field for Option<T> {
    fn field_to_json(&self) -> Option<Value> {
        self.as_ref().map(Node::node_to_json)
    }

    fn set_field_json(&mut self, value: Value) -> Result<(), Problem> {
        *self = if value.is_null() && !T::NULLABLE { None } else { Some(T::node_from_json(value)?) };
        Ok(())
    }
}

/// A field that is always there: any [`Node`] of a struct that is no `Option`.
pub trait RequiredField {
    /// The value.
    fn required_to_json(&self) -> Value;

    /// Sets the value. Null leaves it as it is where it is not a value, as k8s-openapi reads required fields.
    fn set_required_json(&mut self, value: Value) -> Result<(), Problem>;
}

impl<T: Node> RequiredField for T {
    fn required_to_json(&self) -> Value {
        self.node_to_json()
    }

    fn set_required_json(&mut self, value: Value) -> Result<(), Problem> {
        if !value.is_null() || T::NULLABLE {
            *self = T::node_from_json(value)?;
        }
        Ok(())
    }
}

/// A value that may be null.
impl<T: Node> Node for Option<T> {
    const SHAPE: Shape = T::SHAPE;

    const NULLABLE: bool = true;

    fn node_to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Node::node_to_json)
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        if value.is_null() { Ok(None) } else { T::node_from_json(value).map(Some) }
    }
}

impl<T: Node> Node for Box<T> {
    const SHAPE: Shape = T::SHAPE;

    const NULLABLE: bool = T::NULLABLE;

    fn node_to_json(&self) -> Value {
        T::node_to_json(self)
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        T::node_from_json(value).map(Self::new)
    }
}

impl<T: Node> Node for Vec<T> {
    fn node_to_json(&self) -> Value {
        Value::Array(self.iter().map(Node::node_to_json).collect())
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        let Value::Array(items) = value else {
            return Err(unexpected("a list", &value));
        };
        let items = items.into_iter().enumerate();
        items.map(|(index, item)| T::node_from_json(item).map_err(|problem| problem.in_item(index))).collect()
    }
}

impl<T: Node> Node for BTreeMap<String, T> {
    const SHAPE: Shape = Shape::Map(&T::SHAPE);

    fn node_to_json(&self) -> Value {
        Value::Object(self.iter().map(|(key, value)| (key.clone(), value.node_to_json())).collect())
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        let entry = |(key, value): (String, Value)| match T::node_from_json(value) {
            Ok(value) => Ok((key, value)),
            Err(problem) => Err(problem.in_field(&key)),
        };
        object(value)?.into_iter().map(entry).collect()
    }
}

impl Node for Value {
    const SHAPE: Shape = Shape::Untyped;

    const NULLABLE: bool = true;

    fn node_to_json(&self) -> Value {
        self.clone()
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        Ok(value)
    }
}

/// Types whose form is serde's affair. None of them can fail to be written.
macro_rules! by_serde {
    ($($type:ty: $name:literal),* $(,)?) => {
        $(
            impl Node for $type {
                fn node_to_json(&self) -> Value {
                    serde_json::to_value(self).unwrap_or_default()
                }

                fn node_from_json(value: Value) -> Result<Self, Problem> {
                    // serde's own words would quote the value, which may be a secret.
                    let problem = unexpected($name, &value);
                    serde_json::from_value(value).map_err(|_| problem)
                }
            }
        )*
    };
}

by_serde! {
    bool: "true or false",
    f64: "a number",
    String: "a string",
    ByteString: "a string in base64",
    IntOrString: "a whole number or a string",
    MicroTime: "a time with microseconds",
    ObjectMeta: "the metadata of an object",
    Quantity: "a quantity",
    Time: "a time",
}

/// A whole number, which may be written with a fraction of zero.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    /// 2⁶³, which is the first that does not fit.
    const END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and fits")]
    let of_float = |number: f64| (number.fract() == 0.0 && number.abs() < END).then_some(number as i64);
    value.as_i64().or_else(|| of_float(value.as_f64()?))
}

impl Node for i64 {
    fn node_to_json(&self) -> Value {
        (*self).into()
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        whole(&value).ok_or_else(|| unexpected("a whole number of 64 bits", &value))
    }
}

impl Node for i32 {
    fn node_to_json(&self) -> Value {
        (*self).into()
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        let number = whole(&value).and_then(|number| number.try_into().ok());
        number.ok_or_else(|| unexpected("a whole number of 32 bits", &value))
    }
}

/// The fields of a JSON object.
pub(super) fn object(value: Value) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Object(fields) => Ok(fields),
        value => Err(unexpected("an object", &value)),
    }
}

pub(crate) fn unexpected(expected: &str, value: &Value) -> Problem {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Problem::new(format!("expected {expected}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers_may_have_a_fraction_of_zero() {
        assert_eq!(whole(&json!(3.0)), Some(3));
        assert_eq!(whole(&json!(-1)), Some(-1));
        for value in [json!(0.5), json!(1e19), json!(9_223_372_036_854_775_808_u64), json!("1"), json!(null)] {
            assert_eq!(whole(&value), None, "{value}");
        }
        assert!(i32::node_from_json(json!(1_u64 << 31)).is_err());
    }
}
