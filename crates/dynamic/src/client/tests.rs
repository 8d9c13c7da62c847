use super::*;
use k8s_client_runtime::{Config, ErrorKind, rest::Request, schema::ResourceScope};
use serde_json::json;

/// A client of a server that is not there: what these requests show is what is sent, or that nothing is.
fn client() -> DynamicClient {
    let config = Config::new("http://127.0.0.1:1").expect("a valid URL");
    DynamicClient::new(&RestClient::new(&config).expect("a valid configuration"))
}

fn deployments() -> DynamicResource {
    client().resource(GroupVersionResource::new("apps", "v1", "deployments"))
}

fn mapped(resource: &str, kind: &str, scope: ResourceScope) -> DynamicResource {
    client().mapped(&mapping(resource, kind, scope))
}

fn mapping(resource: &str, kind: &str, scope: ResourceScope) -> RestMapping {
    let version = k8s_client_runtime::schema::GroupVersion::new("", "v1");
    RestMapping { resource: version.with_resource(resource), kind: version.with_kind(kind), scope }
}

fn web() -> Unstructured {
    let mut web = Unstructured::new("apps/v1", "Deployment");
    web.set_name("web");
    web
}

fn line(request: &Request) -> String {
    format!("{} {}", request.method(), request.path_and_query())
}

async fn refused(request: Request) -> String {
    let error = request.send().await.expect_err("it must not be sent");
    assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    error.to_string()
}

#[test]
fn urls_are_client_gos() {
    let (all, ns) = (deployments(), deployments().namespace("ns"));
    let nodes = client().resource(GroupVersionResource::new("", "v1", "nodes"));
    let patch = Patch::Merge(json!({}));
    let (all_of, one_of) = ("/apis/apps/v1/deployments", "/apis/apps/v1/namespaces/ns/deployments");
    for (request, expected) in [
        (all.list().into_request(), format!("GET {all_of}")),
        (all.watch().into_request(), format!("GET {all_of}?watch=true")),
        (all.delete_collection().into_request(), format!("DELETE {all_of}")),
        (nodes.get("one").into_request(), "GET /api/v1/nodes/one".to_owned()),
        (ns.get("web").into_request(), format!("GET {one_of}/web")),
        (ns.list().limit(5).into_request(), format!("GET {one_of}?limit=5")),
        (ns.create(&web()).dry_run().into_request(), format!("POST {one_of}?dryRun=All")),
        (ns.update(&web()).into_request(), format!("PUT {one_of}/web")),
        (ns.update_status(&web()).into_request(), format!("PUT {one_of}/web/status")),
        (ns.delete("web").into_request(), format!("DELETE {one_of}/web")),
        (ns.patch("web", &patch).into_request(), format!("PATCH {one_of}/web")),
        (
            ns.apply("web", &web()).field_manager("me").force().into_request(),
            format!("PATCH {one_of}/web?fieldManager=me&force=true"),
        ),
        (
            ns.apply_status("web", &web()).field_manager("me").into_request(),
            format!("PATCH {one_of}/web/status?fieldManager=me&force=false"),
        ),
        (ns.get_subresource("web", "scale").into_request(), format!("GET {one_of}/web/scale")),
        (ns.create_subresource("web", "x", &web()).into_request(), format!("POST {one_of}/web/x")),
        (ns.update_subresource("web", "x", &web()).into_request(), format!("PUT {one_of}/web/x")),
        (ns.delete_subresource("web", "x").into_request(), format!("DELETE {one_of}/web/x")),
        (ns.patch_subresource("web", "x", &patch).into_request(), format!("PATCH {one_of}/web/x")),
        (
            ns.apply_subresource("web", "x", &web()).field_manager("me").into_request(),
            format!("PATCH {one_of}/web/x?fieldManager=me&force=false"),
        ),
    ] {
        assert_eq!(line(&request), expected);
    }
}

#[test]
fn the_namespace_counts_where_there_are_namespaces() {
    for (mapping, expected) in [
        (mapping("pods", "Pod", ResourceScope::Namespaced), "GET /api/v1/namespaces/ns/pods"),
        (mapping("nodes", "Node", ResourceScope::Cluster), "GET /api/v1/nodes"),
    ] {
        assert_eq!(line(&client().mapped_in(&mapping, "ns").list().into_request()), expected);
    }
}

