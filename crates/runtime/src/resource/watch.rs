//! Watch.

use std::{future::IntoFuture, marker::PhantomData};

use super::{CallFuture, ResourceVersionMatch, WatchOptions, call_options, selectors};
use crate::{
    codec::Listable,
    rest::{CallKind, Request},
    watch::WatchStream,
};

/// Watches objects for changes. Awaiting it gives the stream of events, once the server has agreed. An object that
/// stops matching the selectors comes as deleted.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// // From the list's version on, so that nothing is missed in between.
/// let list = config_maps.list().await?;
/// let watch = config_maps.watch().resource_version(list.metadata.resource_version.unwrap_or_default());
/// let mut events = watch.allow_watch_bookmarks().await?;
/// while let Some(event) = events.try_next().await? {
///     println!("{event:?}");
/// }
/// // The server has closed it, as it does in time; `BackoffManager` has the loop that goes on.
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Watch<K> {
    request: Request,
    options: WatchOptions,
    without_managed_fields: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K: Listable> Watch<K> {
    pub(super) fn new(request: Request) -> Self {
        let request = request.kind(CallKind::Watch);
        Self { request, options: WatchOptions::default(), without_managed_fields: false, kind: PhantomData }
    }

    /// The version after which changes are told: that of a list, or of the last event. Without it, and with `"0"`, the
    /// objects there are come first, as added.
    pub fn resource_version(mut self, resource_version: impl Into<String>) -> Self {
        self.options.resource_version = Some(resource_version.into());
        self
    }

    /// How [`resource_version`](Watch::resource_version) is meant; needed with
    /// [`send_initial_events`](Watch::send_initial_events).
    pub fn resource_version_match(mut self, how: ResourceVersionMatch) -> Self {
        self.options.resource_version_match = Some(how);
        self
    }

    /// How long the server keeps the watch open, in seconds. Default: the server's, 30 to 60 minutes. A watch that has
    /// not ended 30 seconds later ends with an error of the kind [`Timeout`](crate::ErrorKind::Timeout).
    pub fn timeout_seconds(mut self, seconds: u32) -> Self {
        self.options.timeout_seconds = Some(seconds);
        self
    }

    /// Lets the server tell the current version now and then, about once a minute. Default: no bookmarks, as in
    /// client-go.
    pub fn allow_watch_bookmarks(mut self) -> Self {
        self.options.allow_watch_bookmarks = true;
        self
    }

    /// Asks for the objects there are before the changes; a bookmark annotated `k8s.io/initial-events-end` ends them.
    pub fn send_initial_events(mut self) -> Self {
        self.options.send_initial_events = Some(true);
        self
    }

    /// Leaves `metadata.managedFields` out of the objects: see
    /// [`List::without_managed_fields`](super::List::without_managed_fields).
    pub fn without_managed_fields(mut self) -> Self {
        self.without_managed_fields = true;
        self
    }

    /// The same request with objects that another codec reads. Not covered by semver.
    #[doc(hidden)]
    pub fn with_codec<C: Listable>(self) -> Watch<C> {
        Watch {
            request: self.request,
            options: self.options,
            without_managed_fields: self.without_managed_fields,
            kind: PhantomData,
        }
    }

    /// The request, but for what it accepts.
    fn prepared(self) -> Request {
        self.request.with_query(|query| self.options.write(query))
    }
}

selectors!(Watch, options);
call_options!(Watch<K: Listable>, WatchOptions);

impl<K> Clone for Watch<K> {
    fn clone(&self) -> Self {
        Self { request: self.request.clone(), options: self.options.clone(), ..*self }
    }
}

impl<K: Listable> IntoFuture for Watch<K> {
    type Output = crate::Result<WatchStream<K>>;
    type IntoFuture = CallFuture<WatchStream<K>>;

    fn into_future(self) -> Self::IntoFuture {
        let without_managed_fields = self.without_managed_fields;
        let request = self.prepared().accept(K::ACCEPT);
        Box::pin(async move {
            let url = request.url();
            let response = request.send().await?;
            let media_type = response.watch_media_type()?;
            let stream = WatchStream::new(response.into_body(), media_type, url);
            Ok(if without_managed_fields { stream.without_managed_fields() } else { stream })
        })
    }
}
