//! How the types of a version are called, and the file that keeps their names as they are.
//!
//! A type is called after its kind and as much of the way to it as tells it from others: `CertificateIssuerRef`. When
//! a field is added somewhere, another type may come first for such a name. So names are written to a file, which is
//! read the next time: a type keeps its name as long as one of the places is there where it stood.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    identifiers::{is_reserved, kind, pascal, singular},
    types::{Path, Step, Types, written},
};
use crate::{Error, emit::CRD_HEADER};

/// The names file of a group: names and the places of what is called so, by version and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    versions: BTreeMap<String, BTreeMap<String, OfKind>>,
}

/// The names of a kind's types, with their places.
type OfKind = BTreeMap<String, Vec<String>>;

/// The name of the file.
pub const NAMES_FILE: &str = "names.toml";

impl Names {
    /// Reads a names file; `file` is for messages.
    ///
    /// # Errors
    ///
    /// When the text is not TOML of the expected form, or a name cannot be that of a type.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let wrong = |error: toml::de::Error| Error::file(file, format!("is not a names file: {}", error.message()));
        let versions: BTreeMap<String, BTreeMap<String, OfKind>> = toml::from_str(text).map_err(wrong)?;
        for (version, kinds) in &versions {
            for (kind, names) in kinds {
                let is_type = |name: &&String| crate::model::type_name(name).is_ok() && !is_reserved(name);
                if let Some(name) = names.keys().find(|name| !is_type(name)) {
                    let message = format!("`{}` cannot be the name of a type; choose another one", name.escape_debug());
                    return Err(Error::at(file, format!("[{version}.{kind}]"), message));
                }
            }
        }
        Ok(Self { versions })
    }

    /// The text of the file.
    pub fn text(&self, group: &str) -> String {
        let mut text = format!(
            "# {CRD_HEADER} the definitions of {group}.\n#\n# The types of each version, and the fields that have them. A type \
             keeps its name as long as one of its\n# fields is there. To rename a type, change its name here and generate again.\n"
        );
        let kinds =
            self.versions.iter().flat_map(|(version, kinds)| kinds.iter().map(move |(kind, it)| (version, kind, it)));
        for (version, kind, names) in kinds {
            let _ = write!(text, "\n[{version}.{kind}]\n");
            for (name, places) in names {
                let places: Vec<String> = places.iter().map(|place| toml_text(place)).collect();
                let line = format!("{name} = [{}]", places.join(", "));
                if line.len() <= 120 {
                    text.push_str(&line);
                    text.push('\n');
                } else {
                    let _ = writeln!(text, "{name} = [");
                    for place in &places {
                        let _ = writeln!(text, "    {place},");
                    }
                    text.push_str("]\n");
                }
            }
        }
        text
    }
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The names of one kind's types.
pub(super) struct Named {
    pub(super) structs: Vec<String>,
    pub(super) enums: Vec<String>,
}

/// Names types, version by version.
pub(super) struct Naming<'a> {
    known: &'a Names,
    /// The names as they are now.
    pub(super) names: Names,
    taken: BTreeMap<String, BTreeSet<String>>,
}

/// A struct or an enum.
#[derive(Clone, Copy)]
enum Index {
    Struct(usize),
    Enum(usize),
}

impl<'a> Naming<'a> {
    pub(super) fn new(known: &'a Names) -> Self {
        Self { known, names: Names::default(), taken: BTreeMap::new() }
    }

    /// Takes the name of a kind's own type, before any type is named after what it stands in.
    pub(super) fn reserve(&mut self, version: &str, name: &str) -> bool {
        self.taken.entry(version.to_owned()).or_default().insert(name.to_owned())
    }

    /// Names the types of a kind, whose own is `root`.
    pub(super) fn name(&mut self, version: &str, kind_name: &str, types: &Types, root: usize) -> Named {
        let of_version = self.known.versions.get(version);
        let known = of_version.and_then(|kinds| kinds.get(kind_name));
        let is_anothers = |name: &String| {
            let mut others = of_version.into_iter().flatten().filter(|(kind, _)| *kind != kind_name);
            others.any(|(_, names)| names.contains_key(name))
        };
        let taken = self.taken.entry(version.to_owned()).or_default();
        let mut open: Vec<(Vec<&Path>, Index)> = Vec::new();
        for (index, shared) in types.structs.iter().enumerate().filter(|(index, _)| *index != root) {
            open.push((shared.paths.iter().collect(), Index::Struct(index)));
        }
        open.extend(types.enums.iter().enumerate().map(|(index, it)| (it.paths.iter().collect(), Index::Enum(index))));
        for (paths, _) in &mut open {
            paths.sort_by_key(|path| (path.len(), written(path)));
        }
        // Those nearer to the root have the shorter names.
        open.sort_by_key(|(paths, _)| paths.first().map(|path| (path.len(), written(path))));

        let mut named =
            Named { structs: vec![String::new(); types.structs.len()], enums: vec![String::new(); types.enums.len()] };
        named.structs[root] = kind(kind_name);
        let mut names_now = OfKind::new();
        let mut give = |name: String, paths: &[&Path], index: Index| {
            names_now.insert(name.clone(), paths.iter().map(|path| written(path)).collect());
            match index {
                Index::Struct(index) => named.structs[index] = name,
                Index::Enum(index) => named.enums[index] = name,
            }
        };
        // What has a name keeps it: that of the first of its places that is in the file.
        let name_of_place: BTreeMap<&str, &String> = known
            .into_iter()
            .flatten()
            .flat_map(|(name, places)| places.iter().map(move |place| (place.as_str(), name)))
            .collect();
        let mut fresh = Vec::new();
        for (paths, index) in open {
            let name = paths.iter().find_map(|path| name_of_place.get(written(path).as_str())).copied();
            match name.filter(|name| taken.insert((*name).clone())) {
                Some(name) => give(name.clone(), &paths, index),
                None => fresh.push((paths, index)),
            }
        }
        for (paths, index) in fresh {
            let words = paths.first().map(|path| words(path)).unwrap_or_default();
            let kind = kind(kind_name);
            let longer = (1..=words.len()).map(|count| format!("{kind}{}", words[words.len() - count..].concat()));
            let longer: Vec<String> = longer.take_while(|name| name.len() <= LONGEST).collect();
            let longest = longer.last().unwrap_or(&kind);
            let numbered = (2_usize..).map(|number| format!("{longest}{number}"));
            let free = |name: &String| !taken.contains(name) && !is_reserved(name) && !is_anothers(name);
            let name = longer.iter().cloned().chain(numbered).find(free).unwrap_or_default();
            taken.insert(name.clone());
            give(name, &paths, index);
        }
        if !names_now.is_empty() {
            self.names.versions.entry(version.to_owned()).or_default().insert(kind_name.to_owned(), names_now);
        }
        named
    }
}

/// The most letters of a type's name: rustdoc writes a file that is called after it and what is put around it, and file
/// systems take 255.
const LONGEST: usize = 160;

/// The most letters of one of its words, so that a kind, of 63 letters at most, and the last word always fit.
const LONGEST_WORD: usize = 60;

/// The words of the properties on a way; what stands in a list or a map is one of several.
fn words(path: &Path) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut steps = path.iter().peekable();
    while let Some(step) = steps.next() {
        let Step::Property(name) = step else { continue };
        let name: String = pascal(name).chars().take(LONGEST_WORD).collect();
        let word = if matches!(steps.peek(), Some(Step::Item | Step::Entry)) { singular(&name) } else { name };
        words.push(if word.is_empty() { "Field".to_owned() } else { word });
    }
    words
}