#[tokio::test]
async fn wrong_names_are_refused_before_anything_is_sent() {
    let ns = deployments().namespace("ns");
    let version = |group: &str, version: &str| client().resource(GroupVersionResource::new(group, version, "pods"));
    for (request, text) in [
        (ns.get("").into_request(), "resource name may not be empty"),
        (ns.get("a/b").into_request(), "may not contain '/'"),
        (ns.delete("..").into_request(), "may not be '.' or '..'"),
        (ns.get_subresource("web", "a/b").into_request(), "invalid subresource"),
        (deployments().namespace("").list().into_request(), "the namespace is empty"),
        (deployments().namespace("a%b").list().into_request(), "invalid namespace"),
        (client().resource(GroupVersionResource::new("", "v1", "")).list().into_request(), "resource may not be empty"),
        (version("apps", "").list().into_request(), "API version may not be empty"),
        (version("..", "v1").list().into_request(), "invalid API group \"..\""),
    ] {
        let error = refused(request).await;
        assert!(error.contains(text), "{error}");
    }
}

#[tokio::test]
async fn namespace_must_fit_the_scope_where_it_is_known() {
    let nodes = mapped("nodes", "Node", ResourceScope::Cluster);
    let pods = mapped("pods", "Pod", ResourceScope::Namespaced);
    let mut pod = Unstructured::new("v1", "Pod");
    pod.set_name("web");
    assert_eq!(line(&nodes.get("one").into_request()), "GET /api/v1/nodes/one");
    assert_eq!(line(&pods.list().into_request()), "GET /api/v1/pods");
    assert_eq!(line(&pods.namespace("ns").get("web").into_request()), "GET /api/v1/namespaces/ns/pods/web");

    for request in [nodes.namespace("ns").list().into_request(), nodes.namespace("ns").get("one").into_request()] {
        let error = refused(request).await;
        assert!(error.contains("in no namespace: leave out \"ns\""), "{error}");
    }
    for request in [
        pods.get("web").into_request(),
        pods.create(&pod).into_request(),
        pods.update(&pod).into_request(),
        pods.delete("web").into_request(),
        pods.delete_collection().into_request(),
        pods.apply("web", &pod).field_manager("me").into_request(),
    ] {
        let error = refused(request).await;
        assert!(error.contains("/api/v1/pods") && error.contains("in namespaces: choose one"), "{error}");
    }
}

#[tokio::test]
async fn objects_without_their_kind_or_name_are_not_sent() {
    let ns = deployments().namespace("ns");
    let no_name = Unstructured::new("apps/v1", "Deployment");
    let mut no_version = web();
    no_version.object_mut().remove("apiVersion");
    let mut no_kind = web();
    no_kind.set_kind("");
    for (request, text) in [
        (ns.create(&no_version).into_request(), ".apiVersion: is not set"),
        (ns.create(&no_kind).into_request(), ".kind: is not set"),
        (ns.update(&no_kind).into_request(), ".kind: is not set"),
        (ns.update_subresource("web", "x", &no_kind).into_request(), ".kind: is not set"),
        (ns.apply("web", &no_kind).field_manager("me").into_request(), ".kind: is not set"),
        (ns.update(&no_name).into_request(), "metadata.name of the object of deployments.apps is not set"),
        (ns.update_status(&no_name).into_request(), "metadata.name of the object of deployments.apps is not set"),
    ] {
        let error = refused(request).await;
        assert!(error.ends_with(text), "{error}");
    }
}

#[tokio::test]
async fn apply_takes_only_what_is_meant_to_be_owned() {
    let ns = deployments().namespace("ns");
    let mut read = web();
    read.object_mut()["metadata"]["managedFields"] = json!([{ "manager": "me" }]);
    for request in [
        ns.apply("web", &read).field_manager("me").into_request(),
        ns.apply_status("web", &read).field_manager("me").into_request(),
        ns.apply_subresource("web", "x", &read).field_manager("me").into_request(),
    ] {
        assert!(refused(request).await.contains(".metadata.managedFields: is set"));
    }
    let error = refused(ns.apply("other", &web()).field_manager("me").into_request()).await;
    assert!(error.contains(".metadata.name: is \"web\", but applied to \"other\""), "{error}");
    let error = refused(ns.apply("web", &json!([])).field_manager("me").into_request()).await;
    assert!(error.contains("is a list, expected an object"), "{error}");
    assert!(refused(ns.apply("web", &web()).into_request()).await.contains("set field_manager"));

    // A name is filled in, and no entries are no managed fields.
    let mut nameless = Unstructured::new("apps/v1", "Deployment");
    nameless.object_mut().insert("metadata".to_owned(), json!({ "managedFields": [] }));
    let request = ns.apply("web", &nameless).field_manager("me").into_request();
    let body: serde_json::Value = serde_json::from_slice(request.body_bytes()).unwrap();
    assert_eq!(body["metadata"]["name"], "web");
}

