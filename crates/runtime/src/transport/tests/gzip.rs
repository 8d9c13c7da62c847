//! Compressed answers from a real socket.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, RANGE},
};
use tokio::sync::mpsc;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A server that sends each connection these pieces, as they come, and keeps the requests.
struct Raw {
    config: Config,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Raw {
    async fn start(pieces: Vec<Vec<u8>>) -> Self {
        let (send, receive) = mpsc::channel(64);
        for piece in pieces {
            send.try_send(piece).unwrap();
        }
        Self::sending(receive).await
    }

    async fn sending(mut pieces: mpsc::Receiver<Vec<u8>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let config = Config::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (send, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let _ = send.send(String::from_utf8(head).unwrap().to_lowercase());
            while let Some(piece) = pieces.recv().await {
                if stream.write_all(&piece).await.is_err() {
                    return;
                }
            }
        });
        Self { config, requests }
    }

    /// A server that gives one answer, with a length.
    async fn answering(body: Vec<u8>) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: GZip\r\ncontent-length: {}\r\n\r\n", body.len());
        Self::start(vec![head.into_bytes(), body]).await
    }

    async fn get(&self) -> Response<Body> {
        self.send(Request::get(self.config.server.clone())).await
    }

    async fn send(&self, request: http::request::Builder) -> Response<Body> {
        connected(&self.config).unwrap().send(request.body(Bytes::new()).unwrap()).await.unwrap()
    }
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

