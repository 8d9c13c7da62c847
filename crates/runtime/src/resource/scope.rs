//! Where a resource client looks: in one namespace, in all of them, or in the cluster.

use std::sync::Arc;

use crate::{rest::Request, schema::ResourceScope};

/// The scope of a [`ResourceClient`](super::ResourceClient).
pub trait Scope: sealed::Scope + Clone + Send + Sync + 'static {}

/// A scope in which a name means one object: a namespace, or the cluster for kinds that have none.
#[diagnostic::on_unimplemented(
    message = "in `{Self}` a name does not mean one object",
    note = "one object is found in its namespace: make the client by `ResourceClient::namespaced`"
)]
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

/// A scope that is chosen at run time: one namespace or, without it, the whole of a resource.
///
/// Whether the resource has namespaces may be known, by a mapper. Then what the server would answer with a bare 404 is
/// an error before anything is sent: a namespace of a cluster's resource, and an object of a namespaced one without its
/// namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnyScope {
    namespace: Option<Arc<str>>,
    known: Option<ResourceScope>,
}

impl AnyScope {
    /// No namespace, of a resource that may have them or not.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// No namespace, of a resource of which it is known whether it has them.
    pub fn known(scope: ResourceScope) -> Self {
        Self { namespace: None, known: Some(scope) }
    }

    /// The same scope narrowed to one namespace.
    pub fn namespace(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }
}

impl Scope for Namespaced {}
impl Scope for AllNamespaces {}
impl Scope for Cluster {}
impl Scope for AnyScope {}

impl OneObject for Namespaced {}
impl OneObject for Cluster {}
impl OneObject for AnyScope {}

pub(super) mod sealed {
    use super::Request;

    /// Puts the namespace into a request.
    pub trait Scope {
        fn add_to(&self, request: Request) -> Request;

        /// The same for a request that means one object, or objects of one namespace.
        fn add_to_one(&self, request: Request) -> Request {
            self.add_to(request)
        }
    }
}

impl sealed::Scope for Namespaced {
    fn add_to(&self, request: Request) -> Request {
        if self.namespace.is_empty() {
            // The empty string is how other clients say "all namespaces", and what an unset variable gives.
            return request.wrong("the namespace is empty; for all namespaces use the client named all_…");
        }
        request.namespace(&self.namespace)
    }
}

impl sealed::Scope for AllNamespaces {
    fn add_to(&self, request: Request) -> Request {
        request
    }
}

impl sealed::Scope for Cluster {
    fn add_to(&self, request: Request) -> Request {
        request
    }
}

impl sealed::Scope for AnyScope {
    fn add_to(&self, request: Request) -> Request {
        match (self.namespace.as_deref(), self.known) {
            (None, _) => request,
            (Some(namespace), Some(ResourceScope::Cluster)) => {
                request.wrong(format!("the resource is the cluster's and in no namespace: leave out {namespace:?}"))
            }
            (Some(""), _) => request.wrong("the namespace is empty; for all namespaces choose none"),
            (Some(namespace), _) => request.namespace(namespace),
        }
    }

    fn add_to_one(&self, request: Request) -> Request {
        match (&self.namespace, self.known) {
            (None, Some(ResourceScope::Namespaced)) => {
                request.wrong("the resource is in namespaces: choose one; without it, list and watch are all there is")
            }
            _ => self.add_to(request),
        }
    }
}
