//! Compressed answers: asked for, and decoded as they arrive.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};
use http::{
    HeaderValue, Method, Request, Response,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, RANGE},
};
use http_body::Frame;
use tokio::task::coop;

use super::{Body, failure};
use crate::error::{Error, Result};

/// The most that one chunk of a decoded body is, however well it was compressed.
const CHUNK: usize = 64 << 10;
const WINDOW_BITS: u8 = 15;

/// Asks for a compressed answer, as Go does: unless the request itself says what it takes, or takes a part of
/// something.
pub(super) fn ask(request: &mut Request<Body>) -> bool {
    let headers = request.headers();
    if request.method() == Method::HEAD || headers.contains_key(ACCEPT_ENCODING) || headers.contains_key(RANGE) {
        return false;
    }
    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    true
}

/// The answer as if it had not been compressed.
pub(super) fn decode(response: Response<Body>) -> Response<Body> {
    let encoding = response.headers().get(CONTENT_ENCODING);
    if !encoding.is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip")) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    head.headers.remove(CONTENT_ENCODING);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::new(Gunzip { body, input: Bytes::new(), member: None, more: false }))
}

/// A body that decodes another one, and holds no more of it than a chunk.
struct Gunzip {
    body: Body,
    /// What has arrived and is not decoded yet.
    input: Bytes,
    /// A gzip stream is one or more members; nothing between them.
    member: Option<Decompress>,
    /// The last chunk was full, so that there may be more without more input.
    more: bool,
}

impl Gunzip {
    /// As much as can be decoded now, up to a chunk; it may be nothing.
    fn decode(&mut self) -> Result<Vec<u8>> {
        let member = self.member.get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
        // Little comes of little, so that a watch does not hold a whole chunk for each event.
        let mut output = Vec::with_capacity((self.input.len() * 16).clamp(CHUNK / 32, CHUNK));
        let before = member.total_in();
        let status = member
            .decompress_vec(&self.input, &mut output, FlushDecompress::None)
            .map_err(|error| failure::of_gzip(&error.to_string()))?;
        let read = usize::try_from(member.total_in() - before).unwrap_or(usize::MAX);
        if read == 0 && output.is_empty() && !self.input.is_empty() && status != Status::StreamEnd {
            return Err(failure::of_gzip("the data is corrupt: decoding makes no progress"));
        }
        self.input.advance(read.min(self.input.len()));
        self.more = output.len() == output.capacity();
        if status == Status::StreamEnd {
            self.member = None;
            self.more = false;
        }
        Ok(output)
    }
}

impl http_body::Body for Gunzip {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        loop {
            while !self.input.is_empty() || self.more {
                // Gigabytes may come of a megabyte that is here already: other tasks and time limits have their turn.
                let turn = ready!(coop::poll_proceed(context));
                match self.decode() {
                    Ok(output) if output.is_empty() => {}
                    Ok(output) => {
                        turn.made_progress();
                        return Poll::Ready(Some(Ok(Frame::data(output.into()))));
                    }
                    Err(error) => {
                        // Nothing after it would make sense.
                        *self = Self { body: Body::default(), input: Bytes::new(), member: None, more: false };
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.input = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Some(Err(error)) => {
                    self.member = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None if self.member.take().is_some() => {
                    return Poll::Ready(Some(Err(Error::cut_off("the server's gzip"))));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}
