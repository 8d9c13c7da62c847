//! The programs of `examples`, built together and run on a control plane.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command as Process, Stdio},
    thread,
    time::Duration,
};

use k8s_client_test_harness::ControlPlane;

use crate::{Result, process};

/// client-go's deployment example, which asks before each step.
pub(crate) const DEPLOYMENT: &str = "create-update-delete-deployment";

/// Shows what comes and goes with a deployment.
const WAIT: &str = "wait-for-objects";

/// What the deployment example is shown with: see [`use_pods`] for the last three.
pub(crate) const OF_THE_DEPLOYMENT: &[&str] = &[DEPLOYMENT, WAIT, "exec", "port-forward", "logs"];

/// The fake API server as a program of its own.
pub(crate) const FAKE_SERVER: &str = "fake-server";

/// What the deployment example is shown with on the fake server, where no pods run.
pub(crate) const ON_FAKE: &[&str] = &[DEPLOYMENT, WAIT, FAKE_SERVER];

/// Examples that only read.
const READING: &[&str] = &["api-resources", "kubeconfig", "pod-metrics-cache"];

/// Examples that work in the namespace they are told, and ask nothing with `--yes`.
const CHANGING: &[&str] = &[
    "controller",
    "custom-group",
    "custom-resource",
    "dynamic-create-update-delete-deployment",
    "informer",
    "metrics",
    "typed-custom-resource",
    "workqueue",
];

/// Examples that need no control plane.
const WITHOUT_A_SERVER: &[&str] = &["fake-clientset"];

/// Shows two candidates.
const ELECTION: &str = "leader-election";

/// How often something is tried that needs a container's server, which may take a moment to listen.
const TRIES: usize = 30;

/// The package that makes and deletes namespaces, and the program of it that does so.
const NAMESPACES: (&str, &str) = ("k8s-client-integration-tests", "test-namespace");

/// Builds these packages together, so that they share what they depend on.
pub(crate) fn build(packages: &[&str]) -> Result<()> {
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    process::run(process::cargo().arg("build").args(packages))
}

/// Runs every example that ends by itself. One that fails is named.
pub(crate) fn run_all(plane: &ControlPlane) -> Result<()> {
    build(&[OF_THE_DEPLOYMENT, READING, CHANGING, WITHOUT_A_SERVER, &[ELECTION, NAMESPACES.0]].concat())?;

    let named = |name: &str, result: Result<()>| result.map_err(|error| format!("examples/{name}: {error}"));
    for name in WITHOUT_A_SERVER {
        process::heading(&format!("examples/{name}"));
        named(name, process::run(&mut built(name)?))?;
    }
    for name in READING {
        process::heading(&format!("examples/{name}"));
        named(name, process::run(&mut program(name, plane)?))?;
    }
    for name in CHANGING {
        process::heading(&format!("examples/{name}"));
        let namespace = Namespace::make(plane)?;
        named(name, process::run(program(name, plane)?.arg("--yes").args(["--namespace", &namespace.name])))?;
    }
    process::heading(&format!("examples/{ELECTION}, twice"));
    let namespace = Namespace::make(plane)?;
    named(ELECTION, one_leader_after_the_other(plane, &namespace.name))?;
    process::heading(&format!("examples/{DEPLOYMENT}, with examples/{WAIT}"));
    let namespace = Namespace::make(plane)?;
    named(DEPLOYMENT, deployment_step_by_step(plane, &namespace.name))?;
    named(WAIT, deployment_gone(plane, &namespace.name))?;
    Ok(())
}

/// Two copies of the election's example at the same time. The second one leads when the first one has ended.
fn one_leader_after_the_other(plane: &ControlPlane, namespace: &str) -> Result<()> {
    let start =
        || -> Result<Child> { Ok(program(ELECTION, plane)?.args(["--namespace", namespace, "--steps", "2"]).spawn()?) };
    let copies = [start()?, start()?];
    for mut copy in copies {
        let status = copy.wait()?;
        if !status.success() {
            return Err(format!("{ELECTION}: {status}").into());
        }
    }
    Ok(())
}

