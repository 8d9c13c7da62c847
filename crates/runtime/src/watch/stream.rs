//! The stream of a watch's events.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use futures_util::TryStreamExt;
use http::Method;

use super::{WatchEvent, event, lines::Lines};
use crate::{codec::Codec, error::Result, transport::Body};

/// The longest event: 16 MiB, client-go's limit. etcd's is 1.5 MiB for an object.
const MAX_EVENT: usize = 16 << 20;

/// The events of one watch, until the server closes it, which it does in time.
///
/// After an error the stream has ended. [`Error::must_list_again`](crate::Error::must_list_again) tells whether the
/// version to go on from is too old; after any other end, watch again from the version of the last event.
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
pub struct WatchStream<C> {
    lines: Lines<Body>,
    url: String,
    ended: bool,
    codec: PhantomData<fn() -> C>,
}

impl<C: Codec> WatchStream<C> {
    pub(crate) fn new(body: Body, url: String) -> Self {
        Self { lines: Lines::new(body, MAX_EVENT), url, ended: false, codec: PhantomData }
    }

    /// The next event, or `None` when the server closed the watch.
    pub async fn try_next(&mut self) -> Result<Option<WatchEvent<C::Object>>> {
        TryStreamExt::try_next(self).await
    }
}

impl<C: Codec> Stream for WatchStream<C> {
    type Item = Result<WatchEvent<C::Object>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let event = loop {
            match ready!(self.lines.poll_line(context)) {
                Some(Ok(line)) if line.is_empty() => {}
                Some(Ok(line)) => break Some(event::decode::<C>(&line)),
                Some(Err(error)) => break Some(Err(error)),
                None => break None,
            }
        };
        self.ended = !matches!(event, Some(Ok(_)));
        Poll::Ready(event.map(|event| event.map_err(|error| error.with_request(&Method::GET, self.url.clone()))))
    }
}

impl<C> fmt::Debug for WatchStream<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchStream({})", self.url)
    }
}
