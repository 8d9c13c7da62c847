//! New connections: TCP, then TLS, with a limit on the time of each, and which HTTP the server chose.

use std::{sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use hyper_rustls::{
    DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector, MaybeHttpsStream, ResolveServerName,
};
use hyper_util::client::legacy::connect::Connection as _;
use rustls_pki_types::ServerName;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tower_service::Service as _;

use super::stream::Connection;
use crate::{
    config::{Authority, Config},
    error::{Error, Result},
    metrics::Metrics,
    transport::{
        dial::{Dialer, Io},
        failure::ConnectError,
        tls::{Peer, Rotation, TlsStream},
    },
};

/// Makes connections for pools.
#[derive(Clone)]
pub(super) struct Connector {
    dialer: Dialer,
    /// Nothing for a server without TLS: the roots of the system are not looked for in vain.
    tls: Option<Tls>,
    metrics: Option<Arc<dyn Metrics>>,
}

/// What to offer a server to speak.
#[derive(Clone, Copy)]
pub(super) enum Offer {
    /// HTTP/2 or HTTP/1.1, as far as the configuration allows.
    Any,
    /// HTTP/1.1, which alone can be upgraded. The connection outlives the certificates that it was made with: the
    /// server has checked them, and what runs on it cannot be resumed.
    Upgrade,
}

#[derive(Clone)]
struct Tls {
    rotation: Arc<Rotation>,
    server_name: Arc<dyn ResolveServerName + Send + Sync>,
    handshake_timeout: Duration,
}

impl Connector {
    pub(super) fn new(config: &Config, rotation: Option<Arc<Rotation>>) -> Result<Self> {
        let server_name: Arc<dyn ResolveServerName + Send + Sync> = match &config.tls.server_name {
            None => Arc::new(DefaultServerNameResolver::default()),
            Some(name) => {
                let wrong =
                    |error| Error::config(format!("tls-server-name {name:?} is not a host name")).with_source(error);
                Arc::new(FixedServerNameResolver::new(ServerName::try_from(name.clone()).map_err(wrong)?))
            }
        };
        let handshake_timeout = config.tls_handshake_timeout;
        let tls = rotation.map(|rotation| Tls { rotation, server_name, handshake_timeout });
        Ok(Self { dialer: Dialer::new(config)?, tls, metrics: config.metrics.clone() })
    }

    pub(super) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Connects to the server of a URL.
    pub(super) async fn connect(&self, uri: &Uri, offer: Offer) -> Result<Connection, ConnectError> {
        let begun = Instant::now();
        let connected = self.connect_once(uri, offer).await;
        if let Some(metrics) = &self.metrics {
            metrics.connection(connected.as_ref().map(|_| ()).map_err(ConnectError::kind), begun.elapsed());
        }
        connected
    }

    async fn connect_once(&self, uri: &Uri, offer: Offer) -> Result<Connection, ConnectError> {
        let dialer = match offer {
            Offer::Any => self.dialer.clone(),
            Offer::Upgrade => self.dialer.for_upgrades(),
        };
        if uri.scheme() != Some(&Scheme::HTTPS) {
            let forwards = dialer.forwards();
            return Ok(Connection::new(dialer.dial(uri).await?, None, false).through_proxy(forwards));
        }
        let Some(tls) = &self.tls else {
            let address = Authority::of(uri);
            return Err(ConnectError::new(format!("{address}: the client was made for a server without TLS")));
        };
        tls.connect(&dialer, uri, offer).await
    }
}

impl Tls {
    async fn connect(&self, dialer: &Dialer, uri: &Uri, offer: Offer) -> Result<Connection, ConnectError> {
        let address = Authority::of(uri);
        let material = self.rotation.fresh().await;
        let config = match offer {
            Offer::Any => &material.any_http,
            Offer::Upgrade => &material.http1,
        };
        let reached = Arc::new(Notify::new());
        let dialer = dialer.notifying(reached.clone());
        let connected = HttpsConnector::new(dialer, config.clone(), true, self.server_name.clone()).call(uri.clone());
        // Dialing has a limit of its own.
        let late = async {
            reached.notified().await;
            sleep(self.handshake_timeout).await;
        };
        let stream = tokio::select! {
            biased;
            connected = connected => connected.map_err(|error| ConnectError::https(&address, error))?,
            () = late => {
                let limit = self.handshake_timeout;
                return Err(ConnectError::timeout(format!("TLS with {address}: no handshake within {limit:?}")));
            }
        };
        let http2 = stream.connected().is_negotiated_h2();
        let stream: Box<dyn Io> = match stream {
            MaybeHttpsStream::Http(stream) => Box::new(stream.into_inner()),
            MaybeHttpsStream::Https(stream) => Box::new(TlsStream::new(stream.into_inner(), Peer::Server)),
        };
        let retired = match offer {
            Offer::Any => Some(material.retirement.subscribe()),
            Offer::Upgrade => None,
        };
        Ok(Connection::new(stream, retired, http2))
    }
}
