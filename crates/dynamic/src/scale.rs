//! The scale client.

use std::borrow::Borrow;

use k8s_client_runtime::{
    RestClient,
    codec::{self, Codec},
    k8s_openapi::api::autoscaling::v1::Scale,
    resource::{AnyScope, Apply, Get, Patch, PatchRequest, ResourceClient, Update},
    schema::{GroupVersionResource, RestMapping},
};
use serde::Serialize;

use crate::configuration::Named;

/// Reads and sets how many replicas an object has, whatever its kind: deployments and custom resources alike, if they
/// have a scale subresource.
///
/// ```no_run
/// use k8s_client_dynamic::ScaleClient;
/// use k8s_client_runtime::{RestClient, resource::Patch, schema::GroupVersionResource};
///
/// # async fn example(client: RestClient) -> Result<(), k8s_client_runtime::Error> {
/// let deployments = GroupVersionResource::new("apps", "v1", "deployments");
/// let scales = ScaleClient::new(&client).resource(&deployments).namespace("default");
/// let scale = scales.patch("web", &Patch::Merge(serde_json::json!({ "spec": { "replicas": 3 } }))).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ScaleClient {
    client: RestClient,
}

/// The scales of one resource: of one namespace after [`namespace`](ScaleResource::namespace), else of the cluster.
#[derive(Clone, Debug)]
pub struct ScaleResource(ResourceClient<ScaleKind, AnyScope>);

/// The kind of [`Scale`]: how it is written and read.
#[derive(Clone, Copy, Debug)]
pub enum ScaleKind {}

impl ScaleClient {
    /// A scale client of the server that `client` talks to, over the same connections.
    pub fn new(client: &RestClient) -> Self {
        Self { client: client.clone() }
    }

    /// The scales of a resource. Whether its objects are in namespaces is for you to know.
    pub fn resource(&self, resource: impl Borrow<GroupVersionResource>) -> ScaleResource {
        ScaleResource(ResourceClient::at(&self.client, resource.borrow(), AnyScope::unknown()))
    }

    /// The scales of a resource that a mapper found, with the scope that goes with it.
    pub fn mapped(&self, mapping: &RestMapping) -> ScaleResource {
        ScaleResource(ResourceClient::at(&self.client, &mapping.resource, AnyScope::known(mapping.scope)))
    }
}

impl ScaleResource {
    /// The scales of one namespace.
    pub fn namespace(&self, namespace: &str) -> Self {
        Self(self.0.clone().namespace(namespace))
    }

    /// Reads the scale of the named object.
    pub fn get(&self, name: &str) -> Get<ScaleKind> {
        self.0.get_subresource(name, "scale")
    }

    /// Replaces the scale of the named object.
    pub fn update(&self, name: &str, scale: &Scale) -> Update<ScaleKind> {
        self.0.update_subresource(name, "scale", scale)
    }

    /// Changes parts of the scale of the named object.
    pub fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<ScaleKind> {
        self.0.patch_subresource(name, "scale", patch)
    }

    /// Applies a configuration of `autoscaling/v1` `Scale` to the named object, as
    /// [`DynamicResource::apply`](crate::DynamicResource::apply) does: its own `…ApplyConfiguration` or whatever serde
    /// writes. API servers up to 1.37 refuse it for custom resources, with an internal error (500): patch those.
    pub fn apply(&self, name: &str, configuration: &(impl Serialize + ?Sized)) -> Apply<ScaleKind> {
        self.0.apply_subresource("scale", &Named::new(name, configuration))
    }
}

#[diagnostic::do_not_recommend]
impl Codec for ScaleKind {
    type Object = Scale;

    fn encode_json(object: &Scale) -> codec::Result<Vec<u8>> {
        codec::to_json(object)
    }

    fn decode_json(body: &[u8]) -> codec::Result<Scale> {
        codec::from_json(body)
    }
}
