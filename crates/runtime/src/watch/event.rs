//! One event of a watch.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    codec::{self, MediaType},
    error::{Error, ErrorKind, Result, UndecodableObject},
    object::AnyObject,
    protobuf::{self, PartialMetadata},
};

/// One event of a watch. What the server sends as an `ERROR` event is an error of the stream.
///
/// These are all the events that Kubernetes has. A controller must know each of them: if there is ever another, matches
/// without a `_` arm stop compiling, in place of passing over it.
///
/// ```
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// use k8s_client_runtime::watch::WatchEvent;
///
/// fn handle(event: WatchEvent<ConfigMap>, version: &mut String) {
///     // Where to go on from, whatever the event is.
///     if let Some(seen) = event.resource_version() {
///         *version = seen.to_owned();
///     }
///     match event {
///         WatchEvent::Added(object) | WatchEvent::Modified(object) => println!("is {object:?}"),
///         WatchEvent::Deleted(object) => println!("was {object:?}"),
///         WatchEvent::Bookmark { .. } => {}
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent<T> {
    /// The object was created, came to match the selectors, or was there when the watch began.
    Added(T),
    /// The object changed.
    Modified(T),
    /// The object was deleted, or no longer matches the selectors; this is its last state.
    Deleted(T),
    /// Nothing happened up to this version: where to go on from after an interruption.
    Bookmark {
        /// The version.
        resource_version: String,
        /// What else the server notes, such as `k8s.io/initial-events-end`.
        annotations: BTreeMap<String, String>,
    },
}

impl<T> WatchEvent<T> {
    /// The object of the event; a bookmark has none.
    pub fn object(&self) -> Option<&T> {
        match self {
            Self::Added(object) | Self::Modified(object) | Self::Deleted(object) => Some(object),
            Self::Bookmark { .. } => None,
        }
    }

    /// The object of the event, without the event; a bookmark has none.
    pub fn into_object(self) -> Option<T> {
        match self {
            Self::Added(object) | Self::Modified(object) | Self::Deleted(object) => Some(object),
            Self::Bookmark { .. } => None,
        }
    }

    /// Whether this is the bookmark behind the objects that were there when the watch began: see
    /// [`Watch::send_initial_events`](crate::resource::Watch::send_initial_events).
    pub fn ends_initial_events(&self) -> bool {
        match self {
            Self::Bookmark { annotations, .. } => {
                annotations.get("k8s.io/initial-events-end").is_some_and(|value| value == "true")
            }
            _ => false,
        }
    }
}

impl<T: AnyObject> WatchEvent<T> {
    /// The version after this event, from which another watch goes on: the object's, or the bookmark's.
    pub fn resource_version(&self) -> Option<&str> {
        match self {
            Self::Added(object) | Self::Modified(object) | Self::Deleted(object) => object.resource_version(),
            Self::Bookmark { resource_version, .. } => Some(resource_version),
        }
    }
}

/// The frame around every object.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct BookmarkObject {
    metadata: Option<BookmarkMetadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BookmarkMetadata {
    resource_version: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

/// What a piece of a watch tells, its object still undecoded.
pub(super) type RawEvent<'a> = WatchEvent<&'a [u8]>;

/// Reads one piece of a watch, an object or a frame, as far as that needs no type. A bookmark without a version says
/// nothing and is `None`.
pub(super) fn parse(media_type: MediaType, piece: &[u8]) -> Result<Option<RawEvent<'_>>> {
    let frame = match media_type {
        MediaType::Json => {
            let body = |Frame { kind, object }| (kind, object.map_or("null", RawValue::get).as_bytes());
            codec::from_borrowed_json(piece).map(body)
        }
        MediaType::Protobuf => {
            protobuf::watch_event(piece).map(|(kind, object)| (Cow::Owned(kind), object)).map_err(codec::Error::from)
        }
    };
    // A whole answer in place of a watch is no event, and says why.
    let (kind, body) = frame.map_err(|error| match codec::failure(media_type, piece) {
        Some(status) => Error::api(status),
        None => unreadable("the frame", error),
    })?;
    match &*kind {
        "ADDED" => Ok(Some(WatchEvent::Added(body))),
        "MODIFIED" => Ok(Some(WatchEvent::Modified(body))),
        "DELETED" => Ok(Some(WatchEvent::Deleted(body))),
        "BOOKMARK" => bookmark(media_type, body).map_err(|error| unreadable("the bookmark", error)),
        "ERROR" => Err(told(media_type, body)),
        other => Err(Error::new(ErrorKind::Decode, format!("a watch event of the unknown type {other:?}"))),
    }
}

