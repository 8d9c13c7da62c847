//! A control plane lives as long as its owner wants it to, and no longer than its owner.
//!
//! These start real ones, whatever runs already, because they are about starting and stopping.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio, abort},
    thread,
    time::{Duration, Instant},
};

use k8s_client_test_harness::{ControlPlane, Error, Source};

#[test]
fn a_started_control_plane_listens_and_leaves_nothing_behind() -> Result<(), Error> {
    let control_plane = ControlPlane::start_new()?;
    let server = control_plane.server().expect("it was started here").to_owned();
    let folder = control_plane.logs().expect("it was started here").to_owned();
    let processes = control_plane.process_ids();
    assert!(listens(&server));
    assert!(processes.iter().all(|process| exists(*process)));
    let kubeconfig = fs::read_to_string(control_plane.kubeconfig()).expect("a readable kubeconfig");
    assert!(kubeconfig.contains(&server));

    control_plane.stop()?;

    assert!(!listens(&server));
    assert!(!folder.exists());
    assert!(!processes.iter().any(|process| exists(*process)));
    Ok(())
}

#[test]
fn kube_apiserver_is_killed_and_started_again_with_the_same_address() -> Result<(), Error> {
    let mut control_plane = ControlPlane::start_new()?;
    let server = control_plane.server().expect("it was started here").to_owned();
    let before = control_plane.process_ids();

    control_plane.kill_kube_apiserver()?;
    assert!(!listens(&server));
    assert_eq!(control_plane.process_ids().len() + 1, before.len());

    control_plane.restart_kube_apiserver()?;
    assert!(listens(&server));
    let after = control_plane.process_ids();
    assert_eq!(after.len(), before.len());
    control_plane.stop()?;
    assert!(!before.iter().chain(&after).any(|process| exists(*process)));
    Ok(())
}

#[test]
fn a_cluster_that_was_not_started_here_is_not_killed() {
    let mut cluster = ControlPlane::existing("somebody's.kubeconfig");
    let error = cluster.kill_kube_apiserver().unwrap_err().to_string();
    assert_eq!(error, "the cluster of somebody's.kubeconfig was not started here, so it cannot be killed or started");
}

#[test]
fn a_panic_stops_the_control_plane() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let panicked = thread::spawn(move || {
        let control_plane = ControlPlane::start_new().expect("a control plane");
        sender.send((control_plane.server().map(str::to_owned), control_plane.logs().map(Path::to_owned))).ok();
        panic!("this panic is part of the test");
    })
    .join();
    assert!(panicked.is_err());
    let (server, folder) = receiver.recv().expect("it was sent before the panic");
    assert!(!listens(&server.expect("it was started here")));
    assert!(!folder.expect("it was started here").exists());
}

#[test]
fn a_killed_process_takes_its_control_plane_along() {
    let mut owner = Command::new(env::current_exe().expect("the path of this program"))
        .args(["--exact", "owner_that_aborts", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts");
    let stdout = owner.stdout.take().expect("it is piped");
    let said: Vec<_> = BufReader::new(stdout).lines().map_while(Result::ok).collect();
    owner.wait().expect("it ends");
    let after = |key| said.iter().find_map(|line| Some(line.split_once(key)?.1.to_owned()));
    let server = after("server=").expect("it said so");
    let folder = PathBuf::from(after("folder=").expect("it said so"));

    let deadline = Instant::now() + Duration::from_secs(60);
    while (folder.exists() || listens(&server)) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!listens(&server), "{server} still listens");
    assert!(!folder.exists(), "{} is still there", folder.display());
}

#[test]
fn a_component_that_ends_early_is_reported_with_its_log() {
    let error = start_scripts("echo unknown flag: --what; exit 3").unwrap_err().to_string();
    assert!(error.contains("kube-apiserver ended early (exit status: 3)"), "{error}");
    assert!(error.contains("unknown flag: --what"), "{error}");
}

#[test]
fn a_port_that_another_process_took_is_given_up_for_another() {
    let ports = tempfile::NamedTempFile::new().expect("a temporary file");
    let script = format!("echo $* >>{}; echo bind: address already in use; exit 1", ports.path().display());
    start_scripts(&script).unwrap_err();
    let starts = fs::read_to_string(ports.path()).expect("the script wrote it");
    assert_eq!(starts.lines().count(), 5, "{starts}");
    assert!(starts.lines().all(|flags| flags.contains("--secure-port=")), "{starts}");
}

/// Starts an etcd that does nothing and a kube-apiserver that is this script.
fn start_scripts(kube_apiserver: &str) -> Result<ControlPlane, Error> {
    let assets = tempfile::tempdir().expect("a temporary folder");
    for (name, script) in [("etcd", "exec sleep 60"), ("kube-apiserver", kube_apiserver)] {
        // Another program writes it: what this one has open for writing, a process that another test starts meanwhile
        // may have open too, for a moment, and what is open for writing is not executed.
        let path = assets.path().join(name);
        let write = "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$2\" && chmod 755 \"$2\"";
        let written = Command::new("sh").args(["-c", write, "sh", script]).arg(&path).status().expect("sh starts");
        assert!(written.success());
    }
    ControlPlane::start_from(Source::Assets(assets.path().to_owned()))
}

/// Not a test: the owner in [`a_killed_process_takes_its_control_plane_along`].
#[test]
#[ignore = "aborts"]
fn owner_that_aborts() {
    let control_plane = ControlPlane::start_new().expect("a control plane");
    println!("server={}", control_plane.server().expect("it was started here"));
    println!("folder={}", control_plane.logs().expect("it was started here").display());
    abort();
}

fn listens(server: &str) -> bool {
    let address = server.strip_prefix("https://").expect("a URL with https");
    TcpStream::connect(address).is_ok()
}

fn exists(process: u32) -> bool {
    Command::new("kill")
        .args(["-0", &process.to_string()])
        .stderr(Stdio::null())
        .status()
        .expect("kill starts")
        .success()
}
