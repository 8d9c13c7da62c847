//! How objects become bodies and answers become objects.
//!
//! This is the one seam for content types. A [`Codec`] lists the [`MediaType`]s that it reads and writes, best first.
//! That list is the request's `Accept`, and bodies are sent in the first of it. The answer's `Content-Type` chooses the
//! decoder, so an answer in JSON to a request for protobuf just works. The kinds of generated crates have protobuf and
//! JSON, custom resources JSON. A server that refuses a body in protobuf (415, as an aggregated one may) gets the same
//! body in JSON at once, and only JSON for that resource from then on. `Config::disable_protobuf` leaves JSON alone.
//! Patches, apply configurations and the options of deletes are always JSON, and so are answers read by `into_request`,
//! `json` and `raw` of a builder.
//!
//! # Why the functions of a codec are not generic
//!
//! serde's code for a type such as a pod is large, and is what makes a Kubernetes client slow to compile. A generic
//! client would make every program compile it again at each build. A codec's plain functions pin that code to the crate
//! that declares the codec: the group crate compiles it once, and a user's rebuild compiles only a shell of builders.
//! Any type with serde's traits is its own codec by a blanket impl, which is how custom resources work, and what they
//! cost.

mod error;
mod failure;
mod list_head;
mod media_type;
mod type_meta;
pub(crate) mod without_managed_fields;

use std::{convert::Infallible, marker::PhantomData};

use bytes::Bytes;

use k8s_openapi::{
    ListableResource, Metadata, Resource,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Status},
    serde::{Serialize, de::DeserializeOwned},
};

pub use self::{error::Error, list_head::ListHead, media_type::MediaType};
pub(crate) use self::{
    failure::{failure, unnamed_status},
    list_head::{list_head, list_metadata},
};
use crate::{
    error::UndecodableObject,
    json,
    object::{AnyList, AnyObject},
    protobuf::{self, Message},
};

/// What coding gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where the API serves a kind: plain data, known at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiResource {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version within the group, such as `v1`.
    pub version: &'static str,
    /// The kind, such as `Deployment`.
    pub kind: &'static str,
    /// The plural name that URLs have, such as `deployments`.
    pub plural: &'static str,
}

/// Writes and reads one type of object.
///
/// Generated crates have one for each object type. Any type with [`k8s_openapi::Resource`] and serde's traits is its
/// own codec: JSON, in which `apiVersion` and `kind` are filled in where the type does not write them, and checked
/// where they are read. [`Json`] is the codec of all other types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of an object",
    note = "`custom_resource!({Self}, \"GROUP/VERSION\", \"PLURAL\", Namespaced)` makes a struct of your own one, if it has a field \
            `metadata: ObjectMeta` and derives serde's `Serialize` and `Deserialize`",
    note = "a type that is not the object of a kind, but has serde's traits, goes as `Json<{Self}>`"
)]
pub trait Codec: 'static {
    /// The type that is written and read.
    type Object: Send + 'static;

    /// What [`decode`](Codec::decode) reads and [`encode`](Codec::encode) writes, best first: the request's `Accept`
    /// header, and the first of them is what bodies are sent in. JSON is always among them, for servers that have
    /// nothing else.
    const ACCEPT: &'static [MediaType] = MediaType::JSON;

    /// Writes an object as JSON.
    fn encode_json(object: &Self::Object) -> Result<Vec<u8>>;

    /// Reads an object from JSON.
    fn decode_json(body: &[u8]) -> Result<Self::Object>;

    /// Writes an object as protobuf. Only codecs that [accept](Codec::ACCEPT) it do.
    fn encode_protobuf(object: &Self::Object) -> Result<Vec<u8>> {
        let _ = object;
        Err(no_protobuf())
    }

    /// Reads an object from protobuf. Only codecs that [accept](Codec::ACCEPT) it do.
    fn decode_protobuf(body: &[u8]) -> Result<Self::Object> {
        let _ = body;
        Err(no_protobuf())
    }

    /// Writes an object in this form.
    fn encode(media_type: MediaType, object: &Self::Object) -> Result<Vec<u8>> {
        match media_type {
            MediaType::Json => Self::encode_json(object),
            MediaType::Protobuf => Self::encode_protobuf(object),
        }
    }

    /// Reads an object from whichever of the accepted forms the server chose.
    fn decode(media_type: MediaType, body: &[u8]) -> Result<Self::Object> {
        match media_type {
            MediaType::Json => Self::decode_json(body),
            MediaType::Protobuf => Self::decode_protobuf(body),
        }
    }
}