/// Reads a bookmark, whatever the kind of its object is.
fn bookmark(media_type: MediaType, body: &[u8]) -> codec::Result<Option<RawEvent<'_>>> {
    let (resource_version, annotations) = match media_type {
        MediaType::Json => {
            let BookmarkObject { metadata } = codec::from_json::<Option<_>>(body)?.unwrap_or_default();
            let BookmarkMetadata { resource_version, annotations } = metadata.unwrap_or_default();
            (resource_version.unwrap_or_default(), annotations.unwrap_or_default())
        }
        MediaType::Protobuf if body.is_empty() => return Ok(None),
        MediaType::Protobuf => {
            let PartialMetadata { resource_version, annotations, .. } = protobuf::bookmark(body)?;
            (resource_version, annotations)
        }
    };
    Ok((!resource_version.is_empty()).then_some(WatchEvent::Bookmark { resource_version, annotations }))
}

/// Decodes the object of an event.
pub(super) fn decode<T>(
    media_type: MediaType,
    event: RawEvent<'_>,
    decode: fn(MediaType, &[u8]) -> codec::Result<T>,
) -> Result<WatchEvent<T>> {
    let object = |body, deleted| {
        decode(media_type, body).map_err(|error| {
            let object = UndecodableObject { deleted, ..codec::identity(media_type, body) };
            Error::undecodable(object, "the object of a watch event", error)
        })
    };
    Ok(match event {
        WatchEvent::Added(body) => WatchEvent::Added(object(body, false)?),
        WatchEvent::Modified(body) => WatchEvent::Modified(object(body, false)?),
        WatchEvent::Deleted(body) => WatchEvent::Deleted(object(body, true)?),
        WatchEvent::Bookmark { resource_version, annotations } => {
            WatchEvent::Bookmark { resource_version, annotations }
        }
    })
}

/// The error that an `ERROR` event tells of.
fn told(media_type: MediaType, body: &[u8]) -> Error {
    if let Some(status) = codec::failure(media_type, body) {
        return Error::api(status);
    }
    let text: String = String::from_utf8_lossy(body).chars().take(512).collect();
    Error::new(ErrorKind::Decode, "an ERROR event that holds no Status").with_source(text)
}

