//! What controllers, a scheduler and kubelets would do: in steps, and after each write.

use k8s_client_fake::FakeServer;
use serde_json::{Value, json};

use super::{ask, names, object, server};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const STATEFUL_SETS: &str = "/apis/apps/v1/namespaces/default/statefulsets";
const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/default/daemonsets";
const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
const PODS: &str = "/api/v1/namespaces/default/pods";
const CLAIMS: &str = "/api/v1/namespaces/default/persistentvolumeclaims";

/// What has pods of this image.
fn workload(name: &str, replicas: u32, image: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name, image)},
    })
}

fn template(name: &str, image: &str) -> Value {
    json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": image}]}})
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
}

async fn get(server: &FakeServer, path: &str) -> Value {
    object(server, "GET", path, Value::Null).await
}

async fn items(server: &FakeServer, path: &str) -> Vec<Value> {
    get(server, path).await["items"].as_array().cloned().unwrap_or_default()
}

/// `type=status reason` of each condition.
fn conditions(object: &Value) -> Vec<String> {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let text = |condition: &Value, key: &str| condition[key].as_str().unwrap_or_default().to_owned();
    conditions.map(|it| format!("{}={} {}", text(it, "type"), text(it, "status"), text(it, "reason"))).collect()
}

/// How many pods a set wants, is said to have, and is said to have ready.
fn counts(set: &Value) -> [i64; 3] {
    ["/spec/replicas", "/status/replicas", "/status/readyReplicas"]
        .map(|pointer| set.pointer(pointer).and_then(Value::as_i64).unwrap_or_default())
}

fn running() -> FakeServer {
    FakeServer::builder().seed(1).runs_controllers().start()
}

#[tokio::test]
async fn a_deployment_gets_its_replica_set_and_pods_in_steps() {
    let server = server();
    object(&server, "POST", DEPLOYMENTS, workload("web", 2, "web:1")).await;
    let web = format!("{DEPLOYMENTS}/web");
    assert!(items(&server, PODS).await.is_empty(), "nobody makes anything of itself");

    server.run_controllers();
    let deployment = get(&server, &web).await;
    assert_eq!(deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    assert_eq!(
        conditions(&deployment),
        ["Available=False MinimumReplicasUnavailable", "Progressing=True ReplicaSetUpdated"]
    );
    assert_eq!(deployment["status"]["unavailableReplicas"], 2);
    let sets = items(&server, SETS).await;
    assert_eq!(counts(&sets[0]), [2, 2, 0]);
    assert_eq!(sets[0]["metadata"]["ownerReferences"][0]["uid"], deployment["metadata"]["uid"]);
    let pods = items(&server, PODS).await;
    assert_eq!(pods.len(), 2);
    for pod in &pods {
        assert_eq!(pod["status"]["phase"], "Pending");
        assert_eq!(pod["metadata"]["labels"], sets[0]["spec"]["selector"]["matchLabels"]);
        assert_eq!(pod["metadata"]["generateName"], format!("{}-", sets[0]["metadata"]["name"].as_str().unwrap()));
    }

    server.start_pods();
    let pod = &items(&server, PODS).await[0];
    assert_eq!((&pod["status"]["phase"], &pod["spec"]["nodeName"]), (&json!("Running"), &json!("fake-node")));
    assert!(conditions(pod).contains(&"Ready=True ".to_owned()));
    assert_eq!(pod["status"]["containerStatuses"][0]["ready"], true);
    server.run_controllers();
    let deployment = get(&server, &web).await;
    assert_eq!(
        conditions(&deployment),
        ["Available=True MinimumReplicasAvailable", "Progressing=True NewReplicaSetAvailable"]
    );
    assert_eq!((counts(&deployment), &deployment["status"]["observedGeneration"]), ([2, 2, 2], &json!(1)));
    let managers = deployment["metadata"]["managedFields"].as_array().unwrap();
    let of_status = |entry: &&Value| entry["manager"] == "kube-controller-manager" && entry["subresource"] == "status";
    assert_eq!(managers.iter().filter(of_status).count(), 1, "{managers:?}");

    let version = server.revision();
    server.run_controllers();
    server.start_pods();
    assert_eq!(server.revision(), version, "there was nothing left to do");
}

#[tokio::test]
async fn a_rollout_keeps_its_limits_in_each_step() {
    let server = server();
    let mut deployment = workload("web", 4, "web:1");
    deployment["spec"]["strategy"] = json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}});
    object(&server, "POST", DEPLOYMENTS, deployment).await;
    let settle = || {
        server.run_controllers();
        server.start_pods();
        server.run_controllers();
    };
    settle();
    object(&server, "PATCH:strategic-merge", &format!("{DEPLOYMENTS}/web"), image("web:2")).await;
    let mut steps = 0;
    loop {
        server.run_controllers();
        let sets = items(&server, SETS).await;
        let sum = |index: usize| sets.iter().map(|set| counts(set)[index]).sum::<i64>();
        assert!(sum(0) <= 5 && sum(2) >= 3, "step {steps}: {sets:?}");
        let status = get(&server, &format!("{DEPLOYMENTS}/web")).await["status"].clone();
        if status["updatedReplicas"] == 4 && status["availableReplicas"] == 4 && status["replicas"] == 4 {
            break;
        }
        steps += 1;
        assert!(steps < 10, "{status}");
        server.start_pods();
        server.run_controllers();
        server.end_terminating_pods();
    }
    assert!(steps > 1, "it was not all done at once");
    let images: Vec<Value> =
        items(&server, PODS).await.iter().map(|pod| pod["spec"]["containers"][0]["image"].clone()).collect();
    assert_eq!(images, ["web:2", "web:2", "web:2", "web:2"]);
}

