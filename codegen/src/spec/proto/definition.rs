//! The part of the protobuf language that upstream's `generated.proto` files use, and no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    vec::IntoIter,
};

use super::{Field, FieldKind, FieldType, GoFacts, Table, folder_of};
use crate::Error;

/// Reads `generated.proto` files, given as name and text, into one table; a type that none of them defines is an error.
pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Table, Error> {
    let mut table = Table::default();
    let mut used = Vec::new();
    for (file, text) in files {
        let mut parser =
            Parser { file, tokens: tokens(file, text)?.into_iter().peekable(), line: 1, package: String::new() };
        for (name, fields) in parser.file()? {
            used.extend(fields.iter().map(|field| (file, name.clone(), field.clone())));
            if table.messages.insert(name.clone(), fields).is_some() {
                return Err(Error::file(file, format!("the message `{name}` is defined twice")));
            }
        }
    }
    for (file, message, field) in used {
        if let Some(unknown) = field.kind.messages().find(|name| !table.messages.contains_key(*name)) {
            let message = format!("`{message}.{}` has the type `{unknown}`, which no file defines", field.name);
            return Err(Error::file(file, message));
        }
    }
    Ok(table)
}

/// The package of each folder that has a `generated.proto`: Go's structs of its messages lie there, too.
pub fn packages_of_folders<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<BTreeMap<String, String>, Error> {
    let package = |(file, text): (&'a str, &'a str)| {
        let mut tokens = tokens(file, text)?.into_iter().map(|token| token.text).skip_while(|text| text != "package");
        let package = tokens.nth(1).ok_or_else(|| Error::file(file, "names no package"))?;
        Ok((folder_of(file).to_owned(), package))
    };
    files.into_iter().map(package).collect()
}

#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

fn tokens(file: &str, text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut comment = false;
    for (index, mut rest) in text.lines().enumerate() {
        let line = index + 1;
        loop {
            if comment {
                let Some((_, after)) = rest.split_once("*/") else { break };
                (comment, rest) = (false, after);
            }
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with("//") {
                break;
            }
            if let Some(after) = rest.strip_prefix("/*") {
                (comment, rest) = (true, after);
                continue;
            }
            let length = token_length(rest);
            let Some(length) = length else {
                return Err(Error::at(file, format!("line {line}"), format!("cannot read `{rest}`")));
            };
            let (token, after) = rest.split_at(length);
            tokens.push(Token { text: token.to_owned(), line });
            rest = after;
        }
    }
    Ok(tokens)
}

/// The length of the token `text` begins with: a string, a word or a sign.
fn token_length(text: &str) -> Option<usize> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    match text.chars().next()? {
        '"' => text[1..].find('"').map(|end| end + 2),
        '{' | '}' | '<' | '>' | '=' | ';' | ',' => Some(1),
        first if word(first) => Some(text.find(|c| !word(c)).unwrap_or(text.len())),
        _ => None,
    }
}

struct Parser<'a> {
    file: &'a str,
    tokens: Peekable<IntoIter<Token>>,
    line: usize,
    package: String,
}

