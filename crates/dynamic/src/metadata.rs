//! The metadata client.

use std::borrow::Borrow;

use k8s_client_api_meta::v1::protobuf as protobuf_of_meta;
use k8s_client_runtime::{
    RestClient, any_object_by_metadata,
    codec::{self, Codec, ListHead, Listable, MediaType},
    k8s_openapi::apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta},
    message,
    object::{AnyList, AnyObject, non_empty},
    protobuf,
    resource::{
        AnyScope, Delete, DeleteCollection, Deletes, Get, Gets, List, Lists, Patch, PatchRequest, Patches,
        ResourceClient, TypedClient, Watch, Watches,
    },
    schema::{GroupVersionResource, RestMapping},
};
use serde::{Deserialize, Deserializer, Serialize};

/// Of one object, and of each event.
const KIND: &str = "PartialObjectMetadata";
const LIST_KIND: &str = "PartialObjectMetadataList";
const API_VERSION: &str = "meta.k8s.io/v1";

/// What is deleted is answered as it is, which is read in JSON.
const AS_IT_IS: &str = MediaType::Json.as_str();

/// Reads the metadata of objects and nothing else of them, for any resource: a list of large objects becomes a small
/// one.
///
/// `managedFields` that are nested more than 127 levels deep, as they are of a custom resource that is, are left out of
/// an object's metadata.
///
/// It travels as protobuf, that of custom resources too. A server that cannot leave the rest out sends whole objects,
/// in JSON, which are read as metadata all the same.
///
/// ```no_run
/// use k8s_client_dynamic::MetadataClient;
/// use k8s_client_runtime::{RestClient, schema::GroupVersionResource};
///
/// # async fn example(client: RestClient) -> Result<(), k8s_client_runtime::Error> {
/// let secrets = GroupVersionResource::new("", "v1", "secrets");
/// for secret in MetadataClient::new(&client).resource(&secrets).list().await?.items {
///     println!("{:?} in {:?}", secret.metadata.name, secret.metadata.namespace);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MetadataClient {
    client: RestClient,
}

/// The metadata of one resource's objects: of one namespace after [`namespace`](MetadataResource::namespace), else of
/// the cluster or of all namespaces.
#[derive(Clone, Debug)]
pub struct MetadataResource(ResourceClient<PartialObjectMetadataKind, AnyScope>);

/// An object reduced to its metadata.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PartialObjectMetadata {
    /// `meta.k8s.io/v1`; `None` when the server sent the whole object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// `PartialObjectMetadata`; `None` when the server sent the whole object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The object's metadata.
    #[serde(deserialize_with = "or_default")]
    pub metadata: ObjectMeta,
}

/// A list of objects reduced to their metadata.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PartialObjectMetadataList {
    /// `meta.k8s.io/v1`; `None` when the server sent whole objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// `PartialObjectMetadataList`; `None` when the server sent whole objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The list's own metadata.
    #[serde(deserialize_with = "or_default")]
    pub metadata: ListMeta,
    /// The objects.
    #[serde(deserialize_with = "or_default")]
    pub items: Vec<PartialObjectMetadata>,
}

/// The kind of [`PartialObjectMetadata`]: how it is written and read.
#[derive(Clone, Copy, Debug)]
pub enum PartialObjectMetadataKind {}

impl MetadataClient {
    /// A metadata client of the server that `client` talks to, over the same connections.
    pub fn new(client: &RestClient) -> Self {
        Self { client: client.clone() }
    }

    /// The objects of a resource. Whether they are in namespaces is for you to know.
    pub fn resource(&self, resource: impl Borrow<GroupVersionResource>) -> MetadataResource {
        MetadataResource(ResourceClient::at(&self.client, resource.borrow(), AnyScope::unknown()))
    }

    /// The objects of a resource that a mapper found, with the scope that goes with it.
    pub fn mapped(&self, mapping: &RestMapping) -> MetadataResource {
        MetadataResource(ResourceClient::at(&self.client, &mapping.resource, AnyScope::known(mapping.scope)))
    }
}

impl MetadataResource {
    /// The objects of one namespace.
    pub fn namespace(&self, namespace: &str) -> Self {
        Self(self.0.clone().namespace(namespace))
    }

