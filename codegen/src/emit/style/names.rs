//! How crates, features, modules and types of the generated code are called. Each name is spelt here and nowhere else.

use crate::model::{Group, Home};

/// What the names of all crates of groups begin with.
const PACKAGE_PREFIX: &str = "k8s-client-api-";

/// The suffix that tells a configuration from the type that it configures.
pub(crate) const CONFIGURATION_SUFFIX: &str = "ApplyConfiguration";

/// The package of a crate of `crates/api`, given its folder's name: `k8s-client-api-apps`.
pub(crate) fn package(crate_name: &str) -> String {
    format!("{PACKAGE_PREFIX}{crate_name}")
}

/// The library of such a crate, as Rust code names it: `k8s_client_api_apps`.
pub(crate) fn library(crate_name: &str) -> String {
    package(crate_name).replace('-', "_")
}

/// How a group is called in sentences.
pub(in crate::emit) fn title(group: &Group) -> String {
    if group.name.is_empty() { "the core API group".to_owned() } else { format!("the API group `{}`", group.name) }
}

/// The umbrella's feature for an alpha or beta version: `resource-v1beta1`.
pub(in crate::emit) fn version_feature(group: &Group, version: &str) -> String {
    format!("{}-{version}", group.crate_name)
}

/// The feature of a Kubernetes version: `v1_33` of `1.33`.
pub(crate) fn kubernetes_feature(version: &str) -> String {
    format!("v{}", version.replace('.', "_"))
}

/// The type of a configuration.
pub(in crate::emit) fn configuration(object: &str) -> String {
    format!("{object}{CONFIGURATION_SUFFIX}")
}

/// The module of a home's apply configurations: `k8s_client_api_core::v1::apply`.
pub(in crate::emit) fn apply_module(home: &Home) -> String {
    format!("{}::{}::apply", library(&home.crate_name), home.version)
}

/// The module of a home's messages: `k8s_client_api_core::v1::protobuf`.
pub(in crate::emit) fn protobuf_module(home: &Home) -> String {
    format!("{}::{}::protobuf", library(&home.crate_name), home.version)
}

/// How a file calls the messages of another home: `core_v1`.
pub(in crate::emit) fn protobuf_alias(home: &Home) -> String {
    format!("{}_{}", home.crate_name, home.version)
}
