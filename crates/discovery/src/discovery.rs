//! What all that know a server's groups and resources have in common: [`Discovery`].

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Instant};

use k8s_client_runtime::schema::{GroupVersion, GroupVersionResource};

use crate::{
    error::Result,
    model::{ApiGroup, ApiResourceList, ServerResources},
};

/// An answer under way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Knows the groups and resources of a server: a [`DiscoveryClient`](crate::DiscoveryClient), which asks it, or a cache
/// of one.
pub trait Discovery: fmt::Debug + Send + Sync {
    /// The groups and their versions, the core group first.
    fn groups(&self) -> Answer<'_, Vec<ApiGroup>>;

    /// The resources of one group-version.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`](crate::Error::is_not_found) when the server does not serve it.
    fn resources<'a>(&'a self, group_version: &'a GroupVersion) -> Answer<'a, ApiResourceList>;

    /// All groups and resources. What could not be read is among the
    /// [`failures`](ServerResources::failures); the rest is there.
    ///
    /// # Errors
    ///
    /// When the groups themselves cannot be read.
    fn groups_and_resources(&self) -> Answer<'_, Arc<ServerResources>>;

    /// Forgets what came from the server before this instant, and returns whether there may be anything newer to learn
    /// now.
    ///
    /// Whoever misses something asks so, with the time at which the question came up, and looks again if the answer is
    /// yes. client-go's `Fresh` and `Invalidate` in one step, so that many who miss something at once cause one
    /// discovery. What keeps nothing has nothing to forget, and says no.
    fn invalidate_before(&self, _instant: Instant) -> bool {
        false
    }

    /// Forgets everything.
    fn invalidate(&self) {
        self.invalidate_before(Instant::now());
    }

    /// Each resource once, in the version that its group prefers; no subresources. See [`ServerResources::preferred`].
    fn preferred_resources(&self) -> Answer<'_, ServerResources> {
        Box::pin(async { Ok(self.groups_and_resources().await?.preferred()) })
    }

    /// Each resource once, if it lives in namespaces. See [`ServerResources::namespaced`].
    fn namespaced_preferred_resources(&self) -> Answer<'_, ServerResources> {
        Box::pin(async { Ok(self.groups_and_resources().await?.preferred().namespaced()) })
    }

    /// Whether the server serves a resource, or a subresource such as `deployments/scale`.
    fn is_served<'a>(&'a self, resource: &'a GroupVersionResource) -> Answer<'a, bool> {
        Box::pin(async {
            match self.resources(&resource.group_version()).await {
                Ok(list) => Ok(list.get(&resource.resource).is_some()),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}

/// Whatever is behind a pointer is as good.
macro_rules! behind {
    ($pointer:ident) => {
        impl<D: Discovery + ?Sized> Discovery for $pointer<D> {
            fn groups(&self) -> Answer<'_, Vec<ApiGroup>> {
                (**self).groups()
            }

            fn resources<'a>(&'a self, group_version: &'a GroupVersion) -> Answer<'a, ApiResourceList> {
                (**self).resources(group_version)
            }

            fn groups_and_resources(&self) -> Answer<'_, Arc<ServerResources>> {
                (**self).groups_and_resources()
            }

            fn invalidate_before(&self, instant: Instant) -> bool {
                (**self).invalidate_before(instant)
            }

            fn invalidate(&self) {
                (**self).invalidate();
            }

            fn preferred_resources(&self) -> Answer<'_, ServerResources> {
                (**self).preferred_resources()
            }

            fn namespaced_preferred_resources(&self) -> Answer<'_, ServerResources> {
                (**self).namespaced_preferred_resources()
            }

            fn is_served<'a>(&'a self, resource: &'a GroupVersionResource) -> Answer<'a, bool> {
                (**self).is_served(resource)
            }
        }
    };
}

behind!(Arc);
behind!(Box);
