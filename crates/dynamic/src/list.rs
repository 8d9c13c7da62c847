//! A list of objects whose type is not known.

use k8s_client_runtime::object::{AnyList, non_empty};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;

use crate::{
    FieldError, Fields, Unstructured,
    nested::nested_string,
    unstructured::{deep, text},
};

/// A list of objects of any kind.
///
/// Servers leave `apiVersion` and `kind` of the items out of lists of built-in kinds; reading a list fills them in from
/// the list's own, as client-go does. Everything else that the server sent is kept.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct UnstructuredList {
    object: Fields,
    /// The objects.
    pub items: Vec<Unstructured>,
}

impl UnstructuredList {
    /// The list's own fields, all but `items`.
    pub fn object(&self) -> &Fields {
        &self.object
    }

    /// The list's own fields, all but `items`, to be changed.
    pub fn object_mut(&mut self) -> &mut Fields {
        &mut self.object
    }

    /// `apiVersion`: the group and the version, such as `apps/v1`.
    pub fn api_version(&self) -> Option<&str> {
        text(&self.object, "apiVersion")
    }

    /// `kind`, such as `DeploymentList`.
    pub fn kind(&self) -> Option<&str> {
        text(&self.object, "kind")
    }

    /// `metadata.resourceVersion`: the version that the list has, from which a watch goes on.
    pub fn resource_version(&self) -> Option<&str> {
        self.metadata("resourceVersion")
    }

    /// `metadata.continue`: where the next page starts; `None` on the last one.
    pub fn continue_token(&self) -> Option<&str> {
        self.metadata("continue")
    }

    /// `metadata.remainingItemCount`: how many objects the pages after this one have, if the server says.
    pub fn remaining_item_count(&self) -> Option<i64> {
        self.object.get("metadata")?.get("remainingItemCount")?.as_i64()
    }

    fn metadata(&self, field: &str) -> Option<&str> {
        non_empty(nested_string(&self.object, &["metadata", field]).ok().flatten())
    }
}

/// Takes a list apart. Missing or null `items` are an empty list.
impl TryFrom<Fields> for UnstructuredList {
    type Error = FieldError;

    fn try_from(object: Fields) -> Result<Self, FieldError> {
        // Unlike its fields, an object can be dropped however deep it is.
        let mut object = Unstructured::from(object);
        let items = match object.object_mut().remove("items") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                let error = FieldError::mismatch(".items", &other, "a list");
                deep::discard(other);
                return Err(error);
            }
        };
        if deep::is_deep(object.object()) {
            return Err(FieldError::new(".", format!("is nested more than {} levels deep", deep::SHALLOW)));
        }
        let mut list = Self { object: object.into_object(), items: Vec::with_capacity(items.len()) };
        let [api_version, kind] = [list.api_version(), list.kind()].map(|text| text.map(str::to_owned));
        let mut wrong = None;
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::Object(fields) => {
                    let mut item = Unstructured::from(fields);
                    item.fill_in(api_version.as_deref(), kind.as_deref());
                    list.items.push(item);
                }
                other => {
                    let error = || FieldError::mismatch(format!(".items[{index}]"), &other, "an object");
                    wrong.get_or_insert_with(error);
                    deep::discard(other);
                }
            }
        }
        wrong.map_or(Ok(list), Err)
    }
}

impl Unstructured {
    /// Gives an item of a list the names that servers leave out of it. Half a name is left as it is.
    pub(crate) fn fill_in(&mut self, list_api_version: Option<&str>, list_kind: Option<&str>) {
        let kind = list_kind.map(|kind| kind.strip_suffix("List").unwrap_or(kind)).filter(|kind| !kind.is_empty());
        if let (None, None, Some(api_version), Some(kind)) = (self.api_version(), self.kind(), list_api_version, kind) {
            self.set_api_version(api_version);
            self.set_kind(kind);
        }
    }
}

impl Serialize for UnstructuredList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.object.len() + 1))?;
        for (field, value) in &self.object {
            map.serialize_entry(field, value)?;
        }
        map.serialize_entry("items", &self.items)?;
        map.end()
    }
}

impl AnyList for UnstructuredList {
    type Object = Unstructured;

    fn items(&self) -> &[Unstructured] {
        &self.items
    }

    fn items_mut(&mut self) -> &mut Vec<Unstructured> {
        &mut self.items
    }

    fn into_items(self) -> Vec<Unstructured> {
        self.items
    }

    fn resource_version(&self) -> Option<&str> {
        self.resource_version()
    }

    fn continue_token(&self) -> Option<&str> {
        self.continue_token()
    }

    fn remove_continue_token(&mut self) {
        if let Some(Value::Object(metadata)) = self.object.get_mut("metadata") {
            metadata.remove("continue");
            metadata.remove("remainingItemCount");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn list(json: Value) -> Result<UnstructuredList, serde_json::Error> {
        serde_json::from_value(json)
    }

    #[test]
    fn items_get_the_kind_that_the_server_left_out() {
        let read = list(json!({
            "apiVersion": "apps/v1",
            "kind": "DeploymentList",
            "metadata": { "resourceVersion": "7", "continue": "token", "remainingItemCount": 3 },
            "more": { "unknown": true },
            "items": [{ "metadata": { "name": "web" } }, { "apiVersion": "v1", "kind": "Pod" }, { "kind": "Half" }],
        }))
        .unwrap();
        let kinds: Vec<_> = read.items.iter().map(|item| (item.api_version(), item.kind())).collect();
        assert_eq!(kinds, [(Some("apps/v1"), Some("Deployment")), (Some("v1"), Some("Pod")), (None, Some("Half"))]);
        assert_eq!((read.resource_version(), read.continue_token()), (Some("7"), Some("token")));
        assert_eq!(read.remaining_item_count(), Some(3));
        assert_eq!(read.object()["more"], json!({ "unknown": true }));
    }

    #[test]
    fn list_that_has_all_pages_keeps_its_version() {
        let metadata = json!({ "resourceVersion": "7", "continue": "token", "remainingItemCount": 3 });
        let mut read = list(json!({ "metadata": metadata, "items": [] })).unwrap();
        read.remove_continue_token();
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            json!({ "metadata": { "resourceVersion": "7" }, "items": [] })
        );
    }

    #[test]
    fn list_without_a_kind_of_its_own_leaves_items_as_they_are() {
        let read = list(json!({ "apiVersion": "v1", "kind": "List", "items": [{}] })).unwrap();
        assert_eq!(read.items[0].kind(), None);
    }

    #[test]
    fn missing_and_null_items_are_none() {
        for json in [json!({ "kind": "PodList" }), json!({ "kind": "PodList", "items": null })] {
            assert!(list(json).unwrap().items.is_empty());
        }
    }

    #[test]
    fn what_is_no_list_says_where() {
        for (json, text) in [
            (json!({ "items": {} }), ".items: is an object, expected a list"),
            (json!({ "items": [{}, 7] }), ".items[1]: is an integer, expected an object"),
        ] {
            assert_eq!(list(json).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn list_is_written_as_it_was_read() {
        let json = json!({
            "apiVersion": "v1",
            "kind": "ConfigMapList",
            "metadata": { "resourceVersion": "1", "continue": "" },
            "items": [{ "apiVersion": "v1", "kind": "ConfigMap", "data": { "a": "b" }, "new": [1.5, null] }],
        });
        let read = list(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), json);
        assert_eq!(read.continue_token(), None);
    }
}
