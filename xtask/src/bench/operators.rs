//! How long a small operator takes to build, from nothing and after a change, and how large it is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Instant, SystemTime},
};

use serde_json::{Value, json};

use super::{
    peer::{Peer, Program},
    proc, programs,
    statistics::Summary,
    table::{Row, Table, Unit},
};
use crate::{Result, process, root};

/// How often a program is built after a change.
const REBUILDS: usize = 3;

/// The profile's settings beyond those of the workspace: a program is given to users without symbols, and a developer
/// needs backtraces only.
const PROFILE: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_STRIP", "symbols"), ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")];

/// What was measured of one client's operator.
#[derive(Debug)]
struct Built {
    peer: Peer,
    /// Crates, or packages of Go.
    units: f64,
    size: f64,
    release: Took,
    release_again: Option<Summary>,
    dev: Option<Took>,
    dev_again: Option<Summary>,
}

/// What a build took, in seconds.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: f64,
    cpu: f64,
}

/// The operators that were built.
#[derive(Debug)]
pub(super) struct Operators(Vec<Built>);

impl Operators {
    /// Builds the operators of these programs one after the other, each in folders that were empty.
    pub(super) fn build(programs: &BTreeSet<Program>) -> Result<Self> {
        let built = programs.iter().map(|program| match program {
            Program::K8sClient => {
                cargo(Peer::K8sClient, "k8s-client-operator", "examples/one-group-operator/src/main.rs")
            }
            Program::Kube => cargo(Peer::Kube, "kube-operator", "tests/bench/rust/kube-operator/src/main.rs"),
            Program::ClientGo => go(),
        });
        Ok(Self(built.collect::<Result<_>>()?))
    }

    pub(super) fn to_json(&self) -> Value {
        let took = |took: Took| json!({ "wall_seconds": took.wall, "cpu_seconds": took.cpu });
        let summary =
            |summary: Summary| json!({ "least": summary.least, "median": summary.median, "most": summary.most });
        let one = |built: &Built| {
            json!({
                "peer": built.peer.name(),
                "compiled": built.units,
                "stripped_bytes": built.size,
                "release": took(built.release),
                "release_rebuild_seconds": built.release_again.map(summary),
                "dev": built.dev.map(took),
                "dev_rebuild_seconds": built.dev_again.map(summary),
            })
        };
        self.0.iter().map(one).collect()
    }

    pub(super) fn to_markdown(&self) -> String {
        let row = |label: &str, unit, cell: &dyn Fn(&Built) -> Option<Summary>| Row {
            label: label.to_owned(),
            unit,
            cells: self.0.iter().map(cell).collect(),
        };
        let one = |value| Some(Summary::one(value));
        let table = Table {
            peers: self.0.iter().map(|built| built.peer).collect(),
            rows: vec![
                row("release build, CPU", Unit::Seconds, &|built| one(built.release.cpu)),
                row("release build, wall", Unit::Seconds, &|built| one(built.release.wall)),
                row("crates or packages", Unit::Count, &|built| one(built.units)),
                row("stripped program", Unit::FileSize, &|built| one(built.size)),
                row("release build after a change, wall", Unit::Seconds, &|built| built.release_again),
                row("dev build, CPU", Unit::Seconds, &|built| one(built.dev?.cpu)),
                row("dev build, wall", Unit::Seconds, &|built| one(built.dev?.wall)),
                row("dev build after a change, wall", Unit::Seconds, &|built| built.dev_again),
            ],
        };
        format!(
            "### build\n\nAn operator on one API group (`examples/one-group-operator`), built from nothing with thin LTO and one \
             codegen unit; Go without cgo.\n\n{table}"
        )
    }
}

fn cargo(peer: Peer, package: &str, main: &str) -> Result<Built> {
    let target = emptied(package)?;
    let cargo = |arguments: &[&str]| {
        let mut cargo = programs::cargo(&target);
        cargo.args(arguments).arg("--locked").envs(PROFILE);
        cargo
    };
    // What is measured is the compiler, not the network.
    process::run(&mut cargo(&["fetch"]))?;

    process::heading(&format!("{package}, from nothing"));
    let release = || cargo(&["build", "--release", "--package", package]);
    let (release_took, messages) = timed(&mut release())?;
    let size = size(&target.join("release").join(package))?;
    let release_again = after_changes(&root().join(main), release)?;
    let dev = || cargo(&["build", "--package", package]);
    let (dev_took, _) = timed(&mut dev())?;
    let dev_again = after_changes(&root().join(main), dev)?;
    remove(&target)?;
    Ok(Built {
        peer,
        units: lines(&messages, |line| line.trim_start().starts_with("Compiling ")),
        size,
        release: release_took,
        release_again,
        dev: Some(dev_took),
        dev_again,
    })
}

fn go() -> Result<Built> {
    let cache = emptied("client-go-operator")?;
    process::run(programs::go().args(["mod", "download"]))?;

    process::heading("client-go's operator, from nothing");
    let program = cache.join("operator");
    let mut build = programs::go();
    build.env("GOCACHE", cache.join("cache")).args(["build", "-v"]).args(programs::RELEASE);
    let (release, messages) = timed(build.arg("-o").arg(&program).arg("./operator"))?;
    let size = size(&program)?;
    remove(&cache)?;
    // Go asks what a file says, not when it changed, and has one profile.
    Ok(Built {
        peer: Peer::ClientGo,
        units: lines(&messages, |line| !line.starts_with("go: ")),
        size,
        release,
        release_again: None,
        dev: None,
        dev_again: None,
    })
}

/// An empty folder for a build.
fn emptied(name: &str) -> Result<PathBuf> {
    let folder = programs::folder().join("build").join(name);
    remove(&folder)?;
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()).into())
        }
        _ => Ok(()),
    }
}

/// Runs a build; what it took and what it told.
fn timed(build: &mut Command) -> Result<(Took, String)> {
    let (cpu, started) = (proc::cpu_seconds_of_children()?, Instant::now());
    let output = build.output().map_err(|error| format!("{build:?}: cannot be started: {error}"))?;
    let took = Took { wall: started.elapsed().as_secs_f64(), cpu: proc::cpu_seconds_of_children()? - cpu };
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("{build:?}: {}\n{messages}", output.status).into());
    }
    println!("{:.1} s, {:.1} s of CPU", took.wall, took.cpu);
    Ok((took, messages))
}

/// How long it takes to build again, each time the file seems to have changed.
fn after_changes(file: &Path, build: impl Fn() -> Command) -> Result<Option<Summary>> {
    let mut took = Vec::new();
    for _ in 0..REBUILDS {
        let touched = fs::File::options().append(true).open(file).and_then(|file| file.set_modified(SystemTime::now()));
        touched.map_err(|error| format!("touch {}: {error}", file.display()))?;
        took.push(timed(&mut build())?.0.wall);
    }
    Ok(Summary::of(took))
}

fn lines(messages: &str, is_unit: impl Fn(&str) -> bool) -> f64 {
    messages.lines().filter(|line| is_unit(line)).map(|_| 1.0).sum()
}

fn size(program: &Path) -> Result<f64> {
    let metadata = fs::metadata(program).map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(super::number(metadata.len()))
}
