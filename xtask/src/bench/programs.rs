//! Builds the programs of `tests/bench`.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::peer::Program;
use crate::{Result, process, root};

/// The cargo workspace of the Rust programs.
pub(super) const RUST: &str = "tests/bench/rust";

/// The module of the Go programs.
pub(super) const GO: &str = "tests/bench/client-go";

/// Where everything of the benchmark is kept.
pub(super) fn folder() -> PathBuf {
    root().join("target/bench")
}

/// The programs, built and kept apart from what the next build makes.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds each for release, and if it `counts` once more with a counting allocator where that is another program.
    pub(super) fn build(programs: &BTreeSet<Program>, counts: bool) -> Result<Self> {
        let built = Self { folder: folder().join("programs") };
        fs::create_dir_all(&built.folder).map_err(|error| format!("{}: {error}", built.folder.display()))?;
        // One after the other: built together they would have each other's features.
        for program in programs {
            for counts in [false, true].into_iter().filter(|counting| counts || !counting) {
                match program {
                    Program::K8sClient => built.cargo("k8s-client-bench", counts)?,
                    Program::Kube => built.cargo("kube-bench", counts)?,
                    // Go's runtime always counts.
                    Program::ClientGo if counts => {}
                    Program::ClientGo => built.go()?,
                }
            }
        }
        Ok(built)
    }

    /// The command that starts a program.
    pub(super) fn command(&self, program: Program, counts: bool) -> Command {
        Command::new(match program {
            Program::K8sClient => self.path("k8s-client-bench", counts),
            Program::Kube => self.path("kube-bench", counts),
            Program::ClientGo => self.path("client-go-bench", false),
        })
    }

    fn path(&self, package: &str, counts: bool) -> PathBuf {
        self.folder.join(if counts { format!("{package}-counting") } else { package.to_owned() })
    }

    fn cargo(&self, package: &str, counts: bool) -> Result<()> {
        let target = folder().join("rust");
        let mut cargo = cargo(&target);
        cargo.args(["build", "--release", "--locked", "--package", package]);
        if counts {
            cargo.args(["--features", "count-allocations"]);
        }
        process::run(&mut cargo)?;
        let (from, to) = (target.join("release").join(package), self.path(package, counts));
        fs::copy(&from, &to).map_err(|error| format!("copy {} to {}: {error}", from.display(), to.display()))?;
        Ok(())
    }

    fn go(&self) -> Result<()> {
        process::run(go().arg("build").args(RELEASE).arg("-o").arg(self.path("client-go-bench", false)).arg("."))
    }
}

/// What Go is told for programs without symbols.
pub(super) const RELEASE: [&str; 2] = ["-ldflags", "-s -w"];

/// Cargo in the workspace of the Rust programs.
pub(super) fn cargo(target: &Path) -> Command {
    let mut cargo = process::cargo();
    cargo.current_dir(root().join(RUST)).env("CARGO_TARGET_DIR", target);
    // What `cargo xtask` tells xtask of itself. ring's build script would see a change in it and have nearly everything
    // built again, each time that cargo is called in another way.
    let of_xtask = |name: &OsString| {
        name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| of_xtask(name)) {
        cargo.env_remove(name);
    }
    cargo
}

/// Go in the module of the Go programs.
pub(super) fn go() -> Command {
    let mut go = Command::new("go");
    go.current_dir(root().join(GO)).env("CGO_ENABLED", "0");
    go
}
