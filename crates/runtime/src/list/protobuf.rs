//! Items out of a list that is protobuf.
//!
//! The envelope's fields and those of the list in it are followed; the items are not looked into. What nobody reads is
//! passed over without being held.

use bytes::{Buf as _, Bytes};

use super::{CUT_OFF, EMPTY, Piece, Problem, TOO_LONG};
use crate::protobuf::{Envelope, ITEMS, MAGIC, METADATA, around};

/// The numbers of the envelope's fields.
const NAMES: u32 = 1;
const RAW: u32 = 2;
const ENCODING: u32 = 3;

/// How the value of a field is written.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

const TOO_LONG_FIELD: Problem = "a field of the list is longer than the list";

/// Finds the items of a list in its bytes.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    number: Number,
    /// The tag and the length that are arriving, as they came.
    field: Vec<u8>,
    raw: Raw,
    /// The fields of the envelope that are read, without the list.
    envelope: Vec<u8>,
    /// The fields of the list that are read, without its items.
    list: Vec<u8>,
    /// The answer is not a list but a Status: all of it is kept.
    is_status: bool,
    /// What there is of the item that is arriving.
    item: Vec<u8>,
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Behind so many of the bytes that every body begins with.
    Magic(usize),
    Tag,
    /// In a field that is a number.
    Varint(Use),
    /// In the length of a field.
    Length(Use),
    /// In a field of which so many bytes are left.
    Value(Use, u64),
}

/// Where the list is, which is a field of the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Raw {
    Ahead,
    /// So many bytes are left of it.
    Inside(u64),
    Behind,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Raw,
    Item,
    Envelope,
    List,
    Nothing,
}

/// A number of variable length that is arriving.
#[derive(Debug, Default)]
struct Number {
    value: u64,
    bytes: u32,
}

