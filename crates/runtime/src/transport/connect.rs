//! New connections: TCP, then TLS, with a limit on the time of each, and which HTTP the server chose.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::{
    connection::Connection,
    dial::{Dialer, Io},
    failure::{self, ConnectError},
    retirement::Retired,
    room::Room,
    rotation::Rotation,
    tls,
};
use crate::{
    config::Config,
    error::{Error, Result},
};

/// Makes connections for pools.
#[derive(Clone)]
pub(super) struct Connector {
    dialer: Dialer,
    /// Nothing for a server without TLS: the roots of the system are not looked for in vain.
    tls: Option<Tls>,
    /// Of the lane that the connections are for. Without one they are made to be upgraded.
    room: Option<Room>,
}

#[derive(Clone)]
struct Tls {
    rotation: Arc<Rotation>,
    server_name: Option<ServerName<'static>>,
    handshake_timeout: Duration,
}

impl Connector {
    /// A connector of connections that can be upgraded.
    pub(super) fn new(config: &Config, rotation: Option<Arc<Rotation>>) -> Result<Self> {
        let server_name = config.tls.server_name.as_deref().map(|name| {
            let wrong = |error| Error::config(format!("tls-server-name {name:?} is no host name")).with_source(error);
            ServerName::try_from(name.to_owned()).map_err(wrong)
        });
        let server_name = server_name.transpose()?;
        let handshake_timeout = config.tls_handshake_timeout;
        let tls = rotation.map(|rotation| Tls { rotation, server_name, handshake_timeout });
        Ok(Self { dialer: Dialer::new(config)?, tls, room: None })
    }

    /// A connector for a lane.
    pub(super) fn for_lane(&self, room: Room) -> Self {
        Self { room: Some(room), ..self.clone() }
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
        match self.tls.filter(|_| secure) {
            Some(tls) => tls.connect(stream, &host, &address, self.room).await,
            None => Ok(http1(stream, None, self.room).through_proxy(proxied)),
        }
    }
}

impl Tls {
    async fn connect(
        self,
        stream: Box<dyn Io>,
        host: &str,
        address: &str,
        room: Option<Room>,
    ) -> Result<Connection, ConnectError> {
        let name = match self.server_name {
            Some(name) => name,
            None => ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                .map_err(|error| ConnectError::new(format!("{address}: the host is no name for TLS: {error}")))?,
        };
        let material = self.rotation.fresh().await;
        let config = if room.is_some() { &material.any_http } else { &material.http1 };
        let handshake = TlsConnector::from(config.clone()).connect(name, stream);
        let stream = match tokio::time::timeout(self.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return Err(ConnectError::new(format!("TLS with {address}: {}", failure::describe_tls(&error))));
            }
            Err(_) => {
                let limit = self.handshake_timeout;
                return Err(ConnectError::timeout(format!("TLS with {address}: no handshake within {limit:?}")));
            }
        };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2);
        let retired = Some(material.retirement.subscribe());
        Ok(match room {
            Some(room) if http2 => Connection::http2(Box::new(stream), retired, room.report()),
            room => http1(Box::new(stream), retired, room),
        })
    }
}

fn http1(stream: Box<dyn Io>, retired: Option<Retired>, room: Option<Room>) -> Connection {
    if let Some(room) = room {
        room.unlimited();
    }
    Connection::http1(stream, retired)
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
