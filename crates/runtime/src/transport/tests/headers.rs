//! Heads of answers that are as large as Go's client takes them.

use tokio::io::{AsyncRead, AsyncWrite};

use super::*;

/// What the server of [`large_heads`] sends: so many headers, all of one name or each of its own, with so long values.
struct Head {
    count: usize,
    distinct: bool,
    length: usize,
}

impl Head {
    fn headers(&self) -> impl Iterator<Item = (String, String)> {
        let Self { count, distinct, length } = *self;
        (0..count).map(move |number| {
            let name = if distinct { format!("x-{number}") } else { "warning".to_owned() };
            (name, format!("299 - \"{}\"", "x".repeat(length)))
        })
    }

    fn http1(&self) -> String {
        let mut head = "HTTP/1.1 201 Created\r\ncontent-length: 4\r\n".to_owned();
        for (name, value) in self.headers() {
            head += &[&name, ": ", &value, "\r\n"].concat();
        }
        head + "\r\nbody"
    }

    /// The frames of an answer to the first request of a connection. They are made by hand, since no library sends what
    /// is too large.
    fn http2(&self) -> Vec<u8> {
        // `:status` is the eighth of the names that are known.
        let mut block = b"\x08\x03201".to_vec();
        for (name, value) in self.headers() {
            block.push(0);
            for text in [name, value] {
                let length = text.len();
                block.push(length.min(0x7f).to_le_bytes()[0]);
                let mut left = length.checked_sub(0x7f);
                while let Some(rest) = left {
                    left = (rest >= 0x80).then_some(rest >> 7);
                    block.push((rest & 0x7f).to_le_bytes()[0] | if left.is_some() { 0x80 } else { 0 });
                }
                block.extend(text.into_bytes());
            }
        }
        let frame = |kind: u8, flags: u8, payload: &[u8]| {
            let length = (payload.len() as u64).to_be_bytes();
            [&length[5..], &[kind, flags, 0, 0, 0, 1], payload].concat()
        };
        let (headers, end_headers, continuation, data, end) = (1, 4, 9, 0, 1);
        let chunks: Vec<_> = block.chunks(16 << 10).collect();
        let frames = chunks.iter().enumerate().flat_map(|(index, chunk)| {
            let flags = if index + 1 == chunks.len() { end_headers } else { 0 };
            frame(if index == 0 { headers } else { continuation }, flags, chunk)
        });
        frames.chain(frame(data, end, b"body")).collect()
    }
}

/// Reads the beginning of a connection, up to its first request.
async fn first_request(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(&settings).await.unwrap();
    stream.read_exact(&mut [0; 24]).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        if head[3] == 1 {
            return;
        }
    }
}

/// A server that answers with this head over the protocol that it is asked in.
async fn large_heads(protocol: &'static [u8], head: Head) -> Config {
    let (acceptor, listener, config) = tls_listener(protocol).await;
    tokio::spawn(async move {
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        if protocol == b"h2" {
            first_request(&mut stream).await;
            // Whoever finds it too large may close before the end.
            let _ = stream.write_all(&head.http2()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        } else {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(head.http1().as_bytes()).await.unwrap();
            // The client closes first.
            let _ = stream.read_u8().await;
        }
    });
    config
}

async fn create(config: &Config) -> Result<(usize, Bytes)> {
    let request = Request::post(config.server.clone()).body(Bytes::from_static(b"object")).unwrap();
    let response = connected(config)?.send(request).await?;
    assert_eq!(response.status(), StatusCode::CREATED);
    let count = response.headers().len();
    Ok((count, response.into_body().collect().await?))
}

#[tokio::test]
async fn answer_may_have_as_many_and_as_long_headers_as_go_takes() {
    for (count, distinct, length) in [
        (150, false, 40),
        (150, true, 40),
        (5_000, false, 100),
        (5_000, true, 10),
        (15_000, false, 10),
        (1, false, 1 << 20),
        (4, true, 2 << 20),
    ] {
        for protocol in [&b"h2"[..], b"http/1.1"] {
            let config = large_heads(protocol, Head { count, distinct, length }).await;
            let case = format!("{count} headers of {length} bytes over {}", String::from_utf8_lossy(protocol));
            let (received, body) = create(&config).await.expect(&case);
            assert!(received >= count, "{case}: {received}");
            assert_eq!(body, "body", "{case}");
        }
    }
}

#[tokio::test]
async fn headers_of_old_proxies_are_read_as_go_reads_them() {
    for (line, expected) in [
        ("X-Via: one\r\n two", "one two"),
        ("X-Via: one\r\n\ttwo", "one two"),
        ("X-Via : one", "one"),
        ("X-Via\t:one", "one"),
    ] {
        let answer = format!("HTTP/1.1 201 Created\r\nContent-Length: 4\r\n{line}\r\n\r\nbody");
        let (acceptor, listener, config) = tls_listener(b"http/1.1").await;
        tokio::spawn(async move {
            let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let request = Request::post(config.server.clone()).body(Bytes::from_static(b"object")).unwrap();
        let response =
            connected(&config).unwrap().send(request).await.unwrap_or_else(|error| panic!("{line:?}: {error}"));
        let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(response.headers()["x-via"].to_str().unwrap()), words(expected), "{line:?}");
    }
}

#[tokio::test]
async fn head_that_is_larger_than_any_honest_one_is_an_error() {
    for (count, distinct, length) in [(30_000, true, 4), (11, false, 1 << 20)] {
        for protocol in [&b"h2"[..], b"http/1.1"] {
            let config = large_heads(protocol, Head { count, distinct, length }).await;
            let error = create(&config).await.expect_err("too much");
            assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        }
    }
}