fn unreadable(what: &str, error: codec::Error) -> Error {
    Error::new(ErrorKind::Decode, format!("{what} of a watch event could not be decoded")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;

    fn decode(piece: &str) -> Result<WatchEvent<ConfigMap>> {
        let event = parse(MediaType::Json, piece.as_bytes())?.expect("it says something");
        super::decode(MediaType::Json, event, <ConfigMap as codec::Codec>::decode)
    }

    #[test]
    fn events_carry_their_objects() {
        let line = r#"{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"é"}}}"#;
        let WatchEvent::Added(object) = decode(line).expect("it decodes") else { panic!("it is an addition") };
        assert_eq!(object.metadata.name.as_deref(), Some("é"));
    }

    #[test]
    fn bookmarks_need_no_whole_object() {
        let line = r#"{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1",
            "metadata":{"resourceVersion":"12","annotations":{"k8s.io/initial-events-end":"true"}}}}"#;
        let annotations = BTreeMap::from([("k8s.io/initial-events-end".to_owned(), "true".to_owned())]);
        assert_eq!(
            decode(line).expect("it decodes"),
            WatchEvent::Bookmark { resource_version: "12".to_owned(), annotations }
        );
    }

    #[test]
    fn version_to_go_on_from_is_any_events() {
        let object = || {
            serde_json::from_str::<ConfigMap>(r#"{"metadata":{"name":"web","resourceVersion":"7"}}"#)
                .expect("an object")
        };
        for event in [WatchEvent::Added(object()), WatchEvent::Modified(object()), WatchEvent::Deleted(object())] {
            assert_eq!(event.resource_version(), Some("7"));
            assert!(!event.ends_initial_events());
            assert_eq!(event.into_object(), Some(object()));
        }
        let bookmark = |value: &str| {
            let annotations = BTreeMap::from([("k8s.io/initial-events-end".to_owned(), value.to_owned())]);
            WatchEvent::<ConfigMap>::Bookmark { resource_version: "8".to_owned(), annotations }
        };
        assert_eq!(bookmark("true").resource_version(), Some("8"));
        assert!(bookmark("true").ends_initial_events() && !bookmark("false").ends_initial_events());
        assert_eq!(bookmark("true").into_object(), None);
    }

    #[test]
    fn bookmark_without_a_version_is_passed_over() {
        for object in [
            r#"{"kind":"ConfigMap","metadata":{"resourceVersion":""}}"#,
            r#"{"metadata":{"resourceVersion":null,"annotations":{"a":"b"}}}"#,
            r#"{"metadata":{}}"#,
            r#"{"metadata":null}"#,
            "{}",
            "null",
        ] {
            let piece = format!(r#"{{"type":"BOOKMARK","object":{object}}}"#);
            assert_eq!(parse(MediaType::Json, piece.as_bytes()).expect(object), None, "{object}");
        }
        assert_eq!(parse(MediaType::Json, br#"{"type":"BOOKMARK"}"#).expect("a bookmark"), None);
        // A BOOKMARK of an empty object in its envelope, one of nothing, and one without an object.
        for frame in [
            &b"\x0a\x08BOOKMARK\x12\x08\x0a\x06k8s\0\x12\0"[..],
            b"\x0a\x08BOOKMARK\x12\x02\x0a\0",
            b"\x0a\x08BOOKMARK",
        ] {
            assert_eq!(parse(MediaType::Protobuf, frame).expect("a bookmark"), None, "{frame:?}");
        }
    }

    #[test]
    fn error_keeps_its_reason_without_a_kind() {
        for object in [
            r#"{"metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}"#,
            r#"{"reason":"Expired"}"#,
            r#"{"kind":"","reason":"Expired"}"#,
            r#"{"kind":"Status","reason":"Expired","code":"410"}"#,
        ] {
            let error = decode(&format!(r#"{{"type":"ERROR","object":{object}}}"#)).expect_err("it is an error");
            assert!(error.is_expired() && error.must_list_again(), "{error}");
        }
    }

    #[test]
    fn status_in_place_of_events_keeps_its_words() {
        let status =
            r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no room","reason":"Forbidden"}"#;
        let error = decode(status).expect_err("it is no event");
        assert!(error.is_forbidden() && error.to_string().contains("no room"), "{error}");
        let status = b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status\x12\x0b\x22\x09Forbidden";
        let error = parse(MediaType::Protobuf, status).expect_err("it is no event");
        assert!(error.is_forbidden(), "{error}");
    }

    #[test]
    fn too_old_is_told_apart_from_other_errors() {
        let error = decode(
            r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
                "message":"too old resource version: 1 (2)","reason":"Expired","code":410}}"#,
        )
        .expect_err("it is an error");
        assert!(error.is_expired() && error.must_list_again());

        let error = decode(
            r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
                "message":"etcd event received with PrevKv=nil","reason":"InternalError","code":500}}"#,
        )
        .expect_err("it is an error");
        assert!(error.is_internal_error() && !error.must_list_again());
    }

    #[test]
    fn nonsense_is_an_error_that_says_so() {
        for (line, part) in [
            ("", "frame"),
            ("{}", "frame"),
            ("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}}", "object"),
            ("{\"type\":\"MOVED\",\"object\":{}}", "MOVED"),
            ("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":7}}", "bookmark"),
            ("{\"type\":\"ERROR\",\"object\":{\"why\":7}}", "why"),
        ] {
            let error = decode(line).expect_err(line);
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
