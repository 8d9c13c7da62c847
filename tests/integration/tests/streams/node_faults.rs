//! Nodes that fail while something streams: what a client is told, and that nothing is left of it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use k8s_client::{
    Clientset, Config, ErrorKind,
    pods::{FollowPodLogs as _, PodLogEvent},
    resource::{Exec, LogEvent},
    streams::Process,
};
use k8s_client_integration_tests::{Test, TestResult, connections_to, eventually, field, object, soon};
use k8s_client_test_harness::{ControlPlane, Node, Nodes, Open};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::Handle,
    sync::{Mutex, MutexGuard},
    task::spawn_blocking,
    time::{sleep, timeout},
};

/// A control plane that the tests of other files do not use, for one test at a time.
struct Alone {
    plane: MutexGuard<'static, Option<ControlPlane>>,
    nodes: Nodes,
}

impl Alone {
    async fn with_nodes() -> Option<Self> {
        static PLANE: Mutex<Option<ControlPlane>> = Mutex::const_new(None);
        let mut plane = PLANE.lock().await;
        if plane.is_none() {
            let started = spawn_blocking(ControlPlane::start_new).await.expect("it does not panic");
            *plane = Some(started.expect("a control plane starts"));
        }
        let nodes = plane.as_ref().and_then(ControlPlane::nodes).cloned();
        if nodes.is_none() {
            println!("skipped: this control plane has no nodes of ours, which could be made to fail");
        }
        nodes.map(|nodes| Self { plane, nodes })
    }

    fn plane(&mut self) -> &mut ControlPlane {
        self.plane.as_mut().expect("it has started")
    }

    /// A pod that runs for long on the node.
    async fn idle(&mut self, node: &Node) -> Test {
        let test = Test::on(self.plane()).await;
        test.run_script(node, "web", "exec sleep 1000").await;
        test
    }

    /// A pod on the node, and two processes in it that stay: one through WebSocket, one through SPDY.
    async fn processes(&mut self, node: &Node) -> TestResult<(Test, [Process; 2])> {
        let test = self.idle(node).await;
        let exec = test.client.core_v1().pods(&test.namespace).exec("web");
        Ok((test, [stays(exec.clone()).await?, stays(exec.spdy()).await?]))
    }

    /// Waits until so many processes run on the nodes, and nothing streams.
    async fn only_processes(&self, processes: usize) {
        let expected = Open { processes, upgrades: 0, streams: 0 };
        eventually(&format!("{expected:?}"), || async {
            let open = self.nodes.open().expect("the nodes answer");
            (open == expected).then_some(())
        })
        .await;
    }
}

impl Drop for Alone {
    /// The next test finds sound nodes, whatever became of this one.
    fn drop(&mut self) {
        for node in self.nodes.both() {
            if let Err(error) = node.heal() {
                eprintln!("{error}");
            }
        }
    }
}

/// Waits until the process has written its first byte, so that it surely runs.
async fn begun(process: &mut Process) {
    let stdout = process.stdout.as_mut().expect("it was asked for");
    soon("the process begins", stdout.chunk()).await.expect("it writes").expect("it does not end");
}

/// A process that surely runs, and stays.
async fn stays(exec: Exec) -> TestResult<Process> {
    let mut process = exec.command(["sh", "-c", "echo; exec sleep 1000"]).await?;
    begun(&mut process).await;
    Ok(process)
}

#[tokio::test]
async fn kubelet_that_dies_in_mid_exec_is_success_only_where_the_server_translates() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let (test, [mut websocket, mut spdy]) = alone.processes(&node).await?;
        let pods = test.client.core_v1().pods(&test.namespace);
        node.kill_kubelet()?;

        let end = soon("the WebSocket ends", websocket.wait()).await;
        if node.name() == alone.nodes.spdy().name() {
            // What the docs tell: kube-apiserver lost SPDY and says that the process succeeded.
            assert!(end?.success());
        } else {
            let error = end.expect_err("nobody said how it ended");
            assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
            assert!(error.to_string().contains("may still run"), "{error}");
        }
        let error = soon("SPDY ends", spdy.wait()).await.expect_err("nobody said how it ended");
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");

        let error = pods.exec("web").command(["true"]).status().await.expect_err("the kubelet is dead");
        assert_eq!(error.kind(), ErrorKind::Api, "{error}");
        assert!(error.to_string().contains("connection refused") || error.to_string().contains("502"), "{error}");
        node.start_kubelet()?;
        assert!(pods.exec("web").command(["true"]).status().await?.success());
        assert_eq!(field(&pods.get("web").await?, "/status/containerStatuses/0/restartCount"), 0);
    }
    Ok(())
}

