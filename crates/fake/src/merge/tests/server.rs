//! As little of a server as field management needs: one object and a clock.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    merge::{ApplyError, FieldManager, FieldSet, Type, Versions, conflict_message, json_merge, keep_times},
    model::Model,
    schema::Schema,
};

/// A server with one object.
pub(super) struct Server {
    /// By version. Taking one out makes it a version that is not served any more.
    pub(super) versions: BTreeMap<String, Schema>,
    pub(super) kind: String,
    pub(super) subresource: String,
    pub(super) reset: Option<FieldSet>,
    pub(super) live: Value,
    pub(super) seconds: u64,
}

impl<'s> Versions<'s> for &'s Server {
    fn kind(&self, api_version: &str) -> Option<Type<'s>> {
        self.versions.get(api_version).map(Type::from)
    }

    fn reset_fields(&self, _: &str) -> Option<&FieldSet> {
        self.reset.as_ref()
    }
}

impl Server {
    pub(super) fn of(api_version: &str, kind: &str) -> Self {
        let model = Model::of(Model::newest()).expect("a model of the newest version");
        let resource = model.resources[api_version].values().find(|resource| resource.kind == kind).expect("a kind");
        Self::with(api_version, kind, resource.schema.clone())
    }

    /// A server of a custom resource with this schema for `spec`.
    pub(super) fn of_custom(spec: &Value) -> Self {
        Self::with("example.com/v1", "Widget", custom(spec))
    }

    fn with(api_version: &str, kind: &str, schema: Schema) -> Self {
        Self {
            live: json!({ "apiVersion": api_version, "kind": kind }),
            versions: BTreeMap::from([(api_version.to_owned(), schema)]),
            kind: kind.to_owned(),
            subresource: String::new(),
            reset: None,
            seconds: 0,
        }
    }

    pub(super) fn api_version(&self) -> String {
        self.live["apiVersion"].as_str().expect("a version").to_owned()
    }

    fn write<T>(&mut self, write: impl FnOnce(&FieldManager<'_, '_>, &Value) -> Result<Value, T>) -> Result<(), T> {
        self.seconds += 1;
        let empty = json!({ "apiVersion": self.live["apiVersion"], "kind": self.kind });
        let api_version = self.api_version();
        let now = format!("2026-01-01T00:00:{:02}Z", self.seconds);
        let server = &*self;
        let manager = FieldManager {
            versions: &server,
            api_version: &api_version,
            kind: &self.kind,
            subresource: &self.subresource,
            empty: &empty,
            now: &now,
        };
        let mut object = write(&manager, &self.live)?;
        if self.live.pointer("/metadata/uid").is_some() {
            keep_times(&self.live, &mut object);
        } else {
            object["metadata"]["uid"] = json!("1");
        }
        self.live = object;
        Ok(())
    }

    /// Applies what is given beside `apiVersion` and `kind`; a refusal is the message.
    pub(super) fn apply(&mut self, manager: &str, config: Value) -> Result<(), String> {
        self.apply_with(manager, config, false)
    }

    pub(super) fn force(&mut self, manager: &str, config: Value) -> Result<(), String> {
        self.apply_with(manager, config, true)
    }

    fn apply_with(&mut self, manager: &str, mut config: Value, force: bool) -> Result<(), String> {
        for key in ["apiVersion", "kind"] {
            if config.get(key).is_none() {
                config[key] = self.live[key].clone();
            }
        }
        self.write(|fields, live| fields.apply(live, &config, manager, force)).map_err(|error| match error {
            ApplyError::BadRequest(message) => format!("400 {message}"),
            ApplyError::Conflicts(conflicts) => format!("409 {}", conflict_message(&conflicts)),
            ApplyError::Internal(message) => format!("500 {message}"),
        })
    }

    /// Changes the object by a merge patch.
    pub(super) fn update(&mut self, manager: &str, patch: Value) {
        let new = json_merge(self.live.clone(), patch);
        let written = self.write(|fields, live| Ok::<_, ()>(fields.update(live, new, manager)));
        written.expect("updates do not fail");
    }

    /// The managers with their operation and subresource, in their order.
    pub(super) fn managers(&self) -> Vec<String> {
        let name = |entry: &Value| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            let subresource = text("subresource");
            let subresource = if subresource.is_empty() { subresource } else { format!(" {subresource}") };
            format!("{} {}{subresource}", text("manager"), text("operation"))
        };
        self.entries().map(name).collect()
    }

    /// What a manager owns, as the server writes it.
    pub(super) fn owned(&self, manager: &str) -> String {
        let entry = self.entry(manager);
        FieldSet::from_fields_v1(&entry["fieldsV1"]).expect("fields").to_fields_v1_text()
    }

    pub(super) fn entry(&self, manager: &str) -> &Value {
        self.entries().find(|entry| entry["manager"] == manager).expect("a manager of the object")
    }

    fn entries(&self) -> impl Iterator<Item = &Value> {
        self.live.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten()
    }
}

/// A custom resource's schema with this schema for `spec`.
pub(super) fn custom(spec: &Value) -> Schema {
    let model = Model::of(Model::newest()).expect("a model of the newest version");
    let declared = json!({ "type": "object", "properties": { "spec": spec, "status": { "type": "object" } } });
    Schema::of_custom_resource(Some(&declared), model.types)
}
