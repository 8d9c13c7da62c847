//! The dynamic client.

use std::borrow::Borrow;

use k8s_client_runtime::{
    RestClient,
    apply::Applicable,
    codec::{self, Codec, ListHead, Listable},
    resource::{
        AnyScope, Applies, Apply, Create, Creates, Delete, DeleteCollection, Deletes, Get, Gets, List, Lists, Modify,
        Patch, PatchRequest, Patches, ResourceClient, TypedClient, Update, Updates, Watch, Watches,
    },
    schema::{GroupVersionResource, ResourceScope, RestMapping},
};
use serde::Serialize;

use crate::{
    Unstructured, UnstructuredList,
    configuration::{Named, check_single},
    number::with_integers,
};

/// A client of all resources that the server has, known to the program or not.
///
/// ```no_run
/// use k8s_client_dynamic::DynamicClient;
/// use k8s_client_runtime::{RestClient, schema::GroupVersionResource};
///
/// # async fn example(client: RestClient) -> Result<(), k8s_client_runtime::Error> {
/// let certificates = GroupVersionResource::new("example.com", "v1", "certificates");
/// let certificates = DynamicClient::new(&client).resource(&certificates);
///
/// for certificate in certificates.list().label_selector("app=web").await?.items {
///     println!("{:?} in {:?}", certificate.name(), certificate.namespace());
/// }
/// let web = certificates.namespace("default").get("web").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DynamicClient {
    client: RestClient,
}

/// The objects of one resource: of one namespace after [`namespace`](DynamicResource::namespace), else of the cluster
/// or of all namespaces.
///
/// It has all verbs; what the resource does not have, the server refuses. Each is the builder that typed clients have,
/// with the same options.
#[derive(Clone, Debug)]
pub struct DynamicResource(ResourceClient<AnyKind, AnyScope>);

/// The kind of [`Unstructured`] objects: how they are written and read.
///
/// Only objects with `apiVersion` and `kind` are sent, and only what has a `kind` is taken for an object.
#[derive(Clone, Copy, Debug)]
pub enum AnyKind {}

impl DynamicClient {
    /// A dynamic client of the server that `client` talks to, over the same connections.
    pub fn new(client: &RestClient) -> Self {
        Self { client: client.clone() }
    }

    /// The objects of a resource. Whether they are in namespaces is for you to know.
    pub fn resource(&self, resource: impl Borrow<GroupVersionResource>) -> DynamicResource {
        DynamicResource(ResourceClient::at(&self.client, resource.borrow(), AnyScope::unknown()))
    }

    /// The objects of a resource that a mapper found by its kind or its short name, with the scope that goes with it: a
    /// namespace for objects of the cluster is an error before anything is sent, and so is a missing one where it is
    /// needed.
    pub fn mapped(&self, mapping: &RestMapping) -> DynamicResource {
        DynamicResource(ResourceClient::at(&self.client, &mapping.resource, AnyScope::known(mapping.scope)))
    }

    /// The objects of a mapped resource: those of this namespace if it has namespaces, else the cluster's. So objects
    /// of any kind need no look at the scope.
    pub fn mapped_in(&self, mapping: &RestMapping, namespace: &str) -> DynamicResource {
        match mapping.scope {
            ResourceScope::Namespaced => self.mapped(mapping).namespace(namespace),
            ResourceScope::Cluster => self.mapped(mapping),
        }
    }
}

impl DynamicResource {
    /// The objects of one namespace.
    pub fn namespace(&self, namespace: &str) -> Self {
        Self(self.0.clone().namespace(namespace))
    }

    /// Reads the named object.
    pub fn get(&self, name: &str) -> Get<AnyKind> {
        self.0.get(name)
    }

    /// Lists the objects.
    pub fn list(&self) -> List<AnyKind> {
        self.0.list()
    }

    /// Watches the objects for changes.
    pub fn watch(&self) -> Watch<AnyKind> {
        self.0.watch()
    }

    /// Creates the object.
    pub fn create(&self, object: &Unstructured) -> Create<AnyKind> {
        self.0.create(object)
    }

    /// Replaces the object, which must be the version last read, or the server answers with a conflict.
    pub fn update(&self, object: &Unstructured) -> Update<AnyKind> {
        self.0.update(object)
    }

    /// Replaces the object's status and nothing else of it.
    pub fn update_status(&self, object: &Unstructured) -> Update<AnyKind> {
        self.0.update_status(object)
    }

