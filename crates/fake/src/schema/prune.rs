//! Custom resources as a server has them: without unknown fields, and with defaults.

use serde_json::{Map, Value};

use super::{Schema, Struct, Type, Unknown, decode};
use crate::breaks::{Break, is_broken};

/// Leaves out the fields that a definition does not know, notes their paths, and fills in defaults.
///
/// # Errors
///
/// What the server says of metadata of a wrong type. What is of a wrong type elsewhere is the checks' business.
pub(crate) fn prune(value: Value, schema: &Schema, unknown: &mut Vec<String>) -> Result<Value, String> {
    let mut pruner = Pruner { path: Vec::new(), unknown, keeps_nulls: false, wrong: None };
    let value = pruner.value(value, schema);
    pruner.wrong.map_or(Ok(value), Err)
}

/// The same of what an apply has made, in which `null` that is no value of its own stays for the checks to refuse.
pub(crate) fn prune_applied(value: Value, schema: &Schema) -> Value {
    Pruner { path: Vec::new(), unknown: &mut Vec::new(), keeps_nulls: true, wrong: None }.value(value, schema)
}

struct Pruner<'a> {
    path: Vec<String>,
    unknown: &'a mut Vec<String>,
    keeps_nulls: bool,
    /// What is wrong with metadata.
    wrong: Option<String>,
}

impl Pruner<'_> {
    fn value(&mut self, value: Value, schema: &Schema) -> Value {
        // Metadata is of a type of Kubernetes.
        if matches!(schema.of, Type::Named(_)) {
            let mut unknown = Vec::new();
            let read = decode(value.clone(), schema, "ObjectMeta", &mut unknown);
            let prefix = self.path.join(".");
            self.unknown.extend(unknown.into_iter().map(|path| format!("{prefix}.{path}")));
            return read.unwrap_or_else(|problem| {
                self.wrong.get_or_insert(problem);
                value
            });
        }
        match (&schema.of, value) {
            (Type::Struct(fields), Value::Object(given)) => Value::Object(self.fields(given, fields)),
            (Type::Map(values), Value::Object(entries)) => {
                let pruned = entries.into_iter().map(|(key, value)| {
                    self.path.push(key.clone());
                    let value = self.value(value, values);
                    self.path.pop();
                    (key, value)
                });
                pruned.collect::<Map<_, _>>().into()
            }
            (Type::List(list), Value::Array(items)) => {
                let pruned = items.into_iter().enumerate().map(|(index, item)| {
                    let field = self.path.pop().unwrap_or_default();
                    self.path.push(format!("{field}[{index}]"));
                    let item = self.value(item, &list.items);
                    self.path.pop();
                    self.path.push(field);
                    item
                });
                Value::Array(pruned.collect())
            }
            (_, value) => value,
        }
    }

    fn fields(&mut self, given: Map<String, Value>, fields: &Struct) -> Map<String, Value> {
        let mut read = Map::new();
        for (name, value) in given {
            self.path.push(name.clone());
            match fields.fields.get(&name) {
                // `null` that is no value of its own is nothing.
                Some(field)
                    if value.is_null()
                        && !field.schema.nullable
                        && field.schema.of != Type::Any
                        && !(self.keeps_nulls && field.schema.default.is_none()) => {}
                Some(field) => drop(read.insert(name, self.value(value, &field.schema))),
                None if fields.unknown == Unknown::Kept => drop(read.insert(name, value)),
                None => self.unknown.push(self.path.join(".")),
            }
            self.path.pop();
        }
        for (name, field) in &fields.fields {
            if let Some(default) = &field.schema.default
                && !is_broken(Break::DefaultsOfDefinitionsAreMissing)
                && !read.contains_key(name)
            {
                read.insert(name.clone(), self.value(default.clone(), &field.schema));
            }
        }
        read
    }
}
