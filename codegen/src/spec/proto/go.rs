//! What only Go's structs tell of the messages made of them, by the tags of their fields:
//!
//! ```text
//! Replicas *int32 `json:"replicas,omitempty" protobuf:"varint,1,opt,name=replicas"`
//! ```

use std::collections::BTreeMap;

use super::{GoFacts, Table, folder_of};
use crate::{
    Error,
    spec::go::{Declares, items, tag},
};

/// A field by its tags.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    /// The name in JSON; nothing where the struct says itself how it is written.
    name: Option<String>,
    facts: GoFacts,
}

/// The fields of a struct, by their numbers in protobuf.
type Struct = BTreeMap<u32, Field>;

impl Table {
    /// Adds what Go's sources tell of the fields: of each message, those files that lie beside its definition.
    ///
    /// # Errors
    ///
    /// When the struct of a message lacks one of its fields.
    pub fn with_go<'a>(
        mut self,
        packages: &BTreeMap<String, String>,
        sources: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Error> {
        for (file, text) in sources {
            let Some(package) = packages.get(folder_of(file)) else { continue };
            for (name, fields) in structs(file, text)? {
                // Without any tag, it says in code how it is written.
                let message = format!("{package}.{name}");
                if let (Some(message_fields), false) = (self.messages.get_mut(&message), fields.is_empty()) {
                    join(file, &message, message_fields, fields)?;
                }
            }
        }
        Ok(self)
    }
}

fn join(file: &str, message: &str, of_message: &mut [super::Field], mut fields: Struct) -> Result<(), Error> {
    for field in of_message {
        let Some(of_go) = fields.remove(&field.number) else {
            let problem =
                format!("the struct of {message} has no field of the number {} ({})", field.number, field.name);
            return Err(Error::file(file, problem));
        };
        field.name = of_go.name.unwrap_or_else(|| field.name.clone());
        field.go = of_go.facts;
    }
    Ok(())
}

/// Reads the structs of a file, those without tags included.
fn structs(file: &str, text: &str) -> Result<Vec<(String, Struct)>, Error> {
    let mut structs: Vec<(String, Struct)> = Vec::new();
    for item in items(text) {
        match (item.declares, structs.last_mut()) {
            (Declares::Struct(name), _) => structs.push((name.to_owned(), Struct::new())),
            (Declares::Field(line), Some((_, fields))) => {
                if let Some(field) = field(line) {
                    let (number, field) =
                        field.map_err(|problem| Error::at(file, format!("line {}", item.line), problem))?;
                    fields.insert(number, field);
                }
            }
            _ => {}
        }
    }
    Ok(structs)
}

/// Reads a line of a struct; nothing if it has no number in protobuf.
fn field(line: &str) -> Option<Result<(u32, Field), String>> {
    let (declaration, rest) = line.split_once('`')?;
    let (tags, _) = rest.split_once('`')?;
    let protobuf = tag(tags, "protobuf").filter(|tag| *tag != "-")?;
    let number = protobuf.split(',').nth(1).and_then(|number| number.parse().ok());
    let Some(number) = number else { return Some(Err(format!("no number in the tag `{protobuf}`"))) };
    let mut words = declaration.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let mut json = tag(tags, "json").unwrap_or("-").split(',');
    let json_name = json.next().unwrap_or_default();
    let name = (!["", "-"].contains(&json_name)).then(|| json_name.to_owned());
    let options: Vec<&str> = json.collect();
    let facts = GoFacts {
        pointer: second.unwrap_or(first).starts_with('*'),
        omit_empty: options.contains(&"omitempty"),
        omit_zero: options.contains(&"omitzero"),
        // Some say `json:",inline"`, others `json:""`.
        inline: second.is_none() && json_name.is_empty(),
    };
    Some(Ok((number, Field { name, facts })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::proto;

    const PROTO: &str = "syntax = \"proto2\";\npackage p;\nmessage Spec {\n  optional int32 replicas = 1;\n  \
        optional string phase = 2;\n  optional Source source = 3;\n  repeated string Names = 4;\n  optional Own own = 5;\n}\n\
        message Source {\n  optional string path = 1;\n}\nmessage Own {\n  optional int64 seconds = 1;\n}\n";

    const GO: &str = "package p

/* type Hidden struct {
} */

// Spec has braces { in a comment.
type Spec struct {
\t// Replicas is one; }
\tReplicas *int32 `json:\"replicas,omitempty\" protobuf:\"varint,1,opt,name=replicas\"`
\tPhase Phase `json:\"phase,omitempty,omitzero\" protobuf:\"bytes,2,opt,name=phase,casttype=Phase\"`
\tSource `json:\",inline\" protobuf:\"bytes,3,opt,name=source\"`
\tNames []string `protobuf:\"bytes,4,rep,name=Names\" json:\"names\"` // trailing
\tOwn Own `json:\"own\" protobuf:\"bytes,5,opt,name=own\"`
\thidden map[string]struct{}
}

type Source struct {
\tPath string `json:\"path\" protobuf:\"bytes,1,opt,name=path\"`
}

type Own struct { time.Time }
";

    fn joined(go: &str) -> Result<Table, Error> {
        let protos = [("a/generated.proto", PROTO)];
        let packages = proto::packages_of_folders(protos)?;
        proto::parse(protos)?.with_go(&packages, [("a/types.go", go), ("b/types.go", "type Spec struct {\n}\n")])
    }

    #[test]
    fn tags_tell_names_and_what_json_leaves_out() {
        assert_eq!(
            joined(GO).unwrap().to_string(),
            "p.Own\n  1 seconds int64\np.Source\n  1 path string\np.Spec\n  1 replicas int32 pointer omitempty\n  \
             2 phase string omitempty omitzero\n  3 source p.Source inline\n  4 names repeated string\n  5 own p.Own\n"
        );
    }

    #[test]
    fn a_field_that_the_struct_lacks_is_an_error() {
        let go = GO.replace("bytes,2,opt,name=phase", "bytes,7,opt,name=phase");
        assert_eq!(
            joined(&go).unwrap_err().to_string(),
            "a/types.go: the struct of p.Spec has no field of the number 2 (phase)"
        );
        let go = GO.replace("varint,1,opt", "varint");
        assert!(joined(&go).unwrap_err().to_string().starts_with("a/types.go: line 9: no number in the tag `varint"));
    }
}
