//! Changing kubeconfig files: [`KubeconfigEditor`], client-go's `ModifyConfig`.

use std::{
    collections::{BTreeSet, HashSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

mod lock;
mod replace;

use self::{lock::Lock, replace::replace};
use super::{Kubeconfig, describe_files, resolve::what_there_is, yaml_text};
use crate::{
    config::yaml::{self, Encoding, Step},
    error::{Error, Result},
    file,
};

/// Changes kubeconfig files as `kubectl config` does.
///
/// Changes are collected and made by [`save`](Self::save): each in the file that its entry is from, on what the file
/// says at that moment. What is not changed stays as it is, with comments, order, quotes and fields that this library
/// does not know. Relative paths in new entries are relative to their file.
///
/// ```no_run
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, KubeconfigSection};
///
/// Config::loader()
///     .editor()?
///     .put(KubeconfigSection::Contexts, "staging", [("cluster", "staging"), ("user", "me")])
///     .use_context("staging")
///     .set_namespace("staging", "shop")
///     .save()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "changes are made by `save`"]
pub struct KubeconfigEditor {
    /// In order of precedence.
    paths: Vec<PathBuf>,
    changes: Vec<Change>,
}

/// A section of a kubeconfig: a list of named entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KubeconfigSection {
    /// `clusters`, whose entries have a `cluster`.
    Clusters,
    /// `users`, whose entries have a `user`.
    Users,
    /// `contexts`, whose entries have a `context`.
    Contexts,
}

#[derive(Clone)]
enum Change {
    CurrentContext(String),
    Put { section: KubeconfigSection, name: String, fields: Value },
    Set { section: KubeconfigSection, name: String, path: Vec<String>, value: SecretString },
    Remove { section: KubeconfigSection, name: String },
}

impl KubeconfigEditor {
    /// Changes this file. It is made if it does not exist.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of_files(vec![path.into()])
    }

    pub(in crate::config) fn of_files(paths: Vec<PathBuf>) -> Self {
        Self { paths, changes: Vec::new() }
    }

    /// Makes a context the current one. An empty name makes none current.
    ///
    /// Of several files, client-go's default one is changed, since it has precedence.
    pub fn use_context(self, name: impl Into<String>) -> Self {
        self.with(Change::CurrentContext(name.into()))
    }

    /// Makes a context mean this cluster.
    pub fn set_cluster(self, context: &str, cluster: &str) -> Self {
        self.set(KubeconfigSection::Contexts, context, &["cluster"], cluster)
    }

    /// Makes a context mean this user.
    pub fn set_user(self, context: &str, user: &str) -> Self {
        self.set(KubeconfigSection::Contexts, context, &["user"], user)
    }

    /// Makes a context mean this namespace.
    pub fn set_namespace(self, context: &str, namespace: &str) -> Self {
        self.set(KubeconfigSection::Contexts, context, &["namespace"], namespace)
    }

    /// Gives a user this token.
    pub fn set_token(self, user: &str, token: &SecretString) -> Self {
        self.set(KubeconfigSection::Users, user, &["token"], token.expose_secret())
    }

    /// Gives the `auth-provider` of a user this value, such as `id-token`.
    pub fn set_auth_provider_value(self, user: &str, key: &str, value: &SecretString) -> Self {
        self.set(KubeconfigSection::Users, user, &["auth-provider", "config", key], value.expose_secret())
    }

    /// Adds an entry with these fields, or gives the entry of this name these fields and no others.
    ///
    /// The fields are named as in a kubeconfig: `server`, `certificate-authority-data`, `tokenFile`.
    pub fn put<K: Into<String>, V: Into<Value>>(
        self,
        section: KubeconfigSection,
        name: impl Into<String>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let fields: Map<_, _> = fields.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.with(Change::Put { section, name: name.into(), fields: Value::Object(fields) })
    }

    /// Removes an entry, from every file that has one of this name.
    pub fn remove(self, section: KubeconfigSection, name: impl Into<String>) -> Self {
        self.with(Change::Remove { section, name: name.into() })
    }

    /// Makes the changes, in the order in which they were asked for. Either all are made, or an error says why none is,
    /// unless writing fails between two files.
    ///
    /// Files are locked by a file `<name>.lock` beside them, as kubectl's are, which is waited for up to five seconds,
    /// and replaced in one step; one that is mounted by itself is written in place. New files can be read by their
    /// owner only. This blocks its thread.
    pub fn save(&self) -> Result<()> {
        let default = self.default_file();
        let lockable = self.paths.iter().map(PathBuf::as_path).filter(|path| path.exists() || *path == default);
        let _locks = Lock::take_all(lockable)?;
        let mut files =
            self.files().into_iter().map(|path| Draft::read(path, path == default)).collect::<Result<Vec<_>>>()?;
        for change in &self.changes {
            change.apply(&mut files)?;
        }
        for file in files.iter().filter(|file| file.changed) {
            // What other programs could not read is not written.
            Kubeconfig::parse(&file.text, Some(file.path))?;
        }
        let mut changed = files.iter().filter(|file| file.changed);
        changed.try_for_each(|file| replace(file.path, &file.encoding.encode(&file.text)))
    }

    fn set(self, section: KubeconfigSection, name: &str, path: &[&str], value: &str) -> Self {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        self.with(Change::Set { section, name: name.to_owned(), path, value: SecretString::from(value) })
    }

    fn with(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// The paths, of several that lead to one file the first: two texts of one file would undo each other.
    fn files(&self) -> Vec<&Path> {
        let mut seen = HashSet::new();
        let is_new = |path: &&Path| fs::canonicalize(path).map_or(true, |file| seen.insert(file));
        self.paths.iter().map(PathBuf::as_path).filter(is_new).collect()
    }

    /// Where client-go writes what is new: the first file that exists, or else the last one.
    fn default_file(&self) -> &Path {
        let existing = self.paths.iter().find(|path| path.exists());
        existing.or(self.paths.last()).map_or(Path::new(""), PathBuf::as_path)
    }
}

