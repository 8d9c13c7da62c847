//! WebSocket as a client speaks it (RFC 6455): its handshake, and frames read and written without any input or output.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
};
use sha1_smol::Sha1;

use super::Problem;

/// What the server appends to the client's key before it takes the hash.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The most that a control frame carries.
const MAX_CONTROL: usize = 125;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// In place of a length of 126 or more, says that it follows in two bytes, or in eight.
const MIDDLE: u8 = 126;
const LONG: u8 = 127;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A part of a message, text or binary: frames are handed on as their bytes come, so that none is too long.
    Data {
        bytes: BytesMut,
        /// It is the first part of its message.
        begins: bool,
        /// It is the last part of its message.
        ends: bool,
    },
    Ping(Bytes),
    Pong(Bytes),
    /// The last thing that arrives.
    Close {
        code: Option<u16>,
        reason: String,
    },
}

/// Reads frames out of bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The data frame whose payload is coming.
    frame: Option<Frame>,
    /// A message has begun, and its last frame has not.
    in_message: bool,
    closed: bool,
}

#[derive(Debug)]
struct Frame {
    left: u64,
    fin: bool,
    begins: bool,
}

impl Reader {
    /// The next thing that arrived, taken out of the input; `None` if more must come first.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Problem> {
        if self.closed {
            input.clear();
            return Ok(None);
        }
        if self.frame.is_some() {
            return Ok(self.payload(input));
        }
        let Some(head) = Head::parse(input)? else { return Ok(None) };
        if matches!(head.opcode, Opcode::Close | Opcode::Ping | Opcode::Pong) {
            return self.control(&head, input);
        }
        let begins = head.opcode != Opcode::Continuation;
        if begins == self.in_message {
            return Err(Problem(if begins {
                "a message begins inside of another one"
            } else {
                "a message goes on that has not begun"
            }));
        }
        input.advance(head.length);
        self.in_message = !head.fin;
        self.frame = Some(Frame { left: head.payload, fin: head.fin, begins });
        Ok(self.payload(input))
    }

    /// What is there of the payload of a data frame. An empty frame gives an empty part.
    fn payload(&mut self, input: &mut BytesMut) -> Option<Event> {
        let frame = self.frame.as_mut()?;
        if frame.left > 0 && input.is_empty() {
            return None;
        }
        let length = usize::try_from(frame.left).unwrap_or(usize::MAX).min(input.len());
        let bytes = input.split_to(length);
        frame.left -= length as u64;
        let begins = std::mem::take(&mut frame.begins);
        let is_over = frame.left == 0;
        let ends = is_over && frame.fin;
        if is_over {
            self.frame = None;
        }
        Some(Event::Data { bytes, begins, ends })
    }

    fn control(&mut self, head: &Head, input: &mut BytesMut) -> Result<Option<Event>, Problem> {
        let payload = usize::try_from(head.payload).unwrap_or(usize::MAX);
        if !head.fin || payload > MAX_CONTROL {
            return Err(Problem("a control frame is longer than it may be"));
        }
        if input.len() < head.length + payload {
            return Ok(None);
        }
        input.advance(head.length);
        let mut payload = input.split_to(payload).freeze();
        Ok(Some(match head.opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Pong => Event::Pong(payload),
            _ => {
                self.closed = true;
                let code = match payload.len() {
                    0 => None,
                    1 => return Err(Problem("a close frame has half a code")),
                    _ => Some(payload.get_u16()),
                };
                Event::Close { code, reason: String::from_utf8_lossy(&payload).into_owned() }
            }
        }))
    }
}

/// The beginning of a frame.
struct Head {
    opcode: Opcode,
    fin: bool,
    /// The length of the head itself.
    length: usize,
    /// The length of what follows.
    payload: u64,
}

impl Head {
    fn parse(input: &[u8]) -> Result<Option<Self>, Problem> {
        let &[first, second, ref rest @ ..] = input else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Problem("a frame uses an extension that was not asked for"));
        }
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(Problem("a frame is of a kind that does not exist")),
        };
        if second & MASKED != 0 {
            return Err(Problem("a frame is masked, which only a client's may be"));
        }
        let (payload, more) = match second {
            MIDDLE => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            LONG => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            length => (u64::from(length), 0),
        };
        if payload > i64::MAX as u64 {
            return Err(Problem("a frame is longer than frames can be"));
        }
        Ok(Some(Self { opcode, fin: first & FIN != 0, length: 2 + more, payload }))
    }
}

/// Appends a whole message, or a control frame: the parts of its payload, masked. Messages are never made of several
/// frames: API servers take each frame of a message for a message.
pub(super) fn write(output: &mut BytesMut, opcode: Opcode, parts: &[&[u8]]) {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    output.reserve(length + 14);
    output.put_u8(FIN | opcode as u8);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => output.put_u8(MASKED | short),
        (_, Ok(middle)) => {
            output.put_u8(MASKED | MIDDLE);
            output.put_u16(middle);
        }
        _ => {
            output.put_u8(MASKED | LONG);
            output.put_u64(length as u64);
        }
    }
    let mask = fastrand::u32(..).to_ne_bytes();
    output.put_slice(&mask);
    let begin = output.len();
    for part in parts {
        output.put_slice(part);
    }
    apply_mask(&mut output[begin..], mask);
}

/// Masks a payload. What is masked twice is as it was.
fn apply_mask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = payload.as_chunks_mut();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Appends the frame that ends a connection as it should end.
pub(super) fn write_close(output: &mut BytesMut) {
    write(output, Opcode::Close, &[&1000_u16.to_be_bytes()]);
}

