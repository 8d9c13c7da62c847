//! What the other tests rely on: pods run, restart, end and are reached.

use k8s_client_integration_tests::{Test, TestResult, eventually, field, gone, nodes, object, script, soon};
use serde_json::json;

#[tokio::test]
async fn pod_runs_and_its_log_is_read() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        test.run_script(&node, "web", "echo out; echo err >&2; exec sleep 1000").await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let log = eventually("both lines are there", || async {
            let log = pods.logs("web").await.expect("the pod runs");
            (log.lines().count() == 2).then_some(log)
        })
        .await;
        let mut lines: Vec<_> = log.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["err", "out"]);
        pods.delete("web").await?;
        gone("the pod", || pods.get("web")).await;
    }
    Ok(())
}

#[tokio::test]
async fn container_restarts_with_another_id_and_keeps_its_last_log() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let container = test.run_script(&node, "web", "echo $$; exec sleep 1000").await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let before = pods.get("web").await?;
        let log =
            eventually("the line is there", || async { pods.logs("web").await.ok().filter(|log| log.ends_with('\n')) })
                .await;
        container.signal(9)?;
        let after = eventually("the container runs again", || async {
            let pod = pods.get("web").await.expect("the pod is there");
            let status = field(&pod, "/status/containerStatuses/0");
            (status["restartCount"] == 1 && status["state"]["running"].is_object()).then_some(pod)
        })
        .await;
        assert_ne!(
            field(&before, "/status/containerStatuses/0/containerID"),
            field(&after, "/status/containerStatuses/0/containerID")
        );
        let last = field(&after, "/status/containerStatuses/0/lastState/terminated");
        assert_eq!((&last["exitCode"], &last["reason"]), (&json!(137), &json!("Error")));
        assert_eq!(pods.logs("web").previous().await?, log);
    }
    Ok(())
}

#[tokio::test]
async fn pod_ends_with_its_containers_and_their_exit_code() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for (node, (code, phase)) in nodes.both().iter().zip([(0, "Succeeded"), (3, "Failed")]) {
        let test = Test::namespace().await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let mut pod = script(node, "job", &format!("exit {code}"));
        pod["spec"]["restartPolicy"] = json!("Never");
        pods.create(&object(pod)).await?;
        let pod = test.pod_in_phase("job", phase).await;
        assert_eq!(field(&pod, "/status/containerStatuses/0/state/terminated/exitCode"), code);
    }
    Ok(())
}

#[tokio::test]
async fn image_without_a_command_is_a_web_server_that_proxies_reach() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let container = json!({ "name": "main", "image": "nginx", "ports": [{ "containerPort": 80, "name": "http" }] });
        let pod = json!({
            "metadata": { "name": "web", "labels": { "app": "web" } },
            "spec": { "terminationGracePeriodSeconds": 1, "containers": [container] },
        });
        test.run_pod(&node, pod).await;
        let core = test.client.core_v1();
        let pods = core.pods(&test.namespace);
        let body = eventually("the server listens", || async {
            soon("an answer", pods.proxy("web").path("a/b").into_future()).await.ok()
        })
        .await
        .bytes()
        .await?;
        assert_eq!(&*body, b"web: GET /a/b\n");

        let service = json!({
            "metadata": { "name": "web" },
            "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": "http" }] },
        });
        core.services(&test.namespace).create(&object(service)).await?;
        let body = eventually("the service has an endpoint", || async {
            core.services(&test.namespace).proxy("web").path("c").await.ok()
        })
        .await
        .bytes()
        .await?;
        assert_eq!(&*body, b"web: GET /c\n");
        assert_eq!(&*core.nodes().proxy(node.name()).path("healthz").await?.bytes().await?, b"ok");
        assert!(pods.logs("web").await?.contains("GET /a/b\n"));
    }
    Ok(())
}
