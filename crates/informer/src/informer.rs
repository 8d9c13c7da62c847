//! The informer: a store, and the tasks that fill it.

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use k8s_client_runtime::{
    Error,
    codec::Codec,
    machine,
    resource::{Lists, TypedClient, Watches},
};
use tokio::{sync::Mutex, task::JoinSet};

use crate::{
    Index, InformerBuilder, InformerError, Lister, Metrics, ObjectKey, Subscription,
    follow::{Follower, source::Source},
    keep::Decode,
    store::{Status, Store},
    version,
};

/// Keeps all objects of a resource in memory and follows their changes: client-go's shared informer. A clone is the
/// same informer.
///
/// The objects are listed once and then watched. Lost connections, restarts of the server, versions that are too old:
/// the informer goes on by itself, and its readers see no more than the changes there were.
///
/// It ends, with its task and its connection, when the last of its handles is dropped: informers, [`Lister`]s,
/// [`Index`]es and [`Subscription`]s are all handles.
///
/// ```no_run
/// use k8s_client_informer::Informer;
/// # use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
/// use k8s_client_runtime::{RestClient, resource::ResourceClient};
///
/// # async fn example(client: RestClient) -> Result<(), Box<dyn std::error::Error>> {
/// let all = ResourceClient::<ConfigMap>::all_namespaces(&client);
/// let config_maps = Informer::of(all).label_selector("app=web").start();
/// config_maps.synced().await?;
/// for config_map in config_maps.lister().in_namespace("default").all() {
///     println!("{:?}", config_map.metadata.name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # How objects are kept
///
/// * As bytes, by default: in the form in which they came, without `managedFields`, and decoded each time they are
///   read. Ten thousand pods take about as much memory as their protobuf.
/// * [`whole`](InformerBuilder::whole): decoded. For a program that reads thousands of objects in a hot loop.
/// * [`project`](InformerBuilder::project): as something of the program's own, made of each object as it comes.
pub struct Informer<T: Send + Sync + 'static> {
    shared: Arc<Shared<T>>,
}

/// What all handles share. The tasks have the store alone, so they end with the last handle.
pub(crate) struct Shared<T> {
    pub(crate) store: Arc<Store<T>>,
    source: String,
    /// Dropping them aborts them.
    tasks: Mutex<JoinSet<()>>,
}

/// Ends the informer when a function of the program's own panics in its task: nobody is to take what is in memory for
/// what there is.
struct EndsOnPanic<T: Send + Sync + 'static>(Arc<Store<T>>);

impl<T: Send + Sync + 'static> Drop for EndsOnPanic<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}

