//! Tables: objects as rows for people.
//!
//! The columns of Kubernetes' own kinds are code of its server, and are not in its specs: `kinds` has those of the
//! kinds that people look at. Others have a name and an age; custom resources have the columns of their definition.

mod age;
mod kinds;
mod pod;
mod row;
mod volumes;
mod workloads;

use std::sync::Arc;

use serde_json::{Value, json};

use row::Row;

use crate::{http::metadata, json_path, model::Resource, store::Object};

/// How much of an object a row has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Include {
    /// Nothing.
    None,
    /// The metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// What `includeObject` asks for.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "None" => Self::None,
            "Object" => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// How rows are to be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) include: Include,
    /// The time, in seconds after 1970: rows say how old objects are.
    pub(crate) now: u64,
}

/// The table of some objects.
pub(crate) fn table(resource: &Resource, objects: &[Arc<Object>], meta: &Value, rows: Rows) -> Value {
    of(resource, objects.iter().map(|object| &**object), meta, rows)
}

/// The table of one object.
pub(crate) fn of_one(resource: &Resource, object: &Object, meta: &Value, rows: Rows) -> Value {
    of(resource, std::iter::once(object), meta, rows)
}

fn of<'a>(resource: &Resource, objects: impl Iterator<Item = &'a Object>, meta: &Value, rows: Rows) -> Value {
    let (columns, cells) = columns(resource);
    let row = |object: &Object| {
        let cells = cells(&Row { object: &object.value, now: rows.now });
        let object = match rows.include {
            Include::None => Value::Null,
            Include::Metadata => metadata(resource, object),
            Include::Object => {
                let mut whole = object.value.clone();
                whole["apiVersion"] = json!(resource.api_version());
                whole["kind"] = json!(resource.kind);
                whole
            }
        };
        json!({"cells": cells, "object": object})
    };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns,
        "rows": objects.map(row).collect::<Vec<_>>(),
    })
}

/// What makes the cells of a row.
type Cells<'a> = Box<dyn Fn(&Row<'_>) -> Vec<Value> + 'a>;

/// The columns of a resource.
fn columns(resource: &Resource) -> (Vec<Value>, Cells<'_>) {
    if let Some(custom) = &resource.custom {
        return custom_columns(&custom.columns);
    }
    let kind = kinds::of(&resource.group, &resource.plural);
    let columns = kind.columns.split('|').map(|text| {
        let (name, rest) = text.split_once(':').unwrap_or((text, "string"));
        let (kind, priority) = rest.split_once('*').unwrap_or((rest, "0"));
        column(name, kind, if name == "Name" { "name" } else { "" }, priority.parse().unwrap_or_default())
    });
    (columns.collect(), Box::new(kind.cells))
}

/// The columns that a definition declares.
fn custom_columns(declared: &[Value]) -> (Vec<Value>, Cells<'_>) {
    let text = |declared: &Value, key: &str| declared[key].as_str().unwrap_or_default().to_owned();
    let mut columns = vec![column("Name", "string", "name", 0)];
    if declared.is_empty() {
        columns.push(column("Age", "date", "", 0));
        return (columns, Box::new(|row| vec![row.name(), row.age()]));
    }
    for declared in declared {
        let priority = declared["priority"].as_i64().unwrap_or_default();
        let mut column = column(&text(declared, "name"), &text(declared, "type"), &text(declared, "format"), priority);
        column["description"] = match text(declared, "description") {
            none if none.is_empty() => {
                format!("Custom resource definition column (in JSONPath format): {}", text(declared, "jsonPath"))
            }
            description => description,
        }
        .into();
        columns.push(column);
    }
    let cells = move |row: &Row<'_>| {
        let of = |declared: &Value| {
            let path = declared["jsonPath"].as_str().unwrap_or_default();
            let value = json_path::get(row.object, path).cloned().unwrap_or_default();
            match (declared["type"].as_str(), &value) {
                (_, Value::Null) => Value::Null,
                (Some("date"), Value::String(time)) => row.since(time),
                (Some("string"), Value::String(_))
                | (Some("number"), Value::Number(_))
                | (Some("boolean"), Value::Bool(_)) => value,
                // Whatever a text is to be made of is shown as it is written.
                (Some("string"), _) => value.to_string().into(),
                (Some("integer"), _) => value.as_f64().map_or(Value::Null, whole),
                _ => Value::Null,
            }
        };
        std::iter::once(row.name()).chain(declared.iter().map(of)).collect()
    };
    (columns, Box::new(cells))
}

/// A number without its fraction.
fn whole(number: f64) -> Value {
    format!("{:.0}", number.trunc()).parse::<i64>().map_or(Value::Null, Value::from)
}

fn column(name: &str, kind: &str, format: &str, priority: i64) -> Value {
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
}
