//! Everything that can change, one at a time, there and back; and definitions of custom resources.

mod support;

use std::{collections::BTreeSet, env, fs, path::Path};

use k8s_client_codegen::{
    crd::Definition,
    diff::{self, Api, Audience, Kind, Report, Stability},
    spec::{
        AdditionalProperties, Gate, Lifecycle, Markers, Operation, Parameter, Schema, Spec, Type, Values,
        proto::{self, FieldKind},
    },
};
use serde_json::json;

const LINES: &str = r#"
all POST post /apis/apps/v1/namespaces/{namespace}/deployments Deployment apps.v1.Deployment apps.v1.Deployment
all GET list /apis/apps/v1/namespaces/{namespace}/deployments Deployment - apps.v1.DeploymentList
all GET get /apis/apps/v1/namespaces/{namespace}/deployments/{name} Deployment - apps.v1.Deployment
all GET get /apis/apps/v1/namespaces/{namespace}/deployments/{name}/status Deployment - apps.v1.Deployment
all GET get /apis/apps/v1/namespaces/{namespace}/replicasets/{name} ReplicaSet - apps.v1.ReplicaSet
all GET get /apis/apps/v2/namespaces/{namespace}/jobs/{name} Job - apps.v2.Job
all GET get /apis/batch/v1/namespaces/{namespace}/jobs/{name} Job - batch.v1.Job
all type apps.v1.Deployment {"type":"object","x-kubernetes-group-version-kind":[{"group":"apps","version":"v1","kind":"Deployment"}]}
all field apps.v1.Deployment spec {"$ref":"@apps.v1.DeploymentSpec"}
all field apps.v1.DeploymentSpec mode {"type":"string"}
all field apps.v1.DeploymentSpec list {"type":"array","items":{"type":"string"},"x-kubernetes-patch-strategy":"merge","x-kubernetes-patch-merge-key":"name"}
all field apps.v1.DeploymentSpec map {"type":"object","additionalProperties":{"type":"string"}}
all number apps.v1.DeploymentSpec 1 mode string
all number apps.v1.DeploymentSpec 2 list repeated string
all number apps.v1.DeploymentSpec 3 map map<string, string>
"#;

const DEPLOYMENT: &str = "io.k8s.api.apps.v1.Deployment";
const SPEC: &str = "io.k8s.api.apps.v1.DeploymentSpec";

fn base() -> Spec {
    let mut spec = support::spec("1.37", LINES).expect("the lines are right");
    let enums = [("io.k8s.api.apps.v1.Mode".to_owned(), values(&["A"]))].into();
    spec.markers = Some(Markers { enums, ..Markers::default() });
    spec
}

fn values(values: &[&str]) -> Values {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Values { values: texts(values), fields: [format!("{SPEC}.mode")].into(), ..Values::default() }
}

fn markers(spec: &mut Spec) -> &mut Markers {
    spec.markers.as_mut().expect("markers")
}

fn field<'a>(spec: &'a mut Spec, name: &str) -> &'a mut Schema {
    spec.schemas.get_mut(SPEC).and_then(|schema| schema.properties.get_mut(name)).expect("a field")
}

/// The operation whose path ends so.
fn operation<'a>(spec: &'a mut Spec, ending: &str) -> &'a mut Operation {
    let mut operations = spec.documents.values_mut().flatten();
    operations.find(|operation| operation.path.ends_with(ending)).expect("an operation")
}

fn drop_paths(spec: &mut Spec, part: &str) {
    spec.documents.values_mut().for_each(|operations| operations.retain(|it| !it.path.contains(part)));
}

fn parameter(required: bool) -> Parameter {
    let location = k8s_client_codegen::spec::Location::Query;
    let schema = Schema { kind: Some(Type::String), ..Schema::default() };
    Parameter { name: "force".to_owned(), location, required, schema }
}

