//! YAML and JSON documents as the API server would understand them.
//!
//! Definitions are full of words that readers of YAML 1.1 take for something else: `y`, `on`, `=` and `012` are texts
//! here, as property names and as values of enums. Where a schema says `type: string`, its default and the values of
//! its enum are texts whatever they look like.

use std::{collections::HashMap, rc::Rc};

use serde_json::{Map, Number, Value};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, StrInput};

use crate::Error;

/// The most values that a file may have, with aliases followed: an alias of aliases can stand for any number of them.
const MAX_VALUES: usize = 2_000_000;

/// A document and where it stands, for messages.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The file, and which of its documents it is if there are several.
    pub(super) place: String,
    pub(super) value: Value,
}

/// The values of a text of YAML or JSON, read as definitions are; empty documents are left out.
///
/// # Errors
///
/// When the text cannot be read.
pub fn objects(file: &str, text: &str) -> Result<Vec<Value>, Error> {
    Ok(documents(file, text)?.into_iter().map(|document| document.value).collect())
}

/// The documents of a text; empty ones are left out.
pub(super) fn documents(file: &str, text: &str) -> Result<Vec<Document>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // JSON is YAML but for the escapes of its strings.
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(vec![Document { place: file.to_owned(), value }]);
    }
    let mut reader = Reader::new(file, text);
    let roots = reader.documents()?;
    let several = roots.len() > 1;
    let mut documents = Vec::new();
    for (index, root) in roots.iter().enumerate() {
        let place = if several { format!("{file} (document {})", index + 1) } else { file.to_owned() };
        let value = Meaning { place: &place, values: 0 }.of(root, Scalars::ByLook)?;
        documents.push(Document { place, value });
    }
    documents.retain(|document| !document.value.is_null());
    Ok(documents)
}

/// A value as it is written.
enum Node {
    /// A text, and whether it stands without quotes and tag.
    Scalar(String, bool),
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(String, Rc<Node>)>),
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Rc<Node>>,
    line: usize,
}

impl<'a> Reader<'a> {
    fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, parser: Parser::new_from_str(text), anchors: HashMap::new(), line: 1 }
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::at(self.file, format!("line {}", self.line), message)
    }

    /// What is often the reason why a text is no YAML.
    fn hint(&self) -> &'static str {
        if self.text.contains("{{") {
            "; `{{` is a template's: give the files that are made of it, as by `helm template`"
        } else {
            ""
        }
    }

    fn next(&mut self) -> Result<Event<'a>, Error> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => {
                self.line = error.marker().line();
                Err(self.error(format!("cannot be read as YAML: {}{}", error.info(), self.hint())))
            }
            None => Err(self.error("ends in the middle of a document")),
        }
    }

    fn documents(&mut self) -> Result<Vec<Rc<Node>>, Error> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(documents),
                Event::DocumentStart(..) => {
                    let event = self.next()?;
                    self.anchors.clear();
                    documents.push(self.node(event)?);
                }
                _ => {}
            }
        }
    }

    /// The parser limits how deep nodes are nested, and so how deep this goes.
    fn node(&mut self, event: Event<'a>) -> Result<Rc<Node>, Error> {
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (Node::Scalar(text.into_owned(), style == ScalarStyle::Plain && tag.is_none()), anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event)?),
                    }
                }
                (Node::Sequence(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => (self.mapping()?, anchor),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                return node.ok_or_else(|| self.error("an alias stands inside of what it refers to"));
            }
            _ => return Err(self.error("expected a value")),
        };
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn mapping(&mut self) -> Result<Node, Error> {
        let mut fields: Vec<(String, Rc<Node>)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => break,
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return Err(self.error(format!("the key of a mapping is not a text{}", self.hint()))),
            };
            let line = self.line;
            let event = self.next()?;
            let value = self.node(event)?;
            if key == "<<" {
                merged.push(value);
            } else if fields.iter().any(|(other, _)| *other == key) {
                self.line = line;
                return Err(self.error(format!("the key `{}` is there twice", key.escape_debug())));
            } else {
                fields.push((key, value));
            }
        }
        for node in merged {
            let nodes = match &*node {
                Node::Sequence(items) => items.clone(),
                _ => vec![node],
            };
            for node in nodes {
                let Node::Mapping(more) = &*node else { return Err(self.error("`<<` merges mappings only")) };
                for (key, value) in more {
                    if !fields.iter().any(|(other, _)| other == key) {
                        fields.push((key.clone(), value.clone()));
                    }
                }
            }
        }
        Ok(Node::Mapping(fields))
    }
}

/// What a scalar without quotes is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scalars {
    /// A number, a boolean or null, if it looks like one.
    ByLook,
    /// A text. Mappings are not read so: what stands in them is something else again.
    Text,
}

/// The lists and fields of a definition that hold texts alone.
const TEXTS: [&str; 14] = [
    "categories",
    "group",
    "kind",
    "listKind",
    "name",
    "pattern",
    "plural",
    "required",
    "scope",
    "shortNames",
    "singular",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

struct Meaning<'a> {
    place: &'a str,
    values: usize,
}

