//! Connections that stop speaking HTTP: [`Upgraded`].

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, Response, header::UPGRADE};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    error::{Error, ErrorKind, Result},
    transport::{Body, dial::writes_to_io},
};

/// A connection to the server, or to what is behind it, that speaks a protocol of its own from now on.
///
/// Bytes are read and written as they are. Dropping it closes the connection. [`Request::upgrade`] makes it.
///
/// [`Request::upgrade`]: crate::rest::Request::upgrade
pub struct Upgraded {
    headers: HeaderMap,
    io: TokioIo<hyper::upgrade::Upgraded>,
}

/// Whether the connection of a request is to be upgraded, so that it must speak HTTP/1.1: HTTP/2 has no such header.
pub(super) fn is_wanted(request: &HeaderMap) -> bool {
    request.contains_key(UPGRADE)
}

impl Upgraded {
    /// The connection of an answer with the code 101.
    pub(crate) async fn of(mut response: Response<Body>) -> Result<Self> {
        let failed = |error| Error::new(ErrorKind::Transport, "the connection was not upgraded").with_source(error);
        let io = hyper::upgrade::on(&mut response).await.map_err(failed)?;
        Ok(Self { headers: response.into_parts().0.headers, io: TokioIo::new(io) })
    }

    /// The headers of the server's answer, such as `Upgrade` and the subprotocol that it chose.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

writes_to_io!(AsyncWrite for Upgraded);

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").finish_non_exhaustive()
    }
}