#[tokio::test]
async fn runtime_that_dies_in_mid_exec_is_success_for_who_speaks_websocket() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let (test, [mut websocket, mut spdy]) = alone.processes(&node).await?;
        let pods = test.client.core_v1().pods(&test.namespace);
        node.kill_runtime()?;
        // Somebody translates on either way, kube-apiserver or the kubelet.
        assert!(soon("the WebSocket ends", websocket.wait()).await?.success());
        let error = soon("SPDY ends", spdy.wait()).await.expect_err("nobody said how it ended");
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        node.start_runtime()?;
        assert!(pods.exec("web").command(["true"]).status().await?.success());
    }
    Ok(())
}

#[tokio::test]
async fn forwarded_port_fails_when_its_kubelet_dies() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let test = Test::on(alone.plane()).await;
        test.run_pod(&node, served()).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let mut connection = connected(&test).await;
        connection.write_all(b"ping").await?;
        let mut answer = [0; 4];
        soon("the echo comes", connection.read_exact(&mut answer)).await?;
        node.kill_kubelet()?;
        // Nothing tells the client where kube-apiserver translates, but a ping does.
        let started = Instant::now();
        let error = soon("the connection fails", connection.read(&mut answer)).await.expect_err("it did not end");
        assert!(started.elapsed() < Duration::from_secs(80), "{:?}: {error}", started.elapsed());
        node.start_kubelet()?;
        let mut connection = soon("another connection", pods.port_forward("web").connect(7)).await?;
        connection.write_all(b"ping").await?;
        soon("the echo comes", connection.read_exact(&mut answer)).await?;
    }
    Ok(())
}

/// A pod that sends back what comes to port 7.
fn served() -> serde_json::Value {
    let container = json!({ "name": "main", "image": "local", "args": ["--echo=7", "--sink=9"] });
    json!({ "metadata": { "name": "web" }, "spec": { "terminationGracePeriodSeconds": 1, "containers": [container] } })
}

/// A connection to the port that sends back what comes, once somebody listens there.
async fn connected(test: &Test) -> k8s_client::streams::ForwardedStream {
    let pods = test.client.core_v1().pods(&test.namespace);
    eventually("the pod listens", || async {
        let mut connection = pods.port_forward("web").connect(7).await.expect("the pod runs");
        connection.write_all(b"x").await.ok()?;
        connection.read_u8().await.ok().map(|_| connection)
    })
    .await
}

#[tokio::test]
async fn silent_node_is_found_by_pings_where_they_reach_it() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    let [websocket, spdy] = alone.nodes.both();
    let (far, near) = (alone.idle(&websocket).await, alone.idle(&spdy).await);
    let exec = |test: &Test| test.client.core_v1().pods(&test.namespace).exec("web");
    let (mut far, mut near) = (stays(exec(&far)).await?, stays(exec(&near)).await?);
    websocket.stall()?;
    spdy.stall()?;
    let started = Instant::now();
    let error = soon("the silence is noticed", far.wait()).await.expect_err("nobody said how it ended");
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(started.elapsed() < Duration::from_secs(80), "{:?}: {error}", started.elapsed());
    // Here kube-apiserver answers the pings: it is alive.
    assert!(timeout(Duration::from_millis(100), near.wait()).await.is_err());
    websocket.go_on()?;
    spdy.go_on()?;
    Ok(())
}

#[tokio::test]
async fn output_that_a_slow_node_held_back_arrives_whole() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let test = alone.idle(&node).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        node.limit_rate(1 << 20)?;
        let script = "head -c 1000000 /dev/zero; sleep 1; head -c 1000000 /dev/zero; exit 3";
        let output = async { pods.exec("web").command(["sh", "-c", script]).output().await };
        let stalling = async {
            sleep(Duration::from_millis(500)).await;
            node.stall()?;
            sleep(Duration::from_secs(2)).await;
            node.go_on()
        };
        let (output, stalled) = soon("the output ends", async { tokio::join!(output, stalling) }).await;
        stalled?;
        node.limit_rate(0)?;
        let output = output?;
        assert_eq!((output.stdout.len(), output.status.code()), (2_000_000, 3));
    }
    Ok(())
}

