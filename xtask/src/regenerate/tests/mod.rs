//! A Kubernetes version that nobody has seen yet: what it changes, and that it changes nothing else.

mod upstream;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};

use self::upstream::Upstream;
use super::*;
use crate::spec::Update;

/// Folders and files of the workspace that the generator reads or writes.
const COPIED: [&str; 12] = [
    "Cargo.toml",
    "README.md",
    "api-specs",
    "codegen/groups.toml",
    "crates/api",
    "crates/clientset",
    "crates/fake/data",
    "crates/fake/src/model/generated.rs",
    "crates/runtime/src/apply/generated.rs",
    "crates/version-check/src/generated.rs",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

/// A copy of what the generator needs of the workspace, without its specs.
fn workspace() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let tests = ["codegen/Cargo.toml", "tests/integration/Cargo.toml", "tests/integration/tests/sweep/generated.rs"];
    for path in COPIED.iter().chain(&tests) {
        copy(&crate::root().join(path), &root.path().join(path));
    }
    for entry in fs::read_dir(crate::root().join("crates")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        if manifest.exists() {
            copy(&manifest, &root.path().join(manifest.strip_prefix(crate::root()).unwrap()));
        }
    }
    root
}

/// All files below a folder but for the specs.
fn texts(root: &Path) -> BTreeMap<String, String> {
    let mut files = spec::read_dir(root).unwrap();
    files.retain(|path, _| !path.starts_with("api-specs/"));
    files
}

/// k8s-openapi with types of these versions: as it is, or will be by then.
fn types(minors: impl Iterator<Item = u32>) -> Types {
    Types { release: "0.99.0".to_owned(), features: minors.map(|minor| format!("v1_{minor}")).collect() }
}

/// The minor numbers of the oldest and the newest stored version.
fn minors(root: &Path) -> (u32, u32) {
    let stored = crate::versions::stored(&root.join("api-specs")).unwrap();
    let minor = |folder: &String| folder.strip_prefix("v1.").unwrap().parse().unwrap();
    (minor(&stored[0]), minor(&stored[stored.len() - 1]))
}

/// The lines that a text has more often than another, without indentation: gates indent what they hold.
fn added<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    let mut counts: BTreeMap<&str, i32> = BTreeMap::new();
    before.lines().for_each(|line| *counts.entry(line.trim()).or_default() += 1);
    let mut added = Vec::new();
    for line in after.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let count = counts.get_mut(line).filter(|count| **count > 0);
        match count {
            Some(count) => *count -= 1,
            None => added.push(line),
        }
    }
    added
}

const WIDGET: &str = "io.k8s.api.apps.v1.Widget";

/// A new kind with a few verbs, and a list of it.
fn add_widget(upstream: &mut Upstream) {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let content = |name: &str| json!({"content": {"application/json": {"schema": reference(name)}}});
    let text = json!({"type": "string"});
    let in_path = |name: &str| json!({"in": "path", "name": name, "required": true, "schema": text});
    let operation = |action: &str, answer: &str| {
        json!({
            "operationId": format!("{action}Widget"), "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": "apps", "kind": "Widget", "version": "v1"},
            "responses": {"200": content(answer)},
        })
    };
    let mut create = operation("post", WIDGET);
    create["requestBody"] = content(WIDGET);
    let paths = upstream.documents.get_mut("apis.apps.v1").unwrap();
    let collection = "/apis/apps/v1/namespaces/{namespace}/widgets";
    paths.insert(
        collection.to_owned(),
        json!({"parameters": [in_path("namespace")], "get": operation("list", &format!("{WIDGET}List")), "post": create}),
    );
    paths.insert(
        format!("{collection}/{{name}}"),
        json!({"parameters": [in_path("name"), in_path("namespace")], "get": operation("get", WIDGET)}),
    );
    let meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
    let of_all = |items: Value| json!({"type": "object", "properties": items});
    upstream.schemas.insert(
        WIDGET.to_owned(),
        of_all(json!({
            "apiVersion": text, "kind": text, "metadata": reference(&format!("{meta}.ObjectMeta")), "colour": text,
        })),
    );
    upstream.schemas.insert(
        format!("{WIDGET}List"),
        of_all(json!({
            "apiVersion": text, "kind": text, "metadata": reference(&format!("{meta}.ListMeta")),
            "items": {"type": "array", "items": reference(WIDGET)},
        })),
    );
    let meta = "k8s.io.apimachinery.pkg.apis.meta.v1";
    let fields = |lines: [String; 2]| lines.to_vec();
    let message = WIDGET.replace("io.k8s.", "k8s.io.");
    upstream.messages.insert(
        message.clone(),
        fields([format!("1 metadata {meta}.ObjectMeta omitempty"), "2 colour string omitempty".to_owned()]),
    );
    upstream.messages.insert(
        format!("{message}List"),
        fields([format!("1 metadata {meta}.ListMeta omitempty"), format!("2 items repeated {message}")]),
    );
}

