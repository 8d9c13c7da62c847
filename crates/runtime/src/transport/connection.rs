//! One connection under HTTP, and what is to be seen on it: how many streams the server allows, and that it must end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection as Described},
    rt::TokioIo,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{dial::Io, forward::writes_to_io, retirement::Retired, room::Report, settings::FirstSettings};

/// A connection that HTTP can be spoken on.
pub(super) struct Connection {
    io: TokioIo<Seen>,
    http2: bool,
    /// Requests go to a proxy, which wants to know the whole URL of each.
    proxied: bool,
}

impl Connection {
    /// For HTTP/1.1.
    pub(super) fn http1(io: Box<dyn Io>, retired: Option<Retired>) -> Self {
        Self { io: TokioIo::new(Seen { io, retired, streams: None }), http2: false, proxied: false }
    }

    /// The same connection, if it is one to a proxy that forwards requests.
    pub(super) fn through_proxy(self, proxied: bool) -> Self {
        Self { proxied, ..self }
    }

    /// For HTTP/2; the report is told how many streams the server allows.
    pub(super) fn http2(io: Box<dyn Io>, retired: Option<Retired>, report: Report) -> Self {
        let streams = Some((FirstSettings::default(), report));
        Self { io: TokioIo::new(Seen { io, retired, streams }), http2: true, proxied: false }
    }
}

impl Described for Connection {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.proxied);
        if self.http2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

writes_to_io!(Write for Connection);

/// Bytes that are looked at as they pass. Reading is what HTTP always waits in, so that is where a connection learns that
/// it must end.
struct Seen {
    io: Box<dyn Io>,
    retired: Option<Retired>,
    streams: Option<(FirstSettings, Report)>,
}

impl AsyncRead for Seen {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(retired) = &mut self.retired {
            retired.check(cx)?;
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        if let Some((settings, report)) = &mut self.streams
            && let Some(streams) = settings.read(&buf.filled()[before..])
        {
            report.allows(streams);
        }
        Poll::Ready(Ok(()))
    }
}

writes_to_io!(AsyncWrite for Seen);
