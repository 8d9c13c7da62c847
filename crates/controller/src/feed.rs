//! From the changes of informers to keys in the queue.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use k8s_client_informer::{Event, ObjectKey, Subscription};
use k8s_client_queue::Queue;
use k8s_client_runtime::object::AnyObject;

use crate::{Changes, changes::Filter, memory::Memory};

/// The priority of objects that were there at the start: below all changes, as in controller-runtime.
const AT_THE_START: i32 = -100;

/// What turns the changes of one informer into keys, for as long as it is polled. It ends when the informer has ended.
pub(crate) type Feed = Box<dyn FnOnce(Queue<ObjectKey>) -> BoxFuture<'static, ()> + Send>;

/// The keys that a change of an object concerns.
type Map<T> = Arc<dyn Fn(&T) -> Vec<ObjectKey> + Send + Sync>;

/// Feeds the queue with the keys that the changes concern.
pub(crate) fn feed_mapped<T: Send + Sync + 'static>(changes: Changes<T>, map: Map<T>) -> Feed {
    let Changes { informer, filter } = changes;
    Box::new(move |queue| {
        let add = move |key, priority| queue.add_with_priority(key, priority);
        follow(informer.subscribe(), add, filter, map).boxed()
    })
}

/// Feeds the queue with the keys of the objects that have changed themselves. Nothing is decoded for that, unless there
/// is a filter.
pub(crate) fn feed_own<T: AnyObject + Send + Sync + 'static>(
    changes: Changes<T>,
    resync: Option<Duration>,
    breaks_off: Option<Arc<Memory>>,
) -> Feed {
    let Changes { informer, filter } = changes;
    Box::new(move |queue| {
        let changes = informer.subscribe();
        let mut changes = if let Some(period) = resync { changes.resync(period) } else { changes };
        let add = move |key: ObjectKey, priority| match &breaks_off {
            Some(memory) if memory.is_outdated(&key, &informer) => queue.add_now(key),
            _ => queue.add_with_priority(key, priority),
        };
        if let Some(filter) = filter {
            // Nothing is called for an object that is gone, but what is remembered of it is forgotten.
            let filter: Filter<T> = Arc::new(move |old, new| new.is_none() || filter(old, new));
            let filter = Some(filter);
            return follow(changes, add, filter, Arc::new(|object: &T| vec![ObjectKey::of(object)])).boxed();
        }
        async move {
            let mut priority = AT_THE_START;
            while let Some(event) = changes.next_key().await {
                match (event.object(), is_resync(&event)) {
                    (Some(key), true) => add(ObjectKey::clone(key), AT_THE_START),
                    (Some(key), false) => add(ObjectKey::clone(key), priority),
                    (None, _) => priority = 0,
                }
            }
        }
        .boxed()
    })
}

/// Whether nothing has changed.
fn is_resync<T>(event: &Event<T>) -> bool {
    matches!(event, Event::Updated { old, new } if Arc::ptr_eq(old, new))
}

async fn follow<T: Send + Sync + 'static>(
    mut changes: Subscription<T>,
    add: impl Fn(ObjectKey, i32),
    filter: Option<Filter<T>>,
    map: Map<T>,
) {
    let mut priority = AT_THE_START;
    while let Some(event) = changes.next().await {
        let (old, new) = match &event {
            Event::Synced => {
                priority = 0;
                continue;
            }
            Event::Added(new) => (None, Some(new)),
            Event::Updated { old, new } => (Some(old), Some(new)),
            Event::Deleted { last, .. } => (Some(last), None),
        };
        let is_resync = is_resync(&event);
        if let Some(filter) = &filter
            && !is_resync
            && !filter(old.map(|old| &**old), new.map(|new| &**new))
        {
            continue;
        }
        // An object that has changed hands concerns both.
        let mut keys: Vec<ObjectKey> = old.into_iter().chain(new).flat_map(|object| map(object)).collect();
        keys.sort();
        keys.dedup();
        let priority = if is_resync { AT_THE_START } else { priority };
        for key in keys {
            add(key, priority);
        }
    }
}
