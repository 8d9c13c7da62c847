//! Creating, reading and replacing objects.

use serde_json::{Value, json};

use super::{CONFIG_MAPS, ask, object, refusal, server};

#[tokio::test]
async fn a_new_object_has_what_the_server_sets_and_not_what_it_does_not_take() {
    let server = server();
    let sent = json!({
        "metadata": {"name": "a", "uid": "mine", "generation": 7, "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "data": {"k": "v"},
    });
    let (code, created) = ask(&server, "POST", CONFIG_MAPS, sent).await;
    assert_eq!(code, 201);
    assert_eq!((&created["kind"], &created["apiVersion"]), (&json!("ConfigMap"), &json!("v1")));
    let metadata = &created["metadata"];
    assert_eq!(metadata["namespace"], "default");
    assert_eq!(metadata["creationTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(metadata["resourceVersion"], server.revision().to_string());
    assert_eq!(metadata["uid"].as_str().map(str::len), Some(36));
    for field in ["generation", "deletionTimestamp", "selfLink"] {
        assert_eq!(metadata.get(field), None, "{field}");
    }
    let owned = &metadata["managedFields"][0];
    assert_eq!((&owned["manager"], &owned["operation"]), (&json!("test"), &json!("Update")));
    assert_eq!(owned["fieldsV1"], json!({"f:data": {".": {}, "f:k": {}}}));
    assert_eq!(object(&server, "GET", &format!("{CONFIG_MAPS}/a"), Value::Null).await, created);
}

#[tokio::test]
async fn a_seed_makes_the_same_server_again() {
    let make = || async {
        let server = server();
        object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"generateName": "a-"}})).await
    };
    assert_eq!(make().await, make().await);
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn refusals_have_the_codes_reasons_and_texts_of_a_real_server() {
    let server = server();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    let a = format!("{CONFIG_MAPS}/a");
    let cases = [
        ("GET", "/apis/apps/v1/foos", Value::Null, 404, "NotFound", "the server could not find the requested resource"),
        (
            "GET",
            "/apis/apps/v1/namespaces/x/deployments/y",
            Value::Null,
            404,
            "NotFound",
            "deployments.apps \"y\" not found",
        ),
        (
            "POST",
            "/api/v1/pods",
            json!({}),
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (
            "POST",
            CONFIG_MAPS,
            json!({"metadata": {"name": "a"}}),
            409,
            "AlreadyExists",
            "configmaps \"a\" already exists",
        ),
        (
            "POST",
            CONFIG_MAPS,
            json!({"metadata": {}}),
            422,
            "Invalid",
            "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required",
        ),
        (
            "POST",
            CONFIG_MAPS,
            json!({"metadata": {"name": 5}}),
            400,
            "BadRequest",
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct \
             field ObjectMeta.metadata.name of type string",
        ),
        (
            "POST",
            CONFIG_MAPS,
            json!({"metadata": {"name": "b", "namespace": "other"}}),
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            "POST",
            CONFIG_MAPS,
            json!({"metadata": {"name": "b", "resourceVersion": "5"}}),
            500,
            "",
            "resourceVersion should not be set on objects to be created",
        ),
        (
            "POST",
            "/api/v1/namespaces/none/configmaps",
            json!({"metadata": {"name": "b"}}),
            404,
            "NotFound",
            "namespaces \"none\" not found",
        ),
        (
            "PUT",
            &a,
            json!({"metadata": {"name": "b"}}),
            400,
            "BadRequest",
            "the name of the object (b) does not match the name on the URL (a)",
        ),
        (
            "PUT",
            &a,
            json!({"metadata": {"name": "a", "resourceVersion": "1"}}),
            409,
            "Conflict",
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to \
             the latest version and try again",
        ),
        (
            "PUT",
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/l",
            json!({"metadata": {"name": "l", "uid": "u"}}),
            409,
            "Conflict",
            "Operation cannot be fulfilled on leases.coordination.k8s.io \"l\": StorageError: invalid object, Code: 4, Key: \
             /registry/leases/default/l, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: \
             u, UID in object meta: ",
        ),
        (
            "GET",
            "/api/v1/namespaces/default/pods/x/log",
            Value::Null,
            501,
            "NotImplemented",
            "the fake API server does not do this: get pods/log",
        ),
    ];
    for (method, path, body, code, reason, message) in cases {
        let expected = (code, reason.to_owned(), message.to_owned());
        assert_eq!(refusal(&server, method, path, body).await, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_not_written() {
    let server = server();
    let sent = json!({"metadata": {"name": "a"}, "data": {"k": "v"}});
    let created = object(&server, "POST", CONFIG_MAPS, sent.clone()).await;
    let updated = object(&server, "PUT", &format!("{CONFIG_MAPS}/a"), sent).await;
    assert_eq!(updated, created);
    let changed = json!({"metadata": {"name": "a"}, "data": {"k": "w"}});
    let changed = object(&server, "PUT", &format!("{CONFIG_MAPS}/a"), changed).await;
    assert_ne!(changed["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_writes_nothing() {
    let server = server();
    let before = server.revision();
    let path = format!("{CONFIG_MAPS}?dryRun=All");
    let tried = object(&server, "POST", &path, json!({"metadata": {"name": "a"}})).await;
    assert_eq!(tried["metadata"].get("resourceVersion"), None);
    assert_eq!(ask(&server, "GET", &format!("{CONFIG_MAPS}/a"), Value::Null).await.0, 404);
    assert_eq!(server.revision(), before);
}

#[tokio::test]
async fn defaults_quantities_and_generation_are_as_a_real_server_has_them() {
    let server = server();
    let path = "/apis/apps/v1/namespaces/default/deployments";
    let sent = json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "hostNetwork": false,
                    "containers": [{
                        "name": "main", "image": "nginx:1", "ports": [{"containerPort": 80}],
                        "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}},
                    }],
                },
            },
        },
        "status": {"replicas": 5},
    });
    let created = object(&server, "POST", path, sent).await;
    assert_eq!((&created["metadata"]["generation"], &created["status"]), (&json!(1), &json!({})));
    assert_eq!(created["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
    let pod = &created["spec"]["template"]["spec"];
    assert_eq!(pod.get("hostNetwork"), None);
    let container = &pod["containers"][0];
    assert_eq!(container["resources"]["requests"], json!({"cpu": "500m", "memory": "1Gi"}));
    assert_eq!(container["ports"][0]["protocol"], "TCP");
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");

    let scale = json!({"spec": {"replicas": 3}});
    let scaled = object(&server, "PATCH:merge", &format!("{path}/web/scale"), scale).await;
    assert_eq!((&scaled["spec"]["replicas"], &scaled["status"]["selector"]), (&json!(3), &json!("app=web")));
    let status = json!({"status": {"replicas": 3}, "spec": {"replicas": 9}});
    let status = object(&server, "PATCH:merge", &format!("{path}/web/status"), status).await;
    assert_eq!((&status["spec"]["replicas"], &status["metadata"]["generation"]), (&json!(3), &json!(2)));
}

#[tokio::test]
async fn unknown_fields_are_left_out_or_refused() {
    let server = server();
    let sent = json!({"metadata": {"name": "a"}, "dat": {"k": "v"}});
    let created = object(&server, "POST", CONFIG_MAPS, sent.clone()).await;
    assert_eq!(created.get("dat"), None);
    let (code, _, message) = refusal(&server, "POST", &format!("{CONFIG_MAPS}?fieldValidation=Strict"), sent).await;
    assert_eq!(code, 400);
    assert!(message.ends_with("strict decoding error: unknown field \"dat\""), "{message}");
}

#[tokio::test]
async fn each_version_serves_what_it_has() {
    let newest = k8s_client_fake::FakeServer::new();
    let older = k8s_client_fake::FakeServer::builder().kubernetes_minor(33).start();
    let workloads = "/apis/scheduling.k8s.io/v1alpha3/namespaces/default/workloads";
    assert_eq!(ask(&newest, "GET", workloads, Value::Null).await.0, 200);
    assert_eq!(ask(&older, "GET", workloads, Value::Null).await.0, 404);
    let version = object(&older, "GET", "/version", Value::Null).await;
    assert_eq!(version["minor"], "33");
    let resources = object(&newest, "GET", "/apis/apps/v1", Value::Null).await;
    let deployments = resources["resources"].as_array().unwrap().iter().find(|it| it["name"] == "deployments").unwrap();
    assert_eq!(deployments["shortNames"], json!(["deploy"]));
}

#[tokio::test]
async fn events_and_autoscalers_are_read_in_each_of_their_forms() {
    let server = server();
    let event = json!({
        "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "web"}, "message": "started", "reason": "r",
    });
    object(&server, "POST", "/api/v1/namespaces/default/events", event).await;
    let other = object(&server, "GET", "/apis/events.k8s.io/v1/namespaces/default/events/e", Value::Null).await;
    assert_eq!((&other["note"], &other["regarding"]["name"]), (&json!("started"), &json!("web")));
    assert_eq!((other.get("message"), other.get("involvedObject")), (None, None));
    assert_eq!(other["apiVersion"], "events.k8s.io/v1");

    let target = json!({"type": "Utilization", "averageUtilization": 70});
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
    let spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3,
        "metrics": [metric],
    });
    let path = |version: &str| format!("/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers");
    let sent = json!({"metadata": {"name": "h"}, "spec": spec});
    object(&server, "POST", &path("v2"), sent).await;
    let older = object(&server, "GET", &format!("{}/h", path("v1")), Value::Null).await;
    assert_eq!(older["spec"]["targetCPUUtilizationPercentage"], 70);
    assert_eq!(older["spec"].get("metrics"), None);
}

#[tokio::test]
async fn what_is_no_quantity_is_refused_as_the_form_of_the_request_has_it() {
    let server = server();
    let claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    let claim = |storage: Value| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}},
        }})
    };
    let problem = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    object(&server, "POST", claims, claim(json!("1Gi"))).await;
    let path = format!("{claims}/a");
    for wrong in [json!(""), json!("much"), json!(true), json!({})] {
        let refused = refusal(&server, "POST", claims, claim(wrong.clone())).await;
        let message =
            format!("PersistentVolumeClaim in version \"v1\" cannot be handled as a PersistentVolumeClaim: {problem}");
        assert_eq!(refused, (400, "BadRequest".to_owned(), message), "{wrong}");
        for form in ["merge", "strategic-merge"] {
            let refused = refusal(&server, &format!("PATCH:{form}"), &path, claim(wrong.clone())).await;
            assert_eq!((refused.0, refused.1.as_str()), (422, "Invalid"), "{wrong}: {refused:?}");
            assert!(refused.2.ends_with(&format!("\": {problem}")), "{}", refused.2);
        }
    }
}

#[tokio::test]
async fn a_pod_keeps_the_time_that_it_has_to_end() {
    let server = server();
    let pods = "/api/v1/namespaces/default/pods";
    let pod = json!({"metadata": {"name": "p"}, "spec": {
        "containers": [{"name": "c", "image": "c:1"}], "terminationGracePeriodSeconds": 0,
    }});
    object(&server, "POST", pods, pod).await;
    let path = format!("{pods}/p");
    for seconds in [1, 30] {
        let longer = json!({"spec": {"terminationGracePeriodSeconds": seconds}});
        let refused = refusal(&server, "PATCH:merge", &path, longer).await;
        assert_eq!(refused.0, 422, "{seconds}");
        assert!(refused.2.contains("pod updates may not change fields other than"), "{}", refused.2);
    }
}
