//! An object whose type is not known.

use std::{borrow::Cow, fmt, mem};

use k8s_client_runtime::{
    json,
    k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time},
    object::{AnyObject, non_empty},
    schema::{GroupVersion, GroupVersionKind},
};
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser::Error as _};
use serde_json::Value;

use crate::{FieldError, Fields, UnstructuredList, number::with_integers};

pub(crate) mod deep;
mod metadata;

/// An object of any kind: JSON with a few methods for what all objects have.
///
/// Nothing is lost between reading and writing it, fields of newer versions and of other people's kinds included.
/// [`object`](Unstructured::object) gives its fields, which the functions of [`nested`](crate::nested) read and write.
///
/// # Depth
///
/// Objects are read as deep as kube-apiserver stores them: 10,000 levels. Reading, writing, copying, comparing and
/// dropping an `Unstructured` need no stack for that. What serde_json does with a value by itself does: whoever takes a
/// value out of an object that anybody may write, and copies it, serialises it or merely drops it, should know how deep
/// it is. Types ([`to_typed`](Unstructured::to_typed)), serde and applied configurations go 127 levels deep; what is
/// deeper is an error.
///
/// Getters take a value of the wrong type for one that is not there, as client-go's do;
/// [`to_typed`](Unstructured::to_typed) names it.
///
/// ```
/// use k8s_client_dynamic::Unstructured;
///
/// let mut certificate = Unstructured::new("example.com/v1", "Certificate");
/// certificate.set_name("web");
/// certificate.set_labels([("app", "web")]);
/// assert_eq!(certificate.name(), Some("web"));
/// ```
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct Unstructured(Fields);

impl Unstructured {
    /// An object that has nothing but its kind.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let mut object = Self::default();
        object.set_api_version(api_version);
        object.set_kind(kind);
        object
    }

    /// Reads an object from JSON: what `serde_json::from_slice` does, deeper, and with U+FFFD for damaged letters.
    ///
    /// # Errors
    ///
    /// When it is not JSON, not an object, or nested more than 10,000 levels deep, which kube-apiserver does not store.
    ///
    /// ```
    /// use k8s_client_dynamic::Unstructured;
    ///
    /// let object = Unstructured::from_json(br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}"#)?;
    /// assert_eq!(object.name(), Some("web"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        let error = match serde_json::from_slice(json) {
            Ok(object) => return Ok(object),
            Err(error) => error,
        };
        let mended = json::as_go_reads(json);
        let text = mended.as_deref().unwrap_or(json);
        if json::is_deeper_than(text, deep::SHALLOW) {
            deep::read(text).map(Self)
        } else if mended.is_some() {
            serde_json::from_slice(text)
        } else {
            Err(error)
        }
    }

    /// Writes the object as JSON, however deep it is.
    ///
    /// # Errors
    ///
    /// None that are known; serde's interface has them.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        if deep::is_deep(&self.0) { deep::write(&self.0) } else { serde_json::to_vec(&self.0) }
    }

    /// An object of a type of its own, made into fields: a typed Kubernetes object, or anything that serde writes as an
    /// object.
    ///
    /// # Errors
    ///
    /// When serde cannot write a field as JSON, or the whole is not an object.
    ///
    /// ```
    /// use k8s_client_dynamic::Unstructured;
    /// use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
    ///
    /// let object = Unstructured::from_typed(&ConfigMap::default())?;
    /// assert_eq!(object.kind(), Some("ConfigMap"));
    /// # Ok::<(), k8s_client_dynamic::FieldError>(())
    /// ```
    pub fn from_typed(typed: &impl Serialize) -> Result<Self, FieldError> {
        let value = serde_path_to_error::serialize(typed, serde_json::value::Serializer).map_err(|error| at(&error))?;
        Self::try_from(value)
    }

    /// The object as a type of its own. Fields that the type does not know are left out. A float without a fraction is
    /// taken for an integer where the type expects one, as client-go does.
    ///
    /// # Errors
    ///
    /// When a field is not what the type expects: the error's path names it. The types of Kubernetes expect their own
    /// `apiVersion` and `kind`; another one is an error of the whole, at `.`. So is an object that is nested more than
    /// 127 levels deep.
    ///
    /// ```
    /// use k8s_client_dynamic::Unstructured;
    /// use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
    /// use serde_json::json;
    ///
    /// let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "key": 7 } });
    /// let error = Unstructured::try_from(object)?.to_typed::<ConfigMap>().unwrap_err();
    /// assert_eq!(error.path(), ".data.key");
    /// # Ok::<(), k8s_client_dynamic::FieldError>(())
    /// ```
    pub fn to_typed<T: DeserializeOwned + Send>(&self) -> Result<T, FieldError> {
        if deep::is_deep(&self.0) {
            let problem = format!("is nested more than {} levels deep, which no type is read with", deep::SHALLOW);
            return Err(FieldError::new(".", problem));
        }
        if deep::is_deeper_than(&self.0, json::MAX_DEPTH_ON_STACK) {
            return json::on_a_large_stack(|| self.typed())
                .unwrap_or_else(|error| Err(FieldError::new(".", error.to_string())));
        }
        self.typed()
    }

    fn typed<T: DeserializeOwned>(&self) -> Result<T, FieldError> {
        match serde_path_to_error::deserialize(&self.0) {
            Ok(typed) => Ok(typed),
            Err(error) => {
                // Rare enough to be tried only then: a float without a fraction where an integer is expected.
                let with_integers = with_integers(self).and_then(|object| T::deserialize(&object.0).ok());
                with_integers.ok_or_else(|| at(&error))
            }
        }
    }

    /// The fields. [As deep as they may be](Unstructured#depth), whatever does not follow them down is fine.
    pub fn object(&self) -> &Fields {
        &self.0
    }

    /// The fields, to be changed.
    pub fn object_mut(&mut self) -> &mut Fields {
        &mut self.0
    }

    /// The fields, without the object.
    pub fn into_object(mut self) -> Fields {
        mem::take(&mut self.0)
    }

    /// `apiVersion`: the group and the version, such as `apps/v1`.
    pub fn api_version(&self) -> Option<&str> {
        text(&self.0, "apiVersion")
    }

    /// Sets `apiVersion`.
    pub fn set_api_version(&mut self, api_version: impl Into<String>) {
        self.set_field("apiVersion", api_version.into());
    }

    /// `kind`, such as `Deployment`.
    pub fn kind(&self) -> Option<&str> {
        text(&self.0, "kind")
    }

    /// Sets `kind`.
    pub fn set_kind(&mut self, kind: impl Into<String>) {
        self.set_field("kind", kind.into());
    }

    fn set_field(&mut self, field: &str, text: String) {
        deep::discard(self.0.insert(field.to_owned(), Value::String(text)).unwrap_or_default());
    }

    /// `apiVersion` and `kind`, taken apart; `None` when one is not set or cannot be read.
    pub fn group_version_kind(&self) -> Option<GroupVersionKind> {
        let version: GroupVersion = self.api_version()?.parse().ok()?;
        Some(version.with_kind(self.kind()?))
    }

    /// Sets `apiVersion` and `kind`.
    pub fn set_group_version_kind(&mut self, kind: &GroupVersionKind) {
        self.set_api_version(kind.group_version().to_string());
        self.set_kind(&kind.kind);
    }

    /// Whether the object is a list: it has `items`.
    pub fn is_list(&self) -> bool {
        self.0.get("items").is_some_and(Value::is_array)
    }

    /// The object as a list.
    ///
    /// # Errors
    ///
    /// When `items` is not a list of objects.
    pub fn into_list(self) -> Result<UnstructuredList, FieldError> {
        UnstructuredList::try_from(self.into_object())
    }
}

