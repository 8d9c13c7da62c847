//! Typed verbs: every one a request builder that is awaited.
//!
//! [`ResourceClient`] has the verbs that Kubernetes gives to resources in general. The generated clients wrap it and
//! let through exactly those that their resource has. A verb returns a builder, one file each here; the builder's
//! methods are the options of the API, and `.await` sends it:
//!
//! ```no_run
//! # use k8s_client_runtime::{Error, RestClient, resource::ResourceClient};
//! # use k8s_openapi::api::core::v1::ConfigMap;
//! # async fn example(client: RestClient) -> Result<(), Error> {
//! let config_maps = ResourceClient::<ConfigMap>::namespaced(&client, "default");
//! let all = config_maps.list().label_selector("app=web").limit(500).await?;
//! # Ok(())
//! # }
//! ```
//!
//! `with_…` methods of a builder are options of the call rather than of the API (`with_timeout`, `with_max_retries`).
//!
//! In place of `.await`, `.json::<T>().await` reads the answer into a type of your own, `.raw().await` gives its bytes,
//! and `into_request` the plain [`Request`]. All three ask for JSON.
//!
//! ```no_run
//! # use k8s_client_runtime::{Error, resource::ResourceClient};
//! # use k8s_openapi::api::core::v1::Pod;
//! # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
//! #[derive(serde::Deserialize)]
//! struct Names { items: Vec<Named> }
//! #[derive(serde::Deserialize)]
//! struct Named { metadata: Name }
//! #[derive(serde::Deserialize)]
//! struct Name { name: String }
//!
//! for pod in pods.list().label_selector("app=web").json::<Names>().await?.items {
//!     println!("{}", pod.metadata.name);
//! }
//! # Ok(())
//! # }
//! ```

use crate::{
    codec::Codec,
    rest::{CallFuture, Request},
};

mod client;
mod delete;
mod get;
mod list;
pub(crate) mod logs;
mod modify;
mod options;
mod patch;
mod proxy;
mod resource_path;
mod scope;
mod verbs;
mod watch;
mod write;

pub use crate::codec::ApiResource;
pub use crate::streams::{Attach, Exec, PortForward};
pub use client::ResourceClient;
pub use delete::{Delete, DeleteCollection, Deleted, DeletedCollection};
pub use get::Get;
pub use list::{Items, List, Pages};
pub use logs::{FollowLogs, LogEvent, LogFollower, LogLine, LogLines, LogStream, Logs};
pub use modify::Modify;
pub use options::{
    ApplyOptions, CreateOptions, DeleteOptions, FieldValidation, GetOptions, ListOptions, PatchOptions,
    PropagationPolicy, ResourceVersionMatch, UpdateOptions, WatchOptions,
};
pub use patch::{Apply, Patch, PatchRequest};
pub use proxy::ProxyRequest;
pub use scope::{AllNamespaces, AnyScope, Cluster, Namespaced, OneObject, Scope};
pub use verbs::{Applies, Creates, Deletes, Gets, HasStream, Lists, Patches, TypedClient, Updates, Watches};
pub use watch::Watch;
pub use write::{Create, Update};

/// Sends a request and decodes the answer as one object. All but the decoding is compiled once, in this crate.
fn execute<C: Codec>(request: Request) -> CallFuture<C::Object> {
    let answer = request.accept(C::ACCEPT).whole_body();
    Box::pin(async move { answer.await?.decode(C::decode) })
}

