//! What the server has to say besides its answer: `Warning` headers, such as the notice of a deprecated API version.

use std::{
    collections::VecDeque,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use http::{HeaderMap, header};

use super::encoded_words::decoded;

use crate::text::{Keep, printable};

/// The code of a warning that is to be shown to people; Kubernetes sends no other.
const CODE: u16 = 299;

/// A `Warning` header of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// What kind of warning it is: 299, since others are left out.
    pub code: u16,
    /// Who warns: a host, or `-`, which is what Kubernetes sends.
    pub agent: String,
    /// What the server says, with encoded words (RFC 2047) decoded.
    pub text: String,
}

/// Shows the text, with control characters escaped.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.text, Keep::Nothing))
    }
}

/// Is told of each warning that comes with the answer to a call, whether the call succeeded or not.
///
/// Any function of a [`Warning`] is a handler:
///
/// ```
/// # fn example(config: &k8s_client_runtime::Config) -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::{RestClient, rest::Warning};
///
/// let client = RestClient::builder(config).warning_handler(|warning: &Warning| eprintln!("Warning: {warning}")).build()?;
/// # Ok(())
/// # }
/// ```
pub trait WarningHandler: Send + Sync {
    /// Takes note of a warning. It is called between the arrival of an answer and its return, so it should not block.
    /// The text is as the server sent it: show it by the warning's `Display`, which escapes control characters.
    fn handle(&self, warning: &Warning);
}

impl<F: Fn(&Warning) + Send + Sync> WarningHandler for F {
    fn handle(&self, warning: &Warning) {
        self(warning);
    }
}

/// Tells `tracing` of each warning at the level of warnings. It is what clients do by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogWarnings;

impl WarningHandler for LogWarnings {
    fn handle(&self, warning: &Warning) {
        tracing::warn!("Warning: {warning}");
    }
}

/// Ignores warnings. [`Response::warnings`](super::Response::warnings) still has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWarnings;

impl WarningHandler for NoWarnings {
    fn handle(&self, _: &Warning) {}
}

/// Passes each text on once, however often the server sends it: to `tracing`, or to another handler.
///
/// It remembers the last 1,024 texts, so one that was not heard of for long may be told again.
#[derive(Debug)]
pub struct DeduplicatedWarnings<H = LogWarnings> {
    handler: H,
    hashes: RandomState,
    told: Mutex<VecDeque<u64>>,
}

const REMEMBERED: usize = 1024;

impl<H: WarningHandler> DeduplicatedWarnings<H> {
    /// Passes on to this handler.
    pub fn new(handler: H) -> Self {
        Self { handler, hashes: RandomState::new(), told: Mutex::default() }
    }

    fn is_new(&self, text: &str) -> bool {
        let hash = self.hashes.hash_one(text);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.contains(&hash) {
            return false;
        }
        if told.len() == REMEMBERED {
            told.pop_front();
        }
        told.push_back(hash);
        true
    }
}

impl Default for DeduplicatedWarnings {
    fn default() -> Self {
        Self::new(LogWarnings)
    }
}

impl<H: WarningHandler> WarningHandler for DeduplicatedWarnings<H> {
    fn handle(&self, warning: &Warning) {
        if self.is_new(&warning.text) {
            self.handler.handle(warning);
        }
    }
}

/// The warnings among the headers. What is malformed is left out, with all that follows it in the same header.
pub(super) fn warnings(headers: &HeaderMap) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for value in headers.get_all(header::WARNING) {
        let mut rest = str::from_utf8(value.as_bytes()).unwrap_or_default();
        while let Some((warning, behind)) = parse(rest) {
            warnings.extend(Some(warning).filter(|warning| warning.code == CODE && !warning.text.is_empty()));
            rest = behind;
        }
    }
    warnings
}

/// Reads `299 - "text"` or `299 agent "text" "date"` (RFC 7234, section 5.5), and gives what stands behind it.
fn parse(text: &str) -> Option<(Warning, &str)> {
    let (code, rest) = text.trim_start().split_once(' ')?;
    let (agent, rest) = rest.split_once(' ')?;
    if code.len() != 3 || agent.is_empty() {
        return None;
    }
    let (text, rest) = quoted(rest.trim_start())?;
    let warning = Warning { code: code.parse().ok()?, agent: agent.to_owned(), text: decoded(&text).into_owned() };
    let rest = rest.trim_start();
    let rest = if rest.starts_with('"') { quoted(rest)?.1.trim_start() } else { rest };
    match rest.strip_prefix(',') {
        Some(next) => Some((warning, next)),
        None if rest.is_empty() => Some((warning, rest)),
        None => None,
    }
}

/// A string in quotes, without them, and what stands behind.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.strip_prefix('"')?.chars();
    let mut read = String::new();
    loop {
        match characters.next()? {
            '"' => return Some((read, characters.as_str())),
            '\\' => read.push(characters.next()?),
            character => read.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderValue;

    use super::*;

    fn texts(values: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::WARNING, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        }
        warnings(&headers).into_iter().map(|warning| warning.text).collect()
    }

    #[test]
    fn warnings_are_read_and_malformed_ones_left_out() {
        assert_eq!(texts(&[r#"299 - "v1beta1 is deprecated""#]), ["v1beta1 is deprecated"]);
        assert_eq!(texts(&[r#"299 host:80 "a \"b\" \\" "Wed, 21 Oct 2015 07:28:00 GMT""#]), [r#"a "b" \"#]);
        assert_eq!(texts(&[r#"299 - "naïve""#]), ["naïve"]);
        assert_eq!(texts(&[r#"299 - "=?utf-8?q?caf=C3=A9?= =?utf-8?b?4pyT?=", 299 - "b""#]), ["café✓", "b"]);
        for malformed in [
            "",
            "299",
            "299 -",
            r#"214 - "x""#,
            r#"299 - "no end"#,
            "299 - x",
            r#"299 - """#,
            r#"299 - "x" y"#,
            r#"+99 - "x""#,
            r#"0299 - "x""#,
            r#"299  "x""#,
        ] {
            assert!(texts(&[malformed]).is_empty(), "{malformed}");
        }
    }

    #[test]
    fn several_warnings_come_in_one_header_or_in_many() {
        assert_eq!(texts(&[r#"299 - "a", 199 - "b",299 x "c" "date", 299 - "d"#, r#"299 - "e""#]), ["a", "c", "e"]);
    }

    #[test]
    fn control_characters_are_escaped_where_a_warning_is_shown() {
        let warning = Warning { code: 299, agent: "-".to_owned(), text: "a\u{1b}[31m\tb é".to_owned() };
        assert_eq!(warning.to_string(), r"a\u{1b}[31m\tb é");
    }

    #[test]
    fn each_text_is_told_once_and_memory_is_bounded() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let handler = DeduplicatedWarnings::new(move |warning: &Warning| {
            seen.lock().expect("nobody panics").push(warning.text.clone());
        });
        let warn = |text: &str| {
            handler.handle(&Warning { code: 299, agent: "-".to_owned(), text: text.to_owned() });
        };
        for text in ["a", "b", "a", "a", "b"] {
            warn(text);
        }
        assert_eq!(*told.lock().expect("nobody panics"), ["a", "b"]);
        for number in 0..REMEMBERED {
            warn(&number.to_string());
        }
        assert_eq!(handler.told.lock().expect("nobody panics").len(), REMEMBERED);
        warn("a");
        assert_eq!(told.lock().expect("nobody panics").last().map(String::as_str), Some("a"));
    }
}
