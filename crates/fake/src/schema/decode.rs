//! Values as a server has them: of the right types, without unknown fields, and with what Go writes for empty ones.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Field, Presence, Schema, Struct, Type, Unknown};

/// The type of times that have microseconds.
pub(crate) const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";

/// Reads an object of Kubernetes' own kinds as its server does. Unknown fields are left out, and their paths noted.
///
/// # Errors
///
/// What the server says of a value of a wrong type, and of a text that is no time.
pub(crate) fn decode(value: Value, schema: &Schema, kind: &str, unknown: &mut Vec<String>) -> Result<Value, String> {
    let mut decoder = Decoder { path: Vec::new(), within: kind, unknown };
    decoder.value(value, schema)
}

struct Decoder<'a> {
    /// The steps from the outside in.
    path: Vec<Step>,
    /// The name of the struct.
    within: &'a str,
    unknown: &'a mut Vec<String>,
}

/// A step to a value.
enum Step {
    Field(String),
    Entry(String),
    Item(usize),
}

impl Decoder<'_> {
    /// Reads what is at the member of this name, which is given back.
    fn at(
        &mut self,
        name: String,
        step: fn(String) -> Step,
        read: impl FnOnce(&mut Self) -> Result<Value, String>,
    ) -> Result<(String, Value), String> {
        self.path.push(step(name));
        let value = read(self)?;
        match self.path.pop() {
            Some(Step::Field(name) | Step::Entry(name)) => Ok((name, value)),
            _ => Ok((String::new(), value)),
        }
    }

    /// The path with the places of items, for unknown fields.
    fn place(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) | Step::Entry(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                Step::Item(index) => {
                    let _ = write!(text, "[{index}]");
                }
            }
        }
        text
    }

    fn value(&mut self, value: Value, schema: &Schema) -> Result<Value, String> {
        let resolved = schema.resolved();
        match (&resolved.of, value) {
            // What is resolved is none of a name.
            (Type::Time, Value::String(text)) => {
                super::time::canonical(&text, schema.type_name() == Some(MICRO_TIME)).map(Value::String)
            }
            (Type::Any | Type::Named(_), value)
            | (Type::Bool, value @ Value::Bool(_))
            | (Type::Double, value @ Value::Number(_))
            | (Type::String | Type::Bytes, value @ Value::String(_))
            | (Type::IntOrString, value @ (Value::Number(_) | Value::String(_)))
            | (_, value @ Value::Null) => Ok(value),
            (Type::Bool, value) => Err(self.wrong(&value, "bool")),
            (Type::Int32 | Type::Int64, Value::Number(number)) if number.is_i64() => Ok(number.into()),
            (Type::Int32, value) => Err(self.wrong(&value, "int32")),
            (Type::Int64, value) => Err(self.wrong(&value, "int64")),
            (Type::Double, value) => Err(self.wrong(&value, "float64")),
            (Type::String | Type::Time | Type::Bytes, value) => Err(self.wrong(&value, "string")),
            (Type::IntOrString, value) => Err(self.wrong(&value, "intstr.IntOrString")),
            (Type::Quantity, value) => quantity(value, super::quantity::canonical),
            (Type::List(list), Value::Array(items)) => {
                let read = |(index, item): (usize, Value)| {
                    self.path.push(Step::Item(index));
                    let item = self.item(item, &list.items)?;
                    self.path.pop();
                    Ok(item)
                };
                items.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            (Type::List(_), value) => Err(self.wrong(&value, "slice")),
            (Type::Map(values), Value::Object(entries)) => {
                let read =
                    |(key, value): (String, Value)| self.at(key, Step::Entry, |decoder| decoder.entry(value, values));
                entries.into_iter().map(read).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
            (Type::Map(_), value) => Err(self.wrong(&value, "map")),
            (Type::Struct(fields), Value::Object(given)) => {
                let outer = schema.type_name().and_then(|name| name.rsplit('.').next());
                let outer = outer.map(|name| std::mem::replace(&mut self.within, name));
                let read = self.fields(given, fields);
                if let Some(outer) = outer {
                    self.within = outer;
                }
                read.map(Value::Object)
            }
            (Type::Struct(_), value) => Err(self.wrong(&value, "struct")),
        }
    }

    /// An item of a list or map: `null` is a zero.
    fn item(&mut self, item: Value, schema: &Schema) -> Result<Value, String> {
        match item {
            Value::Null => Ok(self.zero(schema)),
            item => self.value(item, schema),
        }
    }

    /// An entry of a map: quantities in maps are lists of resources.
    fn entry(&mut self, value: Value, schema: &Schema) -> Result<Value, String> {
        match (&schema.resolved().of, value) {
            (Type::Quantity, value) if !value.is_null() => quantity(value, super::quantity::of_resource),
            (_, value) => self.item(value, schema),
        }
    }

    fn fields(&mut self, given: Map<String, Value>, fields: &Struct) -> Result<Map<String, Value>, String> {
        let (mut read, mut left_out) = (Map::new(), Vec::new());
        for (name, value) in given {
            let Some(field) = fields.fields.get(&name) else {
                if fields.unknown == Unknown::Kept {
                    read.insert(name, value);
                } else {
                    self.path.push(Step::Field(name));
                    self.unknown.push(self.place());
                    self.path.pop();
                }
                continue;
            };
            let (name, value) = self.at(name, Step::Field, |decoder| decoder.value(value, &field.schema))?;
            let given = Some(value).filter(|value| !value.is_null());
            match self.present(given, field) {
                Some(value) => drop(read.insert(name, value)),
                None => left_out.push(name),
            }
        }
        for (name, field) in &fields.fields {
            if !read.contains_key(name)
                && !left_out.contains(name)
                && let Some(value) = self.present(None, field)
            {
                read.insert(name.clone(), value);
            }
        }
        Ok(read)
    }

    /// What is written of a field.
    fn present(&mut self, given: Option<Value>, field: &Field) -> Option<Value> {
        // What is no pointer in Go and zero is as if it were not given.
        let is_pointer = matches!(field.presence, Presence::Free | Presence::Optional | Presence::Null);
        let given = match field.schema.default.as_ref().filter(|default| !is_zero(default)) {
            Some(default) => given.filter(|given| is_pointer || !is_zero(given)).or_else(|| Some(default.clone())),
            None => given,
        };
        match field.presence {
            Presence::Free | Presence::Optional => given,
            Presence::Null => Some(given.unwrap_or_default()),
            Presence::Always => Some(given.unwrap_or_else(|| self.zero(&field.schema))),
            Presence::OmitEmpty => match &field.schema.resolved().of {
                Type::Struct(_) | Type::Time | Type::Quantity | Type::IntOrString => {
                    Some(given.unwrap_or_else(|| self.zero(&field.schema)))
                }
                _ => given.filter(|value| !is_zero(value)),
            },
            Presence::OmitZero => given.filter(|value| !is_zero(value)),
        }
    }

    /// What Go writes for a value that was never set.
    fn zero(&mut self, schema: &Schema) -> Value {
        match &schema.resolved().of {
            _ if schema.is_raw_json() => Value::Null,
            Type::Any | Type::Time | Type::List(_) | Type::Map(_) | Type::Named(_) | Type::Bytes => Value::Null,
            Type::Bool => false.into(),
            Type::Int32 | Type::Int64 | Type::Double | Type::IntOrString => 0.into(),
            Type::String => "".into(),
            Type::Quantity => "0".into(),
            Type::Struct(fields) => self.fields(Map::new(), fields).map_or(Value::Null, Value::Object),
        }
    }

    /// What the server says of a value of a wrong type: the field with dots, and the struct that has it.
    fn wrong(&self, found: &Value, expected: &'static str) -> String {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let names = self.path.iter().filter_map(|step| if let Step::Field(name) = step { Some(name) } else { None });
        let (path, within) = (names.map(String::as_str).collect::<Vec<_>>().join("."), self.within);
        format!("json: cannot unmarshal {found} into Go struct field {within}.{path} of type {expected}")
    }
}

/// Reads a quantity, which the server does from the text of the JSON, whatever that is.
fn quantity(value: Value, canonical: fn(&str) -> Result<String, &'static str>) -> Result<Value, String> {
    let text = if let Value::String(text) = value { text } else { value.to_string() };
    Ok(canonical(&text)?.into())
}

/// Whether a value is one that `omitempty` leaves out.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
    }
}
