//! What users hold of a connection: where they write, where they read.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::{state::Shared, wire::Channel};

/// Reads one channel. Dropping it lets go of what is still to come.
pub(super) struct ReadHalf {
    shared: Arc<Shared>,
    channel: Channel,
    /// What was taken and not read.
    chunk: Bytes,
}

impl ReadHalf {
    pub(super) fn new(shared: &Arc<Shared>, channel: Channel) -> Self {
        Self { shared: shared.clone(), channel, chunk: Bytes::new() }
    }

    pub(super) async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        if self.chunk.is_empty() {
            self.chunk = poll_fn(|context| self.shared.poll_chunk(context, self.channel)).await?;
        }
        let chunk = std::mem::take(&mut self.chunk);
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    pub(super) fn poll_fill_buf(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.chunk.is_empty() {
            self.chunk = ready!(self.shared.poll_chunk(context, self.channel))?;
        }
        Poll::Ready(Ok(&self.chunk))
    }

    pub(super) fn consume(&mut self, amount: usize) {
        self.chunk.advance(amount.min(self.chunk.len()));
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let available = ready!(self.poll_fill_buf(context))?;
        let amount = available.len().min(buf.remaining());
        buf.put_slice(&available[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl Drop for ReadHalf {
    fn drop(&mut self) {
        self.shared.discard(self.channel);
    }
}

/// The input of a process: what is written here, it reads.
///
/// Dropping it, or [shutting it down](tokio::io::AsyncWriteExt::shutdown), ends the input: the process reads to the
/// end and then sees it. What was written before arrives. Once the process has ended, writing fails with
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe).
pub struct Stdin(Arc<Shared>);

impl Stdin {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(shared.clone())
    }
}

impl AsyncWrite for Stdin {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(context, bytes)
    }

    /// Does nothing: what is written is on its way.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.end_input();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        self.0.end_input();
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdin").finish_non_exhaustive()
    }
}

/// Gives a type around a [`ReadHalf`] what it can do.
macro_rules! reads {
    ($output:ident) => {
        impl $output {
            /// The next bytes as they came, without copying them; `None` at the end.
            pub async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
                self.0.chunk().await
            }
        }

        impl AsyncRead for $output {
            fn poll_read(
                mut self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.0.poll_read(context, buf)
            }
        }

        impl AsyncBufRead for $output {
            fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
                self.get_mut().0.poll_fill_buf(context)
            }

            fn consume(mut self: Pin<&mut Self>, amount: usize) {
                self.0.consume(amount);
            }
        }

        impl fmt::Debug for $output {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($output)).finish_non_exhaustive()
            }
        }
    };
}

/// What a process writes to its standard output; with a terminal, also what it writes to standard error.
///
/// It ends as the process's output does. If the connection is lost first, reading fails, so that half an output is
/// never taken for the whole. What comes is held for the reader up to a [limit](super::Exec::buffer_size). Then the
/// whole connection waits for it, standard error and the end of the process included; dropping it lets the output go.
pub struct Stdout(pub(super) ReadHalf);

/// What a process writes to its standard error. It is read as [`Stdout`] is.
pub struct Stderr(pub(super) ReadHalf);

reads!(Stdout);
reads!(Stderr);
