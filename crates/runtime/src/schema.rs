//! The names of the API's parts: groups, versions, kinds and resources, as values of a running program.
//!
//! Typed clients have these names at compile time. Whoever works with any resource, such as the dynamic client, and
//! whoever asks the server what there is, such as the discovery client, has them here.

use std::{fmt, str::FromStr};

use crate::error::{Error, ErrorKind, Result};

/// A group and one of its versions: `apps/v1`, or `v1` of the core group, which has no name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersion {
    /// The group; empty for the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
}

/// A kind of a group, whichever its version: `Deployment.apps`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
}

/// A resource of a group, whichever its version: `deployments.apps`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// The group; empty for the core group.
    pub group: String,
    /// The plural name, such as `deployments`.
    pub resource: String,
}

/// What an object's `apiVersion` and `kind` name: `apps/v1, Kind=Deployment`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionKind {
    /// The group; empty for the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
}

/// What a URL names: `apps/v1, Resource=deployments`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionResource {
    /// The group; empty for the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
    /// The plural name, such as `deployments`.
    pub resource: String,
}

/// Whether the objects of a resource live in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceScope {
    /// Each object is in a namespace.
    Namespaced,
    /// The objects are the cluster's.
    Cluster,
}

/// Which resource serves a kind, and in which scope: what a mapper finds out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RestMapping {
    /// Where the objects are.
    pub resource: GroupVersionResource,
    /// What they are.
    pub kind: GroupVersionKind,
    /// Whether they are in namespaces.
    pub scope: ResourceScope,
}

impl GroupVersion {
    /// A group, empty for the core group, and a version.
    pub fn new(group: impl Into<String>, version: impl Into<String>) -> Self {
        Self { group: group.into(), version: version.into() }
    }

    /// The kind of this name in it.
    pub fn with_kind(&self, kind: impl Into<String>) -> GroupVersionKind {
        GroupVersionKind::new(&self.group, &self.version, kind)
    }

    /// The resource of this plural name in it.
    pub fn with_resource(&self, resource: impl Into<String>) -> GroupVersionResource {
        GroupVersionResource::new(&self.group, &self.version, resource)
    }
}

/// Reads an `apiVersion`: `v1` or `apps/v1`.
///
/// # Errors
///
/// [`ErrorKind::Request`] when there is more than one slash. An empty text is an empty group and version, as in
/// client-go.
impl FromStr for GroupVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        if version.contains('/') {
            return Err(Error::new(
                ErrorKind::Request,
                format!("apiVersion {text:?}: must be VERSION or GROUP/VERSION"),
            ));
        }
        Ok(Self::new(group, version))
    }
}

impl fmt::Display for GroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() { f.write_str(&self.version) } else { write!(f, "{}/{}", self.group, self.version) }
    }
}

impl GroupKind {
    /// A group, empty for the core group, and a kind.
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { group: group.into(), kind: kind.into() }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dotted(f, &self.kind, &self.group)
    }
}

impl GroupResource {
    /// A group, empty for the core group, and a plural name.
    pub fn new(group: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { group: group.into(), resource: resource.into() }
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dotted(f, &self.resource, &self.group)
    }
}

impl GroupVersionKind {
    /// A group, empty for the core group, a version and a kind.
    pub fn new(group: impl Into<String>, version: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// The group and the version: an object's `apiVersion`.
    pub fn group_version(&self) -> GroupVersion {
        GroupVersion::new(&self.group, &self.version)
    }

    /// The group and the kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }
}

impl fmt::Display for GroupVersionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, Kind={}", self.group_version(), self.kind)
    }
}

impl GroupVersionResource {
    /// A group, empty for the core group, a version and a plural name.
    pub fn new(group: impl Into<String>, version: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { group: group.into(), version: version.into(), resource: resource.into() }
    }

    /// The group and the version.
    pub fn group_version(&self) -> GroupVersion {
        GroupVersion::new(&self.group, &self.version)
    }

    /// The group and the plural name.
    pub fn group_resource(&self) -> GroupResource {
        GroupResource::new(&self.group, &self.resource)
    }
}

impl fmt::Display for GroupVersionResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, Resource={}", self.group_version(), self.resource)
    }
}

/// `deployments.apps`; without the dot for the core group.
fn dotted(f: &mut fmt::Formatter<'_>, name: &str, group: &str) -> fmt::Result {
    if group.is_empty() { f.write_str(name) } else { write!(f, "{name}.{group}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_are_read_as_client_go_reads_them() {
        for (text, group, version) in [("v1", "", "v1"), ("apps/v1", "apps", "v1"), ("", "", ""), ("apps/", "apps", "")]
        {
            assert_eq!(text.parse::<GroupVersion>().unwrap(), GroupVersion::new(group, version), "{text:?}");
        }
        let error = "a/b/c".parse::<GroupVersion>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.to_string().contains("a/b/c"), "{error}");
    }

    #[test]
    fn names_are_written_as_client_go_writes_them() {
        let apps = GroupVersion::new("apps", "v1");
        assert_eq!(apps.to_string(), "apps/v1");
        assert_eq!(GroupVersion::new("", "v1").to_string(), "v1");
        assert_eq!(apps.with_kind("Deployment").to_string(), "apps/v1, Kind=Deployment");
        assert_eq!(apps.with_resource("deployments").to_string(), "apps/v1, Resource=deployments");
        assert_eq!(apps.with_resource("deployments").group_resource().to_string(), "deployments.apps");
        assert_eq!(GroupVersionKind::new("", "v1", "Pod").group_kind().to_string(), "Pod");
    }
}
