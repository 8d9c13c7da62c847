//! Logs that go on, and those of many pods.

use std::time::Duration;

use k8s_client::{
    pods::{FollowPodLogs as _, PodLogEvent, PodLogs},
    resource::{LogEvent, LogFollower, Patch},
};
use k8s_client_integration_tests::{Test, TestResult, eventually, nodes, object, script, soon};
use k8s_client_test_harness::Node;
use serde_json::json;
use tokio::time::{sleep, timeout};

/// The lines up to the end, which must come.
async fn all(log: &mut LogFollower) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(event) = soon("the next line or the end", log.try_next()).await.expect("the log is followed") {
        match event {
            LogEvent::Line(line) => all.push(line.to_string()),
            other => all.push(format!("{other:?}")),
        }
    }
    all
}

async fn next(log: &mut LogFollower) -> String {
    match soon("the next line", log.try_next()).await.expect("the log is followed").expect("it goes on") {
        LogEvent::Line(line) => line.to_string(),
        other => format!("{other:?}"),
    }
}

/// Makes a pod that runs to its end.
async fn run_job(test: &Test, node: &Node, name: &str, shell: &str) -> TestResult {
    let mut pod = script(node, name, shell);
    pod["spec"]["restartPolicy"] = json!("Never");
    test.client.core_v1().pods(&test.namespace).create(&object(pod)).await?;
    Ok(())
}

#[tokio::test]
async fn log_is_followed_from_before_the_start_to_the_end() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        run_job(&test, &node, "job", "for i in 1 2 3; do echo $i; sleep 0.3; done; printf last").await?;
        let logs = test.client.core_v1().pods(&test.namespace).logs("job").container("main");
        let mut log = soon("the container starts", logs.follow_on().wait_for_start().into_future()).await?;
        assert_eq!(all(&mut log).await, ["1", "2", "3", "last"], "{}", node.name());
    }
    Ok(())
}

#[tokio::test]
async fn rotated_log_has_no_gap_and_no_repeat() -> TestResult {
    const LINES: usize = 1200;
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let shell = format!(
            "i=0; while [ $i -lt {LINES} ]; do echo line $i; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.1; done; exec sleep 1000"
        );
        let container = test.run_script(&node, "web", &shell).await;
        let mut log = test.client.core_v1().pods(&test.namespace).logs("web").follow_on().await?;
        let rotations = async {
            // Often, but not so often that a kubelet that gets no time for a while misses a whole file.
            for _ in 0..4 {
                sleep(Duration::from_millis(1200)).await;
                container.rotate_log().expect("the container runs");
            }
        };
        let lines = async {
            for number in 0..LINES {
                assert_eq!(next(&mut log).await, format!("line {number}"), "{}", node.name());
            }
        };
        tokio::join!(rotations, lines);
    }
    Ok(())
}

#[tokio::test]
async fn next_instance_of_a_container_is_followed() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let container = test.run_script(&node, "web", "echo started; exec sleep 1000").await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let mut log = pods.logs("web").tail_lines(10).follow_on().through_restarts().await?;
        let mut first_only = pods.logs("web").follow_on().await?;
        assert_eq!(next(&mut log).await, "started");
        container.signal(9)?;
        assert_eq!(next(&mut log).await, "Restarted { restart_count: 1 }");
        assert_eq!(next(&mut log).await, "started");
        assert_eq!(all(&mut first_only).await, ["started"]);
        // With the pod, all ends.
        pods.delete("web").await?;
        assert_eq!(all(&mut log).await, [""; 0]);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_kubelet_says_itself_is_told_apart() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let container = test.run_script(&node, "web", "echo a line; exec sleep 1000").await;
        container.lose_log()?;
        let mut log = test.client.core_v1().pods(&test.namespace).logs("web").follow_on().await?;
        let event = soon("the kubelet says why", log.try_next()).await?.expect("it goes on");
        assert!(matches!(&event, LogEvent::Message(words) if words.contains("log")), "{event:?}");
        // The same in plain lines cannot be told apart.
        let log = test.client.core_v1().pods(&test.namespace).logs("web").await?;
        assert!(!log.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn who_may_read_no_pods_follows_to_the_end_of_the_answer() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let container = test.run_script(&node, "web", "echo 1; sleep 1; echo 2; exec sleep 1000").await;
        let pods = test.user(&["pods/log"], &["get"]).await.core_v1().pods(&test.namespace);
        let mut log =
            eventually("the role has come into force", || async { pods.logs("web").follow_on().await.ok() }).await;
        assert!(pods.get("web").await.is_err_and(|error| error.is_forbidden()));
        assert_eq!([next(&mut log).await, next(&mut log).await], ["1", "2"]);
        container.signal(9)?;
        assert_eq!(all(&mut log).await, [""; 0]);
    }
    Ok(())
}

