//! One object that cannot be read among others that can. No socket is involved.

use bytes::Bytes;
use http::{Response, header};
use k8s_client_runtime::{
    Error, ErrorKind, RestClient,
    resource::{Namespaced, ResourceClient},
    rest::Body,
    watch::WatchEvent,
};
use k8s_openapi::api::{coordination::v1::Lease, core::v1::Secret};

use crate::{answered_by, nowhere};

/// The second of three has a time that no type can hold.
const LEASES: [&str; 3] = [
    r#"{"metadata":{"name":"a","namespace":"ns","resourceVersion":"1"},
        "spec":{"renewTime":"2026-01-01T00:00:00.000000Z"}}"#,
    r#"{"metadata":{"name":"far","namespace":"ns","resourceVersion":"2"},
        "spec":{"renewTime":"9999-12-31T23:59:59.000000Z"}}"#,
    r#"{"metadata":{"name":"c","namespace":"ns","resourceVersion":"3"},"spec":{}}"#,
];

fn answered(body: impl Into<Bytes>) -> RestClient {
    let body = body.into();
    answered_by(&nowhere(), move |_| {
        let answer =
            Response::builder().header(header::CONTENT_TYPE, "application/json").body(Body::from(body.clone()));
        async { answer.expect("a valid answer") }
    })
    .0
}

fn leases(body: impl Into<Bytes>) -> ResourceClient<Lease, Namespaced> {
    ResourceClient::<Lease>::namespaced(&answered(body), "ns")
}

fn list() -> ResourceClient<Lease, Namespaced> {
    let items = LEASES.join(",");
    leases(format!(
        r#"{{"kind":"LeaseList","apiVersion":"coordination.k8s.io/v1","metadata":{{"resourceVersion":"7"}},
        "items":[{items}]}}"#
    ))
}

/// It names the object and the field, and is about that object alone.
fn check(error: &Error) {
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Decode, false));
    let text = error.to_string();
    assert!(text.contains(": the object ns/far could not be decoded: .spec.renewTime: "), "{text}");
    let object = error.undecodable_object().expect("it is about one object");
    assert_eq!((object.namespace.as_deref(), object.name.as_deref()), (Some("ns"), Some("far")));
    assert_eq!(object.resource_version.as_deref(), Some("2"));
}

fn name(lease: &Lease) -> &str {
    lease.metadata.name.as_deref().expect("it has one")
}

#[tokio::test]
async fn list_names_the_object_that_spoils_it() {
    check(&list().list().await.expect_err("one of them cannot be read"));
    check(&list().list().pages().try_next().await.expect_err("one of them cannot be read"));
}

#[tokio::test]
async fn streams_of_a_list_go_on_behind_an_object_that_cannot_be_read() -> Result<(), Error> {
    let mut items = list().list().stream().await?;
    assert_eq!(items.try_next().await?.as_ref().map(name), Some("a"));
    check(&items.try_next().await.expect_err("it cannot be read"));
    assert_eq!(items.metadata(), None);
    assert_eq!(items.try_next().await?.as_ref().map(name), Some("c"));
    assert_eq!(items.try_next().await?, None);
    assert_eq!(items.metadata().and_then(|metadata| metadata.resource_version.as_deref()), Some("7"));

    let mut items = list().list().items();
    assert_eq!(items.try_next().await?.as_ref().map(name), Some("a"));
    check(&items.try_next().await.expect_err("it cannot be read"));
    assert_eq!(items.try_next().await?.as_ref().map(name), Some("c"));
    assert_eq!(items.try_next().await?, None);
    Ok(())
}