/// A text that is set and not empty.
pub(crate) fn text<'a>(fields: &'a Fields, field: &str) -> Option<&'a str> {
    non_empty(fields.get(field).and_then(Value::as_str))
}

/// serde's error with the path in front, in our spelling: `.spec.replicas`.
fn at(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let path = error.path().to_string();
    let path = if path.starts_with('.') { path } else { format!(".{path}") };
    FieldError::new(path, error.inner().to_string())
}

impl AnyObject for Unstructured {
    fn name(&self) -> Option<&str> {
        self.name()
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace()
    }

    fn uid(&self) -> Option<&str> {
        self.uid()
    }

    fn resource_version(&self) -> Option<&str> {
        self.resource_version()
    }

    fn generation(&self) -> Option<i64> {
        self.generation()
    }

    fn creation_timestamp(&self) -> Option<Time> {
        self.creation_timestamp()
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.deletion_timestamp()
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.metadata_field("labels")?.get(key)?.as_str()
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata_texts("labels")
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata_field("annotations")?.get(key)?.as_str()
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata_texts("annotations")
    }

    fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.metadata_field("finalizers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    fn owner_references(&self) -> Cow<'_, [OwnerReference]> {
        Cow::Owned(self.owner_references())
    }

    fn remove_managed_fields(&mut self) {
        self.set_managed_fields(&[]);
    }
}

impl Clone for Unstructured {
    fn clone(&self) -> Self {
        Self(if deep::is_deep(&self.0) { deep::copy(&self.0) } else { self.0.clone() })
    }
}

impl PartialEq for Unstructured {
    fn eq(&self, other: &Self) -> bool {
        if deep::is_deep(&self.0) { deep::are_equal(&self.0, &other.0) } else { self.0 == other.0 }
    }
}

impl fmt::Debug for Unstructured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !deep::is_deep(&self.0) {
            return f.debug_tuple("Unstructured").field(&self.0).finish();
        }
        let json = deep::write(&self.0).map_err(|_| fmt::Error)?;
        write!(f, "Unstructured({})", String::from_utf8_lossy(&json))
    }
}

impl Serialize for Unstructured {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if deep::is_deep(&self.0) {
            let problem = "the object is nested too deep for serde: write it by `Unstructured::to_json`";
            return Err(S::Error::custom(problem));
        }
        self.0.serialize(serializer)
    }
}

impl Drop for Unstructured {
    fn drop(&mut self) {
        if deep::is_deep(&self.0) {
            deep::discard(Value::Object(mem::take(&mut self.0)));
        }
    }
}

impl From<Fields> for Unstructured {
    fn from(fields: Fields) -> Self {
        Self(fields)
    }
}

impl TryFrom<Value> for Unstructured {
    type Error = FieldError;

    fn try_from(value: Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            other => {
                let error = FieldError::mismatch(".", &other, "an object");
                deep::discard(other);
                Err(error)
            }
        }
    }
}

impl From<Unstructured> for Value {
    fn from(object: Unstructured) -> Self {
        Self::Object(object.into_object())
    }
}

#[cfg(test)]
mod tests;
