//! Changes as a stream.

use std::{
    fmt,
    future::Future as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use tokio::{
    task::coop,
    time::{Instant, Sleep, sleep},
};

use crate::{
    ObjectKey,
    entry::Entry,
    informer::Shared,
    store::{Buffer, RawEvent},
};

/// What has happened to an object.
#[derive(Debug)]
pub enum Event<T> {
    /// The object is there, or has come to match the subscription's filter.
    Added(Arc<T>),
    /// The object has changed, perhaps more than once. In a [resync](Subscription::resync) both are the same.
    Updated {
        /// The state that the subscription gave last.
        old: Arc<T>,
        /// The state now.
        new: Arc<T>,
    },
    /// The object is gone, or no longer matches the subscription's filter.
    Deleted {
        /// Its last state that is known.
        last: Arc<T>,
        /// Whether the deletion was seen, so that `last` is the last state there was. Otherwise the object was missing
        /// when the informer listed again, and may have changed before it went: client-go's `DeletedFinalStateUnknown`.
        seen: bool,
    },
    /// All objects that were there when the informer started, or when the subscription began, have been given.
    Synced,
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Added(object) => Self::Added(object.clone()),
            Self::Updated { old, new } => Self::Updated { old: old.clone(), new: new.clone() },
            Self::Deleted { last, seen } => Self::Deleted { last: last.clone(), seen: *seen },
            Self::Synced => Self::Synced,
        }
    }
}

impl<T> Event<T> {
    /// The object: the new one of an update, the last state of a deletion. `Synced` has none.
    pub fn object(&self) -> Option<&Arc<T>> {
        match self {
            Self::Added(object) | Self::Updated { new: object, .. } | Self::Deleted { last: object, .. } => {
                Some(object)
            }
            Self::Synced => None,
        }
    }
}

/// A stream of the changes of an informer's objects: client-go's event handlers.
///
/// It begins with all objects as [`Added`](Event::Added), then [`Synced`](Event::Synced), then goes on with what
/// changes, without a gap and without a repeat. It ends when the informer is shut down.
///
/// A slow reader gets fewer events: changes of one object that were not read yet become one. So a subscription holds
/// at most one entry for each object, and a slow one holds nobody else up. An object that came and went unread has no
/// event at all. One that was deleted and made again, so that it has another uid, always has both,
/// [`Deleted`](Event::Deleted) and `Added`.
///
/// ```no_run
/// use k8s_client_informer::{Event, Informer};
/// # use k8s_client_runtime::k8s_openapi::api::core::v1::Pod;
///
/// # async fn example(pods: Informer<Pod>) {
/// let mut changes = pods.subscribe();
/// while let Some(event) = changes.next().await {
///     match event {
///         Event::Added(pod) | Event::Updated { new: pod, .. } => println!("is {:?}", pod.metadata.name),
///         Event::Deleted { last, .. } => println!("was {:?}", last.metadata.name),
///         Event::Synced => println!("that is all there was"),
///     }
/// }
/// # }
/// ```
#[must_use = "a subscription is a stream"]
pub struct Subscription<T: Send + Sync + 'static> {
    shared: Arc<Shared<T>>,
    buffer: Arc<Buffer<T>>,
    resync: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl<T: Send + Sync + 'static> Subscription<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>, buffer: Arc<Buffer<T>>) -> Self {
        Self { shared, buffer, resync: None }
    }

    /// Gives every object again each time this period has passed, as an update from itself to itself, for programs that
    /// reconcile more than changes. The period varies by a tenth at random. Nothing is asked of the server for that.
    pub fn resync(mut self, period: Duration) -> Self {
        let period = period.max(Duration::from_millis(1));
        self.resync = Some((period, Box::pin(sleep(varied(period)))));
        self
    }

    /// The next event; `None` when the informer was shut down and everything before has been read.
    pub async fn next(&mut self) -> Option<Event<T>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The next event, with keys instead of objects: for programs that put them into a queue and look at the objects
    /// later. Nothing is decoded for that.
    ///
    /// ```no_run
    /// use k8s_client_informer::{Informer, ObjectKey};
    /// # use k8s_client_runtime::k8s_openapi::api::core::v1::Pod;
    ///
    /// # async fn example(pods: Informer<Pod>, add: impl Fn(&ObjectKey)) {
    /// let mut changes = pods.subscribe();
    /// while let Some(event) = changes.next_key().await {
    ///     if let Some(key) = event.object() {
    ///         add(key);
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn next_key(&mut self) -> Option<Event<ObjectKey>> {
        let key = |entry: &Entry<T>| Arc::new(entry.key.clone());
        let event = std::future::poll_fn(|context| self.poll_raw(context)).await?;
        Some(match event {
            RawEvent::Synced => Event::Synced,
            RawEvent::Added(entry) => Event::Added(key(&entry)),
            RawEvent::Deleted { last, seen } => Event::Deleted { last: key(&last), seen },
            RawEvent::Updated { old, new } => {
                let new_key = key(&new);
                let old_key = if Arc::ptr_eq(&old, &new) { new_key.clone() } else { key(&old) };
                Event::Updated { old: old_key, new: new_key }
            }
        })
    }

    /// How many events wait to be read.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether no event waits to be read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn poll_raw(&mut self, context: &mut Context<'_>) -> Poll<Option<RawEvent<T>>> {
        // A large snapshot is all there, and a loop over it would hold up the other tasks of its thread.
        let turn = ready!(coop::poll_proceed(context));
        self.poll_resync(context);
        let event = ready!(self.buffer.poll_next(context));
        turn.made_progress();
        Poll::Ready(event)
    }

    fn poll_resync(&mut self, context: &mut Context<'_>) {
        let Some((period, timer)) = &mut self.resync else { return };
        while timer.as_mut().poll(context).is_ready() {
            timer.as_mut().reset(Instant::now() + varied(*period));
            self.shared.store.resync(&self.buffer);
        }
    }

    /// The event with its objects decoded.
    fn read(&self, event: RawEvent<T>) -> Option<Event<T>> {
        let store = &self.shared.store;
        Some(match event {
            RawEvent::Synced => Event::Synced,
            RawEvent::Added(entry) => Event::Added(store.object(&entry)?),
            RawEvent::Deleted { last, seen } => Event::Deleted { last: store.object(&last)?, seen },
            RawEvent::Updated { old, new } => {
                let new_object = store.object(&new)?;
                let old_object = if Arc::ptr_eq(&old, &new) { new_object.clone() } else { store.object(&old)? };
                Event::Updated { old: old_object, new: new_object }
            }
        })
    }
}