#[tokio::test]
async fn a_rollout_back_takes_the_old_replica_set_and_the_history_has_an_end() {
    let server = running();
    let mut deployment = workload("web", 1, "web:1");
    deployment["spec"]["revisionHistoryLimit"] = 1.into();
    object(&server, "POST", DEPLOYMENTS, deployment).await;
    let web = format!("{DEPLOYMENTS}/web");
    let revisions = async || {
        let mut revisions: Vec<(String, [i64; 3])> = items(&server, SETS)
            .await
            .iter()
            .map(|set| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                (text(&set["metadata"]["annotations"]["deployment.kubernetes.io/revision"]), counts(set))
            })
            .collect();
        revisions.sort();
        revisions
    };
    object(&server, "PATCH:strategic-merge", &web, image("web:2")).await;
    assert_eq!(revisions().await, [("1".to_owned(), [0, 0, 0]), ("2".to_owned(), [1, 1, 1])]);
    object(&server, "PATCH:strategic-merge", &web, image("web:1")).await;
    assert_eq!(revisions().await, [("2".to_owned(), [0, 0, 0]), ("3".to_owned(), [1, 1, 1])]);
    object(&server, "PATCH:strategic-merge", &web, image("web:3")).await;
    assert_eq!(revisions().await, [("3".to_owned(), [0, 0, 0]), ("4".to_owned(), [1, 1, 1])]);
}

#[tokio::test]
async fn recreate_has_no_two_templates_at_a_time() {
    let server = server();
    let mut deployment = workload("web", 2, "web:1");
    deployment["spec"]["strategy"] = json!({"type": "Recreate"});
    object(&server, "POST", DEPLOYMENTS, deployment).await;
    server.run_controllers();
    server.start_pods();
    object(&server, "PATCH:strategic-merge", &format!("{DEPLOYMENTS}/web"), image("web:2")).await;
    server.run_controllers();
    let pods = items(&server, PODS).await;
    assert!(pods.iter().all(|pod| pod["metadata"]["deletionTimestamp"].is_string()), "{pods:?}");
    assert_eq!(items(&server, SETS).await.len(), 1);
    server.end_terminating_pods();
    server.run_controllers();
    let pods = items(&server, PODS).await;
    assert_eq!(pods.len(), 2);
    assert!(pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "web:2"));
}

