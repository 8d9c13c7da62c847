//! What generic code bounds on: one trait a verb, which every client with that verb implements. `TypedClient::Kind` is the
//! kind of them all.
//!
//! ```no_run
//! use k8s_client_runtime::{Error, object::AnyList, resource::Lists};
//!
//! async fn count(resources: &impl Lists) -> Result<usize, Error> {
//!     Ok(resources.list().resource_version("0").await?.items().len())
//! }
//! ```

use super::{Apply, Create, Delete, Get, List, OneObject, Patch, PatchRequest, ResourceClient, Scope, Update, Watch};
use crate::{
    apply::Applicable,
    codec::{Codec, Listable},
    object::AnyObject,
};

/// The object type of a client's kind.
type Object<K> = <K as Codec>::Object;

/// Clients of one kind: what all the traits below have in common, so that bounds on several of them mean one kind.
pub trait TypedClient: Send + Sync {
    /// The kind: how its objects are written and read.
    type Kind: Codec<Object: AnyObject>;
}

/// Clients that read one object.
pub trait Gets: TypedClient {
    /// Reads the named object.
    fn get(&self, name: &str) -> Get<Self::Kind>;
}

/// Clients that list.
pub trait Lists: TypedClient<Kind: Listable> {
    /// Lists the objects.
    fn list(&self) -> List<Self::Kind>;
}

/// Clients that watch.
pub trait Watches: TypedClient<Kind: Listable> {
    /// Watches the objects for changes.
    fn watch(&self) -> Watch<Self::Kind>;
}

/// Clients that create.
pub trait Creates: TypedClient {
    /// Creates the object.
    fn create(&self, object: &Object<Self::Kind>) -> Create<Self::Kind>;
}

/// Clients that update.
pub trait Updates: TypedClient {
    /// Replaces the object.
    fn update(&self, object: &Object<Self::Kind>) -> Update<Self::Kind>;
}

/// Clients that delete one object.
pub trait Deletes: TypedClient {
    /// Deletes the named object.
    fn delete(&self, name: &str) -> Delete<Self::Kind>;
}

/// Clients that patch.
pub trait Patches: TypedClient {
    /// Changes parts of the named object.
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<Self::Kind>;
}

/// Clients that apply.
pub trait Applies: TypedClient {
    /// Applies a configuration to the object that it names.
    fn apply(&self, configuration: &impl Applicable<Self::Kind>) -> Apply<Self::Kind>;
}

impl<K: Codec<Object: AnyObject>, S: Scope> TypedClient for ResourceClient<K, S> {
    type Kind = K;
}

impl<K: Codec<Object: AnyObject>, S: OneObject> Gets for ResourceClient<K, S> {
    fn get(&self, name: &str) -> Get<K> {
        self.get(name)
    }
}

impl<K: Listable, S: Scope> Lists for ResourceClient<K, S> {
    fn list(&self) -> List<K> {
        self.list()
    }
}

impl<K: Listable, S: Scope> Watches for ResourceClient<K, S> {
    fn watch(&self) -> Watch<K> {
        self.watch()
    }
}

impl<K: Codec<Object: AnyObject>, S: OneObject> Creates for ResourceClient<K, S> {
    fn create(&self, object: &K::Object) -> Create<K> {
        self.create(object)
    }
}

impl<K: Codec<Object: AnyObject>, S: OneObject> Updates for ResourceClient<K, S> {
    fn update(&self, object: &K::Object) -> Update<K> {
        self.update(object)
    }
}

impl<K: Codec<Object: AnyObject>, S: OneObject> Deletes for ResourceClient<K, S> {
    fn delete(&self, name: &str) -> Delete<K> {
        self.delete(name)
    }
}

impl<K: Codec<Object: AnyObject>, S: OneObject> Patches for ResourceClient<K, S> {
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<K> {
        self.patch(name, patch)
    }
}

impl<K: Codec<Object: AnyObject>, S: OneObject> Applies for ResourceClient<K, S> {
    fn apply(&self, configuration: &impl Applicable<K>) -> Apply<K> {
        self.apply(configuration)
    }
}
