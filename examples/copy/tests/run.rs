//! The example on a real control plane.

use std::{fs, process::Command};

use k8s_client_integration_tests::{Test, TestResult, control_plane, nodes};

#[tokio::test]
async fn example_copies_to_a_container_and_back() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    test.run_script(&nodes.websocket(), "web", "exec sleep 1000").await;
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("site/deep"))?;
    fs::write(folder.path().join("site/deep/index.html"), "hello")?;
    let run = |from: &str, to: &str| -> TestResult<String> {
        let output = Command::new(env!("CARGO_BIN_EXE_copy"))
            .current_dir(folder.path())
            .arg("--kubeconfig")
            .arg(control_plane().kubeconfig())
            .args(["--namespace", &test.namespace, from, to])
            .output()?;
        let printed = String::from_utf8(output.stdout)?;
        assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
        Ok(printed)
    };
    assert_eq!(run("site", "web:site")?, "1 files, 5 bytes\n");
    assert_eq!(run("web:site", "back")?, "1 files, 5 bytes\n");
    assert_eq!(fs::read_to_string(folder.path().join("back/deep/index.html"))?, "hello");
    Ok(())
}
