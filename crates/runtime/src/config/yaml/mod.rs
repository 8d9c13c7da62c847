//! YAML as kubeconfigs and credential plugins write it, and changes in it that leave the rest of its text as it is:
//! comments, order, quotes and unknown fields.
//!
//! No well-kept library does that at a price that every program could pay (`yaml-edit` takes as long to compile as all
//! of the core API), so the text is changed here, by the places that the parser of `serde-saphyr` tells. That is safe
//! because the result is read again and compared with what it must mean: a layout that is not understood is an error,
//! never a damaged file.

mod encoding;
mod render;
mod splice;
mod tree;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(super) use self::encoding::{Encoding, decode};
use self::tree::{Kind, Node};

/// A step from a node to one below it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// The value of a mapping's key.
    Key(&'a str),
    /// The item of a sequence whose field `name` is this.
    Named(&'a str),
}

/// The text with the value at the end of the path, which is made as far as it is not there.
pub(super) fn set(text: &str, path: &[Step<'_>], value: &Value) -> Result<String, String> {
    let mut expected = parse(text)?;
    set_value(&mut expected, path, value).ok_or(NO_LAYOUT)?;
    checked(text, |document| splice::set(document, path, value), &expected)
}

/// The text without the item at the end of the path.
pub(super) fn remove(text: &str, path: &[Step<'_>]) -> Result<String, String> {
    let mut expected = parse(text)?;
    remove_value(&mut expected, path).ok_or(NO_LAYOUT)?;
    checked(text, |document| splice::remove(document, path), &expected)
}

/// A kubeconfig's text after some of the editor's changes, each for itself, for `fuzzing`.
#[cfg(any(test, fuzzing))]
pub(crate) fn changed(text: &str) -> [Result<String, String>; 4] {
    use Step::{Key, Named};
    let namespace = [Key("contexts"), Named("one"), Key("context"), Key("namespace")];
    [
        set(text, &[Key("current-context")], &"other: #".into()),
        set(text, &namespace, &"team".into()),
        set(text, &[Key("users"), Named("new")], &serde_json::json!({ "name": "new", "user": { "token": "a\nb" } })),
        remove(text, &[Key("contexts"), Named("one")]),
    ]
}

/// What the first document of these bytes means, in whichever encoding; None if that cannot be read.
pub(crate) fn parse_bytes(bytes: Vec<u8>) -> Option<Value> {
    let (text, _) = decode(bytes)?;
    parse(&text).ok()
}

/// What the first document of a text means.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let (document, _) = split(text);
    let mut value: Value =
        read(document).map_err(|_| "uses tags or other features of YAML that plain data does not have")?;
    if let Ok(Some(root)) = tree::parse(document) {
        spell_out(&mut value, &root);
    }
    Ok(value)
}

/// Reads a document; the default if there is nothing in it. Of a key that is there twice, the last value counts, as in
/// client-go.
pub(super) fn read<T: DeserializeOwned + Default>(document: &str) -> Result<T, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        // A snippet would show the secrets around the mistake.
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        // client-go's YAML is of version 1.1, where 0644 is octal.
        legacy_octal_numbers: true,
        // JSON has no number for them.
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
    };
    let document: Option<T> = serde_saphyr::from_str_with_options(document, options)?;
    Ok(document.unwrap_or_default())
}

/// The first document of a text, the only one that client-go reads, and what stands behind it.
pub(super) fn split(text: &str) -> (&str, &str) {
    // Most texts are one document, and need not be parsed twice.
    let has_marker = text.contains("---") || text.contains("...");
    let end = if has_marker { tree::end_of_document(text) } else { text.len() };
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Whether what stands behind a document is more than marks of its end, and comments.
pub(super) fn is_more(rest: &str) -> bool {
    let is_nothing = |line: &str| matches!(line.trim(), "" | "---" | "...") || line.trim_start().starts_with('#');
    !rest.lines().all(is_nothing)
}

/// Gives names the spelling that they have in the text where YAML takes them for a number or a boolean: `0x10`, not 16.
fn spell_out(value: &mut Value, node: &Node) {
    match (value, &node.kind) {
        (Value::Object(fields), Kind::Map { entries, .. }) => {
            for (key, below) in entries {
                let Kind::Scalar(key) = &key.kind else { continue };
                match (fields.get_mut(key), &below.kind) {
                    (Some(Value::Null) | None, _) => {}
                    (Some(field), Kind::Scalar(text)) if NAMES.contains(&key.as_str()) => *field = text.as_str().into(),
                    (Some(field), _) => spell_out(field, below),
                }
            }
        }
        (Value::Array(values), Kind::Sequence { items, .. }) => {
            values.iter_mut().zip(items).for_each(|(value, node)| spell_out(value, node));
        }
        _ => {}
    }
}

/// The keys by whose values entries of a kubeconfig are found.
const NAMES: [&str; 2] = ["name", "current-context"];

const NO_LAYOUT: &str = "its layout cannot be changed without damage; write it anew with `kubectl config view --raw`";

/// The text with its first document changed, if it then means what it must.
fn checked(text: &str, change: impl FnOnce(&str) -> Option<String>, expected: &Value) -> Result<String, String> {
    let (document, rest) = split(text);
    let changed = change(document).map(|document| document + rest);
    changed.filter(|text| parse(text).is_ok_and(|value| value == *expected)).ok_or_else(|| NO_LAYOUT.to_owned())
}

fn set_value(node: &mut Value, path: &[Step<'_>], value: &Value) -> Option<()> {
    let Some((step, rest)) = path.split_first() else {
        value.clone_into(node);
        return Some(());
    };
    match step {
        Step::Key(key) => {
            if node.is_null() {
                *node = Value::Object(Map::new());
            }
            let below = node.as_object_mut()?.entry(*key).or_insert(Value::Null);
            set_value(below, rest, value)
        }
        Step::Named(name) => {
            if node.is_null() {
                *node = Value::Array(Vec::new());
            }
            let items = node.as_array_mut()?;
            let index = items.iter().position(|item| is_named(item, name)).unwrap_or_else(|| {
                items.push(named(name));
                items.len() - 1
            });
            set_value(items.get_mut(index)?, rest, value)
        }
    }
}

fn remove_value(node: &mut Value, path: &[Step<'_>]) -> Option<()> {
    match path.split_first()? {
        (Step::Key(key), rest) => remove_value(node.as_object_mut()?.get_mut(*key)?, rest),
        (Step::Named(name), []) => {
            let items = node.as_array_mut()?;
            let index = items.iter().position(|item| is_named(item, name))?;
            items.remove(index);
            Some(())
        }
        (Step::Named(name), rest) => {
            remove_value(node.as_array_mut()?.iter_mut().find(|item| is_named(item, name))?, rest)
        }
    }
}

/// What stands where a path that is not there yet is to begin.
fn nested(path: &[Step<'_>], value: &Value) -> Value {
    let mut node = Value::Null;
    match set_value(&mut node, path, value) {
        Some(()) => node,
        None => Value::Null,
    }
}

/// The name of an item; one without a name has the empty one.
pub(super) fn name(item: &Value) -> &str {
    item.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn is_named(item: &Value, name: &str) -> bool {
    self::name(item) == name
}

fn named(name: &str) -> Value {
    Value::Object(Map::from_iter([("name".to_owned(), Value::from(name))]))
}

#[cfg(test)]
mod tests;
