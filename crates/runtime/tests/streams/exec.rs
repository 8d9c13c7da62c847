//! A process through its WebSocket.

use std::{io::ErrorKind as Io, thread, time::Duration};

use k8s_client_runtime::{
    ErrorKind,
    streams::{Protocol, TerminalSize},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tungstenite::Message;

use crate::server::{Channels as _, SUCCESS, Server, exit, reset};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn output_and_exit_code_are_those_of_the_process() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        process.put(1, "");
        process.put(1, "out");
        process.put(2, [0, 255, 128]);
        process.put(9, "nobody knows this channel");
        process.put(1, "put");
        process.end(&exit(3));
    });
    let output = server.pods.exec("web").container("c").command(["a b", "c"]).output().await.unwrap();
    assert_eq!((output.status.code(), &output.stdout[..], &output.stderr[..]), (3, &b"output"[..], &[0, 255, 128][..]));
    let heads = server.heads();
    let query = "command=a%20b&command=c&container=c&stderr=true&stdin=false&stdout=true&tty=false";
    assert!(
        heads[0].starts_with(&format!("GET /api/v1/namespaces/ns/pods/web/exec?{query} HTTP/1.1\r\n")),
        "{}",
        heads[0]
    );
    assert!(heads[0].to_lowercase().contains("sec-websocket-protocol: v5.channel.k8s.io\r\n"), "{}", heads[0]);
}

#[tokio::test]
async fn input_and_command_are_not_shown() {
    let server = Server::start(|_| {});
    let exec = server.pods.exec("web").command(["login", "hunter2"]).input("hunter2");
    let text = format!("{exec:?} {exec:#?}");
    assert!(!text.contains("hunter2") && !text.contains("104, 117, 110") && text.contains("7 bytes"), "{text}");
}

#[tokio::test]
async fn output_before_the_end_is_complete_however_much_it_is() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        for number in 0..480_u32 {
            process.put(1, [&number.to_be_bytes()[..], &vec![7; (32 << 10) - 4]].concat());
        }
        process.end(&exit(3));
    });
    let mut process = server.pods.exec("web").command(["cat"]).await.unwrap();
    let mut stdout = process.stdout.take().unwrap();
    let mut all = Vec::new();
    stdout.read_to_end(&mut all).await.unwrap();
    assert_eq!(all.len(), 15 << 20);
    assert!((0_u32..).zip(all.chunks(32 << 10)).all(|(number, part)| part[..4] == number.to_be_bytes()));
    assert_eq!(process.wait().await.unwrap().code(), 3);
    assert_eq!(process.wait().await.unwrap().code(), 3, "asked again");
}

#[tokio::test]
async fn output_that_nobody_reads_holds_up_nothing() {
    for dropped in [false, true] {
        let server = Server::start(|connection| {
            let mut process = connection.websocket();
            for _ in 0..480 {
                process.put(1, vec![7; 32 << 10]);
            }
            process.put(2, "oh");
            process.end(&exit(7));
        });
        let mut process = server.pods.exec("web").command(["yes"]).await.unwrap();
        if dropped {
            drop(process.stdout.take());
            let mut words = String::new();
            process.stderr.take().unwrap().read_to_string(&mut words).await.unwrap();
            assert_eq!(words, "oh");
        }
        let status = timeout(SOON, process.wait()).await.expect("the end comes").unwrap();
        assert_eq!(status.code(), 7);
    }
}

#[tokio::test]
async fn a_slow_reader_holds_up_the_server_and_not_the_memory() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        process.get_ref().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut written = 0_u64;
        // Sockets hold some megabytes themselves.
        while written < 100 << 20 {
            if process.send(Message::Binary(vec![1; 32 << 10].into())).is_err() {
                break;
            }
            written += 32 << 10;
        }
        assert!(written < 100 << 20, "all of it was taken");
        process.get_ref().set_write_timeout(None).unwrap();
        process.flush().unwrap();
        process.end(SUCCESS);
    });
    let process = server.pods.exec("web").command(["yes"]).buffer_size(64 << 10).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let output = process.wait_with_output(100 << 20).await.unwrap();
    assert!(output.status.success() && output.stdout.len() > 1 << 20);
}

