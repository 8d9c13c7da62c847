//! Calls that keep their HTTP/2 connection going by themselves, and those around them.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Wake, Waker},
    thread,
};

use tokio::sync::{mpsc, oneshot};

use super::*;

/// A server over HTTP/2 that answers `/` at once, `/slow` when it is told to, and lets `/watch` never end.
struct Slow {
    server: Server,
    config: Config,
    /// Of each request for `/slow`.
    asked: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
}

async fn slow() -> Slow {
    let authority = Authority::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = Server { address: listener.local_addr().unwrap(), open: Arc::default(), watches: Arc::default() };
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    let acceptor = TlsAcceptor::from(Arc::new(authority.server(&["localhost"], None)));
    let (ask, asked) = mpsc::unbounded_channel();
    let (open, watches) = (server.open.clone(), server.watches.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, ask, open, watches) = (acceptor.clone(), ask.clone(), open.clone(), watches.clone());
            tokio::spawn(async move {
                open.fetch_add(1, Ordering::SeqCst);
                let answer = service_fn(|request: Request<Incoming>| {
                    let (ask, watches) = (ask.clone(), watches.clone());
                    async move {
                        let body = match request.uri().path() {
                            "/watch" => Either::Right(Endless::new(watches)),
                            path => {
                                if path == "/slow" {
                                    // Counts as open until it is answered or given up.
                                    let _open = Endless::new(watches);
                                    let (tell, told) = oneshot::channel();
                                    ask.send(tell).unwrap();
                                    let _ = told.await;
                                }
                                Either::Left(Full::new(Bytes::from(path.to_owned())))
                            }
                        };
                        Ok::<_, Infallible>(Response::new(body))
                    }
                });
                let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = builder.max_concurrent_streams(100).serve_connection(stream, answer).await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Slow { server, config, asked }
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future).await.expect("it does not hang")
}

/// Polls once, without being woken for more.
async fn polled_once<F: Future>(future: Pin<&mut F>) {
    let mut future = Some(future);
    poll_fn(|context| {
        let pending = future.take().is_none_or(|future| future.poll(context).is_pending());
        assert!(pending);
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_that_is_not_polled_holds_up_nobody() {
    let Slow { server, config, mut asked } = slow().await;
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    for _ in 0..20 {
        let mut idle = pin!(get(&transport, &config, "/slow"));
        polled_once(idle.as_mut()).await;
        let tell = soon(asked.recv()).await.unwrap();
        // It is woken now, and not polled.
        tell.send(()).unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(soon(get(&transport, &config, "/one")).await.unwrap(), "/one");
        let mut watched = soon(watch(&transport, &config)).await.unwrap();
        polled_once(pin!(watched.chunk())).await;
        drop(watched);
        soon(until_zero(&server.watches)).await;
        assert_eq!(soon(idle).await.unwrap(), "/slow");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_that_waits_is_woken_whoever_drives() {
    let Slow { server, config, mut asked } = slow().await;
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    for others in [0, 1, 5] {
        let (of_task, config_of_task) = (transport.clone(), config.clone());
        let waiting = tokio::spawn(async move { get(&of_task, &config_of_task, "/slow").await });
        let tell = soon(asked.recv()).await.unwrap();
        soon(gets(others, &transport, &config)).await;
        tell.send(()).unwrap();
        assert_eq!(soon(waiting).await.unwrap().unwrap(), "/slow");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_that_is_given_up_hands_the_connection_over() {
    let Slow { server, config, mut asked } = slow().await;
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    for others in [false, true] {
        let watched = if others { Some(watch(&transport, &config).await.unwrap()) } else { None };
        let mut tells = Vec::new();
        for polls in 1..4 {
            let mut given_up = Box::pin(get(&transport, &config, "/slow"));
            for _ in 0..polls {
                polled_once(given_up.as_mut()).await;
            }
            tells.push(soon(asked.recv()).await.unwrap());
            drop(given_up);
            // The server is told, though nobody waits for anything.
            soon(until_at_most(usize::from(others), &server.watches)).await;
        }
        drop(watched);
        soon(until_zero(&server.watches)).await;
        assert_eq!(soon(get(&transport, &config, "/two")).await.unwrap(), "/two");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_ends_with_its_last_call_when_the_client_is_gone() {
    for path in ["/slow", "/large"] {
        let Slow { server, config, mut asked } = slow().await;
        let transport = connected(&config).unwrap();
        get(&transport, &config, "/").await.unwrap();
        let uri = format!("https://{}{path}", config.server.authority().unwrap());
        let (of_task, request) = (transport.clone(), Request::get(uri).body(Bytes::new()).unwrap());
        let waiting = tokio::spawn(async move { of_task.send(request).await });
        if path == "/slow" {
            soon(asked.recv()).await.unwrap().send(()).unwrap();
        }
        let response = soon(waiting).await.unwrap().unwrap();
        drop(transport);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.connections(), 1);
        assert_eq!(soon(response.into_body().collect()).await.unwrap(), path);
        soon(until_zero(&server.open)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_go_on_while_a_call_is_not_polled() {
    let Slow { server, mut config, mut asked } = slow().await;
    config.http2_ping_interval = Some(Duration::from_millis(20));
    config.http2_ping_timeout = Duration::from_secs(2);
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    let mut idle = pin!(get(&transport, &config, "/slow"));
    polled_once(idle.as_mut()).await;
    let tell = soon(asked.recv()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    tell.send(()).unwrap();
    assert_eq!(soon(idle).await.unwrap(), "/slow");
    assert_eq!(server.connections(), 1);
}

/// Wakes a thread that waits for a future.
struct Thread(thread::Thread);

impl Wake for Thread {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_may_be_polled_outside_of_the_runtime() {
    let Slow { server, config, mut asked } = slow().await;
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    let (of_thread, config_of_thread) = (transport.clone(), config.clone());
    let outside = thread::spawn(move || {
        let waker = Waker::from(Arc::new(Thread(thread::current())));
        let mut answers = Vec::new();
        for path in ["/one", "/slow", "/two"] {
            let mut answer = pin!(get(&of_thread, &config_of_thread, path));
            answers.push(loop {
                match answer.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(answer) => break answer.unwrap(),
                    Poll::Pending => thread::park(),
                }
            });
        }
        answers
    });
    let tell = soon(asked.recv()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    tell.send(()).unwrap();
    let answers = soon(tokio::task::spawn_blocking(move || outside.join().unwrap())).await.unwrap();
    assert_eq!(answers, ["/one", "/slow", "/two"]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_forgotten_whatever_comes_and_goes() {
    let Slow { server, config, mut asked } = slow().await;
    let transport = connected(&config).unwrap();
    tokio::spawn(async move {
        while let Some(tell) = asked.recv().await {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(2)).await;
                let _ = tell.send(());
            });
        }
    });
    // Now one, now a few, with pauses in which nobody is there.
    let number = AtomicUsize::new(0);
    for round in 0..150 {
        let workers = together(1 + round % 4, || {
            let (transport, config) = (transport.clone(), config.clone());
            let number = number.fetch_add(1, Ordering::Relaxed);
            async move {
                for step in 0..6 {
                    match (number + step) % 6 {
                        0 | 1 => assert_eq!(get(&transport, &config, "/one").await.unwrap(), "/one"),
                        2 => assert_eq!(get(&transport, &config, "/slow").await.unwrap(), "/slow"),
                        3 => drop(watch(&transport, &config).await.unwrap()),
                        4 => {
                            let call = get(&transport, &config, "/slow");
                            let _ = tokio::time::timeout(Duration::from_micros(300), call).await;
                        }
                        _ => {
                            let (one, two) =
                                tokio::join!(get(&transport, &config, "/one"), get(&transport, &config, "/two"));
                            assert_eq!((one.unwrap().as_str(), two.unwrap().as_str()), ("/one", "/two"));
                        }
                    }
                }
            }
        });
        soon(workers).await;
    }
    soon(until_zero(&server.watches)).await;
    assert_eq!(server.connections(), 1);
}
