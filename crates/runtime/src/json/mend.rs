//! JSON that Go reads and serde_json does not.

use std::borrow::Cow;

/// The JSON with what serde_json refuses written as Go reads it: bytes that are not UTF-8 and halves of surrogate pairs
/// are U+FFFD, the mark of a letter that is missing, and an integer `-0` is `0`. None if there is nothing of these.
///
/// Texts that were cut at a number of bytes, such as the last words of a container, come like this.
pub fn as_go_reads(json: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(json);
    let bytes = text.as_bytes();
    let mut mended = Vec::new();
    let (mut at, mut copied, mut in_text) = (0, 0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => match escaped_unit(bytes, at) {
                Some(0xd800..=0xdbff) if matches!(escaped_unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => at += 11,
                Some(0xd800..=0xdfff) => {
                    mended.extend_from_slice(&bytes[copied..at]);
                    mended.extend_from_slice(br"\ufffd");
                    at += 5;
                    copied = at + 1;
                }
                _ => at += 1,
            },
            b'-' if !in_text && is_zero(&bytes[at + 1..]) => {
                mended.extend_from_slice(&bytes[copied..at]);
                copied = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if matches!(text, Cow::Borrowed(_)) && copied == 0 {
        return None;
    }
    mended.extend_from_slice(&bytes[copied..]);
    Some(mended)
}

/// The number in the escape `\u0000` that begins here, if one does.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(br"\u")?;
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

/// Whether a number that is 0 and has neither fraction nor exponent begins here.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'0') && !matches!(bytes.get(1), Some(b'.' | b'e' | b'E' | b'0'..=b'9'))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_go_reads_otherwise_is_mended_and_nothing_else() {
        for (json, mended) in [
            (&br#"{"a":"b\ud83e\udd80\\ud800\n","c":[-1,-0.0,-0e1,"-0"]}"#[..], None),
            (br#"{"a":"\ud800"}"#, Some(r#"{"a":"\ufffd"}"#)),
            (br#"{"\udc00":"\ud800\ud83e\udd80\uDBFF"}"#, Some(r#"{"\ufffd":"\ufffd\ud83e\udd80\ufffd"}"#)),
            (br#""\\\ud800""#, Some(r#""\\\ufffd""#)),
            (b"{\"a\":\"J\xf6rg \xe2\x82\"}", Some("{\"a\":\"J\u{fffd}rg \u{fffd}\"}")),
            (b"[-0,-0 ,{\"a\":-0}]", Some("[0,0 ,{\"a\":0}]")),
            (b"-0", Some("0")),
            (br#""\ud800"#, Some(r#""\ufffd"#)),
            (br#""\ud8"#, None),
            (br#""\"#, None),
            (b"-", None),
            (b"", None),
        ] {
            let expected = mended.map(str::as_bytes);
            assert_eq!(as_go_reads(json).as_deref(), expected, "{}", json.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn what_was_json_means_the_same(text: String, bytes: Vec<u8>) {
            let json = serde_json::to_vec(&[text, String::from_utf8_lossy(&bytes).into_owned()]).unwrap();
            prop_assert_eq!(as_go_reads(&json), None);
            let mended = as_go_reads(&bytes).unwrap_or(bytes);
            prop_assert!(str::from_utf8(&mended).is_ok());
            prop_assert_eq!(as_go_reads(&mended), None);
        }

        #[test]
        fn any_text_in_escapes_can_be_read(units: Vec<u16>) {
            let mut escaped = String::new();
            for unit in &units {
                write!(escaped, "\\u{unit:04x}").unwrap();
            }
            let json = format!("\"{escaped}\"").into_bytes();
            let read: Value = serde_json::from_slice(&as_go_reads(&json).unwrap_or(json)).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }
    }
}
