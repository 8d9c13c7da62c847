//! New connections: TCP, then TLS, with a limit on the time of each, and which HTTP the server chose.

use std::{sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::stream::Connection;
use crate::{
    config::Config,
    error::{Error, Result},
    transport::{
        dial::{Dialer, Io},
        failure::ConnectError,
        tls::{self, Peer, Rotation, TlsStream},
    },
};

/// Makes connections for pools.
#[derive(Clone)]
pub(super) struct Connector {
    dialer: Dialer,
    /// Nothing for a server without TLS: the roots of the system are not looked for in vain.
    tls: Option<Tls>,
}

/// What to offer a server to speak.
#[derive(Clone, Copy)]
pub(super) enum Offer {
    /// HTTP/2 or HTTP/1.1, as far as the configuration allows.
    Any,
    /// HTTP/1.1, which alone can be upgraded.
    Http1,
}

#[derive(Clone)]
struct Tls {
    rotation: Arc<Rotation>,
    server_name: Option<ServerName<'static>>,
    handshake_timeout: Duration,
}

impl Connector {
    pub(super) fn new(config: &Config, rotation: Option<Arc<Rotation>>) -> Result<Self> {
        let server_name = config.tls.server_name.as_deref().map(|name| {
            let wrong = |error| Error::config(format!("tls-server-name {name:?} is no host name")).with_source(error);
            ServerName::try_from(name.to_owned()).map_err(wrong)
        });
        let server_name = server_name.transpose()?;
        let handshake_timeout = config.tls_handshake_timeout;
        let tls = rotation.map(|rotation| Tls { rotation, server_name, handshake_timeout });
        Ok(Self { dialer: Dialer::new(config)?, tls })
    }

    pub(super) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Connects to the server of a URL.
    pub(super) async fn connect(&self, uri: &Uri, offer: Offer) -> Result<Connection, ConnectError> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default();
        let address = format!("{host}:{}", uri.port_u16().unwrap_or(if secure { 443 } else { 80 }));
        if secure && self.tls.is_none() {
            return Err(ConnectError::new(format!("{address}: the client was made for a server without TLS")));
        }
        let stream = self.dialer.clone().dial(uri).await?;
        match self.tls.as_ref().filter(|_| secure) {
            Some(tls) => tls.connect(stream, host, &address, offer).await,
            None => Ok(Connection::new(stream, None, false).through_proxy(self.dialer.forwards())),
        }
    }
}

impl Tls {
    async fn connect(
        &self,
        stream: Box<dyn Io>,
        host: &str,
        address: &str,
        offer: Offer,
    ) -> Result<Connection, ConnectError> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                .map_err(|error| ConnectError::new(format!("{address}: the host is no name for TLS: {error}")))?,
        };
        let material = self.rotation.fresh().await;
        let config = match offer {
            Offer::Any => &material.any_http,
            Offer::Http1 => &material.http1,
        };
        let handshake = TlsConnector::from(config.clone()).connect(name, stream);
        let stream = match tokio::time::timeout(self.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(ConnectError::tls(address, &error)),
            Err(_) => {
                let limit = self.handshake_timeout;
                return Err(ConnectError::timeout(format!("TLS with {address}: no handshake within {limit:?}")));
            }
        };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2);
        let stream = TlsStream::new(stream, Peer::Server);
        Ok(Connection::new(Box::new(stream), Some(material.retirement.subscribe()), http2))
    }
}
