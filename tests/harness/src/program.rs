//! The program of `tests/control-plane`: built once with Go, then found in the target folder.

use std::{
    collections::VecDeque,
    env,
    ffi::OsStr,
    fmt::Write as _,
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use crate::{
    ASSETS_VARIABLE, Error, KUBECONFIG_VARIABLE,
    component::{ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, TEST_NODE},
};

const PROGRAM: &str = "control-plane";

/// The program's package beside the main one. The other folders of the module are programs of their own.
const NODE_PACKAGE: &str = "node";

/// Builds etcd, kube-apiserver, kube-controller-manager and the nodes from `tests/control-plane` with Go and
/// returns the folder they are in, which can serve as `KUBEBUILDER_ASSETS`.
///
/// The first build takes Go about six minutes on two cores, and shows on stderr how far it is.
/// The result is kept in `<target folder>/control-plane/<hash of the sources>`, so that another
/// build of the same sources returns at once. A process that comes while another builds waits.
///
/// # Errors
/// When Go is not installed, with the other ways to a control plane, or when the build fails, with
/// Go's messages.
pub fn build() -> Result<PathBuf, Error> {
    let workspace = workspace();
    let module = workspace.join("tests/control-plane");
    let cache = target_folder(&workspace).join("control-plane");
    let unreadable = || format!("read {}", module.display());
    let flags = link_flags(&fs::read_to_string(module.join("go.mod")).map_err(Error::on(unreadable()))?);
    let hash = hash(&module, &flags).map_err(Error::on(unreadable()))?;
    let built = cache.join(hash);
    if built.is_dir() {
        return Ok(built);
    }

    let at_cache = || format!("write to {}", cache.display());
    fs::create_dir_all(&cache).map_err(Error::on(at_cache()))?;
    let lock = File::create(cache.join("lock")).map_err(Error::on(at_cache()))?;
    lock.lock().map_err(Error::on(at_cache()))?; // Until it is dropped.
    if built.is_dir() {
        return Ok(built);
    }

    // A whole folder appears under the final name, or none.
    let unfinished = built.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::on(at_cache()))?;
    }
    fs::create_dir(&unfinished).map_err(Error::on(at_cache()))?;
    go_build(&module, &flags, &unfinished.join(PROGRAM))?;
    for name in [ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, TEST_NODE] {
        symlink(PROGRAM, unfinished.join(name)).map_err(Error::on(at_cache()))?;
    }
    fs::rename(&unfinished, &built).map_err(Error::on(at_cache()))?;
    Ok(built)
}

fn go_build(module: &Path, flags: &str, output: &Path) -> Result<(), Error> {
    let mut terminal = io::stderr();
    // Nothing depends on what is shown, so a terminal that takes nothing is not an error, here and below.
    let _ = writeln!(
        terminal,
        "Building the control plane of {} with Go. The first time takes some minutes.",
        module.display()
    );
    let mut progress = Progress::of(packages_to_build(module)?);
    let mut go = go(module)
        .args(["build", "-v", "-buildvcs=false", "-ldflags", flags, "-o"])
        .arg(output)
        .arg(".")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| go_does_not_start(&error))?;
    let mut messages = Messages::default();
    if let Some(stderr) = go.stderr.take() {
        for line in BufReader::new(stderr).lines() {
            let line = line.map_err(Error::on("read the output of go build"))?;
            match package(&line) {
                Some(package) => progress.show(package, &mut terminal),
                None => messages.push(line),
            }
        }
    }
    progress.finish(&mut terminal);
    let status = go.wait().map_err(Error::on("wait for go build"))?;
    if status.success() {
        Ok(())
    } else {
        let tried = format!("go build in {}: {status}", module.display());
        Err(Error::new(format!("{tried}\n{}", messages.text())))
    }
}

/// How many packages Go's cache lacks, which is how many `go build -v` will name.
fn packages_to_build(module: &Path) -> Result<usize, Error> {
    let output = go(module)
        .args(["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", "."])
        .output()
        .map_err(|error| go_does_not_start(&error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).lines().count())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        let status = output.status;
        Err(Error::new(format!("go list in {}: {status}\n{said}", module.display())))
    }
}

