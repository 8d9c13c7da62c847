//! What an HTTP/2 server says of requests that it does not answer, frame by frame.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::Method;
use k8s_client_runtime::{Config, Error, ErrorKind, RestClient, config::PemSource};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, crypto::CryptoProvider};
use rustls_pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::CONFIG_MAP;

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// It is answered with a config map.
    Good,
    /// Its stream is reset with this code.
    Reset(u32),
    /// The server goes away, and says that it has processed nothing of this connection.
    GoneBefore,
    /// The server goes away with this request as the last one it has come to, and closes the connection.
    GoneAfter,
    /// The connection ends in the middle of a frame.
    Cut,
}

const REFUSED_STREAM: u32 = 7;
const INTERNAL_ERROR: u32 = 2;
const CANCEL: u32 = 8;

/// A server that gives each request the next reply, and the last one to all that follow.
pub(crate) struct Server {
    config: Config,
    seen: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
        let mut tls = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("key and certificate are a pair");
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let mut config = Config::new(&format!("https://localhost:{port}")).expect("a URL");
        config.tls.ca = Some(PemSource::text(cert.pem()));
        let (seen, connections) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (requests, opened) = (Arc::clone(&seen), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                let (acceptor, replies, requests) = (acceptor.clone(), replies.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = serve(stream, &replies, &requests).await;
                    }
                });
            }
        });
        Self { config, seen, connections, task }
    }

    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    /// How many requests have come.
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn provider() -> CryptoProvider {
    #[cfg(feature = "aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    rustls::crypto::ring::default_provider()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Speaks HTTP/2 with one client until it goes away, or the server does.
async fn serve<S>(mut stream: S, replies: &[Reply], seen: &AtomicUsize) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    // The request whose body is still to come.
    let mut open: Option<u32> = None;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags) = (head[3], head[4]);
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        match kind {
            SETTINGS if flags & ACK == 0 => stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await?,
            PING if flags & ACK == 0 => stream.write_all(&frame(PING, ACK, 0, &payload)).await?,
            HEADERS if flags & END_STREAM == 0 => open = Some(id),
            DATA if flags & END_STREAM == 0 => {}
            HEADERS => open = Some(id),
            DATA => {}
            _ => continue,
        }
        let ended = matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0;
        let Some(id) = open.filter(|_| ended) else { continue };
        open = None;
        let number = seen.fetch_add(1, Ordering::SeqCst);
        let reply = replies.get(number).or(replies.last()).copied().unwrap_or(Reply::Good);
        match reply {
            Reply::Good => {
                // `:status: 200` of the static table, and a literal `content-type`, which is its entry 31.
                let mut block = vec![0x88, 0x0f, 0x10, 16];
                block.extend(b"application/json");
                stream.write_all(&frame(HEADERS, END_HEADERS, id, &block)).await?;
                stream.write_all(&frame(DATA, END_STREAM, id, CONFIG_MAP.as_bytes())).await?;
            }
            Reply::Reset(code) => stream.write_all(&frame(RST_STREAM, 0, id, &code.to_be_bytes())).await?,
            Reply::GoneBefore => stream.write_all(&frame(GOAWAY, 0, 0, &[0; 8])).await?,
            Reply::Cut => {
                stream.write_all(&frame(HEADERS, END_HEADERS, id, &[0x88])[..5]).await?;
                return stream.shutdown().await;
            }
            Reply::GoneAfter => {
                let last = u64::from(id) << 32;
                stream.write_all(&frame(GOAWAY, 0, 0, &last.to_be_bytes())).await?;
                return stream.shutdown().await;
            }
        }
    }
}

fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(id.to_be_bytes());
    frame.extend(payload);
    frame
}

const CHANGES: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// How often the request was sent again, and how many the server has seen.
async fn ask(replies: &[Reply], method: &Method, body: &'static str) -> (Result<u32, Error>, usize, usize) {
    let server = Server::start(replies.to_vec()).await;
    let client = RestClient::new(&server.config()).expect("a client");
    let request = client.verb(method.clone()).abs_path("/x").body("application/json", body);
    let retries = request.send().await.map(|response| response.retries());
    (retries, server.seen(), server.connections.load(Ordering::SeqCst))
}

