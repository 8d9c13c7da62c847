//! The way to the server: directly or through a proxy, within one limit of time. What comes out is bytes; TLS and HTTP
//! with the server are spoken on them by others.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderValue, Uri, uri::Scheme};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use tokio::{io::BufReader, sync::Notify};
use tower_service::Service;

mod confirmed;
mod io;
mod proxy;
mod resolver;
mod socks;
mod writes;

use self::{confirmed::Confirmed, proxy::Problem, resolver::Resolver};
pub(super) use self::{io::Io, writes::writes_to_io};
use super::failure::ConnectError;
use crate::{
    config::{Authority, Config, ProxyScheme, ProxyUrl, TlsConfig},
    error::Result,
    metrics::Metrics,
};

// A peer that vanished is found by the system after 45 seconds, which is what HTTP/2 pings take: HTTP/1.1 has no pings,
// and its connections may wait for a watch's next event for long. Probes begin where Go's do.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const TCP_KEEPALIVE_RETRIES: u32 = 3;
/// The same for a peer that does not confirm what was sent to it; the system's own patience is a quarter of an hour.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(45);

/// How much is read at a time where more is read than TLS asks for, which is one record at most. Servers flush what
/// they stream, such as the lines of a log, so records are short: it is several of them.
const READ_AHEAD: usize = 32 << 10;

/// Finds the way to one server.
#[derive(Clone)]
pub(super) struct Dialer {
    tcp: HttpConnector<Resolver>,
    route: Route,
    /// For all of it: the name, TCP, and what is to be said to a proxy.
    limit: Duration,
    /// Whether the other end must confirm what it is sent, though the system bears it for long if not.
    confirms: bool,
    /// Notified of each connection that reached the server.
    reached: Arc<Notify>,
    /// Whether more is read at a time of what TLS is spoken on than TLS asks for.
    reads_ahead: bool,
}

/// Chosen once: there is one server.
#[derive(Clone)]
enum Route {
    Direct,
    /// Requests are sent to the proxy, which sends them on. Only for servers without TLS.
    Forward(HttpProxy),
    /// The proxy makes a connection to the server and passes on bytes.
    Tunnel(HttpProxy),
    Socks(ProxyUrl),
}

#[derive(Clone)]
struct HttpProxy {
    url: ProxyUrl,
    /// For the proxy itself.
    tls: Option<Arc<ClientConfig>>,
}

impl Dialer {
    pub(super) fn new(config: &Config) -> Result<Self> {
        // The configuration's CA and certificate are for the server.
        Self::trusting(config, &TlsConfig::default())
    }

    /// A dialer that authenticates an `https` proxy so.
    pub(super) fn trusting(config: &Config, proxy_tls: &TlsConfig) -> Result<Self> {
        let server = config.server_url()?;
        let secure = server.scheme() == Some(&Scheme::HTTPS);
        let route = match config.proxy.for_server(&server)? {
            None => Route::Direct,
            Some(url) => match url.scheme() {
                ProxyScheme::Socks5 => Route::Socks(url),
                scheme => {
                    let tls = (scheme == ProxyScheme::Https).then(|| proxy::tls_config(proxy_tls)).transpose()?;
                    let proxy = HttpProxy { url, tls };
                    if secure { Route::Tunnel(proxy) } else { Route::Forward(proxy) }
                }
            },
        };
        Ok(Self {
            tcp: tcp(config.connect_timeout, config.metrics.clone()),
            route,
            limit: config.connect_timeout,
            confirms: false,
            reached: Arc::default(),
            reads_ahead: true,
        })
    }

    /// Whether what is dialled is a proxy that wants whole requests, rather than the server.
    pub(super) fn forwards(&self) -> bool {
        matches!(self.route, Route::Forward(_))
    }

    /// The `Proxy-Authorization` of each request to a proxy that forwards them.
    pub(super) fn forward_authorization(&self) -> Option<HeaderValue> {
        match &self.route {
            Route::Forward(proxy) => proxy.url.authorization(),
            _ => None,
        }
    }

    /// A dialer of connections that are to be upgraded.
    ///
    /// Proxies pass on their bytes, also to a server without TLS: of requests that they forward they take the wish for
    /// an upgrade. And the system does not end them when the peer takes nothing for long, as it would at the end of its
    /// user timeout, confirmations or not: a process may not read its input for hours. Of a peer that confirms nothing,
    /// [`Confirmed`] takes note.
    ///
    /// What streams of containers carry comes in long records, and there may be many of them: they are not read ahead.
    pub(super) fn for_upgrades(&self) -> Self {
        let route = match self.route.clone() {
            Route::Forward(proxy) => Route::Tunnel(proxy),
            route => route,
        };
        let mut tcp = self.tcp.clone();
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(None);
        Self { tcp, route, confirms: true, reads_ahead: false, ..self.clone() }
    }

