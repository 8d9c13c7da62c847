//! Real sockets on the loopback interface: TLS in all its shapes, credentials, and what goes wrong.

mod connections;
mod credentials;
mod tls;

use std::{
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::CryptoProvider, server::WebPkiClientVerifier};
use rustls_pki_types::PrivateKeyDer;
use secrecy::SecretString;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    config::{ClientIdentity, Credentials, PemSource},
    error::ErrorKind,
};

/// A transport with connections of its own.
fn connected(config: &Config) -> Result<Transport> {
    Transport::new(config, connections(config)?)
}

/// A certificate authority and what is signed by it.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        Self::named("test CA")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> PemSource {
        PemSource::text(self.0.pem())
    }

    fn sign(&self, key: &KeyPair, names: &[&str]) -> rcgen::Certificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        CertificateParams::new(names).unwrap().signed_by(key, &self.0).unwrap()
    }

    /// A server's TLS for the given names, which asks for a client certificate of `clients`.
    fn server(&self, names: &[&str], clients: Option<&Authority>) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate = self.sign(&key, names);
        let provider = Arc::new(super::tls::provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(client_verifier(clients, provider)),
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

fn client_verifier(
    clients: &Authority,
    provider: Arc<CryptoProvider>,
) -> Arc<dyn rustls::server::danger::ClientCertVerifier> {
    let mut roots = RootCertStore::empty();
    roots.add(clients.0.der().clone()).unwrap();
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap()
}

/// A server that answers with what it saw of the request; `open` counts its connections.
struct Server {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
}

impl Server {
    async fn start(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(AtomicUsize::new(0));
        let acceptor = tls.map(|tls| TlsAcceptor::from(Arc::new(tls)));
        let counter = open.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, open) = (acceptor.clone(), counter.clone());
                tokio::spawn(async move {
                    open.fetch_add(1, Ordering::SeqCst);
                    match acceptor {
                        None => serve(stream, "none").await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                let connection = stream.get_ref().1;
                                let name = connection.server_name().unwrap_or("none").to_owned();
                                serve(stream, &name).await;
                            }
                        }
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, open }
    }

    fn config(&self, scheme: &str, host: &str) -> Config {
        Config::new(&format!("{scheme}://{host}:{}", self.address.port())).unwrap()
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, sni: &str) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
        let (authorization, agent) = (header("authorization"), header("user-agent"));
        let text = format!("{:?} {authorization} sni={sni} agent={agent}", request.version());
        let (status, body) = match request.uri().path() {
            "/401" => (StatusCode::UNAUTHORIZED, Bytes::from(text)),
            "/large" => (StatusCode::OK, Bytes::from(vec![b'.'; 8 << 20])),
            _ => (StatusCode::OK, Bytes::from(text)),
        };
        let response = Response::builder().status(status).body(Full::new(body));
        async move { response }
    });
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
}

async fn get(transport: &Transport, config: &Config, path: &str) -> Result<String> {
    let authority = config.server.authority().unwrap();
    let uri = format!("{}://{authority}{path}", config.server.scheme_str().unwrap());
    let response = transport.send(Request::get(uri).body(Bytes::new()).unwrap()).await?;
    Ok(String::from_utf8(response.into_body().collect().await?.to_vec()).unwrap())
}

async fn ask(config: &Config) -> Result<String> {
    get(&connected(config)?, config, "/").await
}
