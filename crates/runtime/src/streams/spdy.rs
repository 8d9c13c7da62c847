//! SPDY/3.1 as a client of Kubernetes needs it: frames read and written without any input or output.
//!
//! Servers speak a part of SPDY: no flow control, and no headers in their answers that say anything. So headers are
//! written, in zlib's form but never compressed, and those that arrive are passed over.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::Problem;

/// The first bit of control frames, and the version.
const CONTROL: u16 = 0x8003;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GO_AWAY: u16 = 7;
const HEADERS: u16 = 8;

/// In the flags of a frame: the stream has nothing more to come from this side.
const FIN: u8 = 1;

/// What stands in front of a frame.
pub(super) const HEAD: usize = 8;

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Bytes of a stream, handed on as they come.
    Data {
        stream: u32,
        bytes: Bytes,
        /// Nothing more comes on this stream.
        ends: bool,
    },
    /// The server gives up a stream in both directions.
    Reset(u32),
    /// A ping of the server's, or its answer to one of ours, which have odd numbers.
    Ping(u32),
    /// The server takes no new streams.
    GoAway,
}

/// Reads frames out of bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// What is left of a frame whose payload is handed on, or passed over, as it comes.
    frame: Option<Frame>,
}

#[derive(Debug)]
struct Frame {
    /// `None` for what is passed over.
    stream: Option<u32>,
    left: usize,
    fin: bool,
}

impl Reader {
    /// The next thing that arrived, taken out of the input; `None` if more must come first.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Problem> {
        loop {
            if let Some(frame) = &mut self.frame {
                if frame.left > 0 && input.is_empty() {
                    return Ok(None);
                }
                let bytes = input.split_to(frame.left.min(input.len()));
                frame.left -= bytes.len();
                let (stream, is_over, fin) = (frame.stream, frame.left == 0, frame.fin);
                if is_over {
                    self.frame = None;
                }
                match stream {
                    Some(stream) => {
                        return Ok(Some(Event::Data { stream, bytes: bytes.freeze(), ends: is_over && fin }));
                    }
                    None if is_over => continue,
                    None => return Ok(None),
                }
            }
            let Some(head) = input.first_chunk::<HEAD>() else { return Ok(None) };
            let [a, b, c, d, flags, long, middle, short] = *head;
            let fin = flags & FIN != 0;
            let left = u32::from_be_bytes([0, long, middle, short]) as usize;
            if a & 0x80 == 0 {
                let stream = Some(u32::from_be_bytes([a, b, c, d]));
                input.advance(HEAD);
                self.frame = Some(Frame { stream, left, fin });
                continue;
            }
            if u16::from_be_bytes([a, b]) != CONTROL {
                return Err(Problem("a control frame is of another version than 3"));
            }
            let kind = u16::from_be_bytes([c, d]);
            // What is read of the payload; the rest is passed over.
            let needed = match kind {
                RST_STREAM | PING | SYN_REPLY | HEADERS => 4,
                _ => 0,
            };
            if left < needed {
                return Err(Problem("a control frame is too short"));
            }
            if input.len() < HEAD + needed {
                return Ok(None);
            }
            input.advance(HEAD);
            let number = if needed > 0 { input.get_u32() } else { 0 };
            if left > needed {
                self.frame = Some(Frame { stream: None, left: left - needed, fin: false });
            }
            match kind {
                RST_STREAM => return Ok(Some(Event::Reset(number & 0x7fff_ffff))),
                PING => return Ok(Some(Event::Ping(number))),
                GO_AWAY => return Ok(Some(Event::GoAway)),
                SYN_REPLY | HEADERS if fin => {
                    return Ok(Some(Event::Data { stream: number & 0x7fff_ffff, bytes: Bytes::new(), ends: true }));
                }
                // Windows and settings mean nothing here: servers ignore ours too.
                _ => {}
            }
        }
    }
}

/// Opens streams. Their headers are one text in zlib's form for the whole connection.
#[derive(Debug, Default)]
pub(super) struct Opener {
    begun: bool,
}

impl Opener {
    /// Appends a frame that opens a stream with these headers, whose names are in lower case. Streams have odd numbers
    /// that rise.
    pub(super) fn open(&mut self, output: &mut BytesMut, stream: u32, headers: &[(&str, &str)]) {
        let mut text = BytesMut::new();
        put_length(&mut text, headers.len());
        for (name, value) in headers {
            for part in [name, value] {
                put_length(&mut text, part.len());
                text.put_slice(part.as_bytes());
            }
        }
        let begin = output.len();
        output.put_slice(&control(SYN_STREAM, 0));
        output.put_u32(stream);
        // No stream that it belongs to, and no priority.
        output.put_u32(0);
        output.put_u16(0);
        if !std::mem::replace(&mut self.begun, true) {
            output.put_slice(&[0x78, 0x01]);
        }
        for block in text.chunks(usize::from(u16::MAX)) {
            put_block(output, block);
        }
        // An empty block, by which the reader knows that it has everything.
        put_block(output, &[]);
        let length = u32::try_from(output.len() - begin - HEAD).unwrap_or_default().to_be_bytes();
        output[begin + 5..begin + HEAD].copy_from_slice(&length[1..]);
    }
}

