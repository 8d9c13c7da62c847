//! Changes in kubeconfigs as people lay them out.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const CONTEXT_NAMESPACE: &[Step<'_>] =
    &[Step::Key("contexts"), Step::Named("b"), Step::Key("context"), Step::Key("namespace")];

/// A file as people have it: comments, two indentations, fields that nobody knows.
const WRITTEN: &str = "\
# mine
apiVersion: v1
current-context: a # now
clusters:
- cluster:
    server: https://h  # main
    x-unknown: [1, 2]
  name: c
contexts:
  - name: a   # first
    context: {cluster: c}
  # second
  - context:
      cluster: c
      note: |
        two
        lines
    name: b
users: []
";

fn changed(text: &str, path: &[Step<'_>], value: impl Into<Value>) -> String {
    set(text, path, &value.into()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The lines that differ, with `-` and `+` before them.
fn difference(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("-{line}"));
    let added = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+{line}"));
    gone.chain(added).collect()
}

#[test]
fn a_change_touches_its_own_lines_only() {
    let new = changed(WRITTEN, &[Step::Key("current-context")], "b");
    assert_eq!(difference(WRITTEN, &new), ["-current-context: a # now", "+current-context: b # now"]);

    let new = changed(WRITTEN, CONTEXT_NAMESPACE, "shop");
    assert_eq!(difference(WRITTEN, &new), ["+      namespace: shop"]);

    let path = [Step::Key("contexts"), Step::Named("a"), Step::Key("context"), Step::Key("namespace")];
    let new = changed(WRITTEN, &path, "shop");
    let lines = ["-    context: {cluster: c}", "+    context: {cluster: c, \"namespace\": \"shop\"}"];
    assert_eq!(difference(WRITTEN, &new), lines);

    let path = [Step::Key("contexts"), Step::Named("b"), Step::Key("context"), Step::Key("note")];
    let new = changed(WRITTEN, &path, "one line: #");
    let lines = ["-      note: |", "-        two", "-        lines", "+      note: \"one line: #\""];
    assert_eq!(difference(WRITTEN, &new), lines);

    let path = [Step::Key("users"), Step::Named("me"), Step::Key("user")];
    let new = changed(
        WRITTEN,
        &path,
        json!({"token": "t", "as-groups": ["x"], "exec": {"env": [{"name": "A", "value": "true"}]}}),
    );
    let lines = [
        "-users: []",
        "+users:",
        "+- name: me",
        "+  user:",
        "+    as-groups:",
        "+    - x",
        "+    exec:",
        "+      env:",
        "+      - name: A",
        "+        value: \"true\"",
        "+    token: t",
    ];
    assert_eq!(difference(WRITTEN, &new), lines);

    let path = [Step::Key("contexts"), Step::Named("new"), Step::Key("context")];
    let new = changed(WRITTEN, &path, json!({"cluster": "c"}));
    assert_eq!(difference(WRITTEN, &new), ["+    name: new"]);
    let new = remove(&new, &path[..2]).unwrap();
    assert_eq!(new, WRITTEN);
}

#[test]
fn an_item_goes_with_its_lines_and_no_others() {
    let without = |name| remove(WRITTEN, &[Step::Key("contexts"), Step::Named(name)]).unwrap();
    assert_eq!(difference(WRITTEN, &without("a")), ["-  - name: a   # first", "-    context: {cluster: c}"]);
    let new = without("b");
    assert!(new.contains("  # second\nusers: []\n"), "{new}");
    let new = remove(WRITTEN, &[Step::Key("clusters"), Step::Named("c")]).unwrap();
    assert!(new.contains("\nclusters: []\ncontexts:\n"), "{new}");
}

#[test]
fn every_layout_is_changed_or_refused() {
    for text in [
        "",
        "# only a comment",
        "---\n",
        "---\ncontexts:\r\n- name: b\r\n  context:\r\n    cluster: c\r\n",
        "{}",
        "contexts:",
        "contexts: null",
        "contexts: ~\nusers: []",
        "contexts:\n- name: b",
        "contexts:\n- name: b\n  context:\n",
        "contexts:\n- name: b\n  context: {}\n",
        "contexts:\n- name: b\n  context: null # nothing\n",
        "contexts:\n-\n  name: b\n  context:\n    namespace: old\n",
        "contexts: [{name: b}]",
        "contexts: [{name: a}, {name: b, context: {namespace: 'old'}}]\n",
        "{\"contexts\":[{\"name\":\"b\",\"context\":{\"namespace\":\"old\"}}]}",
        "\u{feff}contexts:\n- name: b\n  context:\n    namespace: \"old\"",
        "contexts:\n- {name: \"b\", context: {\n  cluster: c,\n  }}\n",
        "contexts:\n  - name: b\n    context:\n      namespace: >-\n        old\n        one\n\nusers: []\n",
        "x: &x {a: b}\ny: *x\ncontexts:\n- name: b\n  context:\n    namespace: old\n",
    ] {
        let new = changed(text, CONTEXT_NAMESPACE, "yes");
        assert_eq!(parse(&new).unwrap()["contexts"].as_array().unwrap().last().unwrap()["context"]["namespace"], "yes");
        let again = changed(&new, CONTEXT_NAMESPACE, "");
        assert!(again.contains("\"\""), "{again}");
    }
    for text in ["contexts: 1", "contexts: &c\n- name: b\n  context: &x {a: b}\n  y: 1\nother: *c\n", "[]", "a"] {
        assert!(set(text, CONTEXT_NAMESPACE, &Value::from("x")).is_err(), "{text}");
    }
    let json = changed("{\"contexts\":[{\"name\":\"b\"}]}", CONTEXT_NAMESPACE, "x");
    assert!(serde_json::from_str::<Value>(&json).is_ok(), "{json}");
}

proptest! {
    #[test]
    fn no_text_makes_a_change_panic(text in "\\PC{0,60}", value in "\\PC{0,9}") {
        let _ = set(&text, CONTEXT_NAMESPACE, &Value::from(value));
        let _ = remove(&text, &CONTEXT_NAMESPACE[..2]);
    }

    #[test]
    fn what_is_set_is_what_is_read_and_the_rest_stays(
        lines in proptest::collection::vec(prop_oneof![
            Just("contexts:"), Just("contexts: []"), Just("- name: b"), Just("  - name: b"), Just("  name: c"),
            Just("  context:"), Just("    context: {x: y}"), Just("    namespace: old"), Just("# comment"), Just(""),
            Just("users:"), Just("- {name: b, context: }"), Just("      namespace: 'o'"), Just("---"), Just("  context: |"),
        ], 0..9),
        value in "\\PC{0,9}",
    ) {
        let text = lines.join("\n");
        if let Ok(new) = set(&text, CONTEXT_NAMESPACE, &Value::from(value.clone())) {
            let mut expected = parse(&text).unwrap();
            set_value(&mut expected, CONTEXT_NAMESPACE, &Value::from(value)).unwrap();
            prop_assert_eq!(parse(&new).unwrap(), expected);
            for line in lines.iter().filter(|line| line.starts_with('#')) {
                prop_assert!(new.contains(line));
            }
        }
    }
}
