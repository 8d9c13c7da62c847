//! Logs of pods, all the way through kube-apiserver to a kubelet and back; and the proxy, which takes the same way.

use bytes::Bytes;
use k8s_client_integration_tests::{Test, TestResult, soon};
use tokio::sync::mpsc;

use crate::{
    kubelet::{Kubelet, LOOPBACK, outward_address},
    pod,
};

#[tokio::test]
async fn log_is_read_as_text() -> TestResult {
    let test = Test::namespace().await;
    let kubelet = Kubelet::with_log(&test.client, LOOPBACK, "first\nsecond: é\n".as_bytes()).await;
    kubelet.run(&test.namespace, "web").await?;
    let log = soon("the log ends", test.client.core_v1().pods(&test.namespace).logs("web").into_future()).await?;
    assert_eq!(log, "first\nsecond: é\n");
    Ok(kubelet.stop(&test.namespace, "web").await?)
}

#[tokio::test]
async fn log_is_read_as_bytes() -> TestResult {
    let test = Test::namespace().await;
    let kubelet = Kubelet::with_log(&test.client, LOOPBACK, b"\xff\x00\xfe").await;
    kubelet.run(&test.namespace, "web").await?;
    let log = soon("the log ends", test.client.core_v1().pods(&test.namespace).logs("web").bytes()).await?;
    assert_eq!(&*log, b"\xff\x00\xfe");
    Ok(kubelet.stop(&test.namespace, "web").await?)
}

#[tokio::test]
async fn followed_log_arrives_line_by_line() -> TestResult {
    let test = Test::namespace().await;
    let (log, receiver) = mpsc::unbounded_channel();
    let kubelet = Kubelet::start(&test.client, LOOPBACK, receiver).await;
    kubelet.run(&test.namespace, "web").await?;

    log.send(Bytes::from_static(b"one\ntw"))?;
    let pods = test.client.core_v1().pods(&test.namespace);
    let mut lines = soon("the log starts", pods.logs("web").follow().lines()).await?;
    assert!(soon("the first line comes", lines.try_next()).await?.is_some_and(|line| line == "one"));
    // The second line was cut in two; the end of it is written only now.
    log.send(Bytes::from_static(b"o\n"))?;
    assert!(soon("the second line comes", lines.try_next()).await?.is_some_and(|line| line == "two"));
    log.send(Bytes::from_static(b"no newline"))?;
    drop(log);
    assert!(soon("the last line comes", lines.try_next()).await?.is_some_and(|line| line == "no newline"));
    assert_eq!(soon("the log ends", lines.try_next()).await?, None);
    Ok(kubelet.stop(&test.namespace, "web").await?)
}

#[tokio::test]
async fn options_of_a_log_reach_the_kubelet() -> TestResult {
    let test = Test::namespace().await;
    let kubelet = Kubelet::with_log(&test.client, LOOPBACK, b"line\n").await;
    kubelet.run(&test.namespace, "web").await?;
    let logs = test.client.core_v1().pods(&test.namespace).logs("web");
    let logs = logs.container("main").tail_lines(7).timestamps().previous().limit_bytes(99).since_seconds(60);
    soon("the log ends", logs.into_future()).await?;

    let requests = kubelet.requests();
    let [request] = &requests[..] else { panic!("one request, not {requests:?}") };
    let path = format!("/containerLogs/{}/web/main?", test.namespace);
    assert!(request.starts_with(&path), "{request}");
    for option in ["tailLines=7", "timestamps=true", "previous=true", "limitBytes=99", "sinceSeconds=60"] {
        assert!(request.contains(option), "{option} is missing in {request}");
    }
    Ok(kubelet.stop(&test.namespace, "web").await?)
}

#[tokio::test]
async fn log_of_a_pod_without_a_node_is_an_error_that_says_so() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    pods.create(&pod("web")).await?;
    // There is nothing to read yet, which the server answers with nothing.
    assert_eq!(pods.logs("web").await?, "");
    let error = pods.logs("web").container("other").await.expect_err("there is no such container");
    assert!(error.is_bad_request(), "{error}");
    assert!(error.to_string().contains("container other is not valid for pod web"), "{error}");
    Ok(())
}

#[tokio::test]
async fn proxy_reaches_a_node() -> TestResult {
    let Some(address) = outward_address() else {
        println!("skipped: kube-apiserver proxies to no loopback address, and this machine has no other");
        return Ok(());
    };
    let test = Test::namespace().await;
    let kubelet = Kubelet::with_log(&test.client, address, b"well").await;
    kubelet.run(&test.namespace, "web").await?;
    let nodes = test.client.core_v1().nodes();
    let answer = nodes.proxy(&kubelet.node).path("healthz/ping").query("verbose", "yes").await?;
    let body = soon("the answer ends", answer.bytes()).await?;
    assert_eq!(&*body, b"well");
    assert_eq!(kubelet.requests(), ["/healthz/ping?verbose=yes"]);
    Ok(kubelet.stop(&test.namespace, "web").await?)
}

#[tokio::test]
async fn proxy_to_a_loopback_address_is_refused_by_the_server() -> TestResult {
    let test = Test::namespace().await;
    let kubelet = Kubelet::with_log(&test.client, LOOPBACK, b"").await;
    kubelet.run(&test.namespace, "web").await?;
    let error = test.client.core_v1().nodes().proxy(&kubelet.node).await.expect_err("it is a loopback address");
    assert!(error.is_bad_request(), "{error}");
    assert!(kubelet.requests().is_empty());
    Ok(kubelet.stop(&test.namespace, "web").await?)
}
