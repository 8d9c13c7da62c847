//! Objects of any type with something in every field, without knowing the types: a deserializer that makes up what it
//! is asked for.

use std::{fmt, vec};

use fastrand::Rng;
use k8s_openapi::serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, MapAccess, SeqAccess, Visitor,
    value::{Error, MapDeserializer, StringDeserializer},
};

/// How deep objects lie in one another before fields that may be missing are: schemas of custom resources contain
/// themselves.
const DEPTH: u32 = 12;

/// What is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Every field, and nothing that is empty or zero.
    Everything,
    /// Each field or not; zeros and empty texts, too.
    Anything,
}

/// An object that the generator of random numbers decides.
pub fn filled<T: DeserializeOwned>(filling: Filling, rng: &mut Rng) -> T {
    let filled = T::deserialize(Fill { filling, rng, depth: 0, what: "" });
    filled.unwrap_or_else(|error| panic!("a {} cannot be made up: {error}", std::any::type_name::<T>()))
}

struct Fill<'r> {
    filling: Filling,
    rng: &'r mut Rng,
    depth: u32,
    /// The type that is around the value.
    what: &'static str,
}

impl Fill<'_> {
    fn inside(&mut self, what: &'static str) -> Fill<'_> {
        Fill { filling: self.filling, depth: self.depth + 1, rng: self.rng, what }
    }

    fn may_be_empty(&mut self) -> bool {
        self.filling == Filling::Anything && self.rng.u8(..4) == 0
    }

    fn is_there(&mut self) -> bool {
        let deep = self.depth > DEPTH;
        !deep && (self.filling == Filling::Everything || self.rng.bool())
    }

    fn text(&mut self) -> String {
        if self.may_be_empty() {
            return String::new();
        }
        let length = self.rng.usize(1..12);
        // Among them some of two, three and four bytes, and what JSON escapes.
        let letters: Vec<char> = "abcdefghijklmnop-.0123456789\u{e9}\u{20ac}\u{1f980}\"\\\n<".chars().collect();
        (0..length).map(|_| letters[self.rng.usize(..letters.len())]).collect()
    }

    fn number(&mut self) -> i64 {
        if self.may_be_empty() {
            return 0;
        }
        let number = self.rng.i64(1..1 << 40) >> self.rng.u8(..38);
        if self.rng.bool() { number.max(1) } else { -number.max(1) }
    }

    /// How many items a list or a map has.
    fn items(&mut self) -> usize {
        if self.depth > DEPTH { 0 } else { self.rng.usize(1..3) }
    }
}

/// What a visitor says that it expects: of types without a name, the only thing that tells which it is.
fn expected<'de>(visitor: &impl Visitor<'de>) -> String {
    struct Shown<'a>(&'a dyn Expected);
    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }
    Shown(visitor).to_string()
}

impl<'de> Deserializer<'de> for Fill<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match (self.what, expected(&visitor).as_str()) {
            ("Quantity", _) => visitor.visit_string(format!("{}m", self.rng.u32(1..1000) * 2 + 1)),
            ("RawExtension" | "FieldsV1" | "JSON", _) => {
                let text = self.text();
                let inside = MapDeserializer::new([("f:text".to_owned(), text)].into_iter());
                visitor.visit_map(inside)
            }
            (_, "IntOrString") if self.rng.bool() => visitor.visit_i64(self.rng.i32(..).into()),
            (_, "IntOrString") => visitor.visit_string(self.text()),
            (_, "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray")
                if self.depth <= DEPTH && self.rng.bool() =>
            {
                visitor.visit_seq(Items { left: self.items(), fill: self })
            }
            (_, "JSONSchemaPropsOrBool") if self.depth > DEPTH || self.rng.bool() => {
                visitor.visit_bool(self.rng.bool())
            }
            (_, "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray" | "JSONSchemaPropsOrBool") => {
                let names = vec!["title".to_owned(), "format".to_owned()].into_iter();
                visitor.visit_map(Fields { names, name: String::new(), what: "JSONSchemaProps", fill: self })
            }
            // What has no fields so far.
            (_, "any valid JSON value") => {
                visitor.visit_map(MapDeserializer::new(Vec::<(String, String)>::new().into_iter()))
            }
            (what, expected) => Err(Error::custom(format!("{what}: nobody knows what {expected} is"))),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let falsity = self.may_be_empty();
        visitor.visit_bool(!falsity)
    }

    fn deserialize_i32<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i32(i32::try_from(self.number() % i64::from(i32::MAX)).unwrap_or(7))
    }

    fn deserialize_i64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(self.number())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(f64::from(self.rng.i32(1..1 << 20)) / 8.0)
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match (self.what, expected(&visitor).as_str()) {
            (_, "a base64-encoded string") => {
                let base64 = ["AA==", "aGVsbG8=", "//79"][self.rng.usize(..3)];
                visitor.visit_str(if self.may_be_empty() { "" } else { base64 })
            }
            ("Time", _) => visitor.visit_str(&format!("20{}-11-25T15:49:38Z", self.rng.u8(10..60))),
            ("MicroTime", _) => visitor.visit_str(&format!(
                "20{}-11-25T15:49:38.{:06}Z",
                self.rng.u8(10..60),
                self.rng.u32(..1_000_000)
            )),
            _ => visitor.visit_string(self.text()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        // Bytes are read as an option whether they are one or not.
        if self.is_there() || expected(&visitor) == "a base64-encoded string" {
            visitor.visit_some(self)
        } else {
            visitor.visit_none()
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self.inside(name))
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { left: self.items(), fill: self })
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let keys: Vec<String> = (0..self.items()).map(|index| format!("{index}{}", self.text())).collect();
        visitor.visit_map(Fields { names: keys.into_iter(), name: String::new(), what: "", fill: self })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // An object checks what it says of itself, and need not say it.
        let is_object = fields.contains(&"metadata") && fields.contains(&"kind");
        let names = fields.iter().filter(|name| !(is_object && ["apiVersion", "kind"].contains(name)));
        let names: Vec<String> = names.map(|name| (*name).to_owned()).collect();
        visitor.visit_map(Fields { names: names.into_iter(), name: String::new(), what: name, fill: self })
    }

    k8s_openapi::serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
        ignored_any
    }
}

/// As many items as are left.
struct Items<'r> {
    left: usize,
    fill: Fill<'r>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.fill.inside("")).map(Some)
    }
}

/// The fields of these names.
struct Fields<'r> {
    names: vec::IntoIter<String>,
    name: String,
    what: &'static str,
    fill: Fill<'r>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(name) = self.names.next() else { return Ok(None) };
        self.name.clone_from(&name);
        seed.deserialize(StringDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (what, name) = (self.what, &self.name);
        seed.deserialize(self.fill.inside(what)).map_err(|error: Error| Error::custom(format!("{name}: {error}")))
    }
}
