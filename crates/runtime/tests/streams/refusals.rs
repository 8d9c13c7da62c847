//! Servers that refuse, and what is tried then.

use k8s_client_runtime::ErrorKind;

use crate::server::{Server, http, refusal};

/// What a server that answers so is asked, and the error that the caller gets.
async fn refused(websocket: &str, spdy: &str) -> (Vec<String>, k8s_client_runtime::Error) {
    let (websocket, spdy) = (websocket.to_owned(), spdy.to_owned());
    let server = Server::start(move |connection| {
        let answer = if connection.is_websocket() { websocket.clone() } else { spdy.clone() };
        if answer.is_empty() { connection.reset() } else { connection.answer(&answer) }
    });
    let error = server.pods.exec("web").command(["true"]).output().await.unwrap_err();
    let methods = server.heads().iter().map(|head| head.split(' ').next().unwrap_or_default().to_owned()).collect();
    (methods, error)
}

#[tokio::test]
async fn error_of_both_refusals_is_the_first_one_and_says_which_rights_are_needed() {
    let forbidden = refusal(403, "Forbidden", "pods \\\"web\\\" is forbidden: cannot get resource pods/exec");
    let (asked, error) = refused(&forbidden, &refusal(403, "Forbidden", "second")).await;
    assert_eq!(asked, ["GET", "POST"]);
    assert!(error.is_forbidden() && error.status().is_some(), "{error}");
    let words = error.to_string();
    assert!(words.contains("cannot get resource pods/exec") && !words.contains("second"), "{words}");
    assert!(words.contains("`get` and `create` on `pods/exec`"), "{words}");

    let (asked, error) = refused(&refusal(400, "BadRequest", "container nope is not valid"), &http(403, "")).await;
    assert_eq!(asked, ["GET", "POST"]);
    assert!(error.is_bad_request() && error.to_string().contains("container nope is not valid"), "{error}");
}

#[tokio::test]
async fn what_spdy_would_not_change_is_not_asked_again() {
    for (answer, reason) in [
        (refusal(404, "NotFound", "pods \\\"web\\\" not found"), "NotFound"),
        (refusal(401, "Unauthorized", "Unauthorized"), "Unauthorized"),
        (refusal(429, "TooManyRequests", "slow down"), "TooManyRequests"),
    ] {
        let (asked, error) = refused(&answer, &http(500, "")).await;
        assert_eq!((asked.as_slice(), error.reason()), (&["GET".to_owned()][..], Some(reason)), "{error}");
    }
}

#[tokio::test]
async fn without_an_answer_there_is_no_second_try() {
    let (asked, error) = refused("", &http(500, "")).await;
    assert_eq!(asked, ["GET"]);
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(error.to_string().contains("the server may have processed the request"), "{error}");

    // The second try may have begun something too.
    let (asked, error) = refused(&http(400, "no"), "").await;
    assert_eq!(asked, ["GET", "POST"]);
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

#[tokio::test]
async fn a_wrong_switch_is_a_refusal() {
    for headers in [
        "Upgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\nSec-WebSocket-Protocol: v5.channel.k8s.io",
        "Upgrade: h2c",
        "Upgrade: SPDY/3.1",
    ] {
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n{headers}\r\n\r\n");
        let (asked, error) = refused(&answer, &http(403, "")).await;
        assert_eq!(asked, ["GET", "POST"], "{headers}");
        assert!(error.to_string().contains("the server's answer to the upgrade is not valid"), "{headers}: {error}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_not_waited_for_for_ever() {
    let server = Server::start(|connection| {
        std::thread::sleep(std::time::Duration::from_secs(60));
        drop(connection);
    });
    let exec = server.pods.exec("web").command(["true"]).with_timeout(std::time::Duration::from_secs(3));
    let error = exec.await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(server.heads().len(), 1, "asked once more, though the process may run");
}

#[tokio::test]
async fn a_process_without_any_channel_is_refused_before_anything_is_sent() {
    let server = Server::start(|connection| connection.answer(&http(200, "")));
    let error = server.pods.exec("web").command(["true"]).stdout(false).stderr(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    assert!(server.heads().is_empty());
}
