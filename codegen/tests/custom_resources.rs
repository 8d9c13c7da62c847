//! Definitions of custom resources: the code that is made of a small one, names that stay, and inputs that are refused.

use std::{fs, path::PathBuf};

use k8s_client_codegen::{
    crd::{Definition, Group, NAMES_FILE, Names},
    emit::{Dependencies, Files, Layout},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/custom_resources")
}

fn files(text: &str, known: &Names) -> Files {
    let groups = Group::all(Definition::read("crd.yaml", text).unwrap()).unwrap();
    let [group] = groups.as_slice() else { panic!("one group is expected, not {}", groups.len()) };
    group.files(&Layout::Module, known, true).unwrap()
}

/// `UPDATE_GOLDEN=1` writes what is expected.
#[test]
fn a_small_definition_becomes_what_is_expected() {
    let text = fs::read_to_string(folder().join("definitions.yaml")).unwrap();
    let files = files(&text, &Names::default());
    let expected = folder().join("expected");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        drop(fs::remove_dir_all(&expected));
        for (path, text) in &files {
            let path = expected.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    for (path, text) in &files {
        let found = fs::read_to_string(expected.join(path)).unwrap_or_default();
        assert_eq!(*text, found, "{path} is not as expected; UPDATE_GOLDEN=1 writes what is");
    }
}

/// A definition whose `spec` has these properties.
fn definition(properties: &str) -> String {
    format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: toys.example.com}}, spec: \
         {{group: example.com, scope: Namespaced, names: {{kind: Toy, plural: toys}}, versions: [{{name: v1, served: true, \
         storage: true, schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: \
         {{{properties}}}}}}}}}}}}}]}}}}"
    )
}

/// The types of a definition, without their fields.
fn types(files: &Files) -> Vec<&str> {
    let names = files["v1/types.rs"]
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with("Toy") && !line.contains(','));
    names.map(|line| line.trim_end_matches(" {")).collect()
}

const PART: &str = "type: object, properties: {size: {type: integer}}";

#[test]
fn types_keep_their_names_when_the_definition_changes() {
    let before = definition(&format!("outer: {{type: object, properties: {{part: {{{PART}}}}}}}"));
    let first = files(&before, &Names::default());
    assert_eq!(types(&first), ["Toy", "ToyOuter", "ToyPart", "ToySpec"]);

    // Another type would have the short name, since it is nearer to the root.
    let after = definition(&format!(
        "outer: {{type: object, properties: {{part: {{{PART}}}}}}}, part: {{type: object, properties: {{new: {{type: string}}}}}}"
    ));
    let known = Names::parse(NAMES_FILE, &first[NAMES_FILE]).unwrap();
    let second = files(&after, &known);
    assert!(second[NAMES_FILE].contains("ToyPart = [\"spec.outer.part\"]"), "{}", second[NAMES_FILE]);
    assert!(second[NAMES_FILE].contains("ToySpecPart = [\"spec.part\"]"), "{}", second[NAMES_FILE]);
    assert_ne!(files(&after, &Names::default()), second);
    // The file is the same when nothing has changed.
    let known = Names::parse(NAMES_FILE, &second[NAMES_FILE]).unwrap();
    assert_eq!(files(&after, &known), second);
}

#[test]
fn a_type_that_becomes_two_keeps_its_name_where_it_stood_first() {
    let equal = definition(&format!("a: {{{PART}}}, b: {{{PART}}}"));
    let first = files(&equal, &Names::default());
    assert_eq!(types(&first), ["Toy", "ToyA", "ToySpec"]);
    let known = Names::parse(NAMES_FILE, &first[NAMES_FILE]).unwrap();
    let other = "type: object, properties: {size: {type: string}}";
    let second = files(&definition(&format!("a: {{{PART}}}, b: {{{other}}}")), &known);
    assert_eq!(types(&second), ["Toy", "ToyA", "ToyB", "ToySpec"]);
    // And when the first place is gone, where it stands now.
    let third = files(&definition(&format!("b: {{{PART}}}")), &known);
    assert_eq!(types(&third), ["Toy", "ToyA", "ToySpec"]);
}