/// A tenth more or less, so that many subscriptions do not come due together.
fn varied(period: Duration) -> Duration {
    period.mul_f64(0.9 + 0.2 * fastrand::f64())
}

impl<T: Send + Sync + 'static> Stream for Subscription<T> {
    type Item = Event<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        loop {
            let Some(event) = ready!(self.poll_raw(context)) else { return Poll::Ready(None) };
            if let Some(event) = self.read(event) {
                return Poll::Ready(Some(event));
            }
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("unread", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use k8s_client_runtime::{
        codec::{self, Codec as _},
        k8s_openapi::api::core::v1::ConfigMap,
    };

    use super::*;
    use crate::{Informer, Metrics, entry::Arrival, keep::Compact, metrics::NoMetrics};

    fn arrival(version: u8) -> Arrival<ConfigMap> {
        let metadata = format!(r#"{{"namespace":"ns","name":"web","uid":"u","resourceVersion":"{version}"}}"#);
        let body = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{metadata}}}"#);
        let compacted = Compact::<ConfigMap>::decode_json(body.as_bytes()).expect("a config map");
        Arrival::encoded(compacted.object, compacted.encoded)
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_told_and_nothing_is_decoded_for_them() {
        let metrics: Arc<dyn Metrics> = Arc::new(NoMetrics);
        let undecoded = |_: &_| Err(codec::Error::custom("this is not to be decoded"));
        let informer = Informer::<ConfigMap>::start(Vec::new(), undecoded, &metrics);
        let store = &informer.shared().store;
        let mut changes = informer.subscribe().resync(Duration::from_secs(60));
        let web = ObjectKey::new("ns", "web");

        assert!(matches!(changes.next_key().await, Some(Event::Synced)));
        store.set(0, arrival(1));
        assert!(matches!(changes.next_key().await, Some(Event::Added(key)) if *key == web));
        store.set(0, arrival(2));
        let updated = changes.next_key().await;
        assert!(matches!(updated, Some(Event::Updated { old, new }) if *new == web && !Arc::ptr_eq(&old, &new)));
        let resync = changes.next_key().await;
        assert!(matches!(resync, Some(Event::Updated { old, new }) if *new == web && Arc::ptr_eq(&old, &new)));
        store.remove(0, arrival(3));
        assert!(matches!(changes.next_key().await, Some(Event::Deleted { last, seen: true }) if *last == web));
    }
}
