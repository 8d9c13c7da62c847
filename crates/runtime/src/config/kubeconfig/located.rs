//! Where in a configuration something stands, and all that is wrong in it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Entry, describe_file};
use crate::{
    config::PemSource,
    error::{Error, Result},
    text::non_empty,
};

/// An entry and how to name it in an error: `/home/me/.kube/config: user "me"`.
pub(in crate::config) struct Located<'a, T> {
    name: String,
    label: String,
    file: Option<&'a Path>,
    pub(in crate::config) value: &'a T,
}

impl<'a, T> Located<'a, T> {
    /// An entry of a kubeconfig.
    pub(in crate::config) fn of_entry(kind: &str, name: &str, entry: &'a Entry<T>) -> Self {
        let file = entry.file.as_deref();
        let label = format!("{}: {kind} {name:?}", describe_file(file));
        Self { name: name.to_owned(), label, file, value: &entry.value }
    }

    /// An entry that is in no file.
    pub(in crate::config) fn made(label: &str, value: &'a T) -> Self {
        Self { name: String::new(), label: label.to_owned(), file: None, value }
    }

    /// The name of the entry; empty if it is in no file.
    pub(in crate::config) fn name(&self) -> &str {
        &self.name
    }

    /// The file that the entry is in.
    pub(in crate::config) fn file(&self) -> Option<&'a Path> {
        self.file
    }

    /// A path of the entry: relative ones are relative to the folder of their file.
    pub(in crate::config) fn resolve(&self, path: &str) -> PathBuf {
        match self.file.and_then(Path::parent) {
            Some(folder) => folder.join(path),
            None => PathBuf::from(path),
        }
    }

    /// PEM from one of the two fields `name` and `name-data`, with the name of the field.
    pub(in crate::config) fn pem(
        &self,
        name: &str,
        path: Option<&String>,
        data: Option<&String>,
        problems: &mut Problems,
    ) -> Result<Option<(String, PemSource)>, Malformed> {
        let Some(data) = non_empty(data) else {
            let file = |path| (format!("{self}: {name}"), PemSource::File(self.resolve(path)));
            return Ok(non_empty(path).map(file));
        };
        if non_empty(path).is_some() {
            problems.add(format!("{self}: {name} and {name}-data are both set; remove one"));
        }
        let field = format!("{self}: {name}-data");
        let compact: String = data.split_ascii_whitespace().collect();
        // Neither the text nor the decoder's error is shown: both may tell something of a key.
        let Ok(bytes) = BASE64_STANDARD.decode(compact) else {
            let hint = if data.contains("-----BEGIN") {
                format!("; PEM goes into a file named by {name}")
            } else {
                String::new()
            };
            problems.add(format!("{field}: is not base64{hint}"));
            return Err(Malformed);
        };
        Ok(Some((field, PemSource::text(String::from_utf8_lossy(&bytes)))))
    }
}

impl<T> fmt::Display for Located<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// A field that is there and no good, which is among the [`Problems`] already.
pub(in crate::config) struct Malformed;

/// All that is wrong, to be said at once.
#[derive(Default)]
pub(in crate::config) struct Problems(Vec<String>);

impl Problems {
    pub(in crate::config) fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// The value, or nothing and one problem more.
    pub(in crate::config) fn check<T>(&mut self, place: &str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(format!("{place}: {error}"))).ok()
    }

    pub(in crate::config) fn or<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::config(self.0.join("; "))),
        }
    }
}
