//! Where objects come from: a client's lists and watches, whatever its kind is and however objects are kept.

use std::sync::Arc;

use futures_util::{StreamExt as _, future::BoxFuture, stream, stream::BoxStream};
use k8s_client_runtime::{
    Error, Result,
    codec::{Codec, Listable},
    resource::{List, Lists, ResourceVersionMatch, TypedClient, Watch, Watches},
    watch::WatchEvent,
};

use crate::{
    entry::{Arrival, Metadata},
    keep::{Compact, Compacted, Decode, decode_kept, decode_kept_lean, never_encoded},
};

/// A part of a list.
pub(crate) enum Part<T> {
    Object(Arrival<T>),
    /// One object that could not be decoded. The list goes on behind it.
    Undecodable(Error),
    /// The list is whole and has this version.
    End(Option<String>),
}

/// An event of a watch.
pub(crate) enum Change<T> {
    Set(Arrival<T>),
    Gone(Arrival<T>),
    /// One object that could not be decoded. The watch goes on behind it.
    Undecodable(Error),
    Mark {
        version: String,
        ends_initial: bool,
    },
}

/// How a watch begins.
pub(crate) struct WatchStart<'a> {
    pub(crate) version: Option<&'a str>,
    /// With all objects that there are.
    pub(crate) initial: bool,
    pub(crate) seconds: u32,
}

/// Lists and watches, with objects as a store takes them.
pub(crate) trait Source<T>: Send + Sync {
    /// Lists the objects.
    fn list(&self, version: Option<&str>) -> BoxFuture<'static, Result<BoxStream<'static, Result<Part<T>>>>>;

    /// Watches the objects.
    fn watch(&self, start: &WatchStart<'_>) -> BoxFuture<'static, Result<BoxStream<'static, Result<Change<T>>>>>;

    /// Reads what was kept of an object as bytes.
    fn decode(&self) -> Decode<T>;

    /// Whose objects these are and which are meant.
    fn place(&self) -> Place;
}

/// Where objects are read, and by whom.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The [client](k8s_client_runtime::rest::Request::client_id), whose credentials decide what may be read.
    client: usize,
    /// The URL of the list, selectors included.
    pub(crate) url: String,
}

/// Which objects are meant, and what of them.
#[derive(Clone, Default)]
pub(crate) struct Selection {
    pub(crate) labels: Option<String>,
    pub(crate) fields: Option<String>,
    /// With `managedFields`.
    pub(crate) managed_fields: bool,
}

/// The kind of a client.
type KindOf<C> = <C as TypedClient>::Kind;
type ObjectOf<C> = <KindOf<C> as Codec>::Object;

/// Makes something to keep of an object.
type Keep<A, T> = Arc<dyn Fn(A) -> Arrival<T> + Send + Sync>;

/// A client whose objects are read by the codec `K`, and kept by a function.
struct Of<C, K: Codec, T> {
    client: C,
    selection: Selection,
    keep: Keep<K::Object, T>,
    decode: Decode<T>,
}

/// Objects kept as their bytes.
pub(crate) fn compact<C>(client: C, selection: Selection) -> Arc<dyn Source<ObjectOf<C>>>
where
    C: Lists + Watches + 'static,
    ObjectOf<C>: Send + Sync,
{
    fn keep<T: k8s_client_runtime::object::AnyObject>(Compacted { object, encoded }: Compacted<T>) -> Arrival<T> {
        Arrival::encoded(object, encoded)
    }
    let decode = if selection.managed_fields { decode_kept::<KindOf<C>> } else { decode_kept_lean::<KindOf<C>> };
    Arc::new(Of::<C, Compact<KindOf<C>>, _> { client, selection, keep: Arc::new(keep), decode })
}

