//! The words of a label selector.

/// A word, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key, a value, or one of the words `in` and `notin`, which are keys and values too.
    Word,
    Equal,
    DoubleEqual,
    NotEqual,
    Greater,
    Less,
    Not,
    Open,
    Close,
    Comma,
    End,
}

/// Cuts a selector into words. White space separates them; everything else that is not an operator belongs to a word.
pub(super) struct Lexer<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, offset: 0 }
    }

    /// The next word without taking it.
    pub(super) fn peek(&self) -> Token<'a> {
        let rest = &self.text[self.offset..];
        let offset = self.offset + (rest.len() - rest.trim_start_matches(is_space).len());
        let rest = &self.text[offset..];
        let (kind, length) = match rest.as_bytes() {
            [] => (Kind::End, 0),
            [b'=', b'=', ..] => (Kind::DoubleEqual, 2),
            [b'=', ..] => (Kind::Equal, 1),
            [b'!', b'=', ..] => (Kind::NotEqual, 2),
            [b'!', ..] => (Kind::Not, 1),
            [b'>', ..] => (Kind::Greater, 1),
            [b'<', ..] => (Kind::Less, 1),
            [b'(', ..] => (Kind::Open, 1),
            [b')', ..] => (Kind::Close, 1),
            [b',', ..] => (Kind::Comma, 1),
            _ => (Kind::Word, rest.find(|c| is_space(c) || is_special(c)).unwrap_or(rest.len())),
        };
        Token { kind, text: &rest[..length], offset }
    }

    /// Takes the next word.
    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.offset = token.offset + token.text.len();
        token
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_special(character: char) -> bool {
    matches!(character, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}
