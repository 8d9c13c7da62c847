//! What was written, as it is written.

use std::{fmt, sync::Arc};

use serde_json::Value;

use super::RecordedRequest;
use crate::{
    server::FakeServer,
    store::{Event, Object},
};

/// A write to an object that a [`FakeServer`] keeps.
#[derive(Clone)]
pub struct Write {
    event: Arc<Event>,
    request: Option<Arc<RecordedRequest>>,
}

impl Write {
    /// The resource: its plural, with a dot and the group behind it unless that is the core group:
    /// `deployments.apps`.
    pub fn resource(&self) -> &str {
        &self.event.resource
    }

    /// The namespace of the object; empty for one of the cluster.
    pub fn namespace(&self) -> &str {
        self.event.key.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    /// The name of the object.
    pub fn name(&self) -> &str {
        self.event.key.split_once('/').map_or(&*self.event.key, |(_, name)| name)
    }

    /// The object before; `None` for one that is created.
    pub fn before(&self) -> Option<&Value> {
        self.event.before.as_ref().map(|object| &object.value)
    }

    /// The object after; `None` for one that is deleted.
    pub fn after(&self) -> Option<&Value> {
        self.event.after.as_ref().map(|object: &Arc<Object>| &object.value)
    }

    /// The request that it comes of; `None` for what a test or a controller's step did.
    pub fn request(&self) -> Option<&RecordedRequest> {
        self.request.as_deref()
    }
}

/// `update configmaps default/settings`
impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.before(), self.after()) {
            (None, _) => "create",
            (_, None) => "delete",
            _ => "update",
        };
        write!(f, "{what} {} {}", self.resource(), self.event.key)
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("what", &self.to_string())
            .field("before", &self.before())
            .field("after", &self.after())
            .finish_non_exhaustive()
    }
}

type Observer = Box<dyn FnMut(&Write) + Send>;

/// Who is told of writes.
#[derive(Default)]
pub(crate) struct Observers {
    list: Vec<Observer>,
    /// The revision up to which they know what happened.
    told: u64,
}

impl FakeServer {
    /// Calls this function with each write from now on, when it has been done and before it is answered. It may read
    /// the server, and must not write.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = k8s_client_fake::FakeServer::new();
    /// server.on_write(|write| println!("{write}: {:?}", write.after()));
    /// server.add(&serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_write(&self, observer: impl FnMut(&Write) + Send + 'static) {
        let mut observers = self.observers();
        if observers.list.is_empty() {
            observers.told = self.revision();
        }
        observers.list.push(Box::new(observer));
    }

    /// Tells of what was written since the last time.
    pub(crate) fn report(&self, request: Option<u64>) {
        let mut observers = self.observers();
        if observers.list.is_empty() {
            return;
        }
        let (events, request) = {
            let mut state = self.state();
            let events: Vec<_> = state.store.after(observers.told).into_iter().flatten().cloned().collect();
            observers.told = state.store.revision();
            if events.is_empty() {
                return;
            }
            (events, request.and_then(|number| state.requests.get_mut(number).map(|request| Arc::new(request.clone()))))
        };
        for event in events {
            let write = Write { event, request: request.clone() };
            observers.list.iter_mut().for_each(|observer| observer(&write));
        }
    }
}
