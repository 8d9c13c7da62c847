//! The task of an upgraded connection: it writes what the handles want to send, reads what arrives into their buffers,
//! and finds out whether the other side is still there.
//!
//! # Liveness
//!
//! A ping goes out every ten seconds, unless one is unanswered; whatever arrives is a sign of life. A server that
//! cannot hand on our input, because nobody reads it, does not read pings either: it is alive, and says nothing. So an
//! unanswered ping proves that the other side is gone only if everything written before it had arrived, which the
//! answer to an earlier ping shows. Such a connection ends after 45 seconds at most. Otherwise the connection itself
//! knows whether its other end confirms what it is sent, and fails if not: see `transport::dial`. While this side does
//! not read, because its own buffers are full, nothing is concluded.
//!
//! A server that has reported how a process ended has said everything, and closes. One that stays, as a proxy between
//! may have it, is left after ten seconds without anything more, so that outputs end for whoever reads them.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    state::{End, Failure, Input, MAX_WAITING, Shared, State, Wish},
    status,
    wire::{Channel, Event, Reader},
};
use crate::machine;

/// How often the other side is asked whether it is there. Load balancers cut silent connections after a minute.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long the other side may be silent after a ping that it must have read.
pub(super) const PATIENCE: Duration = Duration::from_secs(35);

/// How long a connection that nobody holds any more may take to deliver what was written, and how long a server may
/// take to close after its report.
pub(super) const LINGER: Duration = Duration::from_secs(10);

/// The room for what is read at a time: the first, and the most, up to which it doubles whenever it was filled. A
/// program may hold many connections on which little comes.
const FIRST_READ: usize = 4 << 10;
pub(super) const READ: usize = 64 << 10;

/// The most that a server may report, as a Status or as words.
const MAX_REPORT: usize = 64 << 10;

/// Bytes in both directions.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// What a connection is for, which decides how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A process, whose end the server reports. Nothing else says that it has succeeded.
    Process,
    /// Bytes in both directions. A report is an error.
    Forward,
}

pub(super) struct Driver {
    io: Box<dyn Io>,
    shared: Arc<Shared>,
    purpose: Purpose,
    reader: Reader,
    /// What was read and not yet looked at.
    input: BytesMut,
    /// The room that is made for what comes next.
    room: usize,
    /// What is being written.
    output: BytesMut,
    writing: Writing,
    /// Reading waits for room in a buffer.
    paused: bool,
    last_read: Instant,
    pings: Pings,
    timer: Pin<Box<Sleep>>,
    /// When a connection that nobody holds must have ended.
    linger: Option<Instant>,
    /// When something last came, once the server has reported.
    last_word: Option<Instant>,
    done: bool,
}

/// What has become of what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Flushed,
    /// It is to be flushed.
    Unflushed,
    /// The other side takes nothing any more.
    Broken,
}

struct Pings {
    next: Instant,
    /// Odd, as SPDY wants the client's to be.
    number: u32,
    /// The ping that is not answered: when it was sent, how much was written before it, and whether the other side
    /// must have been able to read it.
    open: Option<(Instant, u64, bool)>,
    /// How much of what was written has certainly arrived.
    arrived: u64,
}

impl Driver {
    /// Begins to drive a connection.
    pub(super) fn spawn(io: Box<dyn Io>, shared: Arc<Shared>, purpose: Purpose) {
        tokio::spawn(machine::own(Self::new(io, shared, purpose)));
    }

    fn new(io: Box<dyn Io>, shared: Arc<Shared>, purpose: Purpose) -> Self {
        let now = Instant::now();
        let next = now + PING_INTERVAL;
        Self {
            io,
            purpose,
            reader: Reader::new(shared.writer),
            input: BytesMut::new(),
            room: FIRST_READ,
            output: BytesMut::new(),
            writing: Writing::Flushed,
            paused: false,
            last_read: now,
            pings: Pings { next, number: 1, open: None, arrived: 0 },
            timer: Box::pin(sleep_until(next)),
            linger: None,
            last_word: None,
            shared,
            done: false,
        }
    }

