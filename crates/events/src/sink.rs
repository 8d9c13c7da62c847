//! Where events are written: one of the two APIs that the server has for them.

use std::time::Duration;

use k8s_client_runtime::{
    Error, RestClient, Result,
    resource::{Patch, ResourceClient},
};
use k8s_openapi::{
    api::{core::v1 as core, events::v1 as events},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time},
    jiff::Timestamp,
};
use serde_json::json;

use crate::correlate::{Key, Outcome, Write};

/// A request that takes longer is tried again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Events,
    Core,
}

impl Api {
    /// The permission that the program needs, and the rule that gives it.
    pub(crate) fn permission(self) -> &'static str {
        match self {
            Self::Events => {
                "the program needs permission to create and patch events.events.k8s.io. Add to its Role or \
                 ClusterRole: {apiGroups: [\"events.k8s.io\"], resources: [\"events\"], verbs: [\"create\", \"patch\"]}"
            }
            Self::Core => {
                "the program needs permission to create and patch events. Add to its Role or ClusterRole: \
                 {apiGroups: [\"\"], resources: [\"events\"], verbs: [\"create\", \"patch\"]}"
            }
        }
    }
}

pub(crate) struct Sink {
    pub(crate) client: RestClient,
    pub(crate) api: Api,
    pub(crate) controller: String,
    pub(crate) instance: String,
    pub(crate) host: Option<String>,
    /// Where events of objects of the cluster go.
    pub(crate) cluster_namespace: String,
}

impl Sink {
    /// Sends the request.
    pub(crate) async fn send(&self, write: &Write) -> Result<()> {
        let namespace = write.key.regarding.namespace().unwrap_or(&self.cluster_namespace);
        match self.api {
            Api::Events => {
                let client = ResourceClient::<events::Event>::namespaced(&self.client, namespace);
                if write.creates {
                    client.create(&self.event(write, namespace)).with_timeout(REQUEST_TIMEOUT).await?;
                } else {
                    client.patch(&write.name, &repeated(write)).with_timeout(REQUEST_TIMEOUT).await?;
                }
            }
            Api::Core => {
                let client = ResourceClient::<core::Event>::namespaced(&self.client, namespace);
                if write.creates {
                    client.create(&self.core_event(write, namespace)).with_timeout(REQUEST_TIMEOUT).await?;
                } else {
                    client.patch(&write.name, &core_repeated(write)).with_timeout(REQUEST_TIMEOUT).await?;
                }
            }
        }
        Ok(())
    }

    fn event(&self, write: &Write, namespace: &str) -> events::Event {
        let Key { regarding, type_, reason, action, .. } = &*write.key;
        events::Event {
            metadata: metadata(write, namespace),
            event_time: Some(MicroTime(write.first)),
            series: (write.count > 1)
                .then(|| events::EventSeries { count: count(write), last_observed_time: MicroTime(write.last) }),
            reporting_controller: Some(self.controller.clone()),
            reporting_instance: Some(self.instance.clone()),
            action: Some(action.clone()),
            reason: Some(reason.clone()),
            regarding: Some(regarding.to_object_reference()),
            related: related(&write.key),
            note: Some(write.note.clone()),
            type_: Some(type_.as_str().to_owned()),
            ..events::Event::default()
        }
    }

    fn core_event(&self, write: &Write, namespace: &str) -> core::Event {
        let Key { regarding, type_, reason, action, .. } = &*write.key;
        core::Event {
            metadata: metadata(write, namespace),
            count: Some(count(write)),
            first_timestamp: Some(Time(write.first)),
            last_timestamp: Some(Time(write.last)),
            source: Some(core::EventSource { component: Some(self.controller.clone()), host: self.host.clone() }),
            reporting_component: Some(self.controller.clone()),
            reporting_instance: Some(self.instance.clone()),
            action: Some(action.clone()).filter(|action| !action.is_empty()),
            reason: Some(reason.clone()),
            involved_object: regarding.to_object_reference(),
            related: related(&write.key),
            message: Some(write.note.clone()),
            type_: Some(type_.as_str().to_owned()),
            ..core::Event::default()
        }
    }
}

fn metadata(write: &Write, namespace: &str) -> ObjectMeta {
    ObjectMeta { name: Some(write.name.clone()), namespace: Some(namespace.to_owned()), ..ObjectMeta::default() }
}

fn related(key: &Key) -> Option<core::ObjectReference> {
    let (related, _) = key.own.as_ref()?;
    related.as_ref().map(crate::Reference::to_object_reference)
}

/// More than the field can hold is as much as it can hold.
fn count(write: &Write) -> i32 {
    i32::try_from(write.count).unwrap_or(i32::MAX)
}

/// Everything else of such an event cannot be changed.
fn repeated(write: &Write) -> Patch {
    Patch::Merge(json!({ "series": { "count": count(write), "lastObservedTime": MicroTime(write.last) } }))
}

fn core_repeated(write: &Write) -> Patch {
    let last: Timestamp = write.last;
    Patch::Merge(json!({ "count": count(write), "lastTimestamp": Time(last), "message": write.note }))
}

/// What the error means for the event.
pub(crate) fn outcome(write: &Write, result: &Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Written,
        Err(error) if error.is_not_found() && !write.creates => Outcome::Missing,
        Err(error) if error.is_already_exists() && write.creates => Outcome::Exists,
        Err(error) if error.is_transient() => Outcome::Transient,
        Err(_) => Outcome::Refused,
    }
}

/// Nobody needs to know that a namespace takes no events while it is deleted.
pub(crate) fn is_of_a_terminating_namespace(error: &Error) -> bool {
    error.has_cause("NamespaceTerminating")
}
