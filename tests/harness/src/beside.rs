//! Programs beside the control plane, which give Kubernetes' own answers to compare ours with.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

use crate::{
    Error,
    program::{go, link_flags, target_folder, workspace},
};

/// Builds `tests/control-plane/extract`, which answers what client-go extracts, and returns the program; `None` where
/// there is no Go.
///
/// # Errors
/// When the build fails, with Go's messages.
pub fn build_extract() -> Result<Option<PathBuf>, Error> {
    build("extract")
}

/// Builds `tests/control-plane/merge`, which answers what Kubernetes' libraries make of sequences of writes, and
/// returns the program; `None` where there is no Go.
///
/// # Errors
/// When the build fails, with Go's messages.
pub fn build_merge() -> Result<Option<PathBuf>, Error> {
    build("merge")
}

/// Builds `tests/control-plane/transcode`, which writes objects as Kubernetes does, and returns the program; `None`
/// where there is no Go.
///
/// # Errors
/// When the build fails, with Go's messages.
pub fn build_transcode() -> Result<Option<PathBuf>, Error> {
    build("transcode")
}

/// Builds `tests/control-plane/clients`, which does with a server what programs of client-go do, and returns the
/// program; `None` where there is no Go.
///
/// # Errors
/// When the build fails, with Go's messages.
pub fn build_clients() -> Result<Option<PathBuf>, Error> {
    build("clients")
}

/// Builds the kubectl of the control plane's version and returns it; `None` where there is no Go.
///
/// Only tests need it, so that it is no part of what a control plane is built of. The first build takes Go half a
/// minute.
///
/// # Errors
/// When the build fails, with Go's messages.
pub fn build_kubectl() -> Result<Option<PathBuf>, Error> {
    let go_mod = workspace().join("tests/control-plane/go.mod");
    let go_mod = fs::read_to_string(&go_mod).map_err(Error::on(format!("read {}", go_mod.display())))?;
    build_package("kubectl", "k8s.io/kubernetes/cmd/kubectl", &link_flags(&go_mod))
}

/// Builds one of the programs.
///
/// They share their packages with the control plane, so that it takes Go seconds where that was built. Another build of
/// the same sources only looks whether it is current.
fn build(name: &str) -> Result<Option<PathBuf>, Error> {
    build_package(name, &format!("./{name}"), "-s -w")
}

/// The same for any package, under a name.
fn build_package(name: &str, package: &str, flags: &str) -> Result<Option<PathBuf>, Error> {
    let workspace = workspace();
    let folder = target_folder(&workspace).join("control-plane");
    let at_folder = || format!("write to {}", folder.display());
    fs::create_dir_all(&folder).map_err(Error::on(at_folder()))?;
    let lock = File::create(folder.join(format!("{name}.lock"))).map_err(Error::on(at_folder()))?;
    lock.lock().map_err(Error::on(at_folder()))?; // Until it is dropped.
    let program = folder.join(name);
    let mut go = go(&workspace.join("tests/control-plane"));
    go.args(["build", "-buildvcs=false", "-ldflags", flags, "-o"]).arg(&program).arg(package);
    match go.output() {
        Ok(output) if output.status.success() => Ok(Some(program)),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Error::new(format!("go build {package} in tests/control-plane: {}\n{said}", output.status)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(format!("start go: {error}"))),
    }
}
