//! Cleaning up before an object goes.

use std::{fmt, future::Future, sync::Arc};

use futures_util::FutureExt as _;
use k8s_client_runtime::{
    codec::Codec,
    k8s_openapi::apimachinery::pkg::apis::meta::v1::Patch,
    object::AnyObject,
    resource::{Patches, TypedClient},
};
use serde_json::json;

use crate::{
    Next, Reconciler,
    call::{Call, Failure},
    next::written,
};

impl<T: AnyObject + Send + Sync + 'static, C: Clone + Send + Sync + 'static> Reconciler<T, C> {
    /// Calls this function before an object goes: to delete what Kubernetes does not know of.
    ///
    /// Each object gets the finalizer, such as `example.com/database`, before it is reconciled for the first time. When
    /// it is being deleted, `clean_up` is called in place of the other function, until it succeeds; then the finalizer
    /// is taken away, and the object goes. It may be called once more after it has succeeded, if taking the finalizer
    /// away has not. Objects that are being deleted and do not have the finalizer are not reconciled any more.
    ///
    /// `client_of` gives the client for the objects of a namespace, which is empty for those of the cluster. It needs
    /// the permission to patch.
    ///
    /// ```no_run
    /// # use k8s_client_controller::{Controller, Next};
    /// # use k8s_client_informer::Informer;
    /// # use k8s_client_runtime::{Error, RestClient, k8s_openapi::api::core::v1::ConfigMap, resource::ResourceClient};
    /// # fn example(client: RestClient, config_maps: Informer<ConfigMap>) {
    /// let clients = client.clone();
    /// let controller = Controller::for_each(&config_maps)
    ///     .reconcile(client, |_client, _config_map| async { Ok::<_, Error>(Next::wait()) })
    ///     .finalizer(
    ///         "example.com/database",
    ///         move |namespace| ResourceClient::<ConfigMap>::namespaced(&clients, namespace),
    ///         |_client, config_map| async move {
    ///             println!("deleting the database of {:?}", config_map.metadata.name);
    ///             Ok::<_, Error>(())
    ///         },
    ///     );
    /// # }
    /// ```
    pub fn finalizer<P, F, A, E>(
        mut self,
        finalizer: &str,
        client_of: impl Fn(&str) -> P + Send + Sync + 'static,
        clean_up: F,
    ) -> Self
    where
        P: Patches + TypedClient<Kind: Codec<Object = T>> + 'static,
        F: Fn(C, Arc<T>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        let finalizer: Arc<str> = finalizer.into();
        let (reconcile, client_of, clean_up) = (self.call, Arc::new(client_of), Arc::new(clean_up));
        let has_others = std::mem::replace(&mut self.has_finalizer, true);
        let call: Call<T, C> = Arc::new(move |context, object| {
            let (finalizer, reconcile) = (finalizer.clone(), reconcile.clone());
            let (client_of, clean_up) = (client_of.clone(), clean_up.clone());
            async move {
                let has_it = object.finalizers().any(|other| other == &*finalizer);
                let is_deleted = object.deletion_timestamp().is_some();
                let client = client_of(object.namespace().unwrap_or_default());
                match (is_deleted, has_it) {
                    // Another finalizer of this controller may still have to clean up.
                    (true, false) if has_others => reconcile(context, object).await,
                    (true, false) => Ok(Next::wait()),
                    (true, true) => {
                        clean_up(context, object.clone()).await.map_err(Failure::of)?;
                        let left = object.finalizers().filter(|other| *other != &*finalizer);
                        let object = set_finalizers(&client, &*object, left.collect()).await?;
                        Ok(Next::wait().having_written(&object))
                    }
                    (false, true) => reconcile(context, object).await,
                    (false, false) => {
                        let all = object.finalizers().chain([&*finalizer]).collect();
                        let object = set_finalizers(&client, &*object, all).await?;
                        let version = written(&object);
                        // What the call itself has written is newer.
                        match reconcile(context, Arc::new(object)).await {
                            Ok(next) => Ok(Next { written: next.written.or(version), ..next }),
                            Err(failure) => Err(Failure { written: failure.written.or(version), ..failure }),
                        }
                    }
                }
            }
            .boxed()
        });
        self.call = call;
        self
    }
}

/// Replaces the finalizers, unless the object has changed since it was read: then somebody else's finalizer could get
/// lost.
async fn set_finalizers<P: Patches>(
    client: &P,
    object: &<P::Kind as Codec>::Object,
    finalizers: Vec<&str>,
) -> Result<<P::Kind as Codec>::Object, Failure> {
    let metadata = json!({ "finalizers": finalizers, "resourceVersion": object.resource_version() });
    let patch = Patch::Merge(json!({ "metadata": metadata }));
    client.patch(object.name().unwrap_or_default(), &patch).await.map_err(Failure::of)
}