/// Answers the deployment example's prompts, the first once the controllers have made a ReplicaSet and pods of the
/// deployment, and those were used.
pub(crate) fn deployment_step_by_step(plane: &ControlPlane, namespace: &str) -> Result<()> {
    if let Some(nodes) = plane.nodes() {
        nodes.schedule(namespace)?;
    }
    let mut example = program(DEPLOYMENT, plane)?;
    let mut running = example.args(["--namespace", namespace]).stdin(Stdio::piped()).spawn()?;
    if let Err(error) = wait(plane, namespace, "present").and_then(|()| use_pods(plane, namespace)) {
        running.kill()?;
        running.wait()?;
        return Err(error);
    }
    if let Some(mut prompts) = running.stdin.take() {
        prompts.write_all(b"\n\n\n")?;
    }
    let status = running.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{DEPLOYMENT}: {status}").into()) }
}

/// Runs a command in a pod of the deployment, asks its web server for a page and shows the logs of all its pods, if
/// pods run.
fn use_pods(plane: &ControlPlane, namespace: &str) -> Result<()> {
    if plane.nodes().is_none() || !plane.has_controllers() {
        return Ok(());
    }
    let shown = |name: &str, arguments: &[&str], input: &[u8], code: i32, expected: &str| -> Result<()> {
        let mut program = program(name, plane)?;
        program.args(["--namespace", namespace, "--selector", "app=demo"]).args(arguments);
        let mut running = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        if let Some(mut prompt) = running.stdin.take() {
            prompt.write_all(input)?;
        }
        let output = running.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if output.status.code() == Some(code) && text.contains(expected) {
            print!("{name}: {text}");
            Ok(())
        } else {
            Err(format!("{name}: {output:?}; expected exit code {code} and {expected:?} in the output").into())
        }
    };
    let script = "read line; echo \"heard $line\"; exit 3";
    shown("exec", &["--", "sh", "-c", script], b"hello\n", 3, "heard hello\n")?;
    // A container runs a moment before its server listens.
    let mut tries = 0;
    while let Err(error) =
        shown("port-forward", &["--port", "80", "--get", "/from/the/example"], b"", 0, "GET /from/the/example")
    {
        tries += 1;
        if tries == TRIES {
            return Err(error);
        }
        thread::sleep(Duration::from_secs(1));
    }
    // Each of the two pods says that it listens, and one of them what it was asked.
    shown("logs", &["--lines", "3"], b"", 0, "GET /from/the/example")
}

/// Waits until the deployment's ReplicaSet and pods are gone, if there are controllers.
pub(crate) fn deployment_gone(plane: &ControlPlane, namespace: &str) -> Result<()> {
    wait(plane, namespace, "gone")
}

fn wait(plane: &ControlPlane, namespace: &str, until: &str) -> Result<()> {
    if !plane.has_controllers() {
        return Ok(());
    }
    process::run(program(WAIT, plane)?.args(["--until", until, "--namespace", namespace]))
}

/// An example, which [`build`] has built. `cargo run` would build it again, with its own choice of features.
pub(crate) fn program(name: &str, plane: &ControlPlane) -> Result<Process> {
    let mut example = built(name)?;
    example.arg("--kubeconfig").arg(plane.kubeconfig());
    Ok(example)
}

/// A program beside this one, since the same cargo builds both.
pub(crate) fn built(name: &str) -> Result<Process> {
    let path = env::current_exe()?.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
    let mut program = Process::new(path);
    program.current_dir(crate::root());
    Ok(program)
}

/// A namespace for one example, deleted when this is dropped.
struct Namespace {
    name: String,
    keeper: Child,
}

impl Namespace {
    fn make(plane: &ControlPlane) -> Result<Self> {
        let mut keeper = built(NAMESPACES.1)?;
        let mut keeper = keeper.envs(plane.environment()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut name = String::new();
        if let Some(answer) = keeper.stdout.take() {
            BufReader::new(answer).read_line(&mut name)?;
        }
        let namespace = Self { name: name.trim().to_owned(), keeper };
        if namespace.name.is_empty() { Err("no namespace could be made, see above".into()) } else { Ok(namespace) }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("namespace {}: {error}", self.name);
        }
    }
}
