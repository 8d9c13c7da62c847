//! Requests whose connection becomes something else than HTTP, on a server with TLS and both versions of HTTP.

#[path = "support/proxies.rs"]
mod proxies;

use std::{convert::Infallible, fs, io::Write as _, net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use k8s_client_runtime::{
    Config, ErrorKind, RestClient,
    config::{PemSource, Proxy, ProxyUrl},
    rest::Upgraded,
};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time,
};
use tokio_rustls::TlsAcceptor;

/// Answers by the path: `/echo` switches to a protocol that says everything twice.
async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let version = request.version();
    let path = request.uri().path().to_owned();
    let mut response = Response::new(Full::default());
    match path.as_str() {
        "/echo" if version == Version::HTTP_11 && is_upgrade(request.headers()) => {
            assert!(!request.headers().contains_key(header::PROXY_AUTHORIZATION), "that is for the proxy");
            let protocol = request.headers()[header::UPGRADE].clone();
            tokio::spawn(async move {
                let mut stream = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
                stream.write_all(b"hello").await.unwrap();
                let mut said = [0; 5];
                while stream.read_exact(&mut said).await.is_ok() {
                    stream.write_all(&said).await.unwrap();
                }
                stream.write_all(b"bye").await.unwrap();
                stream.shutdown().await.unwrap();
            });
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert(header::CONNECTION, "Upgrade".parse().unwrap());
            response.headers_mut().insert(header::UPGRADE, protocol);
            response.headers_mut().insert("Sec-WebSocket-Protocol", "v5.channel.k8s.io".parse().unwrap());
        }
        "/status" => {
            let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"BadRequest","code":400,
                "message":"pod web does not have a host assigned"}"#;
            *response.status_mut() = StatusCode::BAD_REQUEST;
            *response.body_mut() = status.into();
        }
        // As a load balancer may answer.
        "/compressed" if request.headers().get(header::ACCEPT_ENCODING).is_some_and(|value| value == "gzip") => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(b"no healthy upstream").unwrap();
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
            *response.body_mut() = gzip.finish().unwrap().into();
        }
        _ => *response.body_mut() = format!("{version:?}").into(),
    }
    Ok(response)
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) && headers.get(header::CONNECTION).is_some_and(|value| value == "Upgrade")
}

/// A client of a server that takes connections until the test ends.
async fn client(secure: bool) -> RestClient {
    RestClient::new(&server(secure).await.0).unwrap()
}

/// How to reach such a server, and its certificate.
async fn server(secure: bool) -> (Config, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    #[cfg(feature = "aws-lc-rs")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    let provider = rustls::crypto::ring::default_provider();
    let mut tls = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let scheme = if secure { "https" } else { "http" };
    let mut config = Config::new(&format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port())).unwrap();
    config.tls.ca = Some(PemSource::text(certificate.pem()));
    tokio::spawn(async move {
        loop {
            let stream = listener.accept().await.unwrap().0;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                if secure {
                    let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                    server.serve_connection_with_upgrades(stream, service_fn(answer)).await
                } else {
                    server.serve_connection_with_upgrades(TokioIo::new(stream), service_fn(answer)).await
                }
            });
        }
    });
    (config, certificate.pem())
}

async fn read(connection: &mut Upgraded, length: usize) -> String {
    let mut bytes = vec![0; length];
    connection.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn an_upgraded_connection_carries_bytes_both_ways_beside_http2() {
    for (secure, version) in [(true, "HTTP/2.0"), (false, "HTTP/1.1")] {
        let client = client(secure).await;
        let mut connection = client.post().abs_path("/echo").header("Upgrade", "SPDY/3.1").upgrade().await.unwrap();
        assert_eq!(connection.headers()["upgrade"], "SPDY/3.1");
        assert_eq!(connection.headers()["sec-websocket-protocol"], "v5.channel.k8s.io");
        assert_eq!(format!("{connection:?}"), "Upgraded { .. }");
        assert_eq!(read(&mut connection, 5).await, "hello");
        // Other requests go their own way meanwhile.
        let plain = client.get().abs_path("/version").send().await.unwrap().bytes().await.unwrap();
        assert_eq!(plain, version);
        drop(client);
        connection.write_all(b"twice").await.unwrap();
        assert_eq!(read(&mut connection, 5).await, "twice");
        connection.shutdown().await.unwrap();
        let mut rest = String::new();
        connection.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "bye");
    }
}

#[tokio::test]
async fn a_websocket_is_asked_for_unless_the_caller_says_otherwise() {
    let connection = client(true).await.get().abs_path("/echo").upgrade().await.unwrap();
    assert_eq!(connection.headers()["upgrade"], "websocket");
}

#[tokio::test]
async fn any_other_answer_is_an_error() {
    let client = client(true).await;
    let error = client.get().abs_path("/status").upgrade().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api);
    assert!(error.is_bad_request(), "{error}");
    assert!(error.to_string().contains("does not have a host assigned"), "{error}");

    let error = client.get().abs_path("/compressed").upgrade().await.unwrap_err();
    assert!(error.to_string().contains("no healthy upstream"), "{error}");

    let error = client.get().abs_path("/plain").query("command", "hunter2").upgrade().await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let text = error.to_string();
    assert!(text.contains("/plain") && text.contains("answered 200 OK in place of switching"), "{text}");
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_also_to_a_server_without_tls() {
    const BASIC: &str = "Basic dXNlcjpwYXNzd29yZA==";
    for (secure, protocol, scheme, login, asked) in [
        (false, proxies::Protocol::Http, "http", BASIC, "CONNECT"),
        (true, proxies::Protocol::Http, "http", BASIC, "CONNECT"),
        (false, proxies::Protocol::Socks5, "socks5", "user:password", "name"),
    ] {
        let (mut config, _) = server(secure).await;
        let address = config.server.authority().unwrap().to_string();
        let proxy = proxies::TestProxy::start(protocol, Some(login)).await;
        config.proxy = Proxy::Url(ProxyUrl::parse(&format!("{scheme}://user:password@{}", proxy.address)).unwrap());
        let client = RestClient::new(&config).unwrap();
        let mut connection = client.get().abs_path("/echo").upgrade().await.unwrap();
        assert_eq!(read(&mut connection, 5).await, "hello");
        assert_eq!(proxy.asked(), [format!("{asked} {address}")]);
    }
}

/// Lets a time pass in which files are read again.
async fn pass(seconds: u64) {
    time::pause();
    time::sleep(Duration::from_secs(seconds)).await;
    time::resume();
}

#[tokio::test]
async fn an_upgraded_connection_outlives_the_authorities_that_it_was_made_with() {
    let (mut config, certificate) = server(true).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, &certificate).unwrap();
    config.tls.ca = Some(PemSource::File(file.clone()));
    let client = RestClient::new(&config).unwrap();
    let mut connection = client.get().abs_path("/echo").upgrade().await.unwrap();
    assert_eq!(read(&mut connection, 5).await, "hello");

    // Nothing new is trusted, and what began on HTTP/2 would have ended by now.
    let other = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    fs::write(&file, other.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()).unwrap();
    pass(61).await;
    let refused = async {
        while client.get().abs_path("/echo").upgrade().await.is_ok() {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(Duration::from_secs(10), refused).await.expect("the new authority is used");
    pass(60).await;
    connection.write_all(b"alive").await.unwrap();
    assert_eq!(read(&mut connection, 5).await, "alive");
}
