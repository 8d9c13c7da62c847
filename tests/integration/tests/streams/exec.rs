//! Exec and attach, over both protocols on both nodes.

use std::{io, time::Duration};

use k8s_client::{
    Clientset, ErrorKind,
    resource::Exec,
    streams::{Protocol, TerminalSize},
};
use k8s_client_integration_tests::{Test, TestResult, eventually, field, nodes, script, soon, unique};
use k8s_client_test_harness::Node;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _},
    task::JoinSet,
    time::Instant,
};

/// A pod `web` that runs and does nothing, on each node.
async fn idle_pods() -> Option<Vec<(Test, Node)>> {
    let mut tests = Vec::new();
    for node in nodes()?.both() {
        let test = Test::namespace().await;
        test.run_script(&node, "web", "exec sleep 1000").await;
        tests.push((test, node));
    }
    Some(tests)
}

/// A shell's command in the pod, over both protocols.
fn shell(client: &Clientset, namespace: &str, text: &str) -> [Exec; 2] {
    let exec = client.core_v1().pods(namespace).exec("web").command(["sh", "-c", text]);
    [exec.clone(), exec.spdy()]
}

#[tokio::test]
async fn output_and_exit_code_are_those_of_the_process() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    for (test, node) in &tests {
        for code in [0, 1, 137, 255] {
            for exec in shell(&test.client, &test.namespace, &format!("printf out; printf '\\377err' >&2; exit {code}"))
            {
                let output = soon("an end", exec.output()).await?;
                assert_eq!(output.status.code(), code, "{}", node.name());
                assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out"[..], &b"\xfferr"[..]), "{}", node.name());
            }
        }
        let pods = test.client.core_v1().pods(&test.namespace);
        let nope = pods.exec("web").command(["no-such-program"]);
        for (exec, protocol) in [(nope.clone(), Protocol::WebSocket), (nope.spdy(), Protocol::Spdy)] {
            let mut process = exec.await?;
            assert_eq!(process.protocol(), protocol);
            let error = soon("an end", process.wait()).await.unwrap_err();
            assert!(error.is_internal_error() && error.to_string().contains("no-such-program"), "{error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn all_bytes_pass_both_ways_and_the_end_of_the_input_arrives() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for (test, _) in &tests {
        for exec in shell(&test.client, &test.namespace, "cat; exit 3") {
            let output = soon("an end", exec.clone().input(bytes.clone()).output()).await?;
            assert!(output.status.code() == 3 && output.stdout == bytes);
            // In small frames.
            let mut process = exec.stdin(true).await?;
            let mut stdin = process.stdin.take().ok_or("no input")?;
            let writing = async {
                for part in bytes[..100_000].chunks(77) {
                    stdin.write_all(part).await?;
                }
                drop(stdin);
                Ok::<_, io::Error>(())
            };
            let (output, written) = tokio::join!(process.wait_with_output(bytes.len()), writing);
            written?;
            assert!(output?.stdout == bytes[..100_000]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn output_that_comes_long_after_the_end_of_the_input_arrives() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    let mut outputs = JoinSet::new();
    for (test, _) in &tests {
        for exec in shell(&test.client, &test.namespace, "wc -c; sleep 2.5; head -c 100000 /dev/zero; exit 4") {
            outputs.spawn(async move {
                let mut process = exec.stdin(true).await.expect("it begins");
                let mut stdin = process.stdin.take().expect("it was asked for");
                stdin.write_all(&[7; 1000]).await.expect("it is written");
                drop(stdin);
                soon("an end", process.wait_with_output(1 << 20)).await.expect("it ends")
            });
        }
    }
    for output in outputs.join_all().await {
        let (count, zeros) = output.stdout.split_at(output.stdout.len().saturating_sub(100_000));
        assert_eq!(String::from_utf8_lossy(count).trim(), "1000");
        assert!(zeros.iter().all(|byte| *byte == 0) && output.status.code() == 4);
    }
    Ok(())
}

#[tokio::test]
async fn output_that_nobody_reads_does_not_hold_up_the_end() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    for (test, _) in &tests {
        for exec in shell(&test.client, &test.namespace, "head -c 15000000 /dev/zero; echo end >&2; exit 3") {
            let mut process = exec.clone().await?;
            assert_eq!(soon("an end", process.wait()).await?.code(), 3);
            let output = soon("an end", exec.output()).await?;
            assert_eq!((output.status.code(), output.stdout.len(), &output.stderr[..]), (3, 15_000_000, &b"end\n"[..]));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_process_that_ends_early_wants_no_more_input() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    for (test, node) in &tests {
        for exec in shell(&test.client, &test.namespace, "head -c 5; exit 2") {
            let output = soon("an end", exec.clone().input(vec![b'x'; 100_000]).output()).await?;
            assert_eq!((output.status.code(), &output.stdout[..]), (2, &b"xxxxx"[..]), "{}", node.name());
            // Of more than its buffers hold, the node resets the connection, which may overtake the report. It is an
            // end.
            if let Err(error) = soon("an end", exec.input(vec![b'x'; 1 << 20]).output()).await {
                assert!(error.to_string().contains("may still run"), "{}: {error}", node.name());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn terminal_has_the_size_that_it_is_told() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    // A size takes another way through the node than the start and the input, so it may come later.
    let script = "until_it_is() { until test \"$(stty size)\" = \"$1\"; do sleep 0.1; done; stty size; }
                  until_it_is '40 100'; read line; until_it_is '24 80'; echo err >&2; exit 5";
    for (test, node) in &tests {
        for exec in shell(&test.client, &test.namespace, script) {
            let size = TerminalSize { width: 100, height: 40 };
            let mut process = exec.stdin(true).tty(true).terminal_size(size).await?;
            let mut lines = process.stdout.take().ok_or("no output")?.lines();
            let mut line = async || io::Result::Ok(lines.next_line().await?.unwrap_or_default().trim_end().to_owned());
            assert_eq!(soon("the first size", line()).await?, "40 100", "{}", node.name());
            process.resizer().resize(TerminalSize { width: 80, height: 24 });
            let mut stdin = process.stdin.take().ok_or("no input")?;
            stdin.write_all(b"x\n").await?;
            assert_eq!(line().await?, "x", "the terminal's echo");
            assert_eq!(soon("the second size", line()).await?, "24 80", "{}", node.name());
            assert_eq!(line().await?, "err");
            assert_eq!(soon("an end", process.wait()).await?.code(), 5);
        }
    }
    Ok(())
}

#[tokio::test]
async fn refusals_carry_the_servers_status() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    for (test, _) in &tests {
        let pods = test.client.core_v1().pods(&test.namespace);
        let error = pods.exec("nobody").command(["true"]).output().await.unwrap_err();
        assert!(error.is_not_found() && error.to_string().contains("pods \"nobody\" not found"), "{error}");
        let error = pods.exec("web").container("nope").command(["true"]).output().await.unwrap_err();
        assert!(error.is_bad_request() && error.to_string().contains("nope"), "{error}");
        let error = pods.exec("web").output().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api, "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn rights_are_those_that_the_docs_tell() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    let (test, _) = &tests[0];
    for (verbs, websocket, spdy) in [
        (&["get", "create"][..], Some(Protocol::WebSocket), Some(Protocol::Spdy)),
        (&["create"], Some(Protocol::Spdy), Some(Protocol::Spdy)),
        (&["get"], None, None),
        (&[], None, None),
    ] {
        let client = test.user(&["pods/exec", "pods/attach", "pods/portforward"], verbs).await;
        for (exec, expected) in shell(&client, &test.namespace, "exit 0").into_iter().zip([websocket, spdy]) {
            let Some(expected) = expected else {
                let error = exec.await.unwrap_err();
                assert!(error.is_forbidden(), "{verbs:?}: {error}");
                assert!(error.to_string().contains("`get` and `create` on `pods/exec`"), "{verbs:?}: {error}");
                continue;
            };
            // The authorizer hears of the role a little later.
            let mut process = eventually("the role counts", || async {
                exec.clone().await.ok().filter(|process| process.protocol() == expected)
            })
            .await;
            assert!(process.wait().await?.success());
        }
        if websocket.is_some() {
            let pods = client.core_v1().pods(&test.namespace);
            assert_eq!(Some(pods.port_forward("web").connect(80).await?.protocol()), websocket);
            assert_eq!(Some(pods.attach("web").await?.protocol()), websocket);
        }
    }
    Ok(())
}

#[tokio::test]
async fn dropping_the_process_ends_its_input_and_not_itself() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    for (test, node) in &tests {
        let file = format!("/tmp/{}", unique("file"));
        let text = format!("echo begun; cat >/dev/null; echo ended > {file}; sleep 1; echo alive >> {file}");
        for exec in shell(&test.client, &test.namespace, &text) {
            let mut process = exec.stdin(true).await?;
            process.stdin.as_mut().ok_or("no input")?.write_all(b"x").await?;
            let begun = soon("the process", process.stdout.as_mut().ok_or("no output")?.chunk()).await?;
            assert_eq!(begun.as_deref(), Some(&b"begun\n"[..]));
            drop(process);
            let text = eventually("the process goes on", || async {
                std::fs::read_to_string(&file).ok().filter(|text| text.ends_with("alive\n"))
            })
            .await;
            assert_eq!(text, "ended\nalive\n", "{}", node.name());
            std::fs::remove_file(&file)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn attach_meets_the_process_that_runs() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let words = "while read word; do echo \"heard $word\"; [ $word = end ] && break; done; sleep 1; exit 3";
        let mut pod = script(&node, "web", words);
        pod["spec"]["containers"][0]["stdin"] = json!(true);
        pod["spec"]["restartPolicy"] = json!("Never");
        test.run_pod(&node, pod).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        for (attach, word) in [(pods.attach("web"), "me"), (pods.attach("web").spdy(), "end")] {
            let mut process = attach.stdin(true).await?;
            let mut lines = process.stdout.take().ok_or("no output")?.lines();
            process.stdin.as_mut().ok_or("no input")?.write_all(format!("{word}\n").as_bytes()).await?;
            let line = soon("an answer", lines.next_line()).await?;
            assert_eq!(line, Some(format!("heard {word}")), "{}", node.name());
            if word == "end" {
                // The server reports success, whatever the exit code is: that is in the pod.
                let _input = process.stdin.take();
                assert!(soon("an end", process.wait()).await?.success(), "{}", node.name());
            }
        }
        let pod = test.pod_in_phase("web", "Failed").await;
        assert_eq!(field(&pod, "/status/containerStatuses/0/state/terminated/exitCode"), 3);
    }
    Ok(())
}

/// A process that does not read for longer than the system's patience with a peer that takes nothing.
#[tokio::test]
async fn input_may_wait_for_long() -> TestResult {
    let Some(tests) = idle_pods().await else { return Ok(()) };
    let mut waiting = Vec::new();
    for (test, node) in &tests {
        for exec in shell(&test.client, &test.namespace, "sleep 50; wc -c") {
            let node = node.name().to_owned();
            waiting.push(tokio::spawn(async move {
                let begun = Instant::now();
                let mut process = exec.stdin(true).await?;
                let mut stdin = process.stdin.take().expect("an input");
                let part = vec![b'x'; 1 << 20];
                for _ in 0..25 {
                    stdin.write_all(&part).await.expect("it is taken in the end");
                }
                drop(stdin);
                let output = process.wait_with_output(1000).await?;
                assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), (25 << 20).to_string(), "{node}");
                assert!(begun.elapsed() > Duration::from_secs(50), "{node}");
                Ok::<_, k8s_client::Error>(())
            }));
        }
    }
    for process in waiting {
        process.await??;
    }
    Ok(())
}