/// A block of zlib's that is stored as it is, with 64 KiB at most.
fn put_block(output: &mut BytesMut, block: &[u8]) {
    let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
    output.put_u8(0);
    output.put_u16_le(length);
    output.put_u16_le(!length);
    output.put_slice(block);
}

fn put_length(output: &mut BytesMut, length: usize) {
    output.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
}

/// The head of a control frame with a short payload.
fn control(kind: u16, length: u8) -> [u8; HEAD] {
    let ([a, b], [c, d]) = (CONTROL.to_be_bytes(), kind.to_be_bytes());
    [a, b, c, d, 0, 0, 0, length]
}

/// The head of a frame of data with this many bytes, of which there must be less than 16 MiB.
pub(super) fn data(stream: u32, length: usize, ends: bool) -> [u8; HEAD] {
    let [a, b, c, d] = stream.to_be_bytes();
    let [_, long, middle, short] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c, d, u8::from(ends) * FIN, long, middle, short]
}

/// A ping, or the answer to one.
pub(super) fn ping(number: u32) -> [u8; HEAD + 4] {
    let mut frame = [0; HEAD + 4];
    frame[..HEAD].copy_from_slice(&control(PING, 4));
    frame[HEAD..].copy_from_slice(&number.to_be_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

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

    #[test]
    fn what_matters_is_read_and_the_rest_passed_over() {
        let bytes = [
            // Settings, and an answer to a SYN_STREAM with headers.
            &b"\x80\x03\x00\x04\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x01"[..],
            b"\x80\x03\x00\x02\x00\x00\x00\x06\x00\x00\x00\x01zz",
            b"\x00\x00\x00\x05\x00\x00\x00\x03abc",
            b"\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x07",
            b"\x80\x03\x00\x09\x00\x00\x00\x08\x00\x00\x00\x05\x00\x00\xff\xff",
            b"\x00\x00\x00\x05\x01\x00\x00\x00",
            b"\x80\x03\x00\x02\x01\x00\x00\x06\x00\x00\x00\x03zz",
            b"\x80\x03\x00\x03\x00\x00\x00\x08\x00\x00\x00\x01\x00\x00\x00\x05",
            b"\x80\x03\x00\x07\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00",
        ]
        .concat();
        let expected = [
            Event::Data { stream: 5, bytes: "abc".into(), ends: false },
            Event::Ping(7),
            Event::Data { stream: 5, bytes: Bytes::new(), ends: true },
            Event::Data { stream: 3, bytes: Bytes::new(), ends: true },
            Event::Reset(1),
            Event::GoAway,
        ];
        assert_eq!(read(&bytes, bytes.len()).unwrap(), expected);
        // Byte by byte, only the data comes in parts.
        let slow = read(&bytes, 1).unwrap();
        assert_eq!(slow.len(), expected.len() + 2);
    }

    #[test]
    fn what_a_server_may_not_send_is_an_error() {
        for (bytes, problem) in [
            (&b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x07"[..], "version"),
            (b"\x80\x03\x00\x06\x00\x00\x00\x02\x00\x00", "too short"),
            (b"HTTP/1.1 400", ""),
        ] {
            match read(bytes, 100) {
                Err(Problem(words)) => assert!(words.contains(problem) && !problem.is_empty(), "{words}"),
                // Text looks like a long frame of a stream that nobody opened.
                Ok(events) => assert!(matches!(events[..], [Event::Data { stream, .. }] if stream > 1_000_000)),
            }
        }
    }

    #[test]
    fn headers_of_all_streams_are_one_text_of_zlibs() {
        let (mut opener, mut output, mut zlib) = (Opener::default(), BytesMut::new(), Vec::new());
        for stream in [1, 3] {
            let begin = output.len();
            opener.open(&mut output, stream, &[("streamtype", "error"), ("port", "80")]);
            let frame = &output[begin..];
            assert_eq!(frame[..5], [0x80, 3, 0, 1, 0]);
            let length = u32::from_be_bytes([0, frame[5], frame[6], frame[7]]) as usize;
            assert_eq!(length, frame.len() - HEAD);
            assert_eq!(frame[HEAD..HEAD + 4], stream.to_be_bytes());
            zlib.extend_from_slice(&frame[HEAD + 10..]);
        }
        let pairs = b"\0\0\0\x02\0\0\0\x0astreamtype\0\0\0\x05error\0\0\0\x04port\0\0\0\x0280";
        let mut read = vec![0; pairs.len() * 2];
        ZlibDecoder::new(&zlib[..]).read_exact(&mut read).unwrap();
        assert_eq!(read, [&pairs[..], pairs].concat());
    }

    #[test]
    fn frames_are_written_as_they_are_read() {
        let bytes = [&data(5, 3, false)[..], b"abc", &data(5, 0, true), &ping(1)].concat();
        assert_eq!(
            read(&bytes, bytes.len()).unwrap(),
            [
                Event::Data { stream: 5, bytes: "abc".into(), ends: false },
                Event::Data { stream: 5, bytes: Bytes::new(), ends: true },
                Event::Ping(1),
            ]
        );
    }
}