    /// Reads the named object's metadata.
    pub fn get(&self, name: &str) -> Get<PartialObjectMetadataKind> {
        self.0.get(name).as_kind(KIND)
    }

    /// Lists the objects' metadata.
    pub fn list(&self) -> List<PartialObjectMetadataKind> {
        self.0.list().as_kind(LIST_KIND)
    }

    /// Watches the objects for changes. All changes are told, those of other fields too.
    pub fn watch(&self) -> Watch<PartialObjectMetadataKind> {
        self.0.watch().as_kind(KIND)
    }

    /// Deletes the named object.
    pub fn delete(&self, name: &str) -> Delete<PartialObjectMetadataKind> {
        self.0.delete(name).with_header("accept", AS_IT_IS)
    }

    /// Deletes all objects, or those that the selectors choose.
    pub fn delete_collection(&self) -> DeleteCollection<PartialObjectMetadataKind> {
        self.0.delete_collection().with_header("accept", AS_IT_IS)
    }

    /// Changes parts of the named object, of its metadata or elsewhere, and reads its metadata.
    pub fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<PartialObjectMetadataKind> {
        self.0.patch(name, patch).as_kind(KIND)
    }

    /// Reads the metadata of a subresource of the named object.
    pub fn get_subresource(&self, name: &str, subresource: &str) -> Get<PartialObjectMetadataKind> {
        self.0.get_subresource(name, subresource.to_owned()).as_kind(KIND)
    }

    /// Deletes a subresource of the named object.
    pub fn delete_subresource(&self, name: &str, subresource: &str) -> Delete<PartialObjectMetadataKind> {
        self.0.delete_subresource(name, subresource.to_owned()).with_header("accept", AS_IT_IS)
    }

    /// Changes parts of a subresource of the named object, and reads its metadata.
    pub fn patch_subresource(
        &self,
        name: &str,
        subresource: &str,
        patch: &Patch,
    ) -> PatchRequest<PartialObjectMetadataKind> {
        self.0.patch_subresource(name, subresource.to_owned(), patch).as_kind(KIND)
    }
}

message! {
    ObjectMessage of PartialObjectMetadata {
        1 metadata: one protobuf_of_meta::ObjectMeta,
    }
}

message! {
    ListMessage of PartialObjectMetadataList {
        1 metadata: one protobuf::ListMeta,
        2 items: many ObjectMessage,
    }
}

#[diagnostic::do_not_recommend]
impl Codec for PartialObjectMetadataKind {
    type Object = PartialObjectMetadata;

    const ACCEPT: &'static [MediaType] = MediaType::PROTOBUF_OR_JSON;

    fn encode_json(object: &PartialObjectMetadata) -> codec::Result<Vec<u8>> {
        codec::to_json(object)
    }

    fn decode_json(body: &[u8]) -> codec::Result<PartialObjectMetadata> {
        let mut object: PartialObjectMetadata = codec::from_json(body)?;
        check_names(object.api_version.as_ref(), object.kind.as_ref()).map_err(codec::Error::custom)?;
        if object.kind.as_deref() != Some(KIND) {
            if !is_likely(&object.metadata) {
                return Err(codec::Error::custom("it is not an object: its metadata has no name and no uid"));
            }
            // It is not of the kind that it names any more.
            (object.api_version, object.kind) = (None, None);
        }
        Ok(object)
    }

    fn encode_protobuf(object: &PartialObjectMetadata) -> codec::Result<Vec<u8>> {
        Ok(protobuf::write_kind::<ObjectMessage>(object, API_VERSION, KIND)?)
    }

    fn decode_protobuf(body: &[u8]) -> codec::Result<PartialObjectMetadata> {
        Ok(with_kind(protobuf::read_kind::<ObjectMessage>(body, API_VERSION, KIND)?))
    }
}

#[diagnostic::do_not_recommend]
impl Listable for PartialObjectMetadataKind {
    type List = PartialObjectMetadataList;

    fn decode_list_json(body: &[u8]) -> codec::Result<PartialObjectMetadataList> {
        let mut list: PartialObjectMetadataList = codec::from_json(body)?;
        check_names(list.api_version.as_ref(), list.kind.as_ref()).map_err(codec::Error::custom)?;
        if list.kind.as_deref() != Some(LIST_KIND) {
            (list.api_version, list.kind) = (None, None);
            for item in &mut list.items {
                (item.api_version, item.kind) = (None, None);
            }
        }
        Ok(list)
    }

