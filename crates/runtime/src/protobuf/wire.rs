//! Tags, lengths and numbers: protobuf's wire format, read from a slice and written to a buffer.

use super::{Error, Result};

/// How deep messages may lie in one another. Protobuf's own libraries have the same limit; the deepest type of
/// Kubernetes that does not contain itself is below 20.
const MAX_DEPTH: u32 = 100;

/// How the value of a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireType {
    /// A number of as many bytes as it needs.
    Varint,
    /// Eight bytes.
    Fixed64,
    /// A length, and as many bytes.
    Bytes,
    /// Four bytes.
    Fixed32,
}

#[cfg(test)]
thread_local! {
    /// How many tags this thread has read: the work of reading a message.
    pub(super) static FIELDS_READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Reads the fields of one message.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// Where `bytes` ends, counted from the start of the body.
    end: usize,
    depth: u32,
    /// The number of the field that was read last.
    number: u32,
}

impl<'a> Reader<'a> {
    /// A reader of a whole body.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::behind(0, bytes)
    }

    /// A reader of what stands behind so many bytes of the body.
    pub(super) fn behind(offset: usize, bytes: &'a [u8]) -> Self {
        Self { bytes, end: offset + bytes.len(), depth: 0, number: 0 }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Where the reader stands, counted from the start of the body.
    pub(super) fn offset(&self) -> usize {
        self.end - self.bytes.len()
    }

    fn wrong(&self, problem: &'static str) -> Error {
        Error::wire(problem).at(self.offset())
    }

    /// The number and the form of the next field; nothing at the end.
    #[inline]
    pub fn field(&mut self) -> Result<Option<(u32, WireType)>> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        #[cfg(test)]
        FIELDS_READ.set(FIELDS_READ.get() + 1);
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Bytes,
            5 => WireType::Fixed32,
            _ => return Err(self.wrong("a field of an unknown wire type")),
        };
        match u32::try_from(tag >> 3) {
            Ok(number) if number > 0 => {
                self.number = number;
                Ok(Some((number, wire)))
            }
            _ => Err(self.wrong("a field number out of range")),
        }
    }

    /// A number of variable length.
    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        // Nearly all are tags and lengths of one byte.
        if let Some((&byte, rest)) = self.bytes.split_first()
            && byte < 0x80
        {
            self.bytes = rest;
            return Ok(u64::from(byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for (index, byte) in self.bytes.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if index == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.bytes = &self.bytes[index + 1..];
                return Ok(value);
            }
        }
        Err(self.wrong(if self.bytes.len() < 10 {
            "a number that is cut off"
        } else {
            "a number of more than 64 bits"
        }))
    }

    /// The bytes of a field that has a length.
    #[inline]
    pub fn bytes(&mut self, wire: WireType) -> Result<&'a [u8]> {
        if wire != WireType::Bytes {
            return Err(self.wrong("a field of another wire type than its own"));
        }
        let length = self.varint()?;
        self.take(length)
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        match usize::try_from(length).ok().and_then(|length| self.bytes.split_at_checked(length)) {
            Some((bytes, rest)) => {
                self.bytes = rest;
                Ok(bytes)
            }
            None => Err(self.wrong("a field that is longer than what is there")),
        }
    }

    /// A number of variable length, if that is the field's form.
    #[inline]
    pub fn number(&mut self, wire: WireType) -> Result<u64> {
        if wire == WireType::Varint {
            self.varint()
        } else {
            Err(self.wrong("a field of another wire type than its own"))
        }
    }

    /// A number of eight bytes, if that is the field's form.
    pub fn fixed64(&mut self, wire: WireType) -> Result<[u8; 8]> {
        if wire != WireType::Fixed64 {
            return Err(self.wrong("a field of another wire type than its own"));
        }
        let mut number = [0; 8];
        number.copy_from_slice(self.take(8)?);
        Ok(number)
    }

    /// The bytes that are left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// A reader of the message that a field holds.
    pub fn message(&mut self, wire: WireType) -> Result<Self> {
        let bytes = self.bytes(wire)?;
        if self.depth == MAX_DEPTH {
            return Err(self.wrong("messages nested too deep"));
        }
        Ok(Self { bytes, end: self.offset(), depth: self.depth + 1, number: 0 })
    }

    /// Passes over a field that nobody knows.
    pub fn skip(&mut self, wire: WireType) -> Result<()> {
        match wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.take(8).map(drop),
            WireType::Bytes => self.bytes(wire).map(drop),
            WireType::Fixed32 => self.take(4).map(drop),
        }
    }

    /// How many fields there are like the one whose value is next, that one included: what room its list needs.
    pub(super) fn count_from_here(&self, wire: WireType) -> usize {
        let mut ahead = self.clone();
        // Something wrong there is an error when it is read.
        match ahead.skip(wire) {
            Ok(()) => 1 + ahead.count(self.number),
            Err(_) => 0,
        }
    }

    /// How many fields of this number are ahead: what room a list needs.
    pub(super) fn count(&self, number: u32) -> usize {
        let mut ahead = self.clone();
        let mut count = 0;
        // Something wrong there is an error when it is read.
        while let Ok(Some((field, wire))) = ahead.field() {
            count += usize::from(field == number);
            if ahead.skip(wire).is_err() {
                break;
            }
        }
        count
    }
}

/// Writes fields.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    /// A writer whose buffer begins with these bytes.
    pub fn behind(prefix: &[u8]) -> Self {
        Self { buffer: prefix.to_vec() }
    }

    /// Makes room for so many bytes more, so that writing them takes no memory anew.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.buffer.reserve_exact(bytes);
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.buffer
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.buffer.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.buffer.push(value.to_le_bytes()[0]);
    }

    fn tag(&mut self, number: u32, wire: u64) {
        self.varint(u64::from(number) << 3 | wire);
    }

    /// A field that is a number of variable length.
    pub fn number(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.varint(value);
    }

    /// A field that is a number of eight bytes.
    pub fn fixed64(&mut self, number: u32, value: [u8; 8]) {
        self.tag(number, 1);
        self.buffer.extend_from_slice(&value);
    }

    /// A field that is text or bytes.
    pub fn bytes(&mut self, number: u32, value: &[u8]) {
        self.tag(number, 2);
        self.varint(value.len() as u64);
        self.buffer.extend_from_slice(value);
    }

    /// A field as it was read.
    pub(super) fn raw(&mut self, field: &[u8]) {
        self.buffer.extend_from_slice(field);
    }

    /// A field that is a message.
    ///
    /// Its length is known once it is written: one byte is kept free for it, and what was written moves where that is
    /// too little. That is cheaper than to go through everything twice.
    pub fn message<E>(&mut self, number: u32, write: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        self.tag(number, 2);
        let start = self.buffer.len();
        self.buffer.push(0);
        write(self)?;
        let length = self.buffer.len() - start - 1;
        if let Ok(length @ ..0x80) = u8::try_from(length) {
            self.buffer[start] = length;
        } else {
            let mut written = Self::default();
            written.varint(length as u64);
            self.buffer.splice(start..=start, written.buffer);
        }
        Ok(())
    }
}