/// A kind that the API serves as a resource of its own, at a place that is known at compile time.
///
/// Generated crates have one for each kind; any type with [`k8s_openapi::Resource`], metadata and serde's traits, such
/// as the type of a custom resource, is its own. See [`ResourceClient`](crate::resource::ResourceClient).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a kind that the API serves",
    note = "`custom_resource!({Self}, \"GROUP/VERSION\", \"PLURAL\", Namespaced)` makes a struct of your own one, if it has a field \
            `metadata: ObjectMeta` and derives serde's `Serialize` and `Deserialize`"
)]
pub trait Kind: Codec<Object: AnyObject> {
    /// [`k8s_openapi::NamespaceResourceScope`] or [`k8s_openapi::ClusterResourceScope`].
    type Scope: k8s_openapi::ResourceScope;

    /// Where the API serves the kind.
    const RESOURCE: ApiResource;
}

/// A kind that can be listed, at a place that is known at compile time or not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be listed or watched",
    note = "a type of your own can if it implements k8s_openapi's `ListableResource`, as `custom_resource!` makes it"
)]
pub trait Listable: Codec<Object: AnyObject> {
    /// The type of its lists: [`k8s_openapi::List`] of the object's type for every kind whose type is known.
    type List: AnyList<Object = Self::Object> + Send + 'static;

    /// Reads a list from JSON. Missing or null `items` are an empty list.
    fn decode_list_json(body: &[u8]) -> Result<Self::List>;

    /// Reads a list from protobuf. Only codecs that [accept](Codec::ACCEPT) it do.
    fn decode_list_protobuf(body: &[u8]) -> Result<Self::List> {
        let _ = body;
        Err(no_protobuf())
    }

    /// Reads an item of a list from protobuf, where it has no envelope. Only codecs that [accept](Codec::ACCEPT) it do.
    fn decode_item_protobuf(body: &[u8]) -> Result<Self::Object> {
        let _ = body;
        Err(no_protobuf())
    }

    /// Reads an item of a list from JSON, where it may lack what the list says for all: `apiVersion` and `kind`. By
    /// default it is read as an object by itself is.
    fn decode_item_json(body: &[u8], list: &ListHead) -> Result<Self::Object> {
        let _ = list;
        Self::decode_json(body)
    }

    /// Reads an item of a list from whichever of the accepted forms the server chose.
    fn decode_item(media_type: MediaType, body: &[u8], list: &ListHead) -> Result<Self::Object> {
        match media_type {
            MediaType::Json => Self::decode_item_json(body, list),
            MediaType::Protobuf => Self::decode_item_protobuf(body),
        }
    }

