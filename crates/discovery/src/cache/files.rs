//! Files that several processes read and write.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_client_runtime::{file, schema::GroupVersion};
use serde::Serialize;

use crate::wire::{Entry, Problem};

/// The file that names the groups.
pub(super) const GROUPS: &str = "servergroups.json";

/// The file of a group-version. None for a name that could lead out of the folder, which no server in its right mind
/// has.
pub(super) fn resources_file(group_version: &GroupVersion) -> Option<PathBuf> {
    let GroupVersion { group, version } = group_version;
    let harmless = |name: &str| !matches!(name, "." | "..") && !name.contains(['/', '\\', ':', '\0']);
    let file = Path::new(group).join(version).join("serverresources.json");
    (harmless(group) && harmless(version) && !version.is_empty()).then_some(file)
}

/// A folder of JSON files that live for a while.
#[derive(Clone, Debug)]
pub(super) struct Files {
    directory: PathBuf,
    time_to_live: Duration,
}

impl Files {
    pub(super) fn new(directory: PathBuf, time_to_live: Duration) -> Self {
        Self { directory, time_to_live }
    }

    /// Reads a file, if it is there, young and whole.
    pub(super) fn read<T>(&self, path: &Path, decode: impl FnOnce(&Entry) -> Result<T, Problem>) -> Option<T> {
        let path = self.directory.join(path);
        let age = fs::metadata(&path).ok()?.modified().ok()?.elapsed().ok()?;
        if age >= self.time_to_live {
            return None;
        }
        let read = file::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
        let decoded = read.map_err(Problem::from).and_then(|document| decode(&document));
        let unusable = |error: &Problem| {
            let path = path.display();
            tracing::debug!(%path, %error, "a file of the discovery cache cannot be used; the server is asked");
        };
        decoded.inspect_err(unusable).ok()
    }

    /// Puts a file in place, whole, and returns whether that worked.
    pub(super) fn write(&self, path: &Path, document: &impl Serialize) -> bool {
        let path = self.directory.join(path);
        let written = replace(&path, document).inspect_err(|error| {
            let path = path.display();
            tracing::debug!(%path, %error, "a file of the discovery cache cannot be written; it goes on without");
        });
        written.is_ok()
    }

    pub(super) fn remove(&self, path: &Path) {
        // It is not there, mostly.
        let _ = fs::remove_file(self.directory.join(path));
    }
}

/// Whoever reads meanwhile has the old file or the new one. Others may not look into the folder.
fn replace(path: &Path, document: &impl Serialize) -> io::Result<()> {
    file::make_folder(path.parent().unwrap_or(path), 0o750)?;
    file::replace(path, &serde_json::to_vec(document)?, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_the_folder_have_no_file() {
        for (group, version) in
            [("..", "v1"), ("apps", ".."), ("a/b", "v1"), ("a\\b", "v1"), ("c:", "v1"), ("apps", "")]
        {
            assert_eq!(resources_file(&GroupVersion::new(group, version)), None, "{group:?} {version:?}");
        }
        let core = resources_file(&GroupVersion::new("", "v1"));
        assert_eq!(core.as_deref(), Some(Path::new("v1/serverresources.json")));
    }
}
