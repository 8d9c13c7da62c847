//! How many streams a server allows a connection: from the SETTINGS frame that it must begin with (RFC 9113, 3.4).

/// What is assumed where a server says nothing that can be understood: kube-apiserver's limit.
pub(super) const ASSUMED: usize = 100;

/// What is used of a connection without a limit. Go's client does the same.
const UNLIMITED: usize = 1000;

const HEADER: usize = 9;
const ENTRY: usize = 6;
const SETTINGS: u8 = 4;
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// No frame may be larger before the client allowed it.
const MAX_FRAME: usize = 1 << 14;

/// Reads the first frame out of the bytes as they come by, in pieces of any size. It keeps one entry at most.
#[derive(Default)]
pub(super) struct FirstSettings {
    piece: Vec<u8>,
    /// How much of the frame is still to come, once its header was read.
    left: Option<usize>,
    streams: Option<usize>,
    done: bool,
}

impl FirstSettings {
    /// How many streams are allowed: told once, when the frame is complete.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Option<usize> {
        while !self.done {
            if self.left == Some(0) {
                return Some(self.end(self.streams.unwrap_or(UNLIMITED)));
            }
            let wanted = if self.left.is_none() { HEADER } else { ENTRY };
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.piece.len()));
            self.piece.extend_from_slice(taken);
            bytes = rest;
            if self.piece.len() < wanted {
                return None;
            }
            match (self.left, &self.piece[..]) {
                (None, &[high, middle, low, kind, ..]) => {
                    let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                    if kind != SETTINGS || length > MAX_FRAME || !length.is_multiple_of(ENTRY) {
                        return Some(self.end(ASSUMED));
                    }
                    self.left = Some(length);
                }
                (Some(left), &[high, low, a, b, c, d]) => {
                    if u16::from_be_bytes([high, low]) == MAX_CONCURRENT_STREAMS {
                        // A server that allows none now would get connection after connection.
                        let streams = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(UNLIMITED);
                        self.streams = Some(streams.max(1));
                    }
                    self.left = Some(left - ENTRY);
                }
                _ => return Some(self.end(ASSUMED)),
            }
            self.piece.clear();
        }
        None
    }

    fn end(&mut self, streams: usize) -> usize {
        self.done = true;
        streams
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, entries: &[(u16, u32)]) -> Vec<u8> {
        let length = u8::try_from(entries.len() * ENTRY).unwrap();
        let mut bytes = vec![0, 0, length, kind, 0, 0, 0, 0, 0];
        for (key, value) in entries {
            bytes.extend(key.to_be_bytes());
            bytes.extend(value.to_be_bytes());
        }
        bytes
    }

    fn read(bytes: &[u8], piece: usize) -> Option<usize> {
        let mut settings = FirstSettings::default();
        let mut told = bytes.chunks(piece).filter_map(|piece| settings.read(piece));
        let first = told.next();
        assert_eq!(told.next(), None, "told twice");
        first
    }

    #[test]
    fn limit_of_streams_is_found_however_the_bytes_come() {
        for (entries, streams) in [
            (&[(3, 250)][..], Some(250)),
            (&[(1, 4096), (3, 10), (4, 65535)], Some(10)),
            (&[(3, 10), (3, 20)], Some(20)),
            (&[(3, 0)], Some(1)),
            (&[(4, 65535)], Some(UNLIMITED)),
            (&[], Some(UNLIMITED)),
        ] {
            let mut bytes = frame(SETTINGS, entries);
            bytes.extend(frame(SETTINGS, &[(3, 7)]));
            for piece in [1, 2, 5, 9, 11, bytes.len()] {
                assert_eq!(read(&bytes, piece), streams, "{entries:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn anything_else_means_what_is_assumed() {
        assert_eq!(read(&frame(0, &[(3, 10)]), 4), Some(ASSUMED));
        assert_eq!(read(b"HTTP/1.1 400 Bad Request\r\n\r\n", 7), Some(ASSUMED));
        assert_eq!(read(&[0, 0, 7, SETTINGS, 0, 0, 0, 0, 0], 9), Some(ASSUMED));
        assert_eq!(read(&[0xff, 0, 0, SETTINGS, 0, 0, 0, 0, 0], 9), Some(ASSUMED));
        assert_eq!(read(&frame(SETTINGS, &[(3, 10)])[..14], 3), None);
    }
}
