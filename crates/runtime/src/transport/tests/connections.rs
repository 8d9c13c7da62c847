//! Connections: how many, for how long, and how they end; and the headers that every request carries.

use http_body_util::BodyExt as _;
use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn plain_http_works_with_the_default_user_agent_or_a_given_one() {
    let server = Server::start(None).await;
    let mut config = server.config("http", "127.0.0.1");
    let answer = ask(&config).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 none sni=none agent="), "{answer}");
    assert!(answer.contains("k8s-client/"), "{answer}");
    config.user_agent = Some("mine/1".to_owned());
    assert!(ask(&config).await.unwrap().ends_with("agent=mine/1"));
}

#[tokio::test]
async fn one_http2_connection_carries_requests_at_the_same_time() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["localhost"], None))).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    gets(50, &transport, &config).await;
    assert_eq!(server.open.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn answers_that_nobody_reads_do_not_stop_the_others() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["localhost"], None))).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    let transport = connected(&config).unwrap();
    let uri = format!("https://localhost:{}/large", server.address.port());
    let mut unread = Vec::new();
    for _ in 0..8 {
        unread.push(transport.send(Request::get(&uri).body(Bytes::new()).unwrap()).await.unwrap());
    }
    let small = tokio::time::timeout(SOON, get(&transport, &config, "/"));
    small.await.expect("the small answer comes past the large ones").unwrap();
    assert_eq!(server.open.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn dropping_the_last_transport_closes_its_connections() {
    let authority = Authority::new();
    for tls in [None, Some(authority.server(&["localhost"], None))] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Server::start(tls).await;
        let mut config = server.config(scheme, "localhost");
        config.tls.ca = Some(authority.pem());
        let transport = connected(&config).unwrap();
        get(&transport, &config, "/").await.unwrap();
        assert_eq!(server.open.load(Ordering::SeqCst), 1);
        drop(transport);
        until_zero(&server.open).await;
    }
}

#[tokio::test]
async fn tokens_are_sent_and_read_again_after_the_server_refused_them() {
    let server = Server::start(None).await;
    let mut config = server.config("http", "127.0.0.1");
    config.credentials = Credentials::Bearer(SecretString::from("abc"));
    assert!(ask(&config).await.unwrap().contains(" Bearer abc "));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "old").unwrap();
    config.credentials = Credentials::TokenFile { path: path.clone(), fallback: None };
    let transport = connected(&config).unwrap();
    assert!(get(&transport, &config, "/").await.unwrap().contains(" Bearer old "));
    std::fs::write(&path, "new").unwrap();
    assert!(get(&transport, &config, "/401").await.unwrap().contains(" Bearer old "));
    assert!(get(&transport, &config, "/").await.unwrap().contains(" Bearer new "));
}

#[tokio::test]
async fn a_refused_connection_names_the_address() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = ask(&Config::new(&format!("http://{address}")).unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_connection_refused()), (ErrorKind::Connect, true));
    let text = error.to_string();
    assert!(text.contains(&address.to_string()) && text.to_lowercase().contains("connection refused"), "{text}");
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_body_is_an_error() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let config = Config::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    });
    assert_eq!(ask(&config).await.unwrap_err().kind(), ErrorKind::Transport);
}

#[tokio::test]
async fn answer_that_ends_early_over_http1_is_a_lost_connection() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for rest in ["", "4", "4\r\n", "4\r\nha", "4\r\nhalf", "4\r\nhalf\r\n", "4\r\nhalf\r\n0\r\n"] {
        assert_lost(&[chunked, rest].concat(), &ends_after(&[chunked, rest].concat(), b"http").await);
        assert_lost(rest, &ends_after(&[chunked, rest].concat(), b"http/1.1").await);
    }
    for length in ["content-length: 100\r\n", "connection: close\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\n{length}\r\nhalf");
        // TLS says how a connection ends, so that the end of a body without a length is known, too.
        assert_lost(&head, &ends_after(&head, b"http/1.1").await);
    }
}

fn assert_lost(case: &str, error: &Error) {
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Transport, Delivery::Lost), "{case:?}: {error}");
}

/// The error of a server that closes its connection after these bytes, with TLS or, where the protocol is `http`,
/// without.
async fn ends_after(answer: &str, protocol: &'static [u8]) -> Error {
    let (acceptor, listener, mut config) = tls_listener(protocol).await;
    if protocol == b"http" {
        config.server = format!("http://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
    }
    let answer = answer.to_owned();
    tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        if protocol == b"http" {
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        } else {
            let mut stream = acceptor.accept(stream).await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
    });
    ask(&config).await.unwrap_err()
}

