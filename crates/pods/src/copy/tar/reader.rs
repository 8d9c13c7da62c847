//! Entries and their data out of an archive that comes in chunks.

use bytes::{Buf as _, Bytes, BytesMut};

use super::{
    BLOCK, Kind, Malformed, fill,
    header::{self, Header},
};

/// The longest name or list of fields before an entry.
const MAX_EXTENSION: u64 = 1 << 20;

/// A file, a folder or something else in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::copy) struct Entry {
    /// The path as it is written, whatever it is.
    pub(in crate::copy) path: Vec<u8>,
    pub(in crate::copy) kind: Kind,
    pub(in crate::copy) mode: u32,
    pub(in crate::copy) size: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::copy) enum Event {
    Entry(Entry),
    /// A part of the data of the last entry.
    Data(Bytes),
    /// All data of the last entry has come.
    End,
}

/// Reads an archive. After an error there is nothing more to be read.
#[derive(Debug)]
pub(in crate::copy) struct Reader {
    buffer: BytesMut,
    state: State,
    /// What is said of the next entry.
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many empty blocks have come since the last entry.
    Header {
        empty: u8,
    },
    Data {
        left: u64,
        fill: usize,
    },
    Skipped {
        left: u64,
    },
    LongName {
        size: u64,
    },
    Fields {
        size: u64,
    },
    /// The end of the archive. What comes behind it has no meaning.
    End,
}

impl Reader {
    pub(in crate::copy) fn new() -> Self {
        Self { buffer: BytesMut::new(), state: State::Header { empty: 0 }, path: None, size: None }
    }

    /// Takes in the next chunk.
    pub(in crate::copy) fn push(&mut self, chunk: &[u8]) {
        if self.state != State::End {
            self.buffer.extend_from_slice(chunk);
        }
    }

    /// Whether the archive has come to its end.
    pub(in crate::copy) fn is_at_end(&self) -> bool {
        self.state == State::End
    }

    /// The next event, if all of it has come.
    pub(in crate::copy) fn next(&mut self) -> Result<Option<Event>, Malformed> {
        loop {
            match self.state {
                State::End => {
                    self.buffer.clear();
                    return Ok(None);
                }
                State::Header { empty } => {
                    let Some(block) = self.buffer.first_chunk::<BLOCK>() else { return Ok(None) };
                    if block.iter().all(|byte| *byte == 0) {
                        self.state = if empty == 0 { State::Header { empty: 1 } } else { State::End };
                        self.buffer.advance(BLOCK);
                        continue;
                    }
                    let header = header::parse(block)?;
                    self.buffer.advance(BLOCK);
                    if let Some(event) = self.begin(header)? {
                        return Ok(Some(event));
                    }
                }
                State::Data { left: 0, fill } => {
                    if self.buffer.len() < fill {
                        return Ok(None);
                    }
                    self.buffer.advance(fill);
                    self.state = State::Header { empty: 0 };
                    return Ok(Some(Event::End));
                }
                State::Data { left, fill } => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    if length == 0 {
                        return Ok(None);
                    }
                    self.state = State::Data { left: left - length as u64, fill };
                    return Ok(Some(Event::Data(self.buffer.split_to(length).freeze())));
                }
                State::Skipped { left: 0 } => self.state = State::Header { empty: 0 },
                State::Skipped { left } => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    if length == 0 {
                        return Ok(None);
                    }
                    self.buffer.advance(length);
                    self.state = State::Skipped { left: left - length as u64 };
                }
                State::LongName { size } => {
                    let Some(data) = self.extension(size) else { return Ok(None) };
                    self.path = Some(header::text(&data).to_vec());
                }
                State::Fields { size } => {
                    let Some(data) = self.extension(size) else { return Ok(None) };
                    self.fields(&data)?;
                }
            }
        }
    }

    fn begin(&mut self, header: Header) -> Result<Option<Event>, Malformed> {
        match header {
            Header::LongName { size } | Header::Fields { size } if size > MAX_EXTENSION => {
                return Err(Malformed::new(format!("what is said of an entry is longer than {MAX_EXTENSION} bytes")));
            }
            Header::LongName { size } => self.state = State::LongName { size },
            Header::Fields { size } => self.state = State::Fields { size },
            Header::Ignored { size } => self.state = State::Skipped { left: size + fill(size) as u64 },
            Header::Entry { path, kind, mode, size } => {
                let path = self.path.take().unwrap_or(path);
                let other = self.size.take().filter(|_| kind == Kind::File);
                let size = other.unwrap_or(size);
                self.state = State::Data { left: size, fill: fill(size) };
                return Ok(Some(Event::Entry(Entry { path, kind, mode, size })));
            }
        }
        Ok(None)
    }

    /// All data of an extension, if it has come.
    fn extension(&mut self, size: u64) -> Option<Bytes> {
        // It is far below what an address can be.
        let length = usize::try_from(size).ok()?;
        if self.buffer.len() < length + fill(size) {
            return None;
        }
        let data = self.buffer.split_to(length).freeze();
        self.buffer.advance(fill(size));
        self.state = State::Header { empty: 0 };
        Some(data)
    }

    /// Takes in fields, each a line with its length in front: `25 path=a/very/long/name`.
    fn fields(&mut self, mut data: &[u8]) -> Result<(), Malformed> {
        let malformed = || Malformed::new("the fields of an entry cannot be read");
        while !data.is_empty() {
            let digits = data.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
            let length: usize =
                str::from_utf8(&data[..digits]).ok().and_then(|it| it.parse().ok()).ok_or_else(malformed)?;
            let line = data.get(digits + 1..length).ok_or_else(malformed)?;
            data = &data[length..];
            let line = line.strip_suffix(b"\n").ok_or_else(malformed)?;
            let equals = line.iter().position(|byte| *byte == b'=').ok_or_else(malformed)?;
            let (key, value) = (&line[..equals], &line[equals + 1..]);
            match key {
                b"path" => self.path = Some(header::text(value).to_vec()),
                b"size" => {
                    let size = str::from_utf8(value).ok().and_then(|it| it.parse().ok()).ok_or_else(malformed)?;
                    self.size = Some(size).filter(|size| i64::try_from(*size).is_ok());
                    self.size.ok_or_else(malformed)?;
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(Malformed::new("a file is written as sparse, with its holes left out"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
