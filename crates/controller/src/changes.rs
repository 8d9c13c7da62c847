//! Which changes of an informer's objects a controller looks at.

use std::{fmt, sync::Arc};

use k8s_client_informer::Informer;

/// Which changes of an object count: the state before and the state after, of which one is absent when it came or went.
pub(crate) type Filter<T> = Arc<dyn Fn(Option<&T>, Option<&T>) -> bool + Send + Sync>;

/// The changes of other objects that a controller looks at, such as those of objects that its own ones
/// [own](crate::Controller::owned_by). An informer stands for all of its changes; this lets fewer through:
///
/// ```no_run
/// # use k8s_client_informer::Informer;
/// # use k8s_client_runtime::k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
/// # fn example(replica_sets: Informer<ReplicaSet>, pods: Informer<Pod>) {
/// use k8s_client_controller::{Changes, Controller};
/// use k8s_client_runtime::wait::conditions::pod_ready;
///
/// let readiness = Changes::of(&pods).filtered(|old, new| pod_ready(old) != pod_ready(new));
/// let controller = Controller::for_each(&replica_sets).owned_by(readiness);
/// # }
/// ```
#[must_use = "a controller is given it"]
pub struct Changes<T: Send + Sync + 'static> {
    pub(crate) informer: Informer<T>,
    pub(crate) filter: Option<Filter<T>>,
}

impl<T: Send + Sync + 'static> Changes<T> {
    /// All changes of the informer's objects.
    pub fn of(informer: &Informer<T>) -> Self {
        Self { informer: informer.clone(), filter: None }
    }

    /// Passes over changes that this function does not let through. It is given the state before and after; one of them
    /// is absent when the object came or went. Of several filters, all must let a change through.
    pub fn filtered(mut self, filter: impl Fn(Option<&T>, Option<&T>) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(match self.filter {
            Some(other) => Arc::new(move |old, new| other(old, new) && filter(old, new)),
            None => Arc::new(filter),
        });
        self
    }
}

impl<T: Send + Sync + 'static> From<&Informer<T>> for Changes<T> {
    fn from(informer: &Informer<T>) -> Self {
        Self::of(informer)
    }
}

impl<T: Send + Sync + 'static> Clone for Changes<T> {
    fn clone(&self) -> Self {
        Self { informer: self.informer.clone(), filter: self.filter.clone() }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Changes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("of", &self.informer.source()).finish_non_exhaustive()
    }
}
