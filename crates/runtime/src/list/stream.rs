//! The stream of a list's items.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::ListMeta, serde::de::DeserializeOwned};

use super::{ListPieces, Piece};
use crate::{
    codec::{self, ListHead, Listable, MediaType},
    error::{Error, ErrorKind, Result},
    object::AnyList as _,
    rest::ListBody,
    text::non_empty,
};

/// The longest item, and the most that may stand around the items: 16 MiB, as of an event of a watch. etcd's limit is
/// 1.5 MiB for an object.
const MAX_ITEM: usize = 16 << 20;

/// The items of one list, each decoded as it arrives: see [`List::stream`](crate::resource::List::stream).
///
/// No more is in memory than the item that arrives, up to 16 MiB, and what the transport holds ready. Bytes are read
/// only as items are taken. The one exception are items of the dynamic client that lack their kind, in a list that says
/// its own behind them: those wait for it.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// use k8s_client_runtime::list::ListStream;
///
/// /// Counts what comes, and returns the version to watch from.
/// async fn count(config_maps: ResourceClient<ConfigMap>) -> Result<(usize, Option<String>), Error> {
///     let mut items: ListStream<ConfigMap> = config_maps.list().stream().await?;
///     let mut count = 0;
///     while items.try_next().await?.is_some() {
///         count += 1;
///     }
///     Ok((count, items.metadata().and_then(|metadata| metadata.resource_version.clone())))
/// }
/// ```
///
/// An object that cannot be decoded is an error that names it, and the stream goes on behind it: see
/// [`Error::undecodable_object`]. Whoever stops at the first error, as with `?`, takes one such object for the end.
///
/// A list that broke off is never taken for a whole one. Items that were whole are given out; then the last thing in
/// the stream is an error, and [`metadata`](ListStream::metadata) stays `None`. Only a list that ended as it should
/// ends in nothing.
#[must_use = "a stream does nothing until it is polled"]
pub struct ListStream<T> {
    pieces: ListPieces,
    media_type: MediaType,
    form: Form<T>,
    head: ListHead,
    /// Items that can be read only when the list has said its kind, and those behind them.
    held: VecDeque<Bytes>,
    /// The list without its items, once it has ended, and its metadata.
    end: Option<(Bytes, ListMeta)>,
    /// How many items there were.
    items: usize,
    /// Whether the list ended well and all its items were given out.
    is_over: bool,
}

/// How a list and its items are read.
struct Form<T> {
    /// Whether the list, given without its items, is what was asked for.
    check: fn(MediaType, &[u8]) -> codec::Result<()>,
    item: fn(MediaType, &[u8], &ListHead) -> codec::Result<T>,
}

impl<T> ListStream<T> {
    /// The items of the list that arrives.
    pub(crate) fn new<K: Listable<Object = T>>(list: ListBody, without_managed_fields: bool) -> Self {
        let item = if without_managed_fields { codec::without_managed_fields::item::<K> } else { K::decode_item };
        Self::formed(list, Form { check: check::<K>, item })
    }

    /// The same with items of a type that need not be the list's.
    pub(crate) fn of_json<K: Listable>(list: ListBody) -> Self
    where
        T: DeserializeOwned + Send,
    {
        Self::formed(list, Form { check: check::<K>, item: any_json })
    }

    fn formed(ListBody { body, media_type, url, .. }: ListBody, form: Form<T>) -> Self {
        let pieces = ListPieces::new(body, media_type, MAX_ITEM, url);
        Self {
            pieces,
            media_type,
            form,
            head: ListHead::default(),
            held: VecDeque::new(),
            end: None,
            items: 0,
            is_over: false,
        }
    }

    /// The next item, or `None` when the list has ended, all of it.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }

    /// The list's metadata: its `resourceVersion`, from which a watch goes on, and `continue` and `remainingItemCount`
    /// when there was a limit. It is there once [`try_next`](ListStream::try_next) has given `None`; before, and if the
    /// list broke off, it is `None`, so that half a list is never gone on from.
    pub fn metadata(&self) -> Option<&ListMeta> {
        self.end.as_ref().filter(|_| self.is_over).map(|(_, metadata)| metadata)
    }

