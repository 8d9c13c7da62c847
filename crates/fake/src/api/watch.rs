//! Watches: what happens to the objects that are meant, as it happens.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Call, options,
    read::{self, Selection},
};
use crate::{
    breaks::{Break, is_broken},
    failure::{Failure, Result},
    hooks,
    http::{Renderer, Representation},
    model::Resource,
    state::{State, empty_object, in_version},
    store::{Event, Object, prefix},
};

/// How often a bookmark comes.
const BOOKMARKS: Duration = Duration::from_secs(60);

/// How long before its end a watch has its last bookmark.
const BEFORE_END: Duration = Duration::from_secs(2);

/// The annotation of the bookmark behind the initial events.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// A watch that is open.
#[derive(Debug)]
pub(crate) struct WatchStream {
    resource: Arc<Resource>,
    selection: Selection,
    /// What the keys of the objects begin with.
    prefix: String,
    renderer: Renderer,
    /// Events that are there already.
    ready: VecDeque<Bytes>,
    /// The revision up to which events have been sent.
    sent: u64,
    /// When it ends.
    end: Instant,
    /// When the next bookmark is due, if there are to be any.
    bookmark: Option<Instant>,
    is_over: bool,
}

/// Opens a watch.
pub(crate) fn open(state: &mut State, call: &Call, renderer: Renderer) -> Result<WatchStream> {
    options::check_list(call)?;
    let selection = Selection::of(call)?;
    let from = read::revision(call, true)?;
    let initial = call.query.flag("sendInitialEvents");
    let bookmarks = call.query.flag("allowWatchBookmarks") == Some(true);
    let now = Instant::now();
    let end = match call.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds) if seconds > 0 => now + Duration::from_secs(seconds),
        // As the server: somewhere between half an hour and an hour.
        _ => now + Duration::from_secs(state.random.u64(1_800..3_600)),
    };
    let mut stream = WatchStream {
        resource: Arc::clone(&call.resource),
        selection,
        prefix: prefix(call.path.namespace.as_deref().filter(|_| call.resource.namespaced)),
        renderer,
        ready: VecDeque::new(),
        sent: if is_broken(Break::WatchBeginsOneEventLate) && from > 0 { from + 1 } else { from },
        end,
        bookmark: bookmarks.then(|| (now + BOOKMARKS).min(end - BEFORE_END.min(end - now))),
        is_over: false,
    };
    match initial {
        Some(false) if from == 0 => stream.sent = state.store.revision(),
        Some(true) => {
            stream.begin_with_state(state);
            if bookmarks && !is_broken(Break::InitialEventsHaveNoEnd) {
                let bookmark = stream.bookmark_event(true);
                stream.ready.push_back(bookmark);
            }
        }
        None if from == 0 => stream.begin_with_state(state),
        _ if from < state.store.compacted() => {
            stream.expire(state);
        }
        _ => {}
    }
    Ok(stream)
}

impl WatchStream {
    /// Puts all objects that there are before what happens next.
    fn begin_with_state(&mut self, state: &State) {
        let prefix = self.prefix.clone();
        for (_, object) in state.store.list(&self.resource.storage, &prefix, None) {
            let object = in_version(object, &self.resource);
            if self.selection.matches(&self.resource, &object) {
                let event = self.event("ADDED", &object);
                self.ready.push_back(event);
            }
        }
        self.sent = state.store.revision();
    }

    /// Ends it as if its connection broke.
    pub(crate) fn cut(&mut self) {
        self.ready.clear();
        self.is_over = true;
    }

    /// Ends it with the event that says that what it has not seen is forgotten.
    pub(crate) fn expire(&mut self, state: &State) {
        let problem = format!("too old resource version: {} ({})", self.sent, state.store.compacted());
        let status = self.renderer.value(&Failure::expired(problem).status());
        self.ready.clear();
        self.ready.push_back(self.renderer.event("ERROR", &status));
        self.is_over = true;
    }

    /// What there is to send now, if there is anything. `None` with [`is_over`](Self::is_over) is the end.
    pub(crate) fn next(&mut self, state: &State) -> Option<Bytes> {
        self.renderer.rows.now = state.clock.now().as_secs();
        if self.ready.is_empty() && !self.is_over {
            self.read(state);
        }
        if self.ready.is_empty() && !self.is_over {
            self.keep_time();
        }
        self.ready.pop_front()
    }