/// A new field of deployments.
fn add_field(upstream: &mut Upstream) {
    let spec = upstream.schemas.get_mut("io.k8s.api.apps.v1.DeploymentSpec").unwrap();
    spec["properties"]["brandNew"] = json!({"type": "boolean"});
    let fields = upstream.messages.get_mut("k8s.io.api.apps.v1.DeploymentSpec").unwrap();
    fields.push("99 brandNew bool pointer omitempty".to_owned());
}

/// A version of a group that is gone: its paths, and the types that nothing else refers to.
fn remove_version(upstream: &mut Upstream, document: &str, package: &str) {
    upstream.documents.remove(document).expect(document);
    upstream.schemas.retain(|name, _| !name.starts_with(&format!("{package}.")));
    let gone = |kind: &Value| kind["group"] == "coordination.k8s.io" && kind["version"] == "v1beta1";
    for schema in upstream.schemas.values_mut() {
        if let Some(kinds) = schema.get_mut("x-kubernetes-group-version-kind").and_then(Value::as_array_mut) {
            kinds.retain(|kind| !gone(kind));
        }
    }
    let message = package.replace("io.k8s.", "k8s.io.");
    upstream.messages.retain(|name, _| !name.starts_with(&format!("{message}.")));
}

/// The version that goes: its document and its types.
const GONE: (&str, &str) = ("apis.coordination.k8s.io.v1beta1", "io.k8s.api.coordination.v1beta1");

/// What changed between two states of the workspace: the lines that went and came, by file.
fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let mut changes = BTreeMap::new();
    for path in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let text = |files: &BTreeMap<String, String>| files.get(path).cloned().unwrap_or_default();
        let (before, after) = (text(before), text(after));
        let signed =
            |sign: &str, lines: Vec<&str>| lines.into_iter().map(|it| format!("{sign}{it}")).collect::<Vec<_>>();
        let diff = [signed("-", added(&after, &before)), signed("+", added(&before, &after))].concat();
        if !diff.is_empty() {
            changes.insert(path.clone(), diff);
        }
    }
    changes
}

/// The lines of the files in which the new field, the version that is gone, and the numbers of versions are to be seen.
fn expected(oldest: u32, old: u32, new: u32) -> BTreeMap<&'static str, Vec<String>> {
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let until = format!("+k8s_openapi::k8s_if_le_1_{old}! {{");
    let readme = |sign: &str, newest: u32| {
        let region = format!("<!-- regenerate: versions -->1.{oldest} to 1.{newest}<!-- regenerate: end -->");
        format!("{sign}{region} from one source tree. The types are")
    };
    let row = "| `LeaseCandidate` | `coordination.k8s.io/v1beta1` | `k8s-client-api-coordination` | \
               `CoordinationV1beta1Client::lease_candidates` | `coordination-v1beta1` |";
    let module = "//! | `v1beta1` | `CoordinationV1beta1Client` |";
    BTreeMap::from([
        ("README.md", vec![readme("-", old), readme("+", new)]),
        ("crates/fake/src/model/generated.rs", vec![format!("+({new}, include_str!(\"../../data/v1.{new}.txt\")),")]),
        (
            "crates/version-check/src/generated.rs",
            vec![
                format!("-+ cfg!(feature = \"v1_{old}\") as usize;"),
                format!("-\"v1_{oldest} … v1_{old}, latest\""),
                format!("++ cfg!(feature = \"v1_{old}\") as usize"),
                format!("++ cfg!(feature = \"v1_{new}\") as usize;"),
                format!("+\"v1_{oldest} … v1_{new}, latest\""),
            ],
        ),
        (
            "crates/api/CRATES.md",
            vec![
                format!("-{row}  |"),
                format!("+{row} until 1.{old} |"),
                format!(
                    "+| `Widget` | `apps/v1` | `k8s-client-api-apps` | `AppsV1Client::widgets` |  | since 1.{new} |"
                ),
            ],
        ),
        ("crates/api/apps/src/v1/apply.rs", vec![format!("+brand_new(\"brandNew\"): bool @ ({new}..),")]),
        (
            "crates/api/apps/src/v1/protobuf.rs",
            [
                vec![format!("+if k8s_if_ge_1_{new} {{")],
                lines(&["+99 brand_new: one Bool,", "+}"]),
                vec![format!("+k8s_openapi::k8s_if_ge_1_{new}! {{")],
                lines(&["+message! {", "+pub Widget of k8s_openapi::api::apps::v1::Widget {"]),
                lines(&["+1 metadata: one meta_v1::ObjectMeta,", "+2 colour: one_unless_zero Text,", "+}", "+}", "+}"]),
            ]
            .concat(),
        ),
        (
            "crates/api/coordination/src/lib.rs",
            vec![
                format!("-{module}  | `v1beta1` |"),
                format!("+{module} until 1.{old} | `v1beta1` |"),
                until.clone(),
                "+}".to_owned(),
            ],
        ),
        (
            "crates/api/coordination/src/v1beta1/apply.rs",
            lines(&[
                "-of LeaseCandidate in \"k8s_openapi::api::coordination::v1beta1\"",
                "-of LeaseCandidateSpec in \"k8s_openapi::api::coordination::v1beta1\"",
                "+of old LeaseCandidate",
                "+old {",
                "+of old LeaseCandidateSpec",
                "+old {",
                "+}",
                "+}",
            ]),
        ),
        ("crates/api/coordination/tests/routes.rs", vec![until.clone(), "+}".to_owned()]),
        (
            "crates/clientset/src/generated.rs",
            vec![until, "+impl Clientset {".to_owned(), "+}".to_owned(), "+}".to_owned()],
        ),
        (
            "crates/runtime/src/apply/generated.rs",
            vec![format!("+k8s_openapi::k8s_if_1_{new}! {{ pub(super) const COMPILED_IN: u32 = {new}; }}")],
        ),
    ])
}