    /// Takes note of what the handles want. An error ends the connection.
    fn take_wishes(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        let state = &mut *self.shared.lock();
        state.set_driver(context);
        match state.wish {
            Wish::Open => {}
            Wish::Finish => {
                if self.linger.is_none() {
                    self.linger = Some(Instant::now() + LINGER);
                }
            }
            Wish::Leave => {
                self.shared.writer.leave(&mut self.output);
                return Err(End::Lost(Failure::new(io::ErrorKind::ConnectionAborted, "this side has closed it")));
            }
        }
        if self.output.is_empty() && self.writing != Writing::Broken {
            // Not before it can go out: until then a newer one takes its place.
            if let Some(size) = state.size.take() {
                self.shared.writer.data(&mut state.output, Channel::Resize, &size.message());
                state.written += 1;
            }
            if !state.output.is_empty() {
                std::mem::swap(&mut self.output, &mut state.output);
                state.wake_writer();
            }
        }
        Ok(())
    }

    /// Writes as much as the connection takes.
    fn write(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        loop {
            self.take_wishes(context)?;
            if self.output.is_empty() {
                break;
            }
            match Pin::new(&mut self.io).poll_write(context, &self.output) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0) | Err(_)) => self.not_written(),
                Poll::Ready(Ok(length)) => {
                    self.output.advance(length);
                    self.writing = Writing::Unflushed;
                }
            }
        }
        if self.writing == Writing::Unflushed {
            match Pin::new(&mut self.io).poll_flush(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(())) => self.writing = Writing::Flushed,
                Poll::Ready(Err(_)) => self.not_written(),
            }
        }
        Ok(())
    }

    /// Nothing can be written any more. A server that has ended takes nothing, but what it said last is there to read,
    /// or on its way; how reading ends is how the connection ends.
    fn not_written(&mut self) {
        self.output.clear();
        self.writing = Writing::Broken;
    }

    /// Reads what is there, as far as there is room for it, and then wakes those for whom it is: not for each piece,
    /// since a wake-up costs more than the bytes of one.
    fn read(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        let read = self.read_what_is_there(context);
        self.shared.wake_readers();
        read
    }

    fn read_what_is_there(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        loop {
            self.take_in()?;
            let was_paused = self.paused;
            self.paused = {
                let state = self.shared.lock();
                let full = |buffer: &super::state::Buffer| !buffer.has_room(self.shared.buffer);
                // Answers to pings of a peer that takes nothing must not pile up either.
                full(&state.stdout) || full(&state.stderr) || state.output.len() >= 2 * MAX_WAITING
            };
            if self.paused {
                return Ok(());
            }
            if was_paused {
                self.last_read = Instant::now();
                self.last_word = self.last_word.map(|_| self.last_read);
            }
            if self.input.capacity() - self.input.len() < self.room / 4 {
                self.input.reserve(self.room);
            }
            let room = self.input.capacity() - self.input.len();
            let read = pin!(self.io.read_buf(&mut self.input)).poll(context);
            match read {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(self.at_end()),
                Poll::Ready(Ok(length)) => {
                    self.last_read = Instant::now();
                    if length == room {
                        self.room = READ.min(2 * self.room);
                    }
                }
                Poll::Ready(Err(error)) => return Err(lost(&error)),
            }
        }
    }

    /// Looks at what was read.
    fn take_in(&mut self) -> Result<(), End> {
        let shared = self.shared.clone();
        let mut state = shared.lock();
        loop {
            let event = self.reader.next(&mut self.input, &mut state.output);
            let event = event.map_err(|problem| {
                End::Lost(Failure::new(
                    io::ErrorKind::InvalidData,
                    format!("what arrives is not as it must be: {problem}"),
                ))
            })?;
            let Some(event) = event else { return Ok(()) };
            let is_word = !matches!(event, Event::Pong(_));
            match event {
                Event::Data(Channel::Error, bytes) => self.take_report(&mut state, &bytes)?,
                Event::Data(channel, bytes) => state.buffer(channel).push(bytes),
                Event::End(Channel::Error) => self.end_report(&mut state),
                Event::End(channel) => state.buffer(channel).end(Ok(())),
                Event::Reset(channel) => self.reset(&mut state, channel)?,
                Event::Pong(number) => self.pings.answered(number),
                Event::Close(None) => return Err(self.end_of(&state, "the server closed it")),
                Event::Close(Some(why)) => {
                    return Err(self.end_of(&state, &format!("the server closed it with {why}")));
                }
            }
            if self.is_complete(&state) {
                return Err(End::Closed);
            }
            if is_word && state.reported {
                self.last_word = Some(Instant::now());
            }
        }
    }

    fn take_report(&mut self, state: &mut State, bytes: &[u8]) -> Result<(), End> {
        if state.reported {
            return Ok(());
        }
        if state.report.len() + bytes.len() > MAX_REPORT {
            return Err(End::Lost(Failure::new(io::ErrorKind::InvalidData, "the server's report is too long")));
        }
        state.report.extend_from_slice(bytes);
        // Read anew for its last bytes only, since it may come in pieces of one byte.
        let may_be_whole = bytes.trim_ascii_end().ends_with(b"}");
        if self.purpose == Purpose::Process && may_be_whole && status::is_whole(&state.report) {
            state.reported = true;
            state.break_input(None);
            state.wake_waiting();
        }
        Ok(())
    }

    /// The report is whole, whatever it says.
    fn end_report(&mut self, state: &mut State) {
        if self.purpose == Purpose::Forward && !state.report.is_empty() {
            let failure = refused(state);
            state.stdout.end(Err(failure.clone()));
            state.break_input(Some(failure));
        }
    }

    /// Nothing comes any more in a direction. A server that has reported how a process ended lets go of all streams so.
    /// Before that, an output may have had more, and no report comes where it was to come.
    fn reset(&mut self, state: &mut State, channel: Channel) -> Result<(), End> {
        self.end_report(state);
        let reset = |words| Some(Failure::new(io::ErrorKind::ConnectionReset, words));
        let failure = match self.purpose {
            Purpose::Forward => reset("the pod's side reset the connection"),
            Purpose::Process if state.reported => None,
            Purpose::Process => reset("the server gave up a stream"),
        };
        match (channel, failure) {
            // A process need not read its input to the end.
            (Channel::Stdin, _) if self.purpose == Purpose::Process => state.break_input(None),
            (Channel::Stdin, failure) => state.break_input(failure),
            (Channel::Stdout | Channel::Stderr, failure) => state.buffer(channel).end(failure.map_or(Ok(()), Err)),
            (Channel::Error, Some(failure)) if self.purpose == Purpose::Process => return Err(End::Lost(failure)),
            (Channel::Error | Channel::Resize, _) => {}
        }
        Ok(())
    }

    /// The connection has served its purpose.
    fn is_complete(&self, state: &State) -> bool {
        match self.purpose {
            Purpose::Process => state.reported && state.stdout.has_ended() && state.stderr.has_ended(),
            Purpose::Forward => {
                let written = match state.stdin {
                    Input::Open { .. } => false,
                    Input::Ended => state.output.is_empty() && self.output.is_empty(),
                    Input::Broken(_) => true,
                };
                state.stdout.is_at_end() && written && self.writing != Writing::Unflushed
            }
        }
    }

    /// The connection ends: what that means depends on what came before.
    fn at_end(&self) -> End {
        self.end_of(&self.shared.lock(), "the connection ended")
    }

    fn end_of(&self, state: &State, how: &str) -> End {
        let is_over = match self.purpose {
            Purpose::Process => state.reported,
            Purpose::Forward => state.stdout.is_at_end(),
        };
        if is_over {
            End::Closed
        } else if self.purpose == Purpose::Forward && !state.report.is_empty() {
            End::Lost(refused(state))
        } else {
            End::Lost(Failure::new(io::ErrorKind::UnexpectedEof, how))
        }
    }

    /// Sends pings, and ends what has been silent for too long.
    fn watch_time(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        while self.timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if self.linger.is_some_and(|end| end <= now) {
                return Err(End::Lost(Failure::new(io::ErrorKind::TimedOut, "nobody holds it, and it did not end")));
            }
            if self.patience_ends().is_some_and(|end| end <= now) {
                let silent = now.saturating_duration_since(self.last_read).as_secs();
                let words = format!("the other side answers no ping and has been silent for {silent} s");
                return Err(End::Lost(Failure::new(io::ErrorKind::TimedOut, words)));
            }
            if self.must_have_closed().is_some_and(|end| end <= now) {
                self.shared.writer.leave(&mut self.output);
                return Err(End::Closed);
            }
            if self.pings.next <= now {
                if self.pings.open.is_none() {
                    let state = &mut *self.shared.lock();
                    let certain = state.written == self.pings.arrived;
                    self.pings.open = Some((now, state.written, certain));
                    self.shared.writer.ping(&mut state.output, self.pings.number);
                }
                self.pings.next = now + PING_INTERVAL;
            }
            let ends = [self.linger, self.patience_ends(), self.must_have_closed()];
            self.timer.as_mut().reset(ends.into_iter().flatten().fold(self.pings.next, Instant::min));
        }
        Ok(())
    }

    /// When the other side must have said something.
    fn patience_ends(&self) -> Option<Instant> {
        let since = match self.pings.open {
            _ if self.paused => return None,
            _ if self.writing == Writing::Broken => self.last_read,
            Some((sent, _, true)) => sent.max(self.last_read),
            _ => return None,
        };
        Some(since + PATIENCE)
    }

    /// When a server that has reported must have closed.
    fn must_have_closed(&self) -> Option<Instant> {
        self.last_word.filter(|_| !self.paused).map(|last| last + LINGER)
    }

    fn step(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        self.watch_time(context)?;
        self.write(context)?;
        self.read(context)?;
        // Reading may have brought pings that are to be answered, or room for more.
        self.write(context)?;
        let is_complete = self.is_complete(&self.shared.lock());
        if is_complete { Err(End::Closed) } else { Ok(()) }
    }

    /// Tells all handles how it ended.
    fn finish(&mut self, end: End) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        let state = &mut *self.shared.lock();
        let end = match end {
            End::Lost(_) if state.reported => End::Closed,
            End::Lost(failure) if self.purpose == Purpose::Process => {
                let said = if state.report.is_empty() {
                    String::new()
                } else {
                    format!(", which said {}", status::words(&state.report))
                };
                let words = failure.words;
                let words =
                    format!("{words}{said}, before the server had reported the process's end; it may still run");
                End::Lost(Failure { words, ..failure })
            }
            end => end,
        };
        let failure = match &end {
            End::Closed => None,
            End::Lost(failure) => Some(failure),
        };
        for channel in [Channel::Stdout, Channel::Stderr] {
            state.buffer(channel).end(failure.map_or(Ok(()), |failure| Err(failure.clone())));
        }
        state.break_input(failure.cloned());
        state.end = Some(end);
        state.wake_waiting();
    }
}

impl Pings {
    /// Takes note of an answer. Whatever arrives is a sign of life, but an older answer says nothing of later bytes.
    fn answered(&mut self, number: u32) {
        if number == self.number
            && let Some((_, written, _)) = self.open.take()
        {
            self.arrived = written;
            self.number = self.number.wrapping_add(2) | 1;
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Err(end) = this.step(context) else { return Poll::Pending };
        this.finish(end);
        // As far as that goes without waiting: a server that does not hear of it sees the connection close.
        if !this.output.is_empty() {
            let _ = Pin::new(&mut this.io).poll_write(context, &this.output);
        }
        let _ = Pin::new(&mut this.io).poll_shutdown(context);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let words = "the runtime that drives the connection has shut down";
        self.finish(End::Lost(Failure::new(io::ErrorKind::ConnectionAborted, words)));
    }
}

/// What the server says of a port that it cannot connect to.
fn refused(state: &State) -> Failure {
    Failure::new(io::ErrorKind::ConnectionRefused, status::words(&state.report))
}

fn lost(error: &io::Error) -> End {
    End::Lost(Failure::new(error.kind(), error.to_string()))
}