/// Names the files. What is to be written may be secret.
impl fmt::Debug for KubeconfigEditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeconfigEditor").field("paths", &self.paths).field("changes", &self.changes.len()).finish()
    }
}

impl KubeconfigSection {
    fn key(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Users => "users",
            Self::Contexts => "contexts",
        }
    }

    /// What one of its entries is called, and the key of its fields.
    fn kind(self) -> &'static str {
        match self {
            Self::Clusters => "cluster",
            Self::Users => "user",
            Self::Contexts => "context",
        }
    }
}

/// A file and the text that it is to have.
struct Draft<'a> {
    path: &'a Path,
    is_default: bool,
    text: String,
    encoding: Encoding,
    value: Value,
    changed: bool,
}

impl<'a> Draft<'a> {
    fn read(path: &'a Path, is_default: bool) -> Result<Self> {
        let (text, encoding) = match file::read(path).and_then(yaml_text) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound => (NEW_FILE.to_owned(), Encoding::Utf8),
            Err(error) => return Err(Error::config(file::shown(path)).with_source(error)),
        };
        // What is not understood is not changed either.
        Kubeconfig::parse(&text, Some(path))?;
        let value = yaml::parse(&text).map_err(|what| Error::config(format!("{}: {what}", file::shown(path))))?;
        Ok(Self { path, is_default, text, encoding, value, changed: false })
    }

    fn has(&self, section: KubeconfigSection, name: &str) -> bool {
        self.names(section).any(|found| found == name)
    }

    fn names(&self, section: KubeconfigSection) -> impl Iterator<Item = String> {
        let items = self.value.get(section.key()).and_then(Value::as_array).into_iter().flatten();
        items.filter(|item| !item.is_null()).map(|item| yaml::name(item).to_owned())
    }

    fn current_context(&self) -> &str {
        self.value.get("current-context").and_then(Value::as_str).unwrap_or_default()
    }

    fn set(&mut self, path: &[Step<'_>], value: &Value) -> Result<()> {
        let text = yaml::set(&self.text, path, value);
        self.take(text)
    }

    fn take(&mut self, text: Result<String, String>) -> Result<()> {
        let path = self.path;
        let wrong = |what: String| Error::config(format!("{}: {what}", file::shown(path)));
        self.text = text.map_err(wrong)?;
        self.value = yaml::parse(&self.text).map_err(wrong)?;
        self.changed = true;
        Ok(())
    }
}

/// What stands in a kubeconfig before its entries.
const NEW_FILE: &str = "apiVersion: v1\nkind: Config\n";

impl Change {
    fn apply(&self, files: &mut [Draft<'_>]) -> Result<()> {
        match self {
            Self::CurrentContext(name) => use_context(files, name),
            Self::Put { section, name, fields } => {
                let index = files.iter().position(|file| file.has(*section, name));
                let index = index.or_else(|| files.iter().position(|file| file.is_default));
                let Some(file) = index.and_then(|index| files.get_mut(index)) else { return Ok(()) };
                file.set(&[Step::Key(section.key()), Step::Named(name), Step::Key(section.kind())], fields)
            }
            Self::Set { section, name, path, value } => {
                let missing = does_not_exist(files, *section, name);
                let file = files.iter_mut().find(|file| file.has(*section, name)).ok_or(missing)?;
                let mut steps = vec![Step::Key(section.key()), Step::Named(name), Step::Key(section.kind())];
                steps.extend(path.iter().map(|key| Step::Key(key)));
                file.set(&steps, &Value::from(value.expose_secret()))
            }
            Self::Remove { section, name } => {
                let missing = does_not_exist(files, *section, name);
                let mut having = files.iter_mut().filter(|file| file.has(*section, name)).peekable();
                if having.peek().is_none() {
                    return Err(missing);
                }
                having.try_for_each(|file| {
                    let text = yaml::remove(&file.text, &[Step::Key(section.key()), Step::Named(name)]);
                    file.take(text)
                })
            }
        }
    }
}

fn use_context(files: &mut [Draft<'_>], name: &str) -> Result<()> {
    let path = [Step::Key("current-context")];
    if name.is_empty() {
        // Wherever one is left, it would be the current one then.
        let mut having = files.iter_mut().filter(|file| !file.current_context().is_empty());
        return having.try_for_each(|file| file.set(&path, &Value::from("")));
    }
    if !files.iter().any(|file| file.has(KubeconfigSection::Contexts, name)) {
        return Err(does_not_exist(files, KubeconfigSection::Contexts, name));
    }
    let current = files.iter().map(Draft::current_context).find(|current| !current.is_empty());
    if current == Some(name) {
        return Ok(());
    }
    files.iter_mut().filter(|file| file.is_default).try_for_each(|file| file.set(&path, &Value::from(name)))
}

fn does_not_exist(files: &[Draft<'_>], section: KubeconfigSection, name: &str) -> Error {
    let names: BTreeSet<_> = files.iter().flat_map(|file| file.names(section)).collect();
    let paths: Vec<_> = files.iter().map(|file| file.path.to_owned()).collect();
    let there_is = what_there_is(names.iter());
    Error::config(format!("{} {name:?} does not exist in {}; {there_is}", section.kind(), describe_files(&paths)))
}
