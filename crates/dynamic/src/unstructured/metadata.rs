//! Getters and setters of `metadata`.

use std::{collections::BTreeMap, mem};

use k8s_client_runtime::k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, OwnerReference, Time};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Unstructured, deep, text};
use crate::{
    Fields,
    nested::{nested_null_coercing_string_map, remove_nested_field},
};

macro_rules! texts {
    ($($get:ident, $set:ident, $field:literal: $docs:literal;)*) => {
        impl Unstructured {
            $(
                #[doc = concat!("`metadata.", $field, "`: ", $docs, ". `None` when it is not set or empty.")]
                ///
                /// ```
                /// # use k8s_client_dynamic::Unstructured;
                /// let mut pod = Unstructured::new("v1", "Pod");
                #[doc = concat!("assert_eq!(pod.", stringify!($get), "(), None);")]
                #[doc = concat!("pod.", stringify!($set), "(\"web\");")]
                #[doc = concat!("assert_eq!(pod.", stringify!($get), "(), Some(\"web\"));")]
                /// ```
                pub fn $get(&self) -> Option<&str> {
                    text(self.metadata()?, $field)
                }

                #[doc = concat!("Sets `metadata.", $field, "`. An empty text takes it away.")]
                pub fn $set(&mut self, value: impl Into<String>) {
                    let value = value.into();
                    self.set($field, (!value.is_empty()).then_some(Value::String(value)));
                }
            )*
        }
    };
}

texts! {
    name, set_name, "name": "the name, one of its kind in its namespace";
    generate_name, set_generate_name, "generateName": "the beginning of a name that the server is to make";
    namespace, set_namespace, "namespace": "the namespace";
    uid, set_uid, "uid": "an identifier that no other object has, not even one of the same name before or after it";
    resource_version, set_resource_version, "resourceVersion": "the version of its last change";
}

macro_rules! values {
    ($($get:ident, $set:ident, $field:literal, $type:ty: $docs:literal;)*) => {
        impl Unstructured {
            $(
                #[doc = concat!("`metadata.", $field, "`: ", $docs, ".")]
                ///
                /// ```
                /// # use k8s_client_dynamic::Unstructured;
                /// let pod = Unstructured::new("v1", "Pod");
                #[doc = concat!("assert!(pod.", stringify!($get), "().is_none());")]
                /// ```
                pub fn $get(&self) -> Option<$type> {
                    typed(self.metadata()?.get($field)?)
                }

                #[doc = concat!("Sets `metadata.", $field, "`. `None` takes it away.")]
                pub fn $set(&mut self, value: Option<$type>) {
                    self.set($field, value.map(|value| untyped(&value)));
                }
            )*
        }
    };
}

values! {
    generation, set_generation, "generation", i64: "how often the desired state of the object has changed";
    creation_timestamp, set_creation_timestamp, "creationTimestamp", Time: "when it was created";
    deletion_timestamp, set_deletion_timestamp, "deletionTimestamp", Time: "since when it is being deleted";
    deletion_grace_period_seconds, set_deletion_grace_period_seconds, "deletionGracePeriodSeconds", i64:
        "how long it may take to end, in seconds";
}

macro_rules! string_maps {
    ($($get:ident, $set:ident, $field:literal;)*) => {
        impl Unstructured {
            $(
                #[doc = concat!("`metadata.", $field, "`. Empty when they are not set.")]
                ///
                /// ```
                /// # use k8s_client_dynamic::Unstructured;
                /// let mut pod = Unstructured::new("v1", "Pod");
                #[doc = concat!("pod.", stringify!($set), "([(\"app\", \"web\")]);")]
                #[doc = concat!("assert_eq!(pod.", stringify!($get), "()[\"app\"], \"web\");")]
                /// ```
                pub fn $get(&self) -> BTreeMap<String, String> {
                    nested_null_coercing_string_map(self.object(), &["metadata", $field])
                        .ok()
                        .flatten()
                        .unwrap_or_default()
                }

                #[doc = concat!("Sets `metadata.", $field, "`, all of them. None at all takes the field away.")]
                pub fn $set<K, V>(&mut self, value: impl IntoIterator<Item = (K, V)>)
                where
                    K: Into<String>,
                    V: Into<String>,
                {
                    let texts = value.into_iter().map(|(key, text)| (key.into(), Value::String(text.into())));
                    let texts: Fields = texts.collect();
                    self.set($field, (!texts.is_empty()).then_some(Value::Object(texts)));
                }
            )*
        }
    };
}

string_maps! {
    labels, set_labels, "labels";
    annotations, set_annotations, "annotations";
}

macro_rules! lists {
    ($($get:ident, $set:ident, $field:literal, $type:ty: $docs:literal;)*) => {
        impl Unstructured {
            $(
                #[doc = concat!("`metadata.", $field, "`: ", $docs, ". Empty when there are none.")]
                ///
                /// ```
                /// # use k8s_client_dynamic::Unstructured;
                /// let pod = Unstructured::new("v1", "Pod");
                #[doc = concat!("assert!(pod.", stringify!($get), "().is_empty());")]
                /// ```
                pub fn $get(&self) -> Vec<$type> {
                    let items = self.metadata().and_then(|metadata| metadata.get($field)?.as_array());
                    items.map(|items| items.iter().filter_map(typed).collect()).unwrap_or_default()
                }

                #[doc = concat!("Sets `metadata.", $field, "`, all of them. None at all takes the field away.")]
                pub fn $set(&mut self, value: &[$type]) {
                    self.set($field, (!value.is_empty()).then(|| value.iter().map(untyped).collect()));
                }
            )*
        }
    };
}

lists! {
    finalizers, set_finalizers, "finalizers", String: "the names of those who must act before the object may go";
    owner_references, set_owner_references, "ownerReferences", OwnerReference: "the objects that this one goes with";
    managed_fields, set_managed_fields, "managedFields", ManagedFieldsEntry: "who owns which field";
}

impl Unstructured {
    fn metadata(&self) -> Option<&Fields> {
        self.object().get("metadata")?.as_object()
    }

    /// A field of `metadata` as it stands there.
    pub(super) fn metadata_field(&self, field: &str) -> Option<&Value> {
        self.metadata()?.get(field)
    }

    /// The texts of a map in `metadata`.
    pub(super) fn metadata_texts(&self, field: &str) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.metadata_field(field).and_then(Value::as_object);
        texts.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// Sets or removes a field of `metadata`, which becomes an object if it was none and there is something to set.
    fn set(&mut self, field: &str, value: Option<Value>) {
        let Some(value) = value else {
            deep::discard(remove_nested_field(self.object_mut(), &["metadata", field]).unwrap_or_default());
            return;
        };
        let metadata = self.object_mut().entry("metadata").or_insert(Value::Null);
        if !metadata.is_object() {
            deep::discard(mem::replace(metadata, Value::Object(Fields::new())));
        }
        if let Value::Object(metadata) = metadata {
            deep::discard(metadata.insert(field.to_owned(), value).unwrap_or_default());
        }
    }
}

/// A value of a type; one that is of another, or too deep for any, counts as not there.
fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    let is_deep = value.as_object().is_some_and(deep::is_deep);
    if is_deep { None } else { T::deserialize(value).ok() }
}

/// The types of metadata are all plain data, which serde cannot fail to write.
fn untyped(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