fn message<'a>(spec: &'a mut Spec, name: &str) -> &'a mut proto::Field {
    let fields = spec.protobuf.messages.get_mut("k8s.io.api.apps.v1.DeploymentSpec").expect("a message");
    fields.iter_mut().find(|field| field.name == name).expect("a field")
}

fn gate(stage: &str, default: bool) -> Gate {
    Gate { stage: stage.to_owned(), default }
}

fn put_behind_gate(spec: &mut Spec, gate: Gate) {
    markers(spec).gates.insert("Modes".to_owned(), gate);
    let gated = [("mode".to_owned(), vec!["Modes".to_owned()])].into();
    markers(spec).gated.insert(SPEC.to_owned(), gated);
}

fn remove_in(spec: &mut Spec, release: &str) {
    let lifecycle = Lifecycle { removed: Some(release.parse().expect("a release")), ..Lifecycle::default() };
    markers(spec).lifecycle.insert(DEPLOYMENT.to_owned(), lifecycle);
}

/// What changes, as which kind it is reported there and back, what is done before on both sides, and what on one.
type Case = (&'static str, Kind, Kind, fn(&mut Spec), fn(&mut Spec));

fn nothing(_: &mut Spec) {}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    use Kind::*;
    vec![
        ("apps/v1 replicasets", ResourceRemoved, ResourceAdded, nothing, |it| drop_paths(it, "/replicasets/")),
        ("apps/v1 deployments/status", SubresourceRemoved, SubresourceAdded, nothing, |it| drop_paths(it, "/status")),
        ("apps/v1 deployments", OperationRemoved, OperationAdded, nothing, |it| {
            it.documents.values_mut().for_each(|operations| operations.retain(|it| !it.path.ends_with("deployments/{name}")));
        }),
        ("apps/v1 deployments", KindChanged, KindChanged, nothing, |it| for operation in it.documents.values_mut().flatten() {
            operation.kind.as_mut().filter(|it| it.kind == "Deployment").into_iter().for_each(|it| "Other".clone_into(&mut it.kind));
        }),
        ("apps/v1 replicasets", ScopeChanged, ScopeChanged, nothing, |it| {
            let operation = operation(it, "/replicasets/{name}");
            operation.path = operation.path.replace("/namespaces/{namespace}", "");
        }),
        ("apps/v1 query force", ParameterAdded, ParameterRemoved, nothing, |it| operation(it, "/status").parameters.push(parameter(false))),
        ("apps/v1 query force", RequiredParameterAdded, ParameterRemoved, nothing, |it| operation(it, "/status").parameters.push(parameter(true))),
        ("apps/v1 query force", ParameterNowRequired, ParameterNoLongerRequired,
            |it| operation(it, "/status").parameters.push(parameter(false)),
            |it| operation(it, "/status").parameters.last_mut().expect("one").required = true),
        ("apps/v1 query force", ParameterType, ParameterType,
            |it| operation(it, "/status").parameters.push(parameter(false)),
            |it| operation(it, "/status").parameters.last_mut().expect("one").schema.kind = Some(Type::Boolean)),
        ("apps/v1 request body", BodyChanged, BodyChanged, nothing, |it| {
            let body = it.documents.values_mut().flatten().find_map(|operation| operation.body.as_mut()).expect("a body");
            body.contents[0].schema.as_mut().expect("a schema").reference = Some(SPEC.to_owned());
        }),
        ("apps/v1 answer 200", AnswerChanged, AnswerChanged, nothing, |it| {
            let answer = operation(it, "/status").answers.get_mut(&200).expect("an answer");
            answer.contents[0].schema.as_mut().expect("a schema").reference = Some(SPEC.to_owned());
        }),
        ("apps/v1 answer 200", MediaTypeAdded, MediaTypeRemoved, nothing, |it| {
            let answer = operation(it, "/status").answers.get_mut(&200).expect("an answer");
            answer.contents[0].media_types.push("application/cbor".to_owned());
        }),
        ("apps/v1 Extra", TypeAdded, TypeRemoved, nothing, |it| drop(it.schemas.insert("io.k8s.api.apps.v1.Extra".to_owned(), Schema::default()))),
        ("apps/v1 DeploymentSpec.extra", FieldAdded, FieldRemoved, nothing, |it| {
            it.schemas.get_mut(SPEC).expect("a type").properties.insert("extra".to_owned(), Schema::default());
        }),
        ("apps/v1 DeploymentSpec.extra", RequiredFieldAdded, FieldRemoved, nothing, |it| {
            let schema = it.schemas.get_mut(SPEC).expect("a type");
            schema.properties.insert("extra".to_owned(), Schema::default());
            schema.required.insert("extra".to_owned());
        }),
        ("apps/v1 DeploymentSpec.mode", FieldType, FieldType, nothing, |it| field(it, "mode").kind = Some(Type::Integer)),
        ("apps/v1 DeploymentSpec.list", FieldType, FieldType, nothing, |it| field(it, "list").items.as_mut().expect("items").kind = Some(Type::Integer)),
        ("apps/v1 DeploymentSpec.map", FieldType, FieldType, nothing, |it| field(it, "map").additional_properties = Some(AdditionalProperties::Any(true))),
        ("apps/v1 DeploymentSpec.mode", NowRequired, NoLongerRequired, nothing, |it| {
            it.schemas.get_mut(SPEC).expect("a type").required.insert("mode".to_owned());
        }),
        ("apps/v1 DeploymentSpec.mode", DefaultChanged, DefaultChanged, nothing, |it| field(it, "mode").default = Some(json!("A"))),
        ("apps/v1 DeploymentSpec.mode", DefaultStated, DefaultStated, nothing, |it| field(it, "mode").default = Some(json!(""))),
        ("apps/v1 DeploymentSpec.mode", NowNullable, NoLongerNullable, nothing, |it| field(it, "mode").nullable = true),
        ("apps/v1 DeploymentSpec.list", ListType, ListType, nothing, |it| field(it, "list").list_type = Some("set".to_owned())),
        ("apps/v1 DeploymentSpec.list", ListTypeStated, ListTypeStated, nothing, |it| field(it, "list").list_type = Some("atomic".to_owned())),
        ("apps/v1 DeploymentSpec.map", MapType, MapType, nothing, |it| field(it, "map").map_type = Some("atomic".to_owned())),
        ("apps/v1 DeploymentSpec.list", PatchStrategy, PatchStrategy, nothing, |it| field(it, "list").patch_strategy = None),
        ("apps/v1 DeploymentSpec.list", MergeKey, MergeKey, nothing, |it| field(it, "list").patch_merge_key = Some("key".to_owned())),
        ("apps/v1 DeploymentSpec.map", UnknownKept, UnknownDropped, nothing, |it| field(it, "map").preserves_unknown = true),
        ("apps/v1 DeploymentSpec.map", EmbeddedResource, EmbeddedResource, nothing, |it| field(it, "map").embedded_resource = true),
        ("apps/v1 DeploymentSpec.mode", ValidationAdded, ValidationLoosened, nothing, |it| drop(field(it, "mode").other.insert("pattern".to_owned(), json!("a")))),
        ("apps/v1 DeploymentSpec.mode", ProtobufNumber, ProtobufNumber, nothing, |it| message(it, "mode").number = 9),
        ("apps/v1 DeploymentSpec", ProtobufNumberReused, ProtobufNumberReused, nothing, |it| "other".clone_into(&mut message(it, "mode").name)),
        ("apps/v1 DeploymentSpec.mode", ProtobufType, ProtobufType, nothing, |it| message(it, "mode").kind = FieldKind::Optional(proto::FieldType::Int64)),
        ("apps/v1 Mode", ValueAdded, ValueRemoved, nothing, |it| drop(markers(it).enums.insert("io.k8s.api.apps.v1.Mode".to_owned(), values(&["A", "B"])))),
        ("apps/v1 Other", EnumAdded, EnumRemoved, nothing, |it| drop(markers(it).enums.insert("io.k8s.api.apps.v1.Other".to_owned(), values(&["A"])))),
        ("apps/v1 Deployment", Deprecated, NoLongerDeprecated, nothing, |it| {
            let lifecycle = Lifecycle { deprecated: Some("1.37".parse().expect("a release")), ..Lifecycle::default() };
            markers(it).lifecycle.insert(DEPLOYMENT.to_owned(), lifecycle);
        }),
        ("apps/v1 Deployment", RemovalAnnounced, RemovalWithdrawn, nothing, |it| remove_in(it, "1.40")),
        ("apps/v1 Deployment", RemovalMoved, RemovalMoved, |it| remove_in(it, "1.40"), |it| remove_in(it, "1.41")),
        ("apps/v1 DeploymentSpec.mode", FieldDeprecated, FieldNoLongerDeprecated, nothing, |it| {
            markers(it).deprecated.insert(SPEC.to_owned(), ["mode".to_owned()].into());
        }),
        ("apps/v1 DeploymentSpec.mode", NowGated, NoLongerGated, nothing, |it| put_behind_gate(it, gate("alpha", false))),
        ("feature gate Modes", GateStage, GateStage,
            |it| put_behind_gate(it, gate("alpha", false)), |it| put_behind_gate(it, gate("beta", true))),
    ]
}

