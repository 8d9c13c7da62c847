//! The wire format, byte by byte where it matters, and what broken bytes lead to.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions,
    apimachinery::pkg::{
        api::resource,
        apis::meta::v1::{self as api, ListMeta as Metadata},
        runtime,
        util::intstr,
    },
    jiff::Timestamp,
    serde_json::json,
};
use proptest::prelude::*;

use super::{message::read, types::*, wire::Writer, *};
use crate::message;

/// One field of every form.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sample {
    text: Option<String>,
    plain: Option<String>,
    pointer: Option<i32>,
    zero: Option<i32>,
    long: i64,
    truth: Option<bool>,
    fraction: Option<f64>,
    bytes: Option<ByteString>,
    texts: Option<Vec<String>>,
    numbers: Vec<i32>,
    map: Option<BTreeMap<String, String>>,
    inner: Option<Box<Sample>>,
    inners: Vec<Sample>,
    by_name: BTreeMap<String, Sample>,
    own: Option<String>,
}

message! {
    SampleMessage of Sample {
        1 text: one Text,
        2 plain: one_unless_zero Text,
        3 pointer: one Int32,
        4 zero: one_unless_zero Int32,
        5 long: one Int64,
        6 truth: one Bool,
        7 fraction: one Double,
        8 bytes: one Bytes,
        9 texts: many Text,
        10 numbers: many Int32,
        11 map: map Text,
        12 inner: one SampleMessage,
        13 inners: many SampleMessage,
        14 by_name: map SampleMessage,
    }
    embedded {
        15 OwnOfSampleMessage,
    }
}

message! {
    OwnOfSampleMessage of Sample {
        1 own: one Text,
    }
}

fn read(bytes: &[u8]) -> Result<Sample> {
    let mut sample = Sample::default();
    message::read_message::<SampleMessage>(&mut sample, Reader::new(bytes))?;
    Ok(sample)
}

fn written(sample: &Sample) -> Vec<u8> {
    let mut writer = Writer::default();
    SampleMessage::write_fields(sample, &mut writer).unwrap();
    writer.finish()
}

