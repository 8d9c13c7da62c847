//! The example on a real control plane, without a terminal.

use std::process::Command;

use k8s_client_integration_tests::{Test, TestResult, control_plane, nodes, script};
use serde_json::{Value, json};

/// What the example prints of the pods with the label `app=web`, up to so many lines.
fn printed(test: &Test, lines: usize) -> TestResult<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_logs"))
        .arg("--kubeconfig")
        .arg(control_plane().kubeconfig())
        .args(["--namespace", &test.namespace, "--selector", "app=web", "--lines", &lines.to_string()])
        // A container runtime cuts long lines, and each piece counts as a line.
        .args(["--tail", "10000"])
        .output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The pod with that label.
fn labelled(mut pod: Value) -> Value {
    pod["metadata"]["labels"] = json!({ "app": "web" });
    pod
}

#[tokio::test]
async fn example_follows_the_pods_of_a_selector() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    for (node, name) in nodes.both().iter().zip(["a", "b"]) {
        let pod = script(node, name, "echo one; echo two; exec sleep 1000");
        test.run_pod(node, labelled(pod)).await;
    }
    let printed = printed(&test, 4)?;
    for pod in ["a", "b"] {
        let of = format!("{}/{pod} main", test.namespace);
        let expected = format!("{of} one\n");
        assert!(printed.contains(&expected) && printed.contains(&format!("{of} two\n")), "{printed}");
    }
    assert!(!printed.contains('\x1b'), "there is no terminal: {printed:?}");
    Ok(())
}

#[tokio::test]
async fn line_that_comes_in_pieces_is_shown_as_one() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    let writes = "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo two; exec sleep 1000";
    let node = &nodes.both()[0];
    test.run_pod(node, labelled(script(node, "a", writes))).await;
    let of = format!("{}/a main", test.namespace);
    let shown = printed(&test, 2)?.replace(&"x".repeat(20_000_000), "long");
    assert!(shown.ends_with(&format!("{of} long\n{of} two\n")), "{}", shown.get(..1000).unwrap_or(&shown));
    Ok(())
}
