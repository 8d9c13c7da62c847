//! From Go's sources to what is stored of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Gate, Lifecycle, Markers, Release, Values, gates, lifecycle};
use crate::{
    Error,
    spec::{
        Schema, Version,
        go::{Declares, items, quoted, tag},
        proto::{folder_of, message_of_schema},
    },
};

/// What is read of Go's sources.
#[derive(Clone, Copy, Debug)]
pub struct GoSources<'a> {
    /// The package of each folder, as protobuf calls it, see [`packages_of_folders`](super::super::proto).
    pub packages: &'a BTreeMap<String, String>,
    /// The files of those folders by path: types, and the methods that tell releases.
    pub files: &'a BTreeMap<String, String>,
    /// The path and the text of the file with Kubernetes' feature gates.
    pub gates: (&'a str, &'a str),
}

/// The files that have the methods that tell releases end so.
const LIFECYCLE_FILE: &str = "prerelease-lifecycle.go";

impl Markers {
    /// Takes in what Go's sources say of the schemas of a version.
    ///
    /// # Errors
    ///
    /// When a source has another form. The message names file and line.
    pub fn take_in(
        sources: &GoSources<'_>,
        version: Version,
        schemas: &BTreeMap<String, Schema>,
    ) -> Result<Self, Error> {
        let mut go = Go::default();
        for (file, text) in sources.files {
            if let Some(package) = sources.packages.get(folder_of(file)) {
                if file.ends_with(LIFECYCLE_FILE) {
                    let kinds = lifecycle::read(file, text)?;
                    go.lifecycle.extend(kinds.into_iter().map(|(name, kind)| (format!("{package}.{name}"), kind)));
                } else {
                    go.add(package, text);
                }
            }
        }
        let (file, text) = sources.gates;
        let known = gates::read(file, text, Release { major: version.major, minor: version.minor })?;
        let mut markers = go.join(schemas);
        markers.keep_gates(&known);
        Ok(markers)
    }

    /// Leaves out gates that are not there any more: what they guarded is there for good.
    fn keep_gates(&mut self, known: &BTreeMap<String, Gate>) {
        let lists = self.gated.values_mut().flat_map(BTreeMap::values_mut);
        let lists = lists.chain(self.enums.values_mut().flat_map(|of_enum| of_enum.gated.values_mut()));
        for list in lists {
            for name in list.iter() {
                self.gates.extend(known.get(name).map(|gate| (name.clone(), gate.clone())));
            }
            list.retain(|name| known.get(name).is_some_and(|gate| !gate.is_ga()));
        }
        let retain = |gated: &mut BTreeMap<String, Vec<String>>| gated.retain(|_, gates| !gates.is_empty());
        self.gated.values_mut().for_each(retain);
        self.gated.retain(|_, fields| !fields.is_empty());
        self.enums.values_mut().for_each(|of_enum| retain(&mut of_enum.gated));
    }
}

/// What Go's sources declare, by package and name.
#[derive(Default)]
struct Go {
    structs: BTreeMap<String, Vec<Field>>,
    /// The types of strings that are marked as enums.
    enums: BTreeSet<String>,
    /// Constants by their type: values with their gates.
    values: BTreeMap<String, Vec<(Const, Vec<String>)>>,
    /// Constants by their names.
    constants: BTreeMap<String, Const>,
    /// What is another name of a type.
    aliases: BTreeMap<String, String>,
    lifecycle: BTreeMap<String, Lifecycle>,
}

/// The value of a constant.
#[derive(Clone)]
enum Const {
    Text(String),
    /// That of another constant, by package and name.
    Other(String),
}

/// A field of a struct.
struct Field {
    /// Its name in JSON; nothing where the struct's fields are those of the outer one.
    name: Option<String>,
    /// Its type, or that of its items or values, by package and name.
    of: String,
    gates: Vec<String>,
    is_deprecated: bool,
}

impl Go {
    fn add(&mut self, package: &str, text: &str) {
        let mut imports: BTreeMap<&str, String> = BTreeMap::new();
        let mut current = None;
        for item in items(text) {
            match item.declares {
                // As protobuf calls packages: `k8s.io/kube-aggregator/…` is `k8s.io.kube_aggregator.…`.
                Declares::Import { alias, path } => {
                    imports.insert(alias, path.replace('/', ".").replace('-', "_"));
                }
                Declares::Struct(name) => {
                    let name = format!("{package}.{name}");
                    self.structs.insert(name.clone(), Vec::new());
                    current = Some(name);
                }
                Declares::Field(line) => {
                    let fields = current.as_ref().and_then(|name| self.structs.get_mut(name));
                    if let (Some(fields), Some(field)) = (fields, field(line, &item.doc, package, &imports)) {
                        fields.push(field);
                    }
                }
                Declares::Type { name, of } => {
                    let name = format!("{package}.{name}");
                    if item.doc.contains(&"+enum") {
                        self.enums.insert(name.clone());
                    }
                    if let Some(of) = of.strip_prefix('=') {
                        self.aliases.insert(name, full(of.trim(), package, &imports));
                    }
                }
                Declares::Const { name, of, value } => {
                    let (of, value) = converted(of, value);
                    let value = match quoted(value) {
                        Some(text) => Const::Text(text.to_owned()),
                        None => Const::Other(full(value, package, &imports)),
                    };
                    self.constants.insert(format!("{package}.{name}"), value.clone());
                    if !of.is_empty() {
                        let values = self.values.entry(full(of, package, &imports)).or_default();
                        values.push((value, gates_of(&item.doc)));
                    }
                }
            }
        }
    }