#[tokio::test]
async fn refused_stream_is_sent_again_with_every_verb() {
    let replies = [Reply::Reset(REFUSED_STREAM), Reply::Reset(REFUSED_STREAM), Reply::Good];
    for method in CHANGES.iter().chain([&Method::GET]) {
        for body in ["{}", ""] {
            let (retries, seen, connections) = ask(&replies, method, body).await;
            assert_eq!(retries.expect("the third attempt succeeds"), 2, "{method}");
            assert_eq!((seen, connections), (3, 1), "{method}: the connection goes on");
        }
    }
}

#[tokio::test]
async fn request_that_the_leaving_server_had_not_come_to_is_sent_again() {
    for method in CHANGES.iter().chain([&Method::GET]) {
        for body in ["{}", ""] {
            let (retries, seen, connections) = ask(&[Reply::GoneBefore, Reply::Good], method, body).await;
            assert_eq!(retries.expect("the second attempt succeeds"), 1, "{method} {body}");
            assert_eq!((seen, connections), (2, 2), "{method} {body}: by another connection");
        }
    }
}

#[tokio::test]
async fn request_that_the_leaving_server_had_come_to_is_sent_again_only_if_it_reads() {
    for method in &CHANGES {
        let (result, seen, _) = ask(&[Reply::GoneAfter, Reply::Good], method, "{}").await;
        let error = result.expect_err("nobody knows what became of it");
        assert_eq!((error.kind(), error.retries(), seen), (ErrorKind::Transport, 0, 1), "{method}");
    }
    let (retries, seen, _) = ask(&[Reply::GoneAfter, Reply::Good], &Method::GET, "").await;
    assert_eq!((retries.expect("the second attempt succeeds"), seen), (1, 2));
}

#[tokio::test]
async fn connection_that_ends_within_a_frame_is_lost() {
    let (retries, seen, _) = ask(&[Reply::Cut, Reply::Good], &Method::GET, "").await;
    assert_eq!((retries.expect("the second attempt succeeds"), seen), (1, 2));
    let (result, seen, _) = ask(&[Reply::Cut, Reply::Good], &Method::POST, "{}").await;
    let error = result.expect_err("nobody knows what became of it");
    assert_eq!((error.is_transient(), error.retries(), seen), (true, 0, 1), "{error}");
}

#[tokio::test]
async fn error_says_what_became_of_the_request() {
    for (reply, method, words) in [
        (Reply::GoneBefore, &Method::POST, "(GOAWAY NO_ERROR); the server did not process the request"),
        (Reply::GoneBefore, &Method::GET, "(GOAWAY NO_ERROR); the server did not process the request"),
        (Reply::Reset(REFUSED_STREAM), &Method::POST, "(REFUSED_STREAM); the server did not process the request"),
        (Reply::Reset(INTERNAL_ERROR), &Method::POST, "(INTERNAL_ERROR); the server may have processed the request"),
        (Reply::Reset(INTERNAL_ERROR), &Method::GET, "the server broke off the request's stream (INTERNAL_ERROR)"),
        (Reply::Cut, &Method::PUT, "in the middle of a frame; the server may have processed the request"),
    ] {
        let server = Server::start(vec![reply]).await;
        let client = RestClient::new(&server.config()).expect("a client");
        let request = client.verb(method.clone()).abs_path("/x").body("application/json", "{}").max_retries(0);
        let error = request.send().await.expect_err("it fails").to_string();
        assert!(error.ends_with(words), "{error}");
    }
}

#[tokio::test]
async fn stream_that_is_reset_for_another_reason_is_not_sent_again() {
    for code in [INTERNAL_ERROR, CANCEL] {
        for method in CHANGES.iter().chain([&Method::GET]) {
            let (result, seen, _) = ask(&[Reply::Reset(code), Reply::Good], method, "{}").await;
            assert_eq!(result.expect_err("it failed").kind(), ErrorKind::Transport, "{method}");
            assert_eq!(seen, 1, "{method}");
        }
    }
}
