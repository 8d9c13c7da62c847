//! How objects are kept: as the bytes they came in, whole, or as something of the program's own.

use std::{convert::Infallible, marker::PhantomData, sync::Arc};

use k8s_client_runtime::{
    codec::{Codec, Error, ListHead, Listable, MediaType, Result},
    object::{AnyList, AnyObject},
    protobuf::{item_without_managed_fields, object_without_managed_fields},
};

/// An object as a store keeps it.
pub(crate) enum Kept<T> {
    /// As it is read.
    Whole(Arc<T>),
    /// As bytes, decoded each time it is read.
    Encoded(Encoded),
}

/// The bytes of an object.
#[derive(Clone)]
pub(crate) struct Encoded {
    bytes: Arc<[u8]>,
    form: Form,
}

/// How the bytes are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    /// In an envelope that names the kind.
    Protobuf,
    /// As an item of a list, without an envelope.
    ProtobufItem,
}

/// Decodes what was kept.
pub(crate) type Decode<T> = fn(&Encoded) -> Result<T>;

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Whole(object) => Self::Whole(object.clone()),
            Self::Encoded(encoded) => Self::Encoded(encoded.clone()),
        }
    }
}

/// A codec that reads objects of a kind together with the bytes to keep of them.
pub(crate) struct Compact<K, const LEAN: bool>(PhantomData<fn() -> K>, Infallible);

/// An object and the bytes to keep of it.
pub(crate) struct Compacted<T> {
    pub(crate) object: T,
    pub(crate) encoded: Encoded,
}

impl<K: Listable, const LEAN: bool> Compact<K, LEAN> {
    /// JSON may name the object's kind outside of it, so what is kept is written anew.
    fn json(mut object: K::Object) -> Result<Compacted<K::Object>> {
        if LEAN {
            object.remove_managed_fields();
        }
        let bytes = K::encode_json(&object)?.into();
        Ok(Compacted { object, encoded: Encoded { bytes, form: Form::Json } })
    }

    fn protobuf(
        body: &[u8],
        form: Form,
        lean: fn(&[u8]) -> Result<Vec<u8>>,
        decode: fn(&[u8]) -> Result<K::Object>,
    ) -> Result<Compacted<K::Object>> {
        let bytes: Arc<[u8]> = if LEAN { lean(body)?.into() } else { body.into() };
        Ok(Compacted { object: decode(&bytes)?, encoded: Encoded { bytes, form } })
    }

    /// The object that was kept.
    pub(crate) fn decode_kept(encoded: &Encoded) -> Result<K::Object> {
        match encoded.form {
            Form::Json => K::decode_json(&encoded.bytes),
            Form::Protobuf => K::decode_protobuf(&encoded.bytes),
            Form::ProtobufItem => K::decode_item_protobuf(&encoded.bytes),
        }
    }
}

impl<K: Listable, const LEAN: bool> Codec for Compact<K, LEAN> {
    type Object = Compacted<K::Object>;

    const ACCEPT: &'static [MediaType] = K::ACCEPT;

    fn encode_json(object: &Compacted<K::Object>) -> Result<Vec<u8>> {
        K::encode_json(&object.object)
    }

    fn decode_json(body: &[u8]) -> Result<Compacted<K::Object>> {
        Self::json(K::decode_json(body)?)
    }

    fn decode_protobuf(body: &[u8]) -> Result<Compacted<K::Object>> {
        let lean = |body: &[u8]| object_without_managed_fields(body).map_err(Error::from);
        Self::protobuf(body, Form::Protobuf, lean, K::decode_protobuf)
    }
}

impl<K: Listable, const LEAN: bool> Listable for Compact<K, LEAN> {
    type List = CompactList<K::Object>;

    fn decode_list_json(body: &[u8]) -> Result<CompactList<K::Object>> {
        K::decode_list_json(body).map(|_| CompactList(Vec::new()))
    }

    fn decode_list_protobuf(body: &[u8]) -> Result<CompactList<K::Object>> {
        K::decode_list_protobuf(body).map(|_| CompactList(Vec::new()))
    }

    fn decode_item_json(body: &[u8], list: &ListHead) -> Result<Compacted<K::Object>> {
        Self::json(K::decode_item_json(body, list)?)
    }

    fn decode_item_protobuf(body: &[u8]) -> Result<Compacted<K::Object>> {
        let lean = |body: &[u8]| item_without_managed_fields(body).map_err(Error::from);
        Self::protobuf(body, Form::ProtobufItem, lean, K::decode_item_protobuf)
    }
}

/// A list of which only the items count: it is read as a stream.
pub(crate) struct CompactList<T>(Vec<Compacted<T>>);

impl<T> AnyList for CompactList<T> {
    type Object = Compacted<T>;

    fn items(&self) -> &[Compacted<T>] {
        &self.0
    }

    fn items_mut(&mut self) -> &mut Vec<Compacted<T>> {
        &mut self.0
    }

    fn into_items(self) -> Vec<Compacted<T>> {
        self.0
    }

    fn resource_version(&self) -> Option<&str> {
        None
    }

    fn continue_token(&self) -> Option<&str> {
        None
    }

    fn remove_continue_token(&mut self) {}
}

impl<T: AnyObject> AnyObject for Compacted<T> {
    k8s_client_runtime::any_object_by_object!(object);
}
