//! Copying, with a server that does what `tar` does only now and then.
#![cfg(feature = "copy")]

#[expect(dead_code, reason = "this test needs a part of it")]
#[path = "../../runtime/tests/streams/server.rs"]
mod server;

use std::{io, net::TcpStream};

use k8s_client_pods::{CopyError, CopyFiles as _};
use tokio::io::{AsyncReadExt as _, repeat};
use tungstenite::WebSocket;

use self::server::{Channels as _, SUCCESS, Server};

/// More than can be on its way.
const LENGTH: u64 = 64 << 20;

/// Reports the end, as a process does that reads no more, and takes in what still comes: otherwise the report might be
/// lost.
fn end(mut socket: WebSocket<TcpStream>, report: &str) {
    socket.put(3, report);
    socket.close(None).expect("it is open");
    while socket.read().is_ok() {}
    let _ = io::copy(socket.get_mut(), &mut io::sink());
}

#[tokio::test]
async fn upload_of_which_tar_has_not_read_all_is_incomplete() {
    let server = Server::start(|connection| {
        let mut socket = connection.websocket();
        let _ = socket.read();
        end(socket, SUCCESS);
    });
    let content = repeat(b'x').take(LENGTH);
    let error = server.pods.exec("web").write_file_from("/tmp/large", content, LENGTH).await.expect_err("half of it");
    assert!(matches!(error, CopyError::Incomplete { .. }), "{error:?}");
    let expected = "copying \"/tmp/large\" of the container: the copy is not complete: tar ended there before it had \
                    read all that was sent: ";
    assert!(error.to_string().starts_with(expected) && error.to_string().ends_with("; copy it again"), "{error}");
}

#[tokio::test]
async fn upload_to_a_tar_that_fails_says_what_tar_says() {
    let server = Server::start(|connection| {
        let mut socket = connection.websocket();
        let _ = socket.read();
        socket.put(2, "tar: no room left\n");
        end(socket, &server::exit(2));
    });
    let content = repeat(b'x').take(LENGTH);
    let error =
        server.pods.exec("web").write_file_from("/tmp/large", content, LENGTH).await.expect_err("it has failed");
    assert_eq!(
        error.to_string(),
        "copying \"/tmp/large\" of the container: tar ended with exit code 2: tar: no room left"
    );
}
