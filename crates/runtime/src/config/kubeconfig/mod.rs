//! The kubeconfig format, read as leniently as client-go reads it, and the merging of several files.
//!
//! Missing, null and unknown fields are fine, and so is an empty file. What is not YAML, not a kubeconfig, or names an
//! entry twice is an error.

use std::{
    collections::{BTreeMap, btree_map},
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub(super) mod connection;
pub(super) mod duration;
pub(super) mod editor;
pub(super) mod entries;
pub(super) mod located;
pub(super) mod overrides;
pub(super) mod resolve;
mod user;

use self::entries::{Cluster, Context, User};
use crate::{
    config::yaml::{self, Encoding},
    error::{Error, Result},
    file,
    text::non_empty,
};

/// One or several kubeconfig files, merged.
#[derive(Default)]
pub(in crate::config) struct Kubeconfig {
    /// The files that were there, in order of precedence.
    pub(in crate::config) files: Vec<PathBuf>,
    pub(in crate::config) current_context: Option<String>,
    pub(in crate::config) clusters: Entries<Cluster>,
    pub(in crate::config) users: Entries<User>,
    pub(in crate::config) contexts: Entries<Context>,
}

pub(in crate::config) type Entries<T> = BTreeMap<String, Entry<T>>;

/// An entry and the file that it is from, which its relative paths are relative to.
pub(in crate::config) struct Entry<T> {
    pub(in crate::config) file: Option<PathBuf>,
    pub(in crate::config) value: T,
}

/// A file as it is written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    #[serde(rename = "apiVersion")]
    api_version: Option<String>,
    kind: Option<String>,
    #[serde(rename = "current-context")]
    current_context: Option<String>,
    clusters: Option<Vec<Option<Named<Cluster>>>>,
    users: Option<Vec<Option<Named<User>>>>,
    contexts: Option<Vec<Option<Named<Context>>>>,
}

#[derive(Deserialize)]
struct Named<T> {
    name: Option<String>,
    #[serde(alias = "cluster", alias = "user", alias = "context")]
    value: Option<T>,
}

impl Kubeconfig {
    /// Reads one file, if it exists.
    pub(in crate::config) fn read(path: &Path) -> Result<Option<Self>> {
        let unreadable = |error| Error::config(file::shown(path)).with_source(error);
        let text = match file::read_chosen(path).and_then(yaml_text) {
            Ok((text, _)) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let path = std::path::absolute(path).map_err(unreadable)?;
        Self::parse(&text, Some(&path)).map(Some)
    }

    pub(in crate::config) fn parse(text: &str, file: Option<&Path>) -> Result<Self> {
        let wrong = |what: String| Error::config(format!("{}: {what}", describe_file(file)));
        // The messages for programmers name their functions and quote more.
        let shown = |error: serde_saphyr::Error| error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
        let (document, rest) = yaml::split(text);
        let document: Document = yaml::read(document)
            .map_err(|error| wrong(format!("cannot be read as YAML: {}", without_values(&shown(error)))))?;
        if yaml::is_more(rest) {
            tracing::warn!(file = describe_file(file), "only the first YAML document counts, as with kubectl");
        }
        if let Some(kind) = non_empty(document.kind.as_ref()).filter(|kind| *kind != "Config") {
            return Err(wrong(format!("is not a kubeconfig: its kind is {kind:?}, not \"Config\"")));
        }
        if let Some(version) = non_empty(document.api_version.as_ref()).filter(|version| *version != "v1") {
            return Err(wrong(format!("apiVersion is {version:?}; only \"v1\" is known")));
        }
        Ok(Self {
            files: file.map(Path::to_owned).into_iter().collect(),
            current_context: non_empty(document.current_context.as_ref()).map(str::to_owned),
            clusters: by_name("clusters", document.clusters, file).map_err(wrong)?,
            users: by_name("users", document.users, file).map_err(wrong)?,
            contexts: by_name("contexts", document.contexts, file).map_err(wrong)?,
        })
    }

    /// Adds what another file says. What is there already wins, entry by entry: entries are not mixed.
    pub(in crate::config) fn merge(&mut self, other: Self) {
        self.files.extend(other.files);
        self.current_context = self.current_context.take().or(other.current_context);
        merge_entries(&mut self.clusters, other.clusters);
        merge_entries(&mut self.users, other.users);
        merge_entries(&mut self.contexts, other.contexts);
    }

    /// Whether nothing was configured at all.
    pub(in crate::config) fn is_empty(&self) -> bool {
        self.current_context.is_none() && self.clusters.is_empty() && self.users.is_empty() && self.contexts.is_empty()
    }
}

/// The text of a kubeconfig and its encoding.
fn yaml_text(bytes: Vec<u8>) -> io::Result<(String, Encoding)> {
    let not_text = || io::Error::new(io::ErrorKind::InvalidData, "is not text in UTF-8, UTF-16 or UTF-32");
    yaml::decode(bytes).ok_or_else(not_text)
}

pub(in crate::config) fn describe_file(file: Option<&Path>) -> String {
    file.map_or_else(|| "kubeconfig".to_owned(), file::shown)
}

pub(in crate::config) fn describe_files(files: &[PathBuf]) -> String {
    match files {
        [] => describe_file(None),
        files => files.iter().map(|file| file::shown(file)).collect::<Vec<_>>().join(", "),
    }
}

/// serde quotes what it did not expect, which may be a secret in the wrong place.
fn without_values(message: &str) -> String {
    let mut shown = String::new();
    let mut rest = message;
    while let Some((before, quoted)) = rest.split_once("string \"") {
        shown.push_str(before);
        shown.push_str("a string");
        // Strings are quoted as by Debug: a quotation mark inside has a backslash before it.
        let mut escaped = false;
        let end = quoted.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        rest = end.map_or("", |end| &quoted[end + 1..]);
    }
    shown.push_str(rest);
    shown
}

fn by_name<T: Default>(
    list: &str,
    named: Option<Vec<Option<Named<T>>>>,
    file: Option<&Path>,
) -> Result<Entries<T>, String> {
    let mut entries = Entries::new();
    for Named { name, value } in named.into_iter().flatten().flatten() {
        match entries.entry(name.unwrap_or_default()) {
            btree_map::Entry::Occupied(entry) => {
                return Err(format!("{list} has two entries named {:?}; rename or remove one", entry.key()));
            }
            btree_map::Entry::Vacant(entry) => {
                entry.insert(Entry { file: file.map(Path::to_owned), value: value.unwrap_or_default() });
            }
        }
    }
    Ok(entries)
}

fn merge_entries<T>(entries: &mut Entries<T>, others: Entries<T>) {
    for (name, entry) in others {
        entries.entry(name).or_insert(entry);
    }
}
