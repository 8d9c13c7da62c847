//! Objects that are nested deeper than a stack can follow.
//!
//! kube-apiserver stores custom resources of which 10,000 brackets lie in one another. What serde_json does with a
//! value, down to dropping it, calls itself for each level, and 10,000 levels are more than the stack of a thread. Here
//! nothing does: what is open is kept in a list. It is slower, so objects of usual depth are left to serde_json.

use std::{mem, slice};

use serde::de::Error as _;
use serde_json::{Error, Map, Value, map};

use crate::Fields;

/// How deep values are left to serde_json, whose own limit for reading this is.
pub(crate) const SHALLOW: usize = k8s_client_runtime::json::MAX_DEPTH;

/// How deep values are read: as deep as kube-apiserver reads and stores them.
pub(crate) const MAX_DEPTH: usize = 10_000;

/// Whether the fields are deeper than serde_json should follow them.
pub(crate) fn is_deep(fields: &Fields) -> bool {
    is_deeper_than(fields, SHALLOW)
}

/// Whether brackets lie deeper in one another than this, those around the fields included. It does not go deeper
/// itself.
pub(crate) fn is_deeper_than(fields: &Fields, limit: usize) -> bool {
    fn is_deeper(value: &Value, left: usize) -> bool {
        match value {
            Value::Array(items) => left == 0 || items.iter().any(|item| is_deeper(item, left - 1)),
            Value::Object(fields) => left == 0 || fields.values().any(|value| is_deeper(value, left - 1)),
            _ => false,
        }
    }
    limit == 0 || fields.values().any(|value| is_deeper(value, limit - 1))
}

