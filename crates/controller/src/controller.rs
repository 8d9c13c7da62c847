//! What a controller watches, and the function that it calls.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _,
    future::{self, BoxFuture},
};
use k8s_client_informer::{Informer, ObjectKey};
use k8s_client_queue::{Backoff, Queue, QueueBuilder};
use k8s_client_runtime::{k8s_openapi::Resource, object::AnyObject};

use crate::{
    Metrics, Next, Stopped,
    feed::{Feed, Filter, feed, feed_own_keys},
    metrics::NoMetrics,
    owner::controller_of,
    run::{Run, run},
};

/// How long the calls under way may take when the controller is stopped.
const GRACE: Duration = Duration::from_secs(30);

/// Says what a controller watches and how it works; [`reconcile`](Self::reconcile) gives it its function.
#[must_use = "`reconcile` makes the controller"]
pub struct Controller<T: Send + Sync + 'static> {
    objects: Informer<T>,
    feeds: Vec<Feed>,
    synced: Vec<Synced>,
    filter: Option<Filter<T>>,
    resync: Option<Duration>,
    workers: usize,
    grace: Duration,
    queue: QueueBuilder,
    metrics: Arc<dyn Metrics>,
}

/// Waits until an informer has all its objects.
type Synced = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Waits for as long as it takes: a refusal may be taken back, and the informer itself says in the log what is wrong.
fn synced<O: Send + Sync + 'static>(informer: &Informer<O>) -> Synced {
    let informer = informer.clone();
    Box::new(move || {
        async move {
            while informer.synced_within(Duration::from_secs(3600)).await.is_err() && !informer.health().ended {}
        }
        .boxed()
    })
}

impl<T: AnyObject + Send + Sync + 'static> Controller<T> {
    /// A controller that reconciles each object of an informer.
    pub fn for_each(objects: &Informer<T>) -> Self {
        Self {
            objects: objects.clone(),
            feeds: Vec::new(),
            synced: vec![synced(objects)],
            filter: None,
            resync: None,
            workers: 1,
            grace: GRACE,
            queue: Queue::<ObjectKey>::builder(),
            metrics: Arc::new(NoMetrics),
        }
    }

    /// Reconciles an object also when one changes that it owns, as the controller among its `ownerReferences`.
    pub fn owned_by<O>(self, owned: &Informer<O>) -> Self
    where
        T: Resource,
        O: AnyObject + Send + Sync + 'static,
    {
        self.owned_by_kind(T::GROUP, T::KIND, owned)
    }

    /// The same for objects whose kind is known only at run time: their group, which is empty for the core group, and
    /// kind.
    pub fn owned_by_kind<O>(self, group: &str, kind: &str, owned: &Informer<O>) -> Self
    where
        O: AnyObject + Send + Sync + 'static,
    {
        let (group, kind) = (group.to_owned(), kind.to_owned());
        self.watch_mapped(owned, move |object: &O| {
            // An owner is in the same namespace, or in none.
            let namespace = object.namespace().unwrap_or_default().to_owned();
            controller_of(object, &group, &kind).into_iter().flat_map(move |owner| {
                let in_cluster = ObjectKey::cluster(owner.as_str());
                let beside = ObjectKey::new(namespace.as_str(), owner);
                if namespace.is_empty() { vec![in_cluster] } else { vec![beside, in_cluster] }
            })
        })
    }

    /// Reconciles the objects that this function names when an object of another informer changes: such as all that use
    /// a secret. A change of an object concerns what it was mapped to before as well.
    pub fn watch_mapped<O, I>(mut self, others: &Informer<O>, map: impl Fn(&O) -> I + Send + Sync + 'static) -> Self
    where
        O: Send + Sync + 'static,
        I: IntoIterator<Item = ObjectKey>,
    {
        let map = Arc::new(move |object: &O| map(object).into_iter().collect());
        self.feeds.push(feed(others, None, None, map));
        self.synced.push(synced(others));
        self
    }

    /// Passes over changes of the controller's own objects that this function does not let through. It is given the
    /// state before and after; one of them is absent when the object came or went.
    /// [`generation_changed`](crate::generation_changed) is the usual one.
    pub fn filtered(mut self, filter: impl Fn(Option<&T>, Option<&T>) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// Reconciles every object again each time this period has passed, a tenth more or less. Default: never; a call
    /// that wants to be repeated says so by [`Next::after`].
    pub fn resync(mut self, period: Duration) -> Self {
        self.resync = Some(period);
        self
    }

    /// How many objects are reconciled at the same time. Default: 1, as in controller-runtime.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// How long an object waits after a failed call. Default: 5 milliseconds, doubled up to 1,000 seconds, and no more
    /// than 10 repeated calls a second for all objects together, after the first 100.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.queue = self.queue.backoff(backoff);
        self
    }

    /// Reports the calls of the function. Default: nobody is told.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.metrics = Arc::new(metrics);
        self
    }

    /// Reports what happens in the controller's queue. Default: nobody is told.
    pub fn queue_metrics(mut self, metrics: impl k8s_client_queue::Metrics + 'static) -> Self {
        self.queue = self.queue.metrics(metrics);
        self
    }

    /// How long the calls under way may take when the controller is stopped, before they are dropped. Default: 30
    /// seconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The function that is called with an object that may need work, and with a context of yours, which is cloned for
    /// each call.
    ///
    /// It is not called for an object that is gone: what belongs to it is collected by its owner references, or cleaned
    /// up before by a [finalizer](Reconciler::finalizer). An error is logged, and the call repeated after a pause. One
    /// that repeating does not mend is for you to write into the object's status; return [`Next::wait`] then.
    pub fn reconcile<C, F, A, E>(self, context: C, reconcile: F) -> Reconciler<T, C>
    where
        C: Clone + Send + Sync + 'static,
        F: Fn(C, Arc<T>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Next, E>> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        let reconcile: Call<T, C> =
            Arc::new(move |context, object| reconcile(context, object).map(|result| result.map_err(said)).boxed());
        Reconciler { controller: self, context, call: reconcile, has_finalizer: false }
    }
}

