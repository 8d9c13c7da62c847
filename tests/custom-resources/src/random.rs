//! Random objects made of a schema.

use serde_json::{Map, Value, json};

/// Makes values of schemas; the same seed makes the same ones.
#[derive(Debug)]
pub struct Random {
    numbers: fastrand::Rng,
    /// Whether only what a server takes and keeps as it is: no values that the schema does not have, and no null where
    /// it would be dropped.
    for_server: bool,
    /// Whether null is never made.
    without_null: bool,
}

impl Random {
    /// Values for reading and writing alone.
    pub fn local(seed: u64) -> Self {
        Self { numbers: fastrand::Rng::with_seed(seed), for_server: false, without_null: false }
    }

    /// Values that a server takes.
    pub fn for_server(seed: u64) -> Self {
        Self { for_server: true, ..Self::local(seed) }
    }

    /// The same without null, which means something else when it is applied.
    pub fn without_null(self) -> Self {
        Self { without_null: true, ..self }
    }

    /// An object of the schema of a whole one, without its metadata.
    pub fn object(&mut self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        if let Some(properties) = schema["properties"].as_object_mut() {
            for name in ["apiVersion", "kind", "metadata"] {
                properties.remove(name);
            }
            if self.for_server {
                // A subresource is not written with the object.
                properties.remove("status");
            }
        }
        self.value(&schema, 0)
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if schema["nullable"] == true && !self.without_null && self.numbers.u8(..5) == 0 {
            return Value::Null;
        }
        if let Some(values) = schema["enum"].as_array() {
            if !self.for_server && schema["type"] == "string" && self.numbers.u8(..5) == 0 {
                return "of a newer version".into();
            }
            let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
            return values.get(self.numbers.usize(..values.len().max(1))).map_or(Value::Null, |value| (*value).clone());
        }
        if schema["x-kubernetes-int-or-string"] == true {
            return if self.numbers.bool() { self.numbers.i64(0..1 << 40).into() } else { self.quantity().into() };
        }
        match schema["type"].as_str() {
            Some("object") => self.fields(schema, depth),
            Some("array") => self.items(schema, depth),
            Some("string") => self.text(schema).into(),
            Some("boolean") => self.numbers.bool().into(),
            Some("integer") if schema["format"] == "int32" => self.numbers.i32(..).into(),
            Some("integer") => self.numbers.i64(-(1 << 53)..1 << 53).into(),
            Some("number") => match self.numbers.u8(..3) {
                0 => self.numbers.i64(-1000..1000).into(),
                // What a server stores has no fraction of zero.
                1 if !self.for_server => (f64::from(self.numbers.i16(..))).into(),
                _ => (self.numbers.f64() - 0.5).into(),
            },
            _ => self.anything(depth),
        }
    }

    fn quantity(&mut self) -> String {
        format!("{}{}", self.numbers.u16(..), ["", "m", "Ki", "G"][self.numbers.usize(..4)])
    }

    fn word(&mut self) -> String {
        (0..self.numbers.usize(1..8)).map(|_| self.numbers.lowercase()).collect()
    }

    fn text(&mut self, schema: &Value) -> String {
        match schema["format"].as_str() {
            // A server takes no empty one.
            Some("byte") if self.for_server => "aGVsbG8=".to_owned(),
            Some("byte") => ["", "aGVsbG8=", "/+8=", "AA=="][self.numbers.usize(..4)].to_owned(),
            Some("date-time" | "datetime") => {
                ["2026-05-04T03:02:01Z", "2026-05-04T03:02:01.123456Z", "2026-05-04T03:02:01.5+02:00"]
                    [self.numbers.usize(..3)]
                .to_owned()
            }
            Some("date") => "2026-05-04".to_owned(),
            Some("duration") => "1h30m".to_owned(),
            Some("uri") => "https://example.com/a?b=c".to_owned(),
            Some("cidr") => "10.0.0.0/8".to_owned(),
            Some("ipv4") => "10.0.0.1".to_owned(),
            Some("ipv6") => "::1".to_owned(),
            Some("email") => "a@example.com".to_owned(),
            Some("hostname" | "idn-hostname") => "example.com".to_owned(),
            Some("uuid") => "7a3c1f0e-6f1b-4b8e-9f55-0f8b5b1f9d0a".to_owned(),
            _ if self.numbers.u8(..8) == 0 => String::new(),
            _ => format!("{} \u{e9}\u{1f600}\"\\/", self.word()),
        }
    }

