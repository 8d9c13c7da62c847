//! Types as components of a document.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{Kind, kind};
use crate::{
    model::{Resource, Subresource},
    schema::{Field, List, ListKind, Patch, Presence, Schema, Struct, Type},
    state::State,
    store::Object,
};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// The definitions of a group's custom resources, or of all.
pub(super) fn definitions<'s>(state: &'s State, group: Option<&str>) -> impl Iterator<Item = &'s Arc<Object>> {
    let all = state.store.list("customresourcedefinitions.apiextensions.k8s.io", "", None);
    all.map(|(_, object)| object)
        .filter(move |object| group.is_none_or(|group| object.value["spec"]["group"] == *group))
}

/// The types that a document has so far.
pub(super) struct Components<'s> {
    state: &'s State,
    /// The kinds of the types that are kinds.
    kinds: BTreeMap<String, Value>,
    schemas: BTreeMap<String, Value>,
    /// Types of Kubernetes that are named and not there yet.
    wanted: BTreeSet<&'static str>,
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

impl<'s> Components<'s> {
    pub(super) fn new(state: &'s State) -> Self {
        Self { state, kinds: BTreeMap::new(), schemas: BTreeMap::new(), wanted: BTreeSet::new() }
    }

    /// All of them, with those that they need.
    pub(super) fn schemas(mut self) -> BTreeMap<String, Value> {
        while let Some(name) = self.wanted.pop_first() {
            let schema = self.state.model.types.named(name);
            let mut written = written(schema.resolved(), &mut self.wanted);
            if schema.resolved().atomic {
                written["x-kubernetes-map-type"] = "atomic".into();
            }
            if let Some(kinds) = self.kinds.get(name) {
                written["x-kubernetes-group-version-kind"] = json!([kinds]);
            }
            self.schemas.insert(name.to_owned(), written);
            self.wanted.retain(|name| !self.schemas.contains_key(*name));
        }
        self.schemas
    }

    fn want(&mut self, schema: &Schema, of: Kind<'_>) -> Option<Value> {
        let name = schema.type_name()?;
        self.kinds.insert(name.to_owned(), kind(of));
        if !self.schemas.contains_key(name) {
            self.wanted.insert(name);
        }
        Some(reference(name))
    }

    /// References to the type of a resource's objects and to that of lists of them.
    pub(super) fn of_resource(&mut self, resource: &Resource) -> (Value, Option<Value>) {
        let (group, version) = (resource.group.as_str(), resource.version.as_str());
        if resource.custom.is_some() {
            let (object, list) = self.add_custom(resource);
            return (object, Some(list));
        }
        let object = self.want(&resource.schema, (group, version, &resource.kind)).unwrap_or_default();
        let list_kind = resource.list_kind();
        let list = resource.schema.type_name().and_then(|name| self.state.model.types.find(&format!("{name}List")));
        let list = list.and_then(|list| self.want(&list, (group, version, &list_kind)));
        (object, list)
    }

    /// A reference to the type of what is sent to a subresource.
    pub(super) fn of_subresource(&mut self, resource: &Resource, subresource: &Subresource) -> Option<Value> {
        if resource.custom.is_some() && subresource.kind == resource.kind {
            return Some(reference(&name_of_custom(resource, &resource.kind)));
        }
        self.want(&subresource.schema, (&subresource.group, &subresource.version, &subresource.kind))
    }

    /// Adds the types of a custom resource: the schema of its definition, with what all objects have.
    fn add_custom(&mut self, resource: &Resource) -> (Value, Value) {
        let is_own = |definition: &&Arc<Object>| definition.value["spec"]["names"]["plural"] == *resource.plural;
        let definition = definitions(self.state, Some(&resource.group)).find(is_own);
        let versions = definition.and_then(|definition| definition.value["spec"]["versions"].as_array());
        let version = versions.into_iter().flatten().find(|version| version["name"] == *resource.version);
        let declared = version.map(|version| &version["schema"]["openAPIV3Schema"]);
        let mut object = declared.filter(|schema| schema.is_object()).cloned().unwrap_or_else(|| json!({}));
        object["type"] = "object".into();
        let text = json!({"type": "string"});
        let mut meta = |name: &str| {
            self.state.model.types.find(&format!("{META}.{name}")).and_then(|schema| {
                let name = schema.type_name()?;
                self.wanted.insert(name);
                Some(json!({"allOf": [reference(name)]}))
            })
        };
        let (of_object, of_list) = (meta("ObjectMeta"), meta("ListMeta"));
        for (field, schema) in [("apiVersion", &text), ("kind", &text), ("metadata", &json!(of_object))] {
            object["properties"][field] = schema.clone();
        }
        let list_kind = resource.list_kind();
        let of = |name| json!([kind((&resource.group, &resource.version, name))]);
        object["x-kubernetes-group-version-kind"] = of(&resource.kind);
        let (name, list_name) = (name_of_custom(resource, &resource.kind), name_of_custom(resource, &list_kind));
        let list = json!({
            "type": "object", "required": ["items"], "x-kubernetes-group-version-kind": of(&list_kind),
            "properties": {
                "apiVersion": text, "kind": text, "metadata": of_list,
                "items": {"type": "array", "items": reference(&name)},
            },
        });
        self.schemas.insert(name.clone(), object);
        self.schemas.insert(list_name.clone(), list);
        (reference(&name), reference(&list_name))
    }
}

