//! What a controller watches, and the function that it calls.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _,
    future::{self, BoxFuture},
};
use k8s_client_informer::{Informer, ObjectKey};
use k8s_client_queue::{Bucket, ItemBackoff, Queue, QueueBuilder};
use k8s_client_runtime::{k8s_openapi::Resource, leading, object::AnyObject};

use crate::{
    Changes, Metrics, Next, Stopped,
    call::{Call, Failure},
    feed::{Feed, feed_mapped, feed_own},
    gate::{Condition, Gate},
    memory::Memory,
    owner::owners,
    run::{Run, run},
    settings::Settings,
};

/// What a controller watches and how it works; [`reconcile`](Self::reconcile) gives it its function. The [crate's
/// page](crate) has an example.
#[must_use = "`reconcile` makes the controller"]
pub struct Controller<T: Send + Sync + 'static> {
    objects: Changes<T>,
    others: Vec<(Needed, Feed)>,
    settings: Settings,
    queue: QueueBuilder,
}

/// An informer that a controller needs.
struct Needed {
    name: String,
    /// Waits until it has all its objects: for as long as it takes, since a refusal may be taken back, and the informer
    /// itself says in the log what is wrong. That of one that has ended never ends.
    synced: Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>,
}

impl Needed {
    fn new<O: Send + Sync + 'static>(informer: &Informer<O>) -> Self {
        let (name, informer) = (informer.source().to_owned(), informer.clone());
        let synced = move || {
            async move {
                loop {
                    let is_synced = informer.synced_within(Duration::from_secs(3600)).await.is_ok();
                    if informer.health().ended {
                        return future::pending().await;
                    }
                    if is_synced {
                        return;
                    }
                }
            }
            .boxed()
        };
        Self { name, synced: Box::new(synced) }
    }
}

