//! Items out of a list that is JSON.
//!
//! Strings, escapes and brackets are followed, nothing else. Whether an item is JSON is found by decoding it, and so it
//! is for what stands around the items.

use bytes::Bytes;

use super::{CUT_OFF, EMPTY, Piece, Problem, TOO_LONG};
use crate::{
    codec,
    json::{Nesting, is_white},
};

/// Finds the items of a list in its bytes.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    nesting: Nesting,
    /// All but the items, whose place `[]` takes.
    head: Vec<u8>,
    /// Where in the head the last text begins that no colon came after yet: before a colon, it is a key.
    text: Option<usize>,
    /// What there is of the item that is arriving.
    item: Vec<u8>,
    has_items: bool,
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    /// In the list, outside its items.
    Head,
    /// Behind `"items":`.
    Items,
    /// Behind `[`, where an item may begin.
    First,
    /// Behind a comma, where an item must begin.
    Next,
    /// Behind an item.
    Behind,
    /// In an item that has an end of its own.
    Nested,
    /// In an item that is neither text nor has brackets, so that it ends before something else.
    Bare,
    After,
}

impl Scanner {
    /// A scanner that takes items of this length at most.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: State::Before,
            nesting: Nesting::default(),
            head: Vec::new(),
            text: None,
            item: Vec::new(),
            has_items: false,
            limit,
        }
    }

    /// Goes on to the next piece; nothing if the input is used up before.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Problem> {
        loop {
            match self.state {
                State::Head => {
                    let used = self.scan_head(input)?;
                    let _ = input.split_to(used);
                    if self.state == State::Head {
                        return Ok(None);
                    }
                }
                State::Nested | State::Bare => {
                    let end = match self.state {
                        State::Bare => input.iter().position(|byte| ends_bare(*byte)),
                        _ => self.nesting.end(input),
                    };
                    let held = self.item.len().saturating_add(end.unwrap_or(input.len()));
                    if held > self.limit {
                        return Err(TOO_LONG);
                    }
                    let Some(end) = end else {
                        self.item.extend_from_slice(input);
                        input.clear();
                        return Ok(None);
                    };
                    let rest = input.split_to(end);
                    self.state = State::Behind;
                    if self.item.is_empty() {
                        return Ok(Some(Piece::Item(rest)));
                    }
                    self.item.extend_from_slice(&rest);
                    return Ok(Some(Piece::Item(std::mem::take(&mut self.item).into())));
                }
                _ => {
                    let Some(white) = input.iter().position(|byte| !is_white(*byte)) else {
                        input.clear();
                        return Ok(None);
                    };
                    let _ = input.split_to(white);
                    if let Some(begin) = self.step(input)? {
                        return Ok(Some(begin));
                    }
                }
            }
        }
    }

    /// Takes a byte that is not white space and stands neither in an item nor in the head.
    fn step(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Problem> {
        let byte = input[0];
        match (self.state, byte) {
            (State::Before, b'{') => self.state = State::Head,
            (State::Before, _) => return Err("the answer is not a list: it is not a JSON object"),
            (State::Items, b'[') => {
                let _ = input.split_to(1);
                self.push(b"[]")?;
                self.state = State::First;
                let mut head = self.head.clone();
                head.push(b'}');
                return Ok(Some(Piece::Begin(head.into())));
            }
            // Null means that there are none. About anything else the codec has its say.
            (State::Items, _) => self.state = State::Head,
            (State::First | State::Behind, b']') => {
                let _ = input.split_to(1);
                self.nesting = Nesting::inside(1);
                self.state = State::Head;
            }
            (State::Behind, b',') => {
                let _ = input.split_to(1);
                self.state = State::Next;
            }
            (State::First | State::Next, b'{' | b'[' | b'"') => {
                self.nesting = Nesting::default();
                self.state = State::Nested;
            }
            (State::First | State::Next, byte) if !ends_bare(byte) => self.state = State::Bare,
            (State::After, _) => return Err("there is something behind the list"),
            _ => return Err("a comma between the items of the list is missing"),
        }
        Ok(None)
    }

    /// Takes what stands around the items, and says how much that was.
    fn scan_head(&mut self, input: &[u8]) -> Result<usize, Problem> {
        let mut taken = 0;
        for (at, byte) in input.iter().enumerate() {
            let outside = !self.nesting.is_in_text();
            let closed = self.nesting.step(*byte);
            if closed {
                self.state = State::After;
                self.push(&input[taken..=at])?;
                return Ok(at + 1);
            }
            if outside && *byte == b'"' {
                self.text = Some(self.head.len() + at - taken);
            }
            if outside && *byte == b':' && self.nesting.depth() == 1 {
                self.push(&input[taken..=at])?;
                taken = at + 1;
                let key = self.text.take();
                if key.is_some_and(|begin| is_items(&self.head[begin..])) {
                    if std::mem::replace(&mut self.has_items, true) {
                        return Err("the list has items in two places");
                    }
                    self.state = State::Items;
                    return Ok(taken);
                }
            }
        }
        self.push(&input[taken..])?;
        Ok(input.len())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.head.len().saturating_add(bytes.len()) > self.limit {
            return Err(TOO_LONG);
        }
        self.head.extend_from_slice(bytes);
        Ok(())
    }

    /// The list without its items, if that was all of it.
    pub(super) fn end(&mut self) -> Result<Bytes, Problem> {
        match self.state {
            State::Before => Err(EMPTY),
            State::After => Ok(std::mem::take(&mut self.head).into()),
            _ => Err(CUT_OFF),
        }
    }
}

/// Whether this text, with a colon behind it, is the key `items`.
fn is_items(key: &[u8]) -> bool {
    let Some(key) = key.strip_suffix(b":").map(<[u8]>::trim_ascii_end) else { return false };
    key == br#""items""# || (key.contains(&b'\\') && codec::from_json::<String>(key).is_ok_and(|key| key == "items"))
}

/// Whether this ends a number or a word, and cannot begin one.
fn ends_bare(byte: u8) -> bool {
    is_white(byte) || matches!(byte, b',' | b']')
}
