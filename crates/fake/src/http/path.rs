//! What a path names.

use percent_encoding::percent_decode_str;

/// The parts of a path of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// `/api`
    CoreVersions,
    /// `/apis`
    Groups,
    /// `/apis/GROUP`
    Group(String),
    /// `/api/v1` or `/apis/GROUP/VERSION`
    GroupVersion { group: String, version: String },
    /// What is below these.
    Resource(ResourcePath),
    /// Anything else, as it is.
    Other(String),
}

/// The parts of a path to a resource, an object, or a subresource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    /// The namespace that the path names.
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    /// Whether it is one of the old paths of watches.
    pub(crate) is_watch: bool,
}

impl Path {
    pub(crate) fn parse(path: &str) -> Self {
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api"] => return Self::CoreVersions,
            ["apis"] => return Self::Groups,
            ["apis", group] => return Self::Group((*group).to_owned()),
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Self::Other(path.to_owned()),
        };
        let (group, version) = (group.to_owned(), version.to_owned());
        let (is_watch, rest) = match rest {
            ["watch", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let owned = |text: &&str| (*text).to_owned();
        let (namespace, rest) = match rest {
            [] => return Self::GroupVersion { group, version },
            // Subresources of namespaces are no resources in them.
            ["namespaces", _, "status" | "finalize"] => (None, rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(owned(namespace)), rest),
            rest => (None, rest),
        };
        let mut parts = rest.iter();
        Self::Resource(ResourcePath {
            group,
            version,
            plural: parts.next().map(owned).unwrap_or_default(),
            namespace,
            name: parts.next().map(owned),
            subresource: (rest.len() > 2).then(|| rest[2..].join("/")),
            is_watch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_in_all_their_forms() {
        let read = |path: &str| match Path::parse(path) {
            Path::Resource(path) => path,
            other => panic!("{other:?}"),
        };
        let pod = read("/api/v1/namespaces/a/pods/x%2Dy/log");
        assert_eq!((pod.plural.as_str(), pod.namespace.as_deref()), ("pods", Some("a")));
        assert_eq!((pod.name.as_deref(), pod.subresource.as_deref()), (Some("x-y"), Some("log")));
        let all = read("/apis/apps/v1/deployments");
        assert_eq!((all.group.as_str(), all.namespace, all.name), ("apps", None, None));
        let namespace = read("/api/v1/namespaces/a");
        assert_eq!((namespace.plural.as_str(), namespace.name.as_deref()), ("namespaces", Some("a")));
        let status = read("/api/v1/namespaces/a/status");
        assert_eq!((status.plural.as_str(), status.subresource.as_deref()), ("namespaces", Some("status")));
        assert!(read("/api/v1/watch/pods").is_watch);
        assert_eq!(Path::parse("/api"), Path::CoreVersions);
        assert_eq!(Path::parse("/apis/apps"), Path::Group("apps".to_owned()));
        assert!(matches!(Path::parse("/apis/apps/v1/"), Path::GroupVersion { .. }));
        assert_eq!(Path::parse("/version"), Path::Other("/version".to_owned()));
    }
}
