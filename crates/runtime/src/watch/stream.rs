//! The stream of a watch's events.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use super::{WatchEvent, event};
use crate::{
    codec::{self, Codec, MediaType},
    error::{Error, Result},
    object::AnyObject,
    rest::pieces::{AnswerPieces, Cut},
    transport::Body,
};

/// The longest event: 16 MiB, client-go's limit. etcd's is 1.5 MiB for an object.
const MAX_EVENT: usize = 16 << 20;

/// The events of one watch, until the server closes it, which it does in time.
///
/// An object that cannot be decoded is an error that names it, and the watch goes on:
/// [`Error::undecodable_object`](crate::Error::undecodable_object) has its version too. After any other error the
/// stream has ended. [`Error::must_list_again`](crate::Error::must_list_again) is true if the version to go on from is
/// too old; after any other end, watch again from the version of the last event.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient, watch::WatchEvent};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let mut events = config_maps.watch().resource_version("0").await?;
/// while let Some(event) = events.try_next().await? {
///     if let WatchEvent::Added(config_map) = event {
///         println!("{:?}", config_map.metadata.name);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct WatchStream<C: Codec> {
    pieces: EventPieces,
    media_type: MediaType,
    decode: Decode<C>,
}

/// How the objects are decoded.
type Decode<C> = fn(MediaType, &[u8]) -> codec::Result<<C as Codec>::Object>;

/// The part of a watch that needs no type, and is compiled once for all.
struct EventPieces {
    pieces: AnswerPieces,
    ended: bool,
}

impl<C: Codec> WatchStream<C> {
    pub(crate) fn new(body: Body, media_type: MediaType, url: String) -> Self {
        let cut = match media_type {
            MediaType::Json => Cut::Objects,
            MediaType::Protobuf => Cut::Frames,
        };
        let pieces = EventPieces { pieces: AnswerPieces::new(body, cut, MAX_EVENT, url), ended: false };
        Self { pieces, media_type, decode: C::decode }
    }

    /// The same with objects without their `managedFields`.
    pub(crate) fn without_managed_fields(mut self) -> Self
    where
        C: Codec<Object: AnyObject>,
    {
        self.decode = codec::without_managed_fields::object::<C>;
        self
    }

    /// The next event, or `None` when the server closed the watch.
    pub async fn try_next(&mut self) -> Result<Option<WatchEvent<C::Object>>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }
}

impl EventPieces {
    /// The next piece that is not empty. After an error there are none.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = loop {
            match ready!(self.pieces.poll_piece(context)) {
                Some(Ok(piece)) if piece.is_empty() => {}
                piece => break piece,
            }
        };
        self.ended = !matches!(piece, Some(Ok(_)));
        Poll::Ready(piece)
    }

    /// Ends the stream with an error that names the request.
    fn failed(&mut self, error: Error) -> Error {
        self.ended = true;
        self.pieces.named(error)
    }
}

impl<C: Codec> Stream for WatchStream<C> {
    type Item = Result<WatchEvent<C::Object>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let media_type = self.media_type;
        let event = loop {
            let piece = match ready!(self.pieces.poll_piece(context)) {
                Some(Ok(piece)) => codec::as_text(media_type, piece),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            match event::parse(media_type, &piece) {
                Ok(None) => {}
                Ok(Some(event)) => break event::decode(media_type, event, self.decode),
                Err(error) => return Poll::Ready(Some(Err(self.pieces.failed(error)))),
            }
        };
        // The other objects are worth no less for it.
        Poll::Ready(Some(event.map_err(|error| self.pieces.pieces.named(error))))
    }
}

impl<C: Codec> fmt::Debug for WatchStream<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchStream({})", self.pieces.pieces.url())
    }
}
