//! Sequences of requests, drawn so that they meet: a few names, a few managers, a few values.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::{
    faulty,
    kinds::{KINDS, Kind, one},
    step::{Body, Sequence, Step},
};

const NAMES: [&str; 3] = ["a", "b", "c"];
const MANAGERS: [&str; 3] = ["m1", "m2", "kubectl"];
const FINALIZERS: [&str; 2] = ["example.com/one", "example.com/two"];
/// What objects have beside metadata that an apply may leave out.
const MEMBERS: [&str; 14] = [
    "spec",
    "data",
    "rules",
    "aggregationRule",
    "stringData",
    "binaryData",
    "type",
    "top",
    "status",
    "parameters",
    "mountOptions",
    "reclaimPolicy",
    "volumeBindingMode",
    "preemptionPolicy",
];
pub(crate) const APPLY: &str = "application/apply-patch+yaml";
pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";

/// The sequence of a seed.
pub(crate) fn sequence(seed: u64) -> Sequence {
    let mut rng = Rng::with_seed(seed);
    let kind = &KINDS[rng.usize(..KINDS.len())];
    let count = rng.usize(6..18);
    let mut drawing =
        Drawing { rng, kind, steps: Vec::new(), last: BTreeMap::new(), lists: Vec::new(), has_drawn_name: false };
    drawing.create();
    while drawing.steps.len() < count {
        drawing.step();
    }
    Sequence { seed, steps: drawing.steps }
}

/// A sequence that is being drawn.
pub(crate) struct Drawing {
    pub(crate) rng: Rng,
    pub(crate) kind: &'static Kind,
    steps: Vec<Step>,
    /// The last step that was answered with an object, by its name.
    last: BTreeMap<&'static str, usize>,
    /// The steps that were answered with lists.
    lists: Vec<usize>,
    has_drawn_name: bool,
}

impl Drawing {
    pub(crate) fn one_in(&mut self, count: u8) -> bool {
        self.rng.u8(..count) == 0
    }