/// A call of a program's own function. Errors of any type become texts.
pub(crate) type Call<T, C> = Arc<dyn Fn(C, Arc<T>) -> BoxFuture<'static, Result<Next, String>> + Send + Sync>;

pub(crate) fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

/// A controller with its function, to be run.
#[must_use = "`run_until` runs the controller"]
pub struct Reconciler<T: Send + Sync + 'static, C> {
    controller: Controller<T>,
    pub(crate) context: C,
    pub(crate) call: Call<T, C>,
    pub(crate) has_finalizer: bool,
}

impl<T: AnyObject + Send + Sync + 'static, C: Clone + Send + Sync + 'static> Reconciler<T, C> {
    /// Runs until this future ends, or for as long as the future of this function is polled: it fits into the work of a
    /// leader.
    ///
    /// When it ends, nothing more is begun, and the calls under way have the [grace](Controller::grace) to end. The
    /// result says which did not. Dropping the future drops them at once.
    pub async fn run_until<S: Future>(self, stop: S) -> Stopped {
        let Self { controller, context, call, has_finalizer: _ } = self;
        let Controller { objects, mut feeds, synced, filter, resync, workers, grace, queue, metrics } = controller;
        let queue = queue.build::<ObjectKey>();
        feeds.push(match filter {
            None => feed_own_keys(&objects, resync),
            Some(_) => feed(&objects, resync, filter, Arc::new(|object: &T| vec![ObjectKey::of(object)])),
        });
        let feeding = future::join_all(feeds.into_iter().map(|feed| feed(queue.clone())));
        let synced = future::join_all(synced.into_iter().map(|synced| synced()));
        let what = Run { objects, queue, workers, grace, context, call, metrics };
        run(what, feeding.map(drop), synced.map(drop), stop.map(drop)).await
    }

    /// Runs for ever.
    pub async fn run(self) {
        self.run_until(future::pending::<()>()).await;
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Controller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("workers", &self.workers).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static, C> fmt::Debug for Reconciler<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.controller.fmt(f)
    }
}