#[tokio::test]
async fn a_paused_deployment_is_scaled_and_nothing_else() {
    let server = running();
    object(&server, "POST", DEPLOYMENTS, workload("web", 1, "web:1")).await;
    let mut change = image("web:2");
    change["spec"]["paused"] = true.into();
    change["spec"]["replicas"] = 3.into();
    let web = format!("{DEPLOYMENTS}/web");
    object(&server, "PATCH:strategic-merge", &web, change).await;
    let sets = items(&server, SETS).await;
    assert_eq!((sets.len(), counts(&sets[0])), (1, [3, 3, 3]));
    assert!(conditions(&get(&server, &web).await).contains(&"Progressing=Unknown DeploymentPaused".to_owned()));
    object(&server, "PATCH:merge", &web, json!({"spec": {"paused": null}})).await;
    assert_eq!(counts(&get(&server, &web).await), [3, 3, 3]);
    assert_eq!(items(&server, SETS).await.len(), 2);
}

#[tokio::test]
async fn writes_are_answered_when_everything_has_followed() {
    let server = running();
    object(&server, "POST", DEPLOYMENTS, workload("web", 3, "web:1")).await;
    let web = format!("{DEPLOYMENTS}/web");
    assert_eq!(counts(&get(&server, &web).await), [3, 3, 3]);
    object(&server, "PATCH:merge", &format!("{web}/scale"), json!({"spec": {"replicas": 1}})).await;
    let deployment = get(&server, &web).await;
    assert_eq!((counts(&deployment), &deployment["status"]["observedGeneration"]), ([1, 1, 1], &json!(2)));
    assert_eq!(items(&server, PODS).await.len(), 1, "the others have ended");

    // A pod that goes is made anew.
    let pod = items(&server, PODS).await[0]["metadata"]["name"].as_str().unwrap().to_owned();
    object(&server, "DELETE", &format!("{PODS}/{pod}"), Value::Null).await;
    let left = get(&server, PODS).await;
    assert_eq!(names(&left).len(), 1);
    assert_ne!(names(&left), [pod]);

    for policy in ["Foreground", "Background"] {
        ask(&server, "POST", DEPLOYMENTS, workload("web", 2, "web:1")).await;
        object(&server, "DELETE", &web, json!({"propagationPolicy": policy})).await;
        assert_eq!(ask(&server, "GET", &web, Value::Null).await.0, 404, "{policy}");
        assert!(items(&server, SETS).await.is_empty() && items(&server, PODS).await.is_empty(), "{policy}");
    }
}

#[tokio::test]
async fn a_namespace_goes_with_what_controllers_made_in_it() {
    let server = running();
    object(&server, "POST", "/api/v1/namespaces", json!({"metadata": {"name": "n"}})).await;
    object(&server, "POST", "/apis/apps/v1/namespaces/n/deployments", workload("web", 2, "web:1")).await;
    assert_eq!(items(&server, "/api/v1/namespaces/n/pods").await.len(), 2);
    object(&server, "DELETE", "/api/v1/namespaces/n", Value::Null).await;
    assert_eq!(ask(&server, "GET", "/api/v1/namespaces/n", Value::Null).await.0, 404);
    assert!(items(&server, "/api/v1/pods").await.is_empty());
}

