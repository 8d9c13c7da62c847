//! Connections to ports of a pod.

use std::{
    io::{ErrorKind as Io, Read, Write},
    time::Duration,
};

use k8s_client_runtime::streams::{ForwardedStream, Protocol};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    server::{Server, http},
    spdy::{Frame, Spdy, Tunnel},
};

const SOON: Duration = Duration::from_secs(60);

/// A server of one port, which goes through the script on both paths.
fn serve(script: impl Fn(&mut Spdy<Box<dyn ReadWrite>>) + Send + Sync + 'static) -> Server {
    Server::start(move |connection| {
        let io: Box<dyn ReadWrite> = if connection.is_websocket() {
            assert!(connection.head.to_lowercase().contains("sec-websocket-protocol: spdy/3.1+portforward.k8s.io\r\n"));
            Box::new(Tunnel::new(connection.websocket()))
        } else if connection.head.starts_with("POST") {
            Box::new(connection.spdy())
        } else {
            return connection.answer(&http(400, "no"));
        };
        let mut spdy = Spdy::new(io);
        let mut opened = Vec::new();
        while opened.len() < 2 {
            match spdy.read() {
                Frame::Open(stream, headers) => opened.push((stream, headers)),
                Frame::Data(1, bytes, true) => assert!(bytes.is_empty()),
                other => panic!("{other:?}"),
            }
        }
        for ((stream, headers), (expected, kind)) in opened.iter().zip([(1, "error"), (3, "data")]) {
            assert_eq!(*stream, expected);
            let expected = [("streamtype", kind), ("port", "80"), ("requestid", "0")];
            assert_eq!(*headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        script(&mut spdy);
    })
}

trait ReadWrite: Read + Write + Send {}
impl<T: Read + Write + Send> ReadWrite for T {}

/// A connection on each path.
async fn connections(server: &Server) -> [ForwardedStream; 2] {
    let forward = server.pods.port_forward("web");
    let tunnelled = forward.connect(80).await.unwrap();
    assert_eq!(tunnelled.protocol(), Protocol::WebSocket);
    let plain = forward.spdy().connect(80).await.unwrap();
    assert_eq!(plain.protocol(), Protocol::Spdy);
    [tunnelled, plain]
}

#[tokio::test]
async fn both_directions_end_by_themselves() {
    let server = serve(|spdy| {
        spdy.reply(1);
        spdy.reply(3);
        let input = spdy.input(3);
        spdy.data(3, &[b"you said ", &input[..]].concat(), false);
        spdy.data(3, b"!", true);
    });
    for mut connection in connections(&server).await {
        connection.write_all(b"hello").await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "you said hello!");
        assert_eq!(connection.write_all(b"more").await.unwrap_err().kind(), Io::BrokenPipe);
    }

    let server = serve(|spdy| {
        spdy.data(3, b"bye", true);
        assert_eq!(spdy.input(3), b"still here");
        spdy.ping(2);
        assert!(matches!(spdy.read_end(), None | Some(Frame::Ping(2))));
    });
    for mut connection in connections(&server).await {
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "bye");
        connection.write_all(b"still ").await.unwrap();
        connection.write_all(b"here").await.unwrap();
        connection.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_an_error_with_the_nodes_words() {
    let server = serve(|spdy| {
        spdy.data(1, b"error forwarding port 80 to pod web: connection refused\n", true);
        spdy.reset(3);
        spdy.reset(1);
        let _ = spdy.read_end();
    });
    for mut connection in connections(&server).await {
        let error = connection.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), Io::ConnectionRefused);
        assert_eq!(error.to_string(), "error forwarding port 80 to pod web: connection refused");
        assert_eq!(connection.write_all(b"x").await.unwrap_err().kind(), Io::ConnectionRefused);
    }
}

#[tokio::test]
async fn a_reset_and_a_lost_connection_are_no_ends() {
    let server = serve(|spdy| {
        spdy.data(3, b"half", false);
        spdy.reset(3);
        let _ = spdy.read_end();
    });
    for mut connection in connections(&server).await {
        let mut read = Vec::new();
        let error = connection.read_to_end(&mut read).await.unwrap_err();
        assert_eq!((error.kind(), &read[..]), (Io::ConnectionReset, &b"half"[..]));
    }
    let server = serve(|spdy| spdy.data(3, b"half", false));
    for mut connection in connections(&server).await {
        let mut read = Vec::new();
        let error = connection.read_to_end(&mut read).await.unwrap_err();
        assert_eq!((error.kind(), &read[..]), (Io::UnexpectedEof, &b"half"[..]), "{error}");
    }
}

#[tokio::test]
async fn what_was_written_before_the_drop_arrives() {
    let (told, mut arrived) = tokio::sync::mpsc::unbounded_channel();
    let server = serve(move |spdy| {
        let input = spdy.input(3);
        // The client has let go, and waits for the end.
        spdy.data(3, &vec![0; 4 << 20], true);
        let closed = spdy.read_end().is_none();
        told.send((input.len(), closed)).unwrap();
    });
    for mut connection in connections(&server).await {
        connection.write_all(&vec![7; 1 << 20]).await.unwrap();
        drop(connection);
        assert_eq!(timeout(SOON, arrived.recv()).await.unwrap(), Some((1 << 20, true)));
    }
}

#[tokio::test]
async fn a_reset_closes_at_once() {
    let (told, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let server = serve(move |spdy| told.send(spdy.read_end().is_none()).unwrap());
    for connection in connections(&server).await {
        connection.reset();
        assert_eq!(timeout(SOON, closed.recv()).await.unwrap(), Some(true));
    }
}

#[tokio::test]
async fn refused_tunnels_are_plain_spdy() {
    let server = Server::start(|connection| {
        if connection.is_websocket() {
            return connection.answer(&http(400, "query parameter port is required"));
        }
        let mut spdy = Spdy::new(connection.spdy());
        let input = spdy.input(3);
        spdy.data(3, &input, true);
        let _ = spdy.read_end();
    });
    let mut connection = server.pods.port_forward("web").connect(80).await.unwrap();
    assert_eq!(connection.protocol(), Protocol::Spdy);
    connection.write_all(b"echo").await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "echo");
    let methods: Vec<_> = server.heads().iter().map(|head| head.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(methods, ["GET", "POST"]);
}