impl Scanner {
    /// A scanner that takes items of this length at most.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: State::Magic(0),
            number: Number::default(),
            field: Vec::new(),
            raw: Raw::Ahead,
            envelope: Vec::new(),
            list: Vec::new(),
            is_status: false,
            item: Vec::new(),
            limit,
        }
    }

    /// Goes on to the next piece; nothing if the input is used up before.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Problem> {
        while !input.is_empty() {
            let piece = if let State::Value(usage, left) = self.state {
                self.value(usage, left, input)?
            } else {
                self.byte(input.get_u8())?
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
        Ok(None)
    }

    /// Takes a byte of what stands in front of values.
    fn byte(&mut self, byte: u8) -> Result<Option<Piece>, Problem> {
        if let State::Magic(seen) = self.state {
            if MAGIC.get(seen) != Some(&byte) {
                return Err("what should be protobuf of Kubernetes does not begin with `k8s`");
            }
            self.state = if seen + 1 == MAGIC.len() { State::Tag } else { State::Magic(seen + 1) };
            return Ok(None);
        }
        self.count(1)?;
        self.field.push(byte);
        let Some(number) = self.number.push(byte)? else { return Ok(None) };
        match self.state {
            State::Tag => self.tag(number)?,
            State::Length(usage) => return self.length(usage, number),
            State::Varint(usage) => {
                self.keep_field(usage)?;
                self.field_ends();
            }
            State::Magic(_) | State::Value(..) => {}
        }
        Ok(None)
    }

    /// Takes bytes off what is left of the list, inside it.
    fn count(&mut self, bytes: u64) -> Result<(), Problem> {
        if let Raw::Inside(left) = &mut self.raw {
            *left = left.checked_sub(bytes).ok_or(TOO_LONG_FIELD)?;
        }
        Ok(())
    }

    fn tag(&mut self, tag: u64) -> Result<(), Problem> {
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0).ok_or("a field number out of range")?;
        let usage = match (self.raw, number) {
            (Raw::Inside(_), _) if self.is_status => Use::List,
            (Raw::Inside(_), METADATA) => Use::List,
            (Raw::Inside(_), ITEMS) => Use::Item,
            (Raw::Inside(_), _) => Use::Nothing,
            (_, NAMES | ENCODING) => Use::Envelope,
            (_, RAW) => Use::Raw,
            _ => Use::Nothing,
        };
        self.state = match (tag & 7, usage) {
            (BYTES, _) => State::Length(usage),
            (_, Use::Item | Use::Raw) => return Err("a field of another wire type than its own"),
            (VARINT, _) => State::Varint(usage),
            (FIXED64 | FIXED32, _) => {
                self.keep_field(usage)?;
                State::Value(usage, if tag & 7 == FIXED64 { 8 } else { 4 })
            }
            _ => return Err("a field of an unknown wire type"),
        };
        Ok(())
    }

    fn length(&mut self, usage: Use, length: u64) -> Result<Option<Piece>, Problem> {
        if usage == Use::Raw {
            if self.raw != Raw::Ahead {
                return Err("the answer has a list in two places");
            }
            self.raw = Raw::Inside(length);
            self.field.clear();
            self.field_ends();
            let begin = around(&self.envelope, &[]);
            self.is_status = Envelope::open(&begin).is_ok_and(|envelope| envelope.kind() == "Status");
            return Ok((!self.is_status).then(|| Piece::Begin(begin.into())));
        }
        if matches!(self.raw, Raw::Inside(left) if length > left) {
            return Err(TOO_LONG_FIELD);
        }
        if usage == Use::Item && usize::try_from(length).map_or(true, |length| length > self.limit) {
            return Err(TOO_LONG);
        }
        self.keep_field(usage)?;
        self.value(usage, length, &mut Bytes::new())
    }

    /// Takes what there is of a value.
    fn value(&mut self, usage: Use, left: u64, input: &mut Bytes) -> Result<Option<Piece>, Problem> {
        let there = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let bytes = input.split_to(there);
        self.count(there as u64)?;
        let left = left - there as u64;
        let whole = usage == Use::Item && left == 0 && self.item.is_empty();
        if !whole {
            self.keep(usage, &bytes)?;
        }
        if left > 0 {
            self.state = State::Value(usage, left);
            return Ok(None);
        }
        self.field_ends();
        Ok(match usage {
            Use::Item if whole => Some(Piece::Item(bytes)),
            Use::Item => Some(Piece::Item(std::mem::take(&mut self.item).into())),
            _ => None,
        })
    }

    fn field_ends(&mut self) {
        self.state = State::Tag;
        if self.raw == Raw::Inside(0) {
            self.raw = Raw::Behind;
        }
    }

    /// Keeps the tag and what follows it, as far as it came, where the field is kept.
    fn keep_field(&mut self, usage: Use) -> Result<(), Problem> {
        let field = std::mem::take(&mut self.field);
        if usage != Use::Item {
            self.keep(usage, &field)?;
        }
        self.field = field;
        self.field.clear();
        Ok(())
    }

    fn keep(&mut self, usage: Use, bytes: &[u8]) -> Result<(), Problem> {
        let kept = match usage {
            Use::Item => &mut self.item,
            Use::Envelope => &mut self.envelope,
            Use::List => &mut self.list,
            Use::Raw | Use::Nothing => return Ok(()),
        };
        if kept.len().saturating_add(bytes.len()) > self.limit {
            return Err(TOO_LONG);
        }
        kept.extend_from_slice(bytes);
        Ok(())
    }

    /// The list without its items, if that was all of it.
    pub(super) fn end(&mut self) -> Result<Bytes, Problem> {
        let is_between = self.state == State::Tag && self.number.bytes == 0;
        match self.raw {
            _ if self.state == State::Magic(0) => Err(EMPTY),
            Raw::Behind if is_between => Ok(around(&self.envelope, &self.list).into()),
            _ => Err(CUT_OFF),
        }
    }
}

impl Number {
    /// Takes a byte; the number, if that was its last one.
    fn push(&mut self, byte: u8) -> Result<Option<u64>, Problem> {
        if self.bytes == 9 && byte > 1 {
            return Err("a number of more than 64 bits");
        }
        self.value |= u64::from(byte & 0x7f) << (7 * self.bytes);
        self.bytes += 1;
        Ok((byte < 0x80).then(|| std::mem::take(self).value))
    }
}
