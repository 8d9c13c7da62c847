//! What generic code bounds on: one trait a verb, which every client with that verb implements. `TypedClient::Kind` is
//! the kind of them all.
//!
//! ```no_run
//! use k8s_client_runtime::{Error, object::AnyList, resource::Lists};
//!
//! async fn count(resources: &impl Lists) -> Result<usize, Error> {
//!     Ok(resources.list().resource_version("0").await?.items().len())
//! }
//! ```

use k8s_openapi::api::core::v1::{Node, Pod, Service};

use super::{
    Apply, Attach, Create, Delete, Exec, Get, List, Logs, OneObject, Patch, PatchRequest, PortForward, ProxyRequest,
    ResourceClient, Scope, Update, Watch,
};
use crate::{
    apply::Applicable,
    codec::{Codec, Listable},
    object::AnyObject,
};

/// The object type of a client's kind.
type Object<K> = <K as Codec>::Object;

/// Clients of one kind: what all the traits below have in common, so that bounds on several of them mean one kind.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a client of one kind")]
pub trait TypedClient: Send + Sync {
    /// The kind: how its objects are written and read.
    type Kind: Codec<Object: AnyObject>;
}

/// Clients that read one object.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `get`",
    note = "one object is found in its namespace: use the client of a namespace, such as `pods(\"default\")`, not of all, such as \
            `all_pods()`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Gets: TypedClient {
    /// Reads the named object.
    fn get(&self, name: &str) -> Get<Self::Kind>;
}

/// Clients that list.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `list`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Lists: TypedClient<Kind: Listable> {
    /// Lists the objects.
    fn list(&self) -> List<Self::Kind>;
}

/// Clients that watch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `watch`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Watches: TypedClient<Kind: Listable> {
    /// Watches the objects for changes.
    fn watch(&self) -> Watch<Self::Kind>;
}

/// Clients that create.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `create`",
    note = "one object is found in its namespace: use the client of a namespace, such as `pods(\"default\")`, not of all, such as \
            `all_pods()`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Creates: TypedClient {
    /// Creates the object.
    fn create(&self, object: &Object<Self::Kind>) -> Create<Self::Kind>;
}

/// Clients that update.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `update`",
    note = "one object is found in its namespace: use the client of a namespace, such as `pods(\"default\")`, not of all, such as \
            `all_pods()`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Updates: TypedClient {
    /// Replaces the object.
    fn update(&self, object: &Object<Self::Kind>) -> Update<Self::Kind>;
}

/// Clients that delete one object.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `delete`",
    note = "one object is found in its namespace: use the client of a namespace, such as `pods(\"default\")`, not of all, such as \
            `all_pods()`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Deletes: TypedClient {
    /// Deletes the named object.
    fn delete(&self, name: &str) -> Delete<Self::Kind>;
}

/// Clients that patch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `patch`",
    note = "one object is found in its namespace: use the client of a namespace, such as `pods(\"default\")`, not of all, such as \
            `all_pods()`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Patches: TypedClient {
    /// Changes parts of the named object.
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<Self::Kind>;
}

/// Clients that apply.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `apply`",
    note = "one object is found in its namespace: use the client of a namespace, such as `pods(\"default\")`, not of all, such as \
            `all_pods()`",
    note = "a client has exactly the verbs that the API gives its resource"
)]
pub trait Applies: TypedClient {
    /// Applies a configuration to the object that it names.
    fn apply(&self, configuration: &impl Applicable<Self::Kind>) -> Apply<Self::Kind>;
}

/// A kind whose objects have something that is not an object: a log, a process, ports or a proxy. `B` is the builder of
/// the request, such as [`Logs`].
///
/// Pods have all of them, services and nodes a proxy. A type of your own may have one too, if its API server gives it
/// one:
///
/// ```
/// # use k8s_client_runtime::custom_resource;
/// # #[derive(serde::Deserialize, serde::Serialize)]
/// # struct Build { metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta }
/// # custom_resource!(Build, "build.example.com/v1", "builds", Namespaced);
/// use k8s_client_runtime::resource::{HasStream, Logs};
///
/// impl HasStream<Logs> for Build {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `{B}`: it is for pods, and a proxy for services and nodes too",
    note = "if the API server has this for a type of your own, implement `HasStream<{B}>` for it"
)]
pub trait HasStream<B> {}

#[diagnostic::do_not_recommend]
impl HasStream<Logs> for Pod {}
#[diagnostic::do_not_recommend]
impl HasStream<Exec> for Pod {}
#[diagnostic::do_not_recommend]
impl HasStream<Attach> for Pod {}
#[diagnostic::do_not_recommend]
impl HasStream<PortForward> for Pod {}
#[diagnostic::do_not_recommend]
impl HasStream<ProxyRequest> for Pod {}
#[diagnostic::do_not_recommend]
impl HasStream<ProxyRequest> for Service {}
#[diagnostic::do_not_recommend]
impl HasStream<ProxyRequest> for Node {}

#[diagnostic::do_not_recommend]
impl<K: Codec<Object: AnyObject>, S: Scope> TypedClient for ResourceClient<K, S> {
    type Kind = K;
}

#[diagnostic::do_not_recommend]
impl<K: Codec<Object: AnyObject>, S: OneObject> Gets for ResourceClient<K, S> {
    fn get(&self, name: &str) -> Get<K> {
        self.get(name)
    }
}

#[diagnostic::do_not_recommend]
impl<K: Listable, S: Scope> Lists for ResourceClient<K, S> {
    fn list(&self) -> List<K> {
        self.list()
    }
}

#[diagnostic::do_not_recommend]
impl<K: Listable, S: Scope> Watches for ResourceClient<K, S> {
    fn watch(&self) -> Watch<K> {
        self.watch()
    }
}

#[diagnostic::do_not_recommend]
impl<K: Codec<Object: AnyObject>, S: OneObject> Creates for ResourceClient<K, S> {
    fn create(&self, object: &K::Object) -> Create<K> {
        self.create(object)
    }
}

#[diagnostic::do_not_recommend]
impl<K: Codec<Object: AnyObject>, S: OneObject> Updates for ResourceClient<K, S> {
    fn update(&self, object: &K::Object) -> Update<K> {
        self.update(object)
    }
}

#[diagnostic::do_not_recommend]
impl<K: Codec<Object: AnyObject>, S: OneObject> Deletes for ResourceClient<K, S> {
    fn delete(&self, name: &str) -> Delete<K> {
        self.delete(name)
    }
}

#[diagnostic::do_not_recommend]
impl<K: Codec<Object: AnyObject>, S: OneObject> Patches for ResourceClient<K, S> {
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<K> {
        self.patch(name, patch)
    }
}

#[diagnostic::do_not_recommend]
impl<K: Codec<Object: AnyObject>, S: OneObject> Applies for ResourceClient<K, S> {
    fn apply(&self, configuration: &impl Applicable<K>) -> Apply<K> {
        self.apply(configuration)
    }
}
