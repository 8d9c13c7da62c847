//! Random objects and writes of any kind, drawn so that writes meet: each sequence uses a few fields of each struct,
//! and values out of a handful.

use std::{
    collections::{BTreeMap, BTreeSet, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
};

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{
    schemas,
    sequences::{Operation, Sequence, Step},
};
use crate::{
    model::Model,
    schema::{ListKind, Schema, Type},
};

/// The kinds that half of the sequences are about.
const COMMON: [(&str, &str); 5] = [
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("networking.k8s.io/v1", "Ingress"),
];

const MANAGERS: [&str; 5] = ["a", "b", "kubectl", "c \"d\" <e>", ""];

/// The sequence of a seed.
pub(super) fn sequence(seed: u64) -> Sequence {
    let mut rng = Rng::with_seed(seed);
    let mut sequence = match rng.u8(..10) {
        0..4 => {
            let (api_version, kind) = COMMON[rng.usize(..COMMON.len())];
            built_in(api_version, kind)
        }
        4..6 => any_kind(&mut rng),
        _ => custom(&mut rng),
    };
    let mut writes = Writes { seed, schemas: sequence.schemas(), last: BTreeMap::new(), rng };
    let many = writes.rng.u8(..12) == 0;
    let count = if many { 16 } else { writes.rng.usize(2..9) };
    for index in 0..count {
        let mut step = writes.step(&sequence);
        if many {
            step.manager = format!("m{index}");
        }
        sequence.steps.push(step);
    }
    sequence
}

fn built_in(api_version: &str, kind: &str) -> Sequence {
    let reset = BTreeMap::from([
        (String::new(), json!({ "f:status": {} })),
        ("status".to_owned(), json!({ "f:spec": {}, "f:metadata": { "f:labels": {} } })),
    ]);
    Sequence {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        custom: Vec::new(),
        reset,
        steps: Vec::new(),
    }
}

fn any_kind(rng: &mut Rng) -> Sequence {
    let model = Model::of(Model::newest()).expect("a model of the newest version");
    let all: Vec<_> = model
        .resources
        .iter()
        .flat_map(|(api_version, resources)| resources.values().map(move |resource| (*api_version, resource)))
        // The definition of custom resources is not among client-go's kinds, nor is APIService.
        .filter(|(api_version, _)| {
            !api_version.starts_with("apiextensions") && !api_version.starts_with("apiregistration")
        })
        .filter(|(_, resource)| resource.verbs.iter().any(|verb| verb == "patch"))
        .collect();
    let (api_version, resource) = all[rng.usize(..all.len())];
    built_in(api_version, &resource.kind)
}

fn custom(rng: &mut Rng) -> Sequence {
    let versions = |declared: [&Value; 2]| {
        ["example.com/v1", "example.com/v2"].map(str::to_owned).into_iter().zip(declared.map(Value::clone)).collect()
    };
    let first = schemas::declared(rng);
    let second = if rng.bool() { first.clone() } else { schemas::changed(rng, &first) };
    let mut custom = vec![versions([&first, &second])];
    if rng.u8(..3) == 0 {
        custom.push(versions([&schemas::changed(rng, &first), &second]));
        custom.push(BTreeMap::from([("example.com/v1".to_owned(), first)]));
    }
    let reset = BTreeMap::from([
        (String::new(), json!({ "f:status": {} })),
        ("status".to_owned(), json!({ "f:spec": {}, "f:metadata": {} })),
    ]);
    Sequence { api_version: "example.com/v1".to_owned(), kind: "Widget".to_owned(), custom, reset, steps: Vec::new() }
}

struct Writes {
    seed: u64,
    schemas: Vec<BTreeMap<String, Schema>>,
    /// What each manager applied last.
    last: BTreeMap<(String, String), Value>,
    rng: Rng,
}

impl Writes {
    fn one_in(&mut self, count: u8) -> bool {
        self.rng.u8(..count) == 0
    }

    fn step(&mut self, sequence: &Sequence) -> Step {
        let models = self.rng.usize(..self.schemas.len());
        let versions: Vec<String> = self.schemas[models].keys().cloned().collect();
        let api_version = versions[if self.one_in(3) { self.rng.usize(..versions.len()) } else { 0 }].clone();
        let api_version = if sequence.custom.is_empty() { sequence.api_version.clone() } else { api_version };
        let manager = MANAGERS[self.rng.usize(..MANAGERS.len())].to_owned();
        let is_custom = !sequence.custom.is_empty();
        let operation = match self.rng.u8(..10) {
            0..5 => Operation::Apply,
            5..6 => Operation::Replace,
            6..8 if !is_custom => Operation::Strategic,
            _ => Operation::Merge,
        };
        let schema = self.schemas[models][&api_version].clone();
        let key = (manager.clone(), api_version.clone());
        let mut body = match self.last.get(&key).cloned() {
            Some(last) if operation == Operation::Apply && !self.one_in(3) => self.changed(last, &schema),
            _ => self.object(&schema),
        };
        body["apiVersion"] = json!(api_version);
        body["kind"] = json!(sequence.kind);
        match operation {
            Operation::Apply => {
                self.last.insert(key, body.clone());
                self.spoil(&mut body);
            }
            Operation::Replace => {
                body["metadata"]["uid"] = json!("1");
                self.give_managers(&mut body);
            }
            Operation::Merge => {
                self.give_managers(&mut body);
                self.sprinkle_nulls(&mut body);
            }
            Operation::Strategic => {
                self.sprinkle_nulls(&mut body);
                let patch = body.as_object_mut().expect("a map");
                patch.retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind"));
                self.add_directives(patch);
            }
        }
        Step {
            operation,
            api_version,
            subresource: if self.one_in(6) { "status".to_owned() } else { String::new() },
            models,
            manager,
            force: self.one_in(3),
            body,
            seconds: u64::from(self.rng.u8(..2)),
        }
    }

    fn object(&mut self, schema: &Schema) -> Value {
        let mut object = self.value(schema, "", 8);
        if !object.is_object() {
            object = json!({});
        }
        let metadata = &mut object["metadata"];
        if !metadata.is_object() {
            *metadata = json!({});
        }
        metadata["name"] = json!("x");
        object
    }

    /// A value of a type. `path` says which fields the sequence uses.
    fn value(&mut self, schema: &Schema, path: &str, depth: u8) -> Value {
        if self.one_in(60) {
            return Value::Null;
        }
        match &schema.resolved().of {
            Type::Any | Type::Named(_) => self.anything(2),
            Type::Bool => json!(self.rng.bool()),
            Type::Int32 | Type::Int64 => json!(self.rng.u8(..3)),
            Type::Double => [json!(1), json!(1.5), json!(2)][self.rng.usize(..3)].clone(),
            Type::String if self.one_in(40) => json!("x \"<y>\" & é\n"),
            Type::String | Type::Bytes => json!(["a", "b", "c"][self.rng.usize(..3)]),
            Type::Time => json!(["2000-01-01T00:00:00Z", "2001-01-01T00:00:00Z"][self.rng.usize(..2)]),
            Type::IntOrString | Type::Quantity => [json!(1), json!("1"), json!("x")][self.rng.usize(..3)].clone(),
            Type::List(list) => {
                let count = if depth == 0 { 0 } else { self.rng.usize(..4) };
                let items: Vec<Value> = (0..count).map(|_| self.value(&list.items, path, depth - 1)).collect();
                Value::Array(match &list.kind {
                    ListKind::Atomic => items,
                    kind => self.distinct(items, kind, &list.items),
                })
            }
            Type::Map(values) => {
                let count = if depth == 0 { 0 } else { self.rng.usize(..3) };
                let key = |writes: &mut Self| ["k1", "k2", "k3"][writes.rng.usize(..3)].to_owned();
                let members = (0..count).map(|_| (key(self), self.value(values, path, depth - 1)));
                Value::Object(members.collect())
            }
            Type::Struct(fields) => {
                let mut members = Map::new();
                let names: BTreeSet<&String> = self.focus(fields.fields.keys().collect(), path);
                for name in names {
                    if depth > 0 && self.rng.u8(..10) < 7 {
                        let field = &fields.fields[name];
                        let value = self.value(&field.schema, &format!("{path}.{name}"), depth - 1);
                        members.insert(name.clone(), value);
                    }
                }
                if fields.fields.is_empty() || (fields.unknown == crate::schema::Unknown::Kept && self.one_in(2)) {
                    members.insert("z".to_owned(), self.anything(2));
                }
                Value::Object(members)
            }
        }
    }

    /// The fields of a struct that this sequence uses.
    fn focus<'n>(&self, names: Vec<&'n String>, path: &str) -> BTreeSet<&'n String> {
        let used = match path {
            "" => {
                let names = names.into_iter().filter(|name| !matches!(name.as_str(), "apiVersion" | "kind"));
                return names.collect();
            }
            ".metadata" => ["labels", "annotations", "finalizers", "ownerReferences"].to_vec(),
            _ => Vec::new(),
        };
        let rank = |name: &str| {
            let mut hasher = DefaultHasher::new();
            (self.seed, path, name).hash(&mut hasher);
            hasher.finish()
        };
        let mut names: Vec<&String> =
            names.into_iter().filter(|name| used.is_empty() || used.contains(&name.as_str())).collect();
        names.sort_by_key(|name| rank(name));
        names.truncate(4);
        names.into_iter().collect()
    }

    /// Items of which no two are the same to the list, but for a few lists.
    fn distinct(&mut self, items: Vec<Value>, kind: &ListKind, schema: &Schema) -> Vec<Value> {
        let duplicates = self.one_in(40);
        let mut seen = BTreeSet::new();
        let mut distinct = Vec::new();
        for mut item in items {
            let key = match (kind, &mut item) {
                (_, Value::Null) => continue,
                (ListKind::Map(keys), Value::Object(members)) => {
                    for key in keys {
                        let default = schema.field(key).and_then(|field| field.schema.default.clone());
                        let optional = default.is_some();
                        if !members.contains_key(key) && (!optional || self.rng.bool()) {
                            let value = match schema.field(key).map(|field| &field.schema.resolved().of) {
                                Some(Type::Int32 | Type::Int64) => json!([80, 443, 8080][self.rng.usize(..3)]),
                                Some(Type::Bool) => json!(true),
                                _ => json!(["c1", "c2", "c3"][self.rng.usize(..3)]),
                            };
                            members.insert(key.clone(), value);
                        }
                    }
                    if keys.iter().any(|key| members.get(key).is_some_and(Value::is_null)) {
                        continue;
                    }
                    let value = |key: &String| match members.get(key) {
                        Some(value) => value.clone(),
                        None => schema.field(key).and_then(|field| field.schema.default.clone()).unwrap_or_default(),
                    };
                    json!(keys.iter().map(value).collect::<Vec<_>>())
                }
                (_, item) => item.clone(),
            };
            let key = key.to_string().replace(".0", "");
            if seen.insert(key) || duplicates {
                distinct.push(item);
            }
        }
        distinct
    }

    fn anything(&mut self, depth: u8) -> Value {
        match self.rng.u8(..if depth == 0 { 3 } else { 6 }) {
            0 => json!(self.rng.u8(..3)),
            1 => json!(["a", "b"][self.rng.usize(..2)]),
            2 => json!(self.rng.bool()),
            3 => Value::Array((0..self.rng.usize(..3)).map(|_| self.anything(depth - 1)).collect()),
            _ => {
                let mut members = Map::new();
                for name in ["p", "q", "r"] {
                    if self.rng.bool() {
                        members.insert(name.to_owned(), self.anything(depth - 1));
                    }
                }
                Value::Object(members)
            }
        }
    }

    /// What a manager applied last with something less, or with the values of another object.
    fn changed(&mut self, mut last: Value, schema: &Schema) -> Value {
        for _ in 0..self.rng.usize(..4) {
            self.remove_one(&mut last);
        }
        if self.one_in(3) {
            let other = self.object(schema);
            if let (Value::Object(last), Value::Object(other)) = (&mut last, other) {
                for (key, value) in other {
                    if self.one_in(2) && key != "metadata" {
                        last.insert(key, value);
                    }
                }
            }
        }
        last
    }

    fn remove_one(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let keys: Vec<String> = members.keys().cloned().collect();
                let key = &keys[self.rng.usize(..keys.len())];
                let is_key = matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "name" | "port");
                if !is_key && self.one_in(3) {
                    members.remove(key);
                } else if let Some(member) = members.get_mut(key) {
                    self.remove_one(member);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                let index = self.rng.usize(..items.len());
                match self.rng.u8(..4) {
                    0 => {
                        items.remove(index);
                    }
                    1 => items.rotate_left(1),
                    _ => self.remove_one(&mut items[index]),
                }
            }
            _ => {}
        }
    }

    /// Makes a few configurations such as are refused.
    fn spoil(&mut self, body: &mut Value) {
        match self.rng.u8(..120) {
            0 => body["nonsense"] = json!(1),
            1 => body["metadata"]["managedFields"] = json!([]),
            2 => body["kind"] = json!("Other"),
            3 => body["metadata"]["labels"] = json!({ "a": 1 }),
            4 => body["metadata"]["labels"] = json!("a"),
            5 => body["metadata"]["finalizers"] = json!({ "a": [true, 1.5, null, "x"] }),
            6 => body["metadata"]["ownerReferences"] = json!([{ "kind": "x" }, { "kind": "y" }]),
            7 => body["metadata"]["finalizers"] = json!(["a", "a"]),
            8 => body["metadata"]["generation"] = json!("x"),
            9 => {
                let applied = json!({ "apiVersion": body["apiVersion"], "kind": body["kind"], "spec": body["spec"] });
                let annotation = "kubectl.kubernetes.io/last-applied-configuration";
                body["metadata"]["annotations"] = json!({ annotation: applied.to_string() });
            }
            _ => {}
        }
    }

    /// Some updates bring managedFields of their own, or clear them.
    fn give_managers(&mut self, body: &mut Value) {
        let entry = |operation: &str| {
            json!({
                "manager": "given", "operation": operation, "apiVersion": body["apiVersion"],
                "time": "2000-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": { "f:spec": { ".": {}, "f:a": {}, "f:x": { "k:{\"port\":80,\"name\":\"<b>\"}": {} } }, "x:1": {} },
            })
        };
        let managed_fields = match self.rng.u8(..30) {
            0 => json!([]),
            1 => json!([{}]),
            2 => json!([entry("Apply")]),
            3 => json!([entry("Update"), entry("Apply")]),
            4 => json!([entry("Delete")]),
            5 => json!([{ "manager": "given", "operation": "Apply", "apiVersion": "v1" }]),
            _ => {
                let annotation = "kubectl.kubernetes.io/last-applied-configuration";
                if self.one_in(8) {
                    let mut applied = body.clone();
                    if let Some(metadata) = applied["metadata"].as_object_mut() {
                        metadata.remove("uid");
                    }
                    body["metadata"]["annotations"] = json!({ annotation: applied.to_string() });
                }
                return;
            }
        };
        body["metadata"]["managedFields"] = managed_fields;
    }

    fn sprinkle_nulls(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let is_key =
                        matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "name" | "uid" | "managedFields");
                    if !is_key && self.one_in(8) {
                        *member = Value::Null;
                    } else if key != "managedFields" {
                        self.sprinkle_nulls(member);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.sprinkle_nulls(item)),
            _ => {}
        }
    }

    /// Directives of strategic merge patch, most of them such as fit.
    fn add_directives(&mut self, patch: &mut Map<String, Value>) {
        let keys: Vec<String> = patch.keys().cloned().collect();
        for key in &keys {
            match patch.get_mut(key) {
                Some(Value::Object(members)) => {
                    self.add_directives(members);
                    match self.rng.u8(..40) {
                        0 => drop(members.insert("$patch".to_owned(), json!("replace"))),
                        1 => drop(members.insert("$patch".to_owned(), json!("delete"))),
                        2 => drop(members.insert("$patch".to_owned(), json!("nonsense"))),
                        3..=5 => {
                            let names: Vec<String> = members.keys().cloned().collect();
                            members.insert("$retainKeys".to_owned(), json!(names));
                        }
                        6 => drop(members.insert("$retainKeys".to_owned(), json!(["a", "b"]))),
                        7 => drop(members.insert("$retainKeys".to_owned(), json!("a"))),
                        8 => drop(members.insert("$setElementOrder".to_owned(), json!([]))),
                        _ => {}
                    }
                }
                Some(Value::Array(items)) => {
                    let order = self.list_directives(items);
                    match self.rng.u8(..8) {
                        0..3 => drop(patch.insert(format!("$setElementOrder/{key}"), order)),
                        3 => drop(patch.insert(format!("$deleteFromPrimitiveList/{key}"), order)),
                        4 if self.one_in(4) => {
                            patch.remove(key);
                            patch.insert(format!("$deleteFromPrimitiveList/{key}"), json!(["a", "b"]));
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds directives to items; an order for the list.
    fn list_directives(&mut self, items: &mut [Value]) -> Value {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            self.add_directives(item);
            if self.one_in(6) {
                let directive = ["delete", "delete", "delete", "replace", "merge", "x"][self.rng.usize(..6)];
                item.insert("$patch".to_owned(), json!(directive));
            }
        }
        let keys =
            ["name", "uid", "ip", "containerPort", "port", "mountPath", "devicePath", "type", "topologyKey", "key"];
        let mut order: Vec<Value> = items.to_vec();
        for name in ["c3", "c1", "b"] {
            if self.rng.bool() {
                order.insert(
                    self.rng.usize(..=order.len()),
                    if items.iter().any(Value::is_object) { json!({ "name": name }) } else { json!(name) },
                );
            }
        }
        order.retain(|item| item.get("$patch").is_none());
        for item in &mut order {
            if let Value::Object(members) = item {
                members.retain(|key, _| keys.contains(&key.as_str()));
            }
        }
        if self.one_in(8) {
            order.reverse();
        }
        json!(order)
    }
}