    /// The same dialer, which notifies when it has reached the server: then the time for TLS begins.
    pub(super) fn notifying(&self, reached: Arc<Notify>) -> Self {
        Self { reached, ..self.clone() }
    }

    /// A connection that reaches the server of this URL.
    pub(super) async fn dial(self, server: &Uri) -> Result<Box<dyn Io>, ConnectError> {
        let (limit, reached) = (self.limit, self.reached.clone());
        let address = Authority::of(server);
        let way = match self.route.proxy() {
            Some(proxy) => format!("{address} through proxy {proxy}"),
            None => address.to_string(),
        };
        let stream = match tokio::time::timeout(limit, self.follow(server, &address, &way)).await {
            Ok(followed) => followed?,
            Err(_) => return Err(ConnectError::timeout(format!("cannot connect to {way}: not done within {limit:?}"))),
        };
        reached.notify_one();
        Ok(stream)
    }

    async fn follow(mut self, server: &Uri, address: &Authority, way: &str) -> Result<Box<dyn Io>, ConnectError> {
        let next = self.route.proxy().map_or(server, ProxyUrl::address).clone();
        let tcp = self.tcp.call(next).await.map_err(|error| ConnectError::tcp(way, &error))?;
        let tcp = tcp.into_inner();
        let stream: Box<dyn Io> = if self.confirms { Box::new(Confirmed::new(tcp)) } else { Box::new(tcp) };
        let dialed = match &self.route {
            Route::Direct => Ok(stream),
            Route::Forward(proxy) => proxy.speak(stream).await,
            Route::Tunnel(proxy) => match proxy.speak(stream).await {
                Ok(stream) => proxy::connect(stream, &address.to_string(), proxy.url.authorization()).await,
                Err(problem) => Err(problem),
            },
            Route::Socks(url) => socks::connect(stream, address, url.login()).await,
        };
        dialed.map_err(|Problem { words, delivery }| {
            ConnectError::new(format!("cannot connect to {way}: {words}")).with_delivery(delivery)
        })
    }
}

/// What TLS is put around.
impl Service<Uri> for Dialer {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move {
            let reads_ahead = dialer.reads_ahead;
            let stream = dialer.dial(&server).await?;
            let stream: Box<dyn Io> =
                if reads_ahead { Box::new(BufReader::with_capacity(READ_AHEAD, stream)) } else { stream };
            Ok(TokioIo::new(stream))
        })
    }
}

impl Route {
    fn proxy(&self) -> Option<&ProxyUrl> {
        match self {
            Self::Direct => None,
            Self::Forward(proxy) | Self::Tunnel(proxy) => Some(&proxy.url),
            Self::Socks(url) => Some(url),
        }
    }
}

impl HttpProxy {
    /// TLS with the proxy, if it speaks it.
    async fn speak(&self, stream: Box<dyn Io>) -> Result<Box<dyn Io>, Problem> {
        match &self.tls {
            None => Ok(stream),
            Some(tls) => proxy::secure(stream, tls.clone(), &Authority::of(self.url.address()).host).await,
        }
    }
}

fn tcp(connect_timeout: Duration, metrics: Option<Arc<dyn Metrics>>) -> HttpConnector<Resolver> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::new(metrics));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TCP_KEEPALIVE));
    tcp.set_keepalive_interval(Some(TCP_KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(TCP_KEEPALIVE_RETRIES));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    tcp.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT));
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use socket2::SockRef;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_system_watches_over_sockets() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let uri: Uri = format!("http://{address}/").parse().unwrap();
        let stream = tcp(Duration::from_secs(5), None).call(uri).await.unwrap().into_inner();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().unwrap(), TCP_KEEPALIVE);
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), TCP_KEEPALIVE_INTERVAL);
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), TCP_KEEPALIVE_RETRIES);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(TCP_USER_TIMEOUT));
            let dialer = Dialer::new(&Config::new(&address).unwrap()).unwrap().for_upgrades();
            let uri: Uri = format!("http://{address}/").parse().unwrap();
            let stream = dialer.tcp.clone().call(uri).await.unwrap().into_inner();
            let socket = SockRef::from(&stream);
            // Others watch over these, since a peer that takes nothing is not gone.
            assert_eq!(socket.tcp_user_timeout().unwrap(), None);
            assert!(socket.keepalive().unwrap());
        }
    }
}
