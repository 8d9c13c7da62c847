//! The bytes inside TLS.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::failure::Peer;
use crate::transport::{dial::writes_to_io, failure};

/// A connection with TLS whose errors are in our words.
pub(in crate::transport) struct TlsStream<S> {
    io: S,
    peer: Peer,
}

impl<S> TlsStream<S> {
    pub(in crate::transport) fn new(io: S, peer: Peer) -> Self {
        Self { io, peer }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let peer = self.peer;
        Pin::new(&mut self.io).poll_read(cx, buf).map_err(|error| failure::of_read(error, peer))
    }
}

writes_to_io!(AsyncWrite for TlsStream<S>);
