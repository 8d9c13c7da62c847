//! What `groups.toml` says: the few names that the specs cannot give.
//!
//! Each entry carries a reason, and the generator fails on an entry that nothing in the specs needs any more.

use std::{cell::RefCell, collections::BTreeSet};

use serde::Deserialize;

use crate::{Error, model::identifier};

/// The policy of a run.
#[derive(Debug, Default)]
pub struct Policy {
    file: File,
    used: RefCell<BTreeSet<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "group")]
    groups: Vec<GroupEntry>,
    #[serde(default, rename = "subresource")]
    subresources: Vec<SubresourceEntry>,
    #[serde(default, rename = "method")]
    methods: Vec<MethodEntry>,
    #[serde(default, rename = "stream")]
    streams: Vec<StreamEntry>,
    #[serde(default, rename = "skip")]
    skips: Vec<SkipEntry>,
    #[serde(default, rename = "field")]
    fields: Vec<FieldEntry>,
    #[serde(default, rename = "omit")]
    omissions: Vec<OmitEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    name: String,
    #[serde(rename = "crate")]
    crate_name: String,
    client: Option<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubresourceEntry {
    name: String,
    words: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MethodEntry {
    verb: String,
    subresource: String,
    name: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamEntry {
    subresource: String,
    name: String,
    stream: Stream,
    docs: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SkipEntry {
    group: String,
    version: String,
    resource: String,
    subresource: Option<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEntry {
    name: String,
    words: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OmitEntry {
    schema: String,
    field: String,
    reason: String,
}

/// A method that opens a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMethod {
    /// The method's name.
    pub name: String,
    /// What it opens.
    pub stream: Stream,
    /// What its documentation says, with `{kind}` where the object's kind stands.
    pub docs: String,
}

/// The streams that the runtime has builders for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Stream {
    /// The log of a container.
    Logs,
    /// A command in a container.
    Exec,
    /// What runs in a container.
    Attach,
    /// Connections to ports.
    PortForward,
    /// Any HTTP request.
    Proxy,
}

impl Stream {
    /// The runtime's type that makes the request.
    pub(crate) fn builder(self) -> &'static str {
        match self {
            Self::Logs => "Logs",
            Self::Exec => "Exec",
            Self::Attach => "Attach",
            Self::PortForward => "PortForward",
            Self::Proxy => "ProxyRequest",
        }
    }
}

impl Policy {
    /// Reads `groups.toml`; `path` is for messages.
    ///
    /// # Errors
    ///
    /// When the text is not TOML of the expected form, an entry gives no reason, or a name cannot be one in Rust.
    pub fn parse(path: &str, text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|e| Error::file(path, e.to_string()))?;
        let policy = Self { file, used: RefCell::default() };
        if let Some((entry, _)) = policy.entries().into_iter().find(|(_, reason)| reason.trim().is_empty()) {
            return Err(Error::at(path, entry, "the reason is empty; say why the entry is needed"));
        }
        for (entry, name) in policy.names() {
            if identifier(name).as_deref() != Ok(name) {
                return Err(Error::at(path, entry, format!("`{name}` cannot be a name in Rust")));
            }
        }
        Ok(policy)
    }

    /// The names that entries give, with the entries.
    fn names(&self) -> Vec<(String, &str)> {
        let file = &self.file;
        let mut names = Vec::new();
        names.extend(file.groups.iter().map(|e| (group_key(e), e.crate_name.as_str())));
        names.extend(file.subresources.iter().map(|e| (subresource_key(e), e.words.as_str())));
        names.extend(file.methods.iter().map(|e| (method_key(e), e.name.as_str())));
        names.extend(file.streams.iter().map(|e| (stream_key(e), e.name.as_str())));
        names.extend(file.fields.iter().map(|e| (field_key(e), e.words.as_str())));
        names
    }

    /// The crate of a group and the first part of its clients' names, if it is named otherwise than its first label.
    pub(crate) fn group(&self, name: &str) -> (String, Option<String>) {
        match self.file.groups.iter().find(|g| g.name == name) {
            Some(group) => {
                self.mark(group_key(group));
                (group.crate_name.clone(), group.client.clone())
            }
            None => (name.split('.').next().unwrap_or(name).replace('-', "_"), None),
        }
    }

    /// How a subresource is written in a method's name.
    pub(crate) fn words(&self, subresource: &str) -> String {
        match self.file.subresources.iter().find(|s| s.name == subresource) {
            Some(entry) => {
                self.mark(subresource_key(entry));
                entry.words.clone()
            }
            None => subresource.replace(['-', '/'], "_"),
        }
    }

    /// The name of the method for a verb on a subresource.
    pub(crate) fn method(&self, verb: &str, subresource: &str) -> String {
        match self.file.methods.iter().find(|m| m.verb == verb && m.subresource == subresource) {
            Some(entry) => {
                self.mark(method_key(entry));
                entry.name.clone()
            }
            None => format!("{verb}_{}", self.words(subresource)),
        }
    }

    /// The stream that a subresource is, if it is one.
    pub(crate) fn stream(&self, subresource: &str) -> Option<StreamMethod> {
        let entry = self.file.streams.iter().find(|s| s.subresource == subresource)?;
        self.mark(stream_key(entry));
        Some(StreamMethod { name: entry.name.clone(), stream: entry.stream, docs: entry.docs.clone() })
    }

    /// Whether a resource, or one subresource of it, is left out.
    pub(crate) fn skips(&self, group: &str, version: &str, resource: &str, subresource: Option<&str>) -> bool {
        let entry = self.file.skips.iter().find(|s| {
            s.group == group
                && s.version == version
                && s.resource == resource
                && (s.subresource.is_none() || s.subresource.as_deref() == subresource)
        });
        if let Some(entry) = entry {
            self.mark(skip_key(entry));
        }
        entry.is_some()
    }

    /// The name in Rust of a field of this name, if its letters do not give it.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let entry = self.file.fields.iter().find(|entry| entry.name == name)?;
        self.mark(field_key(entry));
        Some(entry.words.clone())
    }

    /// Whether apply configurations of a type lack a field.
    pub(crate) fn omits(&self, schema: &str, field: &str) -> bool {
        let entry = self.file.omissions.iter().find(|entry| entry.schema == schema && entry.field == field);
        if let Some(entry) = entry {
            self.mark(omit_key(entry));
        }
        entry.is_some()
    }

    /// Fails on the first entry that nothing asked for since the policy was read.
    pub(crate) fn check_all_used(&self) -> Result<(), Error> {
        let used = self.used.borrow();
        match self.entries().into_iter().find(|(entry, _)| !used.contains(entry)) {
            Some((entry, _)) => Err(Error::at("groups.toml", entry, "nothing in the specs needs it; remove it")),
            None => Ok(()),
        }
    }

    fn mark(&self, key: String) {
        self.used.borrow_mut().insert(key);
    }

    /// Every entry's name and reason.
    fn entries(&self) -> Vec<(String, &str)> {
        let file = &self.file;
        let mut entries = Vec::new();
        entries.extend(file.groups.iter().map(|e| (group_key(e), e.reason.as_str())));
        entries.extend(file.subresources.iter().map(|e| (subresource_key(e), e.reason.as_str())));
        entries.extend(file.methods.iter().map(|e| (method_key(e), e.reason.as_str())));
        entries.extend(file.streams.iter().map(|e| (stream_key(e), e.reason.as_str())));
        entries.extend(file.skips.iter().map(|e| (skip_key(e), e.reason.as_str())));
        entries.extend(file.fields.iter().map(|e| (field_key(e), e.reason.as_str())));
        entries.extend(file.omissions.iter().map(|e| (omit_key(e), e.reason.as_str())));
        entries
    }
}

fn group_key(entry: &GroupEntry) -> String {
    format!("group {:?}", entry.name)
}

fn subresource_key(entry: &SubresourceEntry) -> String {
    format!("subresource {:?}", entry.name)
}

fn method_key(entry: &MethodEntry) -> String {
    format!("method {:?} of {:?}", entry.verb, entry.subresource)
}

fn stream_key(entry: &StreamEntry) -> String {
    format!("stream {:?}", entry.subresource)
}

fn skip_key(entry: &SkipEntry) -> String {
    let subresource = entry.subresource.as_deref().map(|s| format!("/{s}")).unwrap_or_default();
    format!("skip {:?}/{} {}{subresource}", entry.group, entry.version, entry.resource)
}

fn field_key(entry: &FieldEntry) -> String {
    format!("field {:?}", entry.name)
}

fn omit_key(entry: &OmitEntry) -> String {
    format!("omit {:?} of {}", entry.field, entry.schema)
}
