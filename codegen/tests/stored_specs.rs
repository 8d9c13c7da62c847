//! The specs stored in `api-specs` are whole: they load, and have the operations upstream's documents have.

use std::{fs, path::Path};

use k8s_client_codegen::spec::{self, Action, Spec};

fn load(folder: &str) -> Spec {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api-specs").join(folder);
    spec::load(&spec::read_dir(&path).unwrap()).unwrap()
}

/// Documents, operations and schemas of each version, counted in upstream's documents by hand, without this crate.
const COUNTS: [(&str, [usize; 3]); 5] = [
    ("v1.33", [63, 1041, 707]),
    ("v1.34", [64, 1062, 730]),
    ("v1.35", [64, 1067, 735]),
    ("v1.36", [64, 1123, 771]),
    ("v1.37", [65, 1202, 862]),
];

/// The folders of all versions.
fn folders() -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../api-specs")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_stored_version_loads_with_all_its_operations_and_schemas() {
    for folder in &folders() {
        let spec = load(folder);
        assert_eq!(spec.version().folder(), *folder);
        let found = [spec.documents.len(), spec.operations().count(), spec.schemas.len()];
        let expected = COUNTS.iter().find(|(version, _)| version == folder).map(|(_, counts)| *counts);
        assert_eq!(Some(found), expected, "{folder}: count in upstream's documents, and put that into COUNTS");
    }
}

#[test]
fn every_schema_but_the_versions_own_has_a_protobuf_message() {
    for folder in &folders() {
        let spec = load(folder);
        let message = |schema: &str| schema.replacen("io.k8s.", "k8s.io.", 1).replace('-', "_");
        let known = |schema: &str| spec.protobuf.messages.contains_key(&message(schema));
        let missing: Vec<_> = spec.schemas.keys().filter(|name| !known(name)).collect();
        assert_eq!(missing, ["io.k8s.apimachinery.pkg.version.Info"], "{folder}");
    }
}

#[test]
fn every_property_has_a_field_in_protobuf() {
    for folder in &folders() {
        assert_eq!(load(folder).properties_without_field(), [""; 0], "{folder}");
    }
}

#[test]
fn what_sources_mark_is_about_schemas_and_properties_that_are_there() {
    for folder in &folders() {
        let spec = load(folder);
        let markers = spec.markers.as_ref().unwrap_or_else(|| panic!("{folder} has no markers.json"));
        let has = |schema: &str, property: &str| spec.schemas[schema].properties.contains_key(property);
        for (name, of_enum) in &markers.enums {
            assert!(!of_enum.values.is_empty() && !of_enum.fields.is_empty(), "{folder}: {name}");
            let fields = of_enum.fields.iter().map(|field| field.rsplit_once('.').unwrap());
            for (schema, property) in fields {
                assert!(has(schema, property), "{folder}: {schema}.{property}");
            }
        }
        for (schema, fields) in &markers.gated {
            for (property, gates) in fields {
                assert!(has(schema, property), "{folder}: {schema}.{property}");
                assert!(!gates.iter().any(|gate| markers.gates[gate].is_ga()), "{folder}: {schema}.{property}");
            }
        }
        for (schema, lifecycle) in &markers.lifecycle {
            assert!(spec.schemas.contains_key(schema) && lifecycle.introduced.is_some(), "{folder}: {schema}");
        }
    }
}

#[test]
fn every_operation_on_objects_tells_its_kind_and_answer() {
    for folder in &folders() {
        let spec = load(folder);
        for operation in spec.operations().filter(|operation| operation.action.is_some()) {
            assert!(operation.kind.is_some(), "{folder}: {}", operation.id);
            let answer = operation.answers.get(&200).and_then(|answer| answer.schema_name());
            assert_eq!(answer.is_none(), answerless(operation.action, &operation.path), "{folder}: {}", operation.id);
        }
    }
}

/// Connections answer bytes, and so does a container's log.
fn answerless(action: Option<Action>, path: &str) -> bool {
    action == Some(Action::Connect) || path.ends_with("/log")
}
