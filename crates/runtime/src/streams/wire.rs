//! The channels of one upgraded connection, whichever of three ways they travel: as messages of a WebSocket, as streams
//! of SPDY, or as streams of SPDY whose bytes are the messages of a WebSocket.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{
    Problem, spdy,
    websocket::{self, Opcode},
};

/// One way for bytes, by its number in `v5.channel.k8s.io`.
///
/// A forwarded connection has three of them: what is sent to the pod goes in on `Stdin`, what comes from it comes out
/// on
/// `Stdout`, and both are one stream of SPDY. Words of an error come on `Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Channel {
    Stdin = 0,
    Stdout = 1,
    Stderr = 2,
    Error = 3,
    Resize = 4,
}

impl Channel {
    const ALL: [Self; 5] = [Self::Stdin, Self::Stdout, Self::Stderr, Self::Error, Self::Resize];

    /// The channel on which the server writes with this number.
    fn written_by_server(number: u8) -> Option<Self> {
        [Self::Stdout, Self::Stderr, Self::Error].into_iter().find(|channel| *channel as u8 == number)
    }
}

/// On this channel the side that closes another one sends its number.
const CLOSE: u8 = 255;

/// The most bytes in one frame of ours. Servers take more, and write no more themselves.
pub(super) const MAX_FRAME: usize = 32 << 10;

/// The stream of SPDY that each channel is; 0 for channels that there are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Streams([u32; 5]);

impl Streams {
    pub(super) fn with(mut self, channel: Channel, stream: u32) -> Self {
        self.0[channel as usize] = stream;
        self
    }

    fn of(self, channel: Channel) -> u32 {
        self.0[channel as usize]
    }

    /// The channel on which the server writes with this stream.
    fn written_by_server(self, stream: u32) -> Option<Channel> {
        let channels = [Channel::Stdout, Channel::Stderr, Channel::Error];
        channels.into_iter().find(|channel| stream != 0 && self.of(*channel) == stream)
    }

    /// All channels of a stream.
    fn channels(self, stream: u32) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |channel| stream != 0 && self.of(*channel) == stream)
    }
}

/// How channels are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writer {
    WebSocket,
    Spdy(Streams),
    Tunnel(Streams),
}

impl Writer {
    /// Appends bytes of a channel, at most [`MAX_FRAME`], if it is there.
    pub(super) fn data(self, output: &mut BytesMut, channel: Channel, bytes: &[u8]) {
        match self {
            Self::WebSocket => websocket::write(output, Opcode::Binary, &[&[channel as u8], bytes]),
            Self::Spdy(streams) | Self::Tunnel(streams) if streams.of(channel) == 0 => {}
            Self::Spdy(streams) | Self::Tunnel(streams) => {
                self.spdy(output, &[&spdy::data(streams.of(channel), bytes.len(), false), bytes]);
            }
        }
    }

    /// Appends the end of a channel.
    pub(super) fn end(self, output: &mut BytesMut, channel: Channel) {
        match self {
            Self::WebSocket => websocket::write(output, Opcode::Binary, &[&[CLOSE, channel as u8]]),
            Self::Spdy(streams) | Self::Tunnel(streams) => {
                self.spdy(output, &[&spdy::data(streams.of(channel), 0, true)]);
            }
        }
    }

    /// Appends a ping. Over SPDY its number must be odd.
    pub(super) fn ping(self, output: &mut BytesMut, number: u32) {
        match self {
            Self::WebSocket => websocket::write(output, Opcode::Ping, &[&number.to_be_bytes()]),
            Self::Spdy(_) | Self::Tunnel(_) => self.spdy(output, &[&spdy::ping(number)]),
        }
    }

    /// Appends what tells the server that this side leaves. SPDY has nothing for that.
    pub(super) fn leave(self, output: &mut BytesMut) {
        if let Self::WebSocket | Self::Tunnel(_) = self {
            websocket::write_close(output);
        }
    }

    /// Appends a frame of SPDY.
    pub(super) fn spdy(self, output: &mut BytesMut, parts: &[&[u8]]) {
        match self {
            Self::Tunnel(_) => websocket::write(output, Opcode::Binary, parts),
            _ => parts.iter().for_each(|part| output.extend_from_slice(part)),
        }
    }

    fn streams(self) -> Streams {
        match self {
            Self::WebSocket => Streams::default(),
            Self::Spdy(streams) | Self::Tunnel(streams) => streams,
        }
    }
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Data(Channel, Bytes),
    /// A channel has ended from the server's side.
    End(Channel),
    /// A channel was given up.
    Reset(Channel),
    /// The answer to a ping of ours.
    Pong(u32),
    /// The server closes the connection, and says why unless all is well.
    Close(Option<String>),
}

/// Reads what arrives.
#[derive(Debug)]
pub(super) struct Reader {
    writer: Writer,
    websocket: websocket::Reader,
    spdy: spdy::Reader,
    /// The channel of the message that is coming, if it is one that counts.
    channel: Option<Channel>,
    /// The first byte of the message, which names its channel, has not come.
    awaits_channel: bool,
    /// The message names channels that end.
    closes: bool,
    /// Bytes of SPDY out of the messages of a WebSocket.
    inner: BytesMut,
    /// What else a frame said.
    more: VecDeque<Event>,
}

