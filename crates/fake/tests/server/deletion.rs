//! Deletion: finalizers, time to end, preconditions, owners and namespaces.

use serde_json::{Value, json};

use super::{CONFIG_MAPS, ask, names, object, refusal, server};

#[tokio::test]
async fn an_object_with_finalizers_waits_for_them() {
    let server = server();
    let sent = json!({"metadata": {"name": "a", "finalizers": ["example.com/x"]}});
    object(&server, "POST", CONFIG_MAPS, sent).await;
    let a = format!("{CONFIG_MAPS}/a");
    let deleted = object(&server, "DELETE", &a, Value::Null).await;
    assert_eq!(deleted["metadata"]["deletionTimestamp"], "2026-01-01T00:00:00Z");
    let again = json!({"metadata": {"name": "a"}});
    let refused = refusal(&server, "POST", CONFIG_MAPS, again).await;
    assert_eq!(refused.2, "object is being deleted: configmaps \"a\" already exists");
    let more = json!({"metadata": {"name": "a", "finalizers": ["example.com/x", "example.com/y"]}});
    let refused = refusal(&server, "PUT", &a, more).await;
    assert_eq!(
        refused.2,
        "ConfigMap \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being \
         deleted, found new finalizers []string{\"example.com/y\"}"
    );
    object(&server, "PATCH:merge", &a, json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(ask(&server, "GET", &a, Value::Null).await.0, 404);
}

#[tokio::test]
async fn preconditions_name_the_object_that_is_meant() {
    let server = server();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    let a = format!("{CONFIG_MAPS}/a");
    let refused = refusal(&server, "DELETE", &a, json!({"preconditions": {"uid": "other"}})).await;
    assert_eq!((refused.0, refused.1.as_str()), (409, "Conflict"));
    let status = object(&server, "DELETE", &a, Value::Null).await;
    assert_eq!((&status["status"], &status["details"]["name"]), (&json!("Success"), &json!("a")));
}

/// A server that is told to delete what has no finalizers left then begins with a write that comes to nothing.
#[tokio::test]
async fn what_loses_its_last_finalizer_by_being_deleted_is_not_read_again() {
    let server = server();
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    let pods = "/api/v1/namespaces/default/pods";
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "c:1"}]}});
    for (collection, sent, folder) in
        [(roles, json!({"metadata": {"name": "a"}, "rules": []}), "roles"), (pods, pod, "pods")]
    {
        object(&server, "POST", collection, sent).await;
        let path = format!("{collection}/a");
        let waits = object(&server, "DELETE", &path, json!({"propagationPolicy": "Foreground"})).await;
        assert_eq!(waits["metadata"]["finalizers"], json!(["foregroundDeletion"]));

        let background = format!("{path}?dryRun=All&propagationPolicy=Background");
        let tried = object(&server, "DELETE", &background, Value::Null).await;
        assert_eq!(tried["metadata"], json!({}), "{tried}");

        let version = waits["metadata"]["resourceVersion"].as_str().unwrap();
        let options = json!({"propagationPolicy": "Background", "preconditions": {"resourceVersion": version}});
        let refused = refusal(&server, "DELETE", &path, options).await;
        assert_eq!((refused.0, refused.1.as_str()), (409, "Conflict"));
        let problem = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{folder}/default/a, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: ResourceVersion in precondition: , ResourceVersion in object meta: \
             {version}"
        );
        assert!(refused.2.ends_with(&problem), "{}", refused.2);

        object(&server, "DELETE", &path, json!({"propagationPolicy": "Background"})).await;
        assert_eq!(ask(&server, "GET", &path, Value::Null).await.0, 404);
    }
}

#[tokio::test]
async fn who_asks_in_old_words_for_dependents_to_be_deleted_is_told_when_it_is_only_accepted() {
    let server = server();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a", "finalizers": ["example.com/x"]}})).await;
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "b"}})).await;
    for (name, option, code) in [
        ("a", "", 200),
        ("a", "?orphanDependents=true", 200),
        ("a", "?orphanDependents=false", 202),
        ("b", "?orphanDependents=false", 200),
    ] {
        let path = format!("{CONFIG_MAPS}/{name}{option}");
        assert_eq!(ask(&server, "DELETE", &path, Value::Null).await.0, code, "{path}");
    }
}

#[tokio::test]
async fn a_pod_on_a_node_has_time_to_end() {
    let server = server();
    let pods = "/api/v1/namespaces/default/pods";
    let sent = json!({
        "metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "c:1"}]},
    });
    object(&server, "POST", pods, sent).await;
    let pod = format!("{pods}/p");
    let deleted = object(&server, "DELETE", &pod, json!({"gracePeriodSeconds": 20})).await;
    assert_eq!(deleted["metadata"]["deletionGracePeriodSeconds"], 20);
    assert_eq!(deleted["metadata"]["deletionTimestamp"], "2026-01-01T00:00:20Z");
    assert_eq!(deleted["metadata"]["generation"], 2);
    assert_eq!(ask(&server, "GET", &pod, Value::Null).await.0, 200);
    server.end_terminating_pods();
    assert_eq!(ask(&server, "GET", &pod, Value::Null).await.0, 404);
}

#[tokio::test]
async fn dependents_go_stay_or_go_first_when_garbage_is_collected() {
    for (propagation, left) in [("Background", &[][..]), ("Foreground", &[]), ("Orphan", &["child"])] {
        let server = server();
        let owner = object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "owner"}})).await;
        let reference = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": true,
        });
        let child = json!({"metadata": {"name": "child", "ownerReferences": [reference]}});
        object(&server, "POST", CONFIG_MAPS, child).await;
        let options = json!({"propagationPolicy": propagation});
        object(&server, "DELETE", &format!("{CONFIG_MAPS}/owner"), options).await;
        assert!(names(&object(&server, "GET", CONFIG_MAPS, Value::Null).await).contains(&"child"), "{propagation}");
        server.collect_garbage();
        let list = object(&server, "GET", CONFIG_MAPS, Value::Null).await;
        assert_eq!(names(&list), left, "{propagation}");
        assert_eq!(list["items"][0]["metadata"].get("ownerReferences"), None);
    }
}

#[tokio::test]
async fn a_namespace_that_ends_takes_nothing_new_and_is_emptied() {
    let server = server();
    object(&server, "POST", "/api/v1/namespaces", json!({"metadata": {"name": "n"}})).await;
    let inside = "/api/v1/namespaces/n/configmaps";
    object(&server, "POST", inside, json!({"metadata": {"name": "a"}})).await;
    let ending = object(&server, "DELETE", "/api/v1/namespaces/n", Value::Null).await;
    assert_eq!(ending["status"]["phase"], "Terminating");
    let refused = refusal(&server, "POST", inside, json!({"metadata": {"name": "b"}})).await;
    assert_eq!(
        refused.2,
        "configmaps \"b\" is forbidden: unable to create new content in namespace n because it is being terminated"
    );
    server.collect_garbage();
    assert_eq!(ask(&server, "GET", "/api/v1/namespaces/n", Value::Null).await.0, 404);
    assert_eq!(names(&object(&server, "GET", "/api/v1/configmaps", Value::Null).await), Vec::<&str>::new());
}
