//! Whatever a document says, the generator makes files of it or says what is wrong: it never panics.

mod support;

use std::{collections::BTreeMap, fs, path::Path};

use k8s_client_codegen::{
    emit::{Files, Formatter},
    generate,
    policy::Policy,
    spec::{self, Spec},
    write,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Words that no one expects where they may stand.
const WORDS: [&str; 22] = [
    "",
    "match",
    "Self",
    "crate",
    "a-b",
    "1s",
    "..",
    "a\"b",
    "é",
    "a\u{202e}\n",
    "{name}",
    "/apis//v1/x",
    "/apis/apps/v1/gen/{name}",
    "$ref",
    "type",
    "Kind",
    "status",
    "v1beta1",
    "array",
    "object",
    "a(\"a\"):bool,}}pub fn owned(){}",
    "#/components/schemas/io.k8s.api.apps.v1.Deployment",
];

/// A change of a file: which file, where in it, and what is made of the value there.
type Change = (usize, usize, Odd);

#[derive(Clone, Debug)]
enum Odd {
    Value(usize),
    Word(usize),
    Key(usize),
    Nothing,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let odd = prop_oneof![
        (0..6_usize).prop_map(Odd::Value),
        (0..WORDS.len()).prop_map(Odd::Word),
        (0..WORDS.len()).prop_map(Odd::Key),
        Just(Odd::Nothing),
    ];
    prop::collection::vec((any::<usize>(), any::<usize>(), odd), 1..4)
}

fn change(root: &mut Value, place: usize, odd: &Odd) {
    let mut pointers = Vec::new();
    collect(root, String::new(), &mut pointers);
    let pointer = &pointers[place % pointers.len()];
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    let key = key.replace("~1", "/").replace("~0", "~");
    match (odd, root.pointer_mut(pointer)) {
        (Odd::Value(index), Some(value)) => {
            *value = [json!(null), json!(true), json!(-1), json!([]), json!({}), json!([{}])][*index].clone();
        }
        (Odd::Word(index), Some(value)) => *value = WORDS[*index].into(),
        (Odd::Key(index), _) => {
            if let Some(Value::Object(parent)) = root.pointer_mut(parent)
                && let Some(value) = parent.remove(&key)
            {
                parent.insert(WORDS[*index].to_owned(), value);
            }
        }
        _ => {
            if let Some(Value::Object(parent)) = root.pointer_mut(parent) {
                parent.remove(&key);
            }
        }
    }
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    let step = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| collect(value, step(key), pointers)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| collect(value, step(&index.to_string()), pointers));
        }
        _ => {}
    }
    pointers.push(pointer);
}

fn changed(mut files: Files, changes: &[Change]) -> Files {
    let names: Vec<String> = files.keys().filter(|name| name.strip_suffix(".json").is_some()).cloned().collect();
    for (file, place, odd) in changes {
        let name = &names[file % names.len()];
        let mut value: Value = serde_json::from_str(&files[name]).expect("it is JSON");
        change(&mut value, *place, odd);
        files.insert(name.clone(), value.to_string());
    }
    files
}

fn golden(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name))
        .expect("the file is there")
}

fn made_of(files: &Files) -> Result<Files, k8s_client_codegen::Error> {
    let specs: Vec<Spec> = vec![spec::load(files)?];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("codegen lies in the workspace").to_owned();
    Ok(generate(&specs, &Policy::parse("groups.toml", &golden("groups.toml"))?, &Formatter { root })?.files)
}

fn assert_below_the_root(files: &Files) {
    for path in files.keys() {
        write::check_path(path).expect("a path below the root");
    }
}

#[test]
fn what_is_changed_is_right_as_it_is() {
    let files = made_of(&support::files("1.34", &golden("spec.txt"))).expect("the spec is right");
    assert_below_the_root(&files);
}

#[test]
fn resources_called_like_types_that_their_files_use_are_refused() {
    for (kind, plural, expected) in [
        ("Kind", "things", "io.k8s.api.apps.v1.Kind has the name of another type"),
        ("Vec", "vecs", "io.k8s.api.apps.v1.Vec has the name of another type"),
        ("Namespaced", "namespaced", "apps/v1: namespaced: `Namespaced` is the name of a type of the runtime"),
        ("Get", "get", "apps/v1: get: `Get` is the name of a type of the runtime"),
        ("TypedClient", "typedclient", "apps/v1: typedclient: `TypedClient` is the name of a type of the runtime"),
    ] {
        let path = format!("/apis/apps/v1/namespaces/{{namespace}}/{plural}/{{name}}");
        let lines = format!("all GET get {path} {kind} - apps.v1.{kind}");
        let lines = format!("{}\n{lines}", golden("spec.txt"));
        let error = made_of(&support::files("1.34", &lines)).expect_err(kind).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn odd_specs_become_files_or_an_error(changes in changes()) {
        let files = changed(support::files("1.34", &golden("spec.txt")), &changes);
        if let Ok(files) = made_of(&files) {
            assert_below_the_root(&files);
        }
    }

    #[test]
    fn odd_documents_are_stored_so_that_they_load_or_are_refused(changes in changes()) {
        let schema = json!({"$ref": "#/components/schemas/io.k8s.api.apps.v1.Thing"});
        let document = json!({
            "components": {
                "schemas": {"io.k8s.api.apps.v1.Thing": {"type": "object", "properties": {"a": {"type": "string"}}}},
                "parameters": {"name": {"in": "path", "name": "name", "schema": {"type": "string"}}},
                "responses": {"thing": {"content": {"application/json": {"schema": schema}}}},
            },
            "paths": {"/apis/apps/v1/things/{name}": {
                "parameters": [{"$ref": "#/components/parameters/name"}],
                "get": {
                    "operationId": "get", "x-kubernetes-action": "get",
                    "x-kubernetes-group-version-kind": {"group": "apps", "kind": "Thing", "version": "v1"},
                    "responses": {"200": {"$ref": "#/components/responses/thing"}},
                },
            }},
        });
        let documents = BTreeMap::from([("document.json".to_owned(), document.to_string())]);
        let documents = changed(documents, &changes);
        if let Ok(mut files) = spec::intake(&documents) {
            assert_below_the_root(&files);
            files.insert("SOURCE".to_owned(), "version: 1.37.0\nopenapi: a test\n".to_owned());
            files.insert("protobuf.txt".to_owned(), "k8s.io.api.apps.v1.Thing\n  1 a string\n".to_owned());
            let _ = made_of(&files);
        }
    }
}
