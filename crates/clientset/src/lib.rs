//! A Kubernetes client, generated from Kubernetes' own API description: client-go for Rust.
//!
//! A [`Clientset`] has a typed client for every group, version and resource of the Kubernetes API. Each resource has
//! exactly the verbs that the API gives it, at its scope: what the server would answer with 404 or 405 does not
//! compile. The types of the objects are those of [k8s-openapi](k8s_openapi).
//!
//! ```no_run
//! use k8s_client::{
//!     Clientset, PropagationPolicy, WatchEvent,
//!     api::apps::v1::apply::{DeploymentApplyConfiguration, DeploymentSpecApplyConfiguration},
//! };
//!
//! # async fn example() -> Result<(), k8s_client::Error> {
//! let client = Clientset::try_default().await?;
//! let deployments = client.apps_v1().deployments("default");
//!
//! let web = deployments.get("web").await?;
//! let page = deployments.list().label_selector("app=web").limit(500).await?;
//! let wanted = DeploymentApplyConfiguration::new("web", "default")
//!     .spec(DeploymentSpecApplyConfiguration::default().replicas(3));
//! deployments.apply(&wanted).field_manager("my-operator").await?;
//! deployments.modify("web", |web| web.spec.paused = Some(true)).await?;
//! deployments.delete("old").propagation_policy(PropagationPolicy::Foreground).await?;
//!
//! let mut events = client.core_v1().all_pods().watch().await?;
//! while let Some(event) = events.try_next().await? {
//!     if let WatchEvent::Deleted(pod) = event {
//!         println!("{:?} is gone", pod.metadata.name);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! | you want to … | start at |
//! |---|---|
//! | use the kinds of Kubernetes | [`Clientset`], and the clients that its methods return |
//! | write by server-side apply | the `…ApplyConfiguration`s in `v1::apply` of each group, [`apply::Extract`] |
//! | use a custom resource as a type of your own | [`custom_resource!`], [`ResourceClient`] |
//! | generate clients and types of a custom resource | the command and crate `k8s-client-generate` |
//! | use objects of any kind | [`DynamicClient`], [`Unstructured`] |
//! | read nothing but metadata, or scale anything | [`Clientset::metadata`], [`Clientset::scale`] |
//! | write functions that are generic over kinds | [`resource::Lists`] and its like, [`object::AnyObject`] |
//! | write a controller | `writing_a_controller`, with the feature `controller` |
//! | let one copy of a program work | `leader_election`, a feature |
//! | run commands in containers, forward ports of pods and services | [`streams`] |
//! | follow logs of many pods, start debug containers, copy files | `pods` and `copy`, features |
//! | wait until an object is as it should be | [`WaitFor`] |
//! | follow changes by hand | [`retry::BackoffManager`] has the loop |
//! | find out what a server serves | [`DiscoveryClient`], [`RestMapper`] |
//! | choose a server, a user or time limits | [`Config`], [`config::ConfigLoader`] |
//! | change a kubeconfig | [`config::KubeconfigEditor`] |
//! | see or change each request | [`rest::RestClientBuilder::layer`] |
//! | measure requests, connections and certificates | [`metrics::Metrics`] |
//! | send a request that has no method here | [`RestClient`] |
//! | tell errors apart | [`Error`], which has a table |
//! | move a program from client-go | [`differences`] |
//! | test a program without a cluster | the crate `k8s-client-fake` |
//! | log, and reckon with times | [`guide`] |
//!
//! The folder `examples` of the repository has a program for most of them.
//!
//! # Features
//!
//! A missing method is a missing feature: the methods of [`Clientset`] say which one they need.
//!
//! * `latest`, or one `v1_NN`: the Kubernetes version whose types are compiled in; the manifest's features name those
//!   that there are. The application chooses it; libraries choose none.
//! * One for each API group (`apps`, `core`, …), all on by default. An operator that needs few turns the defaults off,
//!   or depends on the group's own crate, such as `k8s-client-api-apps`.
//! * One for each alpha and beta version, such as `resource-v1beta1`, off by default; `all-versions` is all of them.
//! * `discovery-client` (default): [`DiscoveryClient`] and [`RestMapper`]. (`discovery` is the API group.)
//! * `dynamic-client` (default): [objects of any kind](dynamic), known to the program or not.
//! * `controller`: [a reconcile loop](controller) over informers and a queue, with both; [`informer`] and [`queue`] are
//!   there by themselves too.
//! * `event-recorder`: [a recorder of events](event_recorder) about objects. (`events` is the API group.)
//! * `leader-election`: [an election](leader_election) of which copy of a program works; with
//!   `coordinated-leader-election` the control plane chooses.
//! * `pods`: [what kubectl does with pods](pods), such as following the logs of many. With `copy` it copies files, too.
//! * `ring` (default) or `aws-lc-rs`: the provider of cryptography for TLS.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod differences;
mod generated;
pub mod guide;
#[cfg(feature = "controller")]
pub mod writing_a_controller;

