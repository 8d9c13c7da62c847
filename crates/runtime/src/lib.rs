//! What every client of [k8s-client](https://docs.rs/k8s-client) runs on.
//!
//! Most programs use the umbrella crate `k8s-client`, or the crate of one API group such as `k8s-client-api-apps`, and
//! meet this crate through them. It can be used alone for the types of your own custom resources
//! ([`ResourceClient`](resource::ResourceClient)) and for plain requests ([`RestClient`]).
//!
//! The modules stand in the order in which a request passes through them; none knows the ones behind it.
//!
//! What generated crates need of this one (`codegen`, `protobuf`, and parts of `apply` and `codec`) is public and
//! hidden: it is not covered by semver, and may change with any release.
//!
//! # Features
//!
//! * `ring` (default) or `aws-lc-rs`: the provider of cryptography for TLS.
//! * `v1_NN` or `latest`: the Kubernetes version whose types are compiled in; the manifest's features name those that
//!   there are. The application chooses exactly one; libraries choose none.

mod text;

#[doc(hidden)]
pub mod file;

#[doc(hidden)]
pub mod host_name;

#[doc(hidden)]
pub mod machine;

#[doc(hidden)]
pub mod leading;

mod stop_signal;

pub mod metrics;

pub mod config;

mod auth;

mod transport;

pub mod schema;

pub mod selector;

pub mod object;

#[doc(hidden)]
pub mod json;

#[doc(hidden)]
pub mod protobuf;

pub mod codec;

pub mod apply;

pub mod custom_resource;

pub mod retry;

pub mod rest;

pub mod watch;

pub mod list;

pub mod streams;

pub mod resource;

pub mod wait;

pub mod error;

#[doc(hidden)]
pub mod codegen;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

pub use config::Config;
pub use custom_resource::CustomResource;
pub use error::{Error, ErrorKind, Result};
pub use rest::RestClient;
pub use stop_signal::stop_signal;

pub use http;
pub use k8s_openapi;

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