impl<T: Send + Sync + 'static> Informer<T> {
    /// Begins to build an informer for the objects of a client: a generated one, a
    /// [`ResourceClient`](k8s_client_runtime::resource::ResourceClient), a dynamic or a metadata client. What the
    /// client means, the informer has: one namespace, all of them, or the cluster.
    pub fn of<C>(client: C) -> InformerBuilder<C, T>
    where
        C: Lists + Watches + TypedClient<Kind: Codec<Object = T>> + 'static,
    {
        InformerBuilder::new(client)
    }

    pub(crate) fn start(sources: Vec<Arc<dyn Source<T>>>, decode: Decode<T>, metrics: &Arc<dyn Metrics>) -> Self {
        let store = Arc::new(Store::new(sources.len(), decode));
        let source = match &sources[..] {
            [] => "nothing".to_owned(),
            [only] => only.place().url,
            [first, others @ ..] => format!("{} and {} more", first.place().url, others.len()),
        };
        let mut tasks = JoinSet::new();
        for (number, source) in sources.into_iter().enumerate() {
            let follower = Follower { source, store: store.clone(), number, metrics: metrics.clone() };
            let guard = EndsOnPanic(store.clone());
            tasks.spawn(machine::own(async move {
                let _guard = guard;
                follower.follow().await;
            }));
        }
        Self { shared: Arc::new(Shared { store, source, tasks: Mutex::new(tasks) }) }
    }

    pub(crate) fn with_shared(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<T>> {
        &self.shared
    }

    /// Reads the objects.
    pub fn lister(&self) -> Lister<T> {
        Lister::new(self.shared.clone())
    }

    /// Finds objects by values that this function computes of each: none, one, or several. It may be made at any time,
    /// and has the objects that are there at once.
    ///
    /// The function is called when an object comes or changes. It must be quick, and depend on nothing but the object.
    pub fn index<V, I>(&self, values_of: impl Fn(&T) -> I + Send + Sync + 'static) -> Index<V, T>
    where
        V: Clone + Eq + Hash + Send + Sync + 'static,
        I: IntoIterator<Item = V>,
    {
        Index::new(self.shared.clone(), Box::new(move |object| values_of(object).into_iter().collect()))
    }

    /// A stream of all objects and then of their changes.
    pub fn subscribe(&self) -> Subscription<T> {
        Subscription::new(self.shared.clone(), self.shared.store.subscribe(None))
    }

    /// The same for the objects that a filter lets through. One that comes to match is an `Added`, one that stops
    /// matching a `Deleted`: client-go's `FilteringResourceEventHandler`. The filter must be quick, and depend on
    /// nothing but the object.
    pub fn subscribe_filtered(&self, filter: impl Fn(&T) -> bool + Send + Sync + 'static) -> Subscription<T> {
        Subscription::new(self.shared.clone(), self.shared.store.subscribe(Some(Box::new(filter))))
    }

    /// Waits until all objects are there.
    ///
    /// # Errors
    ///
    /// [`InformerError::Refused`] as soon as the server refuses the list, as by 403 or 404: waiting alone does not help
    /// then. The informer goes on trying, so that a resource that appears later, or a permission that is granted, is
    /// found; [`synced_within`](Self::synced_within) waits for that. Errors that pass are waited out.
    pub async fn synced(&self) -> Result<(), InformerError> {
        self.wait(|status| {
            if status.is_synced() {
                return Some(Ok(()));
            }
            status.refusal().map(|error| Err(InformerError::Refused(error.clone())))
        })
        .await
    }

    /// Waits until all objects are there, for as long as the limit allows, whatever the server answers meanwhile.
    pub async fn synced_within(&self, limit: Duration) -> Result<(), InformerError> {
        let synced = self.wait(|status| status.is_synced().then_some(Ok(())));
        let timed_out = |_| Err(self.timed_out(limit, "the informer did not have all objects".to_owned()));
        tokio::time::timeout(limit, synced).await.unwrap_or_else(timed_out)
    }

    /// Waits until the store has come to this version: that of an object that the program has just written, so that it
    /// reads its own write.
    ///
    /// # Errors
    ///
    /// When the limit passes, with both versions; when the text is not a version; and when the informer is shut down.
    pub async fn wait_for(&self, resource_version: &str, limit: Duration) -> Result<(), InformerError> {
        self.wait_for_source(None, resource_version, limit).await
    }

    /// The same for an object that is there: of several sources, only the one that has it counts. For one that is not
    /// there it does not wait.
    #[doc(hidden)]
    pub async fn wait_for_key(
        &self,
        key: &ObjectKey,
        resource_version: &str,
        limit: Duration,
    ) -> Result<(), InformerError> {
        let Some(entry) = self.shared.store.entry(key.namespace(), key.name()) else { return Ok(()) };
        self.wait_for_source(Some(entry.source), resource_version, limit).await
    }

    async fn wait_for_source(
        &self,
        source: Option<usize>,
        resource_version: &str,
        limit: Duration,
    ) -> Result<(), InformerError> {
        if version::compare(resource_version, resource_version).is_none() {
            return Err(InformerError::NotAVersion(resource_version.to_owned()));
        }
        let reached = |status: &Status| {
            let at_least = |has: &str| version::compare(has, resource_version).is_some_and(std::cmp::Ordering::is_ge);
            status.version(source).is_some_and(at_least).then_some(Ok(()))
        };
        if let Ok(result) = tokio::time::timeout(limit, self.wait(reached)).await {
            return result;
        }
        let has = self.version(source).unwrap_or_else(|| "no version".to_owned());
        let mut waiting = format!("the informer is at {has} and did not come to version {resource_version}");
        if self.health().watch_fault == Some(WatchFault::EndsAtOnce) {
            waiting += ", as the server, or a proxy, ends its watches at once,";
        }
        Err(self.timed_out(limit, waiting))
    }

    async fn wait(&self, until: impl Fn(&Status) -> Option<Result<(), InformerError>>) -> Result<(), InformerError> {
        let ended = |status: &Status| status.ended.then_some(Err(InformerError::Ended));
        self.shared.store.wait(|status| until(status).or_else(|| ended(status))).await
    }

    fn timed_out(&self, limit: Duration, waiting: String) -> InformerError {
        InformerError::TimedOut { limit, waiting, last: self.health().error }
    }

    /// The version that the store has come to, of lists, events and bookmarks: the oldest one of several sources.
    /// `None` before all objects are there.
    pub fn resource_version(&self) -> Option<String> {
        self.version(None)
    }

    fn version(&self, source: Option<usize>) -> Option<String> {
        self.shared.store.status().version(source).map(str::to_owned)
    }

    /// What the informer follows, for logs: the URL of its list; of several, the first one and the number of the
    /// others.
    pub fn source(&self) -> &str {
        &self.shared.source
    }

    /// The state of the informer, for a readiness check.
    pub fn health(&self) -> Health {
        let status = self.shared.store.status();
        Health {
            synced: status.is_synced(),
            last_contact: status.sources.iter().map(|source| source.contact).min().flatten().map(|at| at.elapsed()),
            error: status.sources.iter().find_map(|source| source.error.clone()),
            undecodable: status.sources.iter().find_map(|source| source.undecodable.clone()),
            watch_fault: status.watch_fault(),
            ended: status.ended,
        }
    }

    /// Ends the informer for all of its handles, and waits until its tasks are gone. What is in memory can still be
    /// read; subscriptions end.
    pub async fn shutdown(&self) {
        // Whoever is second waits as well, and who gives up waiting has ended it all the same.
        self.shared.store.end();
        let mut tasks = self.shared.tasks.lock().await;
        tasks.shutdown().await;
    }
}

impl<T: Send + Sync + 'static> Clone for Informer<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Informer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Informer")
            .field("source", &self.source())
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}