#[tokio::test]
async fn line_of_20_megabytes_comes_in_pieces() -> TestResult {
    const LENGTH: usize = 20_000_000;
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let shell = format!("head -c {LENGTH} /dev/zero | tr '\\0' x; echo; printf 'a\\377\\r\\nend'");
        run_job(&test, &node, "job", &shell).await?;
        test.pod_in_phase("job", "Succeeded").await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let mut log = pods.logs("job").follow_on().await?;
        let mut pieces = Vec::new();
        while let Some(event) = soon("the next piece", log.try_next()).await? {
            let LogEvent::Line(line) = event else { panic!("{event:?}") };
            pieces.push(line);
        }
        let mut lines = pods.logs("job").lines().await?;
        let mut plain = Vec::new();
        while let Some(line) = lines.try_next().await? {
            plain.push(line);
        }
        for pieces in [pieces, plain] {
            let [first, second, bytes, end] = &pieces[..] else { panic!("{} pieces", pieces.len()) };
            assert_eq!((first.ends(), second.ends()), (false, true));
            let whole = [&first.bytes()[..], second.bytes()].concat();
            assert!(whole.len() == LENGTH && whole.iter().all(|byte| *byte == b'x'), "{} bytes", whole.len());
            assert_eq!((&bytes.bytes()[..], bytes.to_string().as_str()), (&b"a\xff\r"[..], "a\u{fffd}\r"));
            assert_eq!(end.to_string(), "end");
        }
    }
    Ok(())
}

/// Entries until one is as wanted, in short: `pod/container line`, with `+` and `-` for the beginning and the end.
async fn until(logs: &mut PodLogs, wanted: &[&str]) -> Vec<String> {
    let mut entries = Vec::new();
    let come = async {
        while !wanted.iter().all(|wanted| entries.iter().any(|entry| entry == wanted)) {
            let entry = logs.next().await.expect("it goes on");
            let of = format!("{}/{}", entry.pod, entry.container);
            entries.push(match entry.event {
                PodLogEvent::Started { restart_count } => format!("+{of} {restart_count}"),
                PodLogEvent::Line(line) => format!("{of} {line}"),
                PodLogEvent::Ended => format!("-{of}"),
                other => format!("{of} {other:?}"),
            });
        }
    };
    let has_come = timeout(Duration::from_secs(60), come).await.is_ok();
    assert!(has_come, "{wanted:?} did not come, but {entries:?}");
    entries
}

#[tokio::test]
async fn logs_of_many_pods_are_one_stream_while_pods_come_and_go() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let [one, other] = nodes.both();
    let labelled = |node: &Node, name: &str, app: &str| {
        let mut pod = script(node, name, "echo old; echo from $0; exec sleep 1000");
        pod["metadata"]["labels"] = json!({ "app": app });
        let side = json!({ "name": "side", "image": "local", "command": ["sh", "-c", "echo aside; exec sleep 1000"] });
        pod["spec"]["containers"].as_array_mut().expect("a list").push(side);
        pod
    };
    test.run_pod(&one, labelled(&one, "a", "web")).await;
    test.run_pod(&other, labelled(&other, "b", "web")).await;
    test.run_pod(&other, labelled(&other, "stranger", "db")).await;
    for name in ["a", "b"] {
        eventually("all is written before the log is followed", || async {
            let log = pods.logs(name).container("main").await.ok()?;
            (log == "old\nfrom sh\n").then_some(())
        })
        .await;
    }

    let logs = pods.follow_logs().label_selector("app=web").tail_lines(1).filter(|_, container| container == "main");
    let mut logs = logs.await?;
    let mut first = until(&mut logs, &["a/main from sh", "b/main from sh"]).await;
    first.sort_unstable();
    // Of what was there before, the last line.
    assert_eq!(first, ["+a/main 0", "+b/main 0", "a/main from sh", "b/main from sh"]);

    // What comes later is read from its beginning.
    test.run_pod(&one, labelled(&one, "c", "web")).await;
    assert_eq!(until(&mut logs, &["c/main from sh"]).await, ["+c/main 0", "c/main old", "c/main from sh"]);
    test.container("b", "main").signal(9)?;
    let restarted = until(&mut logs, &["-b/main", "+b/main 1", "b/main from sh"]).await;
    assert_eq!(restarted.iter().filter(|entry| entry.starts_with("b/main")).count(), 2, "{restarted:?}");
    pods.delete("a").await?;
    assert_eq!(until(&mut logs, &["-a/main"]).await, ["-a/main"]);
    Ok(())
}

#[tokio::test]
async fn pod_that_leaves_the_selector_and_comes_back_repeats_no_line() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let labelled = |app: &str| json!({ "metadata": { "labels": { "app": app } } });
    let mut pod =
        script(&nodes.spdy(), "web", "echo first; while ! [ -e go ]; do sleep 0.1; done; echo second; exec sleep 1000");
    pod["metadata"]["labels"] = json!({ "app": "web" });
    test.run_pod(&nodes.spdy(), pod).await;
    let mut logs = pods.follow_logs().label_selector("app=web").await?;
    assert_eq!(until(&mut logs, &["web/main first"]).await, ["+web/main 0", "web/main first"]);
    for app in ["other", "web"] {
        pods.patch("web", &Patch::Merge(labelled(app))).await?;
        // Long enough for a watch to tell.
        sleep(Duration::from_secs(1)).await;
    }
    assert!(pods.exec("web").command(["touch", "go"]).status().await?.success());
    assert_eq!(until(&mut logs, &["web/main second"]).await, ["web/main second"]);
    Ok(())
}

#[tokio::test]
async fn logs_that_may_not_be_listed_are_an_error_at_once() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.user(&[], &[]).await.core_v1().pods(&test.namespace);
    assert!(pods.follow_logs().await.expect_err("this user may do nothing").is_forbidden());
    Ok(())
}
