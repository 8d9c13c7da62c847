//! Waiting until one object is as it should be: there, gone, or satisfying a condition of your own.
//!
//! [`WaitFor`] gives every client of one kind that gets, lists and watches a `wait_for`. A condition is a function of
//! the object, or of `None` while there is none; [`conditions`] has those that programs need most.
//!
//! ```no_run
//! # use k8s_client_runtime::{Error, resource::ResourceClient};
//! # use k8s_openapi::api::{batch::v1::Job, core::v1::ConfigMap};
//! use std::time::Duration;
//!
//! use k8s_client_runtime::wait::{WaitFor as _, conditions};
//!
//! # async fn example(jobs: ResourceClient<Job>, config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
//! let ended = conditions::or(conditions::job_complete, conditions::job_failed);
//! jobs.wait_for("import", ended).within(Duration::from_secs(600)).await?;
//!
//! // Any closure will do; it sees every state that the server reports.
//! let filled = |config_map: Option<&ConfigMap>| config_map.is_some_and(|config_map| config_map.data.is_some());
//! let config_map = config_maps.wait_for("result", filled).await?;
//! println!("{:?}", config_map.and_then(|config_map| config_map.data));
//! # Ok(())
//! # }
//! ```

use std::{any::type_name, fmt, future::IntoFuture, pin::Pin, time::Duration};

use crate::{
    codec::{Codec, Listable},
    error::Result,
    resource::{Gets, List, Lists, Watch, Watches},
    rest::Request,
    selector::FieldSelector,
};

pub mod conditions;
mod follow;
mod progress;

/// How long is waited unless [`Wait::within`] says otherwise: as long as `kubectl wait` does.
const LIMIT: Duration = Duration::from_secs(30);

/// Clients that wait for one of their objects: all that get, list and watch.
pub trait WaitFor: Gets + Lists + Watches {
    /// Waits until the named object satisfies the condition: see [`Wait`].
    fn wait_for<'f, F>(&self, name: &str, condition: F) -> Wait<'f, Self::Kind>
    where
        F: FnMut(Option<&<Self::Kind as Codec>::Object>) -> bool + Send + 'f,
    {
        let field = FieldSelector::everything().equal("metadata.name", name).to_string();
        Wait {
            object: self.get(name).into_request(),
            list: self.list().field_selector(field.clone()),
            watch: self.watch().field_selector(field).allow_watch_bookmarks(),
            name: name.to_owned(),
            limit: LIMIT,
            goal: type_name::<F>(),
            condition: Box::new(condition),
        }
    }
}

impl<C: Gets + Lists + Watches> WaitFor for C {}

/// Waits until an object satisfies a condition. Awaiting it gives the object as it then is; `None` if it is not there.
///
/// The object is listed and then watched, so the caller needs the verbs `list` and `watch`. The wait goes on through
/// lost connections, watches that the server ends, and versions that it has forgotten. A 404 counts as an object that
/// is not there, also if it is the whole resource that is not served, as before a definition of custom resources is
/// established. Every other error that [does not pass by itself](crate::Error::is_transient) ends the wait.
///
/// When the time is up, the error is of the kind [`Timeout`](crate::ErrorKind::Timeout). It says what was waited for,
/// and what the object was like: its generation, its conditions and the numbers of its status.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::apps::v1::Deployment;
/// use std::time::Duration;
///
/// use k8s_client_runtime::wait::{WaitFor as _, conditions::deployment_rolled_out};
///
/// # async fn example(deployments: ResourceClient<Deployment>) -> Result<(), Error> {
/// deployments.wait_for("web", deployment_rolled_out).within(Duration::from_secs(300)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Wait<'f, K: Listable> {
    /// For the checks of the name, and for errors: it is not sent.
    object: Request,
    list: List<K>,
    watch: Watch<K>,
    name: String,
    limit: Duration,
    /// The name of the condition's type.
    goal: &'static str,
    condition: Condition<'f, K>,
}

type Condition<'f, K> = Box<dyn FnMut(Option<&<K as Codec>::Object>) -> bool + Send + 'f>;

impl<K: Listable> Wait<'_, K> {
    /// How long to wait at most. Default: 30 seconds, as in `kubectl wait`. With [`Duration::MAX`] it takes as long as
    /// it takes.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl<'f, K: Listable> IntoFuture for Wait<'f, K> {
    type Output = Result<Option<K::Object>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'f>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.until_satisfied())
    }
}

impl<K: Listable> fmt::Debug for Wait<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wait({} for {:?}, {:?})", self.goal, self.object, self.limit)
    }
}
