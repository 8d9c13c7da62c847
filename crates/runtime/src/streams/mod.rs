//! Processes in containers and forwarded ports: exec, attach and port-forward.
//!
//! The verbs of a pod's client start here: `pods.exec("web")` is an [`Exec`], `pods.attach("web")` an [`Attach`]. Both
//! are awaited and give a [`Process`]. `pods.port_forward("web")` is a [`PortForward`], and gives connections to ports;
//! [`pod_of_service`] finds the pod behind a service.
//!
//! ```no_run
//! # use k8s_client_runtime::{Error, resource::ResourceClient};
//! # use k8s_openapi::api::core::v1::Pod;
//! # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
//! let output = pods.exec("web").command(["ls", "/etc"]).output().await?;
//! print!("{}", String::from_utf8_lossy(&output.stdout));
//! # Ok(())
//! # }
//! ```
//!
//! # Protocols
//!
//! The connection is a WebSocket (`v5.channel.k8s.io`). If the server answers with a refusal, the same is asked once
//! more as SPDY (`v4.channel.k8s.io`), which servers before Kubernetes 1.30, roles without the verb `get`, and proxies
//! that know no WebSocket need. If the server refuses both, the error is that of the first. A connection that breaks
//! off without an answer is not tried again: the process may have begun.
//!
//! # Rights
//!
//! | | Kubernetes up to 1.34 | from 1.35 on |
//! |---|---|---|
//! | WebSocket | `get` | `get` and `create` |
//! | SPDY | `create` | `create` |
//!
//! They are needed on `pods/exec`, `pods/attach` or `pods/portforward`. So a role with `create` alone works with every
//! version.
//!
//! # Success
//!
//! A process has succeeded only if the server said so: if the connection ends before that, for whatever reason, there
//! is an error, also from the streams that are being read. The process may then still run.
//!
//! One lie cannot be seen through: when a node, its kubelet or its container runtime dies in the middle of a process,
//! an API server or kubelet that translates between WebSocket and SPDY reports success. Over SPDY nothing is translated
//! and that does not happen: [`Exec::spdy`] is for those who must know.
//!
//! A process that ends while much of its input is unread, more than 100 KB or so, is the same to them: the node resets
//! the connection, and that may overtake the report. Over SPDY it is an error then.
//!
//! Of a pod that is deleted meanwhile, the server may say nothing at all. Who waits for long watches the pod beside.
//!
//! # Time
//!
//! There is no limit but that of the handshake, 30 seconds unless [`Exec::with_timeout`] says otherwise. Pings go out
//! every ten seconds, so load balancers do not cut a silent connection, and a peer that vanished is found within 45
//! seconds. A process that does not read its input for long is no such peer: its node still confirms what arrives. If
//! the node vanishes while much of the input waits for such a process, that takes up to three minutes, since the system
//! then asks only every two minutes whether there is room. These two need Linux, and see as far as the next proxy;
//! otherwise the system finds a peer that vanished while input was on its way, in about a quarter of an hour.
//!
//! When a client certificate or a CA is replaced, connections that were upgraded go on, as in client-go: the server
//! checks who we are when they begin, and a process cannot be resumed.

use std::fmt;

mod driver;
mod exec;
mod forward;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod handles;
mod open;
mod pods;
mod process;
mod spdy;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod websocket;
mod wire;

pub use self::{
    exec::{Attach, Exec},
    forward::{ForwardedStream, Listen, PortForward, PortForwarder},
    handles::{Stderr, Stdin, Stdout},
    pods::{PodPort, pod_of_service},
    process::{Output, Process, Protocol, Resizer, TerminalSize},
    status::ExitStatus,
};

/// What is wrong with bytes that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Problem(&'static str);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