    /// Takes all items and makes them the list that they are.
    pub(crate) async fn collect<K: Listable<Object = T>>(mut self) -> Result<K::List> {
        let mut items = Vec::new();
        while let Some(item) = self.try_next().await? {
            items.push(item);
        }
        let (list, _) = self.end.take().unwrap_or_default();
        let mut list = K::decode_list(self.media_type, &list).map_err(|error| self.unreadable(error))?;
        *list.items_mut() = items;
        Ok(list)
    }

    /// Takes all items, an error for each that cannot be decoded, and the token of the next page.
    pub(crate) async fn collect_each(mut self) -> Result<(Vec<Result<T>>, Option<String>)> {
        let mut items = Vec::new();
        loop {
            match self.try_next().await {
                Ok(Some(item)) => items.push(Ok(item)),
                Err(error) if error.undecodable_object().is_some() => items.push(Err(error)),
                Err(error) => return Err(error),
                Ok(None) => {
                    let token = self.metadata().and_then(|metadata| non_empty(metadata.continue_.as_ref()));
                    return Ok((items, token.map(str::to_owned)));
                }
            }
        }
    }

    /// Looks at what stands before the items. What the list does not say there, it says at its end.
    fn begin(&mut self, list: &[u8]) -> Result<()> {
        self.head = codec::list_head(self.media_type, list).map_err(|error| self.unreadable(error))?;
        if self.head.kind.is_some() && self.head.api_version.is_some() {
            (self.form.check)(self.media_type, list).map_err(|error| self.unreadable(error))?;
        }
        Ok(())
    }

    /// The item decoded; `None` if it has to wait until the list has said its kind.
    fn item(&mut self, item: Bytes) -> Option<Result<T>> {
        if self.end.is_none() && !self.held.is_empty() {
            self.held.push_back(item);
            return None;
        }
        match (self.form.item)(self.media_type, &item, &self.head) {
            Ok(object) => {
                self.items += 1;
                Some(Ok(object))
            }
            Err(error) if error.is_of_list_head() && self.end.is_none() => {
                self.held.push_back(item);
                None
            }
            Err(error) => {
                let place = format!("item {} of the list", self.items);
                self.items += 1;
                let object = codec::identity(self.media_type, &item);
                Some(Err(self.pieces.named(Error::undecodable(object, &place, error))))
            }
        }
    }

    fn end(&mut self, list: Bytes) -> Result<()> {
        if let Some(status) = codec::status(self.media_type, &list)
            && status.status.as_deref() == Some("Failure")
        {
            return Err(self.pieces.failed(Error::api(status)));
        }
        let metadata = (self.form.check)(self.media_type, &list)
            .and_then(|()| codec::list_metadata(self.media_type, &list))
            .map_err(|error| self.unreadable(error))?;
        if !self.held.is_empty() {
            self.head = codec::list_head(self.media_type, &list).map_err(|error| self.unreadable(error))?;
        }
        self.end = Some((list, metadata));
        Ok(())
    }

    fn unreadable(&mut self, error: codec::Error) -> Error {
        self.pieces.failed(Error::new(ErrorKind::Decode, "the list could not be decoded").with_source(error))
    }
}

fn any_json<T: DeserializeOwned + Send>(media_type: MediaType, item: &[u8], _: &ListHead) -> codec::Result<T> {
    match media_type {
        MediaType::Json => codec::from_json(item),
        MediaType::Protobuf => Err(codec::not_json()),
    }
}

fn check<K: Listable>(media_type: MediaType, list: &[u8]) -> codec::Result<()> {
    K::decode_list(media_type, list).map(drop)
}

impl<T> Stream for ListStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Some(piece) = ready!(self.pieces.poll_piece(context)) {
            let done = match piece? {
                Piece::Item(item) => match self.item(item) {
                    Some(item) => return Poll::Ready(Some(item)),
                    None => Ok(()),
                },
                Piece::Begin(list) => self.begin(&list),
                Piece::End(list) => self.end(list),
            };
            if let Err(error) = done {
                return Poll::Ready(Some(Err(error)));
            }
        }
        if self.end.is_some() {
            match self.held.pop_front() {
                Some(item) => return Poll::Ready(self.item(item)),
                None => self.is_over = true,
            }
        }
        Poll::Ready(None)
    }
}

impl<T> fmt::Debug for ListStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListStream({})", self.pieces.url())
    }
}
