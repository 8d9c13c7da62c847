//! What no bytes of a server may do to the readers of frames.

use bytes::{Bytes, BytesMut};

use super::wire::{Channel, Event, Reader, Streams, Writer};

/// Frames of WebSocket, as channels and as the tunnel of SPDY: they say the same however the network cuts them, nothing
/// comes after the end, and nothing is held that could be handed on.
///
/// The first two bytes of the input are where the pieces end.
pub fn websocket_frames(input: &[u8]) {
    for writer in [Writer::WebSocket, Writer::Tunnel(streams())] {
        read_in_pieces(writer, input);
    }
    #[cfg(test)]
    if let Some((_, frames)) = input.split_first_chunk::<2>() {
        as_tungstenite(frames);
    }
}

/// Frames of SPDY, by the same rules.
pub fn spdy_frames(input: &[u8]) {
    read_in_pieces(Writer::Spdy(streams()), input);
}

fn streams() -> Streams {
    Streams::default().with(Channel::Error, 1).with(Channel::Stdin, 3).with(Channel::Stdout, 3).with(Channel::Stderr, 5)
}

fn read_in_pieces(writer: Writer, input: &[u8]) {
    let Some(([step, turn], frames)) = input.split_first_chunk::<2>() else { return };
    let (one, other) = (usize::from(*step) + 1, usize::from(*turn) + 1);
    let whole = read(writer, [frames]);
    let mut rest = frames;
    let lengths = [one, other].into_iter().cycle();
    let pieces = lengths.map_while(|length| {
        let (piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(whole, read(writer, pieces), "the same bytes say something else in other pieces");
}

/// What bytes say: the events, with what belongs together joined; what is answered; and how it ends.
#[derive(Debug, Default, PartialEq)]
struct Said {
    events: Vec<Event>,
    answers: usize,
    problem: Option<String>,
}

fn read<'a>(writer: Writer, pieces: impl IntoIterator<Item = &'a [u8]>) -> Said {
    let (mut reader, mut input, mut answers) = (Reader::new(writer), BytesMut::new(), BytesMut::new());
    let mut said = Said::default();
    let mut closed = false;
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match reader.next(&mut input, &mut answers) {
                Ok(None) => break,
                Ok(Some(event)) => {
                    assert!(!closed, "there is something after the end");
                    closed = matches!(event, Event::Close(_));
                    said.add(event);
                }
                Err(problem) => {
                    said.problem = Some(problem.to_string());
                    said.answers = answers.len();
                    return said;
                }
            }
        }
        // A control frame of WebSocket has 127 bytes at most, and heads are shorter.
        assert!(input.len() < 130, "{} bytes are held", input.len());
    }
    said.answers = answers.len();
    said
}

impl Said {
    fn add(&mut self, event: Event) {
        if let (Some(Event::Data(last, joined)), Event::Data(channel, bytes)) = (self.events.last_mut(), &event)
            && last == channel
        {
            *joined = Bytes::from([&joined[..], bytes].concat());
            return;
        }
        self.events.push(event);
    }
}

/// What another library reads, ours reads too.
#[cfg(test)]
fn as_tungstenite(frames: &[u8]) {
    use tungstenite::{Message, WebSocket, protocol::Role};

    use super::websocket;

    let (mut reader, mut input) = (websocket::Reader::default(), BytesMut::from(frames));
    let mut message = BytesMut::new();
    let mut next = || {
        loop {
            match reader.next(&mut input) {
                Ok(Some(websocket::Event::Data { bytes, begins, ends })) => {
                    if begins {
                        message.clear();
                    }
                    message.extend_from_slice(&bytes);
                    if ends {
                        return Some(message.split().freeze());
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return None,
            }
        }
    };
    let mut other = WebSocket::from_raw_socket(Duplex(frames), Role::Client, None);
    loop {
        match other.read() {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                assert_eq!(next(), Some(message.into_data()), "another library reads another message");
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// Bytes to read, and a place for what is written.
#[cfg(test)]
struct Duplex<'a>(&'a [u8]);

#[cfg(test)]
impl std::io::Read for Duplex<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf)
    }
}

#[cfg(test)]
impl std::io::Write for Duplex<'_> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
