//! The fake API server as a program of its own, and `cargo xtask test --fake`: tests of the real API server, run on the
//! fake one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use k8s_client_test_harness::{CONTROLLERS_VARIABLE, KUBECONFIG_VARIABLE};

use crate::{Result, examples, process};

/// The tests that are left out, and why.
const SKIPPED: &str = "tests/integration/skipped-on-fake.txt";

/// The test programs of which most can be run, all of the integration tests.
const PROGRAMS: [&str; 6] = ["apply", "controllers", "discovery", "dynamic", "sweep", "verbs"];

/// Tests of what controllers make.
const WITH_CONTROLLERS: [&str; 2] =
    ["deletion::deployment_takes_its_pods_along", "scale::replica_set_follows_the_scale_of_its_deployment"];

/// The contexts that tests ask for. The fake server tells nobody from anybody.
const CONTEXTS: [&str; 3] = ["admin", "token", "unprivileged"];

/// Where the server writes how to reach it.
const KUBECONFIG: &str = "target/fake.kubeconfig";

/// How long the server may take to say where it is.
const START: Duration = Duration::from_secs(30);

pub(crate) fn test() -> Result<()> {
    let list = fs::read_to_string(crate::root().join(SKIPPED))?;
    let skipped = skipped(&list)?;
    process::heading("The fake API server");
    examples::build(&[examples::FAKE_SERVER])?;
    process::heading("Tests of a real API server on it");
    // Many tests say themselves what happens to their objects.
    let not_now = skipped.iter().chain(&WITH_CONTROLLERS).flat_map(|test| ["--skip", test]);
    run(Controllers::None, not_now)?;
    process::heading("Those that need controllers");
    run(Controllers::All, WITH_CONTROLLERS)?;
    println!("\n{} tests were left out: see {SKIPPED}", skipped.len());
    Ok(())
}

/// Runs tests on a server of their own.
fn run<'a>(controllers: Controllers, arguments: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let server = Server::start(controllers)?;
    let mut cargo = process::cargo();
    // Of the whole workspace, so that what `cargo test --workspace` has built is built with the same features.
    cargo.args(["test", "--workspace", "--no-fail-fast"]).args(PROGRAMS.iter().flat_map(|program| ["--test", program]));
    cargo.args(["--", "--exact"]).args(arguments);
    let has_controllers = controllers == Controllers::All;
    process::run(
        cargo.env(KUBECONFIG_VARIABLE, &server.kubeconfig).env(CONTROLLERS_VARIABLE, has_controllers.to_string()),
    )
}

/// The names of the tests of a list, each of which has its reason behind it.
fn skipped(list: &str) -> Result<Vec<&str>> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (test, reason) = line.split_once(' ').unwrap_or((line, ""));
            if reason.trim().is_empty() { Err(format!("{SKIPPED}: {test} has no reason").into()) } else { Ok(test) }
        })
        .collect()
}

/// Whether the server does what controllers of a cluster do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controllers {
    None,
    All,
}

/// The server as a program of its own, which ends with this.
pub(crate) struct Server {
    program: Child,
    kubeconfig: PathBuf,
}

impl Server {
    /// Starts the server, which [`examples::build`] has built.
    pub(crate) fn start(controllers: Controllers) -> Result<Self> {
        let kubeconfig = &crate::root().join(KUBECONFIG);
        // One of an earlier server would be taken for this one's.
        drop(fs::remove_file(kubeconfig));
        let mut program = examples::built(examples::FAKE_SERVER)?;
        program.arg(kubeconfig);
        if controllers == Controllers::All {
            program.arg("--controllers");
        }
        // It serves until its input ends.
        let program = program.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let server = Self { program, kubeconfig: kubeconfig.to_owned() };
        let start = Instant::now();
        let text = loop {
            match fs::read_to_string(kubeconfig) {
                Ok(text) if text.ends_with("current-context: fake\n") => break text,
                _ if start.elapsed() > START => return Err("the fake server did not start".into()),
                _ => thread::sleep(Duration::from_millis(50)),
            }
        };
        let context = |name| format!("- name: {name}\n  context: {{ cluster: fake, user: fake }}\n");
        let contexts = CONTEXTS.map(context).concat();
        fs::write(kubeconfig, text.replace("current-context:", &format!("{contexts}current-context:")))?;
        Ok(server)
    }

    /// How to reach it.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of a program's tests.
    fn tests_of(program: &str) -> Vec<String> {
        let folder = crate::root().join("tests/integration/tests").join(program);
        let mut tests = Vec::new();
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let module = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let prefix = if module == "main" { String::new() } else { format!("{module}::") };
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines() {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let name = line.split_once("fn ").filter(|_| is_test).and_then(|(_, rest)| rest.split_once('('));
                if let Some((name, _)) = name {
                    tests.push(format!("{prefix}{name}"));
                    is_test = false;
                }
            }
        }
        tests
    }

    #[test]
    fn readme_says_how_many_tests_pass_on_it() {
        let tests: Vec<String> = PROGRAMS.iter().flat_map(|program| tests_of(program)).collect();
        let skipped = skipped(include_str!("../../tests/integration/skipped-on-fake.txt")).unwrap();
        for name in skipped.iter().chain(&WITH_CONTROLLERS) {
            assert!(tests.iter().any(|test| test == name), "{SKIPPED}: there is no test {name} any more");
        }
        let (all, skipped) = (tests.len(), skipped.len());
        let sentence = format!("{all} tests in all, {} pass on it and {skipped} are left out", all - skipped);
        let readme = include_str!("../../crates/fake/README.md").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(readme.contains(&sentence), "crates/fake/README.md should say: {sentence}");
    }

    #[test]
    fn a_test_is_left_out_for_a_reason() {
        let list = "# Why.\n\ntls::a there is no TLS\nlogs::b there are no nodes\n";
        assert_eq!(skipped(list).unwrap(), ["tls::a", "logs::b"]);
        assert!(skipped("tls::a\n").unwrap_err().to_string().contains("tls::a has no reason"));
        assert!(!skipped(include_str!("../../tests/integration/skipped-on-fake.txt")).unwrap().is_empty());
    }
}
