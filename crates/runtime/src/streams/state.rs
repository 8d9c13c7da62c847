//! What the handles of an upgraded connection share with the task that drives it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};

use super::{
    TerminalSize,
    wire::{Channel, MAX_FRAME, Writer},
};

/// How many bytes of frames wait for the connection before a writer has to wait.
pub(super) const MAX_WAITING: usize = 256 << 10;

/// Smaller pieces are joined, or each would cost more than its bytes.
const SMALL: usize = 1 << 10;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) writer: Writer,
    /// How many unread bytes of a channel hold up the connection.
    pub(super) buffer: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    /// Frames that wait to be sent.
    pub(super) output: BytesMut,
    /// How many bytes of the input, and sizes, were written so far.
    pub(super) written: u64,
    /// The latest size, not sent yet.
    pub(super) size: Option<TerminalSize>,
    pub(super) stdin: Input,
    pub(super) stdout: Buffer,
    pub(super) stderr: Buffer,
    /// What came on the channel for errors.
    pub(super) report: BytesMut,
    /// The report is complete.
    pub(super) reported: bool,
    /// How it ended.
    pub(super) end: Option<End>,
    /// What the handles want of the connection.
    pub(super) wish: Wish,
    driver: Option<Waker>,
    waiting: Option<Waker>,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server reported, and closed.
    Closed,
    /// It was lost.
    Lost(Failure),
}

/// Why something can be neither read nor written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: io::ErrorKind,
    pub(super) words: String,
}

/// What the handles want of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// It is used.
    Open,
    /// What was written is to arrive, then it is to close.
    Finish,
    /// It is to close at once.
    Leave,
}

/// What is sent to the server.
#[derive(Debug)]
pub(super) enum Input {
    Open {
        waiting: Option<Waker>,
    },
    /// The end was written.
    Ended,
    /// The server takes no more.
    Broken(Option<Failure>),
}

/// What came from the server and was not read yet.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    chunks: VecDeque<Bytes>,
    /// Small pieces, which come behind the chunks.
    tail: BytesMut,
    length: usize,
    end: Option<Result<(), Failure>>,
    /// Nobody reads it any more.
    pub(super) discarded: bool,
    waiting: Option<Waker>,
}