    fn decode_list_protobuf(body: &[u8]) -> codec::Result<PartialObjectMetadataList> {
        let list = protobuf::read_kind::<ListMessage>(body, API_VERSION, LIST_KIND)?;
        let (api_version, kind) = (Some(API_VERSION.to_owned()), Some(LIST_KIND.to_owned()));
        let items = list.items.into_iter().map(with_kind).collect();
        Ok(PartialObjectMetadataList { api_version, kind, items, ..list })
    }

    fn decode_item_protobuf(body: &[u8]) -> codec::Result<PartialObjectMetadata> {
        Ok(with_kind(codec::item_from_protobuf::<ObjectMessage>(body)?))
    }

    fn decode_item_json(body: &[u8], list: &ListHead) -> codec::Result<PartialObjectMetadata> {
        let mut item: PartialObjectMetadata = codec::from_json(body)?;
        // A list that says its kind behind its items is one of custom resources as they are.
        let is_reduced = match &list.kind {
            Some(kind) => kind == LIST_KIND,
            None => item.kind.as_deref() == Some(KIND),
        };
        if !is_reduced {
            (item.api_version, item.kind) = (None, None);
        }
        Ok(item)
    }
}

/// What comes as protobuf was reduced, and says of which kind it is outside.
fn with_kind(object: PartialObjectMetadata) -> PartialObjectMetadata {
    PartialObjectMetadata { api_version: Some(API_VERSION.to_owned()), kind: Some(KIND.to_owned()), ..object }
}

/// Whatever an API server writes by itself has both, an item of a list need not.
fn check_names(api_version: Option<&String>, kind: Option<&String>) -> Result<(), &'static str> {
    match (non_empty(api_version), non_empty(kind)) {
        (_, None) => Err("it is not an object of Kubernetes: it has no kind"),
        (None, _) => Err("it is not an object of Kubernetes: it has no apiVersion"),
        _ => Ok(()),
    }
}

/// client-go's test for an object that the server did not reduce.
fn is_likely(metadata: &ObjectMeta) -> bool {
    metadata.creation_timestamp.is_some()
        || [&metadata.uid, &metadata.name, &metadata.generate_name]
            .into_iter()
            .any(|text| non_empty(text.as_ref()).is_some())
}

/// Reads null as if the field were not there.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl AnyObject for PartialObjectMetadata {
    any_object_by_metadata!(metadata, metadata_mut);
}

fn metadata(object: &PartialObjectMetadata) -> &ObjectMeta {
    &object.metadata
}

fn metadata_mut(object: &mut PartialObjectMetadata) -> &mut ObjectMeta {
    &mut object.metadata
}

impl AnyList for PartialObjectMetadataList {
    type Object = PartialObjectMetadata;

    fn items(&self) -> &[PartialObjectMetadata] {
        &self.items
    }

    fn items_mut(&mut self) -> &mut Vec<PartialObjectMetadata> {
        &mut self.items
    }

    fn into_items(self) -> Vec<PartialObjectMetadata> {
        self.items
    }

    fn resource_version(&self) -> Option<&str> {
        non_empty(self.metadata.resource_version.as_ref())
    }

    fn continue_token(&self) -> Option<&str> {
        non_empty(self.metadata.continue_.as_ref())
    }

    fn remove_continue_token(&mut self) {
        self.metadata.continue_ = None;
        self.metadata.remaining_item_count = None;
    }
}

#[diagnostic::do_not_recommend]
impl TypedClient for MetadataResource {
    type Kind = PartialObjectMetadataKind;
}

#[diagnostic::do_not_recommend]
impl Gets for MetadataResource {
    fn get(&self, name: &str) -> Get<PartialObjectMetadataKind> {
        self.get(name)
    }
}

#[diagnostic::do_not_recommend]
impl Lists for MetadataResource {
    fn list(&self) -> List<PartialObjectMetadataKind> {
        self.list()
    }
}

#[diagnostic::do_not_recommend]
impl Watches for MetadataResource {
    fn watch(&self) -> Watch<PartialObjectMetadataKind> {
        self.watch()
    }
}