/// What is wrong with watches that are opened and end without an error. All objects are there all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchFault {
    /// The last watch was over within a second and brought nothing new. If each of them is, as behind a proxy that does
    /// not let answers stream, objects are listed again after pauses of up to a minute, and are as old as that. It goes
    /// with a watch that lasts.
    EndsAtOnce,
    /// A watch with initial events came without the mark behind them. The server, or a proxy, does not support them
    /// well, so the informer asks for lists from then on: nothing is missing, but they cost the server more.
    NeverMarked,
}

impl fmt::Display for WatchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndsAtOnce => {
                "a watch ended at once and brought nothing: look for a proxy that does not let answers stream; until \
                 watches last, an informer lists the objects again after pauses of up to a minute"
            }
            Self::NeverMarked => {
                "a watch with initial events came without the mark behind them, so an informer asks for lists instead"
            }
        })
    }
}

/// The state of an informer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// Whether all objects are there. Once they are, they stay, however old they become.
    pub synced: bool,
    /// How long ago the server was last heard of: by the source that has heard nothing for the longest. `None` before
    /// the first answer. An idle resource has a bookmark about once a minute.
    pub last_contact: Option<Duration>,
    /// Why the resource is not followed at the moment. It goes when the server answers.
    pub error: Option<Arc<Error>>,
    /// Why an object is not there, or stays as it was, though the server has it: the last one that could not be decoded
    /// since everything was read. The others are as they should be.
    pub undecodable: Option<Arc<Error>>,
    /// What is wrong with the watches of the server, though they are opened and end without an error.
    pub watch_fault: Option<WatchFault>,
    /// Whether the informer was shut down.
    pub ended: bool,
}
