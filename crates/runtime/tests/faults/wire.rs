//! A connection that can be made to fail, and HTTP/2 frames that the library below would not send.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// A socket, with or without TLS.
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2"))
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    fn as_io(&mut self) -> Pin<&mut dyn Io> {
        match self {
            Self::Plain(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(stream),
        }
    }
}

trait Io: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// What a connection is made to do; a clone controls the same one.
#[derive(Clone, Default)]
pub(crate) struct Control(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    mode: Mode,
    /// A frame to be written between those of the library.
    inject: Option<Bytes>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mode {
    #[default]
    Works,
    /// Nothing is read and nothing is written; the socket stays open.
    Silent,
    /// It is at its end; `reset` is by TCP's RST in place of FIN.
    Cut { reset: bool },
}

impl Control {
    /// Makes the connection a black hole.
    pub(crate) fn silence(&self) {
        self.set(|state| state.mode = Mode::Silent);
    }

    /// Ends the connection at once.
    pub(crate) fn cut(&self, reset: bool) {
        self.set(|state| state.mode = Mode::Cut { reset });
    }

    /// Writes a GOAWAY frame between those of the library.
    pub(crate) fn go_away(&self, last_stream: u32, reason: h2::Reason) {
        let mut frame = vec![0, 0, 8, 7, 0, 0, 0, 0, 0];
        frame.extend_from_slice(&last_stream.to_be_bytes());
        frame.extend_from_slice(&u32::from(reason).to_be_bytes());
        self.set(|state| state.inject = Some(frame.into()));
    }

    /// Whether what [`go_away`](Self::go_away) gave is written.
    pub(crate) fn has_gone_away(&self) -> bool {
        self.state().inject.is_none()
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket under control.
pub(crate) struct Wire {
    socket: Socket,
    control: Control,
    /// Where in the written frames we are, as far as HTTP/2 is spoken.
    frames: Frames,
}

impl Wire {
    pub(crate) fn new(socket: Socket, control: Control) -> Self {
        Self { socket, control, frames: Frames::default() }
    }

    /// Whether reading and writing may go on; if not, what they come to.
    fn poll_works(&mut self, context: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.control.state();
        state.waker = Some(context.waker().clone());
        match state.mode {
            Mode::Works => Poll::Ready(Ok(())),
            Mode::Silent => Poll::Pending,
            Mode::Cut { reset } => {
                if reset {
                    // Not being able to is no less of a fault.
                    let _ = self.socket.tcp().set_zero_linger();
                }
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
        }
    }

    /// Writes the frame that waits, if this is between two others.
    fn poll_inject(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.frames.at_boundary() {
            return Poll::Ready(Ok(()));
        }
        let mut state = self.control.state();
        while let Some(frame) = &mut state.inject {
            let written = ready!(self.socket.as_io().poll_write(context, frame))?;
            frame.advance(written);
            if frame.is_empty() {
                state.inject = None;
            }
        }
        drop(state);
        self.socket.as_io().poll_flush(context)
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_works(context))?;
        if let Poll::Ready(Err(error)) = self.poll_inject(context) {
            return Poll::Ready(Err(error));
        }
        self.socket.as_io().poll_read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_works(context))?;
        ready!(self.poll_inject(context))?;
        let written = ready!(self.socket.as_io().poll_write(context, bytes))?;
        self.frames.pass(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_works(context))?;
        ready!(self.poll_inject(context))?;
        self.socket.as_io().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_works(context))?;
        self.socket.as_io().poll_shutdown(context)
    }
}

/// Follows written HTTP/2 frames: nine bytes of header, of which the first three are the length of what follows.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    payload: usize,
}

impl Frames {
    fn at_boundary(&self) -> bool {
        self.header.is_empty() && self.payload == 0
    }

    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let passed = self.payload.min(bytes.len());
                self.payload -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            if let [a, b, c, .., _] = self.header[..]
                && self.header.len() == 9
            {
                self.payload = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.header.clear();
            }
        }
    }
}
