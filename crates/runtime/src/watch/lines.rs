//! Lines out of a body that comes in chunks.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::Method;

use crate::{
    error::{Error, ErrorKind, Result},
    transport::Body,
};

/// Cuts a stream of chunks at each newline, on bytes.
struct Lines<S> {
    chunks: S,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no newline.
    searched: usize,
    limit: usize,
    ended: bool,
}

impl<S> Lines<S> {
    /// Lines of at most `limit` bytes; a longer one is an error.
    fn new(chunks: S, limit: usize) -> Self {
        Self { chunks, buffer: BytesMut::new(), searched: 0, limit, ended: false }
    }

    fn take_line(&mut self) -> Option<Bytes> {
        // A line is too long or not, however it is chunked, so no end of one is looked for behind the limit.
        let end = self.buffer.len().min(self.limit.saturating_add(1));
        let newline = self.buffer[self.searched..end].iter().position(|byte| *byte == b'\n');
        let Some(newline) = newline else {
            self.searched = end;
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + newline + 1);
        self.searched = 0;
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Some(line.freeze())
    }
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Lines<S> {
    /// The next line, without its end. The last one may lack a newline.
    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            if let Some(line) = self.take_line() {
                return Poll::Ready(Some(Ok(line)));
            }
            if self.ended {
                let rest = self.buffer.split().freeze();
                self.searched = 0;
                return Poll::Ready((!rest.is_empty()).then_some(Ok(rest)));
            }
            if self.buffer.len() > self.limit {
                self.ended = true;
                self.buffer.clear();
                self.searched = 0;
                let problem = format!("a line of the answer is longer than {} bytes", self.limit);
                return Poll::Ready(Some(Err(Error::new(ErrorKind::Decode, problem))));
            }
            match ready!(Pin::new(&mut self.chunks).poll_next(context)) {
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(error)) => {
                    // Half a line is of no use to anybody.
                    self.ended = true;
                    self.buffer.clear();
                    self.searched = 0;
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.ended = true,
            }
        }
    }
}

/// The lines of one answer, whose errors say which answer it was.
pub(crate) struct AnswerLines {
    lines: Lines<Body>,
    url: String,
}

impl AnswerLines {
    /// Lines of at most `limit` bytes of the answer to a GET of this URL.
    pub(crate) fn new(body: Body, limit: usize, url: String) -> Self {
        Self { lines: Lines::new(body, limit), url }
    }

    /// The next line, without its end.
    pub(crate) fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let line = ready!(self.lines.poll_line(context));
        Poll::Ready(line.map(|line| line.map_err(|error| self.named(error))))
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

    async fn lines(chunks: Vec<Result<Bytes>>, limit: usize) -> Vec<Result<String, String>> {
        let mut lines = Lines::new(stream::iter(chunks), limit);
        stream::poll_fn(move |context| lines.poll_line(context))
            .map(|line| match line {
                Ok(line) => Ok(String::from_utf8(line.to_vec()).expect("the test's lines are text")),
                Err(error) => Err(error.to_string()),
            })
            .collect()
            .await
    }

    #[tokio::test]
    async fn lines_are_the_same_however_they_are_chunked() {
        let text = "{\"é\":1}\n\n{\"b\":2}\r\nlast";
        for size in 1..=text.len() {
            let chunks = text.as_bytes().chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
            let expected = ["{\"é\":1}", "", "{\"b\":2}", "last"].map(|line| Ok(line.to_owned()));
            assert_eq!(lines(chunks, 1024).await, expected, "in chunks of {size}");
        }
    }

    #[tokio::test]
    async fn broken_transport_drops_the_half_line_and_ends() {
        let broken = Error::new(ErrorKind::Transport, "reset");
        let chunks = vec![Ok(Bytes::from("a\nhal")), Err(broken), Ok(Bytes::from("f\n"))];
        assert_eq!(lines(chunks, 1024).await, [Ok("a".to_owned()), Err("reset".to_owned())]);
    }

    #[tokio::test]
    async fn endless_line_is_an_error_and_ends() {
        let chunks = (0..10).map(|_| Ok(Bytes::from_static(b"aaaaaaaaaa"))).collect();
        let expected = [Err("a line of the answer is longer than 32 bytes".to_owned())];
        assert_eq!(lines(chunks, 32).await, expected);
    }

    #[tokio::test]
    async fn line_is_too_long_even_if_it_comes_at_once() {
        let text = format!("{}\n{}\n", "a".repeat(32), "b".repeat(33));
        for size in 1..=text.len() {
            let chunks = text.as_bytes().chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
            let expected = [Ok("a".repeat(32)), Err("a line of the answer is longer than 32 bytes".to_owned())];
            assert_eq!(lines(chunks, 32).await, expected, "in chunks of {size}");
        }
    }
}