impl<T: AnyObject + Send + Sync + 'static> Controller<T> {
    /// A controller that reconciles each object of an informer.
    ///
    /// It needs the metadata of its own objects, which a [projection](k8s_client_informer::InformerBuilder::project)
    /// lacks: an informer of a metadata client keeps little of them, too. What it [watches](Self::watch_mapped) beside
    /// them may be projected.
    pub fn for_each(objects: &Informer<T>) -> Self {
        Self {
            objects: Changes::of(objects),
            others: Vec::new(),
            settings: Settings::of::<T>(),
            queue: Queue::<ObjectKey>::builder(),
        }
    }

    /// What the controller is called in the log. Default: its objects' type, such as `Deployment`.
    pub fn named(mut self, name: &str) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Reconciles an object also when one changes that it owns, as the controller among its `ownerReferences`: an
    /// informer's object, or one whose [change](Changes) a filter lets through.
    pub fn owned_by<O>(self, owned: impl Into<Changes<O>>) -> Self
    where
        T: Resource,
        O: AnyObject + Send + Sync + 'static,
    {
        self.owned_by_kind(T::GROUP, T::KIND, owned)
    }

    /// The same for a controller of objects whose kind is known only at run time: their group, which is empty for the
    /// core group, and kind.
    pub fn owned_by_kind<O>(self, group: &str, kind: &str, owned: impl Into<Changes<O>>) -> Self
    where
        O: AnyObject + Send + Sync + 'static,
    {
        self.watch(owned.into(), owners::<O>(group, kind))
    }

    /// Reconciles the objects that this function names when an object of another informer changes: such as all that use
    /// a secret. A change of an object concerns what it was mapped to before as well. [`Changes`] pass over some.
    ///
    /// ```no_run
    /// # use k8s_client_controller::Controller;
    /// # use k8s_client_informer::{Informer, ObjectKey};
    /// # use k8s_client_runtime::k8s_openapi::api::core::v1::{Pod, Secret};
    /// # fn example(pods: Informer<Pod>, secrets: Informer<Secret>) {
    /// // A secret says by a label which pod uses it.
    /// let controller = Controller::for_each(&pods).watch_mapped(&secrets, |secret| {
    ///     let pod = secret.metadata.labels.as_ref()?.get("used-by")?;
    ///     Some(ObjectKey::new(secret.metadata.namespace.as_deref()?, pod.as_str()))
    /// });
    /// # }
    /// ```
    pub fn watch_mapped<O, I>(
        self,
        others: impl Into<Changes<O>>,
        map: impl Fn(&O) -> I + Send + Sync + 'static,
    ) -> Self
    where
        O: Send + Sync + 'static,
        I: IntoIterator<Item = ObjectKey>,
    {
        self.watch(others.into(), move |object: &O| map(object).into_iter().collect())
    }

    fn watch<O: Send + Sync + 'static>(
        mut self,
        others: Changes<O>,
        map: impl Fn(&O) -> Vec<ObjectKey> + Send + Sync + 'static,
    ) -> Self {
        self.others.push((Needed::new(&others.informer), feed_mapped(others, Arc::new(map))));
        self
    }

    /// Passes over changes of the controller's own objects that this function does not let through, as
    /// [`Changes::filtered`] has it. [`generation_changed`](crate::generation_changed) is the usual one. Of several,
    /// all must let a change through; where one is enough, a closure says so:
    ///
    /// ```no_run
    /// # use k8s_client_informer::Informer;
    /// # use k8s_client_runtime::k8s_openapi::api::apps::v1::Deployment;
    /// # fn example(deployments: Informer<Deployment>) {
    /// use k8s_client_controller::{Controller, generation_changed, labels_changed};
    ///
    /// let controller = Controller::for_each(&deployments)
    ///     .filtered(|old, new| generation_changed(old, new) || labels_changed(old, new));
    /// # }
    /// ```
    pub fn filtered(mut self, filter: impl Fn(Option<&T>, Option<&T>) -> bool + Send + Sync + 'static) -> Self {
        self.objects = self.objects.filtered(filter);
        self
    }

    /// Reconciles every object again each time this period has passed, a tenth more or less. Default: never; a call
    /// that wants to be repeated says so by [`Next::after`].
    pub fn resync(mut self, period: Duration) -> Self {
        self.settings.resync = Some(period);
        self
    }

    /// How many objects are reconciled at the same time. Default: 1, as in controller-runtime.
    pub fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = workers.max(1);
        self
    }

    /// How long an object waits after a failed call. Default: 5 milliseconds, doubled up to 1,000 seconds.
    ///
    /// The wait ends early when somebody changes what is wanted of the object: when it has another generation than the
    /// failed call was given, is being deleted, or is gone. Other changes do not end it, nor do those of objects that
    /// it owns: a controller that writes a status and fails would call itself without a pause.
    /// [`wait_out_backoff`](Self::wait_out_backoff) has no such exceptions. Kinds without a generation, such as
    /// ConfigMaps, wait in any case.
    pub fn backoff(mut self, backoff: ItemBackoff) -> Self {
        self.queue = self.queue.backoff(backoff);
        self
    }

    /// Lets an object wait to the end of its [backoff](Self::backoff), whatever changes meanwhile. For a controller
    /// that changes the spec of its own objects.
    pub fn wait_out_backoff(mut self) -> Self {
        self.settings.waits_out_backoff = true;
        self
    }

    /// How many repeated calls there are for all objects together, whatever their backoff. Default: 10 a second, and
    /// 100 at once.
    pub fn bucket(mut self, bucket: Bucket) -> Self {
        self.queue = self.queue.bucket(bucket);
        self
    }

    /// Does not limit the repeated calls of all objects together.
    pub fn no_bucket(mut self) -> Self {
        self.queue = self.queue.no_bucket();
        self
    }

    /// Reports the calls of the function. Default: no metrics.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.settings.metrics = Arc::new(metrics);
        self
    }

    /// Reports what happens in the controller's queue. Default: no metrics. Two of client-go's metrics are read
    /// instead, by [`Reconciler::queue`]: `unfinished_work_seconds` and `longest_running_processor_seconds`.
    pub fn queue_metrics(mut self, metrics: impl k8s_client_queue::Metrics + 'static) -> Self {
        self.queue = self.queue.metrics(metrics);
        self
    }

    /// How long the calls under way may take when the controller is stopped, before they are dropped. Default: 20
    /// seconds, which is less than the `stop_timeout` of a leader's work, and than the 30 seconds that a pod has.
    pub fn stop_timeout(mut self, stop_timeout: Duration) -> Self {
        self.settings.stop_timeout = stop_timeout;
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
        let Self { objects, others, settings, queue } = self;
        let call: Call<T, C> = Arc::new(move |context, object| {
            reconcile(context, object).map(|result| result.map_err(Failure::of)).boxed()
        });
        Reconciler {
            objects,
            others,
            settings,
            queue: queue.build(),
            conditions: Vec::new(),
            context,
            call,
            has_finalizer: false,
        }
    }
}

/// A controller with its function, to be run.
#[must_use = "`run_until` runs the controller"]
pub struct Reconciler<T: Send + Sync + 'static, C> {
    objects: Changes<T>,
    others: Vec<(Needed, Feed)>,
    settings: Settings,
    queue: Queue<ObjectKey>,
    conditions: Vec<Condition>,
    pub(crate) context: C,
    pub(crate) call: Call<T, C>,
    pub(crate) has_finalizer: bool,
}