/// Drops a value.
pub(crate) fn discard(value: Value) {
    let mut values = vec![value];
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(fields) => values.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

/// Whether both are the same.
pub(crate) fn are_equal(one: &Fields, other: &Fields) -> bool {
    let mut objects = vec![(one, other)];
    let mut values: Vec<(&Value, &Value)> = Vec::new();
    loop {
        if let Some((one, other)) = objects.pop() {
            if one.len() != other.len() {
                return false;
            }
            for (name, value) in one {
                let Some(other) = other.get(name) else { return false };
                values.push((value, other));
            }
        }
        match values.pop() {
            None => return true,
            Some((Value::Object(one), Value::Object(other))) => objects.push((one, other)),
            Some((Value::Array(one), Value::Array(other))) if one.len() == other.len() => {
                values.extend(one.iter().zip(other));
            }
            Some((Value::Object(_) | Value::Array(_), _)) => return false,
            Some((one, other)) if one != other => return false,
            Some(_) => {}
        }
    }
}

/// What is being written.
enum Rest<'a> {
    Object(map::Iter<'a>),
    List(slice::Iter<'a, Value>),
}

/// The fields as JSON.
pub(crate) fn write(fields: &Fields) -> Result<Vec<u8>, Error> {
    let mut json = b"{".to_vec();
    let mut open = vec![Rest::Object(fields.iter())];
    while let Some(rest) = open.last_mut() {
        let (next, end) = match rest {
            Rest::Object(rest) => (rest.next().map(|(name, value)| (Some(name), value)), b'}'),
            Rest::List(rest) => (rest.next().map(|value| (None, value)), b']'),
        };
        let Some((name, value)) = next else {
            json.push(end);
            open.pop();
            continue;
        };
        if !matches!(json.last(), Some(b'{' | b'[')) {
            json.push(b',');
        }
        if let Some(name) = name {
            serde_json::to_writer(&mut json, name)?;
            json.push(b':');
        }
        match value {
            Value::Object(fields) => {
                json.push(b'{');
                open.push(Rest::Object(fields.iter()));
            }
            Value::Array(items) => {
                json.push(b'[');
                open.push(Rest::List(items.iter()));
            }
            value => serde_json::to_writer(&mut json, value)?,
        }
    }
    Ok(json)
}

/// A copy of the fields.
pub(crate) fn copy(fields: &Fields) -> Fields {
    // It is read as it was written, of any depth, so that nothing can go wrong.
    write(fields).and_then(|json| read_within(usize::MAX, &json)).unwrap_or_default()
}

/// Reads fields from JSON.
pub(crate) fn read(json: &[u8]) -> Result<Fields, Error> {
    read_within(MAX_DEPTH, json)
}

fn read_within(limit: usize, json: &[u8]) -> Result<Fields, Error> {
    let mut reader = Reader { json, at: 0, open: Vec::new(), limit };
    match reader.value()? {
        Value::Object(fields) => {
            let fields = crate::Unstructured::from(fields);
            reader.white();
            if reader.at < json.len() {
                Err(reader.wrong("there is something behind the object"))
            } else {
                Ok(fields.into_object())
            }
        }
        other => {
            discard(other);
            Err(Error::custom("it is not an object"))
        }
    }
}

/// What is being read.
enum Open {
    /// The fields so far, and the name of the one whose value is next.
    Object(Fields, String),
    List(Vec<Value>),
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    open: Vec<Open>,
    /// How many brackets may be open.
    limit: usize,
}

impl Reader<'_> {
    fn wrong(&self, problem: &str) -> Error {
        Error::custom(format_args!("{problem}, at byte {}", self.at))
    }

    fn white(&mut self) {
        let white = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.at += self.json[self.at..].iter().take_while(white).count();
    }

    /// Passes over white space and, if it is there, this byte.
    fn take(&mut self, byte: u8) -> bool {
        self.white();
        let is_there = self.json.get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// A value that holds no others.
    fn scalar<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Error> {
        self.white();
        let mut values = serde_json::Deserializer::from_slice(&self.json[self.at..]).into_iter();
        let value = values
            .next()
            .ok_or_else(|| self.wrong("it ends too early"))?
            .map_err(|error| self.wrong(&error.to_string()))?;
        self.at += values.byte_offset();
        Ok(value)
    }

    /// The name of a field, and the colon behind it.
    fn name(&mut self) -> Result<String, Error> {
        let name = self.scalar()?;
        if self.take(b':') { Ok(name) } else { Err(self.wrong("a colon is missing")) }
    }

    fn value(&mut self) -> Result<Value, Error> {
        loop {
            let begun = if self.take(b'{') {
                if self.take(b'}') {
                    Err(Value::Object(Map::new()))
                } else {
                    Ok(Open::Object(Map::new(), self.name()?))
                }
            } else if self.take(b'[') {
                if self.take(b']') { Err(Value::Array(Vec::new())) } else { Ok(Open::List(Vec::new())) }
            } else {
                Err(self.scalar()?)
            };
            match begun {
                Ok(_) if self.open.len() >= self.limit => {
                    return Err(self.wrong(&format!("it is nested more than {} levels deep", self.limit)));
                }
                Ok(begun) => self.open.push(begun),
                Err(value) => {
                    if let Some(value) = self.put(value)? {
                        return Ok(value);
                    }
                }
            }
        }
    }

    /// Puts a whole value where it belongs, and closes what it ends; the value, if nothing was open.
    fn put(&mut self, mut value: Value) -> Result<Option<Value>, Error> {
        loop {
            let end = match self.open.last_mut() {
                None => return Ok(Some(value)),
                Some(Open::Object(fields, name)) => {
                    // Of two fields of one name, the last counts.
                    discard(fields.insert(mem::take(name), value).unwrap_or_default());
                    b'}'
                }
                Some(Open::List(items)) => {
                    items.push(value);
                    b']'
                }
            };
            if self.take(b',') {
                let next = if end == b'}' { self.name()? } else { String::new() };
                if let Some(Open::Object(_, name)) = self.open.last_mut() {
                    *name = next;
                }
                return Ok(None);
            }
            if !self.take(end) {
                return Err(self.wrong("a comma or a bracket is missing"));
            }
            value = match self.open.pop() {
                Some(Open::Object(fields, _)) => Value::Object(fields),
                Some(Open::List(items)) => Value::Array(items),
                None => Value::Null,
            };
        }
    }
}

/// What was read of JSON that is wrong further on may be deep already.
impl Drop for Reader<'_> {
    fn drop(&mut self) {
        for open in self.open.drain(..) {
            match open {
                Open::Object(fields, _) => discard(Value::Object(fields)),
                Open::List(items) => discard(Value::Array(items)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_read_as_serde_reads_it() {
        for json in [
            "{}",
            r#" { "a" : [ ] , "b" : { } , "c" : [ 1 , -2.5e3 , "x\"\\\u00e9" , null , true , { "d" : [ [ ] ] } ] } "#,
            r#"{"a":1,"a":{"b":2}}"#,
            r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":0.1,"d":1e300}"#,
        ] {
            let fields = read(json.as_bytes()).unwrap();
            assert_eq!(fields, serde_json::from_str::<Fields>(json).unwrap(), "{json}");
            assert_eq!(write(&fields).unwrap(), serde_json::to_vec(&fields).unwrap());
        }
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for json in [
            "",
            "[]",
            "7",
            "{",
            "}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":[1,]}",
            "{\"a\":[1}",
            "{\"a\":1}}",
            "{\"a\":1} x",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":tru}",
            "{\"a\":\"",
            "{\"a\":1 \"b\":2}",
            "{,}",
            "{\"a\":[,]}",
            "{7:1}",
        ] {
            assert!(serde_json::from_str::<Fields>(json).is_err(), "{json}");
            assert!(read(json.as_bytes()).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_by_serde(json in r#"\{"a":([{}\[\]":, \\a-z0-9.-]|\{\}|null|"f:a":){0,20}\}"#) {
            prop_assert_eq!(read(json.as_bytes()).ok(), serde_json::from_str::<Fields>(&json).ok());
        }
    }
}
