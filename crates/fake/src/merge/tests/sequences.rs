//! Sequences of writes to one object, and what we make of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    merge::{
        ApplyError, FieldManager, FieldSet, PatchError, Type, Versions, conflict_message, json_merge, keep_times,
        strategic_merge,
    },
    model::Model,
    schema::Schema,
};

/// A sequence, which is also the question to the libraries.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    /// The version in which the object is stored.
    pub(super) api_version: String,
    pub(super) kind: String,
    /// The schemas that custom resources declare, by version; a step chooses one of these sets.
    pub(super) custom: Vec<BTreeMap<String, Value>>,
    /// The fields that are not written through an endpoint, by subresource.
    pub(super) reset: BTreeMap<String, Value>,
    pub(super) steps: Vec<Step>,
}

/// A write.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) operation: Operation,
    pub(super) api_version: String,
    pub(super) subresource: String,
    /// Which of the sequence's schemas hold.
    pub(super) models: usize,
    pub(super) manager: String,
    pub(super) force: bool,
    pub(super) body: Value,
    /// How long after the one before.
    pub(super) seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Apply,
    Replace,
    Merge,
    Strategic,
}

impl Sequence {
    /// The question to the libraries.
    pub(super) fn question(&self) -> Value {
        let step = |step: &Step| {
            json!({
                "operation": match step.operation {
                    Operation::Apply => "apply",
                    Operation::Replace => "replace",
                    Operation::Merge => "merge",
                    Operation::Strategic => "strategic",
                },
                "apiVersion": step.api_version,
                "subresource": step.subresource,
                "models": step.models,
                "manager": step.manager,
                "force": step.force,
                "body": step.body,
                "seconds": step.seconds,
            })
        };
        let mut question = json!({
            "apiVersion": self.api_version,
            "kind": self.kind,
            "empty": self.empty(),
            "reset": self.reset,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
        });
        if !self.custom.is_empty() {
            let models = self.custom.iter().map(|versions| {
                let models =
                    versions.iter().map(|(version, declared)| (version.clone(), self.model(version, declared)));
                models.collect::<Map<_, _>>()
            });
            question["models"] = models.collect();
        }
        question
    }

    /// A declared schema as the server's OpenAPI document has it.
    fn model(&self, api_version: &str, declared: &Value) -> Value {
        let mut model = declared.clone();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        model["x-kubernetes-group-version-kind"] = json!([{ "group": group, "version": version, "kind": self.kind }]);
        let properties = &mut model["properties"];
        properties["apiVersion"] = json!({ "type": "string" });
        properties["kind"] = json!({ "type": "string" });
        let metadata = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
        properties["metadata"] = json!({ "allOf": [{ "$ref": metadata }] });
        model
    }

    fn empty(&self) -> Value {
        json!({ "apiVersion": self.api_version, "kind": self.kind })
    }

    /// The schemas of each set, by version.
    pub(super) fn schemas(&self) -> Vec<BTreeMap<String, Schema>> {
        let model = Model::of(Model::newest()).expect("a model of the newest version");
        if self.custom.is_empty() {
            let resources = model.resources.get(self.api_version.as_str()).expect("a version that is served");
            let resource = resources.values().find(|resource| resource.kind == self.kind).expect("a kind");
            return vec![BTreeMap::from([(self.api_version.clone(), resource.schema.clone())])];
        }
        let of_custom = |declared: &Value| Schema::of_custom_resource(Some(declared), model.types);
        let of_versions = |versions: &BTreeMap<String, Value>| {
            versions.iter().map(|(version, declared)| (version.clone(), of_custom(declared))).collect()
        };
        self.custom.iter().map(of_versions).collect()
    }

