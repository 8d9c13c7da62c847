//! What a version has that the one before has not, as types and clients of its own.

use std::{collections::BTreeMap, fs, path::Path};

use k8s_client_codegen::{
    crd::{Group, Names, preview},
    emit::{Files, Layout},
    policy::Policy,
    spec::{self, Spec},
};

fn spec(folder: &str) -> Spec {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api-specs").join(folder);
    spec::load(&spec::read_dir(&path).unwrap()).unwrap()
}

fn groups(new: &Spec, known: &Spec) -> Vec<Group> {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("groups.toml");
    preview(new, known, &Policy::parse("groups.toml", &fs::read_to_string(policy).unwrap()).unwrap()).unwrap()
}

/// The generated modules, by group and path.
fn modules(groups: &[Group]) -> BTreeMap<String, Files> {
    let files = |group: &Group| group.files(&Layout::Module, &Names::default(), false).unwrap();
    groups.iter().map(|group| (group.module.clone(), files(group))).collect()
}

#[test]
fn a_version_has_nothing_that_it_has_not() {
    assert!(groups(&spec("v1.37"), &spec("v1.37")).is_empty());
}

#[test]
fn kinds_with_new_fields_and_new_kinds_are_there_and_no_others() {
    let groups = groups(&spec("v1.37"), &spec("v1.36"));
    let kinds: Vec<_> = groups
        .iter()
        .flat_map(|group| group.definitions().iter().map(|it| (group.module.as_str(), it.names.kind.as_str())))
        .collect();
    // A field of pods is one of all that makes them.
    for kind in [("core", "Pod"), ("apps", "Deployment"), ("batch", "CronJob"), ("lifecycle", "EvictionRequest")] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
    for kind in [("core", "ConfigMap"), ("apps", "ControllerRevision"), ("rbac", "Role"), ("networking", "Ingress")] {
        assert!(!kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}

#[test]
fn types_and_clients_are_those_of_the_spec() {
    let modules = modules(&groups(&spec("v1.37"), &spec("v1.33")));
    let text = |group: &str, file: &str| modules[group][file].clone();
    let types = text("batch", "v1/types.rs");
    // Pods in templates have metadata, quantities are as they were written, and ports are numbers or names.
    for expected in [r#"metadata("metadata"): ObjectMeta"#, r#"limits("limits"): {Int64OrString}"#] {
        assert!(types.contains(expected), "{expected}");
    }
    assert!(types.contains(r#"port("port"): Int64OrString"#));
    // A schema that contains itself ends.
    assert!(text("apiextensions", "v1/types.rs").contains(r#"not("not"): Value"#));
    // What there is nothing but the object itself of has no methods for it.
    let slices = text("resource", "v1/resource_slices.rs");
    assert!(slices.contains("pub fn delete_collection") && !slices.contains("_status") && !slices.contains("_scale"));
    assert!(text("resource", "v1/resource_claims.rs").contains("pub fn update_status"));
    assert!(text("apps", "v1/deployments.rs").contains("pub fn get_scale"));
    // The core group has no name.
    assert!(text("core", "v1/types.rs").contains("\n    Pod, \"/v1\", \"pods\", Namespaced"));
    assert!(text("core", "v1/kinds.rs").contains("group: \"\",\n        version: \"v1\""));
}
