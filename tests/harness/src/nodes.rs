//! The control plane's nodes, and what tests make them suffer: [`Nodes`].
//!
//! The program that is asked for it is `tests/control-plane/node`.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::Error;

/// The two nodes of a control plane that was built here. Their pods run as processes of this machine.
///
/// They differ in how kube-apiserver speaks with their kubelets, which is how clients meet them too: newer kubelets
/// take WebSockets, and for older ones kube-apiserver translates them to SPDY. The ways fail differently, so a test of
/// what travels on them runs on [`both`](Self::both).
///
/// A pod comes to a node by `spec.nodeName`, or by its namespace, see [`schedule`](Self::schedule). Its containers are
/// processes:
///
/// * `command` and `args` run with the files of this machine, in a folder of the pod's own, and as its user.
/// * `$POD_IP` is the address to listen on, so that each pod has all ports for itself. What listens there is reached by
///   port-forward and by the proxies of pods and services. Who is not root listens 10,000 above a port below 1024.
/// * A container without `command` runs a small web server, whatever its image is: it listens on the first port of the
///   container, or 80, and logs each request. It answers with the request's line and body. `/headers` gets the
///   request's headers, `/status/418` that status, `/redirect` a redirect to `/there`; an upgrade to the protocol
///   `echo` gets the request's line and then all it sends. With `args`, it serves TCP too: `--echo=PORT` sends all
///   back, `--sink=PORT` answers the end of what it got with the count of bytes and their SHA-256 in a line, and
///   `--source=PORT` answers a line with a number with so many zero bytes.
/// * The image `k8s-client.test/missing` cannot be pulled.
/// * Forwarded ports end as with containerd and CRI-O: the pod does not see the end of what is sent to it, and one
///   second after one direction has ended the other one is cut off. A pod with the annotation
///   `k8s-client.test/half-close` sees the end, and each of its directions ends by itself.
/// * `restartPolicy`, init containers, ephemeral containers, terminals, `stdin`, `env` with plain values, exit codes
///   and the end by SIGTERM and, later, SIGKILL are as in a cluster. Pauses between restarts are shorter. Probes,
///   volumes, limits and all else that needs a container runtime have no effect.
///
/// All tests share the nodes. A fault of a [`Node`] hits all of its pods, so a test that asks for one must have a
/// control plane of its own ([`ControlPlane::start_new`](crate::ControlPlane::start_new)). Faults of a [`Container`]
/// hit nobody else.
#[derive(Clone, Debug)]
pub struct Nodes {
    socket: PathBuf,
}

impl Nodes {
    pub(crate) fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn ready(&self) -> io::Result<()> {
        request(&self.socket, "GET", "/readyz").map(drop)
    }

    /// The node whose kubelet takes WebSockets: kube-apiserver hands them on.
    pub fn websocket(&self) -> Node {
        Node { socket: self.socket.clone(), name: "websocket-node" }
    }

    /// The node whose kubelet takes SPDY only: kube-apiserver translates WebSockets for it.
    pub fn spdy(&self) -> Node {
        Node { socket: self.socket.clone(), name: "spdy-node" }
    }

    /// Both of them.
    pub fn both(&self) -> [Node; 2] {
        [self.websocket(), self.spdy()]
    }

    /// A container of a pod on one of the nodes.
    pub fn container(&self, namespace: &str, pod: &str, container: &str) -> Container {
        Container { socket: self.socket.clone(), path: format!("/containers/{namespace}/{pod}/{container}") }
    }

    /// Takes the pods of a namespace that no node has yet, and those to come, as a scheduler would; the nodes take
    /// turns. Without this a pod that names no node stays `Pending`.
    ///
    /// # Errors
    /// When the nodes do not answer.
    pub fn schedule(&self, namespace: &str) -> Result<(), Error> {
        post(&self.socket, &format!("/namespaces/{namespace}/schedule"))
    }

    /// What is open at the nodes, both together.
    ///
    /// # Errors
    /// When the nodes do not answer.
    pub fn open(&self) -> Result<Open, Error> {
        let tried = "ask the nodes for /open";
        let answer = request(&self.socket, "GET", "/open").map_err(Error::on(tried))?;
        let counts: Vec<_> = answer.split_whitespace().filter_map(|count| count.parse().ok()).collect();
        match counts[..] {
            [processes, upgrades, streams] => Ok(Open { processes, upgrades, streams }),
            _ => Err(Error::new(format!("{tried}: {answer}"))),
        }
    }
}

/// What is open at the [`Nodes`]: of a test that has ended, nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Process groups: one for each container, and for each command that was executed in one.
    pub processes: usize,
    /// Connections between kube-apiserver and kubelets that were upgraded: for exec, attach and forwarded ports.
    pub upgrades: usize,
    /// Connections between the kubelets and their container runtimes.
    pub streams: usize,
}

