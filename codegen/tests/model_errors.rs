//! What the generator refuses, each with a message that names the place.

mod support;

use k8s_client_codegen::{model::Model, policy::Policy, spec::Schema};

/// A line of a namespaced resource that is right, to stand beside the wrong ones.
const GET: &str =
    "all GET get /apis/apps/v1/namespaces/{namespace}/deployments/{name} Deployment - apps.v1.Deployment\n";

fn refusal(policy: &str, lines: &str) -> String {
    let specs = ["1.33", "1.34"].map(|version| support::spec(version, &format!("{GET}{lines}")));
    let build =
        || Model::build(&specs.into_iter().collect::<Result<Vec<_>, _>>()?, &Policy::parse("groups.toml", policy)?);
    build().expect_err(lines).to_string()
}

#[track_caller]
fn assert_refused(lines: &str, expected: &[&str]) {
    let error = refusal("", lines);
    assert!(expected.iter().all(|part| error.contains(part)), "{lines}\n{error}");
}

#[test]
fn wrong_specs_are_refused_with_file_and_path() {
    for (lines, expected) in [
        (
            "all GET frobnicate /apis/apps/v1/widgets Widget - apps.v1.Widget",
            &["hand.made", "/apis/apps/v1/widgets", "frobnicate"][..],
        ),
        (
            "all POST post /apis/apps/v1/namespaces/{namespace}/deployments Replacement apps.v1.Deployment apps.v1.Deployment",
            &["v1.33/paths/hand.made.json", "two kinds of one plural", "`Deployment`", "`Replacement`"],
        ),
        (
            "all GET get /apis/apps.example.com/v1/widgets/{name} Widget - apps.v1.Widget",
            &["groups.toml", "`apps`", "`apps.example.com`", "the crate `apps`"],
        ),
        (
            "all GET get /apis/com/v1/widgets/{name} Widget - com.example.v1.Widget",
            &["GET /apis/com/v1/widgets/{name}", "`com.example.v1.Widget`", "k8s-openapi's naming"],
        ),
        (
            "all GET connect /apis/apps/v1/namespaces/{namespace}/deployments/{name}/shell X - ~",
            &["GET /apis/apps/v1/namespaces/{namespace}/deployments/{name}/shell", "[[stream]]"],
        ),
        (
            "all GET get /apis/apps/v1/namespaces/{namespace}/deployments/{name}/text Deployment - ~",
            &["deployments/{name}/text", "no answer names a type"],
        ),
        (
            "all GET list /apis/apps/v1/namespaces/{namespace}/deployments Deployment - apps.v1.Deployments",
            &["apps/v1", "deployments", "DeploymentList"],
        ),
        (
            "all DELETE delete /apis/apps/v1/deployments Deployment - meta.v1.Status",
            &["DELETE /apis/apps/v1/deployments", "can only list and watch"],
        ),
        ("all GET get /apis/apps/v1/widgets/{name}/status Widget - apps.v1.Widget", &["widgets", "only subresources"]),
        (
            "all DELETE delete /apis/apps/v1/deployments/{name}/status Deployment - meta.v1.Status",
            &["/apis/apps/v1/deployments/{name}/status", "delete of a subresource"],
        ),
        (
            "all GET get /apis/apps/v1/widgets/{name} wid-get - apps.v1.Widget",
            &["`wid-get`", "cannot be the name of a type"],
        ),
    ] {
        assert_refused(lines, expected);
    }
}

