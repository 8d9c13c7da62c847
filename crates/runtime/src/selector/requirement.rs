//! One requirement of a label selector.

use std::{collections::BTreeSet, fmt};

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operator {
    /// `key=value`: the label has this value. `==` is the same.
    Equals,
    /// `key!=value`: the label has another value, or is not there.
    NotEquals,
    /// `key in (a,b)`: the label has one of these values.
    In,
    /// `key notin (a,b)`: the label has none of these values, or is not there.
    NotIn,
    /// `key`: the label is there, with any value.
    Exists,
    /// `!key`: the label is not there.
    DoesNotExist,
    /// `key>1`: the label is an integer greater than this one.
    GreaterThan,
    /// `key<1`: the label is an integer less than this one.
    LessThan,
}

impl Operator {
    pub(super) fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }
}

/// One requirement of a [`Selector`](super::Selector): a label's key, an operator and its values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: BTreeSet<String>,
}

impl Requirement {
    /// Checked as a server checks it; the error says what is wrong.
    pub(super) fn new(key: &str, operator: Operator, values: impl IntoIterator<Item = String>) -> Result<Self, String> {
        check_key(key)?;
        let values: BTreeSet<String> = values.into_iter().collect();
        for value in &values {
            check_value(key, value)?;
        }
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                return Err(format!("{key:?} has no values to compare with; use `exists` or `absent`"));
            }
            Operator::GreaterThan | Operator::LessThan => {
                if let Some(value) = values.iter().find(|value| value.parse::<i64>().is_err()) {
                    return Err(format!("{value:?} is not an integer, so {key:?} cannot be compared with it"));
                }
            }
            _ => {}
        }
        Ok(Self { key: key.to_owned(), operator, values })
    }

    /// The key of the label.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How the label is compared.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What the label is compared with, in order: none for [`Exists`](Operator::Exists) and
    /// [`DoesNotExist`](Operator::DoesNotExist), one for all others but [`In`](Operator::In) and
    /// [`NotIn`](Operator::NotIn).
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }

    /// Whether a label with this value, or none, is meant.
    pub fn matches(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.contains(value);
        match self.operator {
            Operator::Equals | Operator::In => value.is_some_and(listed),
            Operator::NotEquals | Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => self.compared(value).is_some_and(|(label, bound)| label > bound),
            Operator::LessThan => self.compared(value).is_some_and(|(label, bound)| label < bound),
        }
    }

    /// The label and what it is compared with, as integers. A label that is not one never matches.
    fn compared(&self, value: Option<&str>) -> Option<(i64, i64)> {
        Some((value?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let value = self.values.first().map_or("", String::as_str);
        match self.operator {
            Operator::Equals => write!(f, "{key}={value}"),
            Operator::NotEquals => write!(f, "{key}!={value}"),
            Operator::GreaterThan => write!(f, "{key}>{value}"),
            Operator::LessThan => write!(f, "{key}<{value}"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::In | Operator::NotIn => {
                let word = if self.operator == Operator::In { "in" } else { "notin" };
                write!(f, "{key} {word} (")?;
                for (index, value) in self.values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { "," })?;
                }
                write!(f, ")")
            }
        }
    }
}

/// The longest name and the longest value of a label.
const MAX_NAME: usize = 63;
/// The longest prefix of a key: that of a DNS name.
const MAX_PREFIX: usize = 253;

/// A key is `name` or `prefix/name`.
fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix
        && !(prefix.len() <= MAX_PREFIX && prefix.split('.').all(is_dns_label))
    {
        return Err(format!(
            "the prefix {prefix:?} of the key {key:?} is not a DNS name of lower case letters, digits, '-' and '.', of \
             at most {MAX_PREFIX} characters"
        ));
    }
    if name.is_empty() || !is_label(name) {
        return Err(format!("the key {key:?} is not valid: its name must be {LABEL_RULE}"));
    }
    Ok(())
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || is_label(value) {
        return Ok(());
    }
    Err(format!("the value {value:?} of {key:?} is not valid: it must be empty, or {LABEL_RULE}"))
}

const LABEL_RULE: &str = "1 to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";

fn is_label(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= MAX_NAME
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && ends(text.chars().next())
        && ends(text.chars().next_back())
}

fn is_dns_label(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.chars().all(|c| word(c) || c == '-') && text.starts_with(word) && text.ends_with(word)
}
