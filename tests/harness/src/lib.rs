//! A Kubernetes control plane for tests: etcd, kube-apiserver and kube-controller-manager, real ones.
//!
//! [`ControlPlane::start`] takes the first of these that the environment names:
//!
//! 1. `K8S_CLIENT_TEST_KUBECONFIG`: a cluster that runs already. `cargo xtask test` starts one
//!    control plane and hands it to all test binaries this way, see [`ControlPlane::environment`].
//! 2. `KUBEBUILDER_ASSETS`: a folder with the programs `etcd`, `kube-apiserver` and, if there are to
//!    be controllers, `kube-controller-manager`, as envtest's `setup-envtest` downloads them.
//! 3. Otherwise Go builds the three from `tests/control-plane`, once, see [`build`], and with them two nodes.
//!
//! A control plane that was started here lives in a temporary folder and is gone, folder and all,
//! when its [`ControlPlane`] is dropped or its process ends, however it ends, and so are the processes of its pods.
//! Pods that name one of the [`Nodes`] run. All others stay `Pending`, but everything else of the API behaves as it
//! does in a cluster.
//!
//! ```no_run
//! use k8s_client_test_harness::{ControlPlane, UNPRIVILEGED_CONTEXT};
//!
//! let control_plane = ControlPlane::start()?;
//! println!("KUBECONFIG={}", control_plane.kubeconfig().display());
//! println!("kubectl --context {UNPRIVILEGED_CONTEXT} is forbidden everything");
//! control_plane.stop()?;
//! # Ok::<(), k8s_client_test_harness::Error>(())
//! ```
//!
//! Unix only: it relies on `sh`, `kill` and sockets in the file system.

mod beside;
mod component;
mod control_plane;
mod credentials;
mod error;
mod janitor;
mod nodes;
mod probe;
mod program;
mod source;

pub use beside::{build_clients, build_extract, build_kubectl, build_merge, build_transcode};
pub use control_plane::ControlPlane;
pub use credentials::{ADMIN_CONTEXT, TOKEN_CONTEXT, UNPRIVILEGED_CONTEXT, UNPRIVILEGED_USER};
pub use error::Error;
pub use nodes::{Container, Node, Nodes, Open};
pub use program::build;
pub use source::{ASSETS_VARIABLE, CONTROLLERS_VARIABLE, KUBECONFIG_VARIABLE, NODES_VARIABLE, Source};