#[tokio::test]
async fn a_stateful_set_has_its_pods_one_after_the_other() {
    let server = server();
    let mut set = workload("db", 3, "db:1");
    set["spec"]["serviceName"] = "db".into();
    set["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }]);
    object(&server, "POST", STATEFUL_SETS, set).await;
    for expected in [&["db-0"][..], &["db-0", "db-1"], &["db-0", "db-1", "db-2"]] {
        server.run_controllers();
        assert_eq!(names(&get(&server, PODS).await), expected);
        server.start_pods();
    }
    server.run_controllers();
    assert_eq!(names(&get(&server, CLAIMS).await), ["data-db-0", "data-db-1", "data-db-2"]);
    let pod = get(&server, &format!("{PODS}/db-1")).await;
    assert_eq!(pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], "data-db-1");
    assert_eq!(pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"], "1");
    let db = format!("{STATEFUL_SETS}/db");
    let status = get(&server, &db).await["status"].clone();
    assert_eq!((&status["readyReplicas"], &status["currentRevision"]), (&json!(3), &status["updateRevision"]));

    // A new template comes from the last one on; each waits for the one before.
    object(&server, "PATCH:strategic-merge", &db, image("db:2")).await;
    let mut order = Vec::new();
    for _ in 0..3 {
        server.run_controllers();
        let pods = items(&server, PODS).await;
        let ending = pods.iter().find(|pod| pod["metadata"]["deletionTimestamp"].is_string()).unwrap();
        order.push(ending["metadata"]["name"].as_str().unwrap().to_owned());
        server.end_terminating_pods();
        server.run_controllers();
        server.start_pods();
    }
    server.run_controllers();
    assert_eq!(order, ["db-2", "db-1", "db-0"]);
    let updated = get(&server, &db).await["status"].clone();
    assert_eq!((&updated["updatedReplicas"], &updated["currentRevision"]), (&json!(3), &updated["updateRevision"]));
    assert_ne!(updated["currentRevision"], status["currentRevision"]);

    object(&server, "PATCH:merge", &format!("{db}/scale"), json!({"spec": {"replicas": 1}})).await;
    for left in [2, 1] {
        server.run_controllers();
        server.end_terminating_pods();
        assert_eq!(items(&server, PODS).await.len(), left);
    }
    assert_eq!(items(&server, CLAIMS).await.len(), 3, "claims stay");
}

#[tokio::test]
async fn a_daemon_set_has_a_pod_on_each_node_that_it_takes() {
    let server = running();
    for (name, disk) in [("a", "fast"), ("b", "slow"), ("c", "fast")] {
        let node = json!({"metadata": {"name": name, "labels": {"disk": disk}}});
        object(&server, "POST", "/api/v1/nodes", node).await;
    }
    let mut set = json!({
        "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template("agent", "agent:1")},
    });
    set["spec"]["template"]["spec"]["nodeSelector"] = json!({"disk": "fast"});
    object(&server, "POST", DAEMON_SETS, set).await;
    let nodes = async || {
        let pods = items(&server, PODS).await;
        let mut nodes: Vec<_> =
            pods.iter().filter_map(|pod| pod["spec"]["nodeName"].as_str().map(str::to_owned)).collect();
        nodes.sort();
        nodes
    };
    assert_eq!(nodes().await, ["a", "c"]);
    object(&server, "DELETE", "/api/v1/nodes/a", Value::Null).await;
    assert_eq!(nodes().await, ["c"]);
    object(&server, "PATCH:merge", "/api/v1/nodes/b", json!({"metadata": {"labels": {"disk": "fast"}}})).await;
    assert_eq!(nodes().await, ["b", "c"]);
    let agent = format!("{DAEMON_SETS}/agent");
    let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "agent:2"}]}}}});
    object(&server, "PATCH:strategic-merge", &agent, change).await;
    let status = get(&server, &agent).await["status"].clone();
    assert_eq!((&status["desiredNumberScheduled"], &status["updatedNumberScheduled"]), (&json!(2), &json!(2)));
    assert_eq!((&status["numberReady"], &status["observedGeneration"]), (&json!(2), &json!(2)));
    assert!(items(&server, PODS).await.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "agent:2"));
}

