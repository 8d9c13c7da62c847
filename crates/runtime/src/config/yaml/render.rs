//! Values as YAML text, in the layout that kubectl gives a kubeconfig.

use std::fmt::Write as _;

use serde_json::Value;

/// What stands behind `key:`; block collections stand on lines of their own, which begin with so many spaces, and the
/// lines of a sequence two less.
pub(super) fn after_key(value: &Value, indent: usize, newline: &str) -> String {
    match value {
        Value::Object(fields) if !fields.is_empty() => format!("{newline}{}", block(value, indent, newline)),
        Value::Array(items) if !items.is_empty() => {
            format!("{newline}{}", block(value, indent.saturating_sub(2), newline))
        }
        _ => format!(" {}", inline(value)),
    }
}

/// Lines of a collection that is not empty, without the last line's end.
pub(super) fn block(value: &Value, indent: usize, newline: &str) -> String {
    let lines: Vec<_> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| format!("{}{}:{}", spaces(indent), string(key), after_key(value, indent + 2, newline)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| item_lines(item, indent, newline)).collect(),
        scalar => vec![format!("{}{}", spaces(indent), inline(scalar))],
    };
    lines.join(newline)
}

/// An item of a sequence whose dashes stand behind so many spaces.
pub(super) fn item_lines(item: &Value, indent: usize, newline: &str) -> String {
    let content = match item {
        Value::Object(fields) if !fields.is_empty() => block(item, indent + 2, newline),
        item => inline(item),
    };
    format!("{}- {}", spaces(indent), content.trim_start())
}

/// A value on one line. Collections are written as JSON, which is YAML too, so that JSON stays JSON.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        value => json(value),
    }
}

/// A value as JSON, which is YAML too once all is escaped that YAML does not allow: control characters beyond ASCII,
/// and what some readers of YAML take for the end of a line.
pub(super) fn json(value: &Value) -> String {
    let mut json = String::new();
    for letter in value.to_string().chars() {
        // JSON has such characters in its strings only.
        if matches!(letter, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') {
            // Writing to a text cannot fail.
            let _ = write!(json, "\\u{:04x}", u32::from(letter));
        } else {
            json.push(letter);
        }
    }
    json
}

/// A text, quoted unless every reader of YAML takes it for a text without quotes.
fn string(text: &str) -> String {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./@".contains(letter))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { json(&Value::from(text)) }
}

pub(super) fn spaces(count: usize) -> String {
    " ".repeat(count)
}
