//! What a Kubernetes API server serves, learned at run time: client-go's `discovery` and `restmapper`.
//!
//! Most programs meet this crate through the umbrella crate `k8s-client`, as `k8s_client::discovery`.
//!
//! * [`DiscoveryClient`] asks the server for its version, its groups and resources, and its OpenAPI documents.
//! * [`MemoryCache`] and [`DiskCache`] keep what was learned; all three are a [`Discovery`].
//! * [`RestMapper`] finds the resource of a kind, the kind of a resource, and both from what people write: `deploy`,
//!   `deployments.apps`, `Deployment.v1.apps`.
//!
//! ```no_run
//! use k8s_client_discovery::{Discovery as _, DiscoveryClient, MemoryCache, RestMapper};
//! use k8s_client_runtime::RestClient;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let discovery = DiscoveryClient::new(&RestClient::try_default().await?);
//!
//! let everything = discovery.groups_and_resources().await?;
//! for (group_version, error) in &everything.failures {
//!     eprintln!("{group_version} could not be read: {error}");
//! }
//!
//! let mapper = RestMapper::new(MemoryCache::new(discovery));
//! let mapping = mapper.mapping_for("deploy").await?;
//! assert_eq!(mapping.resource.to_string(), "apps/v1, Resource=deployments");
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! * **One dead or odd API server hides and stalls nothing.** What could not be read is part of the result
//!   ([`ServerResources::failures`]), beside all that could be. Of a server without aggregated discovery, only the
//!   group-versions that failed are asked for again, once, and none that used up its time. An aggregated answer is not
//!   asked for again, since it has all that the server knows.
//! * **What is new is found.** Whoever misses something asks for what is newer than the question
//!   ([`Discovery::invalidate_before`]): older knowledge is learned again, newer is believed. So a custom resource is
//!   found as soon as it is served, by a mapper behind any caches.
//! * **Many who ask at once cause one discovery,** and get its answer, a failure too. However many miss something at
//!   once, it takes two.
//! * **Caches wrap any [`Discovery`], and the mapper takes any.** [`DiskCache`] shares its files with kubectl.
//!
//! # Features
//!
//! * `ring` (default) or `aws-lc-rs`: the provider of cryptography for TLS.
//! * `v1_NN` or `latest`: the Kubernetes version whose types are compiled in; the manifest's features name those that
//!   there are. The application chooses exactly one; libraries choose none.

// Each module uses only those above it.

mod error;

mod model;

mod discovery;

mod wire;

mod openapi;

mod client;

mod asking;

mod cache;

mod mapper;

pub use cache::{DiskCache, MemoryCache};
pub use client::DiscoveryClient;
pub use discovery::{Answer, Discovery};
pub use error::{Error, Result};
pub use mapper::{AmbiguousShortName, RestMapper};
pub use model::{ApiGroup, ApiResource, ApiResourceList, ServerResources};
pub use openapi::{OpenApiDocument, OpenApiV3Index, OpenApiV3Path};

#[doc(no_inline)]
pub use k8s_client_runtime::schema::{
    GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource, ResourceScope, RestMapping,
};
#[doc(no_inline)]
pub use k8s_openapi::apimachinery::pkg::version::Info;

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
