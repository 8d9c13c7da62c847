//! The pieces of a list's body: the part that needs no type, and is compiled once for all.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream as _;
use http::Method;

use super::{CUT_OFF, Problem, json, protobuf};
use crate::{
    codec::MediaType,
    error::{Error, ErrorKind, Result},
    rest::poll_turn,
    transport::Body,
};

/// What a list is cut into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// What stands before the items, as a list without items.
    Begin(Bytes),
    /// An item.
    Item(Bytes),
    /// All but the items, as a list without items. It is the last piece, and comes only if the list ended as it should.
    End(Bytes),
}

/// Cuts a body into the pieces of a list. After the last, and after an error, there are none.
pub(super) struct ListPieces {
    body: Body,
    /// What has arrived and is not looked at yet.
    chunk: Bytes,
    scanner: Scanner,
    ended: bool,
    url: String,
}

#[derive(Debug)]
enum Scanner {
    Json(json::Scanner),
    Protobuf(protobuf::Scanner),
}

impl ListPieces {
    /// The pieces of the answer to a GET of this URL; items, and what stands around them, are of this length at most.
    pub(super) fn new(body: Body, media_type: MediaType, limit: usize, url: String) -> Self {
        let scanner = match media_type {
            MediaType::Json => Scanner::Json(json::Scanner::new(limit)),
            MediaType::Protobuf => Scanner::Protobuf(protobuf::Scanner::new(limit)),
        };
        Self { body, chunk: Bytes::new(), scanner, ended: false, url }
    }

    /// The next piece.
    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Piece>>> {
        while !self.ended {
            ready!(poll_turn(context));
            match self.scan() {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(None) => {}
                Err(problem) => return Poll::Ready(Some(Err(self.wrong(problem)))),
            }
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => return Poll::Ready(Some(Err(self.failed(error)))),
                None => {
                    let end = match &mut self.scanner {
                        Scanner::Json(scanner) => scanner.end(),
                        Scanner::Protobuf(scanner) => scanner.end(),
                    };
                    self.ended = true;
                    return Poll::Ready(Some(end.map(Piece::End).map_err(|problem| self.wrong(problem))));
                }
            }
        }
        Poll::Ready(None)
    }

    fn scan(&mut self) -> Result<Option<Piece>, Problem> {
        if self.chunk.is_empty() {
            return Ok(None);
        }
        match &mut self.scanner {
            Scanner::Json(scanner) => scanner.next(&mut self.chunk),
            Scanner::Protobuf(scanner) => scanner.next(&mut self.chunk),
        }
    }

    fn wrong(&mut self, problem: Problem) -> Error {
        self.failed(match problem {
            CUT_OFF => Error::cut_off("the list"),
            _ => Error::new(ErrorKind::Decode, problem),
        })
    }

    /// Ends in an error that says which list it was. What is still to come is of no use to anybody.
    pub(super) fn failed(&mut self, error: Error) -> Error {
        self.ended = true;
        self.body = Body::default();
        self.chunk = Bytes::new();
        self.named(error)
    }

    /// The error with the request whose answer the list is.
    pub(super) fn named(&self, error: Error) -> Error {
        error.with_request(&Method::GET, self.url.clone())
    }

    /// Where the list comes from.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}