async fn whole(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_compressed_answer_is_asked_for_and_arrives_as_if_it_were_not() {
    let text = "Ordnung muss sein. ".repeat(50_000);
    let mut server = Raw::answering(gzip(text.as_bytes())).await;
    let response = server.get().await;
    let headers: &HeaderMap = response.headers();
    assert!(!headers.contains_key(CONTENT_ENCODING) && !headers.contains_key(CONTENT_LENGTH), "{headers:?}");
    assert!(whole(response).await == text.as_bytes());
    assert!(server.requests.recv().await.unwrap().contains("accept-encoding: gzip\r\n"));
}

#[tokio::test]
async fn chunks_may_break_a_compressed_answer_anywhere() {
    let text = "a list of no few words".repeat(100);
    let packed = gzip(text.as_bytes());
    let mut all = CHUNKED.to_vec();
    for byte in packed {
        all.extend(chunk(&[byte]));
    }
    all.extend(b"0\r\n\r\n");
    let server = Raw::start(vec![all]).await;
    assert!(whole(server.get().await).await == text.as_bytes());
}

#[tokio::test]
async fn several_members_are_one_text_and_none_is_an_empty_one() {
    let server = Raw::answering([gzip(b"one, "), gzip(b""), gzip(b"two")].concat()).await;
    assert_eq!(whole(server.get().await).await, b"one, two");
    let server = Raw::answering(Vec::new()).await;
    assert_eq!(whole(server.get().await).await, b"");
    let server = Raw::start(vec![b"HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n".to_vec()]).await;
    assert_eq!(whole(server.get().await).await, b"");
}

#[tokio::test]
async fn nobody_asks_who_has_an_encoding_or_a_range_or_no_body_or_does_not_want_to() {
    let packed = gzip(b"text");
    let request = |server: &Raw| Request::get(server.config.server.clone());
    for case in 0..4 {
        let mut server = Raw::answering(packed.clone()).await;
        let request = match case {
            0 => request(&server).header(ACCEPT_ENCODING, "gzip"),
            1 => request(&server).header(RANGE, "bytes=0-10"),
            2 => request(&server).method("HEAD"),
            _ => {
                server.config.disable_compression = true;
                request(&server)
            }
        };
        let response = server.send(request).await;
        assert!(response.headers().contains_key(CONTENT_ENCODING), "case {case}");
        assert!(response.headers().contains_key(CONTENT_LENGTH), "case {case}");
        assert_eq!(whole(response).await, if case == 2 { &b""[..] } else { &packed }, "case {case}");
        let asked = server.requests.recv().await.unwrap().matches("accept-encoding").count();
        assert_eq!(asked, usize::from(case == 0), "case {case}");
    }
}

#[tokio::test]
async fn other_encodings_and_none_are_left_alone() {
    for encoding in ["content-encoding: br\r\n", ""] {
        let head = format!("HTTP/1.1 200 OK\r\n{encoding}content-length: 4\r\n\r\ntext");
        let server = Raw::start(vec![head.into_bytes()]).await;
        let response = server.get().await;
        assert_eq!(response.headers()[CONTENT_LENGTH], "4");
        assert_eq!(whole(response).await, b"text");
    }
}

#[tokio::test]
async fn broken_compression_is_an_error_and_the_end() {
    let packed = gzip("some text that is long enough to be worth it".repeat(10).as_bytes());
    let mut wrong_sum = packed.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    for (body, kind) in [
        (packed[..packed.len() / 2].to_vec(), ErrorKind::Transport),
        (packed[..packed.len() - 1].to_vec(), ErrorKind::Transport),
        (packed[..5].to_vec(), ErrorKind::Transport),
        ([packed.clone(), b"garbage".to_vec()].concat(), ErrorKind::Decode),
        (wrong_sum, ErrorKind::Decode),
        (b"not compressed at all".to_vec(), ErrorKind::Decode),
    ] {
        let server = Raw::answering(body).await;
        let mut body = server.get().await.into_body();
        let error = loop {
            match body.chunk().await.expect("no quiet end") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), error.is_transient()), (kind, kind == ErrorKind::Transport), "{error}");
        assert!(error.to_string().contains("gzip"), "{error}");
        assert!(body.chunk().await.is_none(), "the end after {error}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_within_compressed_text_is_told_as_such() {
    let packed = gzip(&vec![b'x'; 1 << 20]);
    let server = Raw::start(vec![CHUNKED.to_vec(), chunk(&packed[..packed.len() / 2])]).await;
    let error = server.get().await.into_body().collect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

#[tokio::test]
async fn what_can_be_decoded_does_not_wait_for_more() {
    let (send, receive) = mpsc::channel(8);
    let server = Raw::sending(receive).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    send.send(CHUNKED.to_vec()).await.unwrap();
    let mut body = None;
    for event in ["{\"type\":\"ADDED\"}\n", "{\"type\":\"MODIFIED\"}\n", "{\"type\":\"DELETED\"}\n"] {
        encoder.write_all(event.as_bytes()).unwrap();
        encoder.flush().unwrap();
        send.send(chunk(&std::mem::take(encoder.get_mut()))).await.unwrap();
        if body.is_none() {
            body = Some(server.get().await.into_body());
        }
        let arrived = tokio::time::timeout(Duration::from_secs(20), body.as_mut().unwrap().chunk()).await;
        assert_eq!(arrived.expect("it does not wait for the next event").unwrap().unwrap(), event);
    }
}

/// So many zeros, packed.
fn bomb(size: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..size >> 20 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let packed = encoder.finish().unwrap();
    assert!(packed.len() * 100 < size);
    packed
}

#[tokio::test]
async fn a_bomb_is_collected_up_to_the_limit_of_bytes_unpacked() {
    const SIZE: usize = 8 << 20;
    for (limit, too_long) in [(Some(SIZE as u64 - 1), true), (Some(SIZE as u64), false), (None, false)] {
        let mut server = Raw::answering(bomb(SIZE)).await;
        server.config.max_response_bytes = limit;
        let collected = server.get().await.into_body().collect().await;
        match collected {
            Ok(body) => assert!(!too_long && body.len() == SIZE),
            Err(error) => {
                assert!(too_long && error.kind() == ErrorKind::Decode, "{error}");
                assert!(error.to_string().contains("max_response_bytes"), "{error}");
            }
        }
    }
    assert_eq!(Config::new("localhost").unwrap().max_response_bytes, Some(512 << 20));
}

#[tokio::test]
async fn a_bomb_comes_in_bounded_pieces() {
    const SIZE: usize = 64 << 20;
    let packed = bomb(SIZE);
    let server = Raw::answering(packed).await;
    let mut body = server.get().await.into_body();
    let mut length = 0;
    while let Some(chunk) = body.chunk().await {
        let chunk = chunk.unwrap();
        assert!(chunk.len() <= 64 << 10, "{}", chunk.len());
        length += chunk.len();
    }
    assert_eq!(length, SIZE);
}

#[tokio::test]
async fn a_bomb_that_is_here_already_leaves_others_their_turn() {
    let response = Response::builder().header("Content-Encoding", "gzip").body(Body::from(bomb(64 << 20))).unwrap();
    let mut body = crate::transport::gzip::decode(response).into_body();
    let reading = async { while body.chunk().await.is_some() {} };
    assert!(tokio::time::timeout(Duration::ZERO, reading).await.is_err(), "the time limit was not looked at");
}
