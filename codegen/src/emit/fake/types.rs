//! The types in the data of the fake API server.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::spec::{AdditionalProperties, Schema, Spec, Type, proto};

/// Adds a type's line and those of its fields.
pub(super) fn write(text: &mut String, spec: &Spec, name: &str, schema: &Schema) -> Result<(), String> {
    let wrong = |problem: String| format!("{name}: {problem}");
    let _ = write!(text, "type {name}");
    if schema.properties.is_empty() {
        let _ = write!(text, " {}", notation(name, schema).map_err(wrong)?);
    }
    if schema.map_type.as_deref() == Some("atomic") {
        text.push_str(" atomic");
    }
    text.push('\n');
    let messages = fields_of_message(spec, &proto::message_of_schema(name));
    for (field, property) in &schema.properties {
        let wrong = |problem: String| format!("{name}.{field}: {problem}");
        let _ = write!(text, "  {field} {}", notation(field, property).map_err(wrong)?);
        write_words(text, property).map_err(wrong)?;
        if schema.required.contains(field) {
            text.push_str(" required");
        }
        // `apiVersion` and `kind`, which messages do not have.
        let of_type_meta = || (String::new(), proto::GoFacts { omit_empty: true, ..<_>::default() });
        let (numbers, facts) = messages.get(field.as_str()).cloned().unwrap_or_else(of_type_meta);
        for (is_said, word) in
            [(facts.pointer, "pointer"), (facts.omit_empty, "omitempty"), (facts.omit_zero, "omitzero")]
        {
            if is_said {
                let _ = write!(text, " {word}");
            }
        }
        if !numbers.is_empty() {
            let _ = write!(text, " #{numbers}");
        }
        if let Some(default) = &property.default {
            let default = default.to_string();
            if default.contains(char::is_whitespace) {
                return Err(wrong(format!("the default {default} has a blank, for which there is no notation")));
            }
            // An empty struct says no more than that the field is one.
            if default != "{}" {
                let _ = write!(text, " default={default}");
            }
        }
        if let Some(values) = values(spec, &format!("{name}.{field}")) {
            let _ = write!(text, " enum={}", values.map_err(wrong)?);
        }
        text.push('\n');
    }
    Ok(())
}

/// The values that a field can have, if all are known: with commas between them, and a tilde for a blank.
fn values(spec: &Spec, field: &str) -> Option<Result<String, String>> {
    let values = &spec.markers.as_ref()?.enum_of(field)?.values;
    Some(match values.iter().find(|value| value.contains([',', '~'])) {
        Some(value) => Err(format!("there is no notation for the value {value:?}")),
        None => Ok(values.iter().map(|value| value.replace(' ', "~")).collect::<Vec<_>>().join(",")),
    })
}

/// The fields of a message by name, each with its number and what Go's struct says of it. A field of an embedded
/// message has the number of that before its own: `2.1`. So have lists that are messages with nothing but items.
fn fields_of_message<'a>(spec: &'a Spec, message: &str) -> BTreeMap<&'a str, (String, proto::GoFacts)> {
    let mut fields = BTreeMap::new();
    for field in spec.protobuf.messages.get(message).into_iter().flatten() {
        let number = field.number;
        if let Some(embedded) = field.embedded() {
            let inner = fields_of_message(spec, embedded).into_iter();
            fields.extend(inner.map(|(name, (numbers, go))| (name, (format!("{number}.{numbers}"), go))));
        } else {
            let numbers = if is_list(spec, field) { format!("{number}.1") } else { number.to_string() };
            fields.insert(field.name.as_str(), (numbers, field.go));
        }
    }
    fields
}

/// Whether a field holds a list that is a message: `Verbs`.
fn is_list(spec: &Spec, field: &proto::Field) -> bool {
    let proto::FieldKind::Optional(proto::FieldType::Message(message)) = &field.kind else { return false };
    let fields = spec.protobuf.messages.get(message).map_or(&[][..], Vec::as_slice);
    matches!(fields, [proto::Field { number: 1, kind: proto::FieldKind::Repeated(_), name, .. }] if name == "items")
}

/// The words of a field behind its type.
fn write_words(text: &mut String, schema: &Schema) -> Result<(), String> {
    match schema.list_type.as_deref() {
        None => {}
        Some("map") => {
            let _ = write!(text, " map={}", schema.list_map_keys.join(","));
        }
        Some(word @ ("atomic" | "set")) => {
            let _ = write!(text, " {word}");
        }
        Some(other) => return Err(format!("there is no notation for the list type `{other}`")),
    }
    match schema.map_type.as_deref() {
        None => {}
        // What maps are anyway. Of a type that is one value otherwise, it says more.
        Some("granular") if schema.reference.is_none() => {}
        Some("granular") => text.push_str(" granular"),
        Some("atomic") => text.push_str(" atomic"),
        Some(other) => return Err(format!("there is no notation for the map type `{other}`")),
    }
    if let Some(strategy) = &schema.patch_strategy {
        let _ = write!(text, " patch={strategy}");
    }
    if let Some(key) = &schema.patch_merge_key {
        let _ = write!(text, " key={key}");
    }
    Ok(())
}

/// The type of a schema in one word: `[]@io.k8s.api.core.v1.Container`, `{}string`, `int32`.
fn notation(name: &str, schema: &Schema) -> Result<String, String> {
    if let Some(reference) = &schema.reference {
        return Ok(format!("@{reference}"));
    }
    let inner = |schema: &Schema| {
        // A default says nothing: items are what is given.
        let has_more = schema.patch_strategy.is_some()
            || schema.list_type.as_deref().is_some_and(|list_type| list_type != "atomic");
        if has_more { Err("there is no notation for what is said of items".to_owned()) } else { notation(name, schema) }
    };
    Ok(match (schema.kind, schema.format.as_deref()) {
        (Some(Type::Array), _) => match &schema.items {
            Some(items) => format!("[]{}", inner(items)?),
            None => "[]any".to_owned(),
        },
        (Some(Type::Object), _) => match &schema.additional_properties {
            Some(AdditionalProperties::Of(values)) => format!("{{}}{}", inner(values)?),
            _ => "object".to_owned(),
        },
        (Some(Type::Boolean), _) => "bool".to_owned(),
        (Some(Type::Integer), Some("int32")) => "int32".to_owned(),
        (Some(Type::Integer), _) => "int64".to_owned(),
        (Some(Type::Number), _) => "double".to_owned(),
        (Some(Type::String), Some("date-time")) => "time".to_owned(),
        (Some(Type::String), Some("byte")) => "bytes".to_owned(),
        (Some(Type::String) | None, Some("int-or-string")) => "int-or-string".to_owned(),
        (Some(Type::String), _) => "string".to_owned(),
        (None, _) => match schema.one_of.as_slice() {
            [a, b] if a.kind == Some(Type::String) && b.kind == Some(Type::Number) => "quantity".to_owned(),
            [] => "any".to_owned(),
            _ => return Err(format!("there is no notation for the `oneOf` of `{name}`")),
        },
    })
}
