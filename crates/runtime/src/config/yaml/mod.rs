//! Changes in a YAML document that leave the rest of its text as it is: comments, order, quotes and unknown fields.
//!
//! No well-kept library does that at a price that every program could pay (`yaml-edit` takes as long to compile as all of
//! the core API), so the text is changed here, by the places that the parser of `serde-saphyr` tells. That is safe because
//! the result is read again and compared with what it must mean: a layout that is not understood is an error, never a
//! damaged file.

mod render;
mod splice;
mod tree;

use serde_json::{Map, Value};

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
    checked(splice::set(text, path, value), &expected)
}

/// The text without the item at the end of the path.
pub(super) fn remove(text: &str, path: &[Step<'_>]) -> Result<String, String> {
    let mut expected = parse(text)?;
    remove_value(&mut expected, path).ok_or(NO_LAYOUT)?;
    checked(splice::remove(text, path), &expected)
}

/// What a text means.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        with_snippet: false,
    };
    let value: Option<Value> =
        serde_saphyr::from_str_with_options(text, options).map_err(|_| "holds what is no plain data")?;
    Ok(value.unwrap_or_default())
}

const NO_LAYOUT: &str = "its layout cannot be changed without damage; write it anew with `kubectl config view --raw`";

fn checked(text: Option<String>, expected: &Value) -> Result<String, String> {
    text.filter(|text| parse(text).is_ok_and(|value| value == *expected)).ok_or_else(|| NO_LAYOUT.to_owned())
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