#[diagnostic::do_not_recommend]
impl Deletes for MetadataResource {
    fn delete(&self, name: &str) -> Delete<PartialObjectMetadataKind> {
        self.delete(name)
    }
}

#[diagnostic::do_not_recommend]
impl Patches for MetadataResource {
    fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<PartialObjectMetadataKind> {
        self.patch(name, patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduced_objects_are_read_as_they_are() {
        let body = br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"web"}}"#;
        let object = PartialObjectMetadataKind::decode_json(body).unwrap();
        assert_eq!(object.kind.as_deref(), Some("PartialObjectMetadata"));
        assert_eq!(object.name(), Some("web"));
        for media_type in [MediaType::Json, MediaType::Protobuf] {
            let written = PartialObjectMetadataKind::encode(media_type, &object).unwrap();
            assert_eq!(PartialObjectMetadataKind::decode(media_type, &written).unwrap(), object);
        }
    }

    #[test]
    fn whole_objects_are_reduced_here() {
        let body = br#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"},"spec":{"nodeName":"one"}}"#;
        let object = PartialObjectMetadataKind::decode_json(body).unwrap();
        assert_eq!((object.kind.as_deref(), object.name()), (None, Some("web")));

        let body = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":""},
            "items":[{"kind":"Pod","metadata":{"name":"web"},"spec":{}}]}"#;
        let list = PartialObjectMetadataKind::decode_list_json(body).unwrap();
        assert_eq!((list.kind.as_deref(), list.resource_version(), list.continue_token()), (None, Some("7"), None));
        assert_eq!((list.items[0].kind.as_deref(), list.items[0].name()), (None, Some("web")));
    }

    #[test]
    fn json_without_kind_apiversion_or_metadata_is_not_an_object() {
        for (body, part) in [
            (r"{}", "no kind"),
            (r#"{"metadata":{"name":"web"}}"#, "no kind"),
            (r#"{"apiVersion":"v1","kind":"","metadata":{"name":"web"}}"#, "no kind"),
            (r#"{"kind":"Pod","metadata":{"name":"web"}}"#, "no apiVersion"),
            (r#"{"kind":"PartialObjectMetadata","apiVersion":null,"metadata":{"name":"web"}}"#, "no apiVersion"),
            (r#"{"kind":"Version","apiVersion":"v1","metadata":{}}"#, "no name and no uid"),
            (r#"{"kind":"Version","apiVersion":"v1","metadata":null}"#, "no name and no uid"),
        ] {
            let error = PartialObjectMetadataKind::decode_json(body.as_bytes()).expect_err("it is not an object");
            assert!(error.to_string().contains(part), "{body}: {error}");
        }
        for (body, part) in [
            (r#"{"items":[]}"#, "no kind"),
            (r#"{"apiVersion":"v1","items":[]}"#, "no kind"),
            (r#"{"kind":"PodList","items":[]}"#, "no apiVersion"),
        ] {
            let error = PartialObjectMetadataKind::decode_list_json(body.as_bytes()).expect_err("it is not a list");
            assert!(error.to_string().contains(part), "{body}: {error}");
        }
    }

    #[test]
    fn null_items_are_an_empty_list() {
        let body = br#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":null}"#;
        assert!(PartialObjectMetadataKind::decode_list_json(body).unwrap().items.is_empty());
    }

    #[test]
    fn items_are_the_same_one_by_one_as_in_their_list() {
        let item = r#"{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"name":"web"}}"#;
        for (kind, item) in [
            ("PartialObjectMetadataList", item.to_owned()),
            ("PodList", item.to_owned()),
            ("PodList", r#"{"kind":"Pod","metadata":{"name":"web"},"spec":{}}"#.to_owned()),
        ] {
            let list = format!(r#"{{"apiVersion":"v1","kind":"{kind}","items":[{item}]}}"#);
            let mut head = ListHead::default();
            head.kind = Some(kind.to_owned());
            let whole = PartialObjectMetadataKind::decode_list_json(list.as_bytes()).unwrap();
            assert_eq!(PartialObjectMetadataKind::decode_item_json(item.as_bytes(), &head).unwrap(), whole.items[0]);
        }
        let behind = PartialObjectMetadataKind::decode_item_json(item.as_bytes(), &ListHead::default()).unwrap();
        assert_eq!(behind.kind.as_deref(), Some("PartialObjectMetadata"));
    }
}
