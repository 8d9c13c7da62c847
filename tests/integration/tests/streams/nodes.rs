//! What the other tests rely on: pods run, restart, end and are reached.

use k8s_client_integration_tests::{Test, TestResult, eventually, field, gone, nodes, object, script, soon};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The state of the first container.
fn state(pod: &Pod) -> Value {
    field(pod, "/status/containerStatuses/0")
}

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
            (state(&pod)["restartCount"] == 1 && state(&pod)["state"]["running"].is_object()).then_some(pod)
        })
        .await;
        assert_ne!(state(&before)["containerID"], state(&after)["containerID"]);
        let last = &state(&after)["lastState"]["terminated"];
        assert_eq!((&last["exitCode"], &last["reason"]), (&json!(137), &json!("Error")));
        assert_eq!(last["containerID"], state(&before)["containerID"]);
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
        assert_eq!(state(&pod)["state"]["terminated"]["exitCode"], code);
    }
    Ok(())
}

#[tokio::test]
async fn container_that_fails_is_started_again_with_pauses_until_it_succeeds() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let mut pod = script(&nodes.spdy(), "job", "echo >> starts; [ $(wc -l < starts) -eq 6 ]");
    pod["spec"]["restartPolicy"] = json!("OnFailure");
    pods.create(&object(pod)).await?;
    // The first restart is at once, and the pause before the fifth is one of seconds, which nobody overlooks.
    eventually("it waits before a restart", || async {
        let pod = pods.get("job").await.expect("the pod is there");
        (state(&pod)["state"]["waiting"]["reason"] == "CrashLoopBackOff").then_some(())
    })
    .await;
    let pod = test.pod_in_phase("job", "Succeeded").await;
    assert_eq!(state(&pod)["restartCount"], 5);
    Ok(())
}

#[tokio::test]
async fn init_containers_run_before_the_others() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    let node = nodes.websocket();
    let mut pod = script(&node, "web", "cat made; exec sleep 1000");
    let init = json!({ "name": "init", "image": "local", "command": ["sh", "-c", "sleep 0.2; echo by init > made"] });
    pod["spec"]["initContainers"] = json!([init]);
    test.run_pod(&node, pod).await;
    let pods = test.client.core_v1().pods(&test.namespace);
    eventually("the line is there", || async {
        (pods.logs("web").container("main").await.ok()? == "by init\n").then_some(())
    })
    .await;

    let mut pod = script(&node, "stuck", "exit 0");
    pod["spec"]["initContainers"] = json!([{ "name": "init", "image": "local", "command": ["false"] }]);
    pod["spec"]["restartPolicy"] = json!("Never");
    pods.create(&object(pod)).await?;
    let pod = test.pod_in_phase("stuck", "Failed").await;
    assert_eq!(state(&pod)["state"]["waiting"]["reason"], "PodInitializing");
    Ok(())
}

#[tokio::test]
async fn container_to_debug_a_pod_starts_beside_the_others() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        test.run_script(&node, "web", "echo hello > file; exec sleep 1000").await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let mut pod = pods.get("web").await?;
        pod.spec.get_or_insert_default().ephemeral_containers =
            Some(vec![object(json!({ "name": "debug", "image": "local", "command": ["cat", "file"] }))]);
        pods.update_ephemeral_containers("web", &pod).await?;
        eventually("it has run", || async {
            let pod = pods.get("web").await.expect("the pod is there");
            (field(&pod, "/status/ephemeralContainerStatuses/0/state/terminated/exitCode") == 0).then_some(())
        })
        .await;
        assert_eq!(pods.logs("web").container("debug").await?, "hello\n");
        assert_eq!(field(&pods.get("web").await?, "/status/phase"), "Running");
    }
    Ok(())
}

#[tokio::test]
async fn image_that_cannot_be_pulled_keeps_its_container_waiting() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let mut pod = script(&nodes.spdy(), "web", "true");
    pod["spec"]["containers"][0]["image"] = json!("k8s-client.test/missing");
    pods.create(&object(pod)).await?;
    eventually("it waits", || async {
        let pod = pods.get("web").await.expect("the pod is there");
        (state(&pod)["state"]["waiting"]["reason"] == "ErrImagePull").then_some(())
    })
    .await;
    let error = pods.logs("web").await.expect_err("nothing has run");
    assert!(error.to_string().contains("is waiting to start: image can't be pulled"), "{error}");
    pods.delete("web").await?;
    gone("the pod", || pods.get("web")).await;
    Ok(())
}