impl Meaning<'_> {
    fn of(&mut self, node: &Node, scalars: Scalars) -> Result<Value, Error> {
        self.values += 1;
        if self.values > MAX_VALUES {
            let message = format!("has more than {MAX_VALUES} values when its aliases are followed");
            return Err(Error::file(self.place, message));
        }
        Ok(match node {
            Node::Scalar(text, plain) => match scalars {
                Scalars::ByLook if *plain => by_look(text),
                Scalars::Text if *plain && is_null(text) => Value::Null,
                _ => Value::String(text.clone()),
            },
            Node::Sequence(items) => {
                Value::Array(items.iter().map(|item| self.of(item, scalars)).collect::<Result<_, Error>>()?)
            }
            Node::Mapping(fields) => {
                let is_text = |(key, value): &(String, Rc<Node>)| {
                    key == "type" && matches!(&**value, Node::Scalar(text, _) if text == "string")
                };
                let of_texts = fields.iter().any(is_text);
                let mut values = Map::new();
                for (key, value) in fields {
                    let is_text = TEXTS.contains(&key.as_str()) || of_texts && ["default", "enum"].contains(&&**key);
                    let scalars = if is_text { Scalars::Text } else { Scalars::ByLook };
                    values.insert(key.clone(), self.of(value, scalars)?);
                }
                Value::Object(values)
            }
        })
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The core schema of YAML 1.2, with the numbers of JSON: what has a leading zero or a prefix is a text.
fn by_look(text: &str) -> Value {
    match text {
        text if is_null(text) => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        text => text.parse::<Number>().map_or_else(|_| text.into(), Value::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Vec<Value> {
        documents("a.yaml", text).unwrap().into_iter().map(|document| document.value).collect()
    }

    #[test]
    fn words_of_old_yaml_are_texts() {
        let text = "properties:\n  y: {type: string, enum: [on, =, 012, 1e3, 0x1F, no, 2, true, '', ~]}\n  \
                    on: {type: integer, enum: [1, 2], default: 1}\n  no: {default: off}\nrequired: [y, 1, true]\n";
        assert_eq!(
            read(text),
            [json!({
                "properties": {
                    "y": {
                        "type": "string",
                        "enum": ["on", "=", "012", "1e3", "0x1F", "no", "2", "true", "", null],
                    },
                    "on": {"type": "integer", "enum": [1, 2], "default": 1},
                    "no": {"default": "off"},
                },
                "required": ["y", "1", "true"],
            })]
        );
    }

    #[test]
    fn numbers_are_those_of_json() {
        let value = &read("a: [1, -2, 0.5, 1e3, 012, 0x10, 1_000, .5, +1, .inf]")[0];
        assert_eq!(value["a"], json!([1, -2, 0.5, 1e3, "012", "0x10", "1_000", ".5", "+1", ".inf"]));
    }

    #[test]
    fn documents_are_told_apart_and_empty_ones_left_out() {
        let text = "# a licence\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n";
        let places: Vec<_> = documents("a.yaml", text).unwrap().into_iter().map(|document| document.place).collect();
        assert_eq!(places, ["a.yaml (document 1)", "a.yaml (document 3)"]);
        assert_eq!(read("{\"a\": \"\\ud83d\\ude00\"}"), [json!({"a": "😀"})]);
        assert_eq!(read("\u{feff}a: 1"), [json!({"a": 1})]);
        assert!(read("").is_empty());
    }

    #[test]
    fn anchors_and_merges_are_followed() {
        let text = "base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}\nsame: *base\n";
        assert_eq!(read(text)[0]["more"], json!({"a": 1, "b": 3}));
        assert_eq!(read(text)[0]["same"], json!({"a": 1, "b": 2}));
    }

    #[test]
    fn what_is_no_yaml_is_an_error_with_its_line() {
        let error = |text: &str| documents("a.yaml", text).unwrap_err().to_string();
        assert!(error("a: 1\nb: [1\nc: 2\n").starts_with("a.yaml: line "), "{}", error("a: 1\nb: [1\nc: 2\n"));
        assert!(error("a:\n  {{- if .Values.crds }}\n  b: 1\n").contains("helm template"));
        assert_eq!(error("a: 1\na: 2\n"), "a.yaml: line 2: the key `a` is there twice");
        assert_eq!(error("? [a]\n: 1\n"), "a.yaml: line 1: the key of a mapping is not a text");
        assert_eq!(error("a: &a [*a]\n"), "a.yaml: line 1: an alias stands inside of what it refers to");
        let laughs: String = (1..9).fold("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned(), |text, n| {
            let alias = format!("*a{},", n - 1).repeat(10);
            format!("{text}a{n}: &a{n} [{alias}]\n")
        });
        assert!(error(&laughs).contains("2000000 values"), "{}", error(&laughs));
        assert!(error("a: \"\0").contains("a.yaml: line 1: "));
    }
}