#[test]
fn a_type_is_renamed_in_the_names_file() {
    let text = definition(&format!("a: {{{PART}}}"));
    let names = "[v1.Toy]\nPart = [\"spec.a\"]\n";
    let renamed = files(&text, &Names::parse(NAMES_FILE, names).unwrap());
    assert!(renamed["v1/types.rs"].contains("a(\"a\"): Part,"), "{}", renamed["v1/types.rs"]);
    for (names, error) in [
        ("[v1.Toy]\n\"a b\" = [\"spec.a\"]", "names.toml: [v1.Toy]: `a b` cannot be the name of a type"),
        ("[v1.Toy]\nVec = [\"spec.a\"]", "names.toml: [v1.Toy]: `Vec` cannot be the name of a type"),
        ("[v1", "names.toml: is not a names file: "),
        ("v1 = 2", "names.toml: is not a names file: "),
    ] {
        let found = Names::parse(NAMES_FILE, names).unwrap_err().to_string();
        assert!(found.starts_with(error), "{found}");
    }
}

/// What is refused: a name, the text, and what the error says.
const BAD: &[(&str, &str, &str)] = &[
    (
        "an old version",
        "{apiVersion: apiextensions.k8s.io/v1beta1, kind: CustomResourceDefinition}",
        "crd.yaml: $: is of apiextensions.k8s.io/v1beta1, which no server since Kubernetes 1.22 takes: convert it",
    ),
    (
        "a list of them",
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinitionList, items: [{}]}",
        "crd.yaml: $.items[0]: `spec` is missing",
    ),
    ("broken YAML", "a: [1\nb: }", "crd.yaml: line 2: cannot be read as YAML: "),
    ("a template", "spec:\n  {{- toYaml . }}\n", "`{{` is a template's: give the files that are made of it"),
    ("a template's value", "spec: {{ .Values.spec }}\n", "`{{` is a template's: give the files that are made of it"),
    (
        "a patch",
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {conversion: {strategy: Webhook}}}",
        "crd.yaml: $.spec: has no group, names and scope: this is a part of a definition, such as a patch of kustomize",
    ),
    ("the same key twice", "kind: A\nkind: B\n", "crd.yaml: line 2: the key `kind` is there twice"),
    (
        "a second document that is wrong",
        "a: 1\n---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}\n",
        "crd.yaml (document 2): $: `spec` is missing",
    ),
];

/// Changes of a good definition: what is replaced by what, and what the error says.
const BAD_CHANGES: &[(&str, &str, &str)] = &[
    (
        ", schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {}}}}}",
        "",
        "crd.yaml: $.spec.versions[0]: the version `v1` has no schema",
    ),
    (
        "openAPIV3Schema: {type: object",
        "openAPIV3Schema: {type: string",
        "crd.yaml: $.spec.versions[0].schema.openAPIV3Schema: the schema of an object needs `type: object`",
    ),
    (
        "spec: {type: object",
        "spec: {type: thing",
        "$.spec.versions[0].schema.openAPIV3Schema.properties.spec.type: unknown type `thing`",
    ),
    (
        "spec: {type: object, properties: {}",
        "spec: {type: object, properties: []",
        "openAPIV3Schema.properties.spec.properties: expected an object, found an array",
    ),
    (
        "spec: {type: object, properties: {}",
        "spec: {type: object, nullable: 3",
        "openAPIV3Schema.properties.spec.nullable: expected true or false, found a number",
    ),
    ("group: example.com, ", "", "crd.yaml: $.spec: `group` is missing"),
    ("group: example.com", "group: ''", "crd.yaml: $.spec.group: is empty"),
    ("group: example.com", "group: a/../b", "crd.yaml: $.spec.group: `a/../b` cannot be a name of the API"),
    ("kind: Toy", "kind: 'A\"B'", "crd.yaml: $.spec.names.kind: `A\\\"B` cannot be a name of the API"),
    ("plural: toys", "plural: to.ys", "crd.yaml: $.spec.names.plural: `to.ys` cannot be a name of the API"),
    ("name: v1,", "name: v1/x,", "crd.yaml: $.spec.versions[0].name: `v1/x` cannot be a name of the API"),
    ("scope: Namespaced", "scope: Galaxy", "crd.yaml: $.spec.scope: is `Galaxy`; a scope is `Namespaced` or `Cluster`"),
    (
        "scope: Namespaced",
        "scope: Namespaced, preserveUnknownFields: true",
        "crd.yaml: $.spec.preserveUnknownFields: is true, which servers no longer take",
    ),
    ("served: true, ", "", "crd.yaml: $.spec.versions[0]: `served` is missing"),
];

