//! Objects of every kind, there and back, and as Kubernetes' own codecs have them.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use fastrand::Rng;
use k8s_client_runtime::protobuf::MAGIC;
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    ask::ask,
    schema::{self, MICRO_TIME, Message, Part, Struct, Type},
};

/// How many objects of each kind are made up.
const OBJECTS: usize = 12;

/// What can be sent or answered in a version, by `apiVersion` and kind.
fn kinds(model: &'static Model) -> BTreeMap<(String, String), Schema> {
    let mut kinds = BTreeMap::new();
    for resource in model.resources.values().flat_map(BTreeMap::values) {
        let subresources = resource.subresources.values();
        let named = subresources.map(|it| (it.group.as_str(), it.version.as_str(), it.kind.as_str()));
        let own = (resource.group.as_str(), resource.version.as_str(), resource.kind.as_str());
        for (group, version, kind) in named.chain([own]) {
            let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
            let schema = model.schema_of(&api_version, kind).expect("a type");
            // Options of proxies and the like stand in the query and have no type here.
            if schema.type_name().is_some_and(|name| name.ends_with(&format!(".{kind}"))) {
                kinds.insert((api_version, kind.to_owned()), schema);
            }
        }
    }
    for kind in ["Status", "DeleteOptions"] {
        kinds.insert(("v1".to_owned(), kind.to_owned()), model.schema_of("v1", kind).expect("a type"));
    }
    kinds
}

/// An object of a type, with something in many of its fields. What has no number in protobuf is left out.
struct Objects(Rng);

impl Objects {
    fn object(&mut self, schema: &Schema) -> Value {
        schema.as_struct().map_or_else(|| json!({}), |of| self.fields(of, &of.message, 7))
    }

    fn fields(&mut self, of: &Struct, message: &Message, depth: u8) -> Value {
        let mut object = Map::new();
        for (_, part) in message.parts() {
            match part {
                Part::Embedded(inner) => {
                    object.extend(self.fields(of, inner, depth).as_object().expect("an object").clone());
                }
                Part::Field(name) if depth > 0 && self.0.u8(..10) < 6 => {
                    object.insert(name.clone(), self.value(&of.fields[name].schema, depth - 1));
                }
                Part::Field(_) => {}
            }
        }
        Value::Object(object)
    }

    fn text(&mut self) -> Value {
        ["", "a", "é", "two words", "{\"a\":1}"][self.0.usize(..5)].into()
    }

    fn value(&mut self, schema: &Schema, depth: u8) -> Value {
        let mut props = || {
            let props = schema.beside(SCHEMA).expect("the type of schemas");
            let object = self.value(&props, depth);
            schema::decode(object, &props, "", &mut Vec::new()).expect("a schema")
        };
        match (Special::of(schema), &schema.resolved().of) {
            (Some(Special::Json), _) => json!({"x": self.0.i32(..), "list": [{"a": null}]}),
            (Some(Special::SchemaOrList), _) if depth.is_multiple_of(2) => json!([props()]),
            (Some(Special::SchemaOrBool), _) if depth.is_multiple_of(2) => self.0.bool().into(),
            (Some(Special::SchemaOrNames), _) if depth.is_multiple_of(2) => json!(["a", "b"]),
            (Some(_), _) => props(),
            (None, Type::Any | Type::Named(_)) => Value::Null,
            (None, Type::Bool) => self.0.bool().into(),
            (None, Type::Int32) => [0, 1, -1, i32::MAX][self.0.usize(..4)].into(),
            (None, Type::Int64) => [0, 1, -1, i64::MIN][self.0.usize(..4)].into(),
            (None, Type::Double) => [0.0, 1.5, -2.25][self.0.usize(..3)].into(),
            (None, Type::String) => self.text(),
            (None, Type::Time) if schema.type_name() == Some(MICRO_TIME) => {
                ["2026-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.500000Z"][self.0.usize(..2)].into()
            }
            (None, Type::Time) => ["2026-01-01T00:00:00Z", "1969-12-31T23:59:59Z"][self.0.usize(..2)].into(),
            (None, Type::Bytes) => ["", "AP8=", "YQ=="][self.0.usize(..3)].into(),
            (None, Type::IntOrString) => [json!(0), json!(80), json!("50%")][self.0.usize(..3)].clone(),
            (None, Type::Quantity) => ["0", "500m", "1Gi"][self.0.usize(..3)].into(),
            (None, Type::List(list)) => {
                let count = if depth == 0 { 0 } else { self.0.usize(..3) };
                (0..count).map(|_| self.value(&list.items, depth - 1)).collect()
            }
            (None, Type::Map(values)) => {
                let count = if depth == 0 { 0 } else { self.0.usize(..3) };
                let entry = |index: usize| (["", "b", "a"][index].to_owned(), self.value(values, depth - 1));
                Value::Object((0..count).map(entry).collect())
            }
            (None, Type::Struct(of)) => self.fields(of, &of.message, depth),
        }
    }
}

/// An object as a server has it that has read it from storage.
fn settled(object: Value, schema: &Schema, kind: &str) -> Value {
    let mut object = schema::decode(object, schema, kind, &mut Vec::new()).expect("an object of the type");
    schema::as_stored(&mut object, schema);
    object
}

/// The first lines in which two values differ.
fn difference(one: &Value, other: &Value) -> Option<String> {
    let (one, other) = (format!("{one:#}"), format!("{other:#}"));
    let lines = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    (one != other).then(|| format!("{lines:?}"))
}

