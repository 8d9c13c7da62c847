//! The encodings of YAML, told by the byte order mark. Without one it is UTF-8.

/// An encoding of text. Texts keep their byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
    Utf32LittleEndian,
    Utf32BigEndian,
}

impl Encoding {
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            // These two begin as the next ones do.
            [0xff, 0xfe, 0, 0, ..] => Self::Utf32LittleEndian,
            [0, 0, 0xfe, 0xff, ..] => Self::Utf32BigEndian,
            [0xff, 0xfe, ..] => Self::Utf16LittleEndian,
            [0xfe, 0xff, ..] => Self::Utf16BigEndian,
            _ => Self::Utf8,
        }
    }

    /// The text in this encoding.
    pub(in crate::config) fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16LittleEndian => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16BigEndian => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf32LittleEndian => text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(),
            Self::Utf32BigEndian => text.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect(),
        }
    }
}

/// The text of these bytes and its encoding; None if they are not text.
pub(in crate::config) fn decode(bytes: Vec<u8>) -> Option<(String, Encoding)> {
    let encoding = Encoding::of(&bytes);
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8(bytes).ok()?,
        Encoding::Utf16LittleEndian => utf16(&bytes, u16::from_le_bytes)?,
        Encoding::Utf16BigEndian => utf16(&bytes, u16::from_be_bytes)?,
        Encoding::Utf32LittleEndian => utf32(&bytes, u32::from_le_bytes)?,
        Encoding::Utf32BigEndian => utf32(&bytes, u32::from_be_bytes)?,
    };
    Some((text, encoding))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let text = char::decode_utf16(units.iter().copied().map(unit)).collect::<Result<_, _>>().ok();
    text.filter(|_| rest.is_empty())
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let text = units.iter().copied().map(|bytes| char::from_u32(unit(bytes))).collect::<Option<_>>();
    text.filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_read_and_written() {
        for (encoding, bytes) in [
            (Encoding::Utf8, &b"a: \xc3\xa4"[..]),
            (Encoding::Utf8, b"\xef\xbb\xbfa: \xc3\xa4"),
            (Encoding::Utf16LittleEndian, b"\xff\xfea\0:\0 \0\xe4\0"),
            (Encoding::Utf16BigEndian, b"\xfe\xff\0a\0:\0 \0\xe4"),
            (Encoding::Utf32LittleEndian, b"\xff\xfe\0\0a\0\0\0:\0\0\0 \0\0\0\xe4\0\0\0"),
            (Encoding::Utf32BigEndian, b"\0\0\xfe\xff\0\0\0a\0\0\0:\0\0\0 \0\0\0\xe4"),
        ] {
            let (text, found) = decode(bytes.to_vec()).unwrap();
            assert_eq!((text.trim_start_matches('\u{feff}'), found), ("a: ä", encoding));
            assert_eq!(encoding.encode(&text), bytes);
        }
        let smile = decode(b"\xff\xfe\x3d\xd8\x00\xde".to_vec()).unwrap().0;
        assert_eq!(smile, "\u{feff}\u{1f600}", "a pair of surrogates");
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        // Not UTF-8, half a unit, half a pair, no character.
        for bytes in
            [&b"a\xff"[..], b"\xff\xfea", b"\xff\xfe\x3d\xd8", b"\xff\xfe\0\0\xff\xff\xff\xff", b"\0\0\xfe\xff\0"]
        {
            assert_eq!(decode(bytes.to_vec()), None, "{bytes:?}");
        }
    }
}
