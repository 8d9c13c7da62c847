//! What lists that arrive in chunks give, whole and broken.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use k8s_openapi::{
    api::core::v1::ConfigMap,
    apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta},
};
use proptest::{collection, prelude::*};

use super::{ListPieces, Piece, stream::ListStream};
use crate::{
    codec::{Listable as _, MediaType},
    error::{Error, ErrorKind},
    fuzzing::{Chunks, ConfigMapKind, ConfigMapMessage, arriving, streamed},
    protobuf::{self, Message as _, Type as _, Writer},
    rest::ListBody,
    transport::Body,
};

const JSON: MediaType = MediaType::Json;
const PROTOBUF: MediaType = MediaType::Protobuf;

/// A list with all that could be taken for an end, or for items.
const LIST: &str = r#" {"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"\"items\":["},
  "more":{"items":[{"metadata":{"name":"not one"}}]},"\"":"}", "\u0069tems" : [
    {"metadata":{"name":"a"},"data":{"}]":"\\","b":"\\\"}]{[","c":"\u00e9 é"}} , {},{"immutable":true,"later":[[{}],[]]}
  ] , "behind" : [1, "]}"] }
"#;

fn config_map(name: &str, data: &[(&str, &str)]) -> ConfigMap {
    let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(data),
        ..ConfigMap::default()
    }
}

/// The list as the server writes it in protobuf.
fn list_of(kind: &str, metadata: &ListMeta, items: &[ConfigMap]) -> Vec<u8> {
    let mut list = Writer::default();
    protobuf::ListMeta::write(metadata, 1, &mut list).expect("it can be written");
    for item in items {
        list.message(2, |writer| ConfigMapMessage::write_fields(item, writer)).expect("it can be written");
    }
    list.bytes(15, &[7; 300]);
    let mut names = Writer::default();
    names
        .message(1, |names| -> protobuf::Result<()> {
            names.bytes(1, b"v1");
            names.bytes(2, kind.as_bytes());
            Ok(())
        })
        .expect("it can be written");
    let mut body = protobuf::around(&names.finish(), &list.finish());
    // No encoding and no content type, which the server says each time.
    body.extend_from_slice(b"\x1a\0\x22\0");
    body
}

fn in_protobuf() -> Vec<u8> {
    let metadata = ListMeta { resource_version: Some("7".to_owned()), ..ListMeta::default() };
    let long = "x".repeat(200);
    let items = [config_map("a", &[("k", "k8s\0\x12\x02"), ("l", &long)]), config_map("", &[]), config_map("c", &[])];
    list_of("ConfigMapList", &metadata, &items)
}

fn chunks(body: &[u8], size: usize) -> Vec<Bytes> {
    body.chunks(size).map(Bytes::copy_from_slice).collect()
}

/// The items of the list that can be read, and its metadata or its first error.
fn all(form: MediaType, body: impl AsRef<[u8]>) -> (Vec<ConfigMap>, Result<ListMeta, String>) {
    let (items, metadata) = streamed::<ConfigMapKind>(form, chunks(body.as_ref(), usize::MAX));
    let error = items.iter().find_map(|item| item.clone().err());
    let items = items.into_iter().filter_map(Result::ok).collect();
    (items, error.map_or_else(|| Ok(metadata.expect("a list ends in metadata or an error")), Err))
}

fn problem(form: MediaType, body: impl AsRef<[u8]>) -> String {
    all(form, body).1.expect_err("it is not a list")
}

#[test]
fn items_are_the_same_however_they_are_chunked() {
    for (form, body) in [(JSON, LIST.as_bytes().to_vec()), (PROTOBUF, in_protobuf())] {
        let whole = ConfigMapKind::decode_list(form, &body).expect("it is a list");
        assert_eq!(whole.items.len(), 3);
        for size in 1..=body.len() {
            let (items, metadata) = streamed::<ConfigMapKind>(form, chunks(&body, size));
            let items: Vec<_> = items.into_iter().collect::<Result<_, _>>().expect("all of it is good");
            assert_eq!(items, whole.items, "in chunks of {size}");
            assert_eq!(metadata.as_ref(), Some(&whole.metadata), "in chunks of {size}");
        }
    }
}

#[test]
fn list_that_is_cut_off_gives_its_whole_items_and_then_one_error() {
    for (form, body) in [(JSON, LIST.trim_end().as_bytes().to_vec()), (PROTOBUF, in_protobuf())] {
        let whole = ConfigMapKind::decode_list(form, &body).expect("it is a list").items;
        let mut most = 0;
        for end in 0..body.len() {
            let (items, metadata) = all(form, &body[..end]);
            assert!(items.len() >= most && whole.starts_with(&items), "cut off behind {end} bytes");
            most = items.len();
            // The envelope has no length of its own: what stands behind the list may not be there.
            let is_whole = form == PROTOBUF && [body.len() - 4, body.len() - 2].contains(&end);
            assert_eq!(metadata.is_ok(), is_whole, "cut off behind {end} bytes: {metadata:?}");
        }
        assert_eq!(most, whole.len());
    }
}

