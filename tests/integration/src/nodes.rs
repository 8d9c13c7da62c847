//! Pods that run: on the control plane's nodes.

use k8s_client_test_harness::{Container, Node, Nodes};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::{Test, control_plane, eventually, field, object};

/// The nodes that run pods. Where there are none this says so and is `None`: then the test has nothing to do.
///
/// ```no_run
/// # use k8s_client_integration_tests::{Test, TestResult, nodes};
/// # async fn test() -> TestResult {
/// let Some(nodes) = nodes() else { return Ok(()) };
/// for node in nodes.both() {
///     let test = Test::namespace().await;
///     let pod = test.run_script(&node, "web", "echo ready; exec sleep 1000").await;
///     assert_eq!(test.client.core_v1().pods(&test.namespace).logs("web").await?, "ready\n");
///     pod.rotate_log()?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn nodes() -> Option<&'static Nodes> {
    let nodes = control_plane().nodes();
    if nodes.is_none() {
        println!("skipped: this control plane has no nodes of ours, so nothing runs commands of this machine");
    }
    nodes
}

/// A pod of one container, `main`, that runs a script on this node. It has one second to end when it is deleted.
pub fn script(node: &Node, name: &str, script: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": {
            "nodeName": node.name(),
            "terminationGracePeriodSeconds": 1,
            "containers": [{ "name": "main", "image": "local", "command": ["sh", "-c", script] }],
        },
    })
}

impl Test {
    /// Makes a pod of [`script`] and waits until it runs.
    pub async fn run_script(&self, node: &Node, name: &str, text: &str) -> Container {
        self.run_pod(node, script(node, name, text)).await;
        self.container(name, "main")
    }

    /// Makes a pod on the node, whatever the JSON says about that, and waits until it runs.
    pub async fn run_pod(&self, node: &Node, mut pod: Value) -> Pod {
        pod["spec"]["nodeName"] = json!(node.name());
        let pod: Pod = object(pod);
        let pods = self.client.core_v1().pods(&self.namespace);
        let created = pods.create(&pod).await.expect("the pod is good");
        let name = created.metadata.name.unwrap_or_default();
        self.pod_in_phase(&name, "Running").await
    }

    /// Waits until the pod is in the phase, which another one may come between.
    pub async fn pod_in_phase(&self, name: &str, phase: &str) -> Pod {
        let pods = self.client.core_v1().pods(&self.namespace);
        eventually(&format!("pod {name} is {phase}"), || async {
            let pod = pods.get(name).await.expect("the pod is there");
            (field(&pod, "/status/phase") == phase).then_some(pod)
        })
        .await
    }

    /// A container of a pod that runs on the control plane's nodes.
    pub fn container(&self, pod: &str, container: &str) -> Container {
        let nodes = self.nodes.as_ref().expect("a pod runs");
        nodes.container(&self.namespace, pod, container)
    }
}
