//! The example on a real control plane, without a terminal.

use std::process::Command;

use k8s_client_integration_tests::{Test, TestResult, control_plane, nodes, script};
use serde_json::json;

#[tokio::test]
async fn example_follows_the_pods_of_a_selector() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    for (node, name) in nodes.both().iter().zip(["a", "b"]) {
        let mut pod = script(node, name, "echo one; echo two; exec sleep 1000");
        pod["metadata"]["labels"] = json!({ "app": "web" });
        test.run_pod(node, pod).await;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_logs"))
        .arg("--kubeconfig")
        .arg(control_plane().kubeconfig())
        .args(["--namespace", &test.namespace, "--selector", "app=web", "--lines", "4"])
        .output()?;
    let printed = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    for pod in ["a", "b"] {
        let of = format!("{}/{pod} main", test.namespace);
        let expected = format!("{of} one\n");
        assert!(printed.contains(&expected) && printed.contains(&format!("{of} two\n")), "{printed}");
    }
    assert!(!printed.contains('\x1b'), "there is no terminal: {printed:?}");
    Ok(())
}
