//! Pieces out of a body that comes in chunks: JSON objects, or frames with their length in front.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_core::Stream;
use http::Method;

use crate::{
    error::{Error, ErrorKind, Result},
    json::{Nesting, is_white},
    protobuf::MAGIC,
    rest::poll_turn,
    transport::Body,
};

/// How a body is cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// At the end of each JSON object, with white space between them left out.
    Objects,
    /// By the length of each piece, which stands in front of it: four bytes, the highest first. A body that is no such
    /// sequence but one object of protobuf is one piece.
    Frames,
}

/// Cuts a stream of chunks into pieces, on bytes.
struct Pieces<S> {
    chunks: S,
    cut: Cut,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of a piece.
    searched: usize,
    /// Where the searched part ends, if it is of a JSON object.
    nesting: Nesting,
    limit: usize,
    ended: bool,
}

impl<S> Pieces<S> {
    /// Pieces of at most `limit` bytes; a longer one is an error.
    fn new(chunks: S, cut: Cut, limit: usize) -> Self {
        Self { chunks, cut, buffer: BytesMut::new(), searched: 0, nesting: Nesting::default(), limit, ended: false }
    }

    /// The next piece, if all of it is there.
    fn take(&mut self) -> Result<Option<Bytes>> {
        match self.cut {
            Cut::Objects => self.take_object(),
            Cut::Frames => self.take_frame(),
        }
    }

    fn too_long(&self, what: &str) -> Error {
        Error::new(ErrorKind::Decode, format!("{what} of the answer is longer than {} bytes", self.limit))
    }

    fn take_object(&mut self) -> Result<Option<Bytes>> {
        if self.searched == 0 {
            let white = self.buffer.iter().take_while(|byte| is_white(**byte)).count();
            self.buffer.advance(white);
            if self.buffer.first().is_some_and(|first| *first != b'{') {
                return Err(Error::new(ErrorKind::Decode, "the answer is not a sequence of JSON objects"));
            }
        }
        // An object is too long or not, however it is chunked, so no end of one is looked for behind the limit.
        let end = self.buffer.len().min(self.limit);
        match self.nesting.end(&self.buffer[self.searched..end]) {
            Some(length) => {
                let length = std::mem::take(&mut self.searched) + length;
                Ok(Some(self.buffer.split_to(length).freeze()))
            }
            None if self.buffer.len() > self.limit => Err(self.too_long("an event")),
            None => {
                self.searched = end;
                Ok(None)
            }
        }
    }

    fn take_frame(&mut self) -> Result<Option<Bytes>> {
        let Some((length, _)) = self.buffer.split_first_chunk::<4>() else { return Ok(None) };
        if self.is_one_object() {
            return if self.buffer.len() > self.limit { Err(self.too_long("an object")) } else { Ok(None) };
        }
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > self.limit {
            return Err(self.too_long("an event"));
        }
        if self.buffer.len() - 4 < length {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// Whether what came is no sequence of frames. As a length, the bytes that begin an object are far above all
    /// limits.
    fn is_one_object(&self) -> bool {
        self.buffer.starts_with(MAGIC)
    }
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Pieces<S> {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            ready!(poll_turn(context));
            match self.take() {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(None) => {}
                Err(error) => return self.end_in(error),
            }
            if self.ended {
                return self.rest();
            }
            match ready!(Pin::new(&mut self.chunks).poll_next(context)) {
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(error)) => return self.end_in(error),
                None => self.ended = true,
            }
        }
    }

    /// What stands behind the last whole piece when the body has ended.
    fn rest(&mut self) -> Poll<Option<Result<Bytes>>> {
        let is_whole = self.cut == Cut::Frames && self.is_one_object();
        let rest = self.buffer.split().freeze();
        self.searched = 0;
        Poll::Ready(match rest.is_empty() {
            true => None,
            false if is_whole => Some(Ok(rest)),
            false => Some(Err(Error::cut_off("an event"))),
        })
    }

    /// Half a piece is of no use to anybody.
    fn end_in(&mut self, error: Error) -> Poll<Option<Result<Bytes>>> {
        self.ended = true;
        self.buffer.clear();
        self.searched = 0;
        Poll::Ready(Some(Err(error)))
    }
}

/// The pieces of one answer, whose errors say which answer it was.
pub(crate) struct AnswerPieces {
    pieces: Pieces<Body>,
    url: String,
}

impl AnswerPieces {
    /// Pieces of at most `limit` bytes of the answer to a GET of this URL.
    pub(crate) fn new(body: Body, cut: Cut, limit: usize, url: String) -> Self {
        Self { pieces: Pieces::new(body, cut, limit), url }
    }

