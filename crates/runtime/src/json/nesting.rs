//! Where a JSON value ends: strings, escapes and brackets are followed, nothing else.
//!
//! Whether it is JSON at all is found by decoding it. Each byte is looked at once, so what arrives in chunks costs no
//! more than what arrives at once.

use memchr::memchr2;

/// How deep in brackets a place of a JSON text is, and whether it is in a string.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    depth: usize,
    text: Text,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

impl Nesting {
    /// A place outside of strings, in this many brackets.
    pub(crate) fn inside(depth: usize) -> Self {
        Self { depth, text: Text::Outside }
    }

    /// In how many brackets the place is.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether the place is in a string.
    pub(crate) fn is_in_text(&self) -> bool {
        self.text != Text::Outside
    }

    /// Takes a byte, and returns whether it is the last of the value that began outside.
    pub(crate) fn step(&mut self, byte: u8) -> bool {
        match (self.text, byte) {
            (Text::Escaped, _) | (Text::Outside, b'"') => self.text = Text::Inside,
            (Text::Inside, b'\\') => self.text = Text::Escaped,
            (Text::Inside, b'"') => {
                self.text = Text::Outside;
                return self.depth == 0;
            }
            (Text::Outside, b'{' | b'[') => self.depth += 1,
            (Text::Outside, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            (Text::Inside | Text::Outside, _) => {}
        }
        false
    }

    /// How many bytes there are to the end of the value, if that is among them.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.text == Text::Inside {
                // Most of a list is text.
                at += memchr2(b'"', b'\\', &bytes[at..])?;
            }
            let closed = self.step(bytes[at]);
            at += 1;
            if closed {
                return Some(at);
            }
        }
        None
    }
}

/// Whether the byte is white space between JSON's values.
pub(crate) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}
