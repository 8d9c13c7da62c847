//! A process through SPDY.

use k8s_client_runtime::{
    ErrorKind,
    streams::{Protocol, TerminalSize},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    server::{SUCCESS, Server, exit, http},
    spdy::{Frame, Spdy},
};

/// What a client opens, in its order.
fn opened(spdy: &mut Spdy<std::net::TcpStream>, count: usize) -> Vec<(u32, String)> {
    let mut open = || match spdy.read() {
        Frame::Open(stream, headers) => {
            let [(name, kind)] = &headers[..] else { panic!("{headers:?}") };
            assert_eq!(name, "streamtype");
            (stream, kind.clone())
        }
        other => panic!("{other:?}"),
    };
    (0..count).map(|_| open()).collect()
}

/// The streams by their numbers.
fn named(streams: &[(u32, &str)]) -> Vec<(u32, String)> {
    streams.iter().map(|(stream, kind)| (*stream, (*kind).to_owned())).collect()
}

/// The end of a process as containerd's library has it.
fn end(spdy: &mut Spdy<std::net::TcpStream>, report: &str, streams: &[u32]) {
    spdy.data(1, report.as_bytes(), true);
    for stream in streams {
        spdy.reset(*stream);
    }
    spdy.go_away();
}

#[tokio::test]
async fn a_refused_websocket_is_asked_for_as_spdy() {
    let server = Server::start(|connection| {
        if connection.is_websocket() {
            return connection.answer(&http(403, ""));
        }
        let mut spdy = Spdy::new(connection.spdy());
        let streams = named(&[(1, "error"), (3, "stdin"), (5, "stdout"), (7, "stderr")]);
        assert_eq!(opened(&mut spdy, 4), streams);
        for (stream, _) in streams {
            spdy.reply(stream);
        }
        let input = spdy.input(3);
        spdy.ping(8);
        assert!(matches!(spdy.read(), Frame::Ping(8)));
        spdy.data(5, &input, false);
        spdy.data(7, b"done", false);
        end(&mut spdy, &exit(4), &[1, 3, 5, 7]);
    });
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let mut process = server.pods.exec("web").command(["cat"]).stdin(true).await.unwrap();
    assert_eq!(process.protocol(), Protocol::Spdy);
    process.stdin.take().unwrap().write_all(&bytes).await.unwrap();
    let output = process.wait_with_output(1 << 20).await.unwrap();
    assert_eq!((output.status.code(), output.stdout.len(), &output.stderr[..]), (4, 300_000, &b"done"[..]));
    assert!(output.stdout == bytes);
    let heads = server.heads();
    let lines = [
        "POST /api/v1/namespaces/ns/pods/web/exec?",
        "X-Stream-Protocol-Version: v4.channel.k8s.io",
        "Upgrade: SPDY/3.1",
    ];
    assert!(heads[0].starts_with("GET "));
    for line in lines {
        assert!(heads[1].to_lowercase().contains(&line.to_lowercase()), "{line}: {}", heads[1]);
    }
}

#[tokio::test]
async fn spdy_can_be_all_that_is_spoken() {
    let server = Server::start(|connection| {
        assert!(!connection.is_websocket());
        let mut spdy = Spdy::new(connection.spdy());
        assert_eq!(opened(&mut spdy, 3), named(&[(1, "error"), (3, "stdout"), (5, "resize")]));
        assert!(matches!(spdy.read(), Frame::Data(5, size, false) if size == br#"{"Width":7,"Height":8}"#));
        spdy.data(3, b"all", true);
        end(&mut spdy, SUCCESS, &[1, 3, 5]);
    });
    let size = TerminalSize { width: 7, height: 8 };
    let exec = server.pods.exec("web").command(["top"]).tty(true).terminal_size(size).spdy();
    let output = exec.output().await.unwrap();
    assert!(output.status.success() && output.stdout == "all");
}

#[tokio::test]
async fn without_a_report_there_is_no_success() {
    let server = Server::start(|connection| {
        let mut spdy = Spdy::new(connection.spdy());
        spdy.data(3, b"all", true);
        spdy.data(5, b"", true);
        spdy.go_away();
    });
    let mut process = server.pods.exec("web").command(["true"]).spdy().await.unwrap();
    let mut text = String::new();
    // The process has closed its output, which need not be its end.
    process.stdout.as_mut().unwrap().read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "all");
    let error = process.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().starts_with("POST ") && error.to_string().contains("may still run"), "{error}");
}

#[tokio::test]
async fn words_that_are_no_report_are_shown() {
    let server = Server::start(|connection| {
        let mut spdy = Spdy::new(connection.spdy());
        spdy.data(1, b"error executing command in container: no such sandbox\n", true);
        spdy.go_away();
    });
    let error = server.pods.exec("web").command(["true"]).spdy().status().await.unwrap_err();
    assert!(error.to_string().contains("no such sandbox"), "{error}");
}

#[tokio::test]
async fn an_output_that_the_server_gives_up_is_not_the_whole() {
    let server = Server::start(|connection| {
        let mut spdy = Spdy::new(connection.spdy());
        opened(&mut spdy, 3);
        spdy.data(3, b"half", false);
        spdy.reset(3);
        spdy.data(5, b"", true);
        spdy.data(1, SUCCESS.as_bytes(), true);
        spdy.go_away();
    });
    let mut process = server.pods.exec("web").command(["cat"]).spdy().await.unwrap();
    let mut bytes = Vec::new();
    let error = process.stdout.as_mut().unwrap().read_to_end(&mut bytes).await.unwrap_err();
    assert_eq!((&bytes[..], error.kind()), (&b"half"[..], std::io::ErrorKind::ConnectionReset));
    assert!(process.wait().await.unwrap().success());
    let error = server.pods.exec("web").command(["cat"]).spdy().output().await.unwrap_err();
    assert!(error.to_string().contains("the output cannot be read"), "{error}");
}

#[tokio::test]
async fn a_report_that_the_server_gives_up_is_not_waited_for() {
    let server = Server::start(|connection| {
        let mut spdy = Spdy::new(connection.spdy());
        opened(&mut spdy, 3);
        spdy.reset(1);
        while spdy.read_end().is_some() {}
    });
    let error = server.pods.exec("web").command(["true"]).spdy().status().await.unwrap_err();
    assert!(error.to_string().contains("gave up") && error.to_string().contains("may still run"), "{error}");
}
