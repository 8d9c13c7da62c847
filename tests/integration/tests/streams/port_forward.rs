//! Forwarded ports, tunnelled and over plain SPDY, on both nodes.

use std::{
    io::{self, ErrorKind as Io},
    net::IpAddr,
    time::Duration,
};

use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use k8s_client::{
    resource::PortForward,
    streams::{ForwardedStream, Protocol},
};
use k8s_client_integration_tests::{DEADLINE, Test, TestResult, nodes, script, soon};
use k8s_client_test_harness::Node;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// A pod `web` that does nothing, on each node. What listens in it are tasks of the test, at the pod's address.
struct Pod {
    test: Test,
    node: Node,
    address: IpAddr,
}

/// Of pods that see the end of what is sent to them, as with no runtime yet.
const HALF_CLOSE: &str = "k8s-client.test/half-close";

impl Pod {
    async fn on_each_node() -> Option<Vec<Self>> {
        Self::annotated(json!({})).await
    }

    async fn annotated(annotations: Value) -> Option<Vec<Self>> {
        let mut pods = Vec::new();
        for node in nodes()?.both() {
            let test = Test::namespace().await;
            let mut pod = script(&node, "web", "exec sleep 1000");
            pod["metadata"]["annotations"] = annotations.clone();
            test.run_pod(&node, pod).await;
            let exec = test.client.core_v1().pods(&test.namespace).exec("web").command(["printenv", "POD_IP"]);
            let output = exec.output().await.expect("the pod runs");
            let address = String::from_utf8_lossy(&output.stdout).trim().parse().expect("an address");
            pods.push(Self { test, node, address });
        }
        Some(pods)
    }

    /// Has connections to a new port of the pod served so.
    async fn serve<F>(&self, serve: impl Fn(TcpStream) -> F + Send + 'static) -> u16
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind((self.address, 0)).await.expect("the address is this machine's");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        port
    }

    /// Both ways to forward ports.
    fn ways(&self) -> [(PortForward, Protocol); 2] {
        let forward = self.test.client.core_v1().pods(&self.test.namespace).port_forward("web");
        [(forward.clone(), Protocol::WebSocket), (forward.spdy(), Protocol::Spdy)]
    }
}

/// Sends back what comes, to its end.
async fn echo(stream: TcpStream) -> io::Result<()> {
    let (mut read, mut write) = stream.into_split();
    tokio::io::copy(&mut read, &mut write).await?;
    write.shutdown().await
}

async fn echoed(mut connection: ForwardedStream, bytes: &[u8]) -> io::Result<bool> {
    let mut read = vec![0; bytes.len()];
    connection.write_all(bytes).await?;
    connection.read_exact(&mut read).await?;
    connection.shutdown().await?;
    let rest = connection.read_to_end(&mut Vec::new()).await?;
    Ok(read == bytes && rest == 0)
}