    /// Reads, changes and updates the named object, and does it again when somebody else changed it meanwhile.
    pub fn modify<'f>(&self, name: &str, change: impl FnMut(&mut Unstructured) + Send + 'f) -> Modify<'f, AnyKind> {
        self.0.modify(name, change)
    }

    /// Deletes the named object.
    pub fn delete(&self, name: &str) -> Delete<AnyKind> {
        self.0.delete(name)
    }

    /// Deletes all objects, or those that the selectors choose.
    pub fn delete_collection(&self) -> DeleteCollection<AnyKind> {
        self.0.delete_collection()
    }

    /// Changes parts of the named object. Only built-in kinds know strategic merge patches.
    pub fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<AnyKind> {
        self.0.patch(name, patch)
    }

    /// Applies a configuration, an [`Unstructured`] or whatever else serde writes: the server merges it by field
    /// ownership and makes the object when there is none.
    ///
    /// It must have `apiVersion` and `kind`. `metadata.name` is filled in, or must be the same. A configuration with
    /// `metadata.managedFields` is refused before it is sent: it was read, and applying it would claim every field of
    /// it.
    pub fn apply(&self, name: &str, configuration: &(impl Serialize + ?Sized)) -> Apply<AnyKind> {
        self.0.apply(&Named::new(name, configuration))
    }

    /// Applies a configuration of the status, as [`apply`](DynamicResource::apply) does of the rest.
    pub fn apply_status(&self, name: &str, configuration: &(impl Serialize + ?Sized)) -> Apply<AnyKind> {
        self.apply_subresource(name, "status", configuration)
    }

    /// Reads a subresource of the named object.
    pub fn get_subresource(&self, name: &str, subresource: &str) -> Get<AnyKind> {
        self.0.get_subresource(name, subresource.to_owned())
    }

    /// Creates a subresource of the named object, such as an eviction.
    pub fn create_subresource(&self, name: &str, subresource: &str, object: &Unstructured) -> Create<AnyKind> {
        self.0.create_subresource::<AnyKind, _>(name, subresource.to_owned(), object)
    }

    /// Replaces a subresource of the named object.
    pub fn update_subresource(&self, name: &str, subresource: &str, object: &Unstructured) -> Update<AnyKind> {
        self.0.update_subresource(name, subresource.to_owned(), object)
    }

    /// Deletes a subresource of the named object.
    pub fn delete_subresource(&self, name: &str, subresource: &str) -> Delete<AnyKind> {
        self.0.delete_subresource(name, subresource.to_owned())
    }

    /// Changes parts of a subresource of the named object.
    pub fn patch_subresource(&self, name: &str, subresource: &str, patch: &Patch) -> PatchRequest<AnyKind> {
        self.0.patch_subresource(name, subresource.to_owned(), patch)
    }

    /// Applies a configuration to a subresource of the named object, as [`apply`](DynamicResource::apply) does to the
    /// whole.
    pub fn apply_subresource(
        &self,
        name: &str,
        subresource: &str,
        configuration: &(impl Serialize + ?Sized),
    ) -> Apply<AnyKind> {
        self.0.apply_subresource(subresource.to_owned(), &Named::new(name, configuration))
    }
}

/// The server reads nothing without these two.
fn check_kind(object: &Unstructured) -> Result<(), String> {
    match (object.api_version(), object.kind()) {
        (None, _) => Err(".apiVersion: is not set".to_owned()),
        (_, None) => Err(".kind: is not set".to_owned()),
        _ => check_single(object),
    }
}

fn read(json: &[u8]) -> codec::Result<Unstructured> {
    Unstructured::from_json(json).map_err(|error| codec::Error::in_json(error, json))
}

#[diagnostic::do_not_recommend]
impl Codec for AnyKind {
    type Object = Unstructured;

    fn encode_json(object: &Unstructured) -> codec::Result<Vec<u8>> {
        check_kind(object).map_err(codec::Error::custom)?;
        Ok(with_integers(object).as_ref().unwrap_or(object).to_json()?)
    }

    fn decode_json(body: &[u8]) -> codec::Result<Unstructured> {
        let object = read(body)?;
        object
            .kind()
            .is_some()
            .then_some(())
            .ok_or_else(|| codec::Error::custom("it is not an object of Kubernetes: it has no kind"))?;
        Ok(object)
    }
}

#[diagnostic::do_not_recommend]
impl Listable for AnyKind {
    type List = UnstructuredList;

    fn decode_list_json(body: &[u8]) -> codec::Result<UnstructuredList> {
        let list = read(body)?.into_list().map_err(codec::Error::custom)?;
        list.kind()
            .is_some()
            .then_some(())
            .ok_or_else(|| codec::Error::custom("it is not a list of Kubernetes: it has no kind"))?;
        Ok(list)
    }

    fn decode_item_json(body: &[u8], list: &ListHead) -> codec::Result<Unstructured> {
        let mut item = read(body)?;
        let is_nameless = item.api_version().is_none() && item.kind().is_none();
        if is_nameless && (list.api_version.is_none() || list.kind.is_none()) {
            return Err(codec::Error::needs_list_head("it has no kind, and its list has none either"));
        }
        item.fill_in(list.api_version.as_deref(), list.kind.as_deref());
        Ok(item)
    }
}

#[diagnostic::do_not_recommend]
impl TypedClient for DynamicResource {
    type Kind = AnyKind;
}

#[diagnostic::do_not_recommend]
impl Gets for DynamicResource {
    fn get(&self, name: &str) -> Get<AnyKind> {
        self.get(name)
    }
}

#[diagnostic::do_not_recommend]
impl Lists for DynamicResource {
    fn list(&self) -> List<AnyKind> {
        self.list()
    }
}

#[diagnostic::do_not_recommend]
impl Watches for DynamicResource {
    fn watch(&self) -> Watch<AnyKind> {
        self.watch()
    }
}

#[diagnostic::do_not_recommend]
impl Creates for DynamicResource {
    fn create(&self, object: &Unstructured) -> Create<AnyKind> {
        self.create(object)
    }
}

#[diagnostic::do_not_recommend]
impl Updates for DynamicResource {
    fn update(&self, object: &Unstructured) -> Update<AnyKind> {
        self.update(object)
    }
}

#[diagnostic::do_not_recommend]
impl Deletes for DynamicResource {
    fn delete(&self, name: &str) -> Delete<AnyKind> {
        self.delete(name)
    }
}

#[diagnostic::do_not_recommend]
impl Patches for DynamicResource {
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<AnyKind> {
        self.patch(name, patch)
    }
}

#[diagnostic::do_not_recommend]
impl Applies for DynamicResource {
    fn apply(&self, configuration: &impl Applicable<AnyKind>) -> Apply<AnyKind> {
        self.0.apply(configuration)
    }
}

#[cfg(test)]
mod tests;