/// One of the [`Nodes`]. What is asked of it has happened when the method returns.
///
/// # Errors
/// All methods that ask for something return an error when the nodes do not answer, with what was asked.
#[derive(Clone, Debug)]
pub struct Node {
    socket: PathBuf,
    name: &'static str,
}

#[expect(clippy::missing_errors_doc, reason = "it stands at the type, once for all of them")]
impl Node {
    /// The name of the Node object.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Kills the kubelet: what it serves breaks off at once, and it listens no more. Containers go on.
    pub fn kill_kubelet(&self) -> Result<(), Error> {
        self.ask("kill-kubelet")
    }

    /// Starts the kubelet again, with the same address.
    pub fn start_kubelet(&self) -> Result<(), Error> {
        self.ask("start-kubelet")
    }

    /// Kills the container runtime's server of streams, which the kubelet asks. Containers go on.
    pub fn kill_runtime(&self) -> Result<(), Error> {
        self.ask("kill-runtime")
    }

    /// Starts it again, with the same address.
    pub fn start_runtime(&self) -> Result<(), Error> {
        self.ask("start-runtime")
    }

    /// Ends all connections between kube-apiserver and the node. New ones are taken.
    pub fn cut(&self) -> Result<(), Error> {
        self.ask("cut")
    }

    /// Lets nothing pass between kube-apiserver and the node, and ends no connection.
    pub fn stall(&self) -> Result<(), Error> {
        self.ask("stall")
    }

    /// Ends [`stall`](Self::stall): all that was held back passes.
    pub fn go_on(&self) -> Result<(), Error> {
        self.ask("go-on")
    }

    /// Lets only so many bytes a second pass between kube-apiserver and the node, in each direction of each
    /// connection; 0 ends that.
    pub fn limit_rate(&self, bytes: u32) -> Result<(), Error> {
        self.ask(&format!("rate?bytes={bytes}"))
    }

    /// Whether kube-apiserver cannot connect to the node any more. The connections that there are go on.
    pub fn refuse_connections(&self, on: bool) -> Result<(), Error> {
        self.ask(&format!("refuse-connections?on={on}"))
    }

    /// Has the kubelet answer every request for a stream or a log with this status and text; status 0 ends that.
    pub fn refuse_requests(&self, status: u16, text: &str) -> Result<(), Error> {
        self.ask(&format!("refuse-requests?status={status}&text={}", encoded(text)))
    }

    /// Sets the clock that stamps logs so many seconds forward, or back, from the right time. Both nodes have it.
    pub fn shift_clock(&self, seconds: i32) -> Result<(), Error> {
        self.ask(&format!("clock?offset={seconds}s"))
    }

    /// Ends every fault of the node.
    pub fn heal(&self) -> Result<(), Error> {
        self.ask("heal")
    }

    fn ask(&self, what: &str) -> Result<(), Error> {
        post(&self.socket, &format!("/nodes/{}/{what}", self.name))
    }
}

/// A container that runs on one of the [`Nodes`]. What is asked of it has happened when the method returns.
///
/// # Errors
/// All methods that ask for something return an error when the nodes do not answer or the container does not run, with
/// what was asked.
#[derive(Clone, Debug)]
pub struct Container {
    socket: PathBuf,
    path: String,
}

#[expect(clippy::missing_errors_doc, reason = "it stands at the type, once for all of them")]
impl Container {
    /// Rotates the log, as a kubelet does when it has grown too long: its lines can be read no more, a new file begins.
    pub fn rotate_log(&self) -> Result<(), Error> {
        self.ask("rotate-log")
    }

    /// Removes the log's file, so that reading it fails. It is written to no more until it is rotated.
    pub fn lose_log(&self) -> Result<(), Error> {
        self.ask("lose-log")
    }

    /// Sends a signal to the container's processes. One that they die of ends the container, which its pod's
    /// `restartPolicy` may start again.
    pub fn signal(&self, number: u8) -> Result<(), Error> {
        self.ask(&format!("signal?number={number}"))
    }

    fn ask(&self, what: &str) -> Result<(), Error> {
        post(&self.socket, &format!("{}/{what}", self.path))
    }
}

fn post(socket: &Path, path: &str) -> Result<(), Error> {
    request(socket, "POST", path).map(drop).map_err(Error::on(format_args!("ask the nodes for {path}")))
}

/// Returns the body of an answer whose status is 200. Otherwise the error holds the body.
fn request(socket: &Path, method: &str, path: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: nodes\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") { Ok(body.to_owned()) } else { Err(io::Error::other(body.trim())) }
}

/// A text as a part of a query.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut query, byte| {
        if byte.is_ascii_alphanumeric() {
            query.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(query, "%{byte:02X}");
        }
        query
    })
}