    /// What `Content-Type` says of it.
    pub(crate) fn content_type(&self) -> &'static str {
        self.renderer.content_type_of_watch()
    }

    /// Whether nothing comes any more but what is ready.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over && self.ready.is_empty()
    }

    /// When it has to be asked again even if nothing happens.
    pub(crate) fn deadline(&self) -> Instant {
        self.bookmark.map_or(self.end, |bookmark| bookmark.min(self.end))
    }

    fn read(&mut self, state: &State) {
        let Some(events) = state.store.after(self.sent) else {
            // What it has not read yet is forgotten. The server has no time for a slow reader.
            self.is_over = true;
            return;
        };
        let mut ready = Vec::new();
        for event in events {
            if *event.resource == *self.resource.storage && event.key.starts_with(&self.prefix) {
                ready.extend(self.told(event));
            }
        }
        self.ready.extend(ready);
        self.sent = self.sent.max(state.store.revision());
        // Nobody serves what has lost its definition.
        let is_served = || state.resource_of(&self.resource.version_text, &self.resource.plural).is_some();
        self.is_over |= self.resource.custom.is_some() && !is_served();
    }

    fn keep_time(&mut self) {
        let now = Instant::now();
        if let Some(due) = self.bookmark.filter(|due| *due <= now) {
            let bookmark = self.bookmark_event(false);
            self.ready.push_back(bookmark);
            let last = self.end.checked_sub(BEFORE_END).unwrap_or(self.end);
            self.bookmark = if due >= last { None } else { Some((due + BOOKMARKS).min(last)) };
        }
        if self.end <= now {
            self.is_over = true;
        }
    }

    /// What a write is for somebody who sees a part of the objects.
    fn told(&self, event: &Event) -> Option<Bytes> {
        let view = |object: &Option<Arc<Object>>| object.as_ref().map(|object| in_version(object, &self.resource));
        let is_meant = |object: &Option<Arc<Object>>| {
            let is_meant = |object: &Arc<Object>| {
                is_broken(Break::WatchIsNotSelective) || self.selection.matches(&self.resource, object)
            };
            object.as_ref().is_some_and(is_meant)
        };
        let (before, after) = (view(&event.before), view(&event.after));
        match (is_meant(&before), is_meant(&after)) {
            (false, true) => after.map(|after| self.event("ADDED", &after)),
            (true, true) => after.map(|after| self.event("MODIFIED", &after)),
            (true, false) if is_broken(Break::DeletionIsNotTold) => None,
            (true, false) if after.is_some() && is_broken(Break::ObjectThatLeavesASelectionIsModified) => {
                after.map(|after| self.event("MODIFIED", &after))
            }
            (true, false) if is_broken(Break::DeletionHasTheOldVersion) => {
                before.map(|before| self.event("DELETED", &before))
            }
            (true, false) => {
                let last = view(&event.gone).or_else(|| {
                    // It is still there, but not meant any more.
                    let before = before?;
                    Some(Object::new(before.value.clone(), &before.version, event.revision).into())
                });
                last.map(|last| self.event("DELETED", &last))
            }
            (false, false) => None,
        }
    }

    fn event(&self, kind: &str, object: &Object) -> Bytes {
        self.renderer.event(kind, &self.renderer.one(&self.resource, object))
    }

    fn bookmark_event(&self, after_initial: bool) -> Bytes {
        // It is an object of the kind in which nothing else is set.
        let representation = self.renderer.form.representation;
        let (api_version, kind, mut object) = match representation {
            Representation::Metadata => ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadata", json!({})),
            _ => (self.resource.api_version(), self.resource.kind.as_str(), empty_object(&self.resource)),
        };
        let mut metadata: Value = json!({"resourceVersion": self.sent.to_string()});
        if after_initial {
            metadata["annotations"] = json!({INITIAL_EVENTS_END: "true"});
        }
        let is_whole = representation != Representation::Metadata;
        if is_whole && self.resource.group == "apps" && self.resource.subresources.contains_key("scale") {
            // Inside of the server they are no pointer, so that there are always some.
            object["spec"]["replicas"] = 0.into();
        }
        object["apiVersion"] = api_version.into();
        object["kind"] = kind.into();
        if is_whole {
            hooks::convert_nothing(&self.resource, &mut metadata);
        }
        object["metadata"] = metadata;
        self.renderer.event("BOOKMARK", &self.renderer.value(&object))
    }
}