/// The files that get the new kind and nothing else, but that the sweep of all clients leaves out the version that is
/// gone.
const OF_THE_KIND: [&str; 5] = [
    "crates/api/apps/src/v1/kinds.rs",
    "crates/api/apps/src/v1/mod.rs",
    "crates/api/apps/src/v1/widgets.rs",
    "crates/api/apps/tests/routes.rs",
    "tests/integration/tests/sweep/generated.rs",
];

#[test]
fn a_new_kubernetes_version_changes_what_is_new_in_it_and_the_version_numbers() {
    let root = workspace();
    let root = root.path();
    let (oldest, old) = minors(root);
    let new = old + 1;
    let differences = regenerate(root, &types(oldest..=old), true).unwrap();
    assert!(differences.is_empty(), "the copy is not as generated: {differences:?}");
    let before = texts(root);

    let tree = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::of(&spec::read_dir(&root.join(format!("api-specs/v1.{old}"))).unwrap());
    add_widget(&mut upstream);
    add_field(&mut upstream);
    remove_version(&mut upstream, GONE.0, GONE.1);
    upstream.write(tree.path());
    let update = Update::from_folder(&format!("1.{new}.0"), tree.path());
    // Before there are types, it can be tried.
    let preview = tree.path().join("preview");
    crate::spec::update(root, &Update::from_folder(&format!("1.{new}.0"), tree.path()).preview(&preview)).unwrap();
    let made = spec::read_dir(&preview).unwrap();
    let code = &made["apps/src/v1/types.rs"];
    assert!(code.contains(r#"colour("colour"): String"#) && code.contains(r#"brand_new("brandNew"): bool"#), "{code}");
    let crates: Vec<_> = made.keys().filter_map(|path| path.strip_suffix("/Cargo.toml")).collect();
    assert_eq!(crates, ["apps"], "only what has changed is made");
    assert_eq!(texts(root), before);

    crate::spec::update(root, &update).unwrap();

    // Without its types nothing is written.
    let error = regenerate(root, &types(oldest..=old), false).unwrap_err().to_string();
    let told = format!("k8s-openapi 0.99.0 has no types of Kubernetes 1.{new}.0 (its feature v1_{new}). Raise it");
    assert!(error.starts_with(&told), "{error}");
    assert_eq!(texts(root), before);

    regenerate(root, &types(oldest..=new), false).unwrap();
    let mut changes = changes(&before, &texts(root));
    for (path, expected) in expected(oldest, old, new) {
        assert_eq!(changes.remove(path), Some(expected), "{path}");
    }
    for path in OF_THE_KIND {
        let diff = changes.remove(path).expect(path);
        assert!(diff.iter().all(|line| line.starts_with('+')), "{path}: {diff:#?}");
        assert!(diff.iter().any(|line| line.contains("Widget") || line.contains("widgets")), "{path}: {diff:#?}");
    }
    // What the fake API server knows of the new version.
    let data = changes.remove(&format!("crates/fake/data/v1.{new}.txt")).expect("data of the new version");
    assert!(data.iter().any(|line| line.contains("Widget")), "{} lines", data.len());
    // What is left are the manifests with their tables of versions.
    let manifests =
        before.iter().filter(|(_, text)| text.contains(&format!("latest = [\"v1_{old}\"]"))).map(|(path, _)| path);
    assert_eq!(changes.keys().collect::<Vec<_>>(), manifests.collect::<Vec<_>>());
    for (path, diff) in changes {
        // It enables what the feature of the version before enables, for the new one.
        let feature = before[&path].lines().find(|line| line.starts_with(&format!("v1_{old} = "))).expect(&path);
        let feature = format!("+{}", feature.replace(&format!("v1_{old}"), &format!("v1_{new}")));
        assert_eq!(diff, [format!("-latest = [\"v1_{old}\"]"), feature, format!("+latest = [\"v1_{new}\"]")], "{path}");
    }

    // A second time, there is nothing to do.
    let all = spec::read_dir(root).unwrap();
    crate::spec::update(root, &update).unwrap();
    assert!(regenerate(root, &types(oldest..=new), false).unwrap().is_empty());
    assert_eq!(spec::read_dir(root).unwrap(), all);
}