    /// Reads a list from whichever of the accepted forms the server chose.
    fn decode_list(media_type: MediaType, body: &[u8]) -> Result<Self::List> {
        match media_type {
            MediaType::Json => Self::decode_list_json(body),
            MediaType::Protobuf => Self::decode_list_protobuf(body),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T> Codec for T
where
    T: Resource + Serialize + DeserializeOwned + Send + 'static,
{
    type Object = T;

    fn encode_json(object: &T) -> Result<Vec<u8>> {
        type_meta::fill_in::<T>(to_json(object)?)
    }

    fn decode_json(body: &[u8]) -> Result<T> {
        type_meta::check::<T>(body)?;
        from_json(body)
    }
}

/// The codec of a type that has serde's traits and no kind of its own: JSON as serde writes and reads it.
///
/// It is for subresources, and for [`ResourceClient::at`](crate::resource::ResourceClient::at) with a type that has
/// only the fields you need. Types of kinds are their own codecs.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(PhantomData<fn() -> T>, Infallible);

impl<T: Serialize + DeserializeOwned + Send + 'static> Codec for Json<T> {
    type Object = T;

    fn encode_json(object: &T) -> Result<Vec<u8>> {
        to_json(object)
    }

    fn decode_json(body: &[u8]) -> Result<T> {
        from_json(body)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Kind for T
where
    T: Resource + Metadata<Ty = ObjectMeta> + Serialize + DeserializeOwned + Send + 'static,
{
    type Scope = <T as Resource>::Scope;

    const RESOURCE: ApiResource =
        ApiResource { group: T::GROUP, version: T::VERSION, kind: T::KIND, plural: T::URL_PATH_SEGMENT };
}

#[diagnostic::do_not_recommend]
impl<T> Listable for T
where
    T: ListableResource + Metadata<Ty = ObjectMeta> + Serialize + DeserializeOwned + Send + 'static,
{
    type List = k8s_openapi::List<T>;

    fn decode_list_json(body: &[u8]) -> Result<k8s_openapi::List<T>> {
        from_json(body)
    }
}

/// Writes JSON: the body of a generated [`Codec::encode_json`].
#[doc(hidden)]
pub fn to_json<T: Serialize>(object: &T) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(object)?)
}

/// Reads JSON: the body of a generated [`Codec::decode_json`].
///
/// Brackets may lie 127 deep in one another in what the type has fields for. `metadata.managedFields` that are deeper,
/// as they are of a custom resource that is, are left out.
#[doc(hidden)]
pub fn from_json<T: DeserializeOwned + Send>(body: &[u8]) -> Result<T> {
    json::read(body).map_err(|(error, json)| Error::in_json(error, &json))
}

/// Writes protobuf: the body of a generated [`Codec::encode_protobuf`].
#[doc(hidden)]
pub fn to_protobuf<M: Message<Object: Resource>>(object: &M::Object) -> Result<Vec<u8>> {
    Ok(protobuf::write_object::<M>(object)?)
}

/// Reads protobuf: the body of a generated [`Codec::decode_protobuf`].
#[doc(hidden)]
pub fn from_protobuf<M: Message<Object: Resource>>(body: &[u8]) -> Result<M::Object> {
    Ok(protobuf::read_object::<M>(body)?)
}

/// Reads a list from protobuf: the body of a generated [`Listable::decode_list_protobuf`].
#[doc(hidden)]
pub fn list_from_protobuf<M: Message<Object: ListableResource>>(body: &[u8]) -> Result<k8s_openapi::List<M::Object>> {
    Ok(protobuf::read_list::<M>(body)?)
}

/// Reads an item of a list from protobuf: the body of a generated [`Listable::decode_item_protobuf`].
#[doc(hidden)]
pub fn item_from_protobuf<M: Message>(body: &[u8]) -> Result<M::Object> {
    Ok(protobuf::read_item::<M>(body)?)
}

pub(crate) fn not_json() -> Error {
    Error::custom("it is protobuf, where JSON is read; ask for JSON by `Accept`")
}

fn no_protobuf() -> Error {
    Error::custom("this codec has no protobuf; leave it out of `ACCEPT`")
}

/// Reads JSON into a type that borrows from it.
pub(crate) fn from_borrowed_json<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| Error::in_json(error, body))
}

/// JSON whose bytes are text: what stands around an object, such as a watch event, is not to fail because of it.
pub(crate) fn as_text(media_type: MediaType, body: Bytes) -> Bytes {
    match media_type {
        MediaType::Json if str::from_utf8(&body).is_err() => json::as_go_reads(&body).map_or(body, Bytes::from),
        _ => body,
    }
}

/// Whether a body ends in the middle of its object. One that is not begun as one is left to whoever decodes it.
pub(crate) fn is_cut_off(media_type: MediaType, body: &[u8]) -> bool {
    match media_type {
        MediaType::Json => {
            let body = body.trim_ascii_start();
            matches!(body.first(), Some(b'{' | b'[')) && json::Nesting::default().end(body).is_none()
        }
        MediaType::Protobuf => body.starts_with(protobuf::MAGIC) && protobuf::Envelope::open(body).is_err(),
    }
}

/// Which object this is, as far as it says so: for the error that it cannot be decoded.
pub(crate) fn identity(media_type: MediaType, object: &[u8]) -> UndecodableObject {
    match media_type {
        MediaType::Json => json::identity(object),
        MediaType::Protobuf => protobuf::identity(object),
    }
}

/// The body as a Status, if that is what it is.
pub(crate) fn status(media_type: MediaType, body: &[u8]) -> Option<Status> {
    match media_type {
        MediaType::Json => (type_meta::json_kind(body)? == "Status").then(|| from_json(body).ok()).flatten(),
        MediaType::Protobuf => {
            let envelope = protobuf::Envelope::open(body).ok()?;
            (envelope.kind() == "Status").then(|| from_protobuf::<protobuf::Status>(body).ok()).flatten()
        }
    }
}
