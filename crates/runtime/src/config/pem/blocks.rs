//! The blocks of PEM, read as leniently as Go reads them: text around them, blanks at the ends of lines, and headers
//! within them do no harm.

use base64::{Engine, prelude::BASE64_STANDARD};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// What stands between a `-----BEGIN` line and its `-----END` line.
pub(super) struct Block<'a> {
    /// What it says that it is: `CERTIFICATE`.
    pub(super) label: &'a str,
    /// Whether its headers say that it is encrypted, as OpenSSL wrote keys before PKCS#8.
    pub(super) is_encrypted: bool,
    /// What it holds, or what is wrong with it in words that quote nothing of it.
    pub(super) content: Result<Vec<u8>, &'static str>,
}

/// All blocks of a text, in order. One that does not end does not hide the next.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    text.split(BEGIN).skip(1).filter_map(|block| {
        let (label, rest) = block.split_once(DASHES)?;
        (!label.contains(['\n', '\r'])).then(|| Block::read(label, rest))
    })
}

impl<'a> Block<'a> {
    fn read(label: &'a str, rest: &str) -> Self {
        let mut block = Block { label, is_encrypted: false, content: Err("an -----END line is missing") };
        let Some((body, _)) = rest.split_once(&*format!("{DASHES}END {label}{DASHES}")) else { return block };
        let mut lines = body.split(['\n', '\r']);
        if lines.next().is_some_and(|line| !line.trim().is_empty()) {
            block.content = Err("a -----BEGIN line is malformed");
            return block;
        }
        let mut encoded = String::with_capacity(body.len());
        for line in lines.map(str::trim) {
            // Base64 has no colons; headers stand in front of it.
            match line.split_once(':') {
                Some((name, value)) if encoded.is_empty() => {
                    block.is_encrypted |= name == "Proc-Type" && value.contains("ENCRYPTED");
                }
                _ => encoded.extend(line.split_ascii_whitespace()),
            }
        }
        block.content = BASE64_STANDARD.decode(encoded).map_err(|_| "it is not base64 between its BEGIN and END lines");
        block
    }
}
