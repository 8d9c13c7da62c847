//! Answers to watches.

use k8s_client_runtime::{ErrorKind, watch::WatchEvent};

use crate::{
    config_maps,
    support::{Answer, JSON, Server, endless, http},
};

#[tokio::test]
async fn web_page_in_place_of_a_watch_is_named_as_such() {
    let server = Server::answering("200 OK", "Content-Type: text/html\r\n", "<html>log in</html>").await;
    let error = config_maps(&server.client()).watch().await.expect_err("that is no watch");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("text/html") && error.url().is_some(), "{error}");
}

#[tokio::test]
async fn success_that_is_not_200_is_no_watch() {
    for status in ["201 Created", "202 Accepted", "204 No Content", "206 Partial Content"] {
        let server = Server::answering(status, JSON, "").await;
        let error = config_maps(&server.client()).watch().await.expect_err(status);
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.to_string().contains(&format!("watch=true: the server answered {status}")), "{error}");
    }
}

fn event(kind: &str, name: &str) -> String {
    format!(
        "{{\"type\":\"{kind}\",\"object\":{{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"{name}\"}}}}}}\n"
    )
}

#[tokio::test]
async fn events_survive_being_cut_anywhere() {
    let text = event("ADDED", "héllo") + &event("MODIFIED", "héllo") + &event("DELETED", "héllo");
    for size in [1, 7, 64] {
        let pieces = std::iter::once(endless("200 OK")).chain(text.as_bytes().chunks(size).map(<[u8]>::to_vec));
        let server = Server::start(vec![Answer::Pieces(pieces.collect())]).await;
        let mut events = config_maps(&server.client()).watch().await.expect("a watch");
        let mut kinds = Vec::new();
        while let Some(event) = events.try_next().await.expect("whole events") {
            assert_eq!(event.object().and_then(|object| object.metadata.name.as_deref()), Some("héllo"));
            kinds.push(match event {
                WatchEvent::Added(_) => 'a',
                WatchEvent::Modified(_) => 'm',
                WatchEvent::Deleted(_) => 'd',
                WatchEvent::Bookmark { .. } => 'b',
            });
        }
        assert_eq!(kinds, ['a', 'm', 'd']);
    }
}

#[tokio::test]
async fn too_old_version_is_told_as_an_answer_and_as_an_event() {
    let expired =
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}"#;
    let server = Server::answering("410 Gone", JSON, expired).await;
    let error = config_maps(&server.client()).watch().resource_version("1").await.expect_err("too old");
    assert!(error.must_list_again());

    let mut bytes = endless("200 OK");
    bytes.extend(format!("{{\"type\":\"ERROR\",\"object\":{expired}}}\n").into_bytes());
    let server = Server::start(vec![Answer::Close(bytes)]).await;
    let mut events = config_maps(&server.client()).watch().resource_version("1").await.expect("a watch");
    let error = events.try_next().await.expect_err("too old");
    assert!(error.must_list_again());
    assert!(error.to_string().contains("watch=true"), "{error}");
    assert!(events.try_next().await.expect("it has ended").is_none());
}

#[tokio::test]
async fn watch_that_breaks_off_inside_an_event_is_an_error() {
    let text = event("ADDED", "web") + &event("ADDED", "half")[..40];
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}Content-Length: 10000\r\n\r\n");
    let server = Server::start(vec![Answer::Close((head + &text).into_bytes())]).await;
    let mut events = config_maps(&server.client()).watch().await.expect("a watch");
    assert!(events.try_next().await.expect("the first event is whole").is_some());
    let error = events.try_next().await.expect_err("the second is not");
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(events.try_next().await.expect("it has ended").is_none());
}

#[tokio::test]
async fn events_are_read_however_their_lines_fall() {
    let pretty: serde_json::Value = serde_json::from_str(&event("ADDED", "web")).expect("an event");
    let pretty = serde_json::to_string_pretty(&pretty).expect("JSON");
    let two_in_a_line = event("MODIFIED", "web").trim_end().to_owned() + &event("DELETED", "web");
    let body = [pretty, "\n \r\n".to_owned(), two_in_a_line].concat();
    let server = Server::start(vec![Answer::Close([endless("200 OK"), body.into_bytes()].concat())]).await;
    let mut events = config_maps(&server.client()).watch().await.expect("a watch");
    let mut types = Vec::new();
    while let Some(event) = events.try_next().await.expect("whole events") {
        assert_eq!(event.object().and_then(|object| object.metadata.name.as_deref()), Some("web"));
        types.push(std::mem::discriminant(&event));
    }
    let expected = [WatchEvent::Added(()), WatchEvent::Modified(()), WatchEvent::Deleted(())];
    assert_eq!(format!("{types:?}"), format!("{:?}", expected.each_ref().map(std::mem::discriminant)));
}

#[tokio::test]
async fn watch_that_ends_inside_an_event_is_a_lost_connection() {
    let whole = event("ADDED", "web");
    let (json, half) = (endless("200 OK"), event("ADDED", "half"));
    let protobuf = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.kubernetes.protobuf;stream=watch\r\n\r\n";
    for (name, body) in [
        ("JSON", [&json, whole.as_bytes(), &half.as_bytes()[..40]].concat()),
        ("JSON without the last bracket", [&json, whole.as_bytes(), &half.as_bytes()[..half.len() - 2]].concat()),
        ("a frame", [protobuf.as_bytes(), b"\0\0\0\x09ab"].concat()),
        ("the length of a frame", [protobuf.as_bytes(), b"\0\0"].concat()),
    ] {
        let server = Server::start(vec![Answer::Close(body)]).await;
        let mut events = config_maps(&server.client()).watch().await.expect("a watch");
        let error = loop {
            match events.try_next().await {
                Ok(event) => assert!(event.is_some(), "{name}: half an event is not the end of a watch"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Transport, "{name}: {error}");
        assert!(error.is_transient() && !error.must_list_again(), "{name}: {error}");
        assert!(events.try_next().await.expect("it has ended").is_none(), "{name}");
    }
}

#[tokio::test]
async fn error_event_and_answer_keep_their_words_whatever_their_form() {
    let status =
        r#"{"metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}"#;
    let named = status.replacen('{', r#"{"kind":"Status","apiVersion":"v1","#, 1);
    let bookmark = r#"{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{}}}"#;
    for body in [format!("{bookmark}{{\"type\":\"ERROR\",\"object\":{status}}}"), named, status.to_owned()] {
        let server = Server::start(vec![Answer::Close(http("200 OK", JSON, &body))]).await;
        let mut events = config_maps(&server.client()).watch().resource_version("1").await.expect("a watch");
        let error = events.try_next().await.expect_err("it is an error");
        assert!(error.is_expired() && error.must_list_again(), "{body}: {error}");
        assert!(error.to_string().contains("too old resource version"), "{body}: {error}");
    }
}

#[tokio::test]
async fn watch_sends_its_options() {
    let server = Server::start(vec![Answer::Close(endless("200 OK"))]).await;
    let config_maps = config_maps(&server.client());
    let watch =
        config_maps.watch().resource_version("5").label_selector("a=b").timeout_seconds(60).allow_watch_bookmarks();
    assert!(watch.await.expect("a watch").try_next().await.expect("it ends").is_none());
    let expected = "GET /api/v1/namespaces/ns/configmaps?allowWatchBookmarks=true&labelSelector=a%3Db&resourceVersion=5\
                    &timeoutSeconds=60&watch=true HTTP/1.1";
    assert_eq!(server.requests()[0].lines().next(), Some(expected));
}