#[tokio::test]
async fn end_of_input_arrives_and_output_after_it_is_complete() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        let input = process.stdin();
        for part in input.chunks(1000) {
            process.put(1, part);
        }
        process.end(SUCCESS);
    });
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();

    let output = server.pods.exec("web").command(["cat"]).input(bytes.clone()).output().await.unwrap();
    assert!(output.status.success() && output.stdout == bytes);

    let mut process = server.pods.exec("web").command(["cat"]).stdin(true).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(&bytes).await.unwrap();
    stdin.shutdown().await.unwrap();
    assert_eq!(stdin.write_all(b"more").await.unwrap_err().kind(), Io::BrokenPipe);
    let output = process.wait_with_output(2 << 20).await.unwrap();
    assert!(output.status.success() && output.stdout == bytes);

    let mut process = server.pods.exec("web").command(["cat"]).stdin(true).await.unwrap();
    process.stdin.take().unwrap().write_all(b"dropped").await.unwrap();
    assert_eq!(process.wait_with_output(10).await.unwrap().stdout, "dropped");
}

#[tokio::test]
async fn a_process_that_ends_early_wants_no_more_input() {
    let server = Server::start(|connection| {
        let process = connection.websocket();
        process.end(SUCCESS);
    });
    let mut process = server.pods.exec("web").command(["true"]).stdin(true).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let error = timeout(SOON, async {
        loop {
            if let Err(error) = stdin.write_all(&[0; 4096]).await {
                return error;
            }
        }
    });
    assert_eq!(error.await.unwrap().kind(), Io::BrokenPipe);
    assert!(process.wait().await.unwrap().success());
}

#[tokio::test]
async fn without_a_report_there_is_no_success() {
    for how in ["close", "close with a code", "end", "reset", "half a report"] {
        let server = Server::start(move |connection| {
            let mut process = connection.websocket();
            process.put(1, "half");
            match how {
                "close" => process.close(None).unwrap(),
                "close with a code" => process
                    .close(Some(tungstenite::protocol::CloseFrame { code: 1011.into(), reason: "gone".into() }))
                    .unwrap(),
                "reset" => {
                    thread::sleep(Duration::from_millis(100));
                    reset(process.get_ref());
                }
                "half a report" => process.put(3, &SUCCESS[..20]),
                _ => {}
            }
        });
        let mut process = server.pods.exec("web").command(["true"]).await.unwrap();
        let mut stdout = process.stdout.take().unwrap();
        let mut text = String::new();
        let error = stdout.read_to_string(&mut text).await.unwrap_err();
        assert!(error.to_string().contains("may still run"), "{how}: {error}");
        let error = process.wait().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{how}: {error}");
        let words = error.to_string();
        assert!(words.starts_with("GET http://127.0.0.1:") && words.contains("/pods/web/exec: "), "{words}");
        assert!(words.contains("may still run"), "{how}: {words}");
        assert_eq!(words.contains("code 1011: gone"), how == "close with a code", "{words}");
        assert_eq!(server.heads().len(), 1, "{how}: begun twice");
    }
}

#[tokio::test]
async fn what_breaks_after_the_report_does_not_matter() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        process.put(1, "all");
        process.put(3, exit(137));
        thread::sleep(Duration::from_millis(100));
        reset(process.get_ref());
    });
    let output = server.pods.exec("web").command(["true"]).output().await.unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (137, &b"all"[..]));
}

#[tokio::test]
async fn a_process_that_cannot_run_is_an_error_with_the_servers_words() {
    let server = Server::start(|connection| {
        let words = "exec: \\\"nope\\\": executable file not found in $PATH";
        let status = format!(
            r#"{{"metadata":{{}},"status":"Failure","message":"{words}","reason":"InternalError","code":500}}"#
        );
        connection.websocket().end(&status);
    });
    let error = server.pods.exec("web").command(["nope"]).output().await.unwrap_err();
    assert!(error.is_internal_error() && error.to_string().contains("\"nope\": executable file not found"), "{error}");
}

#[tokio::test]
async fn more_output_than_allowed_is_an_error() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        for _ in 0..5 {
            process.put(1, vec![1; 1000]);
            process.put(2, vec![1; 1000]);
        }
        process.end(SUCCESS);
    });
    let run = || server.pods.exec("web").command(["yes"]);
    assert_eq!(run().output_limit(10_000).output().await.unwrap().stderr.len(), 5000);
    let error = run().output_limit(9999).output().await.unwrap_err();
    assert!(error.to_string().contains("more than 9999 bytes"), "{error}");
    assert!(run().status().await.unwrap().success(), "nothing is collected");
}

