//! The sockets of the fixture server. It runs in a thread and a runtime of its own, so that a test's runtime holds
//! nothing but what the client needs, and its clock may stand still.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use k8s_client_runtime::{Config, RestClient, config::PemSource};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::CryptoProvider, server::WebPkiClientVerifier};
use rustls_pki_types::PrivateKeyDer;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    api::{Api, Reply},
    http1, http2,
    ledger::Ledger,
    plan::{Fault, Plan},
    wire::{Control, Socket, Wire},
};

/// The header by which a test tells its calls apart.
pub(crate) const CALL: &str = "x-call";

/// How many streams kube-apiserver allows a connection.
const STREAMS: u32 = 100;

/// The server; it ends with this.
pub(crate) struct Server {
    address: SocketAddr,
    authority: Authority,
    shared: Arc<Shared>,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// What all connections share.
pub(crate) struct Shared {
    api: Api,
    ledger: Ledger,
    plan: Plan,
    open: Mutex<HashMap<u64, Control>>,
    accepted: AtomicU64,
}

impl Server {
    pub(crate) fn start(plan: Plan) -> Self {
        let authority = Authority::new();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server()));
        let shared = Arc::new(Shared {
            api: Api::new(),
            ledger: Ledger::default(),
            plan,
            open: Mutex::default(),
            accepted: AtomicU64::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        listener.set_nonblocking(true).expect("a listener can wait");
        let all = shared.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("it does not block");
                tokio::select! {
                    () = accept(&listener, &acceptor, &all) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, authority, shared, thread: Some((stop, thread)) }
    }

    /// What reaches the server over HTTP/2.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(&format!("https://{}", self.address)).expect("the address makes a URL");
        config.tls.ca = Some(PemSource::text(self.authority.0.pem()));
        config
    }

    /// What reaches the server over HTTP/1.1 without TLS.
    pub(crate) fn plain_config(&self) -> Config {
        Config::new(&format!("http://{}", self.address)).expect("the address makes a URL")
    }

    /// A client with all defaults.
    pub(crate) fn client(&self) -> RestClient {
        RestClient::new(&self.config()).expect("the configuration is valid")
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// How many connections are open now.
    pub(crate) fn connections(&self) -> usize {
        self.shared.open().len()
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Makes black holes of all connections there are. New ones work.
    pub(crate) fn silence(&self) {
        for control in self.shared.open().values() {
            control.silence();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

async fn accept(listener: &TcpListener, acceptor: &TlsAcceptor, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let connection = Connection {
            id: shared.accepted.fetch_add(1, Ordering::SeqCst),
            shared: shared.clone(),
            control: Control::default(),
        };
        shared.open().insert(connection.id, connection.control.clone());
        tokio::spawn(connection.serve(stream, acceptor.clone()));
    }
}

/// One connection.
pub(crate) struct Connection {
    id: u64,
    shared: Arc<Shared>,
    pub(crate) control: Control,
}

impl Connection {
    async fn serve(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let _ = stream.set_nodelay(true);
        let mut first = [0];
        // A TLS handshake begins with the byte 22, which no HTTP method does.
        let secure = stream.peek(&mut first).await.is_ok() && first[0] == 22;
        let socket = if secure {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            Socket::Tls(Box::new(stream))
        } else {
            Socket::Plain(stream)
        };
        let http2 = socket.is_http2();
        let wire = Wire::new(socket, self.control.clone());
        let connection = Arc::new(self);
        if http2 {
            http2::serve(wire, &connection, STREAMS).await;
        } else {
            http1::serve(wire, &connection).await;
        }
    }

    /// Notes a request and says what becomes of it. Those of no number meet no fault.
    pub(crate) fn arrived(&self, call: Option<u64>, http2: bool) -> Fault {
        let Some(call) = call else { return Fault::None };
        let plan = self.shared.plan;
        self.shared.ledger.arrived(call, self.id, |attempt| plan.fault(call, attempt, http2))
    }

    /// Has the request processed, once for each time it is called.
    pub(crate) fn process(&self, call: Option<u64>, method: &str, path_and_query: &str, body: &[u8]) -> Reply {
        if let Some(call) = call {
            self.shared.ledger.processed(call, self.id);
        }
        self.shared.api.process(method, path_and_query, body)
    }

    /// Notes that answers on this connection may be lost.
    pub(crate) fn breaks(&self) {
        self.shared.ledger.broken(self.id);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.open().remove(&self.id);
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Control>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who signs the server's certificate, and a client's.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate and its key, both as PEM.
    pub(crate) fn signed(&self, name: &str) -> (String, String) {
        let (certificate, key) = self.sign(name);
        (certificate.pem(), key.serialize_pem())
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }

    fn server(&self) -> ServerConfig {
        let (certificate, key) = self.sign("127.0.0.1");
        let provider = Arc::new(provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("a certificate");
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()
            .expect("a verifier");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key is the certificate's");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

fn provider() -> CryptoProvider {
    #[cfg(feature = "aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    rustls::crypto::ring::default_provider()
}
