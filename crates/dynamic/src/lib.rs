//! Kubernetes objects of any kind, known to the program or not.
//!
//! Typed clients know their kinds when they are compiled. Here a resource is a value:
//!
//! * [`DynamicClient`] reads and writes whole objects as [`Unstructured`], which keeps every field, known or not;
//! * [`MetadataClient`] reads nothing but metadata, as [`PartialObjectMetadata`], which is much less for large objects;
//! * [`ScaleClient`] scales whatever has a scale subresource.
//!
//! The verbs, their builders and options are those of the typed clients: [`ResourceClient`] has them, once. The
//! functions of [`nested`] read and write the fields of objects, and name the path where the shape was another.
//!
//! [`ResourceClient`]: k8s_client_runtime::resource::ResourceClient
//!
//! ```no_run
//! use k8s_client_dynamic::{DynamicClient, Unstructured, nested::*};
//! use k8s_client_runtime::{RestClient, schema::GroupVersionResource};
//!
//! # async fn example(client: RestClient) -> Result<(), Box<dyn std::error::Error>> {
//! let deployments = GroupVersionResource::new("apps", "v1", "deployments");
//! let deployments = DynamicClient::new(&client).resource(&deployments).namespace("default");
//!
//! let mut web: Unstructured = deployments.get("web").await?;
//! let replicas = nested_i64(web.object(), &["spec", "replicas"])?.unwrap_or(1);
//! set_nested_field(web.object_mut(), replicas + 1, &["spec", "replicas"])?;
//! deployments.update(&web).field_manager("me").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Numbers
//!
//! Integers from `i64::MIN` to `u64::MAX` and all finite floats of 64 bits are kept exactly. An integer beyond that
//! becomes the nearest float, as in client-go. The order of fields is not kept.
//!
//! # How it is made
//!
//! The verbs need little of a kind: a codec, the names in an object's metadata ([`AnyObject`]), and a list that has
//! items and a token for more ([`AnyList`]). Where the objects are is a value of [`ResourceClient`], beside the scope,
//! which a typed kind only fixes at compile time. So [`ResourceClient::at`] is the same client with the same builders
//! for a resource that the program learned, and [`AnyScope`] is a scope that it chose. If a mapper said whether there
//! are namespaces, a wrong scope is an error before anything is sent, where the server would answer with a bare 404.
//!
//! [`DynamicResource`], [`MetadataResource`] and [`ScaleResource`] are newtypes around that. They let through the verbs
//! that make sense, and each has a codec of its own:
//!
//! * [`AnyKind`] writes only objects that have `apiVersion` and `kind`, and reads only those that have a `kind`.
//! * [`PartialObjectMetadataKind`] prefers protobuf, in which servers give the metadata of any object, custom resources
//!   included. It reads whole objects too, in JSON, of servers that do not reduce them and of deletes. The verbs say
//!   which kind the server is to make of an object, since that of a list differs.
//! * Apply takes the name apart from the configuration, which may be anything that serde writes, as client-go's does.
//!
//! [`AnyList`]: k8s_client_runtime::object::AnyList
//! [`AnyObject`]: k8s_client_runtime::object::AnyObject
//! [`AnyScope`]: k8s_client_runtime::resource::AnyScope
//! [`ResourceClient::at`]: k8s_client_runtime::resource::ResourceClient::at
//!
//! # Features
//!
//! * `ring` (default) or `aws-lc-rs`: the provider of cryptography for TLS.
//! * `v1_NN` or `latest`: the Kubernetes version whose types are compiled in; the manifest's features name those that
//!   there are. The application chooses exactly one; libraries choose none.

mod error;

pub mod nested;

mod unstructured;

mod list;

mod number;

mod configuration;

mod client;

mod scale;

mod metadata;

pub use client::{AnyKind, DynamicClient, DynamicResource};
pub use error::FieldError;
pub use list::UnstructuredList;
pub use metadata::{
    MetadataClient, MetadataResource, PartialObjectMetadata, PartialObjectMetadataKind, PartialObjectMetadataList,
};
pub use scale::{ScaleClient, ScaleKind, ScaleResource};
pub use unstructured::Unstructured;

/// The fields of a JSON object: what an [`Unstructured`] is made of.
pub type Fields = serde_json::Map<String, serde_json::Value>;

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
