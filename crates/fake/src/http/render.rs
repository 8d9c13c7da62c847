//! Answers as bytes, in the form that is wanted.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use super::{Content, Representation};
use crate::{model::Resource, store::Object, table};

/// The body of an answer.
pub(crate) fn render(content: &Content, representation: Representation, rows: table::Rows) -> Bytes {
    match (content, representation) {
        (Content::Object(_, object), Representation::Metadata) => metadata(object).to_string().into(),
        (Content::Object(resource, object), Representation::Table) => {
            let meta = json!({"resourceVersion": object.meta("resourceVersion")});
            table::table(resource, std::slice::from_ref(object), &meta, rows).to_string().into()
        }
        (Content::List(resource, objects, meta), Representation::Metadata) => {
            // Go has a list that nothing was added to as none.
            let items: Option<Vec<Value>> =
                (!objects.is_empty()).then(|| objects.iter().map(|object| metadata(object)).collect());
            let list = json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items,
            });
            let _ = resource;
            list.to_string().into()
        }
        (Content::List(resource, objects, meta), Representation::Table) => {
            table::table(resource, objects, meta, rows).to_string().into()
        }
        (Content::List(resource, objects, meta), _) => list(resource, objects, meta),
        (Content::Object(resource, object), _) => whole(resource, object),
        (Content::Value(value), Representation::Metadata) if value["metadata"]["uid"].is_string() => {
            metadata_of(value).to_string().into()
        }
        (Content::Value(value), _) => value.to_string().into(),
    }
}

/// An object for a watch: as in an answer.
pub(crate) fn one(resource: &Resource, object: &Object, representation: Representation, rows: table::Rows) -> Bytes {
    match representation {
        Representation::Metadata => metadata(object).to_string().into(),
        Representation::Table => {
            let meta = json!({"resourceVersion": object.meta("resourceVersion")});
            table::of_one(resource, object, &meta, rows).to_string().into()
        }
        _ => whole(resource, object),
    }
}

fn whole(resource: &Resource, object: &Object) -> Bytes {
    let mut text = BytesMut::with_capacity(object.json().len() + 128);
    put_object(&mut text, Some(&head(resource)), object);
    text.freeze()
}

/// `"kind":"Deployment","apiVersion":"apps/v1"`
fn head(resource: &Resource) -> String {
    format!("\"kind\":\"{}\",\"apiVersion\":\"{}\"", resource.kind, resource.api_version())
}

fn put_object(text: &mut BytesMut, head: Option<&str>, object: &Object) {
    let json = object.json();
    let Some(head) = head else {
        text.put_slice(json);
        return;
    };
    text.put_u8(b'{');
    text.put_slice(head.as_bytes());
    if json.len() > 2 {
        text.put_u8(b',');
    }
    text.put_slice(json.get(1..).unwrap_or(b"}"));
}

/// Items of custom resources say what they are; those of Kubernetes' own kinds do not.
fn list(resource: &Resource, objects: &[std::sync::Arc<Object>], meta: &Value) -> Bytes {
    let head = resource.custom.as_ref().map(|_| head(resource));
    // Lists of custom resources always say whether there is more.
    let mut meta = meta.clone();
    if resource.custom.is_some() && meta.get("continue").is_none() {
        meta["continue"] = "".into();
    }
    let length: usize = objects.iter().map(|object| object.json().len() + 96).sum();
    let mut text = BytesMut::with_capacity(length + 256);
    let opening = format!(
        "{{\"kind\":\"{}\",\"apiVersion\":\"{}\",\"metadata\":{meta},\"items\":[",
        resource.list_kind(),
        resource.api_version()
    );
    text.put_slice(opening.as_bytes());
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            text.put_u8(b',');
        }
        put_object(&mut text, head.as_deref(), object);
    }
    text.put_slice(b"]}");
    text.freeze()
}

/// The metadata of an object alone.
pub(crate) fn metadata(object: &Object) -> Value {
    metadata_of(&object.value)
}

fn metadata_of(value: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]})
}

impl Resource {
    /// The kind of lists: `DeploymentList`, unless a CustomResourceDefinition says otherwise.
    pub(crate) fn list_kind(&self) -> String {
        match &self.custom {
            Some(custom) if !custom.list_kind.is_empty() => custom.list_kind.clone(),
            _ => format!("{}List", self.kind),
        }
    }
}