#[test]
fn fields_are_read_from_the_bytes_that_protobuf_has_for_them() {
    assert_eq!(read(b"\x0a\x02hi").unwrap().text.as_deref(), Some("hi"));
    assert_eq!(read(b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").unwrap().pointer, Some(-1));
    assert_eq!(read(b"\x28\xac\x02").unwrap().long, 300);
    assert_eq!(read(b"\x30\x01").unwrap().truth, Some(true));
    assert_eq!(read(b"\x39\x00\x00\x00\x00\x00\x00\xf0\x3f").unwrap().fraction, Some(1.0));
    assert_eq!(read(b"\x4a\x01a\x4a\x00").unwrap().texts, Some(vec!["a".to_owned(), String::new()]));
    assert_eq!(read(b"\x50\x01\x52\x02\x02\x03\x50\x04").unwrap().numbers, [1, 2, 3, 4], "packed or not");
    let map = BTreeMap::from([("k".to_owned(), "v".to_owned()), (String::new(), String::new())]);
    assert_eq!(read(b"\x5a\x06\x0a\x01k\x12\x01v\x5a\x00").unwrap().map, Some(map));
    assert_eq!(read(b"\x7a\x03\x0a\x01a").unwrap().own.as_deref(), Some("a"), "embedded");
}

#[test]
fn zeros_are_values_only_where_json_has_them() {
    let sample = read(b"\x0a\x00\x12\x00\x18\x00\x20\x00").unwrap();
    assert_eq!(sample, Sample { text: Some(String::new()), pointer: Some(0), ..Sample::default() });
}

#[test]
fn a_message_in_parts_is_put_together_and_of_scalars_the_last_counts() {
    let sample = read(b"\x62\x03\x0a\x01a\x62\x02\x30\x01\x62\x03\x0a\x01b").unwrap();
    let inner = Sample { text: Some("b".to_owned()), truth: Some(true), ..Sample::default() };
    assert_eq!(sample.inner, Some(Box::new(inner)));
}

#[test]
fn list_has_room_for_exactly_its_items() {
    for count in [1, 2, 3, 4, 5, 7, 100] {
        for inner in [Sample::default(), Sample { text: Some("x".repeat(8)), ..Sample::default() }] {
            let texts = vec!["\u{1}\u{8}j".repeat(count); count];
            let inners = vec![inner; count];
            let sample = Sample { texts: Some(texts), inners, own: Some("behind".to_owned()), ..Sample::default() };
            let read = read(&written(&sample)).unwrap();
            assert_eq!((read.texts.unwrap().capacity(), read.inners.capacity()), (count, count));
        }
    }
}

#[test]
fn list_in_two_places_and_parts_is_put_together() {
    // Three texts with a number between them, and two more in a second part of the same message.
    let parts = b"\x62\x08\x4a\x01a\x28\x07\x4a\x01b\x62\x06\x4a\x01c\x4a\x01d";
    let inner = read(parts).unwrap().inner.unwrap();
    assert_eq!((inner.texts.unwrap(), inner.long), (["a", "b", "c", "d"].map(str::to_owned).to_vec(), 7));
}

#[derive(Default)]
struct Values {
    values: Vec<apiextensions::JSON>,
    numbers: Vec<i32>,
}

message! {
    ValuesMessage of Values {
        1 values: many JSON,
        2 numbers: many Int32,
    }
}

/// How many tags are read of so many of these fields, and what becomes of them.
fn tags_read(field: &[u8], count: usize) -> (usize, Values) {
    let before = wire::FIELDS_READ.get();
    let mut values = Values::default();
    message::read_message::<ValuesMessage>(&mut values, Reader::new(&field.repeat(count))).unwrap();
    (wire::FIELDS_READ.get() - before, values)
}

#[test]
fn twice_as_many_fields_are_twice_the_work() {
    for (field, items) in [
        // JSON without bytes, JSON that is null, a value, a packed list of no numbers, and one number.
        (&b"\x0a\0"[..], 1),
        (b"\x0a\x06\x0a\x04null", 1),
        (b"\x0a\x03\x0a\x017", 1),
        (b"\x12\0", 0),
        (b"\x10\x07", 1),
    ] {
        let (once, values) = tags_read(field, 1000);
        assert_eq!(values.values.len() + values.numbers.len(), 1000 * items);
        // One more, since the first is not among those that are ahead of it.
        assert!(tags_read(field, 2000).0 <= 2 * once + 1, "{field:x?}");
    }
}

#[test]
fn null_in_a_list_of_json_is_an_item() {
    let mut values = Values::default();
    let read = Reader::new(b"\x0a\x05\x0a\x03\"a\"\x0a\0\x0a\x06\x0a\x04null");
    message::read_message::<ValuesMessage>(&mut values, read).unwrap();
    let items: Vec<_> = values.values.into_iter().map(|apiextensions::JSON(value)| value).collect();
    assert_eq!(items, [json!("a"), json!(null), json!(null)]);
}

#[test]
fn what_is_not_known_is_passed_over() {
    // Fields 100 to 103 in all four forms.
    let bytes =
        b"\xa0\x06\x96\x01\xa9\x06\x01\x02\x03\x04\x05\x06\x07\x08\xb2\x06\x02hi\xbd\x06\x01\x02\x03\x04\x0a\x01a";
    assert_eq!(read(bytes).unwrap(), Sample { text: Some("a".to_owned()), ..Sample::default() });
}

#[test]
fn text_that_is_no_utf_8_is_replaced_as_the_server_does_in_json() {
    assert_eq!(read(b"\x0a\x03a\xffb").unwrap().text.as_deref(), Some("a\u{fffd}b"));
}

#[test]
fn broken_bytes_are_an_error_that_says_where() {
    for (bytes, error) in [
        (&b"\x0a"[..], "a number that is cut off at SampleMessage.text, byte 1"),
        (b"\x0a\x05hi", "a field that is longer than what is there at SampleMessage.text, byte 2"),
        (
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "a field that is longer than what is there at SampleMessage.text, byte 11",
        ),
        (
            b"\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            "a number of more than 64 bits at SampleMessage.long, byte 1",
        ),
        (b"\x08\x01", "a field of another wire type than its own at SampleMessage.text, byte 1"),
        (b"\x2a\x00", "a field of another wire type than its own at SampleMessage.long, byte 1"),
        (b"\x0b", "a field of an unknown wire type at SampleMessage, byte 1"),
        (b"\x00\x00", "a field number out of range at SampleMessage, byte 1"),
        (b"\x62\x03\x0a\x05a", "a field that is longer than what is there at SampleMessage.inner.text, byte 4"),
    ] {
        assert_eq!(read(bytes).unwrap_err().to_string(), error);
    }
}

#[test]
fn messages_that_lie_in_one_another_too_deep_are_an_error() {
    let nested = |depth: usize| {
        let mut bytes = Vec::new();
        for _ in 0..depth {
            let mut writer = Writer::default();
            writer.bytes(12, &bytes);
            bytes = writer.finish();
        }
        bytes
    };
    assert!(read(&nested(100)).is_ok());
    let error = read(&nested(101)).unwrap_err().to_string();
    assert!(error.starts_with("messages nested too deep at SampleMessage."), "{error}");
    assert!(read(&nested(20_000)).is_err());
}

#[test]
fn a_message_of_any_length_is_written_with_it() {
    for length in [0, 1, 125, 126, 127, 128, 129, 16_383, 16_384, 70_000] {
        let inner = Sample { text: Some("x".repeat(length)), ..Sample::default() };
        let sample = Sample { inner: Some(Box::new(inner.clone())), inners: vec![inner; 2], ..Sample::default() };
        assert_eq!(read(&written(&sample)).unwrap(), sample, "{length}");
    }
}

fn value<T: Type>(bytes: &[u8]) -> Result<Option<T::Value>> {
    T::read(&mut Reader::new(bytes), WireType::Bytes)
}

/// What a value is written as, without the number of its field.
fn bytes<T: Type>(value: &T::Value) -> Vec<u8> {
    let mut writer = Writer::default();
    T::write(value, 1, &mut writer).unwrap();
    writer.finish().split_off(1)
}

#[test]
fn times_are_seconds_and_an_empty_one_is_none() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let time = api::Time(at("2026-11-25T15:49:38Z"));
    assert_eq!(bytes::<Time>(&time), b"\x08\x08\x92\x87\x9c\xd8\x06\x10\x00");
    assert_eq!(value::<Time>(b"\x08\x08\x92\x87\x9c\xd8\x06\x10\x07").unwrap(), Some(time), "without nanoseconds");
    assert_eq!(value::<Time>(b"\x00").unwrap(), None);
    assert_eq!(value::<Time>(b"\x04\x08\x00\x10\x00").unwrap(), Some(api::Time(Timestamp::UNIX_EPOCH)));
    let before = api::Time(at("1969-12-31T23:59:58.5Z"));
    assert_eq!(value::<Time>(&bytes::<Time>(&before)).unwrap(), Some(api::Time(at("1969-12-31T23:59:58Z"))));
    let far = [&b"\x0a\x08"[..], &[0xff; 8], b"\x7f"].concat();
    assert!(value::<Time>(&far).unwrap_err().to_string().starts_with("a time 9223372036854775807 seconds from 1970"));

    let time = api::MicroTime(at("2026-11-25T15:49:38.123456Z"));
    assert_eq!(value::<MicroTime>(&bytes::<MicroTime>(&time)).unwrap(), Some(time));
    let finer = api::MicroTime(at("1969-12-31T23:59:58.123456789Z"));
    let cut = api::MicroTime(at("1969-12-31T23:59:58.123456Z"));
    assert_eq!(value::<MicroTime>(&bytes::<MicroTime>(&finer)).unwrap(), Some(cut));
}

#[test]
fn types_with_rules_of_their_own_come_back() {
    macro_rules! round_trip {
        ($kind:ty: $($value:expr),* $(,)?) => {
            $(let value_in = $value; assert_eq!(value::<$kind>(&bytes::<$kind>(&value_in)).unwrap(), Some(value_in));)*
        };
    }
    use apiextensions::{JSONSchemaProps as Props, JSONSchemaPropsOrArray as OrArray};
    use apiextensions::{JSONSchemaPropsOrBool as OrBool, JSONSchemaPropsOrStringArray as OrStrings};
    use intstr::IntOrString as Either;

    round_trip!(IntOrString: Either::Int(-8), Either::Int(0), Either::String("http".to_owned()));
    round_trip!(Quantity: resource::Quantity("250m".to_owned()), resource::Quantity("0".to_owned()));
    round_trip!(TextList: vec!["a".to_owned(), String::new()], vec![]);
    round_trip!(FieldsV1: api::FieldsV1(json!({"f:spec": {"f:replicas": {}}})));
    round_trip!(RawExtension: runtime::RawExtension(json!({"kind": "Any", "n": [1, 2.5, null]})));
    round_trip!(JSON: apiextensions::JSON(json!("text")), apiextensions::JSON(json!(false)));
    let props = || Box::new(Props { title: Some("t".to_owned()), ..Props::default() });
    round_trip!(JSONSchemaPropsOrArray<Schema>: OrArray::Schema(props()), OrArray::Schemas(vec![*props()]));
    round_trip!(JSONSchemaPropsOrBool<Schema>: OrBool::Schema(props()), OrBool::Bool(true), OrBool::Bool(false));
    round_trip!(JSONSchemaPropsOrStringArray<Schema>: OrStrings::Schema(props()), OrStrings::Strings(vec!["a".to_owned()]));

    assert_eq!(value::<Quantity>(b"\x02\x0a\x00").unwrap(), Some(resource::Quantity("0".to_owned())));
    let mut amounts = None::<BTreeMap<String, resource::Quantity>>;
    read::map::<Quantity, _>(&mut amounts, &mut Reader::new(b"\x03\x0a\x01k"), WireType::Bytes).unwrap();
    assert_eq!(amounts, Some([("k".to_owned(), resource::Quantity("0".to_owned()))].into()), "an entry without amount");
    assert_eq!(value::<RawExtension>(b"\x00").unwrap(), None, "null in JSON");
    assert!(value::<IntOrString>(b"\x02\x08\x07").is_err());
    assert!(value::<FieldsV1>(b"\x03\x0a\x01{").is_err());
}

message! {
    Schema of apiextensions::JSONSchemaProps {
        34 title: one Text,
    }
}

#[test]
fn an_envelope_says_of_which_kind_its_object_is() {
    let status = api::Status {
        metadata: Metadata { resource_version: Some("7".to_owned()), ..Metadata::default() },
        message: Some("words".to_owned()),
        code: Some(404),
        details: Some(api::StatusDetails {
            causes: Some(vec![api::StatusCause { field: Some("a".to_owned()), ..api::StatusCause::default() }]),
            ..api::StatusDetails::default()
        }),
        ..api::Status::default()
    };
    let body = write_object::<Status>(&status).unwrap();
    assert!(body.starts_with(b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status"));
    assert_eq!(read_object::<Status>(&body).unwrap(), status);
    assert_eq!(Envelope::open(&body).unwrap().kind(), "Status");

    let other = body.iter().map(|byte| if *byte == b'S' { b'X' } else { *byte }).collect::<Vec<_>>();
    assert_eq!(read_object::<Status>(&other).unwrap_err().to_string(), "expected v1 Status, found v1 Xtatus");
    for length in 0..body.len() {
        // Bytes that are gone at the end of what is read last are fields that are gone, so not each cut is told.
        let _ = read_object::<Status>(&body[..length]);
    }
    let error = read_object::<Status>(br#"{"kind":"Status"}"#).unwrap_err().to_string();
    assert!(error.contains("does not begin with `k8s`"), "{error}");
    let compressed = b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status\x1a\x04gzip";
    assert!(read_object::<Status>(compressed).unwrap_err().to_string().contains("encoded in a way"));
}

#[test]
fn of_a_bookmark_only_what_is_told_is_read() {
    let mut metadata = Writer::default();
    metadata.bytes(1, b"name");
    metadata.bytes(6, b"12");
    metadata.bytes(12, b"\x0a\x01k\x12\x01v");
    let mut object = Writer::default();
    object.bytes(1, &metadata.finish());
    object.bytes(2, b"\xff");
    let object = object.finish();
    let body = [&b"k8s\0\x12"[..], &[byte(object.len())], &object].concat();
    let read = bookmark(&body).unwrap();
    assert_eq!(read.resource_version, "12");
    assert_eq!(read.annotations, BTreeMap::from([("k".to_owned(), "v".to_owned())]));

    let frame = [&b"\x0a\x08BOOKMARK\x12"[..], &[byte(body.len() + 2), 0x0a, byte(body.len())], &body].concat();
    assert_eq!(watch_event(&frame).unwrap(), ("BOOKMARK".to_owned(), &body[..]));
}

/// A length that is one byte long.
fn byte(length: usize) -> u8 {
    u8::try_from(length).unwrap()
}

fn samples() -> impl Strategy<Value = Sample> {
    let leaf = (
        (any::<Option<String>>(), any::<Option<i32>>(), any::<i64>(), any::<Option<bool>>()),
        (proptest::option::of(-1e300..1e300f64), proptest::collection::vec(any::<i32>(), 0..4)),
        (proptest::collection::vec(any::<String>(), 1..4), proptest::collection::btree_map(".{0,4}", ".{0,4}", 1..4)),
    );
    let leaf = leaf.prop_map(|((text, pointer, long, truth), (fraction, numbers), (texts, map))| Sample {
        plain: text.clone().filter(|text| !text.is_empty()),
        zero: pointer.filter(|number| *number != 0),
        bytes: text.as_ref().map(|text| ByteString(text.as_bytes().to_vec())),
        own: text.clone(),
        text,
        pointer,
        long,
        truth,
        fraction,
        numbers,
        texts: Some(texts),
        map: Some(map),
        ..Sample::default()
    });
    leaf.prop_recursive(4, 16, 3, |inner| {
        (inner.clone(), proptest::collection::vec(inner.clone(), 0..3), proptest::option::of(inner)).prop_map(
            |(outer, inners, named)| Sample {
                inner: inners.first().cloned().map(Box::new),
                by_name: named.into_iter().map(|sample| ("name".to_owned(), sample)).collect(),
                inners,
                ..outer
            },
        )
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read_as_it_was(sample in samples()) {
        prop_assert_eq!(read(&written(&sample)).unwrap(), sample);
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = read_object::<Status>(&[b"k8s\0", &bytes[..]].concat());
        let _ = watch_event(&bytes);
        let _ = bookmark(&[b"k8s\0", &bytes[..]].concat());
    }

    #[test]
    fn a_message_that_was_damaged_is_a_message_or_an_error(
        sample in samples(), place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let mut bytes = written(&sample);
        let place = place.index(bytes.len());
        if cut { bytes.truncate(place) } else { bytes[place] = byte }
        let _ = read(&bytes);
    }
}
