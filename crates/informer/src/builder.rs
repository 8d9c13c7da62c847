//! What an informer has, and how it keeps it.

use std::{any::TypeId, fmt, sync::Arc};

use k8s_client_runtime::{
    codec::Codec,
    resource::{Lists, TypedClient, Watches},
};

use crate::{
    Informer, Metrics, Registry,
    follow::source::{Selection, Source, compact, projected},
    metrics::NoMetrics,
    registry::Identity,
};

/// The object of a client's kind.
type ObjectOf<C> = <<C as TypedClient>::Kind as Codec>::Object;

/// How a client becomes a source of objects as they are kept.
type MakeSource<C, T> = Box<dyn Fn(C, Selection) -> Arc<dyn Source<T>> + Send>;

/// Builds an [`Informer`]: which objects it has, and how it keeps them.
#[must_use = "`start` makes the informer"]
pub struct InformerBuilder<C, T> {
    client: C,
    selection: Selection,
    make: MakeSource<C, T>,
    /// How objects are kept, if another informer may keep them so too.
    keeps: Option<Keeps>,
    metrics: Arc<dyn Metrics>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Bytes,
    Whole,
}

impl<C> InformerBuilder<C, ObjectOf<C>>
where
    C: Lists + Watches + 'static,
    ObjectOf<C>: Send + Sync,
{
    pub(crate) fn new<T>(client: C) -> InformerBuilder<C, T>
    where
        C: TypedClient<Kind: Codec<Object = T>>,
        T: Send + Sync + 'static,
    {
        InformerBuilder {
            client,
            selection: Selection::default(),
            make: Box::new(compact::<C>),
            keeps: Some(Keeps::Bytes),
            metrics: Arc::new(NoMetrics),
        }
    }

    /// Keeps the objects decoded. They take several times the memory of their bytes, and reading them costs nothing.
    pub fn whole(self) -> Self {
        Self { keeps: Some(Keeps::Whole), ..self.project(|object| object) }
    }

    /// Keeps something of the program's own instead of the objects, made of each as it comes: a few fields take a small
    /// part of the memory. Name, namespace, uid and version of each object are kept beside it, whatever it is.
    ///
    /// The function must be quick, and depend on nothing but the object.
    ///
    /// ```no_run
    /// # use k8s_client_informer::Informer;
    /// # use k8s_client_runtime::{k8s_openapi::api::core::v1::Pod, resource::{AllNamespaces, ResourceClient}};
    /// # fn example(all_pods: ResourceClient<Pod, AllNamespaces>) {
    /// struct Slim { node: Option<String>, phase: Option<String> }
    ///
    /// let pods = Informer::of(all_pods)
    ///     .project(|pod| Slim {
    ///         node: pod.spec.and_then(|spec| spec.node_name),
    ///         phase: pod.status.and_then(|status| status.phase),
    ///     })
    ///     .start();
    /// # }
    /// ```
    pub fn project<U: Send + Sync + 'static>(
        self,
        project: impl Fn(ObjectOf<C>) -> U + Send + Sync + 'static,
    ) -> InformerBuilder<C, U> {
        let project: Arc<dyn Fn(ObjectOf<C>) -> U + Send + Sync> = Arc::new(project);
        InformerBuilder {
            client: self.client,
            selection: self.selection,
            make: Box::new(move |client, selection| projected(client, selection, project.clone())),
            keeps: None,
            metrics: self.metrics,
        }
    }
}

impl<C, T> InformerBuilder<C, T>
where
    C: Lists + Watches + 'static,
    T: Send + Sync + 'static,
{
    /// Only objects with these labels: a text such as `app=web,tier!=cache`, or a
    /// [`Selector`](k8s_client_runtime::selector::Selector).
    pub fn label_selector(mut self, selector: impl Into<String>) -> Self {
        self.selection.labels = Some(selector.into());
        self
    }

    /// Only objects with these fields: a text such as `spec.nodeName=node-1`, or a
    /// [`FieldSelector`](k8s_client_runtime::selector::FieldSelector).
    pub fn field_selector(mut self, selector: impl Into<String>) -> Self {
        self.selection.fields = Some(selector.into());
        self
    }

    /// Keeps `metadata.managedFields`, which are up to half of an object, and are left out by default.
    pub fn with_managed_fields(mut self) -> Self {
        self.selection.managed_fields = true;
        self
    }

    /// Reports what the informer does. Default: no metrics.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.metrics = Arc::new(metrics);
        self
    }

    /// Starts the informer, in the tokio runtime in which this is called.
    pub fn start(self) -> Informer<T> {
        let source = (self.make)(self.client, self.selection);
        let decode = source.decode();
        Informer::start(vec![source], decode, &self.metrics)
    }

    /// Starts the informer, or takes the one that the registry has for the same client, objects, selectors and way to
    /// keep them. A [projection](Self::project) is never shared. The metrics are those of the builder that started it.
    pub fn start_in(self, registry: &Registry) -> Informer<T> {
        let Some(keeps) = self.keeps else { return self.start() };
        let managed_fields = self.selection.managed_fields;
        let source = (self.make)(self.client, self.selection);
        let identity =
            Identity { object: TypeId::of::<T>(), place: source.place(), whole: keeps == Keeps::Whole, managed_fields };
        let decode = source.decode();
        registry.get_or_start(identity, || Informer::start(vec![source], decode, &self.metrics))
    }

    /// Starts one informer for the objects of this client and of these: such as those of several namespaces, for a
    /// program that may not read all of them. Their objects must be of the same kind and be different ones. Each is
    /// followed by itself, so that one that is refused leaves the others usable; the informer is synced when all of
    /// them are.
    pub fn start_each(self, others: impl IntoIterator<Item = C>) -> Informer<T> {
        let Self { client, selection, make, metrics, .. } = self;
        let first = make(client, selection.clone());
        let decode = first.decode();
        let others = others.into_iter().map(|client| make(client, selection.clone()));
        Informer::start(std::iter::once(first).chain(others).collect(), decode, &metrics)
    }
}

impl<C, T> fmt::Debug for InformerBuilder<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InformerBuilder").finish_non_exhaustive()
    }
}
