//! From kinds to resources and back: [`RestMapper`].

mod short_name;

mod table;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use k8s_client_runtime::schema::{GroupKind, GroupVersionKind, GroupVersionResource, RestMapping};

pub use self::short_name::AmbiguousShortName;
use self::{short_name::Handler, table::Table};
use crate::{
    asking::Asking,
    discovery::{Answer, Discovery},
    error::Result,
};

/// Finds the resource of a kind, the kind of a resource, and both from what people write.
///
/// It learns what the server serves when it is first asked. When it does not find something, and what it knows is older
/// than the question, it learns it again and looks once more, so that a custom resource is found as soon as it is
/// served. Such a miss costs a discovery, two requests to most servers.
///
/// Where several groups or versions have a name, the core group comes first, then groups in the server's order, and
/// within a group the version that it prefers. That part of the server which cannot be read is left out; an error names
/// it.
///
/// A short name that several resources have means the one that comes first, with a warning
/// ([`with_warning_handler`](Self::with_warning_handler)).
///
/// It is client-go's `DeferredDiscoveryRESTMapper` with its shortcut and category expanders. Clones share what they
/// learn.
///
/// ```no_run
/// use k8s_client_discovery::{DiscoveryClient, GroupKind, MemoryCache, ResourceScope, RestMapper};
///
/// # async fn example(client: k8s_client_runtime::RestClient) -> Result<(), k8s_client_discovery::Error> {
/// let mapper = RestMapper::new(MemoryCache::new(DiscoveryClient::new(&client)));
///
/// let mapping = mapper.mapping(&GroupKind::new("apps", "Deployment"), &[]).await?;
/// assert_eq!(mapping.resource.resource, "deployments");
/// assert_eq!(mapping.scope, ResourceScope::Namespaced);
///
/// assert_eq!(mapper.mapping_for("svc").await?.kind.kind, "Service");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RestMapper {
    shared: Arc<Shared>,
    handler: Handler,
}

#[derive(Debug)]
struct Shared {
    discovery: Box<dyn Discovery>,
    /// What was learned, and when it was asked for.
    table: Mutex<Option<Learned>>,
    asking: Asking,
}

type Learned = (Instant, Arc<Table>);

impl RestMapper {
    /// A mapper of what a [`DiscoveryClient`](crate::DiscoveryClient) or a cache says.
    pub fn new(discovery: impl Discovery + 'static) -> Self {
        let (table, asking) = (Mutex::default(), Asking::default());
        Self { shared: Arc::new(Shared { discovery: Box::new(discovery), table, asking }), handler: Handler::default() }
    }

    /// The same with another handler of short names that several resources have. By default `tracing` gets a warning.
    ///
    /// It is called for each such name that is looked up and found, so it should not block. client-go's
    /// `warningHandler` of `NewShortcutExpander`.
    ///
    /// ```no_run
    /// # use k8s_client_discovery::{AmbiguousShortName, DiscoveryClient, MemoryCache, RestMapper};
    /// # fn example(client: k8s_client_runtime::RestClient) {
    /// let mapper = RestMapper::new(MemoryCache::new(DiscoveryClient::new(&client)))
    ///     .with_warning_handler(|ambiguous: &AmbiguousShortName| eprintln!("Warning: {ambiguous}"));
    /// # }
    /// ```
    pub fn with_warning_handler(self, handler: impl Fn(&AmbiguousShortName) + Send + Sync + 'static) -> Self {
        Self { handler: Handler::new(handler), ..self }
    }

    /// What it learns from.
    pub fn discovery(&self) -> &dyn Discovery {
        &*self.shared.discovery
    }

    /// The kind of a resource. Group and version may be empty; the resource may be plural, singular or short, and the
    /// group may be the beginning of one if no version is named.
    ///
    /// # Errors
    ///
    /// [`Error::is_no_match`](crate::Error::is_no_match) when there is none, as with all methods here.
    pub fn kind_for<'a>(&'a self, resource: &'a GroupVersionResource) -> Answer<'a, GroupVersionKind> {
        self.looking_up(|table| Ok(table.resource(resource, &self.handler)?.kind.clone()))
    }