#[test]
fn every_change_is_reported_once_where_it_is_and_the_other_way_round_on_the_way_back() {
    for (place, there, back, both, change) in cases() {
        let mut old = base();
        both(&mut old);
        let mut new = old.clone();
        change(&mut new);
        for (old, new, kind) in [(&old, &new, there), (&new, &old, back)] {
            let report = diff::compare(&Api::of_spec("old", old), &Api::of_spec("new", new));
            let found: Vec<_> = report.changes.iter().map(|it| (it.kind, it.place.to_string())).collect();
            let is_there = |(kind_found, place_found): &(Kind, String)| {
                *kind_found == kind && place_found.split(" of ").next() == Some(place)
            };
            assert_eq!(found.len(), 1, "{kind:?} of {place}: {found:?}");
            assert!(found.iter().all(is_there), "{kind:?} of {place}: {found:?}");
        }
    }
}

#[test]
fn groups_and_versions_are_reported_with_their_resources() {
    for (part, kinds, place) in [
        ("/batch/v1/", [Kind::GroupRemoved, Kind::GroupAdded], "batch"),
        ("/apps/v2/", [Kind::VersionRemoved, Kind::VersionAdded], "apps/v2"),
    ] {
        let old = base();
        let mut new = old.clone();
        drop_paths(&mut new, part);
        for (old, new, kind) in [(&old, &new, kinds[0]), (&new, &old, kinds[1])] {
            let report = diff::compare(&Api::of_spec("old", old), &Api::of_spec("new", new));
            let places: Vec<_> = report.changes.iter().map(|it| (it.kind, it.place.to_string())).collect();
            assert!(places.contains(&(kind, place.to_owned())), "{places:?}");
            assert_eq!(places.len(), 2, "and the resource: {places:?}");
        }
    }
}

