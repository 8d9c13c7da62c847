//! What generic code bounds on: one trait a verb, which every client with that verb implements.
//!
//! ```no_run
//! use k8s_client_runtime::{Error, resource::Lists};
//!
//! async fn count(resources: &impl Lists) -> Result<usize, Error> {
//!     Ok(resources.list().resource_version("0").await?.items.len())
//! }
//! ```

use k8s_openapi::serde::Serialize;

use super::{Apply, Create, Delete, Get, List, OneObject, Patch, PatchRequest, ResourceClient, Scope, Update, Watch};
use crate::codec::{Codec, Kind, Listable};

/// The object type of a client's kind.
type Object<K> = <K as Codec>::Object;

/// Clients that read one object.
pub trait Gets: Send + Sync {
    /// The kind.
    type Kind: Kind;
    /// Reads the named object.
    fn get(&self, name: &str) -> Get<Self::Kind>;
}

/// Clients that list.
pub trait Lists: Send + Sync {
    /// The kind.
    type Kind: Listable;
    /// Lists the objects.
    fn list(&self) -> List<Self::Kind>;
}

/// Clients that watch.
pub trait Watches: Send + Sync {
    /// The kind.
    type Kind: Listable;
    /// Watches the objects for changes.
    fn watch(&self) -> Watch<Self::Kind>;
}

/// Clients that create.
pub trait Creates: Send + Sync {
    /// The kind.
    type Kind: Kind;
    /// Creates the object.
    fn create(&self, object: &Object<Self::Kind>) -> Create<Self::Kind>;
}

/// Clients that update.
pub trait Updates: Send + Sync {
    /// The kind.
    type Kind: Kind;
    /// Replaces the object.
    fn update(&self, object: &Object<Self::Kind>) -> Update<Self::Kind>;
}

/// Clients that delete one object.
pub trait Deletes: Send + Sync {
    /// The kind.
    type Kind: Kind;
    /// Deletes the named object.
    fn delete(&self, name: &str) -> Delete<Self::Kind>;
}

/// Clients that patch.
pub trait Patches: Send + Sync {
    /// The kind.
    type Kind: Kind;
    /// Changes parts of the named object.
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<Self::Kind>;
}

/// Clients that apply.
pub trait Applies: Send + Sync {
    /// The kind.
    type Kind: Kind;
    /// Applies a configuration to the named object.
    fn apply(&self, name: &str, configuration: &(impl Serialize + ?Sized)) -> Apply<Self::Kind>;
}

impl<K: Kind, S: OneObject> Gets for ResourceClient<K, S> {
    type Kind = K;
    fn get(&self, name: &str) -> Get<K> {
        self.get(name)
    }
}

impl<K: Listable, S: Scope> Lists for ResourceClient<K, S> {
    type Kind = K;
    fn list(&self) -> List<K> {
        self.list()
    }
}

impl<K: Listable, S: Scope> Watches for ResourceClient<K, S> {
    type Kind = K;
    fn watch(&self) -> Watch<K> {
        self.watch()
    }
}

impl<K: Kind, S: OneObject> Creates for ResourceClient<K, S> {
    type Kind = K;
    fn create(&self, object: &K::Object) -> Create<K> {
        self.create(object)
    }
}

impl<K: Kind, S: OneObject> Updates for ResourceClient<K, S> {
    type Kind = K;
    fn update(&self, object: &K::Object) -> Update<K> {
        self.update(object)
    }
}

impl<K: Kind, S: OneObject> Deletes for ResourceClient<K, S> {
    type Kind = K;
    fn delete(&self, name: &str) -> Delete<K> {
        self.delete(name)
    }
}

impl<K: Kind, S: OneObject> Patches for ResourceClient<K, S> {
    type Kind = K;
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<K> {
        self.patch(name, patch)
    }
}

impl<K: Kind, S: OneObject> Applies for ResourceClient<K, S> {
    type Kind = K;
    fn apply(&self, name: &str, configuration: &(impl Serialize + ?Sized)) -> Apply<K> {
        self.apply(name, configuration)
    }
}