    /// A type by its own name.
    fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        self.aliases.get(name).map_or(name, String::as_str)
    }

    /// The fields of a message as JSON has them, those of embedded structs among them.
    fn fields<'a>(&'a self, message: &'a str, layers: usize) -> Vec<(&'a str, &'a Field)> {
        // No struct has more of them inside of each other.
        let Some(layers) = layers.checked_sub(1) else { return Vec::new() };
        let fields = self.structs.get(self.resolve(message)).into_iter().flatten();
        let of_field = |field: &'a Field| match &field.name {
            Some(name) => vec![(name.as_str(), field)],
            None => self.fields(&field.of, layers),
        };
        fields.flat_map(of_field).collect()
    }

    /// What is about the schemas of a version.
    fn join(&self, schemas: &BTreeMap<String, Schema>) -> Markers {
        const LAYERS: usize = 4;
        let mut markers = Markers::default();
        for (schema, of_schema) in schemas {
            let message = message_of_schema(schema);
            let is_list = |name: &str| name.strip_suffix("List").is_some_and(|item| self.lifecycle.contains_key(item));
            if let Some(lifecycle) = self.lifecycle.get(&message).filter(|_| !is_list(&message)) {
                markers.lifecycle.insert(schema.clone(), lifecycle.clone());
            }
            for (name, field) in self.fields(&message, LAYERS) {
                if !of_schema.properties.contains_key(name) {
                    continue;
                }
                if field.is_deprecated {
                    markers.deprecated.entry(schema.clone()).or_default().insert(name.to_owned());
                }
                if !field.gates.is_empty() {
                    let gated = markers.gated.entry(schema.clone()).or_default();
                    gated.insert(name.to_owned(), field.gates.clone());
                }
                let of = self.resolve(&field.of);
                if self.enums.contains(of) {
                    let of_enum = markers.enums.entry(schema_of_message(of)).or_insert_with(|| self.values(of));
                    of_enum.fields.insert(format!("{schema}.{name}"));
                }
            }
        }
        markers
    }

    fn values(&self, of: &str) -> Values {
        let mut values = Values::default();
        for (value, gates) in self.values.get(of).into_iter().flatten() {
            let value = match value {
                Const::Other(name) => self.constants.get(name).unwrap_or(value),
                Const::Text(_) => value,
            };
            // What is no text in the end, no value of a string can be.
            let Const::Text(value) = value else { continue };
            values.values.insert(value.clone());
            if !gates.is_empty() {
                values.gated.insert(value.clone(), gates.clone());
            }
        }
        values
    }
}

/// The name as `OpenAPI` has it: the host's parts stand in another order.
fn schema_of_message(message: &str) -> String {
    message.strip_prefix("k8s.io.").map_or_else(|| message.to_owned(), |rest| format!("io.k8s.{rest}"))
}

/// Reads a line of a struct; nothing if JSON does not have it.
fn field(line: &str, doc: &[&str], package: &str, imports: &BTreeMap<&str, String>) -> Option<Field> {
    let (declaration, rest) = line.split_once('`')?;
    let json_tag = tag(rest, "json")?;
    let name = json_tag.split(',').next().filter(|name| !name.is_empty());
    let of = declaration.split_whitespace().nth(usize::from(name.is_some()))?;
    if name == Some("-") {
        return None;
    }
    Some(Field {
        is_deprecated: is_deprecated(name.unwrap_or_default(), doc),
        name: name.map(str::to_owned),
        of: full(of, package, imports),
        gates: gates_of(doc),
    })
}

/// Whether somebody should stop using a field: its name or a paragraph of its comment begins with that.
fn is_deprecated(name: &str, doc: &[&str]) -> bool {
    const WORD: &str = "deprecated";
    let says_so = |line: &&str| {
        let (word, rest) = line.split_at_checked(WORD.len()).unwrap_or(("", ""));
        word.eq_ignore_ascii_case(WORD) && rest.starts_with([':', '.'])
    };
    let is_called_so = name.strip_prefix(WORD).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    is_called_so || doc.iter().any(says_so)
}