/// A key for the handshake, which is to be new each time.
pub(super) fn key() -> String {
    BASE64.encode(fastrand::u128(..).to_ne_bytes())
}

/// What a server makes of a key.
fn accept(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(GUID.as_bytes());
    BASE64.encode(hash.digest().bytes())
}

/// Checks that a server which has switched protocols speaks the WebSocket subprotocol that it was asked for.
pub(super) fn check_answer(headers: &HeaderMap, key: &str, protocol: &str) -> Result<(), Problem> {
    let is = |name, value: &str| headers.get(name).is_some_and(|given| given.as_bytes() == value.as_bytes());
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !upgrade.eq_ignore_ascii_case("websocket") {
        return Err(Problem("the answer does not switch to WebSocket"));
    }
    if !is(SEC_WEBSOCKET_ACCEPT, &accept(key)) {
        return Err(Problem("the Sec-WebSocket-Accept of the answer does not match the key"));
    }
    if !is(SEC_WEBSOCKET_PROTOCOL, protocol) {
        return Err(Problem("the answer does not choose a subprotocol that was offered"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that a reader makes of bytes that come in pieces of this length.
    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Event>, Problem> {
        let (mut reader, mut input, mut events) = (Reader::default(), BytesMut::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            input.extend_from_slice(piece);
            while let Some(event) = reader.next(&mut input)? {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn data(bytes: &'static [u8], begins: bool, ends: bool) -> Event {
        Event::Data { bytes: bytes.into(), begins, ends }
    }

    #[test]
    fn fragments_are_one_message_with_control_frames_between() {
        let bytes = b"\x02\x03abc\x89\x02hi\x00\x00\x80\x02de\x8a\x00\x82\x00\x88\x05\x03\xe8bye\x82\x01x";
        let events = read(bytes, bytes.len()).unwrap();
        assert_eq!(
            events,
            [
                data(b"abc", true, false),
                Event::Ping("hi".into()),
                data(b"", false, false),
                data(b"de", false, true),
                Event::Pong(Bytes::new()),
                data(b"", true, true),
                // Nothing behind it counts.
                Event::Close { code: Some(1000), reason: "bye".to_owned() },
            ]
        );
    }

    #[test]
    fn long_frames_come_out_as_they_arrive() {
        for length in [125, 126, 65_535, 65_536] {
            let mut bytes = match length {
                ..126 => vec![0x82, u8::try_from(length).unwrap()],
                126..65_536 => [&[0x82, 126][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
                _ => [&[0x82, 127][..], &(length as u64).to_be_bytes()].concat(),
            };
            bytes.extend(vec![7; length]);
            let events = read(&bytes, 1000).unwrap();
            let total: usize = events
                .iter()
                .map(|event| match event {
                    Event::Data { bytes, .. } => bytes.len(),
                    other => panic!("{other:?}"),
                })
                .sum();
            assert_eq!(total, length);
            assert!(matches!(events[0], Event::Data { begins: true, .. }));
            assert!(matches!(events.last(), Some(Event::Data { ends: true, .. })));
        }
    }

    #[test]
    fn what_a_server_may_not_send_is_an_error() {
        for (bytes, problem) in [
            (&b"\xc2\x01a"[..], "extension"),
            (b"\x83\x01a", "does not exist"),
            (b"\x82\x81abcde", "masked"),
            (b"\x80\x01a", "has not begun"),
            (b"\x02\x01a\x02\x01a", "inside of another"),
            (b"\x09\x01a", "control frame"),
            (b"\x89\x7e\x00\x7e", "control frame"),
            (b"\x88\x01a", "half a code"),
            (b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "longer"),
        ] {
            let Problem(words) = read(bytes, 100).unwrap_err();
            assert!(words.contains(problem), "{bytes:?}: {words}");
        }
    }

    #[test]
    fn frames_are_masked_whole_and_with_fresh_keys() {
        for length in [0_usize, 1, 7, 8, 124, 125, 126, 65_535, 65_536, 100_000] {
            let payload: Vec<u8> = (0..length).map(|index| u8::try_from(index % 256).unwrap()).collect();
            let (mut one, mut other) = (BytesMut::new(), BytesMut::new());
            write(&mut one, Opcode::Binary, &[b"\x01", &payload]);
            write(&mut other, Opcode::Binary, &[b"\x01", &payload]);
            assert_ne!(one, other, "the same key twice");
            assert_eq!(one[0], 0x82);
            // A server takes the mask off.
            let head = match one[1] {
                0xfe => 4,
                0xff => 10,
                _ => 2,
            };
            let mask = *one[head..].first_chunk().unwrap();
            let mut read = one[head + 4..].to_vec();
            apply_mask(&mut read, mask);
            assert_eq!(read[0], 1);
            assert!(read[1..] == payload, "{length}");
        }
    }

    #[test]
    fn answer_is_checked() {
        // The example of RFC 6455.
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(accept(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let answer = |changed: &str, value: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("upgrade", "WebSocket"),
                ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                ("sec-websocket-protocol", "v5.channel.k8s.io"),
                (changed, value),
            ] {
                headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            }
            check_answer(&headers, key, "v5.channel.k8s.io")
        };
        assert_eq!(answer("x", "y"), Ok(()));
        for (name, value) in [
            ("upgrade", "SPDY/3.1"),
            ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp="),
            ("sec-websocket-protocol", "v4.channel.k8s.io"),
            ("sec-websocket-protocol", "v5.channel.k8s.io, v4.channel.k8s.io"),
        ] {
            assert!(answer(name, value).is_err(), "{name}: {value}");
        }
        assert_ne!(super::key(), super::key());
        assert_eq!(super::key().len(), 24);
    }
}
