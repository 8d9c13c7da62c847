//! Headers for entries that are sent.

use super::{BLOCK, Kind, fill, header::checksum};

/// What stands at the end of an archive: two empty blocks.
pub(in crate::copy) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// The header of a file or a folder, whose name may have any length.
pub(in crate::copy) fn header(path: &[u8], kind: Kind, mode: u32, size: u64, modified: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOCK);
    if path.len() > 100 {
        let length = path.len() as u64 + 1;
        bytes.extend(block(b"././@LongLink", b'L', 0, length, 0));
        bytes.extend(path);
        bytes.push(0);
        bytes.extend(padding(length));
    }
    let flag = if kind == Kind::Folder { b'5' } else { b'0' };
    bytes.extend(block(&path[..path.len().min(100)], flag, mode, size, modified));
    bytes
}

/// What fills the last block of so much data.
pub(in crate::copy) fn padding(size: u64) -> &'static [u8] {
    &END[..fill(size)]
}

fn block(name: &[u8], flag: u8, mode: u32, size: u64, modified: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    // Of a mode, those bits that say who may do what.
    number(&mut block[100..108], u64::from(mode & 0o777));
    number(&mut block[108..116], 0);
    number(&mut block[116..124], 0);
    number(&mut block[124..136], size);
    number(&mut block[136..148], modified);
    block[156] = flag;
    // GNU's own format, which goes with its long names.
    block[257..265].copy_from_slice(b"ustar  \0");
    let sum = format!("{:06o}\0 ", checksum(&block));
    block[148..156].copy_from_slice(sum.as_bytes());
    block
}

/// Writes a number in octal digits, or in bytes if it is too large for them.
fn number(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    let text = format!("{number:0digits$o}");
    if text.len() == digits {
        field[..digits].copy_from_slice(text.as_bytes());
        return;
    }
    let start = field.len() - 8;
    field[start..].copy_from_slice(&number.to_be_bytes());
    field[0] |= 0x80;
}
