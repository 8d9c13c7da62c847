//! A cache that lasts as long as its program: [`MemoryCache`].

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use k8s_client_runtime::schema::GroupVersion;

use crate::{
    asking::Asking,
    discovery::{Answer, Discovery},
    error::{Error, Result},
    model::{ApiGroup, ApiResourceList, ServerResources},
};

/// Keeps the answers of a [`Discovery`] until it is invalidated.
///
/// It asks for everything at once when it is first asked for anything. Of many who ask at the same time, one does it
/// for all, and all get its answer, a failure too. A group-version that could not be read is asked for again by
/// [`resources`](Discovery::resources), one that is not served is not. client-go's `memory.NewMemCacheClient`.
///
/// ```no_run
/// use k8s_client_discovery::{Discovery as _, DiscoveryClient, MemoryCache};
///
/// # async fn example(client: k8s_client_runtime::RestClient) -> Result<(), k8s_client_discovery::Error> {
/// let discovery = MemoryCache::new(DiscoveryClient::new(&client));
/// for group in discovery.groups().await? {
///     println!("{} {}", group.name, group.preferred_version);
/// }
/// // This one sends nothing.
/// let everything = discovery.groups_and_resources().await?;
///
/// discovery.invalidate();
/// // This one asks the server again.
/// let everything = discovery.groups_and_resources().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryCache {
    inner: Arc<dyn Discovery>,
    kept: Mutex<Kept>,
    asking: Asking,
}

#[derive(Debug)]
struct Kept {
    /// What was learned, and when it was asked for.
    everything: Option<(Instant, Arc<ServerResources>)>,
    /// What was asked for before this is forgotten.
    valid_from: Instant,
}

impl MemoryCache {
    /// An empty cache of a [`DiscoveryClient`](crate::DiscoveryClient), or of another cache.
    pub fn new(discovery: impl Discovery + 'static) -> Self {
        Self {
            inner: Arc::new(discovery),
            kept: Mutex::new(Kept { everything: None, valid_from: Instant::now() }),
            asking: Asking::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing can panic while it is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> Option<Arc<ServerResources>> {
        self.lock().everything.as_ref().map(|(_, everything)| Arc::clone(everything))
    }

    async fn everything(&self) -> Result<Arc<ServerResources>> {
        let ask = async {
            let asked = Instant::now();
            let everything = self.inner.groups_and_resources().await?;
            let mut kept = self.lock();
            if asked >= kept.valid_from {
                kept.everything = Some((asked, Arc::clone(&everything)));
            }
            Ok(everything)
        };
        self.asking.once(|| async { self.kept() }, ask).await
    }

    async fn list(&self, group_version: &GroupVersion) -> Result<ApiResourceList> {
        let everything = self.everything().await?;
        if let Some(list) = everything.of(group_version) {
            return Ok(list.clone());
        }
        if everything.failure(group_version).is_none() {
            return Err(Error::not_served(group_version.clone()));
        }
        let list = self.inner.resources(group_version).await?;
        if let Some((_, everything)) = &mut self.lock().everything {
            Arc::make_mut(everything).recover(list.clone());
        }
        Ok(list)
    }
}

impl Discovery for MemoryCache {
    fn groups(&self) -> Answer<'_, Vec<ApiGroup>> {
        Box::pin(async { Ok(self.everything().await?.groups.clone()) })
    }

    fn resources<'a>(&'a self, group_version: &'a GroupVersion) -> Answer<'a, ApiResourceList> {
        Box::pin(self.list(group_version))
    }

    fn groups_and_resources(&self) -> Answer<'_, Arc<ServerResources>> {
        Box::pin(self.everything())
    }

    fn invalidate_before(&self, instant: Instant) -> bool {
        let inner = self.inner.invalidate_before(instant);
        let mut kept = self.lock();
        // Recent answers of the inner cache may have come from entries that it has just forgotten.
        let valid_from = if inner { Instant::now() } else { instant };
        kept.valid_from = kept.valid_from.max(valid_from);
        let forgotten = kept.everything.take_if(|(asked, _)| *asked < valid_from).is_some();
        inner || forgotten
    }
}