impl Parser<'_> {
    fn file(&mut self) -> Result<Vec<(String, Vec<Field>)>, Error> {
        let mut messages = Vec::new();
        while self.tokens.peek().is_some() {
            match self.next()?.as_str() {
                "syntax" => {
                    self.expect("=")?;
                    self.expect("\"proto2\"")?;
                    self.expect(";")?;
                }
                "package" => {
                    self.package = self.next()?;
                    self.expect(";")?;
                }
                // The files name full types and all are read, so an import says nothing new.
                "import" => {
                    self.next()?;
                    self.expect(";")?;
                }
                "option" => {
                    self.expect("go_package")?;
                    self.expect("=")?;
                    self.next()?;
                    self.expect(";")?;
                }
                "message" => messages.push(self.message()?),
                other => return Err(self.error(&format!("`{other}` is not known at the top of a file"))),
            }
        }
        Ok(messages)
    }

    fn message(&mut self) -> Result<(String, Vec<Field>), Error> {
        let name = self.next()?;
        let name = format!("{}.{name}", self.package);
        self.expect("{")?;
        let mut fields = Vec::new();
        let mut numbers = BTreeSet::new();
        loop {
            let kind = match self.next()?.as_str() {
                "}" => break,
                "optional" => FieldKind::Optional(self.field_type()?),
                "repeated" => FieldKind::Repeated(self.field_type()?),
                "map" => self.map()?,
                other => return Err(self.error(&format!("`{other}` is not known in a message"))),
            };
            let field = self.field(kind)?;
            if !numbers.insert(field.number) {
                return Err(self.error(&format!("`{name}` has the number {} twice", field.number)));
            }
            fields.push(field);
        }
        fields.sort_by_key(|field| field.number);
        Ok((name, fields))
    }

    fn map(&mut self) -> Result<FieldKind, Error> {
        self.expect("<")?;
        let key = self.field_type()?;
        self.expect(",")?;
        let value = self.field_type()?;
        self.expect(">")?;
        Ok(FieldKind::Map(key, value))
    }

    /// Reads what follows the type: `name = number;`.
    fn field(&mut self, kind: FieldKind) -> Result<Field, Error> {
        let name = self.next()?;
        self.expect("=")?;
        let number = self.next()?;
        let number = number.parse().map_err(|_| self.error(&format!("`{number}` is not a field number")))?;
        self.expect(";")?;
        Ok(Field { number, name, kind, go: GoFacts::default() })
    }

    fn field_type(&mut self) -> Result<FieldType, Error> {
        let name = self.next()?;
        if let Some(scalar) = FieldType::scalar(&name) {
            return Ok(scalar);
        }
        match name.strip_prefix('.') {
            Some(full) => Ok(FieldType::Message(full.to_owned())),
            None if name.contains('.') => Err(self.error(&format!("the type `{name}` is neither local nor full"))),
            None => Ok(FieldType::Message(format!("{}.{name}", self.package))),
        }
    }

    fn next(&mut self) -> Result<String, Error> {
        let token = self.tokens.next().ok_or_else(|| self.error("the file ends too early"))?;
        self.line = token.line;
        Ok(token.text)
    }

    fn expect(&mut self, text: &str) -> Result<(), Error> {
        let found = self.next()?;
        if found == text { Ok(()) } else { Err(self.error(&format!("expected `{text}`, found `{found}`"))) }
    }

    fn error(&self, message: &str) -> Error {
        Error::at(self.file, format!("line {}", self.line), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str = "syntax = \"proto2\";\npackage meta;\nmessage Time {\n  optional int64 seconds = 1;\n}\n";
    const CORE: &str = "\
/*
A license: message Hidden {
*/
syntax = \"proto2\";

package k8s.io.api.core.v1;

import \"meta/generated.proto\";
option go_package = \"k8s.io/api/core/v1\";

// Pod is one; message Commented {}
message Pod {
  // +optional
  optional .meta.Time started = 7; // later

  repeated Container containers = 2;

  map<string, .meta.Time> seen = 3;
}

message Container {
  optional string name = 1;
}
";

    #[test]
    fn definitions_become_a_table() {
        let table = parse([("core.proto", CORE), ("meta.proto", META)]).unwrap();
        assert_eq!(
            table.to_string(),
            "k8s.io.api.core.v1.Container\n  1 name string\n\
             k8s.io.api.core.v1.Pod\n  2 containers repeated k8s.io.api.core.v1.Container\n  \
             3 seen map<string, meta.Time>\n  7 started meta.Time\n\
             meta.Time\n  1 seconds int64\n"
        );
        assert_eq!(Table::parse("protobuf.txt", &table.to_string()), Ok(table));
    }

    #[test]
    fn unused_packages_are_dropped() {
        let other = "syntax = \"proto2\";\npackage gone;\nmessage Old {\n}\n";
        let table = parse([("core.proto", CORE), ("meta.proto", META), ("gone.proto", other)]).unwrap();
        let kept = table.restricted_to(&["k8s.io.api.core.v1".to_owned()].into());
        assert!(kept.messages.contains_key("meta.Time"));
        assert!(!kept.messages.contains_key("gone.Old"));
    }

    #[test]
    fn unknown_syntax_is_an_error_with_its_line() {
        let error = |text: &str| parse([("a.proto", text)]).unwrap_err().to_string();
        assert_eq!(error("enum X {}"), "a.proto: line 1: `enum` is not known at the top of a file");
        assert_eq!(error("message X {\n  oneof y {}\n}"), "a.proto: line 2: `oneof` is not known in a message");
        assert_eq!(
            error("message X {\n  optional string y = 1 [a = b];\n}"),
            "a.proto: line 2: cannot read `[a = b];`"
        );
        assert_eq!(
            error("message X {\n  optional Y y = 1;\n}"),
            "a.proto: `.X.y` has the type `.Y`, which no file defines"
        );
        assert_eq!(error("message X {"), "a.proto: line 1: the file ends too early");
    }
}
