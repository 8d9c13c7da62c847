//! Fields of fields: client-go's helpers of the package `unstructured`.
//!
//! All take the object's fields ([`Unstructured::object`](crate::Unstructured::object), or those of any JSON object
//! within it) and a path of field names. What is not there is `None`; so is everything below a null. A value of another
//! type is a [`FieldError`] that names its path. So is a null where a type is asked for, and Go programs write empty
//! lists as null: whoever expects that takes [`nested_field`] and `as_array`.
//!
//! | client-go | here |
//! |---|---|
//! | `NestedFieldNoCopy`, `NestedFieldCopy` | [`nested_field`], [`nested_field_copy`]; [`nested_field_mut`] to change it in place |
//! | `NestedString`, `NestedBool` | [`nested_string`], [`nested_bool`] |
//! | `NestedInt64`, `NestedFloat64`, `NestedNumberAsFloat64` | [`nested_i64`], [`nested_f64`], [`nested_number_as_f64`] |
//! | `NestedSlice`, `NestedStringSlice` | [`nested_slice`], [`nested_string_slice`] |
//! | `NestedMap`, `NestedStringMap`, `NestedNullCoercingStringMap` | [`nested_map`], [`nested_string_map`], [`nested_null_coercing_string_map`] |
//! | `SetNestedField`, `SetNestedSlice`, `SetNestedStringSlice`, `SetNestedMap`, `SetNestedStringMap` | [`set_nested_field`] and so on |
//! | `RemoveNestedField` | [`remove_nested_field`] |
//!
//! ```
//! use k8s_client_dynamic::{Unstructured, nested::*};
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut web = Unstructured::try_from(json!({ "spec": { "replicas": 2, "paused": "no" } }))?;
//! assert_eq!(nested_i64(web.object(), &["spec", "replicas"])?, Some(2));
//! assert_eq!(nested_i64(web.object(), &["status", "replicas"])?, None);
//!
//! let error = nested_bool(web.object(), &["spec", "paused"]).unwrap_err();
//! assert_eq!(error.to_string(), ".spec.paused: is a string, expected a boolean");
//!
//! set_nested_field(web.object_mut(), 3, &["spec", "replicas"])?;
//! remove_nested_field(web.object_mut(), &["spec", "paused"]);
//! assert_eq!(web, Unstructured::try_from(json!({ "spec": { "replicas": 3 } }))?);
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{FieldError, Fields, unstructured::deep};

type Result<T> = std::result::Result<T, FieldError>;

/// The value at the path, whatever it is.
pub fn nested_field<'a>(object: &'a Fields, path: &[&str]) -> Result<Option<&'a Value>> {
    let (last, parents) = split(path)?;
    let mut fields = object;
    for (depth, field) in parents.iter().enumerate() {
        match fields.get(*field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(nested)) => fields = nested,
            Some(other) => return Err(mismatch(&path[..=depth], other, "an object")),
        }
    }
    Ok(fields.get(last))
}

/// A copy of the value at the path, whatever it is.
pub fn nested_field_copy(object: &Fields, path: &[&str]) -> Result<Option<Value>> {
    Ok(nested_field(object, path)?.cloned())
}

/// The value at the path, whatever it is, to be changed in place.
pub fn nested_field_mut<'a>(object: &'a mut Fields, path: &[&str]) -> Result<Option<&'a mut Value>> {
    let (last, parents) = split(path)?;
    let mut fields = object;
    for (depth, field) in parents.iter().enumerate() {
        match fields.get_mut(*field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(nested)) => fields = nested,
            Some(other) => return Err(mismatch(&path[..=depth], other, "an object")),
        }
    }
    Ok(fields.get_mut(last))
}

/// The text at the path.
pub fn nested_string<'a>(object: &'a Fields, path: &[&str]) -> Result<Option<&'a str>> {
    read(object, path, "a string", Value::as_str)
}

/// The boolean at the path.
pub fn nested_bool(object: &Fields, path: &[&str]) -> Result<Option<bool>> {
    read(object, path, "a boolean", Value::as_bool)
}

/// The integer at the path. A float is an error, even one without a fraction, and so is an integer beyond `i64`.
pub fn nested_i64(object: &Fields, path: &[&str]) -> Result<Option<i64>> {
    read(object, path, "an integer of 64 bits with a sign", Value::as_i64)
}

/// The float at the path. An integer is an error; [`nested_number_as_f64`] takes both.
pub fn nested_f64(object: &Fields, path: &[&str]) -> Result<Option<f64>> {
    read(object, path, "a float", |value| value.as_f64().filter(|_| value.is_f64()))
}

/// The number at the path as a float. An integer that no float has exactly is an error.
pub fn nested_number_as_f64(object: &Fields, path: &[&str]) -> Result<Option<f64>> {
    read(object, path, "a number that a float has exactly", |value| {
        value.as_f64().filter(|float| integer(value).is_none_or(|integer| is_exactly(*float, integer)))
    })
}

/// The list at the path.
pub fn nested_slice<'a>(object: &'a Fields, path: &[&str]) -> Result<Option<&'a [Value]>> {
    read(object, path, "a list", |value| value.as_array().map(Vec::as_slice))
}

