//! How much of an answer a server may send ahead of its reader over HTTP/2.

use std::future::poll_fn;

use super::*;

const CHUNK: usize = 16 << 10;

/// A server whose answers go on as far as the client lets it send, and how many bytes of each it has sent.
async fn flooding() -> (Config, Arc<AtomicUsize>) {
    let (acceptor, listener, config) = tls_listener(b"h2").await;
    let sent = Arc::<AtomicUsize>::default();
    let counted = sent.clone();
    tokio::spawn(async move {
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut body = respond.send_response(Response::new(()), false).unwrap();
                loop {
                    body.reserve_capacity(CHUNK);
                    let Some(Ok(room)) = poll_fn(|context| body.poll_capacity(context)).await else { return };
                    let chunk = Bytes::from(vec![b'.'; room.min(CHUNK)]);
                    counted.fetch_add(chunk.len(), Ordering::SeqCst);
                    if body.send_data(chunk, false).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (config, sent)
}

async fn flood(transport: &Transport, config: &Config, endless: bool) -> Body {
    let mut request = Request::get(config.server.clone()).body(Bytes::new()).unwrap();
    if endless {
        request.extensions_mut().insert(Endless);
    }
    transport.send(request).await.unwrap().into_body()
}

/// Reads so many bytes, and gives those that were read.
async fn read(body: &mut Body, least: usize) -> usize {
    let mut length = 0;
    while length < least {
        length += body.chunk().await.unwrap().unwrap().len();
    }
    length
}

/// How far the server gets until the client does not let it go on, which is at least so far.
async fn at_rest(sent: &AtomicUsize, least: usize) -> usize {
    let rest = async {
        loop {
            let before = sent.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(300)).await;
            if before >= least && sent.load(Ordering::SeqCst) == before {
                return before;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), rest).await.expect("the server is let go on")
}

#[tokio::test]
async fn whole_answers_have_a_large_window_and_endless_ones_a_small_one() {
    for endless in [false, true] {
        let (config, sent) = flooding().await;
        let transport = connected(&config).unwrap();
        let mut body = flood(&transport, &config, endless).await;
        let unread = at_rest(&sent, 3 << 20).await;
        assert!(unread <= 4 << 20, "{unread} bytes before any is read");
        for _ in 0..4 {
            sent.fetch_sub(read(&mut body, 4 << 20).await, Ordering::SeqCst);
            // Room is given again when a third of it is used.
            let window = if endless { 1 << 20 } else { 4 << 20 };
            let unread = at_rest(&sent, window / 5 * 3).await;
            assert!(unread <= window, "{unread} bytes ahead of the reader, endless: {endless}");
        }
    }
}

#[tokio::test]
async fn answers_that_nobody_reads_leave_room_for_others() {
    let (config, sent) = flooding().await;
    let transport = connected(&config).unwrap();
    let mut unread = Vec::new();
    for number in 0..20 {
        unread.push(flood(&transport, &config, number % 2 == 0).await);
    }
    at_rest(&sent, 20 * (3 << 20)).await;
    let mut body = flood(&transport, &config, false).await;
    read(&mut body, 20 << 20).await;
}
