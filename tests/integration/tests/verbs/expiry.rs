//! Versions that the server has forgotten: the error that says "list again", as an answer and as an event.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use k8s_client::ResourceVersionMatch;
use k8s_client_integration_tests::{Test, TestResult, control_plane, soon};
use serde_json::json;

use crate::custom_resources::backends;

#[tokio::test]
async fn watch_from_a_forgotten_version_ends_in_an_event_that_says_so() -> TestResult {
    let test = Test::namespace().await;
    // The type is younger than version 1, so the server's cache cannot reach back as far.
    let mut events = backends(&test).await.watch().resource_version("1").await?;
    let error = soon("the error is told", events.try_next()).await.expect_err("the version is too old");
    assert!(error.must_list_again() && error.is_expired(), "{error}");
    assert_eq!(error.code(), Some(410));
    assert!(error.url().is_some_and(|url| url.contains("watch=true")), "{error}");
    assert!(soon("the stream has ended", events.try_next()).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn list_of_a_forgotten_version_is_answered_with_an_error_that_says_so() -> TestResult {
    let test = Test::namespace().await;
    let list = backends(&test).await.list();
    forget_version_1()?;
    let error = list.resource_version("1").resource_version_match(ResourceVersionMatch::Exact).await;
    let error = error.expect_err("the version is too old");
    assert!(error.must_list_again() && error.is_expired(), "{error}");
    assert_eq!(error.code(), Some(410));
    Ok(())
}

#[tokio::test]
async fn pages_end_in_an_error_when_their_version_is_forgotten() -> TestResult {
    let test = Test::namespace().await;
    let list = backends(&test).await.list();
    forget_version_1()?;
    // What a server would have given out long ago.
    let token = json!({ "v": "meta.k8s.io/v1", "rv": 1, "start": "name\u{0}" }).to_string();
    let mut pages = list.limit(1).continue_token(BASE64_STANDARD_NO_PAD.encode(token)).pages();
    let error = pages.try_next().await.expect_err("the token is too old");
    assert!(error.must_list_again(), "{error}");
    // The server offers to go on with what there is now.
    let status = error.status().expect("the server sent a status");
    assert!(status.metadata.continue_.as_ref().is_some_and(|token| !token.is_empty()), "{status:?}");
    assert!(pages.try_next().await?.is_none());
    Ok(())
}

/// Lets etcd forget its first version, and no more: other tests need theirs. kube-apiserver does it every five minutes.
fn forget_version_1() -> io::Result<()> {
    let socket = control_plane().kubeconfig().with_file_name("etcd.sock");
    if !socket.exists() {
        // A cluster that was there before has forgotten it long since.
        return Ok(());
    }
    let body = json!({ "revision": "2" }).to_string();
    let length = body.len();
    let head =
        format!("POST /v3/kv/compaction HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\nContent-Length: {length}");
    let mut etcd = UnixStream::connect(socket)?;
    write!(etcd, "{head}\r\n\r\n{body}")?;
    // That it is forgotten already is as good an answer.
    etcd.read_to_string(&mut String::new()).map(drop)
}
