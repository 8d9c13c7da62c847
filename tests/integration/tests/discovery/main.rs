//! Discovery and the mapper on a real kube-apiserver, one module a capability.

mod caches;
mod custom_resources;
mod dead_services;
mod kubectl;
mod mapper;
mod served;

use std::collections::BTreeSet;

use k8s_client::discovery::{GroupVersion, ServerResources};

/// Other tests come and go with groups of their own; these belong to the server.
fn is_built_in(group_version: &GroupVersion) -> bool {
    !group_version.group.contains("example.com")
}

/// Every resource and subresource that is the server's own, as one line of all that is known of it.
fn built_in(all: &ServerResources) -> BTreeSet<String> {
    let lists = all.resources.iter().filter(|list| is_built_in(&list.group_version));
    let lines = |list: &k8s_client::discovery::ApiResourceList| {
        let group_version = list.group_version.clone();
        list.resources.iter().map(move |resource| format!("{group_version} {resource:?}")).collect::<Vec<_>>()
    };
    lists.flat_map(lines).collect()
}
