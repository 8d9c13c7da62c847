//! The few requests that show whether a server is ready.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use crate::{Error, credentials::ADMIN_TOKEN};

/// GETs from a server on the loopback address, as administrator. One connection a request: it is
/// not worth more, and the client under test has no part in it.
#[derive(Debug)]
pub(crate) struct Probe(Arc<ClientConfig>);

impl Probe {
    /// Trusts the certificate authority in the file `ca`.
    pub(crate) fn trusting(ca: &Path) -> Result<Self, Error> {
        let tried = || format!("trust {}", ca.display());
        let ca = CertificateDer::from_pem_file(ca).map_err(Error::on(tried()))?;
        let mut roots = RootCertStore::empty();
        roots.add(ca).map_err(Error::on("trust the certificate authority"))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::on("configure TLS"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Succeeds if the answer's status is 200. Otherwise the error holds the answer.
    pub(crate) fn get(&self, port: u16, path: &str) -> io::Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.set_write_timeout(Some(Duration::from_secs(5)))?;
        let connection =
            ClientConnection::new(self.0.clone(), ServerName::from(address.ip())).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\n\
             Authorization: Bearer {ADMIN_TOKEN}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(io::Error::other(answer)) }
    }
}
