//! The two servers, and a namespace of one name on each.

use std::{fs, path::PathBuf, sync::OnceLock};

use k8s_client_fake::{FakeServer, Listener};
use k8s_client_integration_tests::{Test, TestResult, field};
use k8s_client_test_harness::ControlPlane;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

/// A real and a fake server.
pub(crate) struct Both {
    pub(crate) namespace: String,
    /// The kubeconfigs.
    pub(crate) servers: [PathBuf; 2],
    pub(crate) folder: TempDir,
    _test: Test,
    _listener: Listener,
}

/// The real server of these tests, which is nobody else's: other tests define groups of well-known names, and what is
/// discovered is compared here.
pub(crate) fn control_plane() -> &'static ControlPlane {
    static OWN: OnceLock<ControlPlane> = OnceLock::new();
    OWN.get_or_init(|| ControlPlane::start_new().expect("a control plane"))
}

impl Both {
    /// A namespace on both. The fake one has the nodes of the real one, and does what controllers do.
    pub(crate) async fn start() -> TestResult<Self> {
        let plane = spawn_blocking(control_plane).await?;
        let test = Test::on(plane).await;
        let server = FakeServer::builder().runs_controllers().start();
        server.add(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": test.namespace}}))?;
        for node in test.client.core_v1().nodes().list().await?.items {
            let mut copy = json!({"apiVersion": "v1", "kind": "Node"});
            for part in ["metadata", "spec", "status"] {
                copy[part] = field(&node, &format!("/{part}"));
            }
            copy["metadata"]["managedFields"] = Value::Null;
            server.add(&copy)?;
        }
        let listener = server.listen().await?;
        let folder = tempfile::tempdir()?;
        let fake = folder.path().join("fake.kubeconfig");
        fs::write(&fake, listener.kubeconfig())?;
        Ok(Self {
            namespace: test.namespace.clone(),
            servers: [plane.kubeconfig().to_owned(), fake],
            folder,
            _test: test,
            _listener: listener,
        })
    }
}
