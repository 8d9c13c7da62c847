//! New connections: TCP, then TLS, with a limit on the time of each, and which HTTP the server chose.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection as Described},
    rt::TokioIo,
};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::{
    dial::{Dialer, Io},
    failure::{self, ConnectError},
    tls,
};
use crate::{
    config::Config,
    error::{Error, Result},
};

/// Makes connections for the pool.
#[derive(Clone)]
pub(super) struct Connector {
    dialer: Dialer,
    /// Nothing for a server without TLS: the roots of the system are not looked for in vain.
    tls: Option<Arc<ClientConfig>>,
    server_name: Option<ServerName<'static>>,
    tls_handshake_timeout: Duration,
}

impl Connector {
    pub(super) fn new(config: &Config) -> Result<Self> {
        let secure = config.server.scheme() == Some(&Scheme::HTTPS);
        let tls = secure.then(|| tls::client_config(&config.tls)).transpose()?;
        let server_name = config.tls.server_name.as_deref().map(|name| {
            let wrong = |error| Error::config(format!("tls-server-name {name:?} is no host name")).with_source(error);
            ServerName::try_from(name.to_owned()).map_err(wrong)
        });
        Ok(Self {
            dialer: Dialer::new(config)?,
            tls: tls.map(Arc::new),
            server_name: server_name.transpose()?,
            tls_handshake_timeout: config.tls_handshake_timeout,
        })
    }

    pub(super) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    async fn connect(self, uri: Uri) -> Result<Connection, ConnectError> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default().to_owned();
        let address = format!("{host}:{}", uri.port_u16().unwrap_or(if secure { 443 } else { 80 }));
        if secure && self.tls.is_none() {
            return Err(ConnectError::new(format!("{address}: the client was made for a server without TLS")));
        }
        let proxied = self.dialer.forwards();
        let stream = self.dialer.dial(&uri).await?;
        let Some(tls) = self.tls.filter(|_| secure) else {
            return Ok(Connection { io: TokioIo::new(stream), http2: false, proxied });
        };
        let name = match self.server_name {
            Some(name) => name,
            None => ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                .map_err(|error| ConnectError::new(format!("{address}: the host is no name for TLS: {error}")))?,
        };
        let handshake = TlsConnector::from(tls).connect(name, stream);
        let stream = match tokio::time::timeout(self.tls_handshake_timeout, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return Err(ConnectError::new(format!("TLS with {address}: {}", failure::describe_tls(&error))));
            }
            Err(_) => {
                let limit = self.tls_handshake_timeout;
                return Err(ConnectError::timeout(format!("TLS with {address}: no handshake within {limit:?}")));
            }
        };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2);
        Ok(Connection { io: TokioIo::new(Box::new(stream)), http2, proxied })
    }
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection that HTTP can be spoken on.
pub(super) struct Connection {
    io: TokioIo<Box<dyn Io>>,
    http2: bool,
    /// Requests go to a proxy, which wants to know the whole URL of each.
    proxied: bool,
}

impl Described for Connection {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.proxied);
        if self.http2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}
