//! What the tests on a real kube-apiserver share.
//!
//! All tests of all binaries may use one control plane at the same time: each works in a namespace of its own, or on
//! cluster objects with names of its own ([`unique`]).

#![expect(clippy::missing_panics_doc, reason = "a test that cannot go on has nothing better to do")]

mod apply;
mod ask;
mod filled;
mod nodes;
mod sockets;
mod users;

use std::{
    error::Error,
    fmt::Write as _,
    future::Future,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use k8s_client::{Clientset, Config};
use k8s_client_test_harness::{ControlPlane, Nodes};
use k8s_openapi::serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

pub use apply::{json_of, owned, reapply};
pub use ask::ask;
pub use filled::{Filling, filled};
pub use nodes::{nodes, script};
pub use sockets::connections_to;

/// What a test returns: `?` works on everything.
pub type TestResult<T = ()> = Result<T, Box<dyn Error>>;

/// How long anything may take that happens eventually: much longer than it does, however busy the machine is.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A namespace of the control plane, made for one test. It is deleted in the end, whatever became of the test.
#[derive(Debug)]
pub struct Test {
    /// An administrator's client.
    pub client: Clientset,
    /// The namespace.
    pub namespace: String,
    nodes: Option<Nodes>,
    kubeconfig: PathBuf,
}

impl Test {
    /// Makes a namespace. Pods can be created in it at once.
    pub async fn namespace() -> Self {
        Self::on(control_plane()).await
    }

    /// Makes a namespace of a control plane that is not the one of all tests.
    pub async fn on(plane: &ControlPlane) -> Self {
        let kubeconfig = plane.kubeconfig().to_owned();
        let client = administrator(&kubeconfig);
        let namespace = unique("test");
        let created = client.core_v1().namespaces().create(&object(json!({ "metadata": { "name": namespace } }))).await;
        created.expect("an administrator may create a namespace");
        // Pods need this one. A controller makes it too, if there is one, but takes its time.
        let account = object(json!({ "metadata": { "name": "default" } }));
        match client.core_v1().service_accounts(&namespace).create(&account).await {
            Err(error) if !error.is_already_exists() => panic!("{error}"),
            _ => Self { client, namespace, nodes: plane.nodes().cloned(), kubeconfig },
        }
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        let namespace = std::mem::take(&mut self.namespace);
        let kubeconfig = std::mem::take(&mut self.kubeconfig);
        // The test's own runtime cannot wait for anything any more.
        let deletion = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            match runtime.block_on(async { administrator(&kubeconfig).core_v1().namespaces().delete(&namespace).await })
            {
                // The test has deleted it itself.
                Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error.into()),
                _ => Ok::<_, Box<dyn Error + Send + Sync>>(()),
            }
        });
        if !matches!(deletion.join(), Ok(Ok(()))) {
            eprintln!("a test's namespace was left behind");
        }
    }
}

/// The control plane of this process.
pub fn control_plane() -> &'static ControlPlane {
    ControlPlane::shared()
}

/// An administrator's client, by client certificate.
pub fn client() -> Clientset {
    administrator(control_plane().kubeconfig())
}

fn administrator(kubeconfig: &Path) -> Clientset {
    let config = Config::from_kubeconfig(kubeconfig);
    config.and_then(|config| Clientset::new(&config)).expect("the control plane's kubeconfig is good")
}

/// The client of a context of the control plane's kubeconfig.
pub fn client_of(context: &str) -> Clientset {
    let config = config_of(context);
    Clientset::new(&config).expect("the context's credentials are good")
}

/// The configuration of a context of the control plane's kubeconfig.
pub fn config_of(context: &str) -> Config {
    let loader = Config::loader().kubeconfig(control_plane().kubeconfig()).context(context);
    loader.load().expect("the control plane's kubeconfig has the context")
}

/// A typed object, written as the JSON that everybody knows.
pub fn object<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap_or_else(|error| panic!("not a {}: {error}", std::any::type_name::<T>()))
}

/// A field of an object, by JSON pointer; null when there is none. Whether a field is an `Option` differs between the
/// Kubernetes versions that the tests are compiled for.
pub fn field(object: &impl Serialize, pointer: &str) -> Value {
    let json = serde_json::to_value(object).expect("objects are JSON");
    json.pointer(pointer).cloned().unwrap_or_default()
}

/// A name that no other test has, in this process or another, in this run or the last one.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let mut name = format!("{prefix}-{}", std::process::id());
    let _ = write!(name, "-{:x}-{}", started & 0xffff_ffff, COUNT.fetch_add(1, Ordering::Relaxed));
    name
}

/// Asks again and again until there is an answer, within [`DEADLINE`].
pub async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "it did not happen in {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the object that is asked for is not found any more, within [`DEADLINE`].
pub async fn gone<T, F>(what: &str, get: impl Fn() -> F)
where
    F: IntoFuture<Output = k8s_client::Result<T>>,
{
    eventually(what, || async { get().await.err().filter(k8s_client::Error::is_not_found) }).await;
}

/// Waits for what should not take long, within [`DEADLINE`].
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("it did not happen in {DEADLINE:?}: {what}"))
}

/// README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