/// `com.example.v1.Widget`
fn name_of_custom(resource: &Resource, kind: &str) -> String {
    let group: Vec<&str> = resource.group.rsplit('.').collect();
    format!("{}.{}.{kind}", group.join("."), resource.version)
}

/// A type where it stands; `wanted` gets the types that it names.
fn written(schema: &Schema, wanted: &mut BTreeSet<&'static str>) -> Value {
    let mut value = match &schema.of {
        Type::Any => json!({}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Int32 => json!({"type": "integer", "format": "int32"}),
        Type::Int64 => json!({"type": "integer", "format": "int64"}),
        Type::Double => json!({"type": "number", "format": "double"}),
        Type::String => json!({"type": "string"}),
        Type::Time => json!({"type": "string", "format": "date-time"}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::IntOrString => {
            json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
        }
        Type::Quantity => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        Type::List(list) => list_of(list, wanted),
        Type::Map(values) => json!({"type": "object", "additionalProperties": written(values, wanted)}),
        Type::Struct(fields) => struct_of(fields, wanted),
        Type::Named(_) => {
            let name = schema.type_name().unwrap_or_default();
            wanted.insert(name);
            // Beside a reference nothing else counts.
            json!({"allOf": [reference(name)]})
        }
    };
    if let Some(default) = &schema.default {
        value["default"] = default.clone();
    }
    if !schema.values.is_empty() {
        value["enum"] = schema.values.clone().into();
    }
    if schema.atomic && !matches!(schema.of, Type::List(_)) {
        value["x-kubernetes-map-type"] = "atomic".into();
    }
    value
}

fn list_of(list: &List, wanted: &mut BTreeSet<&'static str>) -> Value {
    let mut value = json!({"type": "array", "items": written(&list.items, wanted)});
    match &list.kind {
        ListKind::Atomic => value["x-kubernetes-list-type"] = "atomic".into(),
        ListKind::Set => value["x-kubernetes-list-type"] = "set".into(),
        ListKind::Map(keys) => {
            value["x-kubernetes-list-type"] = "map".into();
            value["x-kubernetes-list-map-keys"] = json!(keys);
        }
    }
    value
}

fn struct_of(fields: &Struct, wanted: &mut BTreeSet<&'static str>) -> Value {
    let mut value = json!({"type": "object"});
    if fields.fields.is_empty() {
        return value;
    }
    let field = |(name, field): (&String, &Field)| (name.clone(), field_of(field, wanted));
    value["properties"] = fields.fields.iter().map(field).collect::<Map<_, _>>().into();
    let required: Vec<&String> =
        fields.fields.iter().filter(|(_, field)| field.required).map(|(name, _)| name).collect();
    if !required.is_empty() {
        value["required"] = json!(required);
    }
    value
}

fn field_of(field: &Field, wanted: &mut BTreeSet<&'static str>) -> Value {
    let mut value = written(&field.schema, wanted);
    let Patch { merge, retain_keys, replace, key } = &field.patch;
    let strategies = [(*merge, "merge"), (*replace, "replace"), (*retain_keys, "retainKeys")];
    let strategies: Vec<&str> = strategies.into_iter().filter(|(is_said, _)| *is_said).map(|(_, word)| word).collect();
    if !strategies.is_empty() {
        value["x-kubernetes-patch-strategy"] = strategies.join(",").into();
    }
    if let Some(key) = key {
        value["x-kubernetes-patch-merge-key"] = key.clone().into();
    }
    // A struct that is no pointer is always there.
    let is_struct = field.schema.type_name().is_some() && field.schema.as_struct().is_some();
    if is_struct && !matches!(field.presence, Presence::Optional | Presence::Null) {
        value["default"] = json!({});
    }
    value
}