    /// What each step comes to, in the form of the libraries' answer.
    pub(super) fn results(&self, clock: &mut u64) -> Vec<Value> {
        let schemas = self.schemas();
        let mut live = self.empty();
        let mut results = Vec::new();
        for step in &self.steps {
            *clock += step.seconds;
            let now = time(*clock);
            let reset =
                self.reset.get(&step.subresource).map(|fields| FieldSet::from_fields_v1(fields).expect("a set"));
            let versions = Served { schemas: &schemas[step.models], api_version: &step.api_version, reset };
            match step.write(self, &live, &versions, &now) {
                Ok(mut object) => {
                    if live.pointer("/metadata/uid").is_some() {
                        keep_times(&live, &mut object);
                    } else {
                        object["metadata"]["uid"] = json!("1");
                    }
                    live = object;
                    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
                    let text = |entry: &Value| {
                        FieldSet::from_fields_v1(&entry["fieldsV1"]).expect("fields that we wrote").to_fields_v1_text()
                    };
                    let fields: Vec<_> = entries.into_iter().flatten().map(text).collect();
                    let mut result = json!({ "object": live });
                    if !fields.is_empty() {
                        result["fields"] = json!(fields);
                    }
                    results.push(result);
                }
                Err(refusal) => results.push(json!({ "error": refusal })),
            }
        }
        results
    }
}

impl Step {
    fn write(&self, sequence: &Sequence, live: &Value, versions: &Served<'_>, now: &str) -> Result<Value, Value> {
        let in_version = |object: &Value, api_version: &str| {
            let mut object = object.clone();
            object["apiVersion"] = json!(api_version);
            object
        };
        let empty = in_version(&sequence.empty(), &self.api_version);
        let manager = FieldManager {
            versions,
            api_version: &self.api_version,
            kind: &sequence.kind,
            subresource: &self.subresource,
            empty: &empty,
            now,
        };
        let live = in_version(live, &self.api_version);
        let object = if self.operation == Operation::Apply {
            manager.apply(&live, &self.body, &self.manager, self.force).map_err(|error| refused(&error))?
        } else {
            let new = self.patched(live.clone(), versions).map_err(|error| refused_patch(&error))?;
            manager.update(&live, new, &self.manager)
        };
        Ok(in_version(&object, &sequence.api_version))
    }

    fn patched(&self, live: Value, versions: &Served<'_>) -> Result<Value, PatchError> {
        Ok(match self.operation {
            Operation::Merge => json_merge(live, self.body.clone()),
            Operation::Strategic => {
                let of = versions.kind(&self.api_version).expect("a kind");
                let (Value::Object(live), Value::Object(patch)) = (live, self.body.clone()) else {
                    panic!("objects and patches are maps");
                };
                Value::Object(strategic_merge(live, patch, of)?)
            }
            Operation::Apply | Operation::Replace => self.body.clone(),
        })
    }
}

/// The versions that are served while a step is made.
struct Served<'s> {
    schemas: &'s BTreeMap<String, Schema>,
    /// The version that the write goes to. Only there it leaves fields out.
    api_version: &'s str,
    reset: Option<FieldSet>,
}

impl<'s> Versions<'s> for Served<'s> {
    fn kind(&self, api_version: &str) -> Option<Type<'s>> {
        self.schemas.get(api_version).map(Type::from)
    }

    fn reset_fields(&self, api_version: &str) -> Option<&FieldSet> {
        self.reset.as_ref().filter(|_| api_version == self.api_version)
    }
}

fn refused(error: &ApplyError) -> Value {
    match error {
        ApplyError::BadRequest(message) => json!({ "code": 400, "message": message }),
        ApplyError::Internal(message) => json!({ "code": 500, "message": message }),
        ApplyError::Conflicts(conflicts) => {
            let causes = conflicts.iter().map(|conflict| {
                json!({ "reason": "FieldManagerConflict", "message": conflict.message(), "field": conflict.field() })
            });
            let causes: Vec<Value> = causes.collect();
            json!({ "code": 409, "message": conflict_message(conflicts), "causes": causes })
        }
    }
}

fn refused_patch(error: &PatchError) -> Value {
    let (code, message) = match error {
        PatchError::BadRequest(message) => (400, message),
        PatchError::Unprocessable(message) => (422, message),
        PatchError::Internal(message) => (500, message),
    };
    json!({ "code": code, "message": message })
}

/// A time so many seconds after the beginning of the year 2000, with which the libraries start.
fn time(seconds: u64) -> String {
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    format!("2000-01-{:02}T{:02}:{:02}:{:02}Z", days + 1, seconds / 3600, seconds / 60 % 60, seconds % 60)
}
