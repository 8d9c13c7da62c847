//! What streams make of faults of a node. They hit everything on it, so there is a control plane for this test alone.

use std::{io::ErrorKind as Io, time::Duration};

use k8s_client::{Clientset, Config, resource::Exec, streams::Process};
use k8s_client_integration_tests::{TestResult, control_plane, eventually, field, object, script, soon};
use k8s_client_test_harness::{ControlPlane, Node};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

/// A process that says that it has begun, and then goes on for long.
async fn begun(exec: Exec) -> TestResult<Process> {
    let mut process = exec.command(["sh", "-c", "echo begun; exec sleep 1000"]).stdin(true).await?;
    let first = soon("the process", process.stdout.as_mut().ok_or("no output")?.chunk()).await?;
    assert_eq!(first.as_deref(), Some(&b"begun\n"[..]));
    Ok(process)
}

async fn run(client: &Clientset, node: &Node, name: &str) -> TestResult {
    let pods = client.core_v1().pods("default");
    pods.create(&object(script(node, name, "exec sleep 1000"))).await?;
    eventually("the pod runs", || async {
        let pod = pods.get(name).await.expect("the pod is there");
        (field(&pod, "/status/phase") == "Running").then_some(())
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn faults_of_a_node_are_no_success() -> TestResult {
    if control_plane().nodes().is_none() {
        return Ok(());
    }
    let plane = tokio::task::spawn_blocking(ControlPlane::start_new).await??;
    let client = Clientset::new(&Config::from_kubeconfig(plane.kubeconfig())?)?;
    let nodes = plane.nodes().ok_or("it is built here")?;
    for node in nodes.both() {
        let (name, websocket) = (node.name(), node.name() == nodes.websocket().name());
        run(&client, &node, name).await?;
        let pods = client.core_v1().pods("default");
        let exec = pods.exec(name);

        // The kubelet dies.
        for (exec, is_spdy) in [(exec.clone(), false), (exec.clone().spdy(), true)] {
            let mut process = begun(exec).await?;
            node.kill_kubelet()?;
            let result = soon("the end", process.wait()).await;
            node.start_kubelet()?;
            match result {
                // kube-apiserver translates, and takes the end of the connection for that of the process.
                Ok(status) => assert!(status.success() && !websocket && !is_spdy, "{name}, SPDY: {is_spdy}"),
                Err(error) => assert!(error.to_string().contains("may still run"), "{name}: {error}"),
            }
        }

        // Nothing passes any more between kube-apiserver and the node, which both are there: pings find it where they
        // are answered by the node, and not where kube-apiserver does so.
        let mut process = begun(exec.clone().spdy()).await?;
        let mut connection = pods.port_forward(name).connect(1).await?;
        let _ = connection.read_u8().await;
        node.stall()?;
        let at = Instant::now();
        let error = timeout(Duration::from_secs(60), process.wait()).await.expect("it is found").unwrap_err();
        assert!(error.to_string().contains("answers no ping"), "{name}: {error}");
        assert!(at.elapsed() < Duration::from_secs(50), "{name}: {:?}", at.elapsed());
        node.go_on()?;

        // A forwarded port ends with its pod.
        let mut forwarder = pods.port_forward(name).listen(1).await?;
        let mut local = TcpStream::connect(forwarder.local_addrs()[0]).await?;
        let error = soon("the refusal", local.read_u8()).await.unwrap_err();
        assert_eq!(error.kind(), Io::ConnectionReset);
        let _ = local.shutdown().await;
        let process = begun(exec).await?;
        let deleted = Instant::now();
        pods.delete(name).await?;
        let end = soon("the end", forwarder.ended()).await;
        assert!(end.to_string().contains("the pod"), "{name}: {end}");
        assert!(deleted.elapsed() < Duration::from_secs(15), "{name}: {:?}", deleted.elapsed());
        drop(process);
    }
    Ok(())
}