#[test]
fn objects_of_every_kind_of_every_version_come_back_as_they_were() {
    let mut objects = Objects(Rng::with_seed(7));
    let mut count = 0;
    for minor in 33..=Model::newest() {
        for ((api_version, kind), schema) in kinds(Model::of(minor).expect("the data of a version")) {
            for _ in 0..OBJECTS {
                let object = settled(objects.object(&schema), &schema, &kind);
                let body = in_envelope(&api_version, &kind, &message(&object, &schema));
                let sent = Sent::open(&body).expect("an envelope");
                assert_eq!((&sent.api_version, &sent.kind), (&api_version, &kind));
                let back = Value::Object(sent.read(&schema).expect("an object"));
                let difference = difference(&settled(back, &schema, &kind), &object);
                assert!(difference.is_none(), "{api_version} {kind} of 1.{minor}: {difference:?}");
                count += 1;
            }
        }
    }
    assert!(count > 5 * 80 * OBJECTS, "these were all: {count}");
}

#[test]
fn objects_of_every_kind_are_written_as_kubernetes_writes_them() -> Result<(), Box<dyn std::error::Error>> {
    let Some(program) = k8s_client_test_harness::build_transcode()? else {
        println!("skipped: Go, which builds the program that asks Kubernetes' codecs, is not installed");
        return Ok(());
    };
    let mut objects = Objects(Rng::with_seed(8));
    let mut asked = Vec::new();
    for ((api_version, kind), schema) in kinds(Model::of(Model::newest()).expect("the newest version")) {
        for _ in 0..OBJECTS {
            let mut object = settled(objects.object(&schema), &schema, &kind);
            object["apiVersion"] = api_version.clone().into();
            object["kind"] = kind.clone().into();
            asked.push((api_version.clone(), kind.clone(), schema.clone(), object));
        }
    }
    let questions = asked.iter().map(|(.., object)| json!({"body": BASE64.encode(object.to_string())}));
    let answers = ask(&program, questions.collect())?;
    let mut problems = Vec::new();
    for ((api_version, kind, schema, object), answer) in asked.iter().zip(&answers) {
        let place = format!("{api_version} {kind}");
        let Some(theirs) = answer["protobuf"].as_str() else {
            problems.push(format!("{place}: {}", answer["error"]));
            continue;
        };
        let theirs = BASE64.decode(theirs)?;
        let ours = in_envelope(api_version, kind, &message(object, schema));
        if ours != theirs {
            let at = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs).unwrap_or(ours.len());
            let [ours, theirs] = [&ours[..], &theirs].map(|it| it[at.saturating_sub(20)..].escape_ascii().to_string());
            problems.push(format!("{place}: {ours:.120} in place of {theirs:.120} in {object}"));
        }
        let read = match Sent::open(&theirs)?.read(schema) {
            Ok(read) => settled(Value::Object(read), schema, kind),
            Err(error) => {
                problems.push(format!("{place}: {error} in Kubernetes' bytes of {object}"));
                continue;
            }
        };
        let mut object = object.clone();
        object.as_object_mut().expect("an object").retain(|name, _| !matches!(name.as_str(), "apiVersion" | "kind"));
        if let Some(difference) = difference(&read, &settled(object, schema, kind)) {
            problems.push(format!("{place}: Kubernetes' bytes are read as something else: {difference}"));
        }
    }
    println!("{} objects of Kubernetes' codecs, {} problems", answers.len(), problems.len());
    assert!(
        problems.is_empty(),
        "{} of {}:\n{}",
        problems.len(),
        answers.len(),
        problems[..problems.len().min(8)].join("\n")
    );
    Ok(())
}

#[test]
fn a_body_that_is_none_is_refused_as_kubernetes_refuses_it() {
    let prefix = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
    for (body, problem) in [
        (&b""[..], "empty data"),
        (b"{}", prefix),
        (b"k8s\0", "empty body"),
        (b"k8s\0\x0a\xff", "a number that is cut off at byte 5"),
        (b"k8s\0\x0a\x02\x0a\x05", "a field that is longer than what is there at byte 8"),
    ] {
        assert_eq!(Sent::open(body).map(|_| ()).unwrap_err(), problem, "{body:?}");
    }
}

/// Reads bytes as an object, writes what was read, and reads it again: as the same.
fn check_any(bytes: &[u8]) -> Result<(), TestCaseError> {
    let model = Model::of(Model::newest()).expect("the newest version");
    for (api_version, kind) in
        [("v1", "Pod"), ("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("v1", "Status")]
    {
        let schema = model.schema_of(api_version, kind).expect("a type");
        let body =
            if bytes.starts_with(MAGIC) { bytes.to_vec() } else { in_envelope(api_version, kind, bytes).to_vec() };
        let Ok(sent) = Sent::open(&body) else { continue };
        let Ok(object) = sent.read(&schema) else { continue };
        let Ok(object) = schema::decode(Value::Object(object), &schema, kind, &mut Vec::new()) else { continue };
        let written = in_envelope(api_version, kind, &message(&object, &schema));
        let again = Sent::open(&written).expect("an envelope").read(&schema).expect("what was written");
        let [again, object] = [Value::Object(again), object].map(|object| settled(object, &schema, kind));
        let difference = difference(&again, &object);
        prop_assert!(difference.is_none(), "{kind}: {difference:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in vec(any::<u8>(), 0..200)) {
        check_any(&bytes)?;
    }

    #[test]
    fn no_damaged_object_breaks_the_reader(seed in any::<u64>(), changes in vec((any::<Index>(), any::<u8>()), 1..6)) {
        let model = Model::of(Model::newest()).expect("the newest version");
        let schema = model.schema_of("v1", "Pod").expect("a type");
        let mut bytes = message(&settled(Objects(Rng::with_seed(seed)).object(&schema), &schema, "Pod"), &schema);
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        check_any(&bytes)?;
    }
}