#[test]
fn only_what_has_a_kind_is_an_object() {
    assert!(AnyKind::decode_json(br#"{"kind":"Later","new":1}"#).is_ok());
    for body in [&b"{}"[..], b"[]", br#"{"kind":""}"#, b"7", b""] {
        assert!(AnyKind::decode_json(body).is_err());
        assert!(AnyKind::decode_list_json(body).is_err());
    }
}

#[test]
fn body_is_the_object_as_it_is() {
    let mut web = web();
    web.object_mut().insert("new".to_owned(), json!({ "large": u64::MAX, "float": 0.1, "none": null }));
    let request = deployments().namespace("ns").create(&web).into_request();
    assert_eq!(AnyKind::decode_json(request.body_bytes()).unwrap(), web);
    assert_eq!(request.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn list_of_objects_is_not_sent_as_one() {
    let ns = deployments().namespace("ns");
    for kind in ["List", "DeploymentList"] {
        let list = json!({ "apiVersion": "v1", "kind": kind, "items": [web().into_object()] });
        let list = Unstructured::try_from(list).unwrap();
        let mut named = list.clone();
        named.set_name("web");
        for request in [
            ns.create(&list).into_request(),
            ns.update(&named).into_request(),
            ns.apply("web", &list).field_manager("me").into_request(),
            Applies::apply(&ns, &list).field_manager("me").into_request(),
        ] {
            let error = refused(request).await;
            assert!(error.contains(&format!(".kind: is {kind}, a list: send its items one by one")), "{error}");
        }
    }
    // An object may have a field of that name.
    let items = json!({ "apiVersion": "example.com/v1", "kind": "Menu", "metadata": { "name": "web" }, "items": [1] });
    let request = ns.create(&Unstructured::try_from(items).unwrap()).into_request();
    assert!(AnyKind::decode_json(request.body_bytes()).is_ok());
}

#[test]
fn floats_without_a_fraction_are_sent_as_integers() {
    let read = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
        "spec":{"replicas":2.0,"ports":[8e1],"weight":0.5,"count":2e0}}"#;
    let web: Unstructured = serde_json::from_str(read).unwrap();
    let spec = r#""spec":{"count":2,"ports":[80],"replicas":2,"weight":0.5}"#;
    let ns = deployments().namespace("ns");
    let value: serde_json::Value = serde_json::from_str(read).unwrap();
    for request in [
        ns.create(&web).into_request(),
        ns.update(&web).into_request(),
        ns.update_status(&web).into_request(),
        ns.create_subresource("web", "x", &web).into_request(),
        ns.apply("web", &web).field_manager("me").into_request(),
        ns.apply("web", &value).field_manager("me").into_request(),
        ns.apply_status("web", &value).field_manager("me").into_request(),
        Applies::apply(&ns, &web).field_manager("me").into_request(),
    ] {
        let body = str::from_utf8(request.body_bytes()).unwrap();
        assert!(body.contains(spec), "{} {body}", request.method());
    }
    // In the object they stay the floats that were read.
    assert!(web.object()["spec"]["replicas"].is_f64());
}

#[test]
fn items_are_the_same_one_by_one_as_in_their_list() {
    let mut head = ListHead::default();
    head.api_version = Some("apps/v1".to_owned());
    head.kind = Some("DeploymentList".to_owned());
    let items =
        [json!({}), json!({ "kind": "Half" }), json!({ "apiVersion": "v1", "kind": "Pod" }), json!({ "a": [1] })];
    let list = json!({ "apiVersion": "apps/v1", "kind": "DeploymentList", "items": items }).to_string();
    let whole = AnyKind::decode_list_json(list.as_bytes()).unwrap().items;
    for (item, expected) in items.iter().zip(whole) {
        let item = item.to_string();
        assert_eq!(AnyKind::decode_item_json(item.as_bytes(), &head).unwrap(), expected);
    }
}

#[test]
fn item_that_its_list_names_too_late_is_an_error_and_not_nameless() {
    let named = json!({ "apiVersion": "v1", "kind": "Pod" });
    let read = |item: &serde_json::Value| AnyKind::decode_item_json(item.to_string().as_bytes(), &ListHead::default());
    assert_eq!(read(&named).unwrap().kind(), Some("Pod"));
    assert!(read(&json!({})).unwrap_err().to_string().contains("it has no kind, and its list has none"));
}