pub use generated::api;
/// Controllers: a reconcile loop over informers and a work queue.
#[cfg(feature = "controller")]
#[doc(inline)]
pub use k8s_client_controller as controller;
/// What the server serves, and which resource a kind or a short name means.
#[cfg(feature = "discovery-client")]
#[doc(inline)]
pub use k8s_client_discovery as discovery;
#[cfg(feature = "discovery-client")]
#[doc(inline)]
pub use k8s_client_discovery::{DiscoveryClient, RestMapper};
#[cfg(feature = "dynamic-client")]
#[doc(inline)]
pub use k8s_client_dynamic::{self as dynamic, DynamicClient, MetadataClient, ScaleClient, Unstructured};
/// Records events of objects: what a controller has done, and why.
#[cfg(feature = "event-recorder")]
#[doc(inline)]
pub use k8s_client_events as event_recorder;
/// Informers: the objects of a resource in memory, and their changes as streams.
#[cfg(feature = "informer")]
#[doc(inline)]
pub use k8s_client_informer as informer;
/// Leader election on Leases: of several copies of a program, one works at a time.
#[cfg(feature = "leader-election")]
#[doc(inline)]
pub use k8s_client_leader_election as leader_election;
/// What kubectl does with pods, for programs: the logs of many as one stream, debug containers, copying files.
#[cfg(feature = "pods")]
#[doc(inline)]
pub use k8s_client_pods as pods;
/// Work queues for controllers.
#[cfg(feature = "queue")]
#[doc(inline)]
pub use k8s_client_queue as queue;
/// The types of HTTP that layers and services meet.
#[doc(no_inline)]
pub use k8s_client_runtime::http;
#[doc(inline)]
pub use k8s_client_runtime::{
    Config, CustomResource, Error, ErrorKind, RestClient, Result,
    codec::{Codec, Json, Kind, Listable, MediaType},
    config, custom_resource,
    list::ListStream,
    metrics, object,
    resource::{self, FieldValidation, Patch, PropagationPolicy, ResourceClient, ResourceVersionMatch},
    rest,
    retry::{self, Backoff, retry_on_conflict},
    schema, selector, stop_signal, streams,
    wait::{self, WaitFor},
    watch::{self, WatchEvent},
};
/// The types of all objects.
#[doc(no_inline)]
pub use k8s_openapi;

/// What configurations have in common: those of each group are in its `v1::apply`.
pub mod apply {
    #[doc(inline)]
    pub use k8s_client_runtime::apply::{Applicable, Configuration, Extract};
}

/// A client of every group and version that Kubernetes has.
///
/// It is a handle on one [`RestClient`]: cloning it is cheap, and so is calling its methods. Everything that such a
/// client can be made with can be had here, such as layers, or a service in place of connections:
///
/// ```
/// # fn example(config: &k8s_client::Config) -> Result<(), k8s_client::Error> {
/// use k8s_client::{
///     Clientset, RestClient,
///     http::{HeaderValue, Request},
///     rest::Body,
/// };
/// use tower::util::MapRequestLayer;
///
/// let audit = MapRequestLayer::new(|mut request: Request<Body>| {
///     request.headers_mut().insert("x-audit", HeaderValue::from_static("nightly"));
///     request
/// });
/// let client = Clientset::from(RestClient::builder(config).layer(audit).build()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Clientset(RestClient);

