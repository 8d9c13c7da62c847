//! The server's side of SPDY, as far as tests need it.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use flate2::{Decompress, FlushDecompress};
use tungstenite::{Message, WebSocket};

/// What a client sends.
#[derive(Debug)]
pub(crate) enum Frame {
    Open(u32, Vec<(String, String)>),
    Data(u32, Vec<u8>, bool),
    Ping(u32),
}

pub(crate) struct Spdy<S> {
    io: S,
    zlib: Decompress,
}

impl<S: Read + Write> Spdy<S> {
    pub(crate) fn new(io: S) -> Self {
        Self { io, zlib: Decompress::new(true) }
    }

    /// The next frame of a client that is there.
    pub(crate) fn read(&mut self) -> Frame {
        self.read_end().expect("the client is there")
    }

    /// The next frame, or that the client is gone.
    pub(crate) fn read_end(&mut self) -> Option<Frame> {
        let mut head = [0; 8];
        self.io.read_exact(&mut head).ok()?;
        let [one, version, _, kind, flags, length @ ..] = head;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let mut payload = vec![0; length];
        self.io.read_exact(&mut payload).ok()?;
        let number = |at: usize| u32::from_be_bytes(*payload[at..].first_chunk().unwrap());
        if one & 0x80 == 0 {
            let stream = u32::from_be_bytes(*head.first_chunk().unwrap());
            return Some(Frame::Data(stream, payload, flags & 1 == 1));
        }
        assert_eq!((one, version), (0x80, 3));
        Some(match kind {
            1 => {
                let stream = number(0);
                Frame::Open(stream, self.headers(&payload[10..]))
            }
            6 => Frame::Ping(number(0)),
            other => panic!("a frame of kind {other}"),
        })
    }

    fn headers(&mut self, block: &[u8]) -> Vec<(String, String)> {
        let mut text = Vec::with_capacity(1 << 16);
        self.zlib.decompress_vec(block, &mut text, FlushDecompress::Sync).unwrap();
        let mut rest = &text[..];
        let length = |rest: &mut &[u8]| {
            let length = u32::from_be_bytes(*rest.first_chunk().unwrap()) as usize;
            *rest = &rest[4..];
            length
        };
        let count = length(&mut rest);
        (0..count)
            .map(|_| {
                let mut part = || {
                    let length = length(&mut rest);
                    let (part, after) = rest.split_at(length);
                    rest = after;
                    String::from_utf8(part.to_vec()).unwrap()
                };
                (part(), part())
            })
            .collect()
    }

    /// Everything that comes on a stream, to its end.
    pub(crate) fn input(&mut self, wanted: u32) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            match self.read() {
                Frame::Data(stream, bytes, fin) if stream == wanted => {
                    all.extend(bytes);
                    if fin {
                        return all;
                    }
                }
                Frame::Ping(number) if number % 2 == 1 => self.ping(number),
                _ => {}
            }
        }
    }

    pub(crate) fn data(&mut self, stream: u32, bytes: &[u8], fin: bool) {
        let mut frames = bytes.chunks(32 << 10).peekable();
        while let Some(part) = frames.next() {
            let last = frames.peek().is_none() && fin;
            let [_, a, b, c] = u32::try_from(part.len()).unwrap().to_be_bytes();
            self.write(&[&stream.to_be_bytes()[..], &[u8::from(last), a, b, c], part].concat());
        }
        if bytes.is_empty() {
            self.write(&[&stream.to_be_bytes()[..], &[u8::from(fin), 0, 0, 0]].concat());
        }
    }

    pub(crate) fn reply(&mut self, stream: u32) {
        // The headers are not read.
        self.control(2, &[&stream.to_be_bytes()[..], b"headers"].concat());
    }

    pub(crate) fn reset(&mut self, stream: u32) {
        self.control(3, &[stream.to_be_bytes(), 5_u32.to_be_bytes()].concat());
    }

    pub(crate) fn ping(&mut self, number: u32) {
        self.control(6, &number.to_be_bytes());
    }

    pub(crate) fn go_away(&mut self) {
        self.control(7, &[0; 8]);
    }

    fn control(&mut self, kind: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).unwrap();
        self.write(&[&[0x80, 3, 0, kind, 0, 0, 0, length][..], payload].concat());
    }

    /// Whoever has closed does not want it.
    fn write(&mut self, bytes: &[u8]) {
        let _ = self.io.write_all(bytes).and_then(|()| self.io.flush());
    }
}

/// Bytes as the messages of a WebSocket.
pub(crate) struct Tunnel {
    socket: WebSocket<TcpStream>,
    read: Vec<u8>,
}

impl Tunnel {
    pub(crate) fn new(socket: WebSocket<TcpStream>) -> Self {
        Self { socket, read: Vec::new() }
    }
}

impl Read for Tunnel {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        while self.read.is_empty() {
            match self.socket.read() {
                Ok(Message::Binary(message)) => self.read.extend_from_slice(&message),
                Ok(Message::Close(_)) | Err(_) => return Ok(0),
                Ok(_) => {}
            }
        }
        let length = buf.len().min(self.read.len());
        buf[..length].copy_from_slice(&self.read[..length]);
        self.read.drain(..length);
        Ok(length)
    }
}

impl Write for Tunnel {
    /// In frames of a few bytes, as the real one has frames that are shorter than its messages.
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let length = buf.len().min(4096);
        let message = Message::Binary(buf[..length].to_vec().into());
        self.socket.write(message).map_err(std::io::Error::other)?;
        Ok(length)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.socket.flush().map_err(std::io::Error::other)
    }
}