/// A constant's type and value, of which `Mode("Old")` has both.
fn converted<'a>(of: &'a str, value: &'a str) -> (&'a str, &'a str) {
    match value.split_once('(') {
        Some((of, rest)) if !value.starts_with('"') => (of.trim(), rest.split(')').next().unwrap_or(rest)),
        _ => (of, value),
    }
}

/// A type without pointers, lists and maps, with its package.
fn full(of: &str, package: &str, imports: &BTreeMap<&str, String>) -> String {
    let name = of.rsplit([']', '*']).next().unwrap_or(of);
    match name.split_once('.') {
        Some((alias, name)) => match imports.get(alias) {
            Some(package) => format!("{package}.{name}"),
            None => format!("{alias}.{name}"),
        },
        None => format!("{package}.{name}"),
    }
}

/// The gates that a comment names.
fn gates_of(doc: &[&str]) -> Vec<String> {
    let lists = doc.iter().filter_map(|line| line.strip_prefix("+featureGate="));
    let gates: BTreeSet<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    gates.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::node::Node;

    const TYPES: &str = "package v1

import meta \"k8s.io/apimachinery/pkg/apis/meta/v1\"

// +enum
type Mode string

const (
\tOld Mode = \"Old\"
\tOlder = Mode(\"Older\")
\tOther = Mode(Some)
\t// +featureGate=NewMode
\tNew Mode = \"New\"
)

// Not an enum.
type Other string

const Some Other = \"Some\"

type Spec struct {
\t// +featureGate=Modes,Gone
\tModes map[string][]*Mode `json:\"modes,omitempty\"`
\tSource `json:\",inline\"`
\tOther Other `json:\"other\"`
\tmeta.TypeMeta `json:\",inline\"`
\tHidden Mode `json:\"-\"`
}

type Source struct {
\t// Path is one.
\t//
\t// Deprecated: use another.
\tPath string `json:\"path\"`
\tMode Mode `json:\"mode\"`
}
";
    const GATES: &str = "\tModes: {\n\t\t{Version: version.MustParse(\"1.36\"), Default: false, PreRelease: \
        featuregate.Alpha},\n\t},\n\tNewMode: {\n\t\t{Version: version.MustParse(\"1.36\"), Default: true, PreRelease: \
        featuregate.GA},\n\t},\n";
    const RELEASES: &str = "func (in *Spec) APILifecycleRemoved() (major, minor int) {\n\treturn 1, 38\n}\n\
        func (in *SpecList) APILifecycleRemoved() (major, minor int) {\n\treturn 1, 38\n}\n";

    fn markers() -> Markers {
        let packages = BTreeMap::from([("a".to_owned(), "k8s.io.api.x.v1".to_owned())]);
        let files =
            [("a/types.go", TYPES), ("a/zz_generated.prerelease-lifecycle.go", RELEASES), ("b/types.go", TYPES)];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let sources = GoSources { packages: &packages, files: &files, gates: ("features.go", GATES) };
        let properties = ["modes", "path", "mode", "other"].map(|name| (name.to_owned(), Schema::default()));
        let spec = Schema { properties: properties.into(), ..Schema::default() };
        let schemas = ["Spec", "SpecList", "Unknown"].map(|name| (format!("io.k8s.api.x.v1.{name}"), spec.clone()));
        Markers::take_in(&sources, "1.37.2".parse().unwrap(), &schemas.into()).unwrap()
    }

    #[test]
    fn what_is_marked_is_found_by_schema_and_property() {
        let markers = markers();
        let spec = "io.k8s.api.x.v1.Spec";
        assert_eq!(markers.deprecated[spec], BTreeSet::from(["path".to_owned()]));
        let mode = &markers.enums["io.k8s.api.x.v1.Mode"];
        assert_eq!(markers.enums.len(), 1);
        assert_eq!(mode.values, BTreeSet::from(["New", "Old", "Older", "Some"].map(str::to_owned)));
        assert_eq!(mode.fields, BTreeSet::from([format!("{spec}.mode"), format!("{spec}.modes")]));
        assert_eq!(markers.lifecycle.keys().collect::<Vec<_>>(), [spec]);
        assert_eq!(markers.lifecycle[spec].removed, Some(Release { major: 1, minor: 38 }));
    }

    #[test]
    fn gates_that_are_open_for_good_guard_nothing() {
        let markers = markers();
        let gated = BTreeMap::from([("modes".to_owned(), vec!["Modes".to_owned()])]);
        assert_eq!(markers.gated["io.k8s.api.x.v1.Spec"], gated);
        assert_eq!(markers.gates.keys().collect::<Vec<_>>(), ["Modes", "NewMode"]);
        assert!(markers.enums["io.k8s.api.x.v1.Mode"].gated.is_empty());
    }

    #[test]
    fn what_is_taken_in_reads_back_as_stored() {
        let markers = markers();
        let stored = serde_json::from_str(&markers.stored()).unwrap();
        assert_eq!(Markers::load(&Node::root(super::super::FILE, &stored)), Ok(markers));
    }
}
