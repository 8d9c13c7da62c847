//! One informer for all that want the same objects.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{Informer, follow::source::Place, informer::Shared};

/// Shares informers: of all that are [started in it](crate::InformerBuilder::start_in), those of the same client and
/// objects, of the same selectors and kept in the same way are one. client-go's shared informer factory. A clone is the
/// same registry.
///
/// Clones of a client are the same client, and so are all typed clients of one `Clientset` or `RestClient`. Two that
/// were made apart share nothing, since one may be allowed to read what the other is not.
///
/// It keeps no informer alive: one that nobody has any more ends, and one that was shut down is replaced by a new one
/// when it is asked for again.
///
/// ```no_run
/// use k8s_client_informer::{Informer, Registry};
/// # use k8s_client_runtime::{k8s_openapi::api::core::v1::Pod, resource::{AllNamespaces, ResourceClient}};
/// # fn example(all_pods: ResourceClient<Pod, AllNamespaces>) {
/// let registry = Registry::new();
/// let one = Informer::of(all_pods.clone()).start_in(&registry);
/// let same = Informer::of(all_pods).start_in(&registry);
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    informers: Arc<Mutex<HashMap<Identity, Weak<dyn Any + Send + Sync>>>>,
}

/// What makes two informers the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) object: TypeId,
    pub(crate) place: Place,
    pub(crate) whole: bool,
    pub(crate) managed_fields: bool,
}

impl Registry {
    /// A registry without informers.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn get_or_start<T: Send + Sync + 'static>(
        &self,
        identity: Identity,
        start: impl FnOnce() -> Informer<T>,
    ) -> Informer<T> {
        let mut informers = self.informers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = informers.get(&identity).and_then(Weak::upgrade).and_then(|any| any.downcast::<Shared<T>>().ok());
        if let Some(informer) = known.map(Informer::with_shared)
            && !informer.health().ended
        {
            return informer;
        }
        informers.retain(|_, informer| informer.strong_count() > 0);
        let informer = start();
        let shared: Arc<dyn Any + Send + Sync> = informer.shared().clone();
        informers.insert(identity, Arc::downgrade(&shared));
        informer
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let informers = self.informers.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(informers.keys().map(|identity| &identity.place.url)).finish()
    }
}