impl Failure {
    pub(super) fn new(kind: io::ErrorKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    pub(super) fn to_io(&self) -> io::Error {
        io::Error::new(self.kind, self.words.clone())
    }
}

impl Shared {
    pub(super) fn new(writer: Writer, buffer: usize, output: BytesMut) -> Arc<Self> {
        let state = State {
            output,
            written: 0,
            size: None,
            stdin: Input::Open { waiting: None },
            stdout: Buffer::default(),
            stderr: Buffer::default(),
            report: BytesMut::new(),
            reported: false,
            end: None,
            wish: Wish::Open,
            driver: None,
            waiting: None,
        };
        Arc::new(Self { writer, buffer: buffer.max(1), state: Mutex::new(state) })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a part of some bytes, as soon as there is room.
    pub(super) fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.lock();
        match &mut state.stdin {
            Input::Ended => Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "its end was written already"))),
            Input::Broken(failure) => Poll::Ready(Err(failure.as_ref().map_or_else(
                || io::Error::new(io::ErrorKind::BrokenPipe, "the other side does not read any more"),
                Failure::to_io,
            ))),
            Input::Open { waiting } if state.output.len() >= MAX_WAITING => {
                wait(waiting, context);
                Poll::Pending
            }
            Input::Open { .. } => {
                let part = &bytes[..bytes.len().min(MAX_FRAME)];
                if !part.is_empty() {
                    self.writer.data(&mut state.output, Channel::Stdin, part);
                    state.written += part.len() as u64;
                    state.wake_driver();
                }
                Poll::Ready(Ok(part.len()))
            }
        }
    }

    /// Writes all of the input at once, however much waits, and its end.
    pub(super) fn write_all(&self, bytes: &[u8]) {
        let state = &mut *self.lock();
        for part in bytes.chunks(MAX_FRAME) {
            self.writer.data(&mut state.output, Channel::Stdin, part);
        }
        state.written += bytes.len() as u64;
        state.end_input(self.writer);
    }

    /// Writes the end of the input, unless it has ended.
    pub(super) fn end_input(&self) {
        self.lock().end_input(self.writer);
    }

    /// Sets the size of the terminal, in place of one that was not sent yet.
    pub(super) fn resize(&self, size: TerminalSize) {
        let mut state = self.lock();
        state.size = Some(size);
        state.wake_driver();
    }

    /// The next bytes of a channel; empty at its end.
    pub(super) fn poll_chunk(&self, context: &mut Context<'_>, channel: Channel) -> Poll<io::Result<Bytes>> {
        let mut state = self.lock();
        let state = &mut *state;
        let buffer = state.buffer(channel);
        let was_full = buffer.length >= self.buffer;
        let Some(chunk) = buffer.take() else {
            return match &buffer.end {
                None => {
                    wait(&mut buffer.waiting, context);
                    Poll::Pending
                }
                Some(Ok(())) => Poll::Ready(Ok(Bytes::new())),
                Some(Err(failure)) => Poll::Ready(Err(failure.to_io())),
            };
        };
        if was_full && buffer.length < self.buffer {
            state.wake_driver();
        }
        Poll::Ready(Ok(chunk))
    }

    /// Wakes those for whom something has come: without the lock, for which they would have to wait.
    pub(super) fn wake_readers(&self) {
        let wakers = {
            let mut state = self.lock();
            [state.stdout.waiting_reader(), state.stderr.waiting_reader()]
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Nobody reads the channel any more: what comes is let go.
    pub(super) fn discard(&self, channel: Channel) {
        let mut state = self.lock();
        state.buffer(channel).discard();
        state.wake_driver();
    }

    /// Says what is wanted of the connection, unless it is to close at once already. After a report, only who reads on
    /// keeps it open.
    pub(super) fn wish(&self, wish: Wish) {
        let mut state = self.lock();
        if state.wish != Wish::Leave && !state.reported {
            state.wish = wish;
            state.wake_driver();
        }
    }

    /// How the connection ended, or that the server has reported.
    pub(super) fn poll_end(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.end.is_some() || state.reported {
            return Poll::Ready(());
        }
        wait(&mut state.waiting, context);
        Poll::Pending
    }
}

impl State {
    pub(super) fn buffer(&mut self, channel: Channel) -> &mut Buffer {
        match channel {
            Channel::Stderr => &mut self.stderr,
            _ => &mut self.stdout,
        }
    }

    fn end_input(&mut self, writer: Writer) {
        if let Input::Open { .. } = self.stdin {
            self.stdin = Input::Ended;
            // Nobody has to wait to hand that on, so it is not counted.
            writer.end(&mut self.output, Channel::Stdin);
            self.wake_driver();
        }
    }

    /// Has the driver wake up for what the handles do.
    pub(super) fn set_driver(&mut self, context: &mut Context<'_>) {
        wait(&mut self.driver, context);
    }

    fn wake_driver(&mut self) {
        wake(&mut self.driver);
    }

    /// Wakes who waits for the report.
    pub(super) fn wake_waiting(&mut self) {
        wake(&mut self.waiting);
    }

    /// There is room again for what is to be sent.
    pub(super) fn wake_writer(&mut self) {
        if let Input::Open { waiting } = &mut self.stdin {
            wake(waiting);
        }
    }

    /// Nothing more can be written.
    pub(super) fn break_input(&mut self, failure: Option<Failure>) {
        self.wake_writer();
        if let Input::Open { .. } = self.stdin {
            self.stdin = Input::Broken(failure);
        }
    }
}

impl Buffer {
    /// Takes in what has come. Its reader is [woken](Shared::wake_readers) when all of it has.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if self.discarded || self.end.is_some() {
            return;
        }
        self.length += bytes.len();
        if bytes.len() < SMALL {
            self.tail.extend_from_slice(&bytes);
        } else {
            if !self.tail.is_empty() {
                self.chunks.push_back(self.tail.split().freeze());
            }
            self.chunks.push_back(bytes);
        }
    }

    /// Who waits for what has come meanwhile.
    fn waiting_reader(&mut self) -> Option<Waker> {
        if self.length > 0 || self.end.is_some() { self.waiting.take() } else { None }
    }

    fn take(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.pop_front();
        let chunk = chunk.or_else(|| (!self.tail.is_empty()).then(|| self.tail.split().freeze()))?;
        self.length -= chunk.len();
        Some(chunk)
    }

    /// Nothing more comes. The first end counts.
    pub(super) fn end(&mut self, end: Result<(), Failure>) {
        self.end.get_or_insert(end);
        wake(&mut self.waiting);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some() || self.discarded
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.end.is_some()
    }

    pub(super) fn has_room(&self, limit: usize) -> bool {
        self.length < limit
    }

    pub(super) fn discard(&mut self) {
        *self = Self { discarded: true, end: self.end.take(), ..Self::default() };
    }
}

/// Notes who is to be woken.
fn wait(waiting: &mut Option<Waker>, context: &mut Context<'_>) {
    match waiting {
        Some(waker) => waker.clone_from(context.waker()),
        None => *waiting = Some(context.waker().clone()),
    }
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}