#[tokio::test]
async fn program_that_ignores_sigterm_is_killed_after_its_grace_period() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    test.run_script(&nodes.spdy(), "deaf", "trap '' TERM; echo ready; while :; do sleep 0.1; done").await;
    eventually("it is deaf", || async { (pods.logs("deaf").await.ok()? == "ready\n").then_some(()) }).await;
    let mut log = soon("the log starts", pods.logs("deaf").follow().lines()).await?;
    pods.delete("deaf").await?;
    gone("the pod", || pods.get("deaf")).await;
    while soon("the log ends", log.try_next()).await?.is_some() {}
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
        eventually("the request is logged", || async {
            pods.logs("web").await.ok().filter(|log| log.contains("GET /a/b\n"))
        })
        .await;
    }
    Ok(())
}

#[tokio::test]
async fn pods_of_a_namespace_are_scheduled_on_demand() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let (test, other) = (Test::namespace().await, Test::namespace().await);
    nodes.schedule(&test.namespace)?;
    let spec = json!({ "terminationGracePeriodSeconds": 1, "containers": [{ "name": "main", "image": "nginx" }] });
    let deployment = json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": spec },
        },
    });
    for namespace in [&test.namespace, &other.namespace] {
        test.client.apps_v1().deployments(namespace).create(&object(deployment.clone())).await?;
    }
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    eventually("the deployment is available", || async {
        let deployment = deployments.get("web").await.expect("the deployment is there");
        (field(&deployment, "/status/availableReplicas") == 2).then_some(())
    })
    .await;
    let pods = test.client.core_v1().pods(&test.namespace).list().await?;
    let mut hosts: Vec<_> = pods.items.iter().map(|pod| field(pod, "/spec/nodeName")).collect();
    hosts.sort_by_key(ToString::to_string);
    assert_eq!(hosts, ["spdy-node", "websocket-node"]);
    for pod in other.client.core_v1().pods(&other.namespace).list().await?.items {
        assert_eq!(field(&pod, "/status/phase"), "Pending");
    }
    Ok(())
}

#[tokio::test]
async fn rotated_log_begins_anew_and_a_lost_one_is_an_error_in_the_text() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let container = test
            .run_script(&node, "web", "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; exec sleep 1000")
            .await;
        let pods = test.client.core_v1().pods(&test.namespace);
        eventually("the first line is there", || async { (pods.logs("web").await.ok()? == "one\n").then_some(()) })
            .await;
        container.rotate_log()?;
        assert_eq!(pods.logs("web").await?, "");
        assert!(pods.exec("web").command(["touch", "go"]).status().await?.success());
        eventually("the second line is there", || async { (pods.logs("web").await.ok()? == "two\n").then_some(()) })
            .await;
        container.lose_log()?;
        let log = pods.logs("web").await?;
        assert!(log.starts_with("failed to try resolving symlinks in path"), "{log}");
    }
    Ok(())
}

#[tokio::test]
async fn image_without_a_command_serves_plain_tcp_too() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let args = ["--echo=7", "--sink=9", "--source=19"];
        let container = json!({ "name": "main", "image": "local", "args": args });
        let metadata = json!({ "name": "web", "annotations": { "k8s-client.test/half-close": "" } });
        test.run_pod(&node, json!({ "metadata": metadata, "spec": { "containers": [container] } })).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        eventually("the server listens", || async { pods.proxy("web").await.ok() }).await;
        for (port, sent, answer) in [
            (7, &b"hello"[..], &b"hello"[..]),
            (9, b"hello", b"5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n"),
            (19, b"10000\n", &[0; 10_000]),
        ] {
            let mut connection = pods.port_forward("web").connect(port).await?;
            connection.write_all(sent).await?;
            connection.shutdown().await?;
            let mut got = Vec::new();
            soon("the answer ends", connection.read_to_end(&mut got)).await?;
            assert!(got == answer, "port {port}: {} bytes", got.len());
        }
    }
    Ok(())
}
