//! What JSON texts say that values do not: fields that are given twice.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

/// The paths of the fields that stand in an object again, as often as they do. Nothing, if the text is no JSON.
pub(crate) fn repeated_fields(json: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match deserializer.deserialize_any(Finder { path: &mut path, found: &mut found }) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

struct Finder<'a> {
    path: &'a mut Vec<String>,
    found: &'a mut Vec<String>,
}

impl Finder<'_> {
    /// The same one level deeper.
    fn inner(&mut self) -> Finder<'_> {
        Finder { path: self.path, found: self.found }
    }
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Values without fields.
macro_rules! nothing {
    ($($visit:ident: $value:ty),*) => {
        $(fn $visit<E>(self, _: $value) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    nothing!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let name = self.path.pop().unwrap_or_default();
        for index in 0.. {
            self.path.push(format!("{name}[{index}]"));
            let item = items.next_element_seed(self.inner());
            self.path.pop();
            if item?.is_none() {
                break;
            }
        }
        self.path.push(name);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.path.push(name.clone());
            if !names.insert(name) {
                self.found.push(self.path.join("."));
            }
            let value = members.next_value_seed(self.inner());
            self.path.pop();
            value?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_given_again_are_named_where_they_stand() {
        let json =
            r#"{"a": 1, "b": {"c": [{"d": 1, "d": null, "d": "x"}, {"d": 2.5}]}, "a": [true, []], "e": {"a": {}}}"#;
        assert_eq!(repeated_fields(json.as_bytes()), ["b.c[0].d", "b.c[0].d", "a"]);
        for json in ["", "{", "7", r#"{"a": 1, "a": }"#] {
            assert!(repeated_fields(json.as_bytes()).is_empty(), "{json}");
        }
    }
}