/// A server lists the values of each field, a stored spec those of a type.
#[test]
fn values_of_fields_are_compared_with_those_of_named_enums() {
    let stored = base();
    let mut served = base();
    served.markers = None;
    let report = |served: &Spec| diff::compare(&Api::of_spec("stored", &stored), &Api::of_spec("served", served));
    // A server without any values has them turned off.
    let unknown = report(&served);
    assert_eq!((unknown.changes.len(), unknown.not_compared.len()), (0, 3));
    field(&mut served, "mode").values = vec![json!("A")];
    // What only one side knows has not changed.
    let lifecycle = Lifecycle { deprecated: Some("1.30".parse().expect("a release")), ..Lifecycle::default() };
    let mut stored = stored.clone();
    markers(&mut stored).lifecycle.insert(DEPLOYMENT.to_owned(), lifecycle);
    let report = |served: &Spec| diff::compare(&Api::of_spec("stored", &stored), &Api::of_spec("served", served));
    let same = report(&served);
    assert_eq!((same.changes.len(), same.not_compared.len()), (0, 2));
    field(&mut served, "mode").values = vec![json!("A"), json!("B")];
    assert_eq!(report(&served).changes[0].to_string(), "apps/v1 DeploymentSpec.mode: value added: \"B\"");
}

fn definitions(name: &str) -> Vec<Definition> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api_diff/custom").join(name);
    Definition::read(name, &fs::read_to_string(path).expect("the file can be read")).expect("definitions")
}

