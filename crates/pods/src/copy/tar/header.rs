//! The header of an entry: one block of fields at fixed places.

use super::{BLOCK, Malformed};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy) enum Kind {
    File,
    Folder,
    /// A symbolic or a hard link.
    Link,
    /// A device or a pipe.
    Special,
}

/// What the block says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// An entry, whose name and size an extension before it may replace.
    Entry { path: Vec<u8>, kind: Kind, mode: u32, size: u64 },
    /// The next entry's name is the data of this one.
    LongName { size: u64 },
    /// Fields of the next entry are the data of this one.
    Fields { size: u64 },
    /// The data of this one has no meaning here.
    Ignored { size: u64 },
}

pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Header, Malformed> {
    if number(&block[148..156], "checksum")? != checksum(block) {
        return Err(Malformed::new("the checksum of an entry's header is wrong"));
    }
    let size = number(&block[124..136], "size")?;
    if size > i64::MAX as u64 {
        return Err(Malformed::new("an entry is larger than anything can be"));
    }
    let kind = match block[156] {
        b'L' => return Ok(Header::LongName { size }),
        b'x' => return Ok(Header::Fields { size }),
        b'K' | b'g' => return Ok(Header::Ignored { size }),
        b'0' | b'\0' | b'7' => Kind::File,
        b'1' | b'2' => Kind::Link,
        b'3' | b'4' | b'6' => Kind::Special,
        b'5' => Kind::Folder,
        other => return Err(Malformed::new(format!("an entry is of the kind {:?}", char::from(other)))),
    };
    let path = path(block);
    // Before there were headers for folders, they were files with a slash.
    let kind = if kind == Kind::File && path.ends_with(b"/") { Kind::Folder } else { kind };
    let size = if kind == Kind::File { size } else { 0 };
    // Modes have 12 bits; what more there is has no meaning.
    let mode = u32::try_from(number(&block[100..108], "mode")? & 0o7777).unwrap_or(0);
    Ok(Header::Entry { path, kind, mode, size })
}

fn path(block: &[u8; BLOCK]) -> Vec<u8> {
    let name = text(&block[..100]);
    // GNU's own format has other things in place of the prefix.
    let prefix = if block[257..263] == *b"ustar\0" { text(&block[345..500]) } else { b"" };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// A field up to its end.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number in octal digits, or in bytes with the highest bit of the first one set.
fn number(field: &[u8], name: &str) -> Result<u64, Malformed> {
    let malformed = || Malformed::new(format!("the {name} of an entry is not a number"));
    if let [first, rest @ ..] = field
        && *first & 0x80 != 0
    {
        let start = u64::from(*first & 0x7f);
        let add = |sum: u64, byte: &u8| sum.checked_mul(256).map(|sum| sum + u64::from(*byte));
        return rest.iter().try_fold(start, add).ok_or_else(malformed);
    }
    let digits = text(field).trim_ascii();
    digits
        .iter()
        .try_fold(0_u64, |sum, digit| match digit {
            b'0'..=b'7' => sum.checked_mul(8).map(|sum| sum + u64::from(digit - b'0')),
            _ => None,
        })
        .ok_or_else(malformed)
}

/// The sum of all bytes, with spaces in place of the sum itself.
pub(super) fn checksum(block: &[u8; BLOCK]) -> u64 {
    let counted = |(index, byte): (usize, &u8)| if (148..156).contains(&index) { b' ' } else { *byte };
    block.iter().enumerate().map(counted).map(u64::from).sum()
}
