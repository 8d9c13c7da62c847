//! The options of a request that stand in its query.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::failure::{Failure, Result};

/// The parameters by name, each with its values in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.entry(decoded(name)).or_default().push(decoded(value));
        }
        Self(parameters)
    }

    /// The first value; empty if it is not given.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// All values.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether it is said, as the server reads it: anything but `false` and `0` is true.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        let text = self.0.get(name)?.first()?;
        Some(!(text.eq_ignore_ascii_case("false") || text == "0"))
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = |_| Failure::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
        text.parse().map(Some).map_err(wrong)
    }

    /// Whether the request is only to be tried.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.text("dryRun") == "All"
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