#[test]
fn what_no_server_would_take_is_an_error_with_file_and_place() {
    let good = definition("");
    let changes = BAD_CHANGES.iter().map(|(from, to, error)| {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        (*from, changed, *error)
    });
    for (name, text, error) in BAD.iter().map(|(name, text, error)| (*name, (*text).to_owned(), *error)).chain(changes)
    {
        let found = Definition::read("crd.yaml", &text).expect_err(name).to_string();
        assert!(found.contains(error), "{name}: {found}");
    }
}

#[test]
fn definitions_that_contradict_each_other_are_named() {
    let read = |file: &str, from: &str, to: &str| Definition::read(file, &definition("").replace(from, to)).unwrap();
    let together = |other: Vec<Definition>| {
        let mut definitions = read("a.yaml", "", "");
        definitions.extend(other);
        Group::all(definitions).and_then(|groups| groups[0].files(&Layout::Module, &Names::default(), false)).map(drop)
    };
    for (from, to, error) in [
        (
            "properties: {}",
            "properties: {size: {type: integer}}",
            "b.yaml: $.spec.versions[0].schema.openAPIV3Schema: `Toy` is in a.yaml too, and is not the same there in the \
             version `v1`: leave one of the two out",
        ),
        (
            "plural: toys",
            "plural: toys, shortNames: [t]",
            "b.yaml: $.spec.versions[0].schema.openAPIV3Schema: `Toy` is in a.yaml too, and is not the same there in the \
             version `v1`: leave one of the two out",
        ),
        (
            "plural: toys",
            "plural: playthings",
            "b.yaml: $.spec.names: the kind `Toy` is that of `toys` in a.yaml already",
        ),
        ("kind: Toy", "kind: Plaything", "b.yaml: $.spec.names: the plural `toys` is that of `Toy` in a.yaml already"),
        (
            "{kind: Toy, plural: toys}",
            "{kind: toy, plural: toy}",
            "b.yaml: $.spec.versions[0].schema.openAPIV3Schema: two definitions would have the type `Toy`",
        ),
    ] {
        let found = together(read("b.yaml", from, to)).unwrap_err().to_string();
        assert_eq!(found, error);
    }
    // Other versions of a kind may stand in another file, and the same one again.
    together(read("b.yaml", "name: v1,", "name: v2,")).unwrap();
    together(read("b.yaml", "", "")).unwrap();
    let unserved = Group::all(read("a.yaml", "served: true", "served: false")).unwrap_err().to_string();
    assert!(unserved.starts_with("a.yaml: $.spec.versions: no version of any definition is served"), "{unserved}");
    let mut definitions = read("a.yaml", "served: true", "served: false");
    definitions.extend(read("b.yaml", "example.com", "example.org"));
    let groups: Vec<String> = Group::all(definitions).unwrap().into_iter().map(|group| group.name).collect();
    assert_eq!(groups, ["example.org"], "a group that is not served keeps nobody from others");
}

#[test]
fn groups_with_one_first_label_are_told_apart() {
    let mut definitions = Definition::read("a.yaml", &definition("")).unwrap();
    definitions.extend(Definition::read("b.yaml", &definition("").replace("example.com", "example.org")).unwrap());
    let modules: Vec<String> = Group::all(definitions).unwrap().into_iter().map(|group| group.module).collect();
    assert_eq!(modules, ["example_com", "example_org"]);
}