impl<T: AnyObject + Send + Sync + 'static, C: Clone + Send + Sync + 'static> Reconciler<T, C> {
    /// Lets calls run only while this holds, as a [leader's term](Self::run_until) does by itself. It is asked each
    /// time before a call runs on: at its beginning, and after each `await`. Once it does not hold, no line of a call
    /// is run any more, and the controller ends. Of several conditions, all must hold.
    ///
    /// ```no_run
    /// # use std::time::{Duration, Instant};
    /// # use k8s_client_controller::{Reconciler, Stopped};
    /// # use k8s_client_runtime::k8s_openapi::api::core::v1::Pod;
    /// # async fn example(controller: Reconciler<Pod, ()>) -> Stopped {
    /// let end_of_shift = Instant::now() + Duration::from_secs(8 * 3600);
    /// controller.only_while(move || Instant::now() < end_of_shift).run().await
    /// # }
    /// ```
    pub fn only_while(mut self, condition: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.conditions.push(Box::new(condition));
        self
    }

    /// The queue of the controller: to see how long its calls have been running ([`Queue::stats`]), and to
    /// [add](Queue::add) an object that is to be reconciled for a reason that no informer knows of.
    ///
    /// ```no_run
    /// # use k8s_client_controller::Reconciler;
    /// # use k8s_client_informer::ObjectKey;
    /// # use k8s_client_runtime::k8s_openapi::api::core::v1::Pod;
    /// # async fn example(controller: Reconciler<Pod, ()>) {
    /// let queue = controller.queue().clone();
    /// tokio::spawn(controller.run());
    /// queue.add(ObjectKey::new("default", "web"));
    /// println!("the longest call has been running for {:?}", queue.stats().longest_running);
    /// # }
    /// ```
    pub fn queue(&self) -> &Queue<ObjectKey> {
        &self.queue
    }

    /// Runs until this future ends, or for as long as the future of this function is polled.
    ///
    /// When it ends, nothing more is begun, and the calls under way have the [`stop_timeout`](Controller::stop_timeout)
    /// to end. The result says which did not. Dropping the future drops them at once: from then on, no line of them is
    /// run.
    ///
    /// It ends by itself when one of its informers has ended, in the same way.
    ///
    /// # As the work of a leader
    ///
    /// Within the work that an elector of `k8s-client-leader-election` runs, a controller keeps to the leader's term by
    /// itself: when the elector is asked to stop, it ends as if this future had ended; and once the term is over, no
    /// line of a call is run any more, not even after the machine was suspended. So nothing is to be said about the
    /// term:
    ///
    /// ```no_run
    /// # use k8s_client_controller::{Reconciler, Stopped};
    /// # use k8s_client_runtime::k8s_openapi::api::core::v1::Pod;
    /// # struct Elector;
    /// # impl Elector {
    /// #     async fn lead_until<F: Future>(&mut self, _: impl Future, work: impl FnOnce(()) -> F) -> F::Output {
    /// #         work(()).await
    /// #     }
    /// # }
    /// # async fn example(mut elector: Elector, controller: Reconciler<Pod, ()>) {
    /// // `elector` is a k8s_client_leader_election::Elector.
    /// elector.lead_until(k8s_client_runtime::stop_signal(), |_term| controller.run()).await;
    /// # }
    /// ```
    ///
    /// It is the call of this function, or the first poll of its future, that must be within the work; the future may
    /// become a task then. Tasks that a call starts know of no term: they ask the elector's `Term` themselves.
    pub fn run_until<S: Future>(self, stop: S) -> impl Future<Output = Stopped> {
        let called_in = leading::term();
        async move {
            let Self { objects, others, settings, queue, mut conditions, context, call, has_finalizer: _ } = self;
            let term = called_in.or_else(leading::term);
            if let Some(term) = term.clone() {
                conditions.push(Box::new(move || term.is_valid()));
            }
            let stop = async {
                let stopping = term.map_or_else(|| future::pending().boxed(), |term| term.stopping());
                tokio::select! {
                    _ = stop => {}
                    () = stopping => {}
                }
            };
            let memory = Arc::new(Memory::new(settings.metrics.clone()));
            let breaks_off = (!settings.waits_out_backoff).then(|| memory.clone());
            let informer = objects.informer.clone();
            let own = (Needed::new(&informer), feed_own(objects, settings.resync, breaks_off));
            let (mut feeding, mut synced) = (Vec::new(), Vec::new());
            for (needed, feed) in std::iter::once(own).chain(others) {
                feeding.push(feed(queue.clone()).map(|()| needed.name).boxed());
                synced.push((needed.synced)());
            }
            let feeding = future::select_all(feeding).map(|(informer, ..)| informer);
            let synced = future::join_all(synced).map(drop);
            let gate = Arc::new(Gate::new(conditions));
            run(Run { objects: informer, settings, queue, context, call, memory, gate }, feeding, synced, stop).await
        }
    }

    /// Runs until one of its informers has ended, or [may not](Self::only_while) any more; and as the work of a leader
    /// [until the term is over](Self::run_until).
    pub fn run(self) -> impl Future<Output = Stopped> {
        self.run_until(future::pending::<()>())
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Controller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static, C> fmt::Debug for Reconciler<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciler").field("name", &self.settings.name).finish_non_exhaustive()
    }
}
