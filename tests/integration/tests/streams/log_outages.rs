//! A log that is followed through everything that can break on the way, on a control plane of its own.

use std::{sync::Arc, time::Duration};

use k8s_client::{Clientset, Config, resource::LogEvent};
use k8s_client_integration_tests::{TestResult, eventually, field, object, script};
use k8s_client_test_harness::{ControlPlane, Node};
use serde_json::json;
use tokio::{
    sync::Mutex,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep, timeout},
};

/// How many lines are written each second.
const RATE: usize = 1000;

/// The pods' script: it counts for as long as it runs, 50 lines at a time, which have almost the same stamp.
const COUNTING: &str =
    "i=0; while :; do j=0; while [ $j -lt 50 ]; do echo $i; i=$((i+1)); j=$((j+1)); done; sleep 0.05; done";

/// Follows a pod that counts. The number of lines so far is what comes next.
struct Counted {
    count: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Counted {
    /// From the last line on, of which nothing is known but that the next one follows from it.
    async fn start(client: &Clientset, pod: &str) -> TestResult<Self> {
        let mut log = client.core_v1().pods("default").logs(pod).tail_lines(1).follow_on().await?;
        let first = log.try_next().await?;
        let Some(LogEvent::Line(first)) = first else { panic!("{first:?} is no line") };
        let count = Arc::new(Mutex::new(first.text().parse::<usize>()? + 1));
        let counted = count.clone();
        let task = tokio::spawn(async move {
            loop {
                let event = log.try_next().await.expect("no error ends it").expect("the container runs");
                let LogEvent::Line(line) = event else { continue };
                let mut count = counted.lock().await;
                assert_eq!(line.to_string(), count.to_string(), "a line is missing or comes twice");
                *count += 1;
            }
        });
        Ok(Self { count, task })
    }

    /// Waits until so many more lines have come.
    async fn more(&self, what: &str, lines: usize) {
        let goal = *self.count.lock().await + lines;
        let come = async {
            while *self.count.lock().await < goal {
                assert!(!self.task.is_finished(), "the follower failed, see above: {what}");
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(90), come).await.unwrap_or_else(|_| panic!("no lines come any more: {what}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_comes_once_whatever_breaks() -> TestResult {
    let mut plane = spawn_blocking(ControlPlane::start_new).await??;
    let Some(nodes) = plane.nodes().cloned() else { return Ok(()) };
    let client = Clientset::new(&Config::from_kubeconfig(plane.kubeconfig())?)?;
    eventually("the namespace has its account", || async {
        let account = object(json!({ "metadata": { "name": "default" } }));
        match client.core_v1().service_accounts("default").create(&account).await {
            Err(error) if !error.is_already_exists() => None,
            _ => Some(()),
        }
    })
    .await;
    let pods = client.core_v1().pods("default");
    let mut followers = Vec::new();
    for (number, node) in nodes.both().iter().enumerate() {
        let name = format!("count-{number}");
        pods.create(&object(script(node, &name, COUNTING))).await?;
        eventually("the pod runs", || async {
            let pod = pods.get(&name).await.expect("the pod is there");
            (field(&pod, "/status/phase") == "Running").then_some(())
        })
        .await;
        followers.push(Counted::start(&client, &name).await?);
    }
    let all_come = async |what: &str| {
        for follower in &followers {
            follower.more(what, RATE).await;
        }
    };
    let on_both = |fault: fn(&Node) -> Result<(), k8s_client_test_harness::Error>| {
        let nodes = nodes.both();
        spawn_blocking(move || nodes.iter().try_for_each(fault))
    };
    all_come("nothing has broken").await;

    // Back by more than seconds, so that stamps of lines that were given out come a second time. The nodes share it.
    let shift_clock = |seconds| {
        let node = nodes.websocket();
        spawn_blocking(move || node.shift_clock(seconds))
    };
    shift_clock(-3600).await??;
    all_come("the nodes' clock was set back").await;
    on_both(Node::cut).await??;
    all_come("connections were cut behind that").await;
    shift_clock(0).await??;
    all_come("the nodes' clock was set right").await;

    let started = Instant::now();
    let mut cuts = 0;
    while started.elapsed() < Duration::from_secs(30) {
        on_both(Node::cut).await??;
        cuts += 1;
        sleep(Duration::from_millis(100)).await;
    }
    all_come("connections were cut").await;
    println!("{cuts} cuts, {} lines", *followers[0].count.lock().await);

    on_both(Node::kill_kubelet).await??;
    sleep(Duration::from_secs(2)).await;
    on_both(Node::start_kubelet).await??;
    all_come("the kubelets were killed").await;

    plane = spawn_blocking(move || plane.restart_kube_apiserver().map(|()| plane)).await??;
    all_come("kube-apiserver was restarted").await;
    drop(plane);
    Ok(())
}
