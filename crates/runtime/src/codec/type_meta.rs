//! `apiVersion` and `kind` of a JSON object: found, compared with those of its type, and filled in.

use std::{borrow::Cow, fmt};

use k8s_openapi::Resource;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Error, Result, from_borrowed_json};
use crate::text::{Keep, non_empty, printable};

/// What an object says of its type. Empty text is no different from none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TypeMeta {
    api_version: Option<String>,
    kind: Option<String>,
}

/// The `kind` of a JSON body, if it is an object and has one.
///
/// It reads a few bytes of even the largest list: `kind` stands first, or, in lists of custom resources, behind
/// `items`, where looking for it ends since what is told apart by its kind, a Status, has none.
pub(super) fn json_kind(body: &[u8]) -> Option<String> {
    TypeMeta::find(body, |found, next| found.kind.is_some() || next == "items").kind
}

/// Whether the object may be a `T`: one that says nothing of its type may be anything.
pub(super) fn check<T: Resource>(object: &[u8]) -> Result<()> {
    let TypeMeta { api_version, kind } = TypeMeta::of(object);
    let (api_version, kind) = (non_empty(api_version.as_ref()), non_empty(kind.as_ref()));
    if api_version.is_none_or(|found| found == T::API_VERSION) && kind.is_none_or(|found| found == T::KIND) {
        return Ok(());
    }
    let found = [api_version, kind].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let found = printable(&found, Keep::Nothing);
    Err(Error::custom(format!("expected {} {}, found {found}", T::API_VERSION, T::KIND)))
}

/// The object with the `apiVersion` and `kind` of `T` where it has none of its own.
pub(super) fn fill_in<T: Resource>(object: Vec<u8>) -> Result<Vec<u8>> {
    complete(object, T::API_VERSION, T::KIND)
}

/// It is not generic, so that users' crates do not compile it.
fn complete(object: Vec<u8>, api_version: &str, kind: &str) -> Result<Vec<u8>> {
    let own = TypeMeta::of(&object);
    let (own_version, own_kind) = (non_empty(own.api_version.as_ref()), non_empty(own.kind.as_ref()));
    if own_version.is_some() && own_kind.is_some() {
        return Ok(object);
    }
    let mut json = Vec::with_capacity(object.len() + api_version.len() + kind.len() + 30);
    json.extend_from_slice(b"{\"apiVersion\":");
    serde_json::to_writer(&mut json, own_version.unwrap_or(api_version))?;
    json.extend_from_slice(b",\"kind\":");
    serde_json::to_writer(&mut json, own_kind.unwrap_or(kind))?;
    let Fields(fields) = from_borrowed_json(&object)?;
    for (name, value) in fields.iter().filter(|(name, _)| name != "apiVersion" && name != "kind") {
        json.push(b',');
        serde_json::to_writer(&mut json, name)?;
        json.push(b':');
        json.extend_from_slice(value.get().as_bytes());
    }
    json.push(b'}');
    Ok(json)
}

impl TypeMeta {
    /// What the object says of its type. They stand in front nearly always, and the rest is not read then.
    fn of(object: &[u8]) -> Self {
        Self::find(object, |found, _| found.api_version.is_some() && found.kind.is_some())
    }

    /// Reads until it is enough, which is asked with what was found and the next key.
    fn find(body: &[u8], enough: impl Fn(&Self, &str) -> bool) -> Self {
        struct Find<'a, F>(&'a mut TypeMeta, F);

        impl<'de, F: Fn(&TypeMeta, &str) -> bool> Visitor<'de> for Find<'_, F> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if (self.1)(self.0, &key) {
                        // There is no other way to leave a map half read.
                        return Err(A::Error::custom("found"));
                    }
                    match &*key {
                        "apiVersion" => self.0.api_version = map.next_value()?,
                        "kind" => self.0.kind = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(())
            }
        }

        let mut found = Self::default();
        // The error is either the early end above or one that decoding the body will report better.
        let _ = serde_json::Deserializer::from_slice(body).deserialize_map(Find(&mut found, enough));
        found
    }
}

/// The fields of an object, their values as they are written.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object, which every object of Kubernetes is")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;

    #[test]
    fn kind_is_found_wherever_it_stands_and_stops_the_reading() {
        assert_eq!(json_kind(br#"{"kind":"Status","apiVersion":"v1"}"#).as_deref(), Some("Status"));
        assert_eq!(json_kind(br#"{"metadata":{"kind":"x"},"kind":"Pod"}"#).as_deref(), Some("Pod"));
        assert_eq!(json_kind(br#"{"kind":"PodList", and then no JSON at all"#).as_deref(), Some("PodList"));
        assert_eq!(json_kind(br#"{"items":[]}"#), None);
        assert_eq!(json_kind(b"404 page not found"), None);
        assert_eq!(json_kind(br#"{"kind":7}"#), None);
    }

    #[test]
    fn type_is_filled_in_where_the_object_does_not_say_it() {
        for (object, filled) in [
            (r"{}", r#"{"apiVersion":"v1","kind":"ConfigMap"}"#),
            (r#"{"data":{"a":1.50}}"#, r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"a":1.50}}"#),
            (r#"{"kind":"","data":[],"apiVersion":null}"#, r#"{"apiVersion":"v1","kind":"ConfigMap","data":[]}"#),
            (r#"{"a":{"kind":"x"},"kind":"Own"}"#, r#"{"apiVersion":"v1","kind":"Own","a":{"kind":"x"}}"#),
            (r#"{"\"":"\u0041"}"#, r#"{"apiVersion":"v1","kind":"ConfigMap","\"":"\u0041"}"#),
            (r#"{"data":1,"kind":"K","apiVersion":"a/v1"}"#, r#"{"data":1,"kind":"K","apiVersion":"a/v1"}"#),
        ] {
            let json = fill_in::<ConfigMap>(object.as_bytes().to_vec()).expect("an object");
            assert_eq!(String::from_utf8(json).unwrap(), filled, "{object}");
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        assert!(fill_in::<ConfigMap>(deep.into_bytes()).is_ok());
        let error = fill_in::<ConfigMap>(b"7".to_vec()).unwrap_err().to_string();
        assert!(error.contains("expected a JSON object"), "{error}");
    }

    #[test]
    fn object_of_another_type_is_refused() {
        for object in [r"{}", r#"{"kind":"","apiVersion":null}"#, r#"{"metadata":{},"kind":"ConfigMap"}"#] {
            assert!(check::<ConfigMap>(object.as_bytes()).is_ok(), "{object}");
        }
        for (object, found) in [
            (r#"{"kind":"Secret","apiVersion":"v1"}"#, "v1 Secret"),
            (r#"{"metadata":{},"kind":"Secret"}"#, "Secret"),
            (r#"{"apiVersion":"v2","kind":"ConfigMap"}"#, "v2 ConfigMap"),
        ] {
            let error = check::<ConfigMap>(object.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("expected v1 ConfigMap, found {found}"), "{object}");
        }
    }
}
