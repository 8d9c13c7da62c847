//! Where a resource is served: known when the program is compiled, or when it runs.

use std::{fmt, sync::Arc};

use http::Method;

use crate::{
    codec::{ApiResource, Kind},
    rest::{Request, RestClient},
    schema::GroupVersionResource,
};

/// What a resource client makes its URLs of.
#[derive(Clone)]
pub(super) enum ResourcePath {
    /// A typed kind's.
    Fixed(ApiResource),
    /// One that the program learned.
    Learned(Arc<GroupVersionResource>),
}

impl ResourcePath {
    pub(super) fn of<K: Kind>() -> Self {
        Self::Fixed(K::RESOURCE)
    }

    pub(super) fn at(resource: &GroupVersionResource) -> Self {
        Self::Learned(Arc::new(resource.clone()))
    }

    /// A request for the resource, its scope still to be said.
    pub(super) fn request(&self, client: &RestClient, method: Method) -> Request {
        match self {
            Self::Fixed(resource) => Request::for_resource(client, method, resource),
            Self::Learned(at) => {
                let GroupVersionResource { group, version, resource } = &**at;
                let request = client.verb(method).group_version(group, version).resource(resource.clone());
                if version.is_empty() { request.wrong("API version may not be empty") } else { request }
            }
        }
    }

    /// What an object of the resource is called.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Fixed(resource) => resource.kind.to_owned(),
            Self::Learned(at) => format!("object of {}", at.group_resource()),
        }
    }
}

impl fmt::Debug for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(at) => write!(f, "{}/{} {}", at.group, at.version, at.plural),
            Self::Learned(at) => write!(f, "{}/{} {}", at.group, at.version, at.resource),
        }
    }
}