fn of_definitions(old: (&str, Option<&str>), new: (&str, Option<&str>)) -> Report {
    let (before, after) = (definitions(old.0), definitions(new.0));
    let old = Api::of_definitions(old.0, &before, old.1);
    diff::compare(&old, &Api::of_definitions(new.0, &after, new.1))
}

#[test]
fn definitions_are_compared_as_servers_enforce_them() {
    let report = of_definitions(("old.yaml", None), ("new.yaml", None));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api_diff/custom/report.txt");
    let text = diff::text(&report);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).expect("the report can be written");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "run with UPDATE_GOLDEN=1 and read the difference");
    // What a default fills in may be required; what nothing fills in may not.
    let kinds = |name: &str| {
        let path = format!("spec.{name}");
        report.changes.iter().filter(|change| change.place.path == path).map(|change| change.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds("closed"), [Kind::Enforced, Kind::ValuesListed]);
    assert_eq!(kinds("key"), [Kind::RequiredFieldAdded]);
    assert_eq!(kinds("filled"), [Kind::NowRequired, Kind::DefaultChanged]);
    assert_eq!(kinds("sealed"), [Kind::FieldAdded]);
    // A server refuses objects, so that counts for those who want to know what breaks them.
    let breaks = BTreeSet::from([Audience::Wire]);
    assert!(report.concerning(&breaks, Stability::Stable).any(|change| change.place.path == "spec.closed"));
    assert!(!report.changes.iter().any(|change| change.place.path == "spec.soft"));
}

#[test]
fn two_versions_of_one_definition_are_compared_with_each_other() {
    let report = of_definitions(("old.yaml", Some("v1beta1")), ("old.yaml", Some("v1")));
    let places: Vec<String> = report.changes.iter().map(|change| change.place.to_string()).collect();
    assert!(places.contains(&"example.com/v1 Gadget.spec.always".to_owned()), "{places:?}");
    // They are one resource, though one of them has a status.
    let resources: Vec<_> = report.changes.iter().filter(|change| change.place.name == "gadgets").collect();
    assert_eq!(resources.iter().map(|change| change.kind).collect::<Vec<_>>(), [Kind::SubresourceAdded]);
    assert!(of_definitions(("old.yaml", Some("v1")), ("old.yaml", Some("v1"))).is_empty());
}

#[test]
fn no_kind_of_change_is_without_a_test() {
    let mut tested: BTreeSet<Kind> =
        [Kind::GroupRemoved, Kind::GroupAdded, Kind::VersionRemoved, Kind::VersionAdded].into();
    tested.extend(cases().into_iter().flat_map(|(_, there, back, ..)| [there, back]));
    let of_definitions = of_definitions(("old.yaml", None), ("new.yaml", None));
    tested.extend(of_definitions.changes.iter().map(|change| change.kind));
    let untested: Vec<&Kind> = Kind::ALL.iter().filter(|kind| !tested.contains(kind)).collect();
    assert_eq!(untested, [&Kind::ListType; 0]);
}
