//! Types that k8s-openapi does not have: structs in its manner, and enums that stay open.

use std::collections::BTreeMap;

use super::{FieldType, Scope};

/// The types of one version of a group: the module `types`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structs {
    /// The structs, by name.
    pub structs: BTreeMap<String, Struct>,
    /// The enums, by name.
    pub enums: BTreeMap<String, OpenEnum>,
}

/// A struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struct {
    /// What it is, in lines of documentation.
    pub docs: Vec<String>,
    /// The fields, by their names in the API.
    pub fields: BTreeMap<String, StructField>,
    /// The field for what the schema does not name, where the server keeps that.
    pub unknown_fields: Option<String>,
    /// Where it is an object of its own.
    pub object: Option<CustomObject>,
}

/// What an object's type says of its resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomObject {
    /// `cert-manager.io/v1`
    pub api_version: String,
    /// `Certificate`
    pub kind: String,
    /// `CertificateList`
    pub list_kind: String,
    /// `certificates`
    pub plural: String,
    /// `certificate`
    pub singular: String,
    /// `cert`
    pub short_names: Vec<String>,
    /// `all`
    pub categories: Vec<String>,
    /// Whether its objects live in namespaces.
    pub scope: Scope,
    /// Whether the status is a subresource.
    pub has_status: bool,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructField {
    /// The field in Rust.
    pub name: String,
    /// What it holds.
    pub value: FieldType,
    /// Whether it is always there; all others are an `Option`.
    pub required: bool,
    /// What is said of it beside its name, in lines of documentation.
    pub docs: Vec<String>,
}

/// An enum of texts that takes others too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEnum {
    /// What it is, in lines of documentation.
    pub docs: Vec<String>,
    /// Variants and their texts.
    pub variants: Vec<(String, String)>,
}