/// Gives a builder with a `request` and `options` what all of them have.
macro_rules! call_options {
    ($builder:ident $(<$parameter:ident: $bound:path>)?, $options:ty) => {
        impl $(<$parameter: $bound>)? $builder $(<$parameter>)? {
            /// Takes all options of the API from a struct, in place of those set so far.
            pub fn options(mut self, options: $options) -> Self {
                self.options = options;
                self
            }

            /// Limits the whole call, reading the answer included; of a watch, it limits only the time until the server
            /// has agreed. Default: the configuration's limit, which is none.
            pub fn with_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.request = self.request.timeout(timeout);
                self
            }

            /// How often at most the request is sent again, where that is safe; 0 sends it once. Default: what the
            /// configuration's [`RetryPolicy`](crate::config::RetryPolicy) says.
            pub fn with_max_retries(mut self, max_retries: u32) -> Self {
                self.request = self.request.max_retries(max_retries);
                self
            }

            /// Has the server make another kind of the objects that it sends; see
            /// [`Request::as_kind`](crate::rest::Request::as_kind). Read it by `json`, into a type of your own.
            pub fn as_kind(mut self, kind: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.request = self.request.as_kind(kind);
                self
            }

            /// Sets a header of the request.
            pub fn with_header(mut self, name: &str, value: &str) -> Self {
                self.request = self.request.header(name, value);
                self
            }

            /// The plain request, for whoever wants the head of the answer too. It asks for JSON, which awaiting the
            /// builder may not do, unless an `accept` header was set.
            pub fn into_request(self) -> crate::rest::Request {
                self.prepared().accept(crate::codec::MediaType::JSON)
            }
        }

        impl $(<$parameter: $bound>)? std::fmt::Debug for $builder $(<$parameter>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($builder))
                    .field("request", &self.request)
                    .field("options", &self.options)
                    .finish()
            }
        }
    };
}
use call_options;

/// Gives a builder whose answer is read whole what takes it in other ways than awaiting the builder does.
macro_rules! whole_answer {
    ($builder:ident <$parameter:ident: $bound:path>) => {
        impl<$parameter: $bound> $builder<$parameter> {
            /// Sends the request and reads the answer as JSON of any type: one of your own that has only the fields you
            /// need makes a large answer cheap.
            pub async fn json<T: k8s_openapi::serde::de::DeserializeOwned + Send>(self) -> crate::Result<T> {
                self.into_request().send().await?.json().await
            }

            /// Sends the request and gives the answer as it came: JSON, unless an `accept` header asks for something
            /// else.
            pub async fn raw(self) -> crate::Result<bytes::Bytes> {
                self.into_request().send().await?.bytes().await
            }
        }
    };
}
use whole_answer;

/// Gives a builder with `options` of a write the setters of those that all writes have.
macro_rules! write_setters {
    ($(<$lifetime:lifetime>)? $builder:ident) => {
        impl<$($lifetime,)? C: Codec> $builder<$($lifetime,)? C> {
            /// Names who writes, for field ownership: at most 128 printable characters. Default: the server takes the
            /// front of the User-Agent.
            pub fn field_manager(mut self, field_manager: impl Into<String>) -> Self {
                self.options.field_manager = Some(field_manager.into());
                self
            }

            /// Goes through all stages of the request but stores nothing.
            pub fn dry_run(mut self) -> Self {
                self.options.dry_run = true;
                self
            }

            /// What the server does about unknown and duplicate fields. Default: the server warns.
            pub fn field_validation(mut self, field_validation: crate::resource::FieldValidation) -> Self {
                self.options.field_validation = Some(field_validation);
                self
            }
        }
    };
}
use write_setters;

/// Gives a builder that chooses objects, by this field of it, the setters of the selectors.
macro_rules! selectors {
    ($builder:ident, $options:ident) => {
        impl<K: Listable> $builder<K> {
            /// Chooses by labels, such as `app=web,tier!=cache`. Default: all objects.
            pub fn label_selector(mut self, selector: impl Into<String>) -> Self {
                self.$options.label_selector = Some(selector.into());
                self
            }

            /// Chooses by fields, such as `metadata.name=web` for one object. Each kind supports a few. Default: all
            /// objects.
            pub fn field_selector(mut self, selector: impl Into<String>) -> Self {
                self.$options.field_selector = Some(selector.into());
                self
            }

            /// The shard that is wanted (alpha in Kubernetes 1.37). Default: all objects.
            pub fn shard_selector(mut self, selector: impl Into<String>) -> Self {
                self.$options.shard_selector = Some(selector.into());
                self
            }
        }
    };
}
use selectors;

/// Gives a builder that writes an object what create, update, patch and apply have in common.
macro_rules! write_options {
    ($builder:ident, $options:ty) => {
        crate::resource::write_setters!($builder);
        crate::resource::call_options!($builder<C: Codec>, $options);
        crate::resource::whole_answer!($builder<C: Codec>);

        impl<C: Codec> std::future::IntoFuture for $builder<C> {
            type Output = crate::Result<C::Object>;
            type IntoFuture = crate::resource::CallFuture<C::Object>;

            fn into_future(self) -> Self::IntoFuture {
                crate::resource::execute::<C>(self.prepared())
            }
        }
    };
}
use write_options;
