//! JSON that is nested deep.
//!
//! kube-apiserver stores objects of which brackets lie 10,000 deep in one another, and then their `managedFields` are
//! as deep. Types are read 127 deep, which is serde_json's limit: whoever drops, copies or compares what was read
//! recurses as deep, on a stack of unknown size. Deeper `managedFields` are left out of such objects, as if nobody had
//! asked for them; the server keeps its own when the object is updated. Other fields that are deeper, if the type has
//! them, are an error.

use std::{borrow::Cow, io, thread};

use serde::{de::DeserializeOwned, de::Error as _};

use super::{Nesting, as_go_reads, members};

/// How deep brackets may lie in one another in what is read into types.
pub const MAX_DEPTH: usize = 127;

/// How deep the stack of any caller is enough for. Where nothing is optimised, serde's code for a CRD's schemas takes
/// 18 kB a level: at 127 levels more than the 2 MiB that threads have.
pub const MAX_DEPTH_ON_STACK: usize = 32;

/// Of threads for what is deeper.
const STACK: usize = 16 << 20;

/// Whether brackets lie deeper than this in one another.
pub fn is_deeper_than(json: &[u8], limit: usize) -> bool {
    // Most JSON has fewer brackets than that at all, and to count them is much faster than to follow strings.
    if json.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= limit {
        return false;
    }
    let mut nesting = Nesting::default();
    json.iter().any(|byte| {
        nesting.step(*byte);
        nesting.depth() > limit
    })
}

/// Calls a function where the stack is large.
///
/// # Errors
///
/// When the system has no thread to give.
pub fn on_a_large_stack<T: Send>(call: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call)?;
        thread.join().map_err(|_| io::Error::other("the thread that decodes has panicked"))
    })
}

/// Reads JSON into a type, as Go reads texts that are damaged, and without `managedFields` where these are too deep.
pub fn read<T: DeserializeOwned + Send>(json: &[u8]) -> Result<T, (serde_json::Error, Cow<'_, [u8]>)> {
    let error = match read_whole(json) {
        Ok(object) => return Ok(object),
        Err(error) => error,
    };
    let mut other = as_go_reads(json);
    if is_deeper_than(json, MAX_DEPTH) {
        other = members::without_managed_fields(other.as_deref().unwrap_or(json)).or(other);
    }
    match other {
        Some(json) => read_whole(&json).map_err(|error| (error, Cow::Owned(json))),
        None => Err((error, Cow::Borrowed(json))),
    }
}

fn read_whole<T: DeserializeOwned + Send>(json: &[u8]) -> serde_json::Result<T> {
    // Optimised, a level takes a third, and all that serde_json reads fits into 1 MiB.
    if cfg!(debug_assertions) && is_deeper_than(json, MAX_DEPTH_ON_STACK) {
        return on_a_large_stack(|| serde_json::from_slice(json))
            .unwrap_or_else(|error| Err(serde_json::Error::custom(error)));
    }
    serde_json::from_slice(json)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
        apimachinery::pkg::apis::meta::v1::ObjectMeta,
    };
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::codec::Codec as _;

    /// Runs a test where a recursion would be found out.
    fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
        thread::Builder::new().stack_size(1 << 20).spawn(test).expect("a thread").join().expect("the test passes");
    }

    fn nested(depth: usize, open: &str, close: &str) -> String {
        format!("{}{{}}{}", open.repeat(depth), close.repeat(depth))
    }

    #[test]
    fn depth_is_that_of_brackets_outside_of_strings() {
        for (json, depth) in [
            ("7", 0),
            (r#""[[{{""#, 0),
            ("{}", 1),
            (r#"{"a":[{}],"b":[]}"#, 3),
            (r#"{"}}\"]":[[],[[]]]}"#, 4),
            (r#"[{"\\":{}},[]]"#, 3),
            ("[[[[", 4),
        ] {
            for limit in 0..6 {
                assert_eq!(is_deeper_than(json.as_bytes(), limit), depth > limit, "{json} and {limit}");
            }
        }
    }

    #[test]
    fn definition_of_any_depth_is_read_or_an_error_on_a_small_stack() {
        on_a_small_stack(|| {
            // Five brackets are around the schema, and one is in the inmost.
            for (open, close, deepest) in [
                ("{\"not\":", "}", 121),
                ("{\"properties\":{\"a\":", "}}", 60),
                ("{\"allOf\":[", "]}", 60),
                ("{\"additionalProperties\":", "}", 121),
            ] {
                for levels in [1, 20, deepest, deepest + 1, 200, 5000, 100_000] {
                    let json = format!(
                        r#"{{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
                        "metadata":{{"name":"a"}},"spec":{{"group":"g","names":{{"kind":"K","plural":"p"}},
                        "scope":"Cluster","versions":[{{"name":"v1","served":true,"storage":true,"schema":{{"openAPIV3Schema":{}}}}}]}}}}"#,
                        nested(levels, open, close)
                    );
                    let read = CustomResourceDefinition::decode_json(json.as_bytes());
                    if levels <= deepest {
                        let read = read.expect("it is not too deep");
                        assert_eq!(read.clone(), read);
                        assert!(CustomResourceDefinition::encode_json(&read).is_ok());
                    } else {
                        let error = read.expect_err("it is too deep").to_string();
                        let begin = ".spec.versions[0].schema.openAPIV3Schema.";
                        assert!(error.starts_with(begin) && error.contains("more than 127 levels deep"), "{error}");
                    }
                }
            }
        });
    }

    #[derive(Debug, Deserialize)]
    struct Widget<T> {
        metadata: ObjectMeta,
        spec: T,
    }

    #[derive(Debug, Deserialize)]
    struct Spec {
        size: i32,
    }

    #[test]
    fn type_is_read_without_managed_fields_and_fields_of_others_that_are_too_deep() {
        on_a_small_stack(|| {
            for depth in [10, 100, 200, 9_990] {
                let fields = nested(depth, "{\"f:a\":", "}");
                let json = format!(
                    r#"{{"metadata":{{"name":"a","managedFields":[{{"fieldsV1":{fields}}}],"labels":{{"b":"c"}}}},
                    "spec":{{"later":{},"size":7}}}}"#,
                    nested(depth, "[", "]")
                );
                let widget: Widget<Spec> = read(json.as_bytes()).expect("what the type has is not deep");
                assert_eq!((widget.metadata.name.as_deref(), widget.spec.size), (Some("a"), 7));
                assert!(widget.metadata.labels.is_some());
                assert_eq!(widget.metadata.managed_fields.is_some(), depth == 10 || depth == 100);
                // A type that has the deep field is not.
                assert_eq!(read::<Widget<Value>>(json.as_bytes()).is_ok(), depth <= 100);
            }
        });
    }
}
