//! The fields of a record, whatever their types.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{MicroTime, Time},
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

    /// Sets the value; null is none.
    fn set_field_json(&mut self, value: Value) -> Result<(), Problem>;
}

/// A value of a field, or a part of one.
pub trait Node: Sized {
    /// How it merges.
    const SHAPE: Shape = Shape::Atomic;

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
        *self = if value.is_null() { None } else { Some(T::node_from_json(value)?) };
        Ok(())
    }
}

impl<T: Node> Node for Box<T> {
    const SHAPE: Shape = T::SHAPE;

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
    i32: "a whole number of 32 bits",
    i64: "a whole number of 64 bits",
    f64: "a number",
    String: "a string",
    ByteString: "a string in base64",
    IntOrString: "a whole number or a string",
    MicroTime: "a time with microseconds",
    Quantity: "a quantity",
    Time: "a time",
}

/// The fields of a JSON object.
pub(super) fn object(value: Value) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Object(fields) => Ok(fields),
        value => Err(unexpected("an object", &value)),
    }
}

fn unexpected(expected: &str, value: &Value) -> Problem {
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
