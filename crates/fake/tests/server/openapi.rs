//! Documents of `OpenAPI`.

use k8s_client_fake::FakeServer;
use serde_json::{Value, json};

use super::{ask, object, server};

/// The texts of all references in a document.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn each_version_has_a_document_with_all_that_it_names_and_serves() {
    for minor in 33..=37 {
        let server = FakeServer::builder().kubernetes_minor(minor).start();
        let index = object(&server, "GET", "/openapi/v3", Value::Null).await;
        let paths = index["paths"].as_object().unwrap();
        assert!(paths.len() > 25, "{minor}: {}", paths.len());
        for (path, entry) in paths {
            let url = entry["serverRelativeURL"].as_str().unwrap();
            let document = object(&server, "GET", url, Value::Null).await;
            let mut named = Vec::new();
            references(&document, &mut named);
            for reference in named {
                let pointer = reference.trim_start_matches('#');
                assert!(document.pointer(pointer).is_some(), "{minor} {path}: {reference}");
            }
            let discovered = object(&server, "GET", &format!("/{path}"), Value::Null).await;
            for resource in discovered["resources"].as_array().unwrap() {
                let (name, subresource) = match resource["name"].as_str().unwrap().split_once('/') {
                    Some((name, subresource)) => (name, format!("/{{name}}/{subresource}")),
                    None => (resource["name"].as_str().unwrap(), String::new()),
                };
                let scope = if resource["namespaced"] == true { "namespaces/{namespace}/" } else { "" };
                let path = format!("/{path}/{scope}{name}{subresource}");
                assert!(document["paths"].get(&path).is_some(), "{minor}: {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_document_says_what_kubectl_asks_it() {
    let server = server();
    let document = object(&server, "GET", "/openapi/v3/apis/apps/v1?hash=0", Value::Null).await;
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    let kind = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    assert_eq!(patch["x-kubernetes-group-version-kind"], kind);
    let parameters: Vec<&Value> = patch["parameters"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(parameters, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    assert!(patch["requestBody"]["content"].get("application/strategic-merge-patch+json").is_some());
    let schemas = &document["components"]["schemas"];
    let deployment = &schemas["io.k8s.api.apps.v1.Deployment"];
    assert_eq!(deployment["x-kubernetes-group-version-kind"], json!([kind]));
    assert_eq!(deployment["required"], json!(["spec"]));
    let spec = json!([{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"}]);
    assert_eq!(deployment["properties"]["spec"]["allOf"], spec);
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    assert_eq!(containers["x-kubernetes-list-map-keys"], json!(["name"]));
    assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    let policy = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["restartPolicy"];
    assert_eq!(policy["enum"], json!(["Always", "Never", "OnFailure"]));
}

#[tokio::test]
async fn the_old_document_has_the_types_of_all_groups() {
    let server = server();
    let document = object(&server, "GET", "/openapi/v2", Value::Null).await;
    assert_eq!(document["swagger"], "2.0");
    let mut named = Vec::new();
    references(&document, &mut named);
    assert!(named.len() > 1_000, "{}", named.len());
    for reference in named {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let deployment = &document["definitions"]["io.k8s.api.apps.v1.Deployment"];
    assert_eq!(deployment["properties"]["spec"], json!({"$ref": "#/definitions/io.k8s.api.apps.v1.DeploymentSpec"}));
    assert_eq!(deployment["x-kubernetes-group-version-kind"][0]["kind"], "Deployment");
    assert_eq!(document["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"]["type"], "string");
    let refused = ask(&server, "GET", "/openapi/v1", Value::Null).await;
    assert_eq!(refused.0, 404);
}

#[tokio::test]
async fn a_custom_resource_has_the_schema_of_its_definition_and_a_new_hash() {
    let server = server();
    let definition = |field: &str| {
        json!({
            "metadata": {"name": "widgets.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {
                        "type": "object", "description": "A widget.", "properties": {field: {"type": "string"}},
                    }},
                }],
            },
        })
    };
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    object(&server, "POST", definitions, definition("color")).await;
    let url = async || {
        let index = object(&server, "GET", "/openapi/v3", Value::Null).await;
        index["paths"]["apis/example.com/v1"]["serverRelativeURL"].as_str().unwrap().to_owned()
    };
    let first = url().await;
    let document = object(&server, "GET", &first, Value::Null).await;
    let widget = &document["components"]["schemas"]["com.example.v1.Widget"];
    assert_eq!(widget["description"], "A widget.");
    assert!(widget["properties"].get("color").is_some() && widget["properties"].get("metadata").is_some());
    let patch = &document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"];
    assert!(patch["requestBody"]["content"].get("application/strategic-merge-patch+json").is_none());

    let change = json!({"spec": {"versions": definition("size")["spec"]["versions"]}});
    object(&server, "PATCH:merge", &format!("{definitions}/widgets.example.com"), change).await;
    assert_ne!(url().await, first);
}
