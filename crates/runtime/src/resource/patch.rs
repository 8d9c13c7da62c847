//! Patch and Apply.

use std::marker::PhantomData;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Patch;
use serde_json::Value;

use super::{ApplyOptions, PatchOptions, write_options};
use crate::{
    apply::Configuration,
    codec::{self, Codec},
    rest::Request,
    text::non_empty,
};

/// Changes parts of an object. Awaiting it gives the object as the server stored it.
///
/// The body is a [`Patch`]: a JSON patch (RFC 6902), a merge patch (RFC 7386) or, for the kinds of Kubernetes itself, a
/// strategic merge patch.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// use k8s_client_runtime::resource::Patch;
///
/// let patch = Patch::Merge(serde_json::json!({ "data": { "colour": "red", "size": null } }));
/// let patched = config_maps.patch("web", &patch).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct PatchRequest<C> {
    request: Request,
    options: PatchOptions,
    codec: PhantomData<fn() -> C>,
}

/// Applies a configuration. Awaiting it gives the object as the server stored it.
///
/// The body should hold only the fields that its manager means to own; the configurations of [`apply`](crate::apply)
/// see to that, and a `serde_json::Value` holds what you put into it, `apiVersion` and `kind` included.
/// [`field_manager`](Apply::field_manager) must be said.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let configuration = serde_json::json!({
///     "apiVersion": "v1",
///     "kind": "ConfigMap",
///     "metadata": { "name": "web" },
///     "data": { "key": "value" },
/// });
/// let applied = config_maps.apply(&configuration).field_manager("me").await?;
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

    /// The request, but for what it accepts.
    fn prepared(self) -> Request {
        self.request.with_query(|query| self.options.write(query))
    }
}

impl<C: Codec> Apply<C> {
    /// The request lacks the name, which the configuration has.
    pub(super) fn new(request: Request, configuration: &impl Configuration) -> Self {
        Self { request: applying(request, configuration), options: ApplyOptions::default(), codec: PhantomData }
    }

    /// Takes over fields that belong to another manager. Default: that is a conflict.
    pub fn force(mut self) -> Self {
        self.options.force = true;
        self
    }

    /// The request, but for what it accepts.
    fn prepared(self) -> Request {
        let request = match self.options.field_manager.as_deref() {
            None | Some("") => self.request.wrong("apply needs to know who owns the fields: set field_manager"),
            Some(_) => self.request,
        };
        request.with_query(|query| self.options.write(query))
    }
}

/// The request with the configuration's name and body, if it can be applied there. It is not generic, so that users'
/// crates do not compile it.
fn applying(request: Request, configuration: &dyn Configuration) -> Request {
    // First, since what is not a configuration at all has no name either.
    let body = configuration.to_json().and_then(|json| match unfit(&json) {
        Some(problem) => Err(codec::Error::custom(problem)),
        None => codec::to_json(&json),
    });
    let request = request.encoded("application/apply-patch+yaml", body);
    let request = match (non_empty(configuration.namespace()), non_empty(request.namespace_set())) {
        (Some(theirs), Some(ours)) if theirs != ours => {
            let problem = format!("the configuration is of namespace {theirs:?}, the client of {ours:?}");
            request.wrong(problem)
        }
        (Some(theirs), None) => {
            request.wrong(format!("the configuration is of namespace {theirs:?}, but the client of none"))
        }
        _ => request,
    };
    match non_empty(configuration.name()) {
        Some(name) => request.name(name),
        None => request.wrong("metadata.name of the configuration is not set"),
    }
}

/// What the server would refuse in every configuration.
fn unfit(configuration: &Value) -> Option<&'static str> {
    let is_set = |name: &str| non_empty(configuration[name].as_str()).is_some();
    let managed = &configuration["metadata"]["managedFields"];
    match () {
        () if !configuration.is_object() => Some(".: a configuration is an object"),
        () if !is_set("apiVersion") => Some(".apiVersion: is not set"),
        () if !is_set("kind") => Some(".kind: is not set"),
        () if !managed.is_null() && managed.as_array().is_none_or(|entries| !entries.is_empty()) => {
            Some(".metadata.managedFields: is set, as in an object that was read; apply only the fields to own")
        }
        () => None,
    }
}

write_options!(PatchRequest, PatchOptions);
write_options!(Apply, ApplyOptions);
