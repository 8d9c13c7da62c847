//! Which connection a request goes to when there is one already, and when there is none any more.

use std::sync::Mutex;

use tokio::{net::TcpStream, sync::oneshot};

use super::*;

/// A server of HTTP/1.1 whose connections each get the answers in turn, and are closed after the last one.
async fn scripted(answers: &'static [&'static str]) -> (Config, Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let config = Config::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (asked, open) = (Arc::new(Mutex::default()), Arc::new(AtomicUsize::new(0)));
    let (asked_of, opened) = (asked.clone(), open.clone());
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            opened.fetch_add(1, Ordering::SeqCst);
            let (asked, opened) = (asked_of.clone(), opened.clone());
            tokio::spawn(async move {
                play(&mut stream, number, answers, &asked).await;
                drop(stream);
                opened.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (config, asked, open)
}

async fn play(stream: &mut TcpStream, number: usize, answers: &[&str], asked: &Mutex<Vec<String>>) {
    for answer in answers {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let line = String::from_utf8(head).unwrap().lines().next().unwrap().to_owned();
        asked.lock().unwrap().push(format!("{number}: {line}"));
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

const WITH_LENGTH: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
const IN_CHUNKS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
const WITHOUT_BODY: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";

#[tokio::test]
async fn http1_connection_is_used_again_after_the_last_byte_of_an_answer() {
    let (config, asked, open) = scripted(&[WITH_LENGTH, IN_CHUNKS, WITHOUT_BODY, WITH_LENGTH, WITH_LENGTH]).await;
    let transport = connected(&config).unwrap();
    for expected in ["body", "body", ""] {
        assert_eq!(get(&transport, &config, "/").await.unwrap(), expected);
    }
    // Who knows the length reads no further than that.
    let request = || Request::get(config.server.clone()).body(Bytes::new()).unwrap();
    let mut body = transport.send(request()).await.unwrap().into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "body");
    drop(body);
    get(&transport, &config, "/").await.unwrap();
    assert_eq!(*asked.lock().unwrap(), vec!["0: GET / HTTP/1.1"; 5]);
    until_zero(&open).await;
}

#[tokio::test]
async fn http1_connection_of_an_answer_that_was_given_up_is_closed() {
    let (config, asked, open) = scripted(&[HALF, WITH_LENGTH]).await;
    let transport = connected(&config).unwrap();
    let request = Request::get(config.server.clone()).body(Bytes::new()).unwrap();
    let mut body = transport.send(request).await.unwrap().into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "half");
    drop(body);
    until_zero(&open).await;
    drop(transport.send(Request::get(config.server.clone()).body(Bytes::new()).unwrap()).await.unwrap());
    assert_eq!(*asked.lock().unwrap(), ["0: GET / HTTP/1.1", "1: GET / HTTP/1.1"]);
}

#[tokio::test]
async fn request_of_which_nothing_was_sent_goes_to_a_new_connection() {
    let (config, asked, open) = scripted(&[WITH_LENGTH]).await;
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    // The client's end is still open, and only finds out.
    until_zero(&open).await;
    let create = Request::post(config.server.clone()).body(Bytes::from_static(b"object")).unwrap();
    assert_eq!(transport.send(create).await.unwrap().status(), StatusCode::OK);
    assert_eq!(*asked.lock().unwrap(), ["0: GET / HTTP/1.1", "1: POST / HTTP/1.1"]);
}

#[tokio::test]
async fn idle_http1_connections_are_few_and_closed_in_time() {
    let server = Server::start(None).await;
    let config = server.config("http", "127.0.0.1");
    let transport = connected(&config).unwrap();
    let mut watches = Vec::new();
    for _ in 0..40 {
        watches.push(watch(&transport, &config).await.unwrap());
    }
    gets(40, &transport, &config).await;
    drop(watches);
    until_at_most(25, &server.open).await;
    assert!(server.connections() > 0);
    tokio::time::pause();
    // The pool closes what was idle for 90 seconds, some of which may have passed already.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(server.connections() > 0);
    tokio::time::sleep(Duration::from_secs(35)).await;
    tokio::time::resume();
    until_zero(&server.open).await;
}

#[tokio::test]
async fn idle_http1_connection_that_the_server_closes_is_forgotten_at_once() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let config = Config::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let connections = Connections::new(&config).unwrap();
    let transport = Transport::new(&config, HttpService::new(connections.clone()), true).unwrap();
    let (close, closed) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        play(&mut stream, 0, &[WITH_LENGTH], &Mutex::default()).await;
        closed.await.unwrap();
    });
    get(&transport, &config, "/").await.unwrap();
    assert_eq!(connections.count(), 1);
    close.send(()).unwrap();
    until("it takes no place among the idle ones", || connections.count() == 0).await;
}