#[test]
fn null_missing_and_empty_items_are_an_empty_list() {
    for items in ["", r#","items":null"#, r#","items": [ ] "#] {
        let body =
            format!(r#"{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{"resourceVersion":"7"}}{items}}}"#);
        let (items, metadata) = all(JSON, body);
        assert_eq!((items.len(), metadata.expect("it is whole").resource_version.as_deref()), (0, Some("7")));
    }
    assert!(all(PROTOBUF, list_of("ConfigMapList", &ListMeta::default(), &[])).1.is_ok());
    assert!(all(PROTOBUF, protobuf::around(b"\x0a\x13\x0a\x02v1\x12\x0dConfigMapList", &[])).1.is_ok());
}

#[test]
fn list_of_another_kind_is_an_error_before_its_items() {
    let body = r#"{"kind":"SecretList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}"#;
    let (items, error) = all(JSON, body);
    assert!(items.is_empty());
    assert!(error.expect_err("of another kind").contains("SecretList"));
    let (items, error) = all(PROTOBUF, list_of("SecretList", &ListMeta::default(), &[config_map("a", &[])]));
    assert!(items.is_empty());
    assert!(error.expect_err("of another kind").contains("expected v1 ConfigMapList, found v1 SecretList"));

    // Where the kind is said behind the items, it is an error there.
    let (items, error) = all(JSON, r#"{"items":[{"metadata":{"name":"a"}}],"kind":"SecretList"}"#);
    assert_eq!(items.len(), 1);
    assert!(error.expect_err("of another kind").contains("SecretList"));
}

#[test]
fn failure_in_place_of_a_list_is_the_error_that_it_tells_of() {
    let json = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}"#;
    let object = b"\x0a\x00\x12\x07Failure\x22\x07Expired\x30\x9a\x03";
    let protobuf = protobuf::around(b"\x0a\x0c\x0a\x02v1\x12\x06Status", object);
    for (form, body) in [(JSON, json.as_bytes()), (PROTOBUF, &protobuf)] {
        for size in 1..=body.len() {
            let (items, _) = streamed::<ConfigMapKind>(form, chunks(body, size));
            assert!(matches!(&items[..], [Err(error)] if error.contains("410 Expired")), "{items:?}");
        }
    }
    assert!(
        problem(JSON, r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}"#).contains("Status")
    );
}

#[test]
fn what_is_no_list_is_an_error_that_says_so() {
    for (body, part) in [
        ("", "the answer is empty"),
        ("404 page not found", "not a JSON object"),
        ("[]", "not a JSON object"),
        (r#"{"items":[{}"#, "ends in the middle"),
        (r#"{"items":[{}]"#, "ends in the middle"),
        (r#"{"items":[{}]}{"#, "something behind"),
        (r#"{"items":[{}{}]}"#, "a comma"),
        (r#"{"items":[{},]}"#, "a comma"),
        (r#"{"items":[,{}]}"#, "a comma"),
        (r#"{"items":[{}],"items":[{}]}"#, "items in two places"),
        (r#"{"items":{}}"#, "could not be decoded"),
        (r#"{"items":7}"#, "could not be decoded"),
        (r#"{"items":[7 ]}"#, "item 0 of the list"),
        (r#"{"items":[{},null]}"#, "item 1 of the list"),
        (r#"{"items":["}"]}"#, "item 0 of the list"),
        (r#"{"items":[{"data":]}"#, "item 0 of the list"),
        (r#"{"metadata":7,"items":[]}"#, "could not be decoded"),
        (r#"{"kind" "items":[{}]}"#, "could not be decoded"),
        (r#"{"kind":"items":[{}]}"#, "could not be decoded"),
        (r#"{"items":[{}],}"#, "could not be decoded"),
    ] {
        let error = problem(JSON, body);
        assert!(error.contains(part), "{body}: {error}");
        for size in 1..=body.len() {
            let (items, _) = streamed::<ConfigMapKind>(JSON, chunks(body.as_bytes(), size));
            assert!(items.contains(&Err(error.clone())), "{body} in chunks of {size}: {items:?}");
        }
    }
    let names = b"\x0a\x13\x0a\x02v1\x12\x0dConfigMapList";
    let list = |raw: &[u8]| protobuf::around(names, raw);
    for (body, part) in [
        (Vec::new(), "the answer is empty"),
        (b"{\"kind\":\"ConfigMapList\"}".to_vec(), "does not begin with `k8s`"),
        (b"k8s".to_vec(), "ends in the middle"),
        ([b"k8s\0", &names[..]].concat(), "ends in the middle"),
        ([&list(b"")[..], &list(b"")[4..]].concat(), "a list in two places"),
        (list(b"\x12\x05abc"), "longer than the list"),
        (list(b"\x12"), "ends in the middle"),
        (list(b"\x0a\x01"), "longer than the list"),
        (list(b"\x10\x01"), "another wire type"),
        (list(b"\x13"), "another wire type"),
        (list(b"\x1b"), "unknown wire type"),
        (list(b"\x00\x01"), "field number"),
        (list(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "more than 64 bits"),
        (list(b"\x12\x01\x07"), "item 0 of the list"),
        (list(b"\x0a\x01\x07"), "could not be decoded"),
        ([&list(b"")[..], b"\x1a\x04gzip"].concat(), "encoded in a way"),
    ] {
        let error = problem(PROTOBUF, &body);
        assert!(error.contains(part), "{body:?}: {error}");
        for size in 1..=body.len() {
            let (items, _) = streamed::<ConfigMapKind>(PROTOBUF, chunks(&body, size));
            assert!(items.contains(&Err(error.clone())), "{body:?} in chunks of {size}: {items:?}");
        }
    }
}

#[test]
fn colons_behind_a_long_key_do_not_have_it_read_again() {
    // A megabyte that is read a million times takes hours.
    for key in ["n".repeat(1 << 20), r"\n".repeat(1 << 19)] {
        let body = format!("{{\"{key}\"{}", ":".repeat(1 << 20));
        assert!(problem(JSON, body).contains("ends in the middle"));
    }
}

#[test]
fn nothing_is_held_that_is_longer_than_the_limit() {
    let item = r#"{"data":{"k":"0123456789"}}"#;
    let json = |items: &str| format!(r#"{{"kind":"ConfigMapList","items":[{items}]}}"#).into_bytes();
    let entry = [("k", "0123456789")];
    let protobuf = |count| list_of("ConfigMapList", &ListMeta::default(), &vec![config_map("a", &entry); count]);
    for (form, body, limit, items) in [
        (JSON, json(&[item; 9].join(",")), 37, Some(9)),
        (JSON, json(&[item, &format!("{item:80}x"), item].join(",")), 37, None),
        (JSON, json(&[item, &format!("\"{item:80}\""), item].join(",")), 37, None),
        (JSON, json(&[item, &"7".repeat(38), item].join(",")), 37, None),
        (JSON, format!("{{\"kind\":{:40}}}", "").into_bytes(), 37, None),
        (PROTOBUF, protobuf(9), 24, Some(9)),
        (PROTOBUF, protobuf(9), 19, None),
        (
            PROTOBUF,
            protobuf::around(b"\x0a\x13\x0a\x02v1\x12\x0dConfigMapList", &[b"\x0a\x1c", &[7; 28][..]].concat()),
            24,
            None,
        ),
    ] {
        for size in 1..=body.len() {
            let body = Body::new(Chunks { rest: chunks(&body, size).into(), taken: Arc::default() });
            let mut pieces = ListPieces::new(body, form, limit, String::new());
            let next =
                || std::future::poll_fn(|context| pieces.poll_piece(context)).now_or_never().expect("it is there");
            let all: Vec<_> = std::iter::from_fn(next).collect();
            let error = all.iter().filter_map(|piece| piece.as_ref().err()).map(Error::to_string).next();
            assert_eq!(error.is_none(), items.is_some(), "{form:?} {limit} in chunks of {size}: {error:?}");
            assert!(error.is_none_or(|error| error.contains("longer than 16 MiB") || error.contains("a comma")));
            let found = all.iter().filter(|piece| matches!(piece, Ok(Piece::Item(_)))).count();
            assert!(items.is_none_or(|items| items == found), "{found}");
        }
    }
}

#[test]
fn bytes_are_taken_only_as_items_are() {
    const COUNT: usize = 500;
    for (form, body) in [
        (JSON, format!(r#"{{"items":[{}]}}"#, vec![r#"{"data":{"key":"value"}}"#; COUNT].join(",")).into_bytes()),
        (PROTOBUF, list_of("ConfigMapList", &ListMeta::default(), &vec![config_map("a", &[("key", "value")]); COUNT])),
    ] {
        let taken = Arc::new(AtomicUsize::new(0));
        let chunk = 64;
        let rest = chunks(&body, chunk).into();
        let item = body.len() / COUNT + 1;
        let body = Body::new(Chunks { rest, taken: Arc::clone(&taken) });
        let mut items = ListStream::new::<ConfigMapKind>(ListBody::new(body, form, String::new()), false);
        for number in 0..COUNT {
            items.try_next().now_or_never().expect("it is there").expect("it is good").expect("it is an item");
            let ahead = taken.load(Ordering::Relaxed).saturating_sub(number * item);
            assert!(ahead <= 2 * chunk + 100, "{ahead} bytes are taken ahead of item {number}");
        }
    }
}

#[tokio::test]
async fn connection_that_breaks_is_an_error_behind_the_items_before() {
    let broken = || Error::new(ErrorKind::Transport, "the connection broke");
    let start = Bytes::from_static(br#"{"kind":"ConfigMapList","items":[{"metadata":{"name":"a"}},{"meta"#);
    let rest = Bytes::from_static(br#"data":{"name":"b"}}]}"#);
    for (frames, count) in [(vec![start.clone()], 1), (vec![start, rest], 2)] {
        let frames = stream::iter(frames).map(|bytes| Ok(Frame::data(bytes))).chain(stream::iter([Err(broken())]));
        let url = "https://host/api/v1/configmaps".to_owned();
        let body = Body::new(StreamBody::new(frames));
        let mut items = ListStream::new::<ConfigMapKind>(ListBody::new(body, JSON, url), false);
        for _ in 0..count {
            items.try_next().await.expect("it is whole").expect("it is an item");
        }
        let error = items.try_next().await.expect_err("the list is not whole");
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(error.to_string().starts_with("GET https://host/api/v1/configmaps: "), "{error}");
        assert_eq!((items.try_next().await.expect("it is over"), items.metadata()), (None, None));
    }
}

#[test]
fn secret_is_not_quoted_where_it_cannot_be_read() {
    let body = Bytes::from_static(br#"{"items":[{"data":{"a":["hunter2"]}},{"data":"hunter2"}]}"#);
    let url = "https://host/api/v1/secrets".to_owned();
    let mut items = ListStream::new::<ConfigMapKind>(ListBody::new(body.into(), JSON, url), false);
    let error = items.try_next().now_or_never().expect("it is there").expect_err("it is not a secret");
    assert!(!format!("{error} {error:#?}").contains("hunter2"), "{error:#?}");
}

fn any_list() -> impl Strategy<Value = (ListMeta, Vec<ConfigMap>)> {
    let text = || prop_oneof![any::<String>(), r#"[{}\[\]",\\:]{0,12}"#];
    let item = (text(), collection::btree_map(text(), text(), 0..3), any::<Option<bool>>());
    let item = item.prop_map(|(name, data, immutable)| ConfigMap {
        metadata: ObjectMeta { name: Some(name).filter(|name| !name.is_empty()), ..ObjectMeta::default() },
        data: Some(data).filter(|data| !data.is_empty()),
        immutable,
        ..ConfigMap::default()
    });
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let metadata = (text(), text(), any::<Option<i64>>()).prop_map(move |(version, token, count)| ListMeta {
        resource_version: some(version),
        continue_: some(token),
        remaining_item_count: count,
        ..ListMeta::default()
    });
    (metadata, collection::vec(item, 0..12))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn list_is_the_same_as_it_arrives_and_at_once(
        (metadata, items) in any_list(),
        (in_protobuf, pretty, is_sorted) in any::<(bool, bool, bool)>(),
        size in 1_usize..200,
    ) {
        let form = if in_protobuf { PROTOBUF } else { JSON };
        let list = k8s_openapi::List { items, metadata };
        let body = if in_protobuf {
            list_of("ConfigMapList", &list.metadata, &list.items)
        } else {
            let value = serde_json::to_value(&list).unwrap();
            let (list, value) = (serde_json::to_string(&list).unwrap(), &value);
            let body = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
            if is_sorted { body.unwrap().into_bytes() } else { list.into_bytes() }
        };
        let whole = ConfigMapKind::decode_list(form, &body).unwrap();
        prop_assert_eq!(&whole, &list);
        let collected = ListStream::new::<ConfigMapKind>(arriving(form, chunks(&body, size)), false);
        let collected = collected.collect::<ConfigMapKind>().now_or_never().expect("there is nothing to wait for");
        prop_assert_eq!(&collected.unwrap(), &list);
        let (items, metadata) = streamed::<ConfigMapKind>(form, chunks(&body, size));
        let items = items.into_iter().collect::<Result<Vec<_>, _>>();
        prop_assert_eq!((items, metadata), (Ok(list.items), Some(list.metadata)));
    }
}