#[tokio::test]
async fn node_that_refuses_is_an_error_with_its_words() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let test = alone.idle(&node).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        node.refuse_requests(503, "the runtime is \"down\"")?;
        let error = pods.exec("web").command(["true"]).status().await.expect_err("the kubelet refuses");
        assert!(error.to_string().contains("the runtime is \"down\""), "{error}");
        let error = pods.port_forward("web").connect(80).await.expect_err("the kubelet refuses");
        assert!(error.to_string().contains("the runtime is \"down\""), "{error}");
        let error = pods.logs("web").await.expect_err("the kubelet refuses");
        assert!(error.is_service_unavailable(), "{error}"); // kube-apiserver keeps the text to itself.
        node.refuse_requests(0, "")?;

        node.cut()?;
        node.refuse_connections(true)?;
        let error = pods.exec("web").command(["true"]).status().await.expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::Api, "{error}");
        node.refuse_connections(false)?;
        assert!(pods.exec("web").command(["true"]).status().await?.success());
    }
    Ok(())
}

#[tokio::test]
async fn log_of_a_pod_that_the_node_refuses_at_first_is_followed() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let test = Test::on(alone.plane()).await;
        test.run_script(&node, "web", "echo started; exec sleep 1000").await;
        node.refuse_requests(503, "the runtime is \"down\"")?;
        let mut logs = test.client.core_v1().pods(&test.namespace).follow_logs().await?;
        let first = soon("it is followed", logs.next()).await.expect("it goes on").event;
        assert!(matches!(first, PodLogEvent::Started { restart_count: 0 }), "{first:?}");
        assert!(timeout(Duration::from_secs(2), logs.next()).await.is_err(), "there is nothing to read");
        node.refuse_requests(0, "")?;
        let next = soon("the line comes", logs.next()).await.expect("it goes on").event;
        assert!(matches!(&next, PodLogEvent::Line(line) if *line == "started"), "{next:?}");
    }
    Ok(())
}

#[tokio::test]
async fn log_goes_on_when_the_clock_of_the_node_is_set_back() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let test = Test::on(alone.plane()).await;
        test.run_script(&node, "web", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done").await;
        let mut log = test.client.core_v1().pods(&test.namespace).logs("web").follow_on().await?;
        for number in 0..300 {
            match number {
                100 => node.shift_clock(-3600)?,
                // Lines with the new time have come.
                200 => node.cut()?,
                _ => {}
            }
            let event = soon("the next line", log.try_next()).await?;
            assert!(
                matches!(&event, Some(LogEvent::Line(line)) if *line == *number.to_string()),
                "{number}: {event:?}"
            );
        }
        node.shift_clock(0)?;
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_of_streams_that_have_ended_or_were_dropped() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    alone.only_processes(0).await; // The pods of other tests go.
    for node in alone.nodes.both() {
        let test = Test::on(alone.plane()).await;
        test.run_pod(&node, served()).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        drop(connected(&test).await);
        let tasks = || Handle::current().metrics().num_alive_tasks();
        let port = Config::from_kubeconfig(alone.plane().kubeconfig())?.server.port_u16().expect("the plane has one");
        alone.only_processes(1).await;
        let (tasks_before, sockets_before) = (tasks(), connections_to(port));

        for spdy in [false, true] {
            let exec = |words: &[&str]| {
                let exec = pods.exec("web").command(words.iter().copied());
                if spdy { exec.spdy() } else { exec }
            };
            assert_eq!(exec(&["sh", "-c", "exit 7"]).status().await?.code(), 7);
            assert_eq!(exec(&["cat"]).input("hello").output().await?.stdout, "hello");
            // Dropped with input open: the process sees its end.
            let mut process = exec(&["sh", "-c", "echo; cat"]).stdin(true).await?;
            begun(&mut process).await;
            drop(process);
            // Dropped while nobody reads. The process goes on until it has written all.
            let mut process = exec(&["sh", "-c", "echo; head -c 10000000 /dev/zero"]).await?;
            begun(&mut process).await;
            drop(process);
            assert!(exec(&["no-such-program"]).status().await.is_err());
            assert!(pods.exec("nobody").command(["true"]).status().await.is_err());

            let forward = if spdy { pods.port_forward("web").spdy() } else { pods.port_forward("web") };
            let mut echo = forward.connect(7).await?;
            echo.write_all(b"ping").await?;
            drop(echo);
            forward.connect(7).await?.reset();
            let refused = soon("the refusal", forward.connect(8).await?.read(&mut [0])).await;
            assert!(refused.is_err());
            let mut sum = forward.connect(9).await?;
            sum.write_all(&[0; 10_000]).await?;
            sum.shutdown().await?;
        }
        alone.only_processes(1).await;
        eventually("no task is left", || async { (tasks() <= tasks_before).then_some(()) }).await;
        eventually("no socket is left", || async { (connections_to(port) <= sockets_before).then_some(()) }).await;
        pods.delete("web").await?;
        alone.only_processes(0).await;
    }
    Ok(())
}