/// A server of HTTP/2 that says goodbye to each connection after its first answer, which tells the connection's number
/// and what came with the request.
async fn saying_goodbye() -> Config {
    let (acceptor, listener, config) = tls_listener(b"h2").await;
    tokio::spawn(async move {
        for number in 0.. {
            let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(request) = connection.accept().await {
                    let (request, mut respond) = request.unwrap();
                    let mut headers: Vec<_> =
                        request.headers().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
                    headers.sort();
                    let answer = format!("{number} {} {}", request.method(), headers.join(" "));
                    respond.send_response(Response::new(()), false).unwrap().send_data(answer.into(), true).unwrap();
                    connection.graceful_shutdown();
                }
            });
        }
    });
    config
}

#[tokio::test]
async fn connection_that_the_server_says_goodbye_to_is_left_for_another() {
    let config = saying_goodbye().await;
    let connections = Connections::new(&config).unwrap();
    let transport = Transport::new(&config, HttpService::new(connections.clone()), true).unwrap();
    for number in 0..20 {
        let answer = get(&transport, &config, "/").await.unwrap();
        assert!(answer.starts_with(&format!("{number} GET")), "{answer}");
        // The goodbye comes behind the answer, and a request that is faster would be refused, which is the caller's to
        // repeat.
        until("the goodbye has come", || connections.count() == 0).await;
    }
}

#[tokio::test]
async fn headers_of_http1_stay_behind_and_the_length_of_no_body_is_told() {
    let mut config = saying_goodbye().await;
    config.user_agent = Some("me".to_owned());
    config.disable_compression = true;
    let transport = connected(&config).unwrap();
    let request = Request::post(config.server.clone()).header("connection", "close").header("keep-alive", "1");
    let request = request.header("transfer-encoding", "chunked").header("te", "gzip").header("mine", "kept");
    let request = request.header("connection", "hop, other").header("hop", "1").body(Bytes::new()).unwrap();
    let answer = transport.send(request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(answer, r#"0 POST content-length="0" mine="kept" user-agent="me""#);
}

#[tokio::test]
async fn answer_that_the_server_cuts_off_is_an_error_whatever_the_reason() {
    use h2::Reason;
    let (acceptor, listener, config) = tls_listener(b"h2").await;
    let transport = connected(&config).unwrap();
    tokio::spawn(async move {
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(request) = connection.accept().await {
            let (request, mut respond) = request.unwrap();
            let reason = match request.uri().path() {
                "/no-error" => Reason::NO_ERROR,
                "/cancel" => Reason::CANCEL,
                _ => Reason::INTERNAL_ERROR,
            };
            let head = Response::builder();
            let head = if request.uri().query().is_some() { head } else { head.header("content-length", "100") };
            let head = head.body(()).unwrap();
            let mut body = respond.send_response(head, false).unwrap();
            body.send_data(Bytes::from_static(b"half"), false).unwrap();
            tokio::spawn(async move {
                // Otherwise the reset overtakes the answer.
                tokio::time::sleep(Duration::from_millis(50)).await;
                body.send_reset(reason);
            });
        }
    });
    for path in ["/no-error", "/no-error?no-length", "/cancel", "/cancel?no-length", "/internal-error"] {
        let error = get(&transport, &config, path).await.expect_err(path);
        assert_eq!(error.kind(), ErrorKind::Transport, "{path}: {error}");
    }
}

#[tokio::test]
async fn request_goes_to_a_place_that_becomes_free_before_a_new_connection_is_there() {
    let (acceptor, listener, mut config) = tls_listener(b"h2").await;
    // Longer than it is waited for.
    config.tls_handshake_timeout = 2 * SOON;
    let transport = connected(&config).unwrap();
    // Of a server that takes one connection only, and one stream on it.
    tokio::spawn(async move {
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        serve(stream, "the only one".to_owned(), Some(1), Arc::default()).await;
        drop(listener);
    });
    let watched = watch(&transport, &config).await.unwrap();
    let (of_task, config_of_task) = (transport.clone(), config.clone());
    let waiting = tokio::spawn(async move { get(&of_task, &config_of_task, "/").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    drop(watched);
    let answer = tokio::time::timeout(SOON, waiting).await.expect("it need not wait for the handshake");
    assert!(answer.unwrap().unwrap().contains("the only one"));
}

#[tokio::test]
async fn server_that_does_not_say_how_many_streams_there_are_holds_nobody_up_for_long() {
    let (acceptor, listener, mut config) = tls_listener(b"h2").await;
    config.http2_ping_interval = None;
    let transport = connected(&config).unwrap();
    let (accept, accepted) = oneshot::channel();
    tokio::spawn(async move {
        let mute = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        accept.send(()).unwrap();
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        serve(stream, "another".to_owned(), Some(10), Arc::default()).await;
        drop(mute);
    });
    let request = || {
        let (transport, config) = (transport.clone(), config.clone());
        tokio::spawn(async move { get(&transport, &config, "/").await })
    };
    let (_first, second) = (request(), request());
    accepted.await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(11)).await;
    tokio::time::resume();
    let answer = tokio::time::timeout(SOON, second).await.expect("it connects itself");
    assert!(answer.unwrap().unwrap().contains("another"));
}