pub(crate) fn go(module: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(module).env("CGO_ENABLED", "0").env("GOWORK", "off").stdin(Stdio::null());
    go
}

fn go_does_not_start(error: &io::Error) -> Error {
    if error.kind() != io::ErrorKind::NotFound {
        return Error::new(format!("start go: {error}"));
    }
    Error::new(format!(
        "there is no control plane to test against. Do one of these:\n  \
         - install Go 1.26 or later (https://go.dev/dl); the control plane is built with it, once\n  \
         - set {ASSETS_VARIABLE} to a folder with etcd, kube-apiserver and kube-controller-manager, \
         for example to what envtest's `setup-envtest use -p path` prints\n  \
         - set {KUBECONFIG_VARIABLE} to the kubeconfig of a cluster that may be written to"
    ))
}

/// The package that a line of `go build -v` names. Its other lines are messages.
fn package(line: &str) -> Option<&str> {
    let is_path = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~".contains(&byte));
    is_path.then_some(line)
}

/// The last of Go's messages.
#[derive(Default)]
struct Messages(VecDeque<String>);

impl Messages {
    fn push(&mut self, message: String) {
        const KEPT: usize = 30;
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(message);
    }

    fn text(&self) -> String {
        self.0.iter().fold(String::new(), |text, line| text + line + "\n")
    }
}

/// `[ 512/2543] k8s.io/apiserver/pkg/server`: on a terminal one line that changes, elsewhere a line
/// now and then.
struct Progress {
    done: usize,
    total: usize,
    rewrites: bool,
    shown: Option<Instant>,
}

impl Progress {
    const WIDTH: usize = 79;
    const PAUSE: Duration = Duration::from_secs(10);

    fn of(total: usize) -> Self {
        Self { done: 0, total, rewrites: io::stderr().is_terminal(), shown: None }
    }

    fn show(&mut self, package: &str, terminal: &mut impl Write) {
        self.done += 1;
        let line = self.line(package);
        if self.rewrites {
            let _ = write!(terminal, "\r\x1b[2K{line}");
            let _ = terminal.flush();
        } else if self.shown.is_none_or(|shown| shown.elapsed() >= Self::PAUSE) {
            self.shown = Some(Instant::now());
            let _ = writeln!(terminal, "{line}");
        }
    }

    /// The last package is the program, whose linking takes a while, so its line stays until here.
    fn finish(&self, terminal: &mut impl Write) {
        if self.rewrites {
            let _ = write!(terminal, "\r\x1b[2K");
            let _ = terminal.flush();
        }
    }

    fn line(&self, package: &str) -> String {
        let total = self.total.to_string();
        let mut line = format!("[{:>width$}/{total}] {package}", self.done, width = total.len());
        line.truncate(Self::WIDTH); // All of it is ASCII.
        line
    }
}

/// Flags that have the linker leave out what only debuggers read, and name the version of Kubernetes, which would be
/// v0.0.0 otherwise.
pub(crate) fn link_flags(go_mod: &str) -> String {
    let version = go_mod.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"));
    let mut numbers = version.into_iter().flat_map(|version| version.split('.'));
    let (Some(version), Some(major), Some(minor)) = (version, numbers.next(), numbers.next()) else {
        return "-s -w".to_owned();
    };
    let set = "-X k8s.io/component-base/version";
    format!("-s -w {set}.gitVersion=v{version} {set}.gitMajor={major} {set}.gitMinor={minor}")
}