#[tokio::test]
async fn kube_apiserver_that_dies_in_mid_exec_is_an_error() -> TestResult {
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    for node in alone.nodes.both() {
        let test = alone.idle(&node).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let mut process = stays(pods.exec("web")).await?;
        alone.plane().kill_kube_apiserver()?;
        let error = soon("the process is lost", process.wait()).await.expect_err("nobody said how it ended");
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.to_string().contains("may still run"), "{error}");
        alone.plane().restart_kube_apiserver()?;
        assert!(pods.exec("web").command(["true"]).status().await?.success());
    }
    Ok(())
}

#[tokio::test]
async fn exec_goes_on_across_the_rotation_of_its_certificate() -> TestResult {
    /// How long requests in flight have when a certificate was replaced.
    const GRACE: Duration = Duration::from_secs(30);
    let Some(mut alone) = Alone::with_nodes().await else { return Ok(()) };
    let node = alone.nodes.websocket();
    let test = alone.idle(&node).await;
    let plane = alone.plane();
    let (made, folder) = (plane.logs().expect("it was started here"), tempfile::tempdir()?);
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    // kube-apiserver's certificate for kubelets is an administrator's too.
    let rotate = |name: &str| -> std::io::Result<()> {
        fs::copy(made.join(format!("{name}.key")), &key)?;
        fs::copy(made.join(format!("{name}.crt")), &certificate).map(drop)
    };
    rotate("admin")?;
    let admin = made.join("admin").display().to_string();
    let kubeconfig = fs::read_to_string(plane.kubeconfig())?;
    let own = folder.path().join("tls").display().to_string();
    fs::write(folder.path().join("kubeconfig"), kubeconfig.replace(&admin, &own))?;
    let client = Clientset::new(&Config::from_kubeconfig(folder.path().join("kubeconfig"))?)?;
    let who = || async {
        let review = client.authentication_v1().self_subject_reviews().create(&object(json!({}))).await;
        field(&review.expect("everybody may ask"), "/status/userInfo/username")
    };
    assert_eq!(who().await, "admin");

    let pods = client.core_v1().pods(&test.namespace);
    let mut cat = pods.exec("web").command(["cat"]).stdin(true).await?;
    let (mut stdin, mut stdout) =
        (cat.stdin.take().expect("it was asked for"), cat.stdout.take().expect("it was asked for"));
    stdin.write_all(b"before").await?;
    assert_eq!(soon("the first bytes", stdout.chunk()).await?.as_deref(), Some(&b"before"[..]));
    rotate("kubelet-client")?;
    eventually("requests go out with the new certificate", || async {
        // Only a new connection makes the client look.
        let process = pods.exec("web").command(["true"]).status().await;
        assert!(process.expect("the pod runs").success());
        (who().await == "kube-apiserver-kubelet-client").then_some(())
    })
    .await;
    sleep(GRACE + Duration::from_secs(2)).await;
    stdin.write_all(b"after").await?;
    assert_eq!(soon("the other bytes", stdout.chunk()).await?.as_deref(), Some(&b"after"[..]));
    drop(stdin);
    assert!(soon("the end", cat.wait()).await?.success());
    Ok(())
}

#[tokio::test]
async fn processes_of_pods_end_with_their_control_plane() -> TestResult {
    let plane = spawn_blocking(ControlPlane::start_new).await??;
    let Some(nodes) = plane.nodes().cloned() else {
        println!("skipped: this control plane has no nodes of ours, so nothing runs commands of this machine");
        return Ok(());
    };
    let test = Test::on(&plane).await;
    let pods = test.client.core_v1().pods(&test.namespace);
    // One in the background, and one that takes no hint.
    test.run_script(&nodes.spdy(), "web", "sleep 1000 & echo $!; trap '' TERM; echo $$; while :; do sleep 1; done")
        .await;
    let log = eventually("both are told", || async {
        let log = pods.logs("web").await.ok()?;
        (log.lines().count() == 2).then_some(log)
    })
    .await;
    let processes: Vec<_> = log.lines().map(|id| Path::new("/proc").join(id)).collect();
    if !Path::new("/proc/self").exists() {
        println!("skipped: this system does not tell what runs");
        return Ok(());
    }
    assert!(processes.iter().all(|process| process.exists()));
    drop(test);
    spawn_blocking(|| plane.stop()).await??;
    eventually("the processes end", || async { (!processes.iter().any(|it| it.exists())).then_some(()) }).await;
    Ok(())
}
