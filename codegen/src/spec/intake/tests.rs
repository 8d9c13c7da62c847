//! Documents that are taken in, and what is stored of them.

use serde_json::json;

use super::*;
use crate::spec::load;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// A document with one path, and `DeleteOptions` with the kind of its own group.
fn document(group: &str, pod: &Value) -> String {
    let schema = json!({"schema": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Pod"}});
    let content = json!({"application/json": schema, "application/yaml": schema, "text/plain": schema});
    let text = json!({"type": "string"});
    let parameter =
        |name: &str, location: &str| json!({"name": name, "in": location, "description": group, "schema": text});
    let kinds = json!([{"group": group, "kind": "DeleteOptions", "version": "v1"}]);
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes"},
        "components": {"schemas": {
            "io.k8s.api.core.v1.Pod": pod,
            format!("{META}.DeleteOptions"): {"type": "object", "x-kubernetes-group-version-kind": kinds},
        }},
        "paths": {format!("/apis/{group}/v1/pods/{{name}}"): {
            "parameters": [parameter("name", "path"), parameter("pretty", "query")],
            "get": {
                "description": "Reads.", "summary": "Reads.", "tags": [group],
                "operationId": format!("read{group}"),
                "parameters": [parameter(group, "query")],
                "responses": {"200": {"description": "OK", "content": content}, "401": {"description": "No."}},
                "x-kubernetes-action": "get",
            },
        }},
    })
    .to_string()
}

fn pod() -> Value {
    json!({
        "description": "A pod.",
        "type": "object",
        "required": ["description"],
        "properties": {
            "description": {"description": "Prose.", "default": {"description": "a value, not prose"}},
            "items": {"description": "A map.", "additionalProperties": {"description": "Prose.", "type": "string"}},
        },
    })
}

fn documents() -> BTreeMap<String, String> {
    ["a", "b"].map(|group| (format!("apis/{group}/v1"), document(group, &pod()))).into()
}

#[test]
fn prose_goes_and_facts_stay() {
    let files = intake(&documents()).unwrap();
    assert_eq!(
        files["schemas/io.k8s.api.core.v1.json"],
        r#"{
  "Pod": {
    "properties": {
      "description": {"default": {"description": "a value, not prose"}},
      "items": {"additionalProperties": {"type": "string"}}
    },
    "required": ["description"],
    "type": "object"
  }
}
"#
    );
    assert_eq!(
        files["paths/apis.a.v1.json"],
        r##"{
  "/apis/a/v1/pods/{name}": {
    "get": {
      "operationId": "reada",
      "parameters": [{"in": "query", "name": "a", "schema": {"type": "string"}}],
      "responses": {
        "200": {
          "content": {"json,yaml,text/plain": {"schema": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Pod"}}}
        },
        "401": {}
      },
      "x-kubernetes-action": "get"
    },
    "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/pretty"}]
  }
}
"##
    );
}

#[test]
fn repeated_parameters_are_stored_once() {
    assert_eq!(
        intake(&documents()).unwrap()[PARAMETERS],
        r#"{
  "name": {"in": "path", "name": "name", "schema": {"type": "string"}},
  "pretty": {"in": "query", "name": "pretty", "schema": {"type": "string"}}
}
"#
    );
}

#[test]
fn partial_lists_of_kinds_are_joined() {
    let files = intake(&documents()).unwrap();
    assert_eq!(
        files[&format!("schemas/{META}.json")],
        r#"{
  "DeleteOptions": {
    "type": "object",
    "x-kubernetes-group-version-kind": [
      {"group": "a", "kind": "DeleteOptions", "version": "v1"},
      {"group": "b", "kind": "DeleteOptions", "version": "v1"}
    ]
  }
}
"#
    );
}

#[test]
fn another_difference_between_documents_is_an_error() {
    let mut documents = documents();
    documents.insert("apis/b/v1".to_owned(), document("b", &json!({"type": "string"})));
    assert_eq!(
        intake(&documents).unwrap_err().to_string(),
        "apis/b/v1: $.components.schemas[\"io.k8s.api.core.v1.Pod\"]: `io.k8s.api.core.v1.Pod` differs from the \
         schema of the same name in a document before this one"
    );
}

#[test]
fn what_is_not_json_is_an_error() {
    let error = intake(&BTreeMap::from([("version".to_owned(), "{".to_owned())])).unwrap_err().to_string();
    assert!(error.starts_with("version: not JSON: EOF"), "{error}");
}

#[test]
fn the_same_documents_make_the_same_files_and_those_can_be_loaded() {
    let mut files = intake(&documents()).unwrap();
    assert_eq!(intake(&documents()).unwrap(), files);
    files.insert("SOURCE".to_owned(), "version: 1.37.0\nopenapi: a test\n".to_owned());
    files.insert("protobuf.txt".to_owned(), String::new());
    let spec = load(&files).unwrap();
    let operation = spec.operations().next().unwrap();
    assert_eq!(operation.parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["name", "pretty", "a"]);
    let answer = &operation.answers[&200];
    assert_eq!(answer.schema_name(), Some("io.k8s.api.core.v1.Pod"));
    assert_eq!(answer.contents[0].media_types, ["application/json", "application/yaml", "text/plain"]);
}

