//! Modify: the loop of reading, changing and updating.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use tokio::time::sleep;

use super::{UpdateOptions, execute, write_setters};
use crate::{codec::Codec, error::Result, rest::Request, retry::Backoff};

/// Reads an object, lets a closure change it, and updates it; when somebody else changed it meanwhile, all of that
/// again. Awaiting it gives the object as the server stored it.
///
/// The closure sees the object as it is on the server at each try, so it should say what is wanted, not how far the
/// object of an earlier try was from it. Fields that this client's Kubernetes version does not know are lost by an
/// update, as with every typed client: where other writers may be newer, patch or apply.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let updated = config_maps
///     .modify("web", |config_map| {
///         config_map.data.get_or_insert_default().insert("key".to_owned(), "value".to_owned());
///     })
///     .field_manager("me")
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// The closure may borrow from where it is written. One that may find that there is nothing to do, or that the object
/// is not what it expects, is better off with [`retry_on_conflict`](crate::retry::retry_on_conflict).
#[must_use = "nothing happens until it is awaited"]
pub struct Modify<'f, K: Codec> {
    get: Request,
    put: Request,
    options: UpdateOptions,
    backoff: Backoff,
    change: Change<'f, K>,
}

/// What the caller does to the object.
type Change<'f, K> = Box<dyn FnMut(&mut <K as Codec>::Object) + Send + 'f>;

impl<'f, K: Codec> Modify<'f, K> {
    pub(super) fn new(get: Request, put: Request, change: impl FnMut(&mut K::Object) + Send + 'f) -> Self {
        let options = UpdateOptions::default();
        Self { get, put, options, backoff: Backoff::DEFAULT_RETRY, change: Box::new(change) }
    }

    /// How often and with which pauses it is tried. Default: [`Backoff::DEFAULT_RETRY`].
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Takes the options of the update from a struct, in place of those set so far.
    pub fn options(mut self, options: UpdateOptions) -> Self {
        self.options = options;
        self
    }

    /// Limits each of the calls. Default: the configuration's limit, which is none.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.get = self.get.timeout(timeout);
        self.put = self.put.timeout(timeout);
        self
    }
}

write_setters!(<'f> Modify);

impl<'f, K: Codec> IntoFuture for Modify<'f, K> {
    type Output = Result<K::Object>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<K::Object>> + Send + 'f>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { get, put, options, backoff, mut change } = self;
        Box::pin(async move {
            let mut pauses = backoff.delays();
            loop {
                let mut object = execute::<K>(get.clone()).await?;
                change(&mut object);
                let put = put.clone().with_query(|query| options.write(query));
                let put = put.object::<K>(&object);
                drop(object);
                match (execute::<K>(put).await, pauses.next()) {
                    (Err(error), Some(pause)) if error.is_conflict() => sleep(pause).await,
                    (result, _) => return result,
                }
            }
        })
    }
}

impl<K: Codec> fmt::Debug for Modify<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Modify({:?})", self.put)
    }
}