#[test]
fn manifests_name_the_releases_of_this_workspace() {
    let root = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")).unwrap();
    let root: toml::Table = root.parse().unwrap();
    let release = root["workspace"]["dependencies"]["k8s-openapi"]["version"].as_str().unwrap();
    let groups = Group::all(Definition::read("crd.yaml", &definition("")).unwrap()).unwrap();
    let layout = Layout::Crate { package: "toys".to_owned(), dependencies: Dependencies::Released };
    let manifest = &groups[0].files(&layout, &Names::default(), false).unwrap()["Cargo.toml"];
    let manifest: toml::Table = manifest.parse().unwrap();
    assert_eq!(manifest["dependencies"]["k8s-openapi"]["version"].as_str(), Some(release));
    let version = root["workspace"]["package"]["version"].as_str();
    assert_eq!(manifest["dependencies"]["k8s-client-runtime"]["version"].as_str(), version);
}

/// Definitions of our own that have what is odd, which are compiled and put on a server by tests of another crate.
fn odd(file: &str, group: &str) -> Files {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/custom-resources/definitions/odd");
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let groups = Group::all(Definition::read(file, &text).unwrap()).unwrap();
    let group = groups.iter().find(|of| of.name == group).unwrap();
    let layout = Layout::Crate { package: "aged".to_owned(), dependencies: Dependencies::Released };
    group.files(&layout, &Names::default(), false).unwrap()
}

#[test]
fn a_deprecated_version_says_so_where_its_clients_are_made() {
    let files = odd("versions.yaml", "versions.example.com");
    let note =
        "#[deprecated = \"versions.example.com/v1beta1 Aged: use v1; \\\"colour\\\" is `spec.colour` *now* <b>\"]";
    assert_eq!(files["src/v1beta1/mod.rs"].matches(note).count(), 2, "{}", files["src/v1beta1/mod.rs"]);
    assert!(files["src/v1beta1/types.rs"].contains("/// Deprecated: versions.example.com/v1beta1 Aged: use v1;"));
    let unsaid = "#[deprecated = \"versions.example.com/default Aged is deprecated\"]";
    assert!(files["src/version_default/mod.rs"].contains(unsaid), "{}", files["src/version_default/mod.rs"]);
    assert!(!files["src/v1/mod.rs"].contains("deprecated"), "{}", files["src/v1/mod.rs"]);
    // An example that every reader tries is of a version that stays.
    assert!(files["src/lib.rs"].contains("use aged::v1::"), "{}", files["src/lib.rs"]);
}

#[test]
fn each_served_version_of_a_crate_is_a_feature() {
    let files = odd("versions.yaml", "versions.example.com");
    let manifest: toml::Table = files["Cargo.toml"].parse().unwrap();
    let features = manifest["features"].as_table().unwrap();
    let mut modules: Vec<&str> =
        files.keys().filter_map(|path| path.strip_prefix("src/")?.strip_suffix("/mod.rs")).collect();
    modules.push("default");
    modules.sort_unstable();
    let mut names: Vec<&str> = features.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, modules);
    assert_eq!(features["default"].as_array().unwrap().len(), modules.len() - 1);
    for module in modules.iter().filter(|module| **module != "default") {
        let gated = format!("#[cfg(feature = \"{module}\")]\n#[rustfmt::skip]\npub mod {module};");
        assert!(files["src/lib.rs"].contains(&gated), "{gated}\n{}", files["src/lib.rs"]);
    }
}

#[test]
fn each_type_has_a_name_that_a_file_of_its_docs_can_have() {
    let files = odd("fields.yaml", "odd.example.com");
    let text: String = files.iter().filter(|(path, _)| path.starts_with("src/v1/")).map(|(_, text)| &**text).collect();
    let names = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.starts_with("Field"));
    let longest = names.max_by_key(|name| name.len()).unwrap();
    assert!(text.contains("FieldAVeryLongName"), "{text}");
    assert!(longest.len() < 200, "{longest}");
}