    /// The next piece.
    pub(crate) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let piece = ready!(self.pieces.poll_piece(context));
        Poll::Ready(piece.map(|piece| piece.map_err(|error| self.named(error))))
    }

    /// The error with the request that it happened to.
    pub(crate) fn named(&self, error: Error) -> Error {
        error.with_request(&Method::GET, self.url.clone())
    }

    /// Where the answer comes from.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};

    async fn pieces(chunks: Vec<Result<Bytes>>, cut: Cut, limit: usize) -> Vec<Result<String, String>> {
        let mut pieces = Pieces::new(stream::iter(chunks), cut, limit);
        stream::poll_fn(move |context| pieces.poll_piece(context))
            .map(|piece| match piece {
                Ok(piece) => Ok(String::from_utf8(piece.to_vec()).expect("the test's pieces are text")),
                Err(error) => Err(error.to_string()),
            })
            .collect()
            .await
    }

    /// The bytes in chunks of this size.
    fn chunks(bytes: &[u8], size: usize) -> Vec<Result<Bytes>> {
        bytes.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect()
    }

    #[tokio::test]
    async fn frames_are_the_same_however_they_are_chunked() {
        let bytes = b"\0\0\0\x01a\0\0\0\0\0\0\0\x03b\nc";
        for size in 1..=bytes.len() {
            let expected = ["a", "", "b\nc"].map(|frame| Ok(frame.to_owned()));
            assert_eq!(pieces(chunks(bytes, size), Cut::Frames, 3).await, expected, "in chunks of {size}");
        }
    }

    #[tokio::test]
    async fn frame_that_is_cut_off_or_too_long_is_an_error_and_ends() {
        for (bytes, error) in [
            (&b"\0\0\0\x01a\0\0\0\x02b"[..], "the connection was lost: the answer ends in the middle of an event"),
            (b"\0\0\0\x01a\0\0", "the connection was lost: the answer ends in the middle of an event"),
            (b"\0\0\0\x01a\0\0\x01\0b", "an event of the answer is longer than 32 bytes"),
            (b"\0\0\0\x01a\xff\xff\xff\xffb", "an event of the answer is longer than 32 bytes"),
        ] {
            for size in 1..=bytes.len() {
                let expected = [Ok("a".to_owned()), Err(error.to_owned())];
                assert_eq!(pieces(chunks(bytes, size), Cut::Frames, 32).await, expected, "in chunks of {size}");
            }
        }
    }

    #[tokio::test]
    async fn object_that_is_no_frame_is_one_piece() {
        let body = b"k8s\0\x12\x03abc";
        for size in 1..=body.len() {
            let expected = [Ok(String::from_utf8_lossy(body).into_owned())];
            assert_eq!(pieces(chunks(body, size), Cut::Frames, 32).await, expected, "in chunks of {size}");
            let expected = [Err("an object of the answer is longer than 8 bytes".to_owned())];
            assert_eq!(pieces(chunks(body, size), Cut::Frames, 8).await, expected, "in chunks of {size}");
        }
    }

    #[tokio::test]
    async fn objects_are_the_same_however_lines_fall_and_chunks_end() {
        let text = " {\"a\":1}{\n  \"é}\": \"\\\"{\",\r\n  \"c\": [{}]\n}\n\n\t{}\r\n";
        for size in 1..=text.len() {
            let expected = ["{\"a\":1}", "{\n  \"é}\": \"\\\"{\",\r\n  \"c\": [{}]\n}", "{}"];
            let expected = expected.map(|object| Ok(object.to_owned()));
            assert_eq!(pieces(chunks(text.as_bytes(), size), Cut::Objects, 64).await, expected, "in chunks of {size}");
        }
    }

    #[tokio::test]
    async fn object_that_is_cut_off_too_long_or_none_is_an_error_and_ends() {
        for (text, error) in [
            ("{}{", "the connection was lost: the answer ends in the middle of an event"),
            ("{}\n{\"a\":\"}", "the connection was lost: the answer ends in the middle of an event"),
            ("{}{\"a\":12}", "an event of the answer is longer than 7 bytes"),
            ("{}{\"a\":\"xy", "an event of the answer is longer than 7 bytes"),
            ("{} []", "the answer is not a sequence of JSON objects"),
            ("{}no", "the answer is not a sequence of JSON objects"),
            ("{},{}", "the answer is not a sequence of JSON objects"),
        ] {
            let limit = if error.contains("longer") { 7 } else { 64 };
            for size in 1..=text.len() {
                let expected = [Ok("{}".to_owned()), Err(error.to_owned())];
                assert_eq!(
                    pieces(chunks(text.as_bytes(), size), Cut::Objects, limit).await,
                    expected,
                    "{text} by {size}"
                );
            }
        }
        let cut_off = Error::cut_off("an event");
        assert!(cut_off.kind() == ErrorKind::Transport && cut_off.is_transient(), "{cut_off}");
    }

    #[tokio::test]
    async fn broken_transport_drops_the_half_object_and_ends() {
        let broken = Error::new(ErrorKind::Transport, "reset");
        let chunks = vec![Ok(Bytes::from("{}{\"a\"")), Err(broken), Ok(Bytes::from(":1}"))];
        let expected = [Ok("{}".to_owned()), Err("reset".to_owned())];
        assert_eq!(pieces(chunks, Cut::Objects, 1024).await, expected);
    }
}
