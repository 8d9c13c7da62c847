//! How objects are kept: as the bytes they came in, whole, or as something of the program's own.

use std::{convert::Infallible, marker::PhantomData, sync::Arc};

use k8s_client_runtime::{
    codec::{Codec, Error, ListHead, Listable, MediaType, Result},
    object::{AnyList, AnyObject},
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
pub(crate) struct Compact<K>(PhantomData<fn() -> K>, Infallible);

/// An object and the bytes to keep of it.
pub(crate) struct Compacted<T> {
    pub(crate) object: T,
    pub(crate) encoded: Encoded,
}

impl<K: Listable> Compact<K> {
    fn as_it_came(object: K::Object, body: &[u8], form: Form) -> Compacted<K::Object> {
        Compacted { object, encoded: Encoded { bytes: body.into(), form } }
    }
}

/// The object that was kept.
pub(crate) fn decode_kept<K: Listable>(encoded: &Encoded) -> Result<K::Object> {
    match encoded.form {
        Form::Json => K::decode_json(&encoded.bytes),
        Form::Protobuf => K::decode_protobuf(&encoded.bytes),
        Form::ProtobufItem => K::decode_item_protobuf(&encoded.bytes),
    }
}

/// The same of bytes from which `managedFields` were cut. JSON does not forbid a second set of them, which was not
/// found in the bytes.
pub(crate) fn decode_kept_lean<K: Listable>(encoded: &Encoded) -> Result<K::Object> {
    let mut object = decode_kept::<K>(encoded)?;
    if encoded.form == Form::Json {
        object.remove_managed_fields();
    }
    Ok(object)
}

/// What is kept as it is has no bytes.
pub(crate) fn never_encoded<T>(_: &Encoded) -> Result<T> {
    Err(Error::custom("it was kept as bytes, which projections are not"))
}

impl<K: Listable> Codec for Compact<K> {
    type Object = Compacted<K::Object>;

    const ACCEPT: &'static [MediaType] = K::ACCEPT;

    fn encode_json(object: &Compacted<K::Object>) -> Result<Vec<u8>> {
        K::encode_json(&object.object)
    }

    fn decode_json(body: &[u8]) -> Result<Compacted<K::Object>> {
        Ok(Self::as_it_came(K::decode_json(body)?, body, Form::Json))
    }

    fn decode_protobuf(body: &[u8]) -> Result<Compacted<K::Object>> {
        Ok(Self::as_it_came(K::decode_protobuf(body)?, body, Form::Protobuf))
    }
}

impl<K: Listable> Listable for Compact<K> {
    type List = CompactList<K::Object>;

    fn decode_list_json(body: &[u8]) -> Result<CompactList<K::Object>> {
        K::decode_list_json(body).map(|_| CompactList(Vec::new()))
    }

    fn decode_list_protobuf(body: &[u8]) -> Result<CompactList<K::Object>> {
        K::decode_list_protobuf(body).map(|_| CompactList(Vec::new()))
    }

    /// The list may name the object's kind instead of the object, so what is kept is written anew.
    fn decode_item_json(body: &[u8], list: &ListHead) -> Result<Compacted<K::Object>> {
        let object = K::decode_item_json(body, list)?;
        let bytes = K::encode_json(&object)?.into();
        Ok(Compacted { object, encoded: Encoded { bytes, form: Form::Json } })
    }

    fn decode_item_protobuf(body: &[u8]) -> Result<Compacted<K::Object>> {
        Ok(Self::as_it_came(K::decode_item_protobuf(body)?, body, Form::ProtobufItem))
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
