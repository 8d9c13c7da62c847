//! Lines out of a body that comes in chunks, on bytes.

use bytes::{Buf as _, Bytes, BytesMut};

/// The longest line that is given out whole. Runtimes split lines far below, but the kubelet joins what they split.
pub(crate) const MAX_LINE: usize = 16 << 20;

/// A line without its end, or a part of one that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    /// Whether the line begins here.
    pub(crate) begins: bool,
    /// Whether the line ends here.
    pub(crate) ends: bool,
}

/// Cuts chunks at each newline, and lines that are longer than the limit after each `limit` bytes: the same pieces,
/// however the bytes are chunked.
#[derive(Debug)]
pub(crate) struct LineCutter {
    limit: usize,
    /// What has come and is not cut yet.
    chunk: Bytes,
    /// The part of a line that came in earlier chunks.
    carried: BytesMut,
    /// Whether pieces of the line have been given out.
    inside: bool,
}

impl LineCutter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), chunk: Bytes::new(), carried: BytesMut::new(), inside: false }
    }

    /// Takes in the next chunk. All pieces of those before it must have been taken.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.chunk.is_empty(), "a chunk is lost");
        self.chunk = chunk;
    }

    /// The next piece that is known to be whole.
    pub(crate) fn next(&mut self) -> Option<Piece> {
        if self.chunk.is_empty() {
            return None;
        }
        // No end is looked for behind the limit.
        let room = self.limit - self.carried.len();
        let window = &self.chunk[..self.chunk.len().min(room.saturating_add(1))];
        match memchr::memchr(b'\n', window) {
            Some(length) => {
                let bytes = self.split(length);
                self.chunk.advance(1);
                Some(self.piece(bytes, true))
            }
            None if window.len() > room => {
                let bytes = self.split(room);
                Some(self.piece(bytes, false))
            }
            None => {
                self.carried.extend_from_slice(&self.chunk);
                self.chunk = Bytes::new();
                None
            }
        }
    }

    /// What stands behind the last newline when the body has ended, as if it ended there.
    pub(crate) fn rest(&mut self) -> Option<Piece> {
        let bytes = self.carried.split().freeze();
        let rest = (!bytes.is_empty()).then(|| self.piece(bytes, true));
        self.inside = false;
        rest
    }

    /// The carried bytes and so many of the chunk. Where nothing is carried, nothing is copied.
    fn split(&mut self, length: usize) -> Bytes {
        let bytes = self.chunk.split_to(length);
        if self.carried.is_empty() {
            return bytes;
        }
        self.carried.extend_from_slice(&bytes);
        self.carried.split().freeze()
    }

    fn piece(&mut self, bytes: Bytes, ends: bool) -> Piece {
        let begins = !std::mem::replace(&mut self.inside, !ends);
        Piece { bytes, begins, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces, with `+` where a line goes on.
    fn pieces(text: &[u8], size: usize, limit: usize) -> Vec<String> {
        let mut cutter = LineCutter::new(limit);
        let mut pieces = Vec::new();
        for chunk in text.chunks(size) {
            cutter.push(Bytes::copy_from_slice(chunk));
            pieces.extend(std::iter::from_fn(|| cutter.next()));
        }
        pieces.extend(cutter.rest());
        assert_eq!(cutter.rest(), None);
        let mark = |goes_on: bool| if goes_on { "+" } else { "" };
        pieces
            .iter()
            .map(|piece| {
                let text = String::from_utf8_lossy(&piece.bytes);
                format!("{}{text}{}", mark(!piece.begins), mark(!piece.ends))
            })
            .collect()
    }

    #[test]
    fn lines_are_the_same_however_they_are_chunked() {
        for (text, limit, expected) in [
            ("one\n\ntwo\r\nlast", 64, &["one", "", "two\r", "last"][..]),
            ("é\u{1F600}\n", 64, &["é\u{1F600}"]),
            ("abcd\nabcde\nabcdefghi\n", 4, &["abcd", "abcd+", "+e", "abcd+", "+efgh+", "+i"]),
            ("abcdefgh", 4, &["abcd+", "+efgh"]),
            ("\n", 4, &[""]),
            ("", 4, &[]),
        ] {
            for size in 1..=text.len().max(1) {
                assert_eq!(pieces(text.as_bytes(), size, limit), expected, "{text:?} in chunks of {size}");
            }
        }
    }
}
