//! Patches and server-side apply.

use serde_json::{Value, json};

use super::{CONFIG_MAPS, ask, object, refusal, server};

#[tokio::test]
async fn each_type_of_patch_has_its_own_rules_for_lists_and_nulls() {
    let server = server();
    let pods = "/api/v1/namespaces/default/pods";
    let sent = json!({
        "metadata": {"name": "p", "labels": {"a": "1", "b": "2"}},
        "spec": {"containers": [{"name": "x", "image": "x:1"}, {"name": "y", "image": "y:1"}]},
    });
    object(&server, "POST", pods, sent).await;
    let pod = format!("{pods}/p");
    let strategic =
        json!({"spec": {"containers": [{"name": "y", "image": "y:2"}]}, "metadata": {"labels": {"a": null}}});
    let patched = object(&server, "PATCH:strategic-merge", &pod, strategic).await;
    let image = |pod: &Value, index: usize| pod["spec"]["containers"][index]["image"].clone();
    assert_eq!((image(&patched, 0), image(&patched, 1)), (json!("x:1"), json!("y:2")));
    assert_eq!(patched["metadata"]["labels"], json!({"b": "2"}));

    let operations = json!([{"op": "replace", "path": "/spec/containers/0/image", "value": "x:3"}]);
    let patched = object(&server, "PATCH:json", &pod, operations).await;
    assert_eq!(image(&patched, 0), "x:3");

    // A merge patch replaces the list, and no container may be taken away.
    let merge = json!({"spec": {"containers": [{"name": "x", "image": "x:3"}]}});
    assert_eq!(refusal(&server, "PATCH:merge", &pod, merge).await.0, 422);
    let test = json!([{"op": "test", "path": "/metadata/name", "value": "other"}]);
    let refused = refusal(&server, "PATCH:json", &pod, test).await;
    assert_eq!(refused.2, "the server rejected our request due to an error in our request");
}

#[tokio::test]
async fn fields_have_owners_who_are_asked_before_others_take_them() {
    let server = server();
    let of = |manager: &str| format!("{CONFIG_MAPS}/a?fieldManager={manager}");
    let wanted = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": value}});
    assert_eq!(ask(&server, "PATCH:apply", &of("one"), wanted("1")).await.0, 201);
    let again = object(&server, "PATCH:apply", &of("one"), wanted("1")).await;
    assert_eq!(again["metadata"]["resourceVersion"], server.revision().to_string());
    let shared = object(&server, "PATCH:apply", &of("two"), wanted("1")).await;
    assert_eq!(shared["metadata"]["managedFields"].as_array().map(Vec::len), Some(2));

    let conflict = refusal(&server, "PATCH:apply", &of("three"), wanted("2")).await;
    assert_eq!((conflict.0, conflict.1.as_str()), (409, "Conflict"));
    assert!(conflict.2.starts_with("Apply failed with 2 conflicts"), "{}", conflict.2);
    let forced = object(&server, "PATCH:apply", &format!("{}&force=true", of("three")), wanted("2")).await;
    assert_eq!(forced["metadata"]["managedFields"].as_array().map(Vec::len), Some(1));

    // What nobody wants any more goes.
    let nothing = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    let left = object(&server, "PATCH:apply", &of("three"), nothing).await;
    assert_eq!(left.get("data"), None);
}

#[tokio::test]
async fn racing_patches_both_hit_and_a_stale_one_does_not() {
    let server = server();
    let created = object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    let a = format!("{CONFIG_MAPS}/a");
    object(&server, "PATCH:merge", &a, json!({"data": {"x": "1"}})).await;
    let both = object(&server, "PATCH:merge", &a, json!({"data": {"y": "2"}})).await;
    assert_eq!(both["data"], json!({"x": "1", "y": "2"}));
    let stale = json!({"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}, "data": {"x": "3"}});
    assert_eq!(refusal(&server, "PATCH:merge", &a, stale).await.1, "Conflict");
}
