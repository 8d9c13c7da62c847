//! `cargo xtask api-diff` as it is run: exit codes, and a real server.

use std::process::{Command, Output};

fn api_diff(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("api-diff").args(arguments).output().expect("xtask can be run")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_exit_code_says_whether_something_was_found_or_nothing_could_be_done() {
    let found = ["1.36", "1.37", "--fail-on", "rust"];
    for (arguments, expected) in [
        (&["1.36", "1.37"][..], 0),
        (&["1.34", "1.35", "--fail-on", "wire,apply"], 0),
        (&["1.34", "1.35", "--fail-on", "wire,apply", "--unstable"], 1),
        (&found, 1),
        (&["1.36", "1.37", "--fail-on", "rust", "--group", "events"], 0),
        (&["1.36", "1.99"], 2),
        (&["1.36", "1.37", "--group", "bach"], 2),
        (&["1.36", "no-such-file.yaml"], 2),
        (&["1.36", "1.37", "--fail-on", "everybody"], 2),
        (&["1.36", "Cargo.toml"], 2),
    ] {
        let output = api_diff(arguments);
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {}", text(&output));
    }
}

#[test]
fn steps_give_a_report_for_each_version_on_the_way() {
    let output = api_diff(&["1.33", "1.36", "--steps", "--format", "json"]);
    let reports: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let ends: Vec<_> = reports["reports"].as_array().expect("reports").iter().map(|it| it["to"].to_string()).collect();
    assert_eq!(ends.len(), 3);
    assert!(ends.iter().zip(["1.34", "1.35", "1.36"]).all(|(end, version)| end.contains(version)), "{ends:?}");
}

/// What is stored of the newest version, down to the values of enums, is what a server of that version publishes; and
/// definitions are on a server what they are in their file.
#[cfg(feature = "cluster")]
#[test]
fn a_server_is_compared_with_a_stored_version_and_with_definitions() {
    use k8s_client_runtime::{Config, RestClient};
    use k8s_client_test_harness::ControlPlane;

    let plane = ControlPlane::start().expect("a control plane");
    let kubeconfig = plane.kubeconfig().display().to_string();
    let compare = |arguments: &[&str]| api_diff(&[arguments, &["--kubeconfig", &kubeconfig]].concat());

    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../api-specs")).expect("api-specs");
    let minor = folders.filter_map(|it| it.ok()?.file_name().to_str()?.strip_prefix("v1.")?.parse::<u32>().ok()).max();
    let newest = format!("1.{}", minor.expect("a version"));
    let output = compare(&[&newest, "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let changes = report["reports"][0]["changes"].as_array().expect("changes");
    // This server does not show the logs of its machine.
    let names: Vec<_> = changes.iter().map(|change| change["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["GET /logs/", "GET /logs/{logpath}"], "{}", text(&output));

    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/custom-resources/definitions/gadgets.toys.example.com.json");
    let definition = std::fs::read_to_string(file).expect("the definition");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = RestClient::new(&Config::from_kubeconfig(&kubeconfig).expect("a kubeconfig")).expect("a client");
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let request = client.post().abs_path(path).body("application/json", definition.clone());
        request.send().await.expect("the definition is created");
    });
    let output = compare(&[file, "cluster"]);
    assert!(output.status.success() && text(&output).contains("Nothing differs."), "{}", text(&output));
    // One that asks for more than the server has.
    let folder = tempfile::tempdir().expect("a folder");
    let newer = folder.path().join("newer.json");
    let newer_definition = definition.replace("\"required\": [\"spec\"]", "\"required\": [\"labels\", \"spec\"]");
    assert_ne!(newer_definition, definition);
    std::fs::write(&newer, newer_definition).expect("a file");
    let output = compare(&["cluster", &newer.display().to_string(), "--fail-on", "wire,rust"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    plane.stop().expect("the control plane stops");
}