#[tokio::test]
async fn dropping_the_process_closes_the_connection() {
    let (told, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |connection| {
        let mut process = connection.websocket();
        process.put(1, "begun");
        let outcome = loop {
            match process.read() {
                Ok(Message::Close(frame)) => break frame.map(|frame| u16::from(frame.code)),
                Ok(_) => {}
                Err(_) => break None,
            }
        };
        told.send(outcome).unwrap();
    });
    let mut process = server.pods.exec("web").command(["sleep"]).stdin(true).await.unwrap();
    let mut stdout = process.stdout.take().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    assert_eq!(stdout.fill_buf().await.unwrap(), b"begun");
    drop(process);
    assert_eq!(timeout(SOON, closed.recv()).await.expect("it is closed").unwrap(), Some(1000));
    let mut rest = Vec::new();
    let error = stdout.read_to_end(&mut rest).await.unwrap_err();
    assert_eq!((error.kind(), &rest[..]), (Io::ConnectionAborted, &b"begun"[..]));
    assert_eq!(stdin.write_all(b"x").await.unwrap_err().kind(), Io::ConnectionAborted);
}

#[tokio::test]
async fn output_can_be_read_after_the_process_was_dropped_with_its_end_known() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        process.put(1, "all of it");
        process.end(SUCCESS);
    });
    let mut process = server.pods.exec("web").command(["date"]).await.unwrap();
    let mut stdout = process.stdout.take().unwrap();
    process.wait().await.unwrap();
    drop(process);
    let mut text = String::new();
    stdout.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "all of it");
}

#[tokio::test]
async fn terminal_has_one_output_and_takes_sizes() {
    let server = Server::start(|connection| {
        assert!(connection.head.contains("stderr=false&stdin=true&stdout=true&tty=true"), "{}", connection.head);
        let mut process = connection.websocket();
        // The size comes before the input.
        for expected in [&b"\x04{\"Width\":80,\"Height\":24}"[..], b"\0input"] {
            assert_eq!(process.read().unwrap().into_data(), expected);
        }
        process.put(1, "go");
        assert_eq!(process.read().unwrap().into_data(), &b"\x04{\"Width\":100,\"Height\":50}"[..]);
        process.end(SUCCESS);
    });
    let size = TerminalSize { width: 80, height: 24 };
    let mut process = server.pods.exec("web").command(["sh"]).stdin(true).tty(true).terminal_size(size).await.unwrap();
    assert_eq!(process.protocol(), Protocol::WebSocket);
    assert!(process.stderr.is_none());
    process.stdin.as_mut().unwrap().write_all(b"input").await.unwrap();
    assert_eq!(process.stdout.as_mut().unwrap().chunk().await.unwrap().unwrap(), "go");
    let resizer = process.resizer();
    for width in 91..=100 {
        resizer.resize(TerminalSize { width, height: 50 });
    }
    drop(resizer);
    let mut stdin = process.stdin.take();
    assert!(process.wait().await.unwrap().success());
    stdin.as_mut().unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn pings_of_the_server_are_answered_also_while_input_waits() {
    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        process.send(Message::Ping("are you there".into())).unwrap();
        let pong = loop {
            match process.read().unwrap() {
                Message::Pong(payload) => break payload,
                _ => thread::sleep(Duration::from_millis(1)),
            }
        };
        assert_eq!(pong, "are you there");
        process.end(SUCCESS);
    });
    let mut process = server.pods.exec("web").command(["cat"]).stdin(true).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let _ = stdin.write_all(&vec![0; 4 << 20]).await;
    assert!(process.wait().await.unwrap().success());
}

/// With bytes on their way that nobody confirms, an unanswered ping says nothing.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_peer_that_vanishes_with_input_on_its_way_is_found() {
    use socket2::{SockFilter, SockRef};

    let server = Server::start(|connection| {
        let mut process = connection.websocket();
        process.read().unwrap();
        // From now on nothing arrives, not even for the system. What is sent does.
        SockRef::from(process.get_ref()).attach_filter(&[SockFilter::new(6, 0, 0, 0)]).unwrap();
        process.put(1, "gone");
        thread::sleep(Duration::from_secs(120));
    });
    let mut process = server.pods.exec("web").command(["cat"]).stdin(true).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(b"arrives").await.unwrap();
    assert_eq!(process.stdout.as_mut().unwrap().chunk().await.unwrap().unwrap(), "gone");
    stdin.write_all(b"is lost").await.unwrap();
    let started = std::time::Instant::now();
    let error = timeout(Duration::from_secs(100), process.wait()).await.expect("it is found").unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}: {error}", started.elapsed());
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("confirmed nothing") && error.to_string().contains("may still run"), "{error}");
}