impl Clientset {
    /// A clientset for the server that `$KUBECONFIG` or `~/.kube/config` names or, when there is neither, for the
    /// cluster that the program runs in. [`Config::infer`] has the rules.
    pub async fn try_default() -> Result<Self> {
        Ok(Self(RestClient::try_default().await?))
    }

    /// A clientset for the server that the configuration names.
    pub fn new(config: &Config) -> Result<Self> {
        Ok(Self(RestClient::new(config)?))
    }

    /// The client that all requests go through: for plain requests, and for [`ResourceClient`]s of your own types.
    pub fn rest_client(&self) -> &RestClient {
        &self.0
    }

    /// The namespace that the configuration chose: the kubeconfig context's, the pod's, or `default`.
    pub fn default_namespace(&self) -> &str {
        self.0.default_namespace()
    }

    /// A client that asks the server what it serves. It keeps nothing; [`discovery`] has caches.
    ///
    /// The API group that is called `discovery`, with its `EndpointSlice`s, is `discovery_v1()`.
    ///
    /// Needs the feature `discovery-client`.
    #[cfg(feature = "discovery-client")]
    pub fn discovery(&self) -> DiscoveryClient {
        DiscoveryClient::new(&self.0)
    }

    /// A client of objects of any kind, over the same connections. With a [`RestMapper`] it applies whatever comes:
    ///
    /// ```no_run
    /// # #[cfg(feature = "discovery-client")]
    /// # async fn example(
    /// #     client: k8s_client::Clientset,
    /// #     objects: Vec<k8s_client::Unstructured>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use k8s_client::{RestMapper, discovery::MemoryCache};
    ///
    /// let mapper = RestMapper::new(MemoryCache::new(client.discovery()));
    /// // Any library of JSON or YAML reads them as `Vec<Unstructured>`; from a `Value` there is `Unstructured::try_from`.
    /// for object in objects {
    ///     let kind = object.group_version_kind().ok_or("an object without apiVersion or kind")?;
    ///     let name = object.name().ok_or("an object without a name")?;
    ///     let namespace = object.namespace().unwrap_or(client.default_namespace());
    ///     let resource = client.dynamic().mapped_in(&mapper.mapping_of(&kind).await?, namespace);
    ///     resource.apply(name, &object).field_manager("me").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Needs the feature `dynamic-client`.
    #[cfg(feature = "dynamic-client")]
    pub fn dynamic(&self) -> DynamicClient {
        DynamicClient::new(&self.0)
    }

    /// A client of objects of any kind that reads their metadata alone, over the same connections.
    ///
    /// Needs the feature `dynamic-client`.
    ///
    /// ```no_run
    /// # async fn example(client: k8s_client::Clientset) -> Result<(), k8s_client::Error> {
    /// use k8s_client::schema::GroupVersionResource;
    ///
    /// let pods = client.metadata().resource(GroupVersionResource::new("", "v1", "pods"));
    /// for pod in pods.list().await?.items {
    ///     println!("{:?}", pod.metadata.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "dynamic-client")]
    pub fn metadata(&self) -> MetadataClient {
        MetadataClient::new(&self.0)
    }

    /// A client of the scale of any resource that has one, over the same connections.
    ///
    /// Needs the feature `dynamic-client`.
    ///
    /// ```no_run
    /// # async fn example(client: k8s_client::Clientset) -> Result<(), k8s_client::Error> {
    /// use k8s_client::{Patch, schema::GroupVersionResource};
    ///
    /// let crontabs = GroupVersionResource::new("stable.example.com", "v1", "crontabs");
    /// let scales = client.scale().resource(&crontabs).namespace("default");
    /// let patch = Patch::Merge(serde_json::json!({ "spec": { "replicas": 3 } }));
    /// scales.patch("nightly", &patch).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "dynamic-client")]
    pub fn scale(&self) -> ScaleClient {
        ScaleClient::new(&self.0)
    }
}

impl From<RestClient> for Clientset {
    fn from(client: RestClient) -> Self {
        Self(client)
    }
}

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Those of the repository's README.md.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;