impl Reader {
    pub(super) fn new(writer: Writer) -> Self {
        Self {
            writer,
            websocket: websocket::Reader::default(),
            spdy: spdy::Reader::default(),
            channel: None,
            awaits_channel: false,
            closes: false,
            inner: BytesMut::new(),
            more: VecDeque::new(),
        }
    }

    /// The next thing that arrived, taken out of the input; `None` if more must come first. Answers that the protocol
    /// wants are appended to the output.
    pub(super) fn next(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<Option<Event>, Problem> {
        if let Some(event) = self.more.pop_front() {
            return Ok(Some(event));
        }
        match self.writer {
            Writer::WebSocket => self.message(input, output),
            Writer::Spdy(_) => self.stream(input, output),
            Writer::Tunnel(_) => loop {
                let mut inner = std::mem::take(&mut self.inner);
                let event = self.stream(&mut inner, output);
                self.inner = inner;
                if let Some(event) = event? {
                    return Ok(Some(event));
                }
                match self.websocket(input, output)? {
                    None => return Ok(None),
                    // Not copied, unless there is the beginning of a frame.
                    Some(websocket::Event::Data { bytes, .. }) if self.inner.is_empty() => self.inner = bytes,
                    Some(websocket::Event::Data { bytes, .. }) => self.inner.extend_from_slice(&bytes),
                    Some(event) => {
                        if let Some(event) = outside_of_messages(event) {
                            return Ok(Some(event));
                        }
                    }
                }
            },
        }
    }

    /// The next thing on a WebSocket, whose pings are answered.
    fn websocket(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<Option<websocket::Event>, Problem> {
        loop {
            match self.websocket.next(input)? {
                Some(websocket::Event::Ping(payload)) => websocket::write(output, Opcode::Pong, &[&payload]),
                other => return Ok(other),
            }
        }
    }

    /// The next thing where each message belongs to the channel that its first byte names.
    fn message(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<Option<Event>, Problem> {
        while let Some(event) = self.websocket(input, output)? {
            let (mut bytes, begins) = match event {
                websocket::Event::Data { bytes, begins, .. } => (bytes, begins),
                other => match outside_of_messages(other) {
                    Some(event) => return Ok(Some(event)),
                    None => continue,
                },
            };
            if begins {
                (self.channel, self.awaits_channel, self.closes) = (None, true, false);
            }
            if self.awaits_channel && !bytes.is_empty() {
                let number = bytes.split_to(1)[0];
                self.awaits_channel = false;
                self.channel = Channel::written_by_server(number);
                self.closes = number == CLOSE;
            }
            if bytes.is_empty() {
                // The server begins with an empty message.
                continue;
            }
            if std::mem::take(&mut self.closes) {
                // One byte is all that such a message is.
                if let Some(channel) = Channel::written_by_server(bytes[0]) {
                    return Ok(Some(Event::End(channel)));
                }
            } else if let Some(channel) = self.channel {
                return Ok(Some(Event::Data(channel, bytes.freeze())));
            }
        }
        Ok(None)
    }

    /// The next thing where each channel is a stream.
    fn stream(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<Option<Event>, Problem> {
        let streams = self.writer.streams();
        while let Some(event) = self.spdy.next(input)? {
            match event {
                spdy::Event::Data { stream, bytes, ends } => {
                    let Some(channel) = streams.written_by_server(stream) else { continue };
                    let end = ends.then_some(Event::End(channel));
                    if bytes.is_empty() {
                        match end {
                            Some(end) => return Ok(Some(end)),
                            None => continue,
                        }
                    }
                    self.more.extend(end);
                    return Ok(Some(Event::Data(channel, bytes)));
                }
                spdy::Event::Reset(stream) => {
                    self.more.extend(streams.channels(stream).map(Event::Reset));
                    if let Some(event) = self.more.pop_front() {
                        return Ok(Some(event));
                    }
                }
                spdy::Event::Ping(number) if number % 2 == 1 => return Ok(Some(Event::Pong(number))),
                spdy::Event::Ping(number) => self.writer.spdy(output, &[&spdy::ping(number)]),
                spdy::Event::GoAway => {}
            }
        }
        Ok(None)
    }
}

/// What an event of a WebSocket means that is not a part of a message.
fn outside_of_messages(event: websocket::Event) -> Option<Event> {
    match event {
        websocket::Event::Pong(payload) => {
            // A pong that answers no ping of ours is as good a sign of life.
            Some(Event::Pong(payload.first_chunk().map_or(0, |number| u32::from_be_bytes(*number))))
        }
        websocket::Event::Close { code: Some(1000), .. } => Some(Event::Close(None)),
        websocket::Event::Close { code, reason } => {
            let code = code.map_or_else(|| "no code".to_owned(), |code| format!("code {code}"));
            Some(Event::Close(Some(if reason.is_empty() { code } else { format!("{code}: {reason}") })))
        }
        websocket::Event::Data { .. } | websocket::Event::Ping(_) => None,
    }
}
