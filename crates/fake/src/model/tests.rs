//! The data of all versions, read.

use std::time::{Duration, Instant};

use super::*;
use crate::schema::{Field, ListKind, Presence, Type};

fn newest() -> &'static Model {
    Model::of(Model::newest()).unwrap()
}

#[test]
fn resources_have_their_names_scopes_verbs_and_subresources() {
    let deployments = &newest().resources["apps/v1"]["deployments"];
    assert_eq!((deployments.group.as_str(), deployments.version.as_str()), ("apps", "v1"));
    assert_eq!((deployments.kind.as_str(), deployments.singular.as_str()), ("Deployment", "deployment"));
    assert!(deployments.namespaced);
    assert_eq!(deployments.short_names, ["deploy"]);
    assert_eq!(deployments.categories, ["all"]);
    let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    assert_eq!(deployments.verbs, verbs);
    assert_eq!(deployments.subresources["status"].verbs, ["get", "patch", "update"]);
    let scale = &deployments.subresources["scale"];
    assert_eq!((scale.group.as_str(), scale.kind.as_str()), ("autoscaling", "Scale"));
    assert!(scale.schema.field("spec").unwrap().schema.field("replicas").is_some());
    assert!(!newest().resources["v1"]["nodes"].namespaced);
    assert!(newest().groups.iter().any(|(name, versions)| *name == "autoscaling" && *versions == ["v2", "v1"]));
}

#[test]
fn fields_have_what_apply_patches_and_empty_values_need() {
    let pods = &newest().resources["v1"]["pods"];
    let field = |schema: &Schema, name: &str| -> Field { schema.field(name).unwrap().clone() };
    let spec = field(&pods.schema, "spec");
    let containers = field(&spec.schema, "containers");
    assert!(containers.required && containers.patch.merge);
    assert_eq!(containers.presence, Presence::Always);
    let Type::List(list) = &containers.schema.of else { panic!("{containers:?}") };
    assert_eq!(list.kind, ListKind::Map(vec!["name".to_owned()]));
    let ports = field(&list.items, "ports");
    let Type::List(list) = &ports.schema.of else { panic!("{ports:?}") };
    assert_eq!(list.kind, ListKind::Map(vec!["containerPort".to_owned(), "protocol".to_owned()]));
    assert_eq!(ports.patch.key.as_deref(), Some("containerPort"));
    assert_eq!(field(&list.items, "protocol").schema.default, Some("TCP".into()));
    assert_eq!(field(&spec.schema, "hostNetwork").presence, Presence::OmitEmpty);
    assert_eq!(field(&spec.schema, "priority").presence, Presence::Optional);
    assert!(field(&spec.schema, "nodeSelector").schema.is_atomic());
    assert!(field(&field(&pods.schema, "metadata").schema, "labels").schema.resolved() != &Schema::default());
}

#[test]
fn every_type_that_a_version_names_is_there() {
    for (minor, data) in generated::VERSIONS {
        let model = Model::of(*minor).unwrap();
        assert!(model.version.starts_with(&format!("1.{minor}.")), "{}", model.version);
        for name in
            data.split(|c: char| c.is_whitespace() || c == ']' || c == '}').filter_map(|word| word.strip_prefix('@'))
        {
            assert!(data.contains(&format!("\ntype {name}")), "1.{minor} has no type {name}");
        }
    }
}

#[test]
fn custom_resources_have_what_their_definition_says() {
    let declared = serde_json::json!({"type": "object", "properties": {"spec": {"type": "object",
    "required": ["size"], "properties": {
        "size": {"type": "integer", "default": 1, "minimum": 0},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "port": {"x-kubernetes-int-or-string": true},
        "template": {"type": "object", "x-kubernetes-embedded-resource": true},
    }}}});
    let schema = Schema::of_custom_resource(Some(&declared), newest().types);
    let spec = schema.field("spec").unwrap();
    let of = |name: &str| spec.schema.field(name).unwrap();
    assert_eq!(of("size").schema.of, Type::Int64);
    assert!(of("size").required);
    assert_eq!(of("size").schema.limits["minimum"], 0);
    assert_eq!(of("mode").schema.values, ["a", "b"]);
    assert_eq!(of("port").schema.of, Type::IntOrString);
    assert!(matches!(of("labels").schema.of, Type::Map(_)));
    assert!(of("template").schema.field("metadata").unwrap().schema.field("labels").is_some());
    assert!(schema.field("metadata").unwrap().schema.field("finalizers").is_some());
}

#[test]
fn versions_are_read_once_and_soon() {
    let start = Instant::now();
    let first = Model::of(34).unwrap();
    eprintln!("read 1.34 in {:?}", start.elapsed());
    // Tens of milliseconds, but for a busy machine; what is quadratic takes minutes.
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(std::ptr::eq(first, Model::of(34).unwrap()));
    assert!(Model::of(1).is_none());
}
