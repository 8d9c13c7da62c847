//! Servers that allow few or many streams, and watches that fill connections.

use super::*;

/// A server of this many streams a connection, and a client of it. Pings would be in the way of paused time.
async fn server(streams: Option<u32>) -> (Server, Config) {
    let authority = Authority::new();
    let server = Server::with_streams(Some(authority.server(&["localhost"], None)), streams).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    config.http2_ping_interval = None;
    (server, config)
}

/// Watches begun at the same time.
async fn watches(count: usize, transport: &Transport, config: &Config) -> Vec<Body> {
    let watches = together(count, || {
        let (transport, config) = (transport.clone(), config.clone());
        async move { watch(&transport, &config).await.unwrap() }
    });
    tokio::time::timeout(SOON, watches).await.expect("no watch waits for another one")
}

#[tokio::test]
async fn a_full_connection_gets_a_second_one_beside_it_and_no_sooner() {
    for streams in [1, 10, 100, 250] {
        let (server, config) = server(Some(streams)).await;
        let transport = connected(&config).unwrap();
        let mut watches = Vec::new();
        for _ in 0..streams {
            watches.push(watch(&transport, &config).await.unwrap());
        }
        assert_eq!(server.connections(), 1, "{streams} streams");
        // Watches never starve writes.
        get(&transport, &config, "/").await.unwrap();
        watches.push(watch(&transport, &config).await.unwrap());
        assert_eq!(server.connections(), 2, "{streams} streams and one");
        assert_eq!(server.watches.load(Ordering::SeqCst), watches.len());
    }
}

#[tokio::test]
async fn places_that_became_free_are_used_again() {
    let (server, config) = server(Some(2)).await;
    let transport = connected(&config).unwrap();
    for _ in 0..4 {
        drop(watches(4, &transport, &config).await);
        until_zero(&server.watches).await;
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_server_without_a_limit_needs_one_connection() {
    let (server, config) = server(None).await;
    let transport = connected(&config).unwrap();
    let _watches = watches(300, &transport, &config).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn requests_that_come_before_the_limit_is_known_find_room_too() {
    let (server, config) = server(Some(10)).await;
    let transport = connected(&config).unwrap();
    let _watches = watches(45, &transport, &config).await;
    assert_eq!(server.connections(), 5);
    get(&transport, &config, "/").await.unwrap();
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn http1_has_a_connection_for_each_watch() {
    let server = Server::start(None).await;
    let config = server.config("http", "127.0.0.1");
    let transport = connected(&config).unwrap();
    let _watches = watches(120, &transport, &config).await;
    get(&transport, &config, "/").await.unwrap();
    assert!(server.connections() >= 120);
}

#[tokio::test]
async fn connections_that_were_idle_for_long_are_closed_and_forgotten() {
    let (server, config) = server(Some(1)).await;
    let mut connections = Connections::new(&config).unwrap();
    let transport = Transport::new(&config, HttpService::new(connections.clone()), true).unwrap();
    let watches = watches(5, &transport, &config).await;
    assert_eq!((server.connections(), connections.count()), (5, 5));
    drop(watches);
    until_zero(&server.watches).await;
    // The pool closes what was idle for 90 seconds.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(200)).await;
    tokio::time::resume();
    until_zero(&server.open).await;
    let request = Request::get(config.server.clone()).body(Body::default()).unwrap();
    connections.call(request).await.unwrap();
    assert_eq!((server.connections(), connections.count()), (1, 1));
}

/// A server that takes connections and says nothing, until it is told to speak.
async fn mute() -> (TcpListener, Config) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut config = Config::new(&format!("https://localhost:{}", listener.local_addr().unwrap().port())).unwrap();
    config.tls.insecure_skip_verify = true;
    (listener, config)
}

#[tokio::test]
async fn requests_do_not_wait_for_one_failed_connection_after_another() {
    let (_listener, mut config) = mute().await;
    config.tls_handshake_timeout = Duration::from_secs(1);
    let transport = connected(&config).unwrap();
    let started = std::time::Instant::now();
    let answers = together(30, || {
        let (transport, config) = (transport.clone(), config.clone());
        async move { get(&transport, &config, "/").await }
    });
    let answers = answers.await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout)));
    // One after the other, it would be a second for each.
    assert!(started.elapsed() < Duration::from_secs(25), "after {:?}", started.elapsed());
}