/// Objects kept as they are, or as something made of them.
pub(crate) fn projected<C, T>(
    client: C,
    selection: Selection,
    project: Arc<dyn Fn(ObjectOf<C>) -> T + Send + Sync>,
) -> Arc<dyn Source<T>>
where
    C: Lists + Watches + 'static,
    T: Send + Sync + 'static,
{
    let keep = move |object: ObjectOf<C>| Arrival::whole(Metadata::of(&object), project(object));
    Arc::new(Of::<C, KindOf<C>, T> { client, selection, keep: Arc::new(keep), decode: never_encoded })
}

impl<C, K, T> Of<C, K, T>
where
    C: Lists + Watches + 'static,
    K: Listable,
{
    fn prepared_list(&self) -> List<K> {
        let Selection { labels, fields, managed_fields } = self.selection.clone();
        let mut list = self.client.list().with_codec::<K>();
        if let Some(labels) = labels {
            list = list.label_selector(labels);
        }
        if let Some(fields) = fields {
            list = list.field_selector(fields);
        }
        if managed_fields { list } else { list.without_managed_fields() }
    }

    fn prepared_watch(&self) -> Watch<K> {
        let Selection { labels, fields, managed_fields } = self.selection.clone();
        let mut watch = self.client.watch().with_codec::<K>().allow_watch_bookmarks();
        if let Some(labels) = labels {
            watch = watch.label_selector(labels);
        }
        if let Some(fields) = fields {
            watch = watch.field_selector(fields);
        }
        if managed_fields { watch } else { watch.without_managed_fields() }
    }
}

impl<C, K, T> Source<T> for Of<C, K, T>
where
    C: Lists + Watches + 'static,
    K: Listable,
    T: Send + Sync + 'static,
{
    fn list(&self, version: Option<&str>) -> BoxFuture<'static, Result<BoxStream<'static, Result<Part<T>>>>> {
        let mut list = self.prepared_list();
        if let Some(version) = version {
            list = list.resource_version(version);
            if version != "0" {
                list = list.resource_version_match(ResourceVersionMatch::NotOlderThan);
            }
        }
        let keep = self.keep.clone();
        Box::pin(async move {
            let items = list.stream().await?;
            let parts = stream::try_unfold(Some((items, keep)), |open| async move {
                let Some((mut items, keep)) = open else { return Ok(None) };
                Ok(Some(match items.try_next().await {
                    Ok(Some(object)) => (Part::Object(keep(object)), Some((items, keep))),
                    Ok(None) => (Part::End(items.metadata().and_then(|list| list.resource_version.clone())), None),
                    Err(error) if error.undecodable_object().is_some() => {
                        (Part::Undecodable(error), Some((items, keep)))
                    }
                    Err(error) => return Err(error),
                }))
            });
            Ok(parts.boxed())
        })
    }

    fn watch(&self, start: &WatchStart<'_>) -> BoxFuture<'static, Result<BoxStream<'static, Result<Change<T>>>>> {
        let mut watch = self.prepared_watch().timeout_seconds(start.seconds);
        if let Some(version) = start.version {
            watch = watch.resource_version(version);
        }
        if start.initial {
            watch = watch.send_initial_events().resource_version_match(ResourceVersionMatch::NotOlderThan);
        }
        let keep = self.keep.clone();
        Box::pin(async move {
            let events = watch.await?;
            let changes = events.map(move |event| {
                let ends_initial = event.as_ref().is_ok_and(WatchEvent::ends_initial_events);
                Ok(match event {
                    Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Change::Set(keep(object)),
                    Ok(WatchEvent::Deleted(object)) => Change::Gone(keep(object)),
                    Ok(WatchEvent::Bookmark { resource_version: version, .. }) => {
                        Change::Mark { version, ends_initial }
                    }
                    Err(error) if error.undecodable_object().is_some() => Change::Undecodable(error),
                    Err(error) => return Err(error),
                })
            });
            Ok(changes.boxed())
        })
    }

    fn decode(&self) -> Decode<T> {
        self.decode
    }

    fn place(&self) -> Place {
        let request = self.prepared_list().into_request();
        Place { client: request.client_id(), url: request.url() }
    }
}
