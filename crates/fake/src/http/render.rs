//! Answers as bytes, in the form that is wanted.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use k8s_client_runtime::codec::MediaType;
use serde_json::{Value, json};

use super::{Content, Form, Representation};
use crate::{
    defaults,
    model::{Model, Resource},
    protobuf,
    store::Object,
    table,
};

/// What an object is that has nothing but metadata.
const PARTIAL: [&str; 2] = ["meta.k8s.io/v1", "PartialObjectMetadata"];

/// How answers are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renderer {
    pub(crate) form: Form,
    pub(crate) rows: table::Rows,
    /// Where the types come from.
    pub(crate) model: &'static Model,
}

impl Renderer {
    /// The body of an answer.
    pub(crate) fn render(&self, content: &Content) -> Bytes {
        match content {
            Content::Object(resource, object) => self.one(resource, object),
            Content::List(resource, objects, meta) => match (self.form.representation, self.form.media_type) {
                (Representation::Table, _) => table::table(resource, objects, meta, self.rows).to_string().into(),
                (Representation::Metadata, MediaType::Json) => {
                    // Go has a list that nothing was added to as none.
                    let items: Option<Vec<Value>> = (!objects.is_empty())
                        .then(|| objects.iter().map(|object| metadata(resource, object)).collect());
                    let list = json!({
                        "kind": "PartialObjectMetadataList", "apiVersion": PARTIAL[0], "metadata": meta, "items": items,
                    });
                    list.to_string().into()
                }
                (_, MediaType::Json) => list(resource, objects, meta),
                (representation, _) => self.protobuf_list(resource, objects, meta, representation),
            },
            Content::Value(value) if self.form.representation == Representation::Metadata && has_uid(value) => {
                self.value(&metadata_of(value))
            }
            Content::Value(value) => self.value(value),
        }
    }

    /// An object as it stands in an answer and in an event of a watch.
    pub(crate) fn one(&self, resource: &Resource, object: &Object) -> Bytes {
        match (self.form.representation, self.form.media_type) {
            (Representation::Table, _) => {
                let meta = json!({"resourceVersion": object.meta("resourceVersion")});
                table::of_one(resource, object, &meta, self.rows).to_string().into()
            }
            (Representation::Metadata, _) => self.value(&metadata(resource, object)),
            (_, MediaType::Json) => whole(resource, object),
            _ => protobuf::in_envelope(&resource.api_version(), &resource.kind, object.protobuf(&resource.schema)),
        }
    }

    fn protobuf_list(
        &self,
        resource: &Resource,
        objects: &[Arc<Object>],
        meta: &Value,
        representation: Representation,
    ) -> Bytes {
        let types = self.model.types;
        if representation == Representation::Metadata {
            let of = |object: &Arc<Object>| protobuf::metadata(types, &metadata(resource, object)["metadata"]);
            let items: Vec<Vec<u8>> = objects.iter().map(of).collect();
            let list = protobuf::list(types, meta, items.iter().map(Vec::as_slice));
            return protobuf::in_envelope(PARTIAL[0], "PartialObjectMetadataList", &list);
        }
        let items = objects.iter().map(|object| object.protobuf(&resource.schema).as_ref());
        let list = protobuf::list(types, meta, items);
        protobuf::in_envelope(&resource.api_version(), &resource.list_kind(), &list)
    }

    /// What says itself of which kind it is.
    pub(crate) fn value(&self, value: &Value) -> Bytes {
        if self.form.media_type == MediaType::Json {
            return value.to_string().into();
        }
        let [api_version, kind] = ["apiVersion", "kind"].map(|name| value[name].as_str().unwrap_or_default());
        let object = match [api_version, kind] {
            PARTIAL => protobuf::metadata(self.model.types, &value["metadata"]),
            _ => protobuf::message(value, &self.model.schema_of(api_version, kind).unwrap_or_default()),
        };
        protobuf::in_envelope(api_version, kind, &object)
    }

    /// An event of a watch, and what stands around it.
    pub(crate) fn event(&self, kind: &str, object: &[u8]) -> Bytes {
        if self.form.media_type == MediaType::Protobuf {
            return protobuf::event(kind, object);
        }
        let mut text = BytesMut::with_capacity(object.len() + 40);
        text.put_slice(b"{\"type\":\"");
        text.put_slice(kind.as_bytes());
        text.put_slice(b"\",\"object\":");
        text.put_slice(object);
        text.put_slice(b"}\n");
        text.freeze()
    }

    /// What `Content-Type` says of a watch.
    pub(crate) fn content_type_of_watch(&self) -> &'static str {
        match self.form.media_type {
            MediaType::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
            _ => "application/json",
        }
    }
}

fn has_uid(value: &Value) -> bool {
    value["metadata"]["uid"].is_string()
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
fn list(resource: &Resource, objects: &[Arc<Object>], meta: &Value) -> Bytes {
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
pub(crate) fn metadata(resource: &Resource, object: &Object) -> Value {
    let mut metadata = metadata_of(&object.value);
    defaults::without_what_is_converted(resource, &mut metadata);
    metadata
}

fn metadata_of(value: &Value) -> Value {
    json!({"kind": PARTIAL[1], "apiVersion": PARTIAL[0], "metadata": value["metadata"]})
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
