//! A local port that leads to one of a pod: [`PortForwarder`].

use std::{
    fmt,
    future::{IntoFuture, poll_fn},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::PortForward;
use crate::{
    error::{Error, ErrorKind, Result},
    machine,
    rest::{CallFuture, Request},
    streams::pods,
};

/// How often the pod is looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The room for bytes on their way, in each direction of each connection.
const COPIED: usize = 64 << 10;

/// The pause after a connection that could not be accepted, as when all file descriptors are used up.
const PAUSE: Duration = Duration::from_millis(100);

/// How many free ports are tried that one address has and the other has not.
const TRIES: usize = 20;

/// Listens on a local port for connections to a port of the pod; [`PortForward::listen`] makes it.
///
/// Awaiting it gives a [`PortForwarder`] once it listens.
#[derive(Clone, Debug)]
#[must_use = "nothing listens until it is awaited"]
pub struct Listen {
    forward: PortForward,
    pod: Request,
    port: u16,
    local_port: u16,
    /// `None` for those of this machine's own.
    addresses: Option<Vec<IpAddr>>,
}

impl Listen {
    pub(super) fn new(forward: PortForward, pod: Request, port: u16) -> Self {
        Self { forward, pod, port, local_port: 0, addresses: None }
    }

    /// The local port. Default: 0, which takes any that is free.
    pub fn local_port(self, port: u16) -> Self {
        Self { local_port: port, ..self }
    }

    /// The local addresses, all with the same port. It is an error if one of them cannot be listened on. Default:
    /// `127.0.0.1` and `::1`, or that one of them which this machine has. Whoever reaches an address reaches the pod.
    pub fn addresses(self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { addresses: Some(addresses.into_iter().collect()), ..self }
    }

    async fn start(self) -> Result<PortForwarder> {
        let pod = WatchedPod::find(self.pod).await?;
        let listeners = bind(self.addresses.as_deref(), self.local_port).await?;
        let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        let (told, end) = watch::channel(None);
        let task = tokio::spawn(machine::own(async move {
            let end = serve(&listeners, &self.forward, self.port, pod).await;
            told.send_replace(Some(end));
        }));
        Ok(PortForwarder { addresses, end, task })
    }
}

impl IntoFuture for Listen {
    type Output = Result<PortForwarder>;
    type IntoFuture = CallFuture<PortForwarder>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// A local port that leads to one of a pod.
///
/// Each connection to it is [one to the pod](PortForward::connect) of its own. One that fails is closed, which a
/// warning of `tracing` tells, and hurts no other.
///
/// It ends with its pod: every ten seconds, and after a connection that failed, it looks whether the pod is still there
/// and has not ended. Without the verb `get` on pods it goes on until it is dropped. Dropping it closes the port and
/// all connections.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let mut forwarder = pods.port_forward("web").listen(80).local_port(8080).await?;
/// println!("listening on {:?}", forwarder.local_addrs());
/// return Err(forwarder.ended().await);
/// # }
/// ```
pub struct PortForwarder {
    addresses: Vec<SocketAddr>,
    end: watch::Receiver<Option<String>>,
    task: JoinHandle<()>,
}

impl PortForwarder {
    /// Where it listens.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The local port.
    pub fn local_port(&self) -> u16 {
        self.addresses.first().map_or(0, SocketAddr::port)
    }

    /// Waits until it ends by itself, and says why.
    pub async fn ended(&mut self) -> Error {
        let words = match self.end.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or_default(),
            Err(_) => "the runtime that it ran on has shut down".to_owned(),
        };
        Error::new(ErrorKind::Transport, format!("the port is no longer forwarded: {words}"))
    }
}

impl Drop for PortForwarder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for PortForwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortForwarder").field("local_addrs", &self.addresses).finish_non_exhaustive()
    }
}

