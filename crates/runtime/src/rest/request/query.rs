//! The query of a URL.

use std::{borrow::Cow, fmt::Write as _};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Query parameters: empty values are left out, keys are written in order, as client-go does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(Cow<'static, str>, String)>);

/// Form encoding leaves these as they are, which keeps selectors readable in logs.
const VALUE: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'*');

impl Query {
    /// Adds a parameter. A key may stand more than once, as `command` of exec does.
    pub(crate) fn push(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.push((key.into(), value.into()));
    }

    /// Replaces all that the key had.
    pub(crate) fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let key = key.into();
        self.remove(&key);
        self.push(key, value);
    }

    /// Takes out all that the key has.
    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|(other, _)| *other != key);
    }

    /// Adds a parameter if there is a value and it is not empty.
    pub(crate) fn text(&mut self, key: &'static str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.push(key, value);
        }
    }

    /// Adds a number or a truth value if there is one.
    pub(crate) fn value(&mut self, key: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.push(key, value.to_string());
        }
    }

    /// The last value that the key has.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// Appends `?key=value&…` to a URL, or nothing.
    pub(super) fn write_to(&self, url: &mut String) {
        let mut pairs: Vec<_> = self.0.iter().collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        for (index, (key, value)) in pairs.into_iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            let key = utf8_percent_encode(key, VALUE);
            let value = utf8_percent_encode(value, VALUE);
            write!(url, "{key}={value}").expect("writing to a String cannot fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_values_escaped() {
        let mut query = Query::default();
        query.push("labelSelector", "app in (a, b),tier!=x");
        query.value("limit", Some(500));
        query.text("continue", Some(""));
        query.push("command", "sh");
        query.push("command", "-c");
        let mut url = String::from("/x");
        query.write_to(&mut url);
        assert_eq!(url, "/x?command=sh&command=-c&labelSelector=app%20in%20%28a%2C%20b%29%2Ctier%21%3Dx&limit=500");
    }
}
