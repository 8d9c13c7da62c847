//! Heads of answers that are as large as Go's client takes them.

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

    fn http2(&self) -> Response<()> {
        let head = self.headers().fold(Response::builder().status(201), |head, (name, value)| head.header(name, value));
        head.body(()).unwrap()
    }
}

/// A server that answers with this head over the protocol that it is asked in.
async fn large_heads(protocol: &'static [u8], head: Head) -> Config {
    let (acceptor, listener, config) = tls_listener(protocol).await;
    tokio::spawn(async move {
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        if protocol == b"h2" {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let mut body = respond.send_response(head.http2(), false).unwrap();
                body.send_data(Bytes::from_static(b"body"), true).unwrap();
            }
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
async fn head_that_is_larger_than_any_honest_one_is_an_error() {
    for (count, distinct, length) in [(30_000, true, 4), (11, false, 1 << 20)] {
        for protocol in [&b"h2"[..], b"http/1.1"] {
            let config = large_heads(protocol, Head { count, distinct, length }).await;
            let error = create(&config).await.expect_err("too much");
            assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        }
    }
}
