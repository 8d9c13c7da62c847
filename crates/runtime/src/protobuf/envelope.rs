//! What stands around every object that is sent by itself: four bytes that say that it is protobuf, and a message,
//! `Unknown`, that says of which kind it is.

use super::{Error, Reader, Result, Writer, types::Text};
use crate::protobuf::Type as _;

/// What every body begins with.
pub const MAGIC: &[u8] = b"k8s\0";

/// An object whose kind is known, and still to be read.
#[derive(Debug)]
pub struct Envelope<'a> {
    api_version: String,
    kind: String,
    raw: &'a [u8],
    /// Where `raw` stands in the body.
    offset: usize,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope, and nothing of what is in it.
    pub fn open(body: &'a [u8]) -> Result<Self> {
        let Some(message) = body.strip_prefix(MAGIC) else {
            return Err(Error::wire("what should be protobuf of Kubernetes does not begin with `k8s`").at(0));
        };
        let mut envelope = Self { api_version: String::new(), kind: String::new(), raw: &[], offset: MAGIC.len() };
        let mut reader = Reader::behind(MAGIC.len(), message);
        while let Some((number, wire)) = reader.field()? {
            match number {
                1 => {
                    let mut names = reader.message(wire)?;
                    while let Some((number, wire)) = names.field()? {
                        match number {
                            1 => Text::read_into(&mut envelope.api_version, &mut names, wire)?,
                            2 => Text::read_into(&mut envelope.kind, &mut names, wire)?,
                            _ => names.skip(wire)?,
                        }
                    }
                }
                2 => {
                    envelope.raw = reader.bytes(wire)?;
                    envelope.offset = reader.offset() - envelope.raw.len();
                }
                3 if !reader.bytes(wire)?.is_empty() => {
                    return Err(Error::wire("the object is encoded in a way that is not known").at(reader.offset()));
                }
                3 => {}
                _ => reader.skip(wire)?,
            }
        }
        Ok(envelope)
    }

    /// The same, if it is of this kind.
    pub(super) fn of(self, api_version: &str, kind: &str) -> Result<Self> {
        if self.api_version == api_version && self.kind == kind {
            return Ok(self);
        }
        Err(Error::value(format!("expected {api_version} {kind}, found {} {}", self.api_version, self.kind)))
    }

    /// The group and the version.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// A reader of the object.
    pub fn reader(&self) -> Reader<'a> {
        Reader::behind(self.offset, self.raw)
    }
}

/// Writes an object of this kind.
pub(super) fn write(api_version: &str, kind: &str, object: impl FnOnce(&mut Writer) -> Result<()>) -> Result<Vec<u8>> {
    let mut writer = Writer::behind(MAGIC);
    writer.message(1, |writer| {
        writer.bytes(1, api_version.as_bytes());
        writer.bytes(2, kind.as_bytes());
        Ok::<_, Error>(())
    })?;
    writer.message(2, object)?;
    Ok(writer.finish())
}

/// An envelope that has these fields already, with an object in it.
pub(crate) fn around(fields: &[u8], object: &[u8]) -> Vec<u8> {
    let mut writer = Writer::behind(&[MAGIC, fields].concat());
    writer.bytes(2, object);
    writer.finish()
}
