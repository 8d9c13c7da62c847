//! Forwarded ports: [`PortForward`].

mod listener;

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use http::Method;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

pub use self::listener::{Listen, PortForwarder};
use super::{
    Protocol,
    driver::{Driver, Purpose},
    handles::ReadHalf,
    open::{self, Names},
    spdy,
    state::{Shared, Wish},
    wire::{Channel, Streams, Writer},
};
use crate::{
    error::Result,
    rest::{CallFuture, Request},
};

const NAMES: Names = Names {
    websocket: "SPDY/3.1+portforward.k8s.io",
    spdy: "portforward.k8s.io",
    rights: "port-forward needs the verbs `get` and `create` on `pods/portforward`; over SPDY, and up to Kubernetes 1.34, \
             one of them",
};

/// How many bytes from the pod may wait for their reader.
const BUFFER: usize = 1 << 20;

/// The stream of SPDY on which errors come, and the one of the connection's bytes.
const ERROR: u32 = 1;
const DATA: u32 = 3;

/// Connects to ports of a pod.
///
/// [`connect`](Self::connect) gives one connection, and [`listen`](Self::listen) has a local port lead to the pod's.
/// Each connection has one to the API server of its own, so that none holds up or ends another one.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
///
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut connection = pods.port_forward("cache").connect(6379).await?;
/// connection.write_all(b"PING\r\n").await?;
/// let mut answer = [0; 7];
/// connection.read_exact(&mut answer).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Services
///
/// Only ports of pods can be forwarded. [`pod_of_service`](super::pod_of_service) finds a pod behind a service, and the
/// port that the service's leads to, as `kubectl port-forward service/web` does:
///
/// ```no_run
/// # use k8s_client_runtime::{Error, RestClient, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// use k8s_client_runtime::streams::pod_of_service;
///
/// # async fn example(client: RestClient, pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let target = pod_of_service(&client, "default", "web", "http").await?;
/// let forwarder = pods.port_forward(&target.pod).listen(target.port).local_port(8080).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens until a connection is asked for"]
pub struct PortForward {
    request: Request,
    spdy_only: bool,
}

impl PortForward {
    pub(crate) fn new(request: Request) -> Self {
        Self { request: request.streaming(), spdy_only: false }
    }

    /// Speaks plain SPDY. Default: SPDY inside of a WebSocket, and plain SPDY if the server refuses that.
    pub fn spdy(self) -> Self {
        Self { spdy_only: true, ..self }
    }

    /// Limits the time of each of the two tries, tunnelled and over plain SPDY, until the server has answered; a
    /// connection may last as long as it does. Default: 30 seconds.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { request: self.request.timeout(timeout), ..self }
    }

    /// Connects to a port of the pod.
    ///
    /// That the server agrees says nothing of the port: if nobody listens there, reading and writing fail, with what
    /// the node says of it.
    pub async fn connect(&self, port: u16) -> Result<ForwardedStream> {
        self.clone().connected(port).await
    }

    /// Listens on a local port, and forwards each connection to this port of the pod.
    pub fn listen(&self, port: u16) -> Listen {
        Listen::new(self.clone(), self.request.of_the_object(), port)
    }

    /// Boxed, so that it is compiled here once and not in each crate that awaits it.
    fn connected(self, port: u16) -> CallFuture<ForwardedStream> {
        Box::pin(async move {
            let (upgraded, protocol) = open::open(self.request, NAMES, self.spdy_only).await?;
            let streams =
                Streams::default().with(Channel::Error, ERROR).with(Channel::Stdin, DATA).with(Channel::Stdout, DATA);
            let writer = match protocol {
                Protocol::WebSocket => Writer::Tunnel(streams),
                Protocol::Spdy => Writer::Spdy(streams),
            };
            let mut output = BytesMut::new();
            writer.spdy(&mut output, &[&beginning(port)]);
            let shared = Shared::new(writer, BUFFER, output);
            shared.discard(Channel::Stderr);
            Driver::spawn(Box::new(upgraded), shared.clone(), Purpose::Forward);
            Ok(ForwardedStream { read: ReadHalf::new(&shared, Channel::Stdout), shared, protocol })
        })
    }

    /// The plain request, whose [`upgrade`](Request::upgrade) gives a connection: its handshake, and what is spoken
    /// over it, is then yours.
    pub fn into_request(self) -> Request {
        self.request.with_method(if self.spdy_only { Method::POST } else { Method::GET })
    }
}

/// The frames that begin a connection to a port: the server pairs two streams, and expects nothing on that of errors.
fn beginning(port: u16) -> BytesMut {
    let (mut opener, mut output) = (spdy::Opener::default(), BytesMut::new());
    let port = port.to_string();
    let headers = |kind| [("streamtype", kind), ("port", port.as_str()), ("requestid", "0")];
    opener.open(&mut output, ERROR, &headers("error"));
    output.extend_from_slice(&spdy::data(ERROR, 0, true));
    opener.open(&mut output, DATA, &headers("data"));
    output
}

/// A connection to a port of a pod: bytes in both directions, each of which ends by itself.
///
/// [Shutting it down](tokio::io::AsyncWriteExt::shutdown) ends what is sent; what the pod sends can still be read. Some
/// container runtimes give the pod one second for that.
///
/// When it is dropped, what was written still arrives, and what the pod sends is let go; after ten seconds the
/// connection closes whatever the pod does. [`reset`](Self::reset) closes at once.
///
/// If nobody listens on the port, or the connection breaks, reading and writing fail; an error never looks like an end.
pub struct ForwardedStream {
    read: ReadHalf,
    shared: Arc<Shared>,
    protocol: Protocol,
}

impl ForwardedStream {
    /// The protocol that was agreed with the server. With [`Protocol::WebSocket`] it is SPDY too, inside of it.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Closes the connection at once: what was written may not arrive.
    pub fn reset(self) {
        self.shared.wish(Wish::Leave);
    }
}

impl AsyncRead for ForwardedStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.read.poll_read(context, buf)
    }
}

impl AsyncBufRead for ForwardedStream {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().read.poll_fill_buf(context)
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.read.consume(amount);
    }
}

impl AsyncWrite for ForwardedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.shared.poll_write(context, bytes)
    }

    /// Does nothing: what is written is on its way.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.end_input();
        Poll::Ready(Ok(()))
    }
}

impl Drop for ForwardedStream {
    fn drop(&mut self) {
        self.shared.end_input();
        self.shared.wish(Wish::Finish);
    }
}

impl fmt::Debug for ForwardedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardedStream").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}