#[tokio::test]
async fn bytes_pass_both_ways_and_ends_propagate() -> TestResult {
    let Some(pods) = Pod::on_each_node().await else { return Ok(()) };
    for pod in &pods {
        let port = pod.serve(echo).await;
        let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        for (forward, protocol) in pod.ways() {
            let connection = forward.connect(port).await?;
            assert_eq!(connection.protocol(), protocol);
            // One after the other: what the sockets on the way hold is enough.
            assert!(soon("an echo", echoed(connection, &bytes[..50_000])).await?, "{}", pod.node.name());
            // At once.
            let (mut read, mut write) = tokio::io::split(forward.connect(port).await?);
            let writing = async {
                write.write_all(&bytes).await?;
                Ok::<_, io::Error>(())
            };
            let reading = async {
                let mut all = vec![0; bytes.len()];
                read.read_exact(&mut all).await?;
                Ok(all)
            };
            let ((), all) = soon("an echo", async { tokio::try_join!(writing, reading) }).await?;
            assert!(all == bytes, "{}", pod.node.name());
        }
        // The pod ends the connection.
        let port = pod.serve(async |mut stream: TcpStream| stream.write_all(b"bye").await).await;
        for (forward, _) in pod.ways() {
            let mut text = String::new();
            soon("an end", forward.connect(port).await?.read_to_string(&mut text)).await?;
            assert_eq!(text, "bye");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_an_error_with_the_nodes_words() -> TestResult {
    let Some(pods) = Pod::on_each_node().await else { return Ok(()) };
    for pod in &pods {
        for (forward, _) in pod.ways() {
            let mut connection = forward.connect(9).await?;
            let error = soon("an error", connection.read_u8()).await.unwrap_err();
            assert_eq!(error.kind(), Io::ConnectionRefused, "{error}");
            assert!(error.to_string().contains("connection refused"), "{error}");
        }
        let forward = pod.test.client.core_v1().pods(&pod.test.namespace).port_forward("nobody");
        let error = forward.connect(80).await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn hyper_speaks_http_over_a_forwarded_port() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        let pod = json!({
            "metadata": { "name": "web" },
            "spec": { "containers": [{ "name": "main", "image": "nginx", "ports": [{ "containerPort": 80 }] }] },
        });
        test.run_pod(&node, pod).await;
        let forward = test.client.core_v1().pods(&test.namespace).port_forward("web");
        for forward in [forward.clone(), forward.spdy()] {
            let body = k8s_client_integration_tests::eventually("the web server answers", async || {
                let (mut http, connection) =
                    http1::handshake(TokioIo::new(forward.connect(80).await.ok()?)).await.ok()?;
                let connection = tokio::spawn(connection);
                let request =
                    Request::get("/over/hyper").header("host", "web").body(Empty::<bytes::Bytes>::new()).ok()?;
                let body = http.send_request(request).await.ok()?.collect().await.ok()?.to_bytes();
                drop(http);
                connection.await.ok()?.ok()?;
                Some(body)
            })
            .await;
            assert_eq!(&body[..], b"web: GET /over/hyper\n");
        }
    }
    Ok(())
}

#[tokio::test]
async fn connections_that_are_reset_hurt_no_others() -> TestResult {
    let Some(pods) = Pod::on_each_node().await else { return Ok(()) };
    for pod in &pods {
        let port = pod.serve(echo).await;
        let resetting = pod
            .serve(async |mut stream: TcpStream| {
                stream.write_all(b"half").await?;
                stream.read_u8().await?;
                stream.set_zero_linger()
            })
            .await;
        for (forward, _) in pod.ways() {
            let mut all = Vec::new();
            for number in 0..50_u8 {
                let forward = forward.clone();
                all.push(tokio::spawn(async move {
                    let bytes = vec![number; 20_000];
                    match number % 4 {
                        0 => {
                            let mut connection = forward.connect(resetting).await.expect("it is forwarded");
                            connection.write_all(&bytes).await.expect("it is written");
                            // It does not hang, however the node tells it.
                            let _ = soon("the reset", connection.read_to_end(&mut Vec::new())).await;
                        }
                        1 => {
                            let mut connection = forward.connect(port).await.expect("it is forwarded");
                            connection.write_all(&bytes).await.expect("it is written");
                            connection.reset();
                        }
                        _ => {
                            let connection = forward.connect(port).await.expect("it is forwarded");
                            assert!(soon("the echo", echoed(connection, &bytes)).await.expect("it lives"));
                        }
                    }
                }));
            }
            for connection in all {
                connection.await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_was_written_before_the_drop_arrives() -> TestResult {
    let Some(pods) = Pod::on_each_node().await else { return Ok(()) };
    for pod in &pods {
        let (told, mut read) = tokio::sync::mpsc::unbounded_channel();
        let port = pod
            .serve(move |mut stream: TcpStream| {
                let told = told.clone();
                async move {
                    let mut all = Vec::new();
                    let end = stream.read_to_end(&mut all).await.map(|length| length.to_string());
                    let _ = told.send(end.map_err(|error| error.to_string()));
                    Ok(())
                }
            })
            .await;
        for (forward, _) in pod.ways() {
            let mut connection = forward.connect(port).await?;
            connection.write_all(&vec![7; 200_000]).await?;
            drop(connection);
            let read = soon("it arrives", read.recv()).await;
            assert_eq!(read, Some(Ok("200000".to_owned())), "{}", pod.node.name());
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_comes_long_after_the_end_of_the_request_arrives_unless_the_runtime_cuts_it_off() -> TestResult {
    // The runtime cuts it off after a second; where it does, the answer is so late that no load brings it before that.
    for (annotations, late, expected) in
        [(json!({ HALF_CLOSE: "true" }), Duration::from_millis(2500), "late answer"), (json!({}), 2 * DEADLINE, "")]
    {
        let Some(pods) = Pod::annotated(annotations).await else { return Ok(()) };
        let mut answers = JoinSet::new();
        for pod in &pods {
            let port = pod
                .serve(move |mut stream: TcpStream| async move {
                    stream.read_to_end(&mut Vec::new()).await?;
                    sleep(late).await;
                    stream.write_all(b"late answer").await
                })
                .await;
            for (forward, _) in pod.ways() {
                answers.spawn(async move {
                    let mut connection = forward.connect(port).await.expect("it is forwarded");
                    connection.write_all(b"request").await.expect("it is written");
                    let (begun, mut answer) = (Instant::now(), String::new());
                    connection.shutdown().await.expect("its end is written");
                    let read = soon("the answer", connection.read_to_string(&mut answer)).await;
                    read.expect("the end is a good one");
                    (answer, begun.elapsed() >= late)
                });
            }
        }
        for (answer, was_late) in answers.join_all().await {
            assert_eq!((&answer[..], was_late), (expected, !expected.is_empty()));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_listener_serves_many_connections_and_ends_with_its_pod() -> TestResult {
    let Some(pods) = Pod::on_each_node().await else { return Ok(()) };
    for pod in &pods {
        let port = pod.serve(echo).await;
        for (forward, _) in pod.ways() {
            let mut forwarder = forward.listen(port).await?;
            let mut all = Vec::new();
            for number in 0..20_u8 {
                let address = forwarder.local_addrs()[usize::from(number) % forwarder.local_addrs().len()];
                all.push(tokio::spawn(async move {
                    let mut stream = TcpStream::connect(address).await?;
                    let (bytes, mut read) = (vec![number; 20_000], vec![0; 20_000]);
                    stream.write_all(&bytes).await?;
                    stream.read_exact(&mut read).await?;
                    Ok::<_, io::Error>(read == bytes)
                }));
            }
            for connection in all {
                assert!(soon("an echo", connection).await??, "{}", pod.node.name());
            }
            assert!(timeout(Duration::from_millis(100), forwarder.ended()).await.is_err(), "the pod is there");
        }
        let mut forwarder = pod.ways()[0].0.listen(port).await?;
        pod.test.client.core_v1().pods(&pod.test.namespace).delete("web").await?;
        let end = soon("it ends", forwarder.ended()).await;
        assert!(end.to_string().contains("the pod"), "{}: {end}", pod.node.name());
    }
    Ok(())
}