#[test]
fn upstream_file_names_name_documents() {
    assert_eq!(document_name("apis__apps__v1_openapi.json").as_deref(), Some("apis/apps/v1"));
    assert_eq!(document_name("README.md"), None);
    let stored = stored_name(".well-known/openid-configuration");
    assert_eq!(stored.as_deref(), Ok("well-known.openid-configuration"));
}

/// Takes one document in and loads what is stored of it.
fn loaded(document: &Value) -> Result<crate::spec::Spec, Error> {
    let mut files = intake(&BTreeMap::from([("apis/x/v1".to_owned(), document.to_string())]))?;
    files.insert("SOURCE".to_owned(), "version: 1.37.0\nopenapi: a test\n".to_owned());
    files.insert("protobuf.txt".to_owned(), String::new());
    load(&files)
}

/// What an operation's parameters are called and where they are sent.
fn parameters_of(document: &Value) -> Vec<String> {
    let spec = loaded(document).unwrap();
    let operation = spec.operations().next().unwrap();
    operation.parameters.iter().map(|p| format!("{} {}", p.location.as_str(), p.name)).collect()
}

#[test]
fn parameters_are_found_wherever_a_document_has_them() {
    const PATH: &str = "/apis/x/v1/namespaces/{namespace}/things/{name}";
    let with = |path_level: Value, own: Value, components: Value| {
        json!({
            "components": components,
            "paths": {PATH: {"parameters": path_level, "get": {"parameters": own, "responses": {}}}},
        })
    };
    let text = json!({"type": "string"});
    let in_path = |name: &str| json!({"name": name, "in": "path", "schema": text});
    let reference = |to: &str| json!({"$ref": to});
    let both = ["path name", "path namespace"];
    for (document, expected) in [
        // Of the path, of the operation, of both.
        (with(json!([in_path("name"), in_path("namespace")]), json!([]), json!({})), &both[..]),
        (with(Value::Null, json!([in_path("name"), in_path("namespace")]), json!({})), &both),
        (with(json!([in_path("name")]), json!([in_path("namespace")]), json!({})), &both),
        // Nowhere.
        (with(Value::Null, Value::Null, json!({})), &both),
        (with(json!([]), json!([in_path("namespace")]), json!({})), &both[..]),
        // In the document's components, also by ways around.
        (
            with(
                json!([reference("#/components/parameters/n"), reference("#/components/parameters/a~1b%20c")]),
                json!([reference("#/components/parameters/again")]),
                json!({"parameters": {
                    "n": in_path("name"),
                    "a/b c": in_path("namespace"),
                    "again": {"$ref": "#/components/parameters/limit"},
                    "limit": {"name": "limit", "in": "query", "type": "integer"},
                }}),
            ),
            &["path name", "path namespace", "query limit"],
        ),
        // Made from Swagger 2 without what the references lead to.
        (
            with(
                json!([reference("#/components/parameters/namespace-vgWSWtn3"), in_path("name")]),
                json!([
                    reference("#/components/parameters/watch-XNNPZGbK"),
                    reference("#/components/parameters/body-2Y1dVQaQ"),
                    reference("#/parameters/é")
                ]),
                json!({}),
            ),
            &["path name", "path namespace", "query watch", "query é"],
        ),
        // A parameter of a path that has no such part, one without a schema, one in a cookie, one twice, a form of
        // Swagger 2.
        (
            with(
                json!([in_path("gone"), in_path("name"), in_path("name"), {"name": "namespace", "in": "path"}]),
                json!([
                    {"name": "c", "in": "cookie", "schema": null},
                    {"name": "f", "in": "formData", "type": "string"},
                    {"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                ]),
                json!({}),
            ),
            &["cookie c", "path name", "path namespace", "query q"],
        ),
    ] {
        let mut found = parameters_of(&document);
        found.sort();
        assert_eq!(found, expected, "{document}");
    }
}

#[test]
fn placeholders_may_be_parts_of_segments_and_say_how_far_they_go() {
    for (path, expected) in [
        ("/apis/x/v1/things/{name}/proxy/{path:*}", &["path name", "path path"][..]),
        ("/files/{file}.{ending}", &["path ending", "path file"]),
        ("/odd/{", &[]),
        ("/odd/}{a}", &["path a"]),
        ("no/slash", &[]),
        ("", &[]),
    ] {
        let document = json!({"paths": {path: {"get": {}}}});
        assert_eq!(parameters_of(&document), expected, "{path}");
    }
}

#[test]
fn documents_of_aggregated_servers_are_read_to_their_end() {
    let schema = json!({"$ref": "#/components/schemas/v1.Thing"});
    let content = json!({"application/json": {"schema": schema}});
    let document = json!({
        "openapi": "3.0.0",
        "servers": [{"url": "/"}],
        "components": {
            "schemas": {
                "v1.Thing": {
                    "type": "object",
                    "nullable": null,
                    "properties": {
                        "any": {"type": ""}, "maybe": {"type": ["string", "null"]}, "either": {"type": ["string", "integer"]},
                        "pair": {"type": "array", "items": [{"type": "string"}, {"type": "string"}]},
                        "bool": {"not": true, "default": null},
                    },
                },
                "Error": {"type": "object", "properties": {"thing": schema}},
            },
            "responses": {"Thing": {"description": "OK", "content": content}},
            "requestBodies": {"Thing": {"content": content, "required": true}},
            "pathItems": {"Shared": {"get": {"responses": {"default": {"description": "any"}, "4XX": {}, "2XX": {}}}}},
        },
        "paths": {
            "x-extension": 1,
            "/apis/x/v1/things/{name}": {
                "summary": "Things.", "servers": [], "x-odd": {},
                "put": {
                    "operationId": "replaceThing",
                    "requestBody": {"$ref": "#/components/requestBodies/Thing"},
                    "responses": {"200": {"$ref": "#/components/responses/Thing"}, "2XX": {}, "x-odd": 1},
                    "callbacks": {"c": {}},
                },
                "post": {
                    "parameters": [{"name": "body", "in": "body", "schema": schema}],
                    "responses": {"201": {"content": content}},
                },
                "trace": {"responses": {}},
            },
            "/apis/x/v1/shared": {"$ref": "#/components/pathItems/Shared"},
            "/healthz": {"get": {}},
            "/": {},
        },
    });
    let spec = loaded(&document).unwrap();
    let operations: Vec<_> = spec.operations().map(|operation| operation.id.as_str()).collect();
    assert_eq!(
        operations,
        [
            "GET /apis/x/v1/shared",
            "POST /apis/x/v1/things/{name}",
            "replaceThing",
            "TRACE /apis/x/v1/things/{name}",
            "GET /healthz"
        ]
    );
    let named = |id: &str| spec.operations().find(|operation| operation.id == id).unwrap();
    let put = named("replaceThing");
    assert_eq!(put.answers[&200].schema_name(), Some("v1.Thing"));
    assert_eq!(put.body.as_ref().and_then(|body| body.schema_name()), Some("v1.Thing"));
    let post = named("POST /apis/x/v1/things/{name}");
    assert_eq!(post.body.as_ref().and_then(|body| body.schema_name()), Some("v1.Thing"));
    assert_eq!(named("GET /apis/x/v1/shared").answers.keys().collect::<Vec<_>>(), [&200]);
    assert_eq!(spec.schemas.keys().collect::<Vec<_>>(), ["Error", "v1.Thing"]);
    assert_eq!(spec.schemas["v1.Thing"].properties["maybe"].kind, Some(crate::spec::Type::String));
}

#[test]
fn references_that_lead_nowhere_are_errors_with_their_place() {
    let get = |operation: Value| loaded(&json!({"paths": {"/a": {"get": operation}}})).unwrap_err().to_string();
    let place = "apis/x/v1: $.paths[\"/a\"].get";
    assert_eq!(
        get(json!({"responses": {"200": {"$ref": "#/components/responses/Gone"}}})),
        format!("{place}.responses.200: refers to something that the document does not have")
    );
    assert_eq!(
        get(json!({"parameters": [{"$ref": "other.json#/a"}]})),
        format!("{place}.parameters[0].$ref: `other.json#/a` refers to another document")
    );
    let circle = json!({"$ref": "#/paths/~1a/get/parameters/0"});
    assert!(get(json!({"parameters": [circle]})).contains("the references have no end"));
}

#[test]
fn names_that_would_leave_their_folder_are_refused() {
    for name in
        ["../../../../escaped/package.scripts", "a/b.C", "a..C", ".C", "C.", "", "a b.C", "_.C", "a\u{202e}.C", "é.C"]
    {
        let error = loaded(&json!({"components": {"schemas": {name: {}}}, "paths": {}})).unwrap_err().to_string();
        assert!(error.starts_with("apis/x/v1: $.components.schemas"), "{error}");
        assert!(!error.contains('\u{202e}'), "{error}");
    }
    for name in ["..", "apis/../../x", "a\\b", "a b", ""] {
        let document = json!({"paths": {}}).to_string();
        let error = intake(&BTreeMap::from([(name.to_owned(), document)])).unwrap_err().to_string();
        assert!(error.contains("the document's name has other characters"), "{name}: {error}");
    }
}

#[test]
fn types_that_stand_for_themselves_are_refused() {
    let reference = |to: &str| json!({"$ref": format!("#/components/schemas/{to}")});
    for schemas in [
        json!({"a.A": reference("a.A")}),
        json!({"a.A": reference("a.B"), "a.B": {"type": "array", "items": reference("a.A")}}),
        json!({"a.A": {"type": "array", "items": {"type": "object", "additionalProperties": reference("a.A")}}}),
    ] {
        let error = loaded(&json!({"components": {"schemas": schemas}, "paths": {}})).unwrap_err().to_string();
        assert!(error.contains("the references have no end"), "{error}");
    }
    let tree = json!({"a.A": {"type": "object", "additionalProperties": reference("a.A")}});
    assert!(loaded(&json!({"components": {"schemas": tree}, "paths": {}})).is_ok());
}
