//! The command on a real API server.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use k8s_client_runtime::{Config, RestClient};
use k8s_client_test_harness::{ControlPlane, TOKEN_CONTEXT, UNPRIVILEGED_CONTEXT};
use serde_json::{Value, json};

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// What a run of the command ends with: the exit code and all that it said.
fn run(folder: &Path, arguments: &[&str]) -> TestResult<(Option<i32>, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_k8s-client-generate"));
    let output = command.current_dir(folder).args(arguments).env_remove("KUBECONFIG").output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok((output.status.code(), said))
}

fn kubeconfig() -> String {
    ControlPlane::shared().kubeconfig().display().to_string()
}

/// Files with definitions of well-known projects.
fn files() -> TestResult<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/custom-resources/definitions");
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    Ok(files)
}

/// Gives the server definitions; what is there already stays.
fn install(definitions: &[Value]) -> TestResult {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = RestClient::new(&Config::from_kubeconfig(ControlPlane::shared().kubeconfig())?)?;
        for definition in definitions {
            let mut definition = definition.clone();
            // The names of Kubernetes' own groups are protected.
            definition["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": "unapproved, for a test"});
            match client.post().abs_path(DEFINITIONS).json(&definition).send().await {
                Err(error) if !error.is_already_exists() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    })
}

#[test]
fn what_a_cluster_gives_is_what_its_files_give() -> TestResult {
    let files = files()?;
    assert!(files.len() > 30, "{}", files.len());
    let definitions: Vec<Value> =
        files.iter().map(|file| Ok(serde_json::from_str(&fs::read_to_string(file)?)?)).collect::<TestResult<_>>()?;
    install(&definitions)?;
    let groups: Vec<&str> = definitions.iter().filter_map(|definition| definition["spec"]["group"].as_str()).collect();
    let groups: Vec<&str> = groups.into_iter().flat_map(|group| ["--group", group]).collect();

    let folder = tempfile::tempdir()?;
    let paths = files.iter().filter_map(|file| file.to_str());
    let (code, said) = run(folder.path(), &[&["-o", "out"], paths.collect::<Vec<_>>().as_slice()].concat())?;
    assert_eq!(code, Some(0), "{said}");

    let kubeconfig = kubeconfig();
    let of_cluster = [&["--kubeconfig", &kubeconfig, "-o", "out", "--check"], groups.as_slice()].concat();
    for arguments in [&["--cluster"][..], &["--context", TOKEN_CONTEXT]] {
        let (code, said) = run(folder.path(), &[of_cluster.as_slice(), arguments].concat())?;
        assert_eq!((code, said.as_str()), (Some(0), "files that differed: 0\n"), "{arguments:?}");
    }
    Ok(())
}

#[test]
fn what_a_cluster_refuses_or_does_not_have_is_one_error() -> TestResult {
    let folder = tempfile::tempdir()?;
    let kubeconfig = kubeconfig();
    let nowhere = folder.path().join("nowhere.yaml");
    let unreachable = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "nowhere",
        "clusters": [{"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}],
        "users": [{"name": "nobody", "user": {}}],
    });
    fs::write(&nowhere, unreachable.to_string())?;
    let nowhere = nowhere.display().to_string();
    for (arguments, start, part) in [
        (
            &["--kubeconfig", &kubeconfig, "--context", "staging"][..],
            "error: kubeconfig: context \"staging\" does not exist in ",
            "it has: ",
        ),
        (&["--kubeconfig", &nowhere], "error: https://127.0.0.1:1: ", "refused"),
        (&["--kubeconfig", &kubeconfig, "--context", UNPRIVILEGED_CONTEXT], "error: https://", "forbidden"),
        (
            &["--kubeconfig", &kubeconfig, "--group", "none.example.com"],
            "error: https://",
            "none of the group none.example.com",
        ),
    ] {
        let (code, said) = run(folder.path(), &[arguments, &["-o", "out"]].concat())?;
        assert!(
            code == Some(2) && said.starts_with(start) && said.contains(part) && said.lines().count() == 1,
            "{arguments:?}: {code:?} {said}"
        );
    }
    assert!(!folder.path().join("out").exists());
    Ok(())
}

#[test]
fn definitions_are_compared_with_those_of_a_cluster() -> TestResult {
    let file = files()?.into_iter().find(|file| file.ends_with("gadgets.toys.example.com.json")).ok_or("no gadgets")?;
    let text = fs::read_to_string(&file)?;
    install(&[serde_json::from_str(&text)?])?;
    let folder = tempfile::tempdir()?;
    let newer = text.replace("\"required\": [\"spec\"]", "\"required\": [\"labels\", \"spec\"]");
    assert_ne!(newer, text);
    fs::write(folder.path().join("newer.json"), newer)?;
    let kubeconfig = kubeconfig();
    let diff = |old: &str, new: &str| {
        run(
            folder.path(),
            &["diff", old, new, "--kubeconfig", &kubeconfig, "--group", "toys.example.com", "--fail-on", "wire,rust"],
        )
    };
    let file = file.display().to_string();
    for (old, new) in [(file.as_str(), "cluster"), ("cluster:token", file.as_str()), ("cluster", "cluster:token")] {
        let (code, said) = diff(old, new)?;
        assert!(code == Some(0) && said.contains("Nothing differs."), "{old} {new}: {said}");
    }
    let (code, said) = diff("cluster", "newer.json")?;
    assert!(code == Some(1) && said.contains("Gadget.labels"), "{said}");
    Ok(())
}