#[tokio::test]
async fn watch_goes_on_behind_an_object_that_cannot_be_read() -> Result<(), Error> {
    let events = LEASES.map(|lease| format!(r#"{{"type":"MODIFIED","object":{lease}}}"#)).concat();
    let mut events = leases(events).watch().await?;
    let mut version = None;
    for expected in [Some("a"), None, Some("c")] {
        match (events.try_next().await, expected) {
            (Ok(Some(WatchEvent::Modified(lease))), Some(expected)) => {
                assert_eq!(name(&lease), expected);
                version = lease.metadata.resource_version;
            }
            (Err(error), None) => {
                check(&error);
                version = error.undecodable_object().and_then(|object| object.resource_version.clone());
            }
            (other, _) => panic!("{other:?}"),
        }
        assert!(version.is_some(), "each tells where to go on from");
    }
    assert_eq!((events.try_next().await?, version.as_deref()), (None, Some("3")));
    Ok(())
}

#[tokio::test]
async fn deletion_of_an_object_that_cannot_be_read_is_one() -> Result<(), Error> {
    for (kind, deleted) in [("ADDED", false), ("MODIFIED", false), ("DELETED", true)] {
        let event = format!(r#"{{"type":"{kind}","object":{}}}"#, LEASES[1]);
        let error = leases(event).watch().await?.try_next().await.expect_err("it cannot be read");
        check(&error);
        assert_eq!(error.undecodable_object().map(|object| object.deleted), Some(deleted), "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn object_without_a_name_is_named_by_its_place() {
    let body = r#"{"kind":"LeaseList","apiVersion":"coordination.k8s.io/v1","metadata":{},"items":[{},7]}"#;
    let error = leases(body.to_owned()).list().await.expect_err("a number is not an object");
    assert!(error.to_string().contains("item 1 of the list could not be decoded"), "{error}");
    assert_eq!(error.undecodable_object().map(ToString::to_string).as_deref(), Some("?"));
}

#[tokio::test]
async fn error_is_short_however_long_the_object_is() {
    let long = "x".repeat(1 << 20);
    for item in [
        format!(r#"{{"metadata":{{"name":"{long}","resourceVersion":"{long}"}},"spec":7}}"#),
        format!(r#"{{"metadata":{{"name":"a","generation":"{long}"}}}}"#),
        format!(r#"{{"metadata":{{"labels":{{"{long}":7}}}}}}"#),
        format!(r#"{{"spec":{{"renewTime":"{long}"}}}}"#),
        long.clone(),
    ] {
        let body = format!(r#"{{"kind":"LeaseList","apiVersion":"coordination.k8s.io/v1","items":[{item}]}}"#);
        let error = leases(body).list().await.expect_err("it is not a Lease").to_string();
        assert!(error.len() < 1000 && error.contains(" at line 1 column "), "{} bytes: {error:.1000}", error.len());
    }
}

#[tokio::test]
async fn secret_is_named_and_not_quoted() {
    let body = r#"{"items":[{"metadata":{"name":"a"},"data":"hunter2"}]}"#;
    let secrets = ResourceClient::<Secret>::namespaced(&answered(body.to_owned()), "ns");
    let error = secrets.list().await.expect_err("it is not a Secret");
    assert!(error.to_string().contains("the object a could not be decoded: line 1"), "{error}");
    assert!(!format!("{error} {error:#?}").contains("hunter2"), "{error:#?}");
}

#[tokio::test]
async fn text_in_place_of_json_is_shown_at_its_beginning() {
    for (body, part) in [
        ("404 page not found\n\u{1b}[2J", r#"it is not JSON but begins with "404 page not found\n\u{1b}[2J": "#),
        ("<html>\r\n<title>Sign in</title>", r#"begins with "<html>\r\n<title>Sign in</title>": "#),
        (&"long ".repeat(100), "long long …\": "),
        ("\u{202e}\u{fffd}", "begins with \"\\u{202e}\u{fffd}\": "),
    ] {
        let error = leases(body.to_owned()).get("a").await.expect_err("it is not JSON").to_string();
        assert!(error.contains("the answer could not be decoded: ") && error.contains(part), "{error}");
    }
    // JSON of another type than an object.
    for body in ["null", "7", "\"text\"", "true"] {
        let error = leases(body.to_owned()).get("a").await.expect_err("it is not an object").to_string();
        assert!(error.contains("the answer could not be decoded: invalid type: "), "{error}");
    }
    let error = leases(r#"{"metadata":{"name":7}}"#.to_owned()).get("a").await.expect_err("not a name").to_string();
    assert!(error.contains("decoded: .metadata.name: invalid type: integer `7`, expected a string"), "{error}");
}

#[tokio::test]
async fn damaged_text_is_read_as_go_reads_it() {
    let metadata = br#""metadata":{"name":"a","resourceVersion":"1","generation":-0}"#;
    let text = b"J\xf6rg \\ud800 \\ud83e\\udd80 \xe2\x82";
    let lease = [&b"{"[..], metadata, br#","spec":{"holderIdentity":""#, text, br#""}}"#].concat();
    let check = |lease: &Lease| {
        assert_eq!((name(lease), lease.metadata.generation), ("a", Some(0)));
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        assert_eq!(holder, Some("J\u{fffd}rg \u{fffd} \u{1f980} \u{fffd}"));
    };
    check(&leases(lease.clone()).get("a").await.expect("an object"));
    let start = br#"{"kind":"LeaseList","apiVersion":"coordination.k8s.io/v1","items":["#;
    let list = [&start[..], &lease, b",", &lease, b"]}"].concat();
    leases(list).list().await.expect("a list").items.iter().for_each(check);
    let event = [&br#"{"type":"ADDED","object":"#[..], &lease, b"}\n"].concat();
    let mut events = leases([&event[..], &event].concat()).watch().await.expect("a watch");
    for _ in 0..2 {
        check(&events.try_next().await.expect("an event").and_then(WatchEvent::into_object).expect("an object"));
    }
}
