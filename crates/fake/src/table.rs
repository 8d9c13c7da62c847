//! Tables: objects as rows for people.
//!
//! The columns of Kubernetes' own kinds are code of its server, and are not in its specs. They have the two that every
//! kind has; custom resources have those of their definition.

use std::sync::Arc;

use serde_json::{Value, json};

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

/// The table of some objects.
pub(crate) fn table(resource: &Resource, objects: &[Arc<Object>], meta: &Value, include: Include) -> Value {
    of(resource, objects.iter().map(|object| &**object), meta, include)
}

/// The table of one object.
pub(crate) fn of_one(resource: &Resource, object: &Object, meta: &Value, include: Include) -> Value {
    of(resource, std::iter::once(object), meta, include)
}

fn of<'a>(resource: &Resource, objects: impl Iterator<Item = &'a Object>, meta: &Value, include: Include) -> Value {
    let custom = resource.custom.as_ref().map_or(&[][..], |custom| &custom.columns);
    let mut columns = vec![column("Name", "string", "name", 0)];
    if custom.is_empty() {
        let title = if resource.custom.is_some() { "Age" } else { "Created At" };
        columns.push(column(title, "date", "", 0));
    }
    for declared in custom {
        let text = |key: &str| declared[key].as_str().unwrap_or_default();
        let priority = declared["priority"].as_i64().unwrap_or_default();
        columns.push(column(text("name"), text("type"), text("format"), priority));
    }
    let row = |object: &Object| {
        let mut cells = vec![json!(object.meta("name"))];
        if custom.is_empty() {
            cells.push(json!(object.meta("creationTimestamp")));
        }
        for declared in custom {
            let path = declared["jsonPath"].as_str().unwrap_or_default();
            cells.push(json_path::get(&object.value, path).cloned().unwrap_or_default());
        }
        let object = match include {
            Include::None => Value::Null,
            Include::Metadata => metadata(object),
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

fn column(name: &str, kind: &str, format: &str, priority: i64) -> Value {
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
}
