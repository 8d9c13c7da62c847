//! The text form of a [`Table`].

use std::{collections::BTreeMap, fmt};

use super::{Field, FieldKind, FieldType, GoFacts, Table};
use crate::Error;

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (message, fields) in &self.messages {
            writeln!(f, "{message}")?;
            for Field { number, name, kind, go } in fields {
                write!(f, "  {number} {name} {kind}")?;
                let mut go = *go;
                for (word, is_said) in words(&mut go) {
                    if *is_said {
                        write!(f, " {word}")?;
                    }
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optional(of) => of.fmt(f),
            Self::Repeated(of) => write!(f, "repeated {of}"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
        }
    }
}

impl Table {
    /// Reads the text form; `file` is named in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let mut messages: BTreeMap<String, Vec<Field>> = BTreeMap::new();
        let mut current = None;
        for (index, line) in text.lines().enumerate() {
            let wrong = |message: &str| Error::at(file, format!("line {}", index + 1), message);
            if let Some(field) = line.strip_prefix("  ") {
                let field = parse_field(field).ok_or_else(|| wrong("expected `number name type`"))?;
                let fields = current.and_then(|message| messages.get_mut(message));
                fields.ok_or_else(|| wrong("a field before any message"))?.push(field);
            } else {
                if line.is_empty() || line.contains(' ') || messages.insert(line.to_owned(), Vec::new()).is_some() {
                    return Err(wrong("expected the full name of a message that has not been named before"));
                }
                current = Some(line);
            }
        }
        Ok(Self { messages })
    }
}

/// The words behind a type, in their order.
fn words(go: &mut GoFacts) -> [(&'static str, &mut bool); 4] {
    [
        ("pointer", &mut go.pointer),
        ("omitempty", &mut go.omit_empty),
        ("omitzero", &mut go.omit_zero),
        ("inline", &mut go.inline),
    ]
}

fn parse_field(text: &str) -> Option<Field> {
    let (number, rest) = text.split_once(' ')?;
    let (name, mut kind) = rest.split_once(' ')?;
    let mut go = GoFacts::default();
    for (word, is_said) in words(&mut go).into_iter().rev() {
        if let Some(rest) = kind.strip_suffix(word).and_then(|rest| rest.strip_suffix(' ')) {
            (kind, *is_said) = (rest, true);
        }
    }
    let kind = if let Some(of) = kind.strip_prefix("repeated ") {
        FieldKind::Repeated(field_type(of)?)
    } else if let Some(entry) = kind.strip_prefix("map<") {
        let (key, value) = entry.strip_suffix('>')?.split_once(", ")?;
        FieldKind::Map(field_type(key)?, field_type(value)?)
    } else {
        FieldKind::Optional(field_type(kind)?)
    };
    Some(Field { number: number.parse().ok()?, name: name.to_owned(), kind, go })
}

/// A scalar has no dot in its name, a message's full name has.
fn field_type(name: &str) -> Option<FieldType> {
    let message = || (name.contains('.') && !name.contains(' ')).then(|| FieldType::Message(name.to_owned()));
    FieldType::scalar(name).or_else(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
k8s.io.api.core.v1.ConfigMap
  1 metadata k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta
  2 data map<string, string> omitempty
  3 binaryData map<string, bytes> omitempty omitzero
  4 immutable bool pointer omitempty
k8s.io.api.core.v1.Empty
k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta
  1 finalizers repeated string inline
";

    #[test]
    fn text_round_trips() {
        let table = Table::parse("protobuf.txt", TEXT).unwrap();
        assert_eq!(table.messages.len(), 3);
        assert_eq!(table.to_string(), TEXT);
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text| Table::parse("protobuf.txt", text).unwrap_err().to_string();
        assert_eq!(error("  1 a string\n"), "protobuf.txt: line 1: a field before any message");
        assert_eq!(error("a.B\n  x a string\n"), "protobuf.txt: line 2: expected `number name type`");
        assert_eq!(error("a.B\n  1 a strin\n"), "protobuf.txt: line 2: expected `number name type`");
        assert!(error("a.B\n  1 a string\na.B\n").starts_with("protobuf.txt: line 3: expected the full name"));
    }
}
