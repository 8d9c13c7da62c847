//! What is wrong with a field.

use std::fmt;

use serde_json::Value;

/// A field does not have the shape that was expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    path: String,
    problem: String,
}

impl FieldError {
    pub(crate) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// The error of a value that is of another type.
    pub(crate) fn mismatch(path: impl Into<String>, value: &Value, expected: &str) -> Self {
        Self::new(path, format!("is {}, expected {expected}", shape(value)))
    }

    /// Where the field is: `.spec.replicas`, or `.` for the object itself.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for FieldError {}

/// What a value is, without its content, which may be a secret.
fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a float",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
