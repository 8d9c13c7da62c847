//! The named types of a Kubernetes version, read from the lines of its data when they are first needed.
//!
//! A type is a line `type NAME [NOTATION] [atomic]` and an indented line `FIELD NOTATION WORD…` for each field. The
//! notation is `[]` before the items of a list, `{}` before the values of a map, `@` before a type's name, `object` for
//! a map of anything, `any` for what may be anything, or a scalar. The words: `atomic`, `granular`, `set` and
//! `map=KEY,KEY` (the type of list or map), `patch=…` and `key=…` (strategic merge patch), `required`, `pointer`,
//! `omitempty` and `omitzero` (the field in Go), `#NUMBER` (the field in protobuf; `#2.1` is the first one of the
//! message that is the second), `default=JSON`, and `enum=VALUE,VALUE` (the values of a text, or of the texts in a list
//! or map; a tilde is a blank).

use std::{collections::HashMap, fmt, sync::OnceLock};

use super::{Field, List, ListKind, Named, Patch, Presence, Schema, Struct, Type, Unknown};

/// The types of one Kubernetes version.
#[derive(Debug, Default)]
pub(crate) struct Types {
    by_name: HashMap<&'static str, Entry>,
    /// What a name without a type stands for.
    any: Schema,
}

pub(super) struct Entry {
    /// The rest of the type's line, and those of its fields.
    text: &'static str,
    schema: OnceLock<Schema>,
}

/// A type may contain itself, so that it is not shown as a whole.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("text", &self.text).finish_non_exhaustive()
    }
}

impl Types {
    /// Adds a type: its name, and the text behind the name up to the next type.
    pub(crate) fn add(&mut self, name: &'static str, text: &'static str) {
        self.by_name.insert(name, Entry { text, schema: OnceLock::new() });
    }

    /// The schema that refers to a type.
    pub(crate) fn named(&'static self, name: &'static str) -> Schema {
        Schema::new(Type::Named(Named { types: self, name, entry: self.by_name.get(name) }))
    }

    /// The schema that refers to the type of this name, if there is one.
    pub(crate) fn find(&'static self, name: &str) -> Option<Schema> {
        self.by_name.get_key_value(name).map(|(name, _)| self.named(name))
    }

    /// The schema of a type; anything, if there is none of the name.
    pub(super) fn schema(&'static self, entry: Option<&'static Entry>) -> &'static Schema {
        match entry {
            Some(entry) => entry.schema.get_or_init(|| self.read(entry.text)),
            None => &self.any,
        }
    }

    fn read(&'static self, text: &'static str) -> Schema {
        let mut lines = text.lines();
        let mut schema = Schema::new(Type::Struct(Struct::default()));
        for word in lines.next().unwrap_or_default().split_whitespace() {
            match word {
                "atomic" => schema.atomic = true,
                notation => schema.of = self.notation(notation).of,
            }
        }
        if let Type::Struct(fields) = &mut schema.of {
            for line in lines {
                if let Some((name, field, numbers)) = self.field(line) {
                    fields.message.add(numbers, &name);
                    fields.fields.insert(name, field);
                }
            }
        }
        schema
    }

    /// A field's name, the field, and its numbers in protobuf.
    fn field(&'static self, line: &'static str) -> Option<(String, Field, &'static str)> {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let mut field = Field { schema: self.notation(words.next()?), ..Field::default() };
        let (mut pointer, mut omit_empty, mut omit_zero, mut numbers) = (false, false, false, "");
        for word in words {
            if let Some(number) = word.strip_prefix('#') {
                numbers = number;
                continue;
            }
            let (word, value) = word.split_once('=').unwrap_or((word, ""));
            match word {
                "atomic" => field.schema.atomic = true,
                "granular" => field.schema.granular = true,
                "set" => set_kind(&mut field.schema, ListKind::Set),
                "map" => set_kind(&mut field.schema, ListKind::Map(value.split(',').map(str::to_owned).collect())),
                "patch" => field.patch = patch(value, field.patch.key),
                "key" => field.patch.key = Some(value.to_owned()),
                "required" => field.required = true,
                "pointer" => pointer = true,
                "omitempty" => omit_empty = true,
                "omitzero" => omit_zero = true,
                "enum" => set_values(&mut field.schema, value),
                "default" => field.schema.default = serde_json::from_str(value).ok(),
                _ => {}
            }
        }
        field.presence = match (pointer, omit_empty, omit_zero) {
            (true, false, false) => Presence::Null,
            (true, ..) => Presence::Optional,
            (false, _, true) => Presence::OmitZero,
            (false, true, false) => Presence::OmitEmpty,
            (false, false, false) => Presence::Always,
        };
        Some((name.to_owned(), field, numbers))
    }

    fn notation(&'static self, notation: &'static str) -> Schema {
        Schema::new(if let Some(items) = notation.strip_prefix("[]") {
            Type::List(List { items: Box::new(self.notation(items)), kind: ListKind::Atomic })
        } else if let Some(values) = notation.strip_prefix("{}") {
            Type::Map(Box::new(self.notation(values)))
        } else if let Some(name) = notation.strip_prefix('@') {
            return self.named(name);
        } else {
            match notation {
                "bool" => Type::Bool,
                "int32" => Type::Int32,
                "int64" => Type::Int64,
                "double" => Type::Double,
                "string" => Type::String,
                "time" => Type::Time,
                "bytes" => Type::Bytes,
                "int-or-string" => Type::IntOrString,
                "quantity" => Type::Quantity,
                "object" => Type::Struct(Struct { unknown: Unknown::Kept, ..Struct::default() }),
                _ => Type::Any,
            }
        })
    }
}

/// Sets the only values of a text, or of the texts in a list or map.
fn set_values(schema: &mut Schema, values: &str) {
    match &mut schema.of {
        Type::List(list) => set_values(&mut list.items, values),
        Type::Map(inner) => set_values(inner, values),
        _ => schema.values = values.split(',').map(|value| value.replace('~', " ").into()).collect(),
    }
}

fn set_kind(schema: &mut Schema, kind: ListKind) {
    if let Type::List(list) = &mut schema.of {
        list.kind = kind;
    }
}

fn patch(strategies: &str, key: Option<String>) -> Patch {
    let has = |strategy: &str| strategies.split(',').any(|word| word == strategy);
    Patch { merge: has("merge"), retain_keys: has("retainKeys"), replace: has("replace"), key }
}