/// The list of texts at the path. An item of another type is an error.
pub fn nested_string_slice<'a>(object: &'a Fields, path: &[&str]) -> Result<Option<Vec<&'a str>>> {
    let Some(items) = nested_slice(object, path)? else { return Ok(None) };
    let text = |(index, item): (usize, &'a Value)| {
        let wrong = || FieldError::mismatch(format!("{}[{index}]", written(path)), item, "a string");
        item.as_str().ok_or_else(wrong)
    };
    items.iter().enumerate().map(text).collect::<Result<_>>().map(Some)
}

/// The object at the path.
pub fn nested_map<'a>(object: &'a Fields, path: &[&str]) -> Result<Option<&'a Fields>> {
    read(object, path, "an object", Value::as_object)
}

/// The texts by key at the path, such as labels. A value of another type is an error.
pub fn nested_string_map(object: &Fields, path: &[&str]) -> Result<Option<BTreeMap<String, String>>> {
    let Some(map) = nested_map(object, path)? else { return Ok(None) };
    string_map(map, path, |_| None).map(Some)
}

/// The texts by key at the path, where a null is an empty text and a null in place of the whole is an empty map, as the
/// server itself reads them.
pub fn nested_null_coercing_string_map(object: &Fields, path: &[&str]) -> Result<Option<BTreeMap<String, String>>> {
    if nested_field(object, path)?.is_some_and(Value::is_null) {
        return Ok(Some(BTreeMap::new()));
    }
    let Some(map) = nested_map(object, path)? else { return Ok(None) };
    string_map(map, path, |value| value.is_null().then_some("")).map(Some)
}

/// Sets the value at the path. Objects on the way that are not there are made.
///
/// # Errors
///
/// When something on the way is not an object: nothing is changed then.
pub fn set_nested_field(object: &mut Fields, value: impl Into<Value>, path: &[&str]) -> Result<()> {
    set(object, value.into(), path)
}

/// Sets a list at the path; see [`set_nested_field`].
pub fn set_nested_slice(object: &mut Fields, value: Vec<Value>, path: &[&str]) -> Result<()> {
    set(object, Value::Array(value), path)
}

/// Sets a list of texts at the path; see [`set_nested_field`].
pub fn set_nested_string_slice<I>(object: &mut Fields, value: I, path: &[&str]) -> Result<()>
where
    I: IntoIterator<Item: Into<String>>,
{
    set(object, value.into_iter().map(Into::into).map(Value::String).collect(), path)
}

/// Sets an object at the path; see [`set_nested_field`].
pub fn set_nested_map(object: &mut Fields, value: Fields, path: &[&str]) -> Result<()> {
    set(object, Value::Object(value), path)
}

/// Sets texts by key at the path; see [`set_nested_field`].
pub fn set_nested_string_map<K, V>(
    object: &mut Fields,
    value: impl IntoIterator<Item = (K, V)>,
    path: &[&str],
) -> Result<()>
where
    K: Into<String>,
    V: Into<String>,
{
    let texts = value.into_iter().map(|(key, text)| (key.into(), Value::String(text.into())));
    set(object, Value::Object(texts.collect()), path)
}

/// Takes the field at the path out of the object and gives it, if it was there.
pub fn remove_nested_field(object: &mut Fields, path: &[&str]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let mut fields = object;
    for field in parents {
        fields = fields.get_mut(*field)?.as_object_mut()?;
    }
    fields.remove(*last)
}

/// Reads the value at the path as one type.
fn read<'a, T>(
    object: &'a Fields,
    path: &[&str],
    expected: &str,
    as_type: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<Option<T>> {
    let Some(value) = nested_field(object, path)? else { return Ok(None) };
    as_type(value).map(Some).ok_or_else(|| mismatch(path, value, expected))
}

fn string_map(
    map: &Fields,
    path: &[&str],
    instead: fn(&Value) -> Option<&'static str>,
) -> Result<BTreeMap<String, String>> {
    let text = |(key, value): (&String, &Value)| match value.as_str().or_else(|| instead(value)) {
        Some(text) => Ok((key.clone(), text.to_owned())),
        None => Err(FieldError::mismatch(format!("{}[{key:?}]", written(path)), value, "a string")),
    };
    map.iter().map(text).collect()
}

fn set(object: &mut Fields, value: Value, path: &[&str]) -> Result<()> {
    let (last, parents) = split(path)?;
    let mut fields = object;
    for (depth, field) in parents.iter().enumerate() {
        let nested = fields.entry(*field).or_insert_with(|| Value::Object(Fields::new()));
        match nested {
            Value::Object(nested) => fields = nested,
            other => return Err(mismatch(&path[..=depth], other, "an object")),
        }
    }
    deep::discard(fields.insert(last.to_owned(), value).unwrap_or_default());
    Ok(())
}

/// The value as an integer, if it is one.
fn integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

#[expect(clippy::cast_possible_truncation, reason = "floats of 64-bit integers are far within 128 bits")]
fn is_exactly(float: f64, integer: i128) -> bool {
    float as i128 == integer
}

/// The last field of a path, and those before it.
fn split<'a, 'p>(path: &'p [&'a str]) -> Result<(&'a str, &'p [&'a str])> {
    path.split_last()
        .map(|(last, parents)| (*last, parents))
        .ok_or_else(|| FieldError::new(".", "the path names no field"))
}

fn mismatch(path: &[&str], value: &Value, expected: &str) -> FieldError {
    FieldError::mismatch(written(path), value, expected)
}

/// `.spec.replicas`
fn written(path: &[&str]) -> String {
    format!(".{}", path.join("."))
}

#[cfg(test)]
mod tests;
