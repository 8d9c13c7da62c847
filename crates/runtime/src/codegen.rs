//! What generated code names, in one place: the list of what the generator relies on. It is not covered by semver.
//!
//! Hand-written programs use the modules that these come from.

pub use crate::{
    apply::{Applicable, Extract},
    codec::{self, ApiResource, Codec, Kind, Listable, MediaType},
    resource::{
        AllNamespaces, Applies, Apply, Attach, Cluster, Create, Creates, Delete, DeleteCollection, Deletes, Exec, Get,
        Gets, HasStream, List, Lists, Logs, Modify, Namespaced, Patch, PatchRequest, Patches, PortForward,
        ProxyRequest, ResourceClient, TypedClient, Update, Updates, Watch, Watches,
    },
    rest::{Request, RestClient},
};

/// What files of apply configurations name.
pub mod apply {
    pub use crate::{apply::Value, object, record};
    pub use k8s_openapi::{
        ByteString,
        apimachinery::pkg::{
            api::resource::Quantity,
            apis::meta::v1::{MicroTime, Time},
            util::intstr::IntOrString,
        },
    };
}

/// What files of custom resources' types and of their apply configurations name.
pub mod custom {
    pub use crate::{
        apply::Value,
        custom_resource,
        custom_resource::{Int64OrString, Number, Timestamp},
        object, open_enum, record, structure,
    };
    pub use k8s_openapi::{ByteString, apimachinery::pkg::apis::meta::v1::ObjectMeta};
}

/// What files of messages name.
pub mod protobuf {
    pub use crate::{message, protobuf::types::*};
}

/// Kinds that the answers of several groups have.
pub mod kinds {
    use crate::{
        codec::{self, Codec, MediaType},
        protobuf,
    };

    /// The [`Status`](k8s_openapi::apimachinery::pkg::apis::meta::v1::Status) that calls without an object of their own
    /// are answered with.
    #[derive(Clone, Copy, Debug)]
    pub enum Status {}

    #[diagnostic::do_not_recommend]
    impl Codec for Status {
        type Object = k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;

        const ACCEPT: &'static [MediaType] = MediaType::PROTOBUF_OR_JSON;

        fn encode_json(object: &Self::Object) -> codec::Result<Vec<u8>> {
            codec::to_json(object)
        }

        fn decode_json(body: &[u8]) -> codec::Result<Self::Object> {
            codec::from_json(body)
        }

        fn encode_protobuf(object: &Self::Object) -> codec::Result<Vec<u8>> {
            codec::to_protobuf::<protobuf::Status>(object)
        }

        fn decode_protobuf(body: &[u8]) -> codec::Result<Self::Object> {
            codec::from_protobuf::<protobuf::Status>(body)
        }
    }
}
