//! Choosing by fields.

use std::{fmt, str::FromStr};

use super::InvalidSelector;

const FIELD_SELECTOR: &str = "field selector";

/// Chooses objects by their fields, such as `metadata.name=web,status.phase!=Running`: all of its terms must hold.
/// client-go's `fields.Selector`.
///
/// A server knows a few fields of each kind (`metadata.name` and `metadata.namespace` of all) and answers others with
/// an error.
///
/// ```
/// use k8s_client_runtime::selector::FieldSelector;
///
/// # fn main() -> Result<(), k8s_client_runtime::selector::InvalidSelector> {
/// let pending: FieldSelector = "status.phase=Pending".parse()?;
/// let here = pending.equal("spec.nodeName", "node-1");
/// assert!(here.matches(|field| match field {
///     "status.phase" => "Pending",
///     "spec.nodeName" => "node-1",
///     _ => "",
/// }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Term {
    field: String,
    equal: bool,
    value: String,
}

impl FieldSelector {
    /// A selector without terms: every object matches. Its text is empty.
    pub fn everything() -> Self {
        Self::default()
    }

    /// The field must have this value. A field that is not there has the empty value.
    pub fn equal(self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.and(field.into(), true, value.into())
    }

    /// The field must have another value.
    pub fn not_equal(self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.and(field.into(), false, value.into())
    }

    fn and(mut self, field: String, equal: bool, value: String) -> Self {
        self.terms.push(Term { field, equal, value });
        self
    }

    /// Whether there are no terms, so that every object matches.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms in their order: field, whether it must be equal, and the value.
    pub fn terms(&self) -> impl Iterator<Item = (&str, bool, &str)> {
        self.terms.iter().map(|term| (term.field.as_str(), term.equal, term.value.as_str()))
    }

    /// Whether an object is meant whose fields this function looks up. A field that is not there is the empty text.
    pub fn matches<'a>(&self, field: impl Fn(&str) -> &'a str) -> bool {
        self.terms.iter().all(|term| (field(&term.field) == term.value) == term.equal)
    }
}

impl FromStr for FieldSelector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        let mut selector = Self::everything();
        for (offset, term) in terms(text) {
            let wrong = |at: usize, problem: String| InvalidSelector::at(FIELD_SELECTOR, text, offset + at, problem);
            // The operator that stands first, and of two that begin there the longer one.
            let operator = (0..term.len())
                .filter(|at| term.is_char_boundary(*at))
                .find_map(|at| ["!=", "==", "="].iter().find(|it| term[at..].starts_with(**it)).map(|it| (at, *it)));
            let Some((at, operator)) = operator else {
                return Err(wrong(0, "expected '=', '==' or '!=' after the field".to_owned()));
            };
            let begin = at + operator.len();
            let value = unescaped(&term[begin..]).map_err(|(at, problem)| wrong(begin + at, problem))?;
            selector = selector.and(term[..at].to_owned(), operator != "!=", value);
        }
        Ok(selector)
    }
}

/// The terms between commas that are not escaped, with their offsets; empty ones are left out.
fn terms(text: &str) -> Vec<(usize, &str)> {
    let mut terms = Vec::new();
    let mut begin = 0;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push((begin, &text[begin..at]));
                begin = at + 1;
            }
            _ => {}
        }
    }
    terms.push((begin, &text[begin..]));
    terms.retain(|(_, term)| !term.is_empty());
    terms
}

/// A value as it is meant: `\\`, `\,` and `\=` are the characters behind the backslash.
fn unescaped(text: &str) -> Result<String, (usize, String)> {
    let mut value = String::with_capacity(text.len());
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped @ ('\\' | ',' | '='))) => value.push(escaped),
                _ => return Err((at, r"a backslash must stand before '\', ',' or '='".to_owned())),
            },
            '=' => return Err((at, r"a '=' in a value must be written as '\='".to_owned())),
            other => value.push(other),
        }
    }
    Ok(value)
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let operator = if term.equal { "=" } else { "!=" };
            write!(f, "{comma}{}{operator}", term.field)?;
            for character in term.value.chars() {
                if matches!(character, '\\' | ',' | '=') {
                    write!(f, "\\")?;
                }
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}

impl From<FieldSelector> for String {
    fn from(selector: FieldSelector) -> Self {
        selector.to_string()
    }
}

impl From<&FieldSelector> for String {
    fn from(selector: &FieldSelector) -> Self {
        selector.to_string()
    }
}
