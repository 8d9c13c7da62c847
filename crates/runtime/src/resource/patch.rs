//! Patch and Apply.

use std::marker::PhantomData;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Patch;
use k8s_openapi::serde::Serialize;

use super::{ApplyOptions, PatchOptions, write_options};
use crate::{codec, codec::Codec, rest::Request};

/// Changes parts of an object. Awaiting it gives the object as the server stored it.
///
/// The body is a [`Patch`]: a JSON patch (RFC 6902), a merge patch (RFC 7386) or, for the kinds of Kubernetes itself, a
/// strategic merge patch.
#[must_use = "a request is sent when it is awaited"]
pub struct PatchRequest<C> {
    request: Request,
    options: PatchOptions,
    codec: PhantomData<fn() -> C>,
}

/// Applies a configuration. Awaiting it gives the object as the server stored it.
///
/// The body is any type that serde writes, `apiVersion` and `kind` included, and should hold only the fields that its
/// manager means to own. [`field_manager`](Apply::field_manager) must be said.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let configuration = serde_json::json!({
///     "apiVersion": "v1",
///     "kind": "ConfigMap",
///     "data": { "key": "value" },
/// });
/// let applied = config_maps.apply("web", &configuration).field_manager("me").await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Apply<C> {
    request: Request,
    options: ApplyOptions,
    codec: PhantomData<fn() -> C>,
}

impl<C: Codec> PatchRequest<C> {
    pub(super) fn new(request: Request, patch: &Patch) -> Self {
        let content_type = match patch {
            Patch::Json(_) => "application/json-patch+json",
            Patch::Merge(_) => "application/merge-patch+json",
            Patch::StrategicMerge(_) => "application/strategic-merge-patch+json",
        };
        let request = request.encoded(content_type, codec::to_json(patch));
        Self { request, options: PatchOptions::default(), codec: PhantomData }
    }

    /// The plain request.
    pub fn into_request(self) -> Request {
        self.request.with_query(|query| self.options.write(query)).accept(C::ACCEPT)
    }
}

impl<C: Codec> Apply<C> {
    pub(super) fn new(request: Request, configuration: &(impl Serialize + ?Sized)) -> Self {
        let request = request.encoded("application/apply-patch+yaml", serde_json::to_vec(configuration));
        Self { request, options: ApplyOptions::default(), codec: PhantomData }
    }

    /// Takes over fields that belong to another manager. Default: that is a conflict.
    pub fn force(mut self) -> Self {
        self.options.force = true;
        self
    }

    /// The plain request.
    pub fn into_request(self) -> Request {
        let request = match self.options.field_manager.as_deref() {
            None | Some("") => self.request.wrong("apply needs to know who owns the fields: set field_manager"),
            Some(_) => self.request,
        };
        request.with_query(|query| self.options.write(query)).accept(C::ACCEPT)
    }
}

write_options!(PatchRequest, PatchOptions);
write_options!(Apply, ApplyOptions);