#[tokio::test]
async fn a_job_has_pods_until_enough_have_succeeded_or_too_many_have_failed() {
    let job = |suspended: bool| {
        let mut template = template("job", "job:1");
        template["spec"]["restartPolicy"] = "Never".into();
        json!({
            "metadata": {"name": "job"},
            "spec": {"completions": 3, "parallelism": 2, "backoffLimit": 1, "suspend": suspended, "template": template},
        })
    };
    let path = format!("{JOBS}/job");
    let server = server();
    object(&server, "POST", JOBS, job(false)).await;
    server.run_controllers();
    server.start_pods();
    server.run_controllers();
    let status = get(&server, &path).await["status"].clone();
    assert_eq!((&status["active"], &status["ready"]), (&json!(2), &json!(2)));
    server.finish_job_pods();
    server.run_controllers();
    let status = get(&server, &path).await["status"].clone();
    assert_eq!((&status["active"], &status["succeeded"]), (&json!(1), &json!(2)));
    server.start_pods();
    server.finish_job_pods();
    server.run_controllers();
    let done = get(&server, &path).await;
    assert_eq!((&done["status"]["succeeded"], done["status"].get("active")), (&json!(3), None));
    assert_eq!(conditions(&done), ["SuccessCriteriaMet=True CompletionsReached", "Complete=True CompletionsReached"]);

    let server = super::server();
    object(&server, "POST", JOBS, job(true)).await;
    server.run_controllers();
    assert_eq!(conditions(&get(&server, &path).await), ["Suspended=True JobSuspended"]);
    assert!(items(&server, PODS).await.is_empty());
    object(&server, "PATCH:merge", &path, json!({"spec": {"suspend": false}})).await;
    server.run_controllers();
    for pod in items(&server, PODS).await {
        let status = format!("{PODS}/{}/status", pod["metadata"]["name"].as_str().unwrap());
        object(&server, "PATCH:merge", &status, json!({"status": {"phase": "Failed"}})).await;
    }
    server.run_controllers();
    let failed = get(&server, &path).await;
    assert!(conditions(&failed).contains(&"Failed=True BackoffLimitExceeded".to_owned()), "{failed}");

    let server = running();
    object(&server, "POST", JOBS, job(false)).await;
    assert_eq!(get(&server, &path).await["status"]["succeeded"], 3);
}

#[tokio::test]
async fn pods_without_a_controller_are_adopted_by_whom_they_match_and_let_go_when_they_do_not() {
    let server = server();
    let stray = |name: &str| {
        let mut pod = template("web", "web:1");
        pod["metadata"]["name"] = name.into();
        pod
    };
    object(&server, "POST", PODS, stray("stray")).await;
    object(&server, "POST", SETS, workload("web", 2, "web:1")).await;
    server.run_controllers();
    let pods = get(&server, PODS).await;
    assert_eq!((names(&pods).len(), names(&pods).contains(&"stray")), (2, true), "one was there already");
    let owner = |pod: &Value| pod["metadata"]["ownerReferences"][0]["name"].clone();
    assert_eq!(owner(&get(&server, &format!("{PODS}/stray")).await), "web");

    let patch = json!({"metadata": {"labels": {"app": "other"}}});
    object(&server, "PATCH:merge", &format!("{PODS}/stray"), patch).await;
    server.run_controllers();
    assert_eq!(items(&server, PODS).await.len(), 3, "another takes its place");
    assert!(owner(&get(&server, &format!("{PODS}/stray")).await).is_null());

    // A set of pods with numbers takes none whose name has no number.
    object(&server, "POST", PODS, stray("db-x")).await;
    object(&server, "POST", STATEFUL_SETS, workload("db", 1, "db:1")).await;
    let relabel = json!({"metadata": {"labels": {"app": "db"}}});
    object(&server, "PATCH:merge", &format!("{PODS}/db-x"), relabel).await;
    server.run_controllers();
    assert!(owner(&get(&server, &format!("{PODS}/db-x")).await).is_null());
    assert_eq!(owner(&get(&server, &format!("{PODS}/db-0")).await), "db");
}