#[tokio::test]
async fn requests_that_cannot_connect_share_a_few_attempts() {
    /// On a machine so busy that requests are made over several times the server's 300 ms, there are some more.
    const FEW: usize = 40;
    let mut sockets = Vec::new();
    for disable_http2 in [false, true] {
        let (listener, mut config) = mute().await;
        config.disable_http2 = disable_http2;
        let transport = connected(&config).unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (counted, acceptor) = (accepted.clone(), Authority::new().server(&["localhost"], None));
        let (up, is_up) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(acceptor));
            loop {
                let stream = listener.accept().await.unwrap().0;
                counted.fetch_add(1, Ordering::SeqCst);
                let (acceptor, is_up) = (acceptor.clone(), is_up.clone());
                tokio::spawn(async move {
                    // It stops while all connections are being made.
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    if *is_up.borrow() {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        serve(stream, "up again".to_owned(), Some(250), Arc::default()).await;
                    }
                });
            }
        });
        let all = || {
            let (transport, config) = (transport.clone(), config.clone());
            together(200, move || {
                let (transport, config) = (transport.clone(), config.clone());
                async move { get(&transport, &config, "/").await }
            })
        };
        let _ = get(&transport, &config, "/").await.unwrap_err();
        for _ in 0..3 {
            let before = accepted.swap(0, Ordering::SeqCst);
            // Alone, each would make one of its own. One that comes late may find none under way.
            assert!(before <= FEW, "{before} sockets");
            let started = std::time::Instant::now();
            assert!(all().await.iter().all(|answer| answer.as_ref().is_err_and(|e| e.to_string().contains("TLS"))));
            assert!(started.elapsed() < Duration::from_secs(10), "after {:?}", started.elapsed());
        }
        up.send_replace(true);
        accepted.store(0, Ordering::SeqCst);
        let answers = all().await;
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|text| text.contains("up again"))));
        sockets.push(accepted.load(Ordering::SeqCst));
    }
    assert!(sockets[0] <= FEW && sockets[1] > 4, "{sockets:?}");
}

#[tokio::test]
async fn a_request_that_is_given_up_does_not_hold_up_those_behind_it() {
    let (listener, config) = mute().await;
    let transport = connected(&config).unwrap();
    let request = |path: &'static str| {
        let (transport, config) = (transport.clone(), config.clone());
        tokio::spawn(async move { get(&transport, &config, path).await })
    };
    let first = request("/first");
    let mute = listener.accept().await.unwrap();
    let second = request("/second");
    tokio::task::yield_now().await;
    first.abort();
    let acceptor = TlsAcceptor::from(Arc::new(Authority::new().server(&["localhost"], None)));
    let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
    tokio::spawn(serve(stream, "speaking".to_owned(), Some(10), Arc::default()));
    assert!(second.await.unwrap().unwrap().contains("speaking"));
    drop(mute);
}

#[tokio::test]
async fn answers_that_are_given_up_half_way_do_not_end_the_connection_for_the_others() {
    let (server, config) = server(None).await;
    let transport = connected(&config).unwrap();
    let mut watched = watch(&transport, &config).await.unwrap();
    for _ in 0..2 {
        let given_up = together(100, || {
            let (transport, config) = (transport.clone(), config.clone());
            async move {
                let uri = format!("https://{}/large", config.server.authority().unwrap());
                let response = transport.send(Request::get(uri).body(Bytes::new()).unwrap()).await?;
                let mut body = response.into_body();
                body.chunk().await.unwrap()?;
                Ok::<_, Error>(body)
            }
        });
        let bodies = given_up.await;
        let failed = bodies.iter().find_map(|body| body.as_ref().err());
        assert!(failed.is_none(), "{failed:?}");
        drop(bodies);
    }
    let silent = tokio::time::timeout(Duration::from_millis(500), watched.chunk()).await;
    assert!(silent.is_err(), "{silent:?}");
    assert_eq!(server.connections(), 1);
}
