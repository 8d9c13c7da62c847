//! The target of lists that are read as they arrive.

use bytes::Bytes;
use futures_util::FutureExt as _;
use k8s_openapi::{
    List,
    api::core::v1::ConfigMap,
    apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta},
};

use super::{Chunks, cut};
use crate::{
    codec::{self, Codec, Listable, MediaType},
    list::ListStream,
    message,
    protobuf::types::{Bool, Text},
    rest::ListBody,
    transport::Body,
};

/// The body of a list: it gives the same items however the network cuts it, nothing after an error, and a list that
/// ended well is the one that reading it at once gives.
///
/// The first byte of the input chooses the form, the second and third are where the chunks end.
pub fn list_stream(input: &[u8]) {
    let Some(([form, step, turn], body)) = input.split_first_chunk::<3>() else { return };
    let form = if form % 2 == 0 { MediaType::Json } else { MediaType::Protobuf };
    let (items, metadata) = streamed::<ConfigMapKind>(form, vec![Bytes::copy_from_slice(body)]);
    assert_eq!(
        (&items, &metadata),
        (&streamed::<ConfigMapKind>(form, cut(body, *step, *turn)).0, &metadata),
        "the same bytes give other items in other chunks"
    );
    let whole = ConfigMapKind::decode_list(form, body);
    match (items.into_iter().collect::<Result<Vec<_>, _>>(), whole) {
        (Ok(items), Ok(list)) => assert_eq!((items, metadata), (list.items, Some(list.metadata))),
        // In a list, an item is two brackets deeper.
        (Ok(_), Err(problem)) if problem.to_string().contains("recursion limit") => {}
        (Ok(_), Err(problem)) => panic!("what is no list by itself is streamed: {problem}"),
        // Whoever says a thing twice is not told apart by those who read one of the two.
        (Err(problem), Ok(_)) if form == MediaType::Json => {
            let is_twice = ["in two places", "duplicate field"].iter().any(|words| problem.contains(words));
            assert!(is_twice, "what is a list by itself is not streamed: {problem}");
        }
        (Err(_), _) => {}
    }
}

/// An answer that comes in these chunks.
pub(crate) fn arriving(media_type: MediaType, chunks: Vec<Bytes>) -> ListBody {
    let body = Body::new(Chunks { rest: chunks.into(), taken: std::sync::Arc::default() });
    ListBody::new(body, media_type, String::new())
}

/// The items of a body, errors in place of those that cannot be decoded and of what the list breaks off with, and the
/// metadata that it ended with.
pub(crate) fn streamed<K: Listable>(
    form: MediaType,
    chunks: Vec<Bytes>,
) -> (Vec<Result<K::Object, String>>, Option<ListMeta>) {
    let mut stream = ListStream::new::<K>(arriving(form, chunks), false);
    let mut items = Vec::new();
    loop {
        assert_eq!(stream.metadata(), None, "half a list is taken for a whole one");
        match stream.try_next().now_or_never().expect("there is nothing to wait for") {
            Ok(Some(item)) => items.push(Ok(item)),
            Ok(None) => {
                assert!(stream.metadata().is_some(), "a list that ended well has metadata");
                return (items, stream.metadata().cloned());
            }
            Err(error) if error.undecodable_object().is_some() => items.push(Err(error.to_string())),
            Err(error) => {
                items.push(Err(error.to_string()));
                let after = stream.try_next().now_or_never().expect("there is nothing to wait for");
                assert!(matches!(after, Ok(None)), "there is something after an error");
                assert_eq!(stream.metadata(), None, "half a list is taken for a whole one");
                return (items, None);
            }
        }
    }
}

/// Config maps in both forms, as far as a test needs them.
#[derive(Debug)]
pub(crate) enum ConfigMapKind {}

message! {
    pub(crate) ConfigMapMessage of ConfigMap {
        1 metadata: one ObjectMetaMessage,
        2 data: map Text,
        4 immutable: one Bool,
    }
}

message! {
    pub(crate) ObjectMetaMessage of ObjectMeta {
        1 name: one_unless_zero Text,
    }
}

impl Codec for ConfigMapKind {
    type Object = ConfigMap;

    const ACCEPT: &'static [MediaType] = MediaType::PROTOBUF_OR_JSON;

    fn encode_json(object: &ConfigMap) -> codec::Result<Vec<u8>> {
        codec::to_json(object)
    }

    fn decode_json(body: &[u8]) -> codec::Result<ConfigMap> {
        codec::from_json(body)
    }

    fn encode_protobuf(object: &ConfigMap) -> codec::Result<Vec<u8>> {
        codec::to_protobuf::<ConfigMapMessage>(object)
    }

    fn decode_protobuf(body: &[u8]) -> codec::Result<ConfigMap> {
        codec::from_protobuf::<ConfigMapMessage>(body)
    }
}

impl Listable for ConfigMapKind {
    type List = List<ConfigMap>;

    fn decode_list_json(body: &[u8]) -> codec::Result<List<ConfigMap>> {
        codec::from_json(body)
    }

    fn decode_list_protobuf(body: &[u8]) -> codec::Result<List<ConfigMap>> {
        codec::list_from_protobuf::<ConfigMapMessage>(body)
    }

    fn decode_item_protobuf(body: &[u8]) -> codec::Result<ConfigMap> {
        codec::item_from_protobuf::<ConfigMapMessage>(body)
    }
}
