//! Where a resource client looks: in one namespace, in all of them, or in the cluster.

use std::sync::Arc;

use crate::rest::Request;

/// The scope of a [`ResourceClient`](super::ResourceClient).
pub trait Scope: sealed::Scope + Clone + Send + Sync + 'static {}

/// A scope in which a name means one object: a namespace, or the cluster for kinds that have none.
pub trait OneObject: Scope {}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespaced {
    pub(super) namespace: Arc<str>,
}

/// All namespaces at once: listing and watching only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllNamespaces;

/// The cluster, for kinds that live in no namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster;

impl Scope for Namespaced {}
impl Scope for AllNamespaces {}
impl Scope for Cluster {}

impl OneObject for Namespaced {}
impl OneObject for Cluster {}

pub(super) mod sealed {
    use super::Request;

    /// Puts the namespace into a request.
    pub trait Scope {
        fn place(&self, request: Request) -> Request;
    }
}

impl sealed::Scope for Namespaced {
    fn place(&self, request: Request) -> Request {
        if self.namespace.is_empty() {
            // The empty string is how other clients say "all namespaces", and what an unset variable gives.
            return request.wrong("the namespace is empty; for all namespaces use the client named all_…");
        }
        request.namespace(&self.namespace)
    }
}

impl sealed::Scope for AllNamespaces {
    fn place(&self, request: Request) -> Request {
        request
    }
}

impl sealed::Scope for Cluster {
    fn place(&self, request: Request) -> Request {
        request
    }
}