/// Serves connections until the pod has ended, and says how.
async fn serve(listeners: &[TcpListener], forward: &PortForward, port: u16, pod: WatchedPod) -> String {
    let mut connections = JoinSet::new();
    let doubt = Notify::new();
    let mut end = pin!(pod.ended(&doubt));
    loop {
        tokio::select! {
            accepted = accept(listeners) => match accepted {
                Ok(stream) => {
                    connections.spawn(machine::own(connect(forward.clone(), port, stream)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to a forwarded port cannot be accepted");
                    sleep(PAUSE).await;
                }
            },
            // Whatever became of a connection, there may be no pod behind it.
            Some(failed) = connections.join_next() => {
                if failed.unwrap_or(true) {
                    doubt.notify_one();
                }
            }
            end = &mut end => return end,
        }
    }
}

/// The next connection to any of the listeners.
async fn accept(listeners: &[TcpListener]) -> io::Result<TcpStream> {
    poll_fn(|context| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted.map(|(stream, _)| stream));
            }
        }
        Poll::Pending
    })
    .await
}

/// Forwards one connection, and says whether that failed.
async fn connect(forward: PortForward, port: u16, mut local: TcpStream) -> bool {
    let _ = local.set_nodelay(true);
    let error = match forward.connect(port).await {
        Ok(mut remote) => match copy_bidirectional_with_sizes(&mut local, &mut remote, COPIED, COPIED).await {
            Ok(_) => return false,
            Err(error) => {
                // Neither side takes it for an end.
                remote.reset();
                error.to_string()
            }
        },
        Err(error) => error.to_string(),
    };
    let _ = local.set_zero_linger();
    tracing::warn!(port, error, "a connection to a forwarded port has failed");
    true
}

/// Listens on all addresses with one port. `None` are both of this machine's own, of which it need not have both.
async fn bind(addresses: Option<&[IpAddr]>, port: u16) -> Result<Vec<TcpListener>> {
    let failed = |address: &IpAddr, port: u16, error: io::Error| {
        let address = SocketAddr::new(*address, port);
        Error::new(ErrorKind::Request, format!("cannot listen on {address}")).with_source(error)
    };
    let own = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let is_absent = |error: &io::Error| {
        addresses.is_none() && matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
    };
    let mut tries = 0;
    'again: loop {
        tries += 1;
        let (mut listeners, mut chosen, mut absent) = (Vec::new(), port, None);
        for address in addresses.unwrap_or(&own) {
            match TcpListener::bind((*address, chosen)).await {
                Ok(listener) => {
                    chosen = listener.local_addr().map_or(chosen, |address| address.port());
                    listeners.push(listener);
                }
                Err(error) if is_absent(&error) => absent = Some(failed(address, chosen, error)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 && tries < TRIES => continue 'again,
                Err(error) => return Err(failed(address, chosen, error)),
            }
        }
        return match (listeners.is_empty(), absent) {
            (false, _) => Ok(listeners),
            (true, Some(error)) => Err(error),
            (true, None) => {
                let problem = "there is no address to listen on; name one, or leave out `addresses`";
                Err(Error::new(ErrorKind::Request, problem))
            }
        };
    }
}

/// The pod that connections go to.
struct WatchedPod {
    pod: Request,
    /// `None` if we may not read it.
    uid: Option<String>,
}

impl WatchedPod {
    async fn find(pod: Request) -> Result<Self> {
        // Connections are not to wait for a server that does not answer.
        let pod = pod.timeout(LOOK);
        match pods::get(pod.clone()).await {
            Ok(found) => Ok(Self { pod, uid: Some(found.uid().to_owned()) }),
            Err(error) if error.is_forbidden() => Ok(Self { pod, uid: None }),
            Err(error) => Err(error),
        }
    }

    /// Waits until the pod has ended, and says how. It is looked at from time to time, and when there is a doubt.
    async fn ended(self, doubt: &Notify) -> String {
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = doubt.notified() => {}
            }
            if let Some(end) = self.end().await {
                return end;
            }
        }
    }

    /// How the pod has ended, if it has and that is known.
    async fn end(&self) -> Option<String> {
        let uid = self.uid.as_deref()?;
        match pods::get(self.pod.clone()).await {
            Ok(pod) if pod.uid() != uid => Some("the pod is gone, and another one has its name".to_owned()),
            Ok(pod) if pod.has_ended() => Some("the pod has ended".to_owned()),
            Err(error) if error.is_not_found() => Some("the pod is gone".to_owned()),
            // The server may be away, and come back.
            Ok(_) | Err(_) => None,
        }
    }
}
