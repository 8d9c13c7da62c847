//! Go modules as source: the Go command downloads them and checks them against the checksum database.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
};

use k8s_client_codegen::spec::{Source, Version};
use serde_json::Value;

use super::{DEFINITION_MODULES, Upstream};
use crate::Result;

pub(super) fn read(version: Version) -> Result<Upstream> {
    let kubernetes = download(&format!("k8s.io/kubernetes@v{version}"))?;
    let mut folders = Vec::new();
    let mut protobuf = Vec::new();
    for name in DEFINITION_MODULES {
        // The libraries of Kubernetes 1.37.2 have the version 0.37.2.
        let module = download(&format!("{name}@v0.{}.{}", version.minor, version.patch))?;
        folders.push(module.folder);
        protobuf.push(module.identity);
    }
    Ok(Upstream {
        source: Source { version, openapi: kubernetes.identity, protobuf },
        documents: super::read_documents(&kubernetes.folder)?,
        discovery: Some(super::read_discovery(&kubernetes.folder)?),
        definitions: Some(super::read_definitions(&kubernetes.folder, &folders)?),
    })
}

struct Module {
    folder: PathBuf,
    /// Its name, version and checksum.
    identity: String,
}

/// Runs in a folder without `go.mod`, so that no module's own settings change what is downloaded.
fn download(module: &str) -> Result<Module> {
    let output = Command::new("go").args(["mod", "download", "-json", module]).current_dir(Path::new("/")).output();
    let output = output.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            "cannot run `go`: install Go, or give a checkout of Kubernetes (--from-dir) or a server (--from-cluster)"
                .to_owned()
        }
        _ => format!("cannot run `go mod download`: {error}"),
    })?;
    // Go reports most failures inside its JSON, with nothing else on its output.
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    if let (true, Some(folder), Some(sum)) = (output.status.success(), text("Dir"), text("Sum")) {
        Ok(Module { folder: folder.into(), identity: format!("module {module} {sum}") })
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("`go mod download {module}` failed: {}", text("Error").unwrap_or(stderr.trim())).into())
    }
}
