//! What travels behind the head of a request or an answer: [`Body`].

use std::{
    any::Any,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Sleep, sleep};

use super::{
    BoxError,
    connections::{Http1Body, Http2Body},
    failure,
};
use crate::error::{Error, Result};

/// The most that room is made for because the head of an answer says so. What really comes makes its own.
const MOST_ROOM: usize = 1 << 20;

/// The body of a request or of an answer.
///
/// A request's is read to its end before any of it is sent. An answer's is read by [`chunk`](Self::chunk), as a
/// [`Stream`], or all at once by [`collect`](Self::collect); dropping it cancels what has not arrived yet. Services of
/// the program's own make one of their answers by [`new`](Self::new) or `from`.
pub struct Body {
    inner: Inner,
    limits: Limits,
    /// How many bytes may still come. None where what is read is not kept.
    left: Option<u64>,
    /// Nothing is waited for longer than the limit of silence.
    steady: bool,
    /// Ends when the silence has lasted too long. None while something comes.
    silence: Option<Pin<Box<Sleep>>>,
}

/// What is expected of an answer that its reader wants from beginning to end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    /// How many bytes it has at most, where all of them are kept.
    pub(super) bytes: Option<u64>,
    /// How long nothing of it may arrive.
    pub(super) silence: Option<Duration>,
}

enum Inner {
    /// All of it, until it is read.
    Whole(Option<Bytes>),
    /// What arrives over HTTP/1.1.
    Http1(Http1Body),
    /// What arrives over HTTP/2.
    Http2(Http2Body),
    /// Of another service. The lock is never taken: it makes the body `Sync`.
    Other(Mutex<Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError> + Send>>>),
}

impl Body {
    /// Takes in any body of bytes.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut body = Some(body);
        // Most services answer with the body that they were given: no box around that one.
        if let Some(own) = (&mut body as &mut dyn Any).downcast_mut::<Option<Self>>().and_then(Option::take) {
            return own;
        }
        match body {
            Some(body) => Self::of(Inner::Other(Mutex::new(Box::pin(body.map_err(Into::into))))),
            None => Self::default(),
        }
    }

    pub(super) fn http1(incoming: Http1Body) -> Self {
        Self::of(Inner::Http1(incoming))
    }

    pub(super) fn http2(incoming: Http2Body) -> Self {
        Self::of(Inner::Http2(incoming))
    }

    fn of(inner: Inner) -> Self {
        Self { inner, limits: Limits::default(), left: None, steady: false, silence: None }
    }

    /// The same body, with limits for those who read it to its end.
    pub(super) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Puts something around the body, to which the same limits apply.
    pub(crate) fn wrapped<B>(self, wrap: impl FnOnce(Self) -> B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let limits = self.limits;
        Self::new(wrap(self)).with_limits(limits)
    }

    /// The same body for a reader who expects its end soon: it ends in an error where its connection seems dead.
    pub(crate) fn steady(self) -> Self {
        Self { steady: true, ..self }
    }

    /// The same body for a reader who keeps all of it: besides, it ends in an error after
    /// [`Config::max_response_bytes`](crate::Config::max_response_bytes).
    pub(crate) fn bounded(self) -> Self {
        Self { left: self.limits.bytes, ..self.steady() }
    }

    /// The next bytes, as many as have arrived; nothing at the end.
    pub async fn chunk(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All bytes that are left. That an answer is longer than
    /// [`Config::max_response_bytes`](crate::Config::max_response_bytes) is an error.
    pub async fn collect(self) -> Result<Bytes> {
        let mut body = self.bounded();
        let Some(first) = body.chunk().await.transpose()? else {
            return Ok(Bytes::new());
        };
        // Most bodies are one chunk, which needs no copy.
        let Some(second) = body.chunk().await.transpose()? else {
            return Ok(first);
        };
        // How many are left, where the head of the answer said it.
        let left = http_body::Body::size_hint(&body).exact().unwrap_or(0);
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(MOST_ROOM);
        let mut all = BytesMut::with_capacity((first.len() + second.len()).saturating_add(left));
        all.extend_from_slice(&first);
        drop(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = body.chunk().await.transpose()? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// The first bytes, up to the limit or to where the connection broke: enough to say what an error answer is about.
    pub(crate) async fn collect_up_to(mut self, limit: usize) -> Bytes {
        let mut start = BytesMut::new();
        // What came before the connection broke is what is asked for.
        let _ = self.read_up_to(limit, &mut start).await;
        start.freeze()
    }

    /// The first bytes, up to the limit.
    pub(super) async fn start(mut self, limit: usize) -> Result<Bytes> {
        let mut start = BytesMut::new();
        self.read_up_to(limit, &mut start).await?;
        Ok(start.freeze())
    }

    async fn read_up_to(&mut self, limit: usize, start: &mut BytesMut) -> Result<()> {
        self.read_chunks_up_to(limit, start).await?;
        start.truncate(limit);
        Ok(())
    }

    /// Reads chunks until there are so many bytes or more.
    pub(crate) async fn read_chunks_up_to(&mut self, limit: usize, start: &mut BytesMut) -> Result<()> {
        while start.len() < limit {
            let Some(chunk) = self.chunk().await.transpose()? else { break };
            start.extend_from_slice(&chunk);
        }
        Ok(())
    }

    /// Waits for as long as nothing may come.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let Some(limit) = self.limits.silence.filter(|_| self.steady) else { return Poll::Pending };
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(silence.as_mut().poll(context));
        Poll::Ready(Some(Err(self.ended(failure::silent(limit)))))
    }

    /// The error, after which nothing comes.
    fn ended(&mut self, error: Error) -> Error {
        *self = Self::default();
        error
    }
}

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(http_body::Body::poll_frame(self.as_mut(), context)) {
                // Trailers say nothing in this protocol, and an empty chunk says nothing at all.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                    _ => {}
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let frame = match &mut self.inner {
            Inner::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Http1(incoming) => incoming.poll_frame(context),
            Inner::Http2(incoming) => incoming.poll_data(context).map_ok(Frame::data),
            Inner::Other(body) => {
                let body = body.get_mut().unwrap_or_else(PoisonError::into_inner);
                body.as_mut().poll_frame(context).map_err(failure::of_service_body)
            }
        };
        match (&frame, self.left) {
            (Poll::Pending, _) => return self.poll_silence(context),
            (Poll::Ready(Some(Ok(frame))), Some(left)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = left.checked_sub(length) else {
                    let error = failure::too_long(self.limits.bytes);
                    return Poll::Ready(Some(Err(self.ended(error))));
                };
                self.left = Some(left);
            }
            _ => {}
        }
        self.silence = None;
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Whole(bytes) => bytes.is_none(),
            Inner::Http1(incoming) => incoming.is_at_end(),
            Inner::Http2(incoming) => incoming.is_at_end(),
            Inner::Other(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Inner::Http1(incoming) => incoming.size_hint(),
            Inner::Http2(incoming) => incoming.left().map_or_else(SizeHint::default, SizeHint::with_exact),
            Inner::Other(_) => SizeHint::default(),
        }
    }
}

impl Default for Body {
    /// No bytes.
    fn default() -> Self {
        Self::of(Inner::Whole(None))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::of(Inner::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from(text).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
