//! Short connections to a port of a pod: however many there were, nothing of them is left. A program of its own, since
//! it counts what the whole process has.

use std::{net::SocketAddr, time::Duration};

use k8s_client::{Config, resource::PortForward};
use k8s_client_integration_tests::{Test, TestResult, connections_to, control_plane, eventually, nodes, soon};
use k8s_client_memory_tests::Heap;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Handle,
    task::JoinSet,
};

/// How many connections are made in all, unless `K8S_CLIENT_FORWARDED_CONNECTIONS` says another number.
const CONNECTIONS: usize = 1_000;

/// How many there are at a time.
const AT_ONCE: usize = 10;

/// What maps and caches of the process may have grown by: a hundred bytes for each of a thousand connections.
const SLACK: usize = 100 << 10;

/// What the connections may take together, with those that are about to close, however many there were before.
const AT_A_TIME: usize = 16 << 20;

/// The port of the pod where all that comes is sent back.
const ECHO: u16 = 7000;

/// Makes connections to the listener, each of which sees its bytes come back and closes.
async fn connect(address: SocketAddr, connections: usize) {
    let mut all = JoinSet::new();
    for first in 0..AT_ONCE {
        all.spawn(async move {
            for number in (first..connections).step_by(AT_ONCE) {
                let mut stream = TcpStream::connect(address).await.expect("it listens");
                let (bytes, mut read) = (number.to_be_bytes().repeat(500), [0; 4000]);
                stream.write_all(&bytes).await.expect("it is written");
                stream.read_exact(&mut read).await.expect("it comes back");
                assert!(bytes == read, "connection {number}");
            }
        });
    }
    all.join_all().await;
}

/// Forwards connections, until nothing of them is left but the listener.
async fn forward(forward: &PortForward, connections: usize) -> TestResult {
    let tasks_before = Handle::current().metrics().num_alive_tasks();
    let forwarder = forward.listen(ECHO).await?;
    let address = *forwarder.local_addrs().first().ok_or("it listens nowhere")?;
    let connected = connect(address, connections);
    tokio::time::timeout(Duration::from_secs(60 + connections as u64), connected).await?;
    drop(forwarder);
    eventually("no task is left", || async {
        (Handle::current().metrics().num_alive_tasks() <= tasks_before).then_some(())
    })
    .await;
    Ok(())
}

#[test]
fn short_connections_leave_no_memory_no_task_and_no_socket() -> TestResult {
    Heap::alone_with_sockets(leave_nothing)
}

async fn leave_nothing(heap: Heap) -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let connections = match std::env::var("K8S_CLIENT_FORWARDED_CONNECTIONS") {
        Ok(number) => number.parse()?,
        Err(_) => CONNECTIONS,
    };
    let port = Config::from_kubeconfig(control_plane().kubeconfig())?.server.port_u16().ok_or("it has a port")?;
    for node in nodes.both() {
        let test = Test::namespace().await;
        let pod = json!({
            // Without it the node holds a connection for a second after one side has closed.
            "metadata": { "name": "web", "annotations": { "k8s-client.test/half-close": "true" } },
            "spec": { "containers": [{ "name": "main", "image": "local", "args": [format!("--echo={ECHO}")] }] },
        });
        test.run_pod(&node, pod).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        eventually("the pod listens", || async {
            let mut connection = pods.port_forward("web").connect(ECHO).await.ok()?;
            connection.write_all(b"x").await.ok()?;
            connection.read_u8().await.ok()
        })
        .await;
        for way in [pods.port_forward("web"), pods.port_forward("web").spdy()] {
            // What is made once is made now.
            soon("some connections", forward(&way, 2 * AT_ONCE)).await?;
            let (heap_before, sockets_before) = (heap.used(), connections_to(port));
            heap.forget_peak();
            // A quarter for each of two ways to each of two nodes.
            forward(&way, connections / 4).await?;
            // Before the sockets are counted, for which a long list of those that have ended is read.
            let most = heap.peak().saturating_sub(heap_before);
            eventually("no socket is left", || async { (connections_to(port) <= sockets_before).then_some(()) }).await;
            let left = heap.used().saturating_sub(heap_before);
            println!("{}: {left} bytes are left of {most} at a time", node.name());
            assert!(left <= SLACK, "{}: {left} bytes are left", node.name());
            assert!(most <= AT_A_TIME, "{}: {most} bytes at a time", node.name());
        }
    }
    Ok(())
}
