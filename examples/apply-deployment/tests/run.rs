//! The example on a real control plane.

use std::process::Command;

use k8s_client_integration_tests::{Test, TestResult, control_plane, gone};

#[tokio::test]
async fn example_applies_shares_takes_over_and_deletes() -> TestResult {
    let test = Test::namespace().await;
    let output = Command::new(env!("CARGO_BIN_EXE_apply-deployment"))
        .arg("--kubeconfig")
        .arg(control_plane().kubeconfig())
        .args(["--namespace", &test.namespace, "--yes"])
        .output()?;
    let printed = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));

    let expected = [
        " * releases owns\n",
        "     spec.template.spec.containers[0].image: \"nginx:1.12\"\n",
        " * capacity owns nothing\n",
        "     spec.template.spec.containers[0].image: \"nginx:1.13\"\n",
        " * capacity owns\n     spec.replicas: 2\n",
        "conflict with \"capacity\": .spec.replicas\n",
        "     spec.replicas: 3\n",
        " * capacity owns nothing\n",
    ];
    let mut rest = printed.as_str();
    for expected in expected {
        let (_, after) =
            rest.split_once(expected).ok_or_else(|| format!("{expected:?} is not in its place: {printed}"))?;
        rest = after;
    }
    assert!(!rest.contains("containers[0].ports"), "nobody owns the ports in the end: {printed}");

    let deployments = test.client.apps_v1().deployments(&test.namespace);
    if control_plane().has_controllers() {
        gone("the deployment", || deployments.get("apply-demo")).await;
    }
    Ok(())
}