/// A hash of everything that the program is made of.
fn hash(module: &Path, flags: &str) -> io::Result<String> {
    let mut sources = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(module)?.collect();
    let node = module.join(NODE_PACKAGE);
    if node.is_dir() {
        entries.extend(fs::read_dir(node)?);
    }
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name();
        if path.extension() == Some(OsStr::new("go"))
            || name == Some(OsStr::new("go.mod"))
            || name == Some(OsStr::new("go.sum"))
        {
            sources.push(path);
        }
    }
    sources.sort();
    let mut hash = Sha256::new();
    hash.update(flags);
    for source in sources {
        let text = fs::read(&source)?;
        // Names and lengths keep moved lines from going unnoticed.
        hash.update(source.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    // Half of it is unique enough for a folder's name.
    let mut name = String::new();
    for byte in &hash.finalize()[..16] {
        write!(name, "{byte:02x}").map_err(io::Error::other)?;
    }
    Ok(name)
}

/// The folder of the workspace that this crate was compiled in.
pub(crate) fn workspace() -> PathBuf {
    let this_crate = Path::new(env!("CARGO_MANIFEST_DIR"));
    this_crate.ancestors().nth(2).unwrap_or(this_crate).to_owned()
}

/// Cargo's target folder, as far as the environment names it. It is only a cache here, so that any folder will do.
pub(crate) fn target_folder(workspace: &Path) -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace.join(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_changes_with_the_sources_and_nothing_else() -> io::Result<()> {
        let module = tempfile::tempdir()?;
        let write = |name: &str, text: &str| fs::write(module.path().join(name), text);
        write("go.mod", "module m\n")?;
        write("main.go", "package main\n")?;
        let first = hash(module.path(), "")?;
        assert_eq!(first.len(), 32);

        write("README.md", "words")?;
        assert_eq!(hash(module.path(), "")?, first);

        write("go.sum", "sums")?;
        let second = hash(module.path(), "")?;
        assert_ne!(second, first);

        write("main.go", "package main // changed\n")?;
        let third = hash(module.path(), "")?;
        assert_ne!(third, second);

        fs::create_dir(module.path().join(NODE_PACKAGE))?;
        write("node/node.go", "package node\n")?;
        assert_ne!(hash(module.path(), "")?, third);
        fs::remove_dir_all(module.path().join(NODE_PACKAGE))?;
        assert_ne!(hash(module.path(), "-s")?, third);
        Ok(())
    }

    #[test]
    fn the_linker_gets_the_version() {
        let flags = link_flags("module m\n\nrequire (\n\tk8s.io/kubernetes v1.37.2\n\tk8s.io/kubernetes-x v9.9.9\n)\n");
        assert!(flags.starts_with("-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2 -X "), "{flags}");
        assert!(flags.ends_with("version.gitMinor=37"), "{flags}");
        assert_eq!(link_flags("module m\n"), "-s -w");
    }

    #[test]
    fn packages_are_distinguished_from_messages() {
        for line in [
            "k8s.io/apiserver/pkg/server/options",
            "sigs.k8s.io/structured-merge-diff/v6/typed",
            "github.com/coreos/go-systemd/v22/daemon",
            "gopkg.in/yaml.v3",
            "runtime",
        ] {
            assert_eq!(package(line), Some(line));
        }
        for line in [
            "",
            "# k8s-client.test/control-plane",
            "./main.go:39:9: undefined: apiserver",
            "go: downloading k8s.io/api v0.37.2",
        ] {
            assert_eq!(package(line), None);
        }
    }

    #[test]
    fn progress_counts_packages_and_fits_a_terminal() {
        let mut progress = Progress { done: 0, total: 2543, rewrites: true, shown: None };
        let mut terminal = Vec::new();
        progress.show("k8s.io/api/core/v1", &mut terminal);
        assert_eq!(terminal, b"\r\x1b[2K[   1/2543] k8s.io/api/core/v1");
        assert_eq!(progress.line(&"long/".repeat(40)).len(), Progress::WIDTH);
    }

    #[test]
    fn progress_is_quiet_where_lines_stay() {
        let mut progress = Progress { done: 0, total: 10, rewrites: false, shown: None };
        let mut log = Vec::new();
        for package in ["runtime", "fmt", "os"] {
            progress.show(package, &mut log);
        }
        progress.finish(&mut log);
        assert_eq!(log, b"[ 1/10] runtime\n");
    }
}
