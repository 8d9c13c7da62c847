//! A JSON value that knows where it stands, for errors that say so.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Error;

/// One value of a file.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    file: &'a str,
    path: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(crate) fn root(file: &'a str, value: &'a Value) -> Self {
        Self { file, path: "$".to_owned(), value }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// Where it stands in its file.
    pub(crate) fn location(&self) -> &str {
        &self.path
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::at(self.file, &self.path, message)
    }

    /// Goes through an object's entries, sorted by key.
    pub(crate) fn entries(&self) -> Result<BTreeMap<&'a str, Node<'a>>, Error> {
        let map = self.value.as_object().ok_or_else(|| self.expected("an object"))?;
        Ok(map.iter().map(|(key, value)| (key.as_str(), self.child(&member(key), value))).collect())
    }

    pub(crate) fn items(&self) -> Result<Vec<Node<'a>>, Error> {
        let items = self.value.as_array().ok_or_else(|| self.expected("an array"))?;
        Ok(items.iter().enumerate().map(|(index, item)| self.child(&format!("[{index}]"), item)).collect())
    }

    pub(crate) fn string(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.expected("a string"))
    }

    pub(crate) fn bool(&self) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    pub(crate) fn strings(&self) -> Result<Vec<String>, Error> {
        self.items()?.iter().map(|item| item.string().map(str::to_owned)).collect()
    }

    /// Looks up an object's member; a value that is no object has none.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.value.get(key).map(|value| self.child(&member(key), value))
    }

    /// Looks up what a JSON pointer without its leading `/` leads to, in the form of references: percent-encoded.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<Node<'a>> {
        let mut node = self.clone();
        for step in pointer.split('/') {
            let step = percent_decoded(step).replace("~1", "/").replace("~0", "~");
            node = match node.value {
                Value::Array(items) => {
                    let index: usize = step.parse().ok()?;
                    node.child(&format!("[{index}]"), items.get(index)?)
                }
                _ => node.get(&step)?,
            };
        }
        Some(node)
    }

    pub(crate) fn require(&self, key: &str) -> Result<Node<'a>, Error> {
        self.get(key).ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    fn child(&self, step: &str, value: &'a Value) -> Node<'a> {
        Node { file: self.file, path: format!("{}{step}", self.path), value }
    }

    fn expected(&self, what: &str) -> Error {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        self.error(format!("expected {what}, found {found}"))
    }
}

/// Text with its `%2F` and the like made characters; what is none of those, or no UTF-8, stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Spells a step of a JSON path: `.get`, `["/version/"]`.
fn member(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
    if !key.is_empty() && key.chars().all(plain) { format!(".{key}") } else { format!("[{key:?}]") }
}
