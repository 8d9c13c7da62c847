//! Words of a header in another character set than ASCII: `=?utf-8?q?caf=C3=A9?=` (RFC 2047).

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The text with its encoded words decoded. What is not one, or of a character set that is not known, stays as it is.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find("=?") else { return text.into() };
    // Bytes, since a word may end within a character that the next one goes on with.
    let (mut decoded, mut rest) = (text.as_bytes()[..first].to_vec(), &text[first..]);
    while !rest.is_empty() {
        if let Some((word, behind)) = word(rest) {
            decoded.extend(word);
            // White space between two words only keeps them apart.
            let next = behind.trim_ascii_start();
            rest = if self::word(next).is_some() { next } else { behind };
        } else {
            let plain = rest[2..].find("=?").map_or(rest.len(), |next| next + 2);
            decoded.extend_from_slice(&rest.as_bytes()[..plain]);
            rest = &rest[plain..];
        }
    }
    String::from_utf8_lossy(&decoded).into_owned().into()
}

/// The encoded word at the beginning, decoded to UTF-8, and what stands behind it.
fn word(text: &str) -> Option<(Vec<u8>, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (content, behind) = rest.split_once("?=")?;
    let bytes = match encoding {
        "b" | "B" => STANDARD.decode(content).ok()?,
        "q" | "Q" => unquoted(content)?,
        _ => return None,
    };
    // A language may stand behind the character set (RFC 2231).
    let charset = charset.split('*').next().unwrap_or_default().to_ascii_lowercase();
    let word = match charset.as_str() {
        "utf-8" | "us-ascii" => bytes,
        "iso-8859-1" => bytes.into_iter().map(char::from).collect::<String>().into_bytes(),
        _ => return None,
    };
    Some((word, behind))
}

/// Bytes of which some are written as `=C3`, and spaces as `_`.
fn unquoted(content: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut rest = content.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        bytes.push(match first {
            b'_' => b' ',
            b'=' => {
                let (code, behind) = behind.split_first_chunk::<2>()?;
                rest = behind;
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(code[0])? * 16 + digit(code[1])?).ok()?
            }
            b' ' => return None,
            byte => *byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded_and_all_else_stays() {
        for (text, expected) in [
            ("plain = text? yes", "plain = text? yes"),
            ("=?UTF-8?q?caf=C3=A9_=E2=9C=93?= is open", "café ✓ is open"),
            ("=?utf-8?B?Y2Fmw6k=?=", "café"),
            ("a =?iso-8859-1?Q?caf=E9?=, b", "a café, b"),
            ("=?us-ascii*en?q?x?=", "x"),
            // Between words white space is none, elsewhere it is.
            ("=?utf-8?q?a?= =?utf-8?q?b?=\t=?utf-8?q?c_?= d", "abc  d"),
            ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
            ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
            ("=?utf-8?q??=", ""),
            ("=?utf-8?q?=FF?=", "\u{fffd}"),
            // A character in two words, whichever their encodings are.
            ("=?utf-8?q?caf=C3?= =?utf-8?b?qQ==?= is", "café is"),
            ("=?utf-8?q?=C3?= =?iso-8859-1?q?=E9?=", "\u{fffd}é"),
            // None of these is an encoded word.
            ("=?", "=?"),
            ("=?=?utf-8?q?a?=", "=?a"),
            ("=?utf-8?q?no end", "=?utf-8?q?no end"),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?koi8-r?q?a?=", "=?koi8-r?q?a?="),
            ("=?utf-8?q?=C?= é", "=?utf-8?q?=C?= é"),
            ("=?utf-8?q?=+3?=", "=?utf-8?q?=+3?="),
            ("=?utf-8?b?*?=", "=?utf-8?b?*?="),
            ("=?utf-8?q?a b?=", "=?utf-8?q?a b?="),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
