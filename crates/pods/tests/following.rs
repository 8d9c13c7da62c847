//! Following the logs of many pods, without a socket. Time is paused.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::Response;
use k8s_client_pods::{FollowPodLogs as _, PodLogEvent};
use k8s_client_runtime::{
    Config, RestClient,
    k8s_openapi::api::core::v1::Pod,
    machine::Process,
    resource::ResourceClient,
    rest::{Body, BoxError},
};
use serde_json::json;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn logs_are_not_followed_by_a_program_that_was_killed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = asked.clone();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "web", "namespace": "ns", "uid": "u", "resourceVersion": "1" },
            "spec": { "containers": [{ "name": "main" }] },
            "status": { "phase": "Running", "containerStatuses": [
                { "name": "main", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "containerID": "a",
                  "state": { "running": {} } },
            ] },
        });
        let (media_type, text) = if path.ends_with("/log") {
            seen.fetch_add(1, Relaxed);
            // The container runs, so the end of the answer is not that of the log.
            ("text/plain", "2026-11-27T10:00:00Z a\n".to_owned())
        } else if path.ends_with("/web") {
            seen.fetch_add(1, Relaxed);
            ("application/json", pod.to_string())
        } else if query.contains("watch=") {
            ("application/json", String::new())
        } else {
            let list = json!({ "apiVersion": "v1", "kind": "PodList", "metadata": { "resourceVersion": "1" },
                "items": [pod] });
            ("application/json", list.to_string())
        };
        let answer = Response::builder().header("content-type", media_type).body(Body::from(text));
        ready(answer.map_err(BoxError::from))
    });
    let config = Config::new("http://nowhere").expect("a URL");
    let client = RestClient::from_service(&config, service).expect("a valid configuration");
    let process = Arc::<Process>::default();
    let pods = ResourceClient::<Pod>::namespaced(&client, "ns");
    let follow = async move { pods.follow_logs().await };
    let mut logs = process.clone().run(follow).await.expect("the pods are listed");
    let started = logs.next().await.expect("a pod is there");
    assert!(matches!(started.event, PodLogEvent::Started { .. }), "{started:?}");
    sleep(Duration::from_secs(60)).await;
    assert!(asked.swap(0, Relaxed) > 2, "it asks again and again");
    process.kill();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(asked.load(Relaxed), 0);
}
