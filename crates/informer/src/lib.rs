//! Informers: the objects of a resource in memory, and their changes as streams.
//!
//! A controller looks at objects all the time. It keeps them in memory by an [`Informer`], which lists them once and
//! then follows their changes by a watch, for as long as the program runs. What is in memory is read by a [`Lister`] or
//! found by an [`Index`], and a [`Subscription`] is a stream of the changes.
//!
//! ```no_run
//! use k8s_client_informer::{Event, Index, Informer};
//! use k8s_client_runtime::{RestClient, k8s_openapi::api::core::v1::Pod, resource::ResourceClient};
//!
//! # async fn example(client: RestClient) -> Result<(), Box<dyn std::error::Error>> {
//! let pods = Informer::of(ResourceClient::<Pod>::all_namespaces(&client)).start();
//! let by_node: Index<String, Pod> = pods.index(|pod: &Pod| pod.spec.as_ref()?.node_name.clone());
//!
//! pods.synced().await?; // or the server's own error
//! println!("{} pods on node-1", by_node.get("node-1").len());
//!
//! let mut changes = pods.subscribe();
//! while let Some(event) = changes.next().await {
//!     if let Event::Deleted { last, .. } = event {
//!         println!("{:?} is gone", last.metadata.name);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod builder;
mod entry;
mod error;
mod follow;
mod index;
mod informer;
mod keep;
mod key;
mod lister;
mod metrics;
mod registry;
mod store;
mod subscription;
mod version;

pub use builder::InformerBuilder;
pub use error::InformerError;
pub use index::Index;
pub use informer::{Health, Informer, WatchFault};
pub use key::ObjectKey;
pub use lister::Lister;
pub use metrics::Metrics;
pub use registry::Registry;
pub use subscription::{Event, Subscription};

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