    /// All kinds that a resource may mean, what takes precedence first.
    pub fn kinds_for<'a>(&'a self, resource: &'a GroupVersionResource) -> Answer<'a, Vec<GroupVersionKind>> {
        self.looking_up(|table| {
            Ok(table.resources(resource, &self.handler)?.into_iter().map(|found| found.kind.clone()).collect())
        })
    }

    /// The whole name of a resource of which parts are known, as for [`kind_for`](Self::kind_for).
    pub fn resource_for<'a>(&'a self, resource: &'a GroupVersionResource) -> Answer<'a, GroupVersionResource> {
        self.looking_up(|table| Ok(table.resource(resource, &self.handler)?.resource.clone()))
    }

    /// All that a resource of which parts are known may mean, what takes precedence first.
    pub fn resources_for<'a>(&'a self, resource: &'a GroupVersionResource) -> Answer<'a, Vec<GroupVersionResource>> {
        self.looking_up(|table| {
            Ok(table.resources(resource, &self.handler)?.into_iter().map(|found| found.resource.clone()).collect())
        })
    }

    /// Where a kind is served: in the first of these versions that has it, or without any in the version that takes
    /// precedence.
    pub fn mapping<'a>(&'a self, kind: &'a GroupKind, versions: &'a [&'a str]) -> Answer<'a, RestMapping> {
        self.looking_up(|table| table.kind(kind, versions).cloned())
    }

    /// Where an object's own `apiVersion` and `kind` are served: exactly that version of the kind.
    pub fn mapping_of<'a>(&'a self, kind: &'a GroupVersionKind) -> Answer<'a, RestMapping> {
        self.looking_up(|table| table.kind(&kind.group_kind(), &[&kind.version]).cloned())
    }

    /// What an argument means, as kubectl reads it: `deploy`, `deployment`, `deployments`, `deployments.apps`,
    /// `deployments.v1.apps`, `Deployment`, `Deployment.v1.apps`.
    pub fn mapping_for<'a>(&'a self, argument: &'a str) -> Answer<'a, RestMapping> {
        self.looking_up(move |table| table.argument(argument, &self.handler).cloned())
    }

    /// The resources of a category such as `all`, each in its preferred version.
    pub fn category<'a>(&'a self, category: &'a str) -> Answer<'a, Vec<RestMapping>> {
        self.looking_up(move |table| table.category(category))
    }

    /// Forgets what it learned, and lets what it learns from forget too.
    pub fn reset(&self) {
        self.shared.discovery.invalidate();
        self.lock().take();
    }

    /// Looks something up, and once more in what is new if it is not there.
    fn looking_up<'a, T: Send + 'a>(&'a self, look: impl Fn(&Table) -> Result<T> + Send + Sync + 'a) -> Answer<'a, T> {
        Box::pin(async move {
            let began = Instant::now();
            let (asked, table) = self.table().await?;
            let missed = match look(&table) {
                Err(error) if error.is_no_match() => error,
                answer => return answer,
            };
            let forgot = self.shared.discovery.invalidate_before(began);
            if !forgot && asked >= began {
                return Err(missed);
            }
            // If the discovery had to forget, the table came from what it forgot.
            let from = if forgot { Instant::now() } else { began };
            self.lock().take_if(|(asked, _)| *asked < from);
            look(&self.table().await?.1)
        })
    }

    async fn table(&self) -> Result<Learned> {
        let ask = async {
            let asked = Instant::now();
            let table = Table::new(self.shared.discovery.groups_and_resources().await?);
            let learned = (asked, Arc::new(table));
            *self.lock() = Some(learned.clone());
            Ok(learned)
        };
        self.shared.asking.once(|| async { self.lock().clone() }, ask).await
    }

    fn lock(&self) -> MutexGuard<'_, Option<Learned>> {
        // Nothing can panic while it is held.
        self.shared.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
