//! Real sockets on the loopback interface: TLS in all its shapes, credentials, and what goes wrong.

mod authorities;
mod certificates;
mod connections;
mod credentials;
mod driving;
mod first_version;
mod gzip;
mod headers;
mod keys;
mod pool;
mod proxies;
mod rotation;
mod streams;
mod tls;
mod windows;

use std::{
    collections::hash_map::DefaultHasher,
    convert::Infallible,
    hash::{Hash, Hasher},
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
use http_body_util::{Either, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::{dial::Io, *};
use crate::{
    config::{ClientIdentity, Credentials, PemSource},
    error::Delivery,
};

/// A transport with connections of its own.
fn connected(config: &Config) -> Result<Transport> {
    Transport::new(config, connections(config)?, true)
}

/// A certificate authority and what is signed by it.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        Self::named("test CA")
    }

    fn named(name: &str) -> Self {
        Self::with(|params| params.distinguished_name.push(DnType::CommonName, name))
    }

    /// An authority that is as usual but for this.
    fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let params = Self::params(change);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn params(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        params
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
        let chain = vec![self.sign(&key, names).der().clone()];
        server(chain, &key.serialize_pem(), clients.map(|clients| clients.0.der().clone()))
    }

    /// A client's certificate and key of the kind that is usual.
    fn client(&self) -> ClientIdentity {
        let key = KeyPair::generate().unwrap();
        let certificate = PemSource::text(self.sign(&key, &["me"]).pem());
        ClientIdentity { certificate, key: PemSource::text(key.serialize_pem()) }
    }
}

/// TLS of a server with this certificate and key, which asks for a client certificate that `clients` signed.
fn server(chain: Vec<CertificateDer<'static>>, key: &str, clients: Option<CertificateDer<'static>>) -> ServerConfig {
    let provider = Arc::new(super::tls::provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients).unwrap();
            let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(clients)
        }
    };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// A server that answers with what it saw of the request; `open` counts its connections, `watches` the answers to
/// `/watch`, which never end.
struct Server {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
    watches: Arc<AtomicUsize>,
}

impl Server {
    async fn start(tls: Option<ServerConfig>) -> Self {
        Self::with_streams(tls, Some(200)).await
    }

    /// A server that allows a connection this many streams.
    async fn with_streams(tls: Option<ServerConfig>, streams: Option<u32>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), open: Arc::default(), watches: Arc::default() };
        let acceptor = tls.map(|tls| TlsAcceptor::from(Arc::new(tls)));
        let (open, watches) = (server.open.clone(), server.watches.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, open, watches) = (acceptor.clone(), open.clone(), watches.clone());
                tokio::spawn(async move {
                    open.fetch_add(1, Ordering::SeqCst);
                    match acceptor {
                        None => serve(stream, "sni=none".to_owned(), streams, watches).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                let connection = stream.get_ref().1;
                                let name = connection.server_name().unwrap_or("none");
                                let client = connection.peer_certificates().map(|chain| fingerprint(&chain[0]));
                                let peer = format!("sni={name} client={}", client.unwrap_or_default());
                                serve(stream, peer, streams, watches).await;
                            }
                        }
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    fn config(&self, scheme: &str, host: &str) -> Config {
        Config::new(&format!("{scheme}://{host}:{}", self.address.port())).unwrap()
    }

    fn connections(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let mut hasher = DefaultHasher::new();
    certificate.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

async fn serve(stream: impl Io + 'static, peer: String, streams: Option<u32>, watches: Arc<AtomicUsize>) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
        let (authorization, agent) = (header("authorization"), header("user-agent"));
        let text = format!("{:?} {authorization} {peer} agent={agent}", request.version());
        let (status, body) = match request.uri().path() {
            "/watch" => (StatusCode::OK, Either::Right(Endless::new(watches.clone()))),
            "/401" => (StatusCode::UNAUTHORIZED, Either::Left(Bytes::from(text))),
            "/large" => (StatusCode::OK, Either::Left(Bytes::from(vec![b'.'; 8 << 20]))),
            _ => (StatusCode::OK, Either::Left(Bytes::from(text))),
        };
        let body = match body {
            Either::Left(bytes) => Either::Left(Full::new(bytes)),
            Either::Right(endless) => Either::Right(endless),
        };
        let response = Response::builder().status(status).body(body);
        async move { response }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(streams);
    let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
}

/// A body that never ends and counts as open as long as it exists.
struct Endless {
    open: Arc<AtomicUsize>,
    started: bool,
}

impl Endless {
    fn new(open: Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self { open, started: false }
    }
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        if std::mem::replace(&mut self.started, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"first")))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn until_zero(count: &AtomicUsize) {
    until_at_most(0, count).await;
}

async fn until_at_most(most: usize, count: &AtomicUsize) {
    until("it is closed", || count.load(Ordering::SeqCst) <= most).await;
}

/// How long anything may take that happens soon, however busy the machine is.
const SOON: Duration = Duration::from_secs(60);

/// Waits until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("it does not happen: {what}"));
}

/// Where a server of TLS and this protocol listens, and how to reach it.
async fn tls_listener(protocol: &[u8]) -> (TlsAcceptor, TcpListener, Config) {
    let authority = Authority::new();
    let mut tls = authority.server(&["localhost"], None);
    tls.alpn_protocols = vec![protocol.to_vec()];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut config = Config::new(&format!("https://localhost:{}", listener.local_addr().unwrap().port())).unwrap();
    config.tls.ca = Some(authority.pem());
    (TlsAcceptor::from(Arc::new(tls)), listener, config)
}

/// Calls made at the same time.
async fn together<T: Send + 'static, F>(count: usize, call: impl Fn() -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let calls: Vec<_> = (0..count).map(|_| tokio::spawn(call())).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers
}

/// Answers to requests made at the same time.
async fn gets(count: usize, transport: &Transport, config: &Config) -> Vec<String> {
    together(count, || {
        let (transport, config) = (transport.clone(), config.clone());
        async move { get(&transport, &config, "/").await.unwrap() }
    })
    .await
}

/// The body of `/watch`, of which the first chunk has arrived.
async fn watch(transport: &Transport, config: &Config) -> Result<Body> {
    let uri = format!("{}://{}/watch", config.server.scheme_str().unwrap(), config.server.authority().unwrap());
    let mut body = transport.send(Request::get(uri).body(Bytes::new()).unwrap()).await?.into_body();
    assert_eq!(body.chunk().await.unwrap()?, "first");
    Ok(body)
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

/// Asks a server with this TLS, as the given host, trusting this CA.
async fn ask_with(tls: ServerConfig, host: &str, ca: Option<PemSource>) -> Result<String> {
    let server = Server::start(Some(tls)).await;
    let mut config = server.config("https", host);
    config.tls.ca = ca;
    ask(&config).await
}

fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
}

fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2901, 1, 1);
    params.not_after = date_time_ymd(2902, 1, 1);
}