    fn fields(&mut self, schema: &Value, depth: usize) -> Value {
        let mut fields = Map::new();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let chance = if depth < 3 {
                8
            } else if depth < 8 {
                4
            } else {
                1
            };
            if required.contains(&name.as_str()) || self.numbers.u8(..10) < chance {
                let value = self.value(property, depth + 1);
                // The path of a scale.
                let value = if self.for_server && name == "replicas" { 3.into() } else { value };
                // A list by items that has none belongs to nobody, and is not extracted.
                let belongs_to_nobody = property["x-kubernetes-list-type"].as_str().is_some_and(|it| it != "atomic")
                    && value.as_array().is_some_and(Vec::is_empty);
                if !self.for_server || !belongs_to_nobody {
                    fields.insert(name.clone(), value);
                }
            }
        }
        if schema["x-kubernetes-embedded-resource"] == true {
            fields.insert("apiVersion".to_owned(), "v1".into());
            fields.insert("kind".to_owned(), "ConfigMap".into());
            fields.insert("metadata".to_owned(), json!({"name": "inside", "labels": {"a": "b"}}));
        }
        if schema["additionalProperties"].is_object() {
            for _ in 0..self.numbers.usize(..3) {
                let value = self.value(&schema["additionalProperties"], depth + 1);
                fields.insert(self.word(), value);
            }
        }
        if schema["x-kubernetes-preserve-unknown-fields"] == true {
            for _ in 0..self.numbers.usize(..3) {
                let value = self.anything(depth + 1);
                // It is none of the schema's.
                fields.insert(format!("x-{}", self.word()), value);
            }
        }
        fields.into()
    }

    fn items(&mut self, schema: &Value, depth: usize) -> Value {
        let count = self.numbers.usize(..if depth < 8 { 3 } else { 2 });
        let mut items: Vec<Value> = (0..count).map(|_| self.value(&schema["items"], depth + 1)).collect();
        // A set has each value once, and a map each key.
        let keys: Vec<Value> = schema["x-kubernetes-list-map-keys"].as_array().cloned().unwrap_or_default();
        let key = |item: &Value| {
            keys.iter()
                .filter_map(Value::as_str)
                .map(|key| {
                    let default = &schema["items"]["properties"][key]["default"];
                    item.get(key).unwrap_or(default).clone()
                })
                .collect::<Vec<_>>()
        };
        match schema["x-kubernetes-list-type"].as_str() {
            Some("map") => {
                let mut seen: Vec<Vec<Value>> = Vec::new();
                items.retain(|item| {
                    let key = key(item);
                    // Without a key, an item is another one for each of its managers.
                    let is_new = !seen.contains(&key) && key.iter().all(|value| !value.is_null());
                    seen.push(key);
                    is_new
                });
            }
            Some("set") => {
                let mut seen: Vec<Value> = Vec::new();
                items.retain(|item| {
                    let is_new = !seen.contains(item);
                    seen.push(item.clone());
                    is_new
                });
            }
            _ => {}
        }
        items.into()
    }

    fn anything(&mut self, depth: usize) -> Value {
        let simple = depth > 10 || self.without_null;
        match self.numbers.u8(..if simple { 4 } else { 7 }) {
            0 => self.word().into(),
            1 => self.numbers.i64(-(1 << 40)..1 << 40).into(),
            2 => self.numbers.bool().into(),
            3 => 0.25.into(),
            4 => json!([1, "two", {"three": null}]),
            5 => json!({"a": {"b": [], "c": {}}}),
            _ if self.for_server => "text".into(),
            _ => Value::Null,
        }
    }
}