#[test]
fn names_that_would_become_code_or_files_are_refused_where_they_come_from() {
    for (lines, expected) in [
        (
            "all GET get /apis/apps/v1/selves/{name} Self - apps.v1.Self",
            &["v1.33/paths/hand.made.json: GET /apis/apps/v1/selves/{name}", "`Self`"][..],
        ),
        (
            "all GET get /apis/apps/v1/a-b/{name} Foo - apps.v1.Foo",
            &["v1.33/paths/hand.made.json: GET /apis/apps/v1/a-b/{name}", "the resource `a-b`"],
        ),
        (
            "all GET get /apis/apps/v1/1s/{name} Foo - apps.v1.Foo",
            &["GET /apis/apps/v1/1s/{name}", "the resource `1s`"],
        ),
        (
            "all GET get /apis/apps/v1/{kind}/{name} Foo - apps.v1.Foo",
            &["GET /apis/apps/v1/{kind}/{name}", "the resource `{kind}`"],
        ),
        (
            "all GET get /apis/apps/v1/namespaces/{namespace}/deployments/{name}/a\"b Deployment - apps.v1.Deployment",
            &["deployments/{name}/a\"b", "the subresource `a\\\"b`"],
        ),
        (
            "all GET get /apis/apps/latest/widgets/{name} Widget - apps.v1.Widget",
            &["GET /apis/apps/latest/widgets/{name}", "`latest` is not a version"],
        ),
        (
            "all GET get /apis/../v1/widgets/{name} Widget - apps.v1.Widget",
            &["GET /apis/../v1", "`..` is not the name"],
        ),
        (
            "all GET get /apis/match.example.com/v1/widgets/{name} Widget - apps.v1.Widget",
            &["GET /apis/match.example.com", "cannot be called `match`", "[[group]]"],
        ),
        (
            "all GET get /apis/1.example.com/v1/widgets/{name} Widget - apps.v1.Widget",
            &["GET /apis/1.example.com", "cannot be called `1`"],
        ),
        (
            "all GET get /apis/meta.example.com/v1/widgets/{name} Widget - apps.v1.Widget",
            &["GET /apis/meta.example.com", "cannot be called `meta`"],
        ),
        (
            "all GET get /apis/apps/v1/kinds/{name} Kind - apps.v1.Kind",
            &["GET /apis/apps/v1/kinds/{name}", "`kinds` is another module"],
        ),
        (
            "all GET get /apis/apps/v1/widgets/{name} Widget - type.v1.Widget",
            &["GET /apis/apps/v1/widgets/{name}", "`io.k8s.api.type.v1.Widget`"],
        ),
        (
            "all GET list /apis/apps/v1/foos Foo - apps.v1.FooList\n\
             all GET list /apis/apps/v1/namespaces/{namespace}/foos Foo - apps.v1.FooList\n\
             all GET get /apis/apps/v1/namespaces/{namespace}/foos/{name} Foo - apps.v1.Foo\n\
             all GET get /apis/apps/v1/allfoos/{name} AllFoo - apps.v1.AllFoo",
            &["apps/v1", "something else is called `AllFoos`"],
        ),
        (
            "all PATCH patch /apis/apps/v1/namespaces/{namespace}/deployments/{name} Deployment - apps.v1.Deployment\n\
             all field apps.v1.Deployment é {\"type\":\"string\"}",
            &["v1.33/schemas/io.k8s.api.apps.v1.json: io.k8s.api.apps.v1.Deployment", "the field `é`", "[[field]]"],
        ),
        (
            "all PATCH patch /apis/apps/v1/namespaces/{namespace}/deployments/{name} Deployment - apps.v1.Deployment\n\
             all field apps.v1.Deployment a-b {\"type\":\"string\"}\n\
             all field apps.v1.Deployment aB {\"type\":\"string\"}",
            &["io.k8s.api.apps.v1.Deployment", "would both be called `a_b`"],
        ),
    ] {
        assert_refused(lines, expected);
    }
}

#[test]
fn policy_without_reason_or_use_is_refused() {
    let entry = |reason: &str| format!("[[group]]\nname = \"gone.k8s.io\"\ncrate = \"gone\"\nreason = \"{reason}\"");
    let unused = refusal(&entry("it was there once"), "");
    assert!(unused.contains("gone.k8s.io") && unused.contains("nothing in the specs needs it"), "{unused}");
    let without_reason = refusal(&entry(""), "");
    assert!(without_reason.contains("reason is empty"), "{without_reason}");
}

#[test]
fn circle_among_groups_is_refused() {
    let spec = |from: &str, to: &str| {
        let mut spec = support::spec("1.33", GET).expect("the spec is right");
        let mut refer = |a: &str, b: &str| {
            let reference = Schema { reference: Some(b.to_owned()), ..Schema::default() };
            let schema = Schema { all_of: vec![reference], ..Schema::default() };
            spec.schemas.insert(a.to_owned(), schema);
        };
        refer(from, to);
        refer(to, from);
        spec
    };
    let policy = Policy::parse("groups.toml", "").expect("no policy is right");
    let circle = Model::build(&[spec("io.k8s.api.apps.v1.A", "io.k8s.api.batch.v1.B")], &policy);
    let error = circle.expect_err("a circle").to_string();
    assert!(error.contains("apps → batch → apps"), "{error}");
    assert!(Model::build(&[spec("io.k8s.api.apps.v1.A", "io.k8s.api.apps.v2.B")], &policy).is_ok());
}