    pub(crate) fn name(&mut self) -> &'static str {
        // Mostly one that is there.
        let known: Vec<&'static str> = self.last.keys().copied().collect();
        if known.is_empty() || self.one_in(6) { one(&mut self.rng, &NAMES) } else { one(&mut self.rng, &known) }
    }

    pub(crate) fn path_of(&self, name: &str) -> String {
        // One that an answer has is whole.
        let name = if name.starts_with('@') { name.to_owned() } else { self.kind.named(name) };
        format!("{}/{name}", self.kind.path())
    }

    /// The version of an object in an earlier answer.
    fn version_of_object(&mut self) -> String {
        let known: Vec<usize> = self.last.values().copied().collect();
        if known.is_empty() { "@rv:0".to_owned() } else { format!("@rv:{}", one(&mut self.rng, &known)) }
    }

    /// A version of an earlier answer, of an object or a list.
    fn version(&mut self) -> String {
        let known: Vec<usize> = self.last.values().chain(&self.lists).copied().collect();
        if known.is_empty() { "@rv:0".to_owned() } else { format!("@rv:{}", one(&mut self.rng, &known)) }
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// A write that is answered with the object.
    fn write(&mut self, name: &'static str, step: Step) {
        let step = self.with_options(step);
        let is_tried = step.query.iter().any(|(name, _)| *name == "dryRun");
        let number = self.push(step);
        if !is_tried {
            self.last.insert(name, number);
        }
    }

    fn with_options(&mut self, mut step: Step) -> Step {
        if self.one_in(10) {
            step = step.query("dryRun", "All");
        }
        if self.one_in(5) {
            step = step.query("fieldValidation", one(&mut self.rng, &["Strict", "Warn", "Ignore"]));
        }
        if step.content_type != APPLY && self.one_in(4) {
            step = step.query("fieldManager", one(&mut self.rng, &MANAGERS));
        }
        if self.one_in(12) {
            step.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
        }
        step
    }

    fn step(&mut self) {
        match self.rng.u8(..40) {
            0..6 => self.create(),
            6..9 => self.get(),
            9..13 => self.list(),
            13..17 => self.update(),
            17..23 => self.patch(),
            23..29 => self.apply(),
            29..31 => self.status(),
            31..33 => self.scale(),
            33..35 => self.delete(),
            35 => self.delete_collection(),
            36..38 => self.watch(),
            _ => {
                let step = faulty::step(self);
                self.push(step);
            }
        }
    }

    fn labels(&mut self) -> Value {
        // Never none: what is empty comes and goes by itself where JSON is kept. And by this one, a sequence finds its
        // objects among those of the whole cluster.
        let mut labels = json!({"always": "{ns}"});
        for (key, values) in [("app", ["x", "y"]), ("tier", ["1", ""])] {
            if self.rng.bool() {
                labels[key] = one(&mut self.rng, &values).into();
            }
        }
        labels
    }

    fn metadata(&mut self) -> Value {
        let mut metadata = json!({});
        if self.rng.bool() || self.kind.is_of_cluster {
            metadata["labels"] = self.labels();
        }
        if self.one_in(3) {
            metadata["annotations"] = json!({"note": one(&mut self.rng, &["a", "b", ""])});
        }
        if self.one_in(8) {
            metadata["finalizers"] = json!([one(&mut self.rng, &FINALIZERS)]);
        }
        if self.one_in(12) {
            let owner = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": "given-uid"});
            metadata["ownerReferences"] = json!([owner("o")]);
        }
        metadata
    }

    pub(crate) fn object(&mut self, name: &str) -> Value {
        let mut object = (self.kind.whole)(&mut self.rng);
        object["metadata"] = self.metadata();
        object["metadata"]["name"] = self.kind.named(name).into();
        object["apiVersion"] = self.kind.api_version.into();
        object["kind"] = self.kind.name.into();
        object
    }

    fn create(&mut self) {
        let name = one(&mut self.rng, &NAMES);
        let mut object = self.object(name);
        if self.one_in(10) && !self.has_drawn_name {
            // More than one would be in another order on each server.
            self.has_drawn_name = true;
            object["metadata"]["generateName"] = "drawn-".into();
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("name");
            }
            let step = Step::new("POST", self.kind.path()).with(object);
            let number = self.push(step);
            let path = self.path_of(&format!("@name:{number}"));
            self.push(Step::new("GET", path));
            return;
        }
        if self.one_in(6) {
            object["status"] = json!({"replicas": 1});
        }
        let step = Step::new("POST", self.kind.path()).with(object);
        let step = self.with_options(step);
        let number = self.push(step);
        self.last.entry(name).or_insert(number);
    }

    fn get(&mut self) {
        let name = self.name();
        let mut step = Step::new("GET", self.path_of(name));
        if self.one_in(4) {
            step.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
        } else if self.kind.is_custom && self.one_in(3) {
            step.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        }
        if self.one_in(6) {
            step = step.query("resourceVersion", self.version());
        }
        if self.kind.status.is_some() && self.one_in(5) {
            step.path.push_str("/status");
        }
        self.push(step);
    }

    fn selectors(&mut self, mut step: Step) -> Step {
        let mut labels = if self.kind.is_of_cluster { vec!["always={ns}"] } else { Vec::new() };
        if self.one_in(3) {
            let selectors = [
                "app=x",
                "app==y",
                "app!=x",
                "app in (x,y)",
                "app notin (x)",
                "tier",
                "!tier",
                "tier=",
                "app=x,tier",
                "app",
            ];
            labels.push(one(&mut self.rng, &selectors));
        }
        if !labels.is_empty() {
            step = step.query("labelSelector", labels.join(","));
        }
        if self.one_in(4) {
            let name = self.kind.named(one(&mut self.rng, &NAMES));
            let mut selectors = vec![
                format!("metadata.name={name}"),
                format!("metadata.name!={name}"),
                "metadata.namespace={ns}".into(),
            ];
            if self.kind.is_of_cluster {
                selectors.pop();
            }
            for (field, values) in self.kind.selectable {
                selectors.push(format!("{field}={}", one(&mut self.rng, values)));
                selectors.push(format!("{field}!={}", one(&mut self.rng, values)));
            }
            let index = self.rng.usize(..selectors.len());
            step = step.query("fieldSelector", selectors.swap_remove(index));
        }
        step
    }

    fn list(&mut self) {
        let step = Step::new("GET", self.kind.path());
        let mut step = self.selectors(step);
        if self.one_in(4) {
            step.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
        } else if self.kind.is_custom && self.one_in(4) {
            step.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        }
        // Pages of what is the whole cluster's have objects of others behind them.
        if !self.kind.is_of_cluster && self.one_in(3) {
            let limited = step.query("limit", one(&mut self.rng, &["1", "2", "500"]));
            let first = self.push(limited.clone());
            self.lists.push(first);
            if self.one_in(3) {
                self.create();
            }
            let next = limited.query("continue", format!("@continue:{first}"));
            self.push(next);
            return;
        }
        if !self.one_in(6) {
            let number = self.push(step);
            self.lists.push(number);
            return;
        }
        step = step.query("resourceVersion", self.version());
        let matches = one(&mut self.rng, &["Exact", "NotOlderThan", ""]);
        if !matches.is_empty() {
            step = step.query("resourceVersionMatch", matches);
        }
        if !self.kind.is_of_cluster && self.one_in(4) {
            step = step.query("limit", "1");
        }
        self.push(step);
    }

    fn update(&mut self) {
        let name = self.name();
        let step = Step::new("PUT", self.path_of(name));
        let known = self.last.get(name).copied();
        let step = match known {
            Some(of) if !self.one_in(4) => {
                let mut patch = (self.kind.part)(&mut self.rng);
                if self.rng.bool() {
                    patch["metadata"] = self.changes_of_metadata();
                }
                if self.one_in(4) {
                    patch["metadata"]["resourceVersion"] = Value::Null;
                }
                if self.one_in(10) {
                    patch["metadata"]["managedFields"] = if self.rng.bool() { json!([]) } else { Value::Null };
                }
                Step { body: Body::Edited { of, patch }, ..step }
            }
            _ => {
                let object = self.object(name);
                step.with(object)
            }
        };
        self.write(name, step);
    }

    fn changes_of_metadata(&mut self) -> Value {
        let mut metadata = self.metadata();
        if self.one_in(5) {
            metadata["finalizers"] = Value::Null;
        }
        if self.one_in(6) {
            metadata["labels"] = json!({"app": null});
        }
        metadata
    }

    fn patch(&mut self) {
        let name = self.name();
        let mut step = Step::new("PATCH", self.path_of(name));
        match self.rng.u8(..5) {
            0 => {
                step.content_type = JSON_PATCH;
                let operations = self.operations();
                step = step.with(operations);
            }
            kind => {
                step.content_type = if kind < 3 || self.kind.is_custom { MERGE } else { STRATEGIC };
                let mut patch = (self.kind.part)(&mut self.rng);
                if self.rng.bool() {
                    patch["metadata"] = self.changes_of_metadata();
                }
                if self.one_in(6) {
                    patch["metadata"]["resourceVersion"] = self.version_of_object().into();
                }
                if self.one_in(12) {
                    patch["metadata"]["uid"] = self.uid(name).into();
                }
                step = step.with(patch);
            }
        }
        self.write(name, step);
    }

    fn uid(&mut self, name: &str) -> String {
        match self.last.get(name).copied() {
            Some(number) if !self.one_in(4) => format!("@uid:{number}"),
            _ => "given-uid".to_owned(),
        }
    }

    fn operations(&mut self) -> Value {
        let all = [
            json!({"op": "add", "path": "/metadata/labels", "value": {"app": "y"}}),
            json!({"op": "replace", "path": "/metadata/labels/app", "value": "x"}),
            json!({"op": "remove", "path": "/metadata/labels/app"}),
            json!({"op": "test", "path": "/metadata/labels/app", "value": "x"}),
            json!({"op": "copy", "from": "/metadata/name", "path": "/metadata/annotations/copy"}),
            json!({"op": "move", "from": "/metadata/labels", "path": "/metadata/annotations"}),
            json!({"op": "add", "path": "/metadata/finalizers", "value": ["example.com/one"]}),
            json!({"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/two"}),
            json!({"op": "remove", "path": "/metadata/finalizers/0"}),
            json!({"op": "add", "path": "/metadata/annotations", "value": {}}),
        ];
        (0..self.rng.u8(1..4)).map(|_| all[self.rng.usize(..all.len())].clone()).collect()
    }

    fn apply(&mut self) {
        let name = self.name();
        let mut step = Step::new("PATCH", self.path_of(name));
        step.content_type = APPLY;
        step = step.query("fieldManager", one(&mut self.rng, &MANAGERS));
        if self.one_in(3) {
            step = step.query("force", "true");
        }
        let mut object = self.object(name);
        if self.one_in(3) {
            let part = (self.kind.part)(&mut self.rng);
            for member in MEMBERS {
                if let Some(object) = object.as_object_mut() {
                    object.remove(member);
                }
                if !part[member].is_null() {
                    object[member] = part[member].clone();
                }
            }
        }
        if self.one_in(10) {
            object["metadata"]["resourceVersion"] = self.version_of_object().into();
        }
        if self.one_in(12) {
            object["metadata"]["uid"] = self.uid(name).into();
        }
        step = step.with(object);
        self.write(name, step);
    }

    fn status(&mut self) {
        let Some(draw) = self.kind.status else { return self.patch() };
        let name = self.name();
        let path = format!("{}/status", self.path_of(name));
        let status = draw(&mut self.rng);
        let mut sent = (self.kind.part)(&mut self.rng);
        sent["status"] = status;
        if self.one_in(3) {
            sent["metadata"] = self.changes_of_metadata();
        }
        let known = self.last.get(name).copied();
        let step = match (self.rng.u8(..4), known) {
            (0 | 1, Some(of)) => {
                if self.one_in(3) {
                    sent["metadata"]["resourceVersion"] = Value::Null;
                }
                Step { body: Body::Edited { of, patch: sent }, ..Step::new("PUT", path) }
            }
            (2, _) => {
                let metadata = json!({"name": self.kind.named(name)});
                let object = json!({
                    "apiVersion": self.kind.api_version, "kind": self.kind.name, "metadata": metadata,
                    "status": sent["status"],
                });
                let step = Step { content_type: APPLY, ..Step::new("PATCH", path) }.with(object);
                let step = step.query("fieldManager", one(&mut self.rng, &MANAGERS));
                if self.rng.bool() { step.query("force", "true") } else { step }
            }
            _ => Step { content_type: MERGE, ..Step::new("PATCH", path) }.with(sent),
        };
        self.write(name, step);
    }

    fn scale(&mut self) {
        if !self.kind.has_scale {
            return self.patch();
        }
        let name = self.name();
        let path = format!("{}/scale", self.path_of(name));
        let replicas = self.rng.u8(..4);
        let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": replicas}});
        let step = match self.rng.u8(..4) {
            0 => {
                let step = Step::new("GET", path);
                self.push(step);
                return;
            }
            1 => {
                let mut scale = scale;
                scale["metadata"] = json!({"name": name, "namespace": "{ns}"});
                if self.rng.bool() {
                    scale["metadata"]["resourceVersion"] = self.version_of_object().into();
                }
                Step::new("PUT", path).with(scale)
            }
            2 => {
                let mut scale = scale;
                scale["metadata"] = json!({"name": name});
                let step = Step { content_type: APPLY, ..Step::new("PATCH", path) }.with(scale);
                let step = step.query("fieldManager", one(&mut self.rng, &MANAGERS));
                if self.rng.bool() { step.query("force", "true") } else { step }
            }
            _ => Step { content_type: MERGE, ..Step::new("PATCH", path) }.with(json!({"spec": {"replicas": replicas}})),
        };
        let step = self.with_options(step);
        self.push(step);
    }

    fn delete_options(&mut self, name: &str) -> Value {
        let mut options = json!({});
        if self.one_in(3) {
            options["propagationPolicy"] = one(&mut self.rng, &["Background", "Foreground", "Orphan"]).into();
        }
        if self.one_in(4) {
            options["preconditions"]["uid"] = self.uid(name).into();
        }
        if self.one_in(4) {
            options["preconditions"]["resourceVersion"] = self.version_of_object().into();
        }
        if self.one_in(6) {
            options["gracePeriodSeconds"] = self.rng.u8(..2).into();
        }
        options
    }

    fn delete(&mut self) {
        let name = self.name();
        let mut step = Step::new("DELETE", self.path_of(name));
        if self.one_in(8) {
            step = step.query("dryRun", "All");
        }
        if self.rng.bool() {
            let options = self.delete_options(name);
            step = step.with(options);
        } else if self.one_in(3) {
            step = step.query("propagationPolicy", one(&mut self.rng, &["Background", "Foreground", "Orphan"]));
        }
        self.push(step);
    }

    fn delete_collection(&mut self) {
        let step = Step::new("DELETE", self.kind.path());
        let mut step = self.selectors(step);
        if self.one_in(4) {
            step = step.query("dryRun", "All");
        }
        if self.one_in(4) {
            step = step.query("propagationPolicy", one(&mut self.rng, &["Background", "Foreground", "Orphan"]));
        }
        self.push(step);
    }

    fn watch(&mut self) {
        let step = Step::new("GET", self.kind.path()).query("watch", "true");
        let mut step = self.selectors(step);
        match self.rng.u8(..4) {
            0 => {}
            1 => {
                step = step.query("sendInitialEvents", one(&mut self.rng, &["true", "false"]));
                if !self.one_in(4) {
                    step = step.query("resourceVersionMatch", "NotOlderThan");
                }
                if self.rng.bool() {
                    step = step.query("allowWatchBookmarks", "true");
                }
                if self.rng.bool() {
                    step = step.query("resourceVersion", self.version());
                }
            }
            _ => step = step.query("resourceVersion", self.version()),
        }
        if self.one_in(5) {
            step.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
        }
        self.push(step);
    }
}