/// How an answer ends of which a part arrives over HTTP/1.1, and then nothing; a body that `steady` says is read to its
/// end.
async fn silent_answer(steady: bool, ping_interval: Option<Duration>) -> Option<(Error, Duration)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut config = Config::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    config.http2_ping_interval = ping_interval;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        std::future::pending::<()>().await;
    });
    let request = Request::get(config.server.clone()).body(Bytes::new()).unwrap();
    let body = connected(&config).unwrap().send(request).await.unwrap().into_body();
    // Whoever puts something around a body keeps its limits.
    let mut body = body.wrapped(|body| body.map_frame(|frame| frame));
    if steady {
        body = body.bounded();
    }
    assert_eq!(body.chunk().await.unwrap().unwrap(), "half");
    tokio::time::pause();
    let silent = tokio::time::Instant::now();
    let end = tokio::time::timeout(Duration::from_secs(3600), body.chunk()).await;
    let after = silent.elapsed();
    tokio::time::resume();
    let error = end.ok()?.unwrap().unwrap_err();
    assert!(body.chunk().await.is_none());
    Some((error, after))
}

#[tokio::test]
async fn peer_that_falls_silent_inside_an_http1_body_is_noticed_as_soon_as_by_pings() {
    let defaults = Config::new("https://localhost").unwrap();
    let (error, after) = silent_answer(true, defaults.http2_ping_interval).await.expect("an end");
    assert_lost("silence", &error);
    // The time until the clock stood still counts too.
    assert!((40..=46).contains(&after.as_secs()), "noticed after {after:?}");
    // Watches and logs are silent where nothing happens, and who wants no pings wants none of this.
    assert!(silent_answer(false, defaults.http2_ping_interval).await.is_none());
    assert!(silent_answer(true, None).await.is_none());
}

/// A server of one connection whose answers never end, and the configuration to reach it.
async fn endless(protocol: &[u8], open: Arc<AtomicUsize>) -> Config {
    let (acceptor, listener, config) = tls_listener(protocol).await;
    tokio::spawn(async move {
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let answer = service_fn(move |_: Request<Incoming>| {
            let body = Endless::new(open.clone());
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
    });
    config
}

/// The body of an answer of which the first chunk has arrived.
async fn started(config: &Config) -> Body {
    let request = Request::get(config.server.clone()).body(Bytes::new()).unwrap();
    let mut body = connected(config).unwrap().send(request).await.unwrap().into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "first");
    body
}

#[tokio::test]
async fn dropping_a_body_cancels_the_stream() {
    for protocol in [&b"h2"[..], b"http/1.1"] {
        let open = Arc::new(AtomicUsize::new(0));
        let body = started(&endless(protocol, open.clone()).await).await;
        assert_eq!(open.load(Ordering::SeqCst), 1);
        drop(body);
        until_zero(&open).await;
    }
}

/// Starts to read, lets the network go silent, and says when that was noticed.
async fn noticed(interval: Option<Duration>, timeout: Duration) -> Option<Duration> {
    let server = endless(b"h2", Arc::default()).await;
    // Between client and server stands a network that stops carrying anything, and tells nobody.
    let network = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut config = server.clone();
    config.server = format!("https://localhost:{}", network.local_addr().unwrap().port()).parse().unwrap();
    config.http2_ping_interval = interval;
    config.http2_ping_timeout = timeout;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let port = server.server.port_u16().unwrap();
    tokio::spawn(async move {
        let mut client = network.accept().await.unwrap().0;
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
            _ = stopped => std::future::pending().await,
        }
    });

    let mut body = started(&config).await;
    stop.send(()).unwrap();
    tokio::time::pause();
    let silent = tokio::time::Instant::now();
    let chunk = tokio::time::timeout(Duration::from_secs(3600), body.chunk()).await.ok()?;
    assert_eq!(chunk.unwrap().unwrap_err().kind(), ErrorKind::Transport);
    Some(silent.elapsed())
}

#[tokio::test]
async fn a_connection_that_went_silent_is_found_by_pings() {
    let defaults = Config::new("https://localhost").unwrap();
    let noticed = noticed(defaults.http2_ping_interval, defaults.http2_ping_timeout).await.unwrap();
    assert!(noticed <= Duration::from_secs(46), "noticed after {noticed:?} only");
}

#[tokio::test]
async fn pings_are_as_frequent_as_configured() {
    let noticed = noticed(Some(Duration::from_secs(4)), Duration::from_secs(2)).await.unwrap();
    assert!(noticed <= Duration::from_secs(7), "noticed after {noticed:?} only");
}

#[tokio::test]
async fn without_pings_silence_is_not_noticed() {
    assert_eq!(noticed(None, Duration::from_secs(2)).await, None);
}

#[test]
fn a_transport_is_made_without_a_runtime() {
    let transport = connected(&Config::new("http://localhost").unwrap()).unwrap();
    assert_eq!(format!("{transport:?}"), "Transport { .. }");
}
