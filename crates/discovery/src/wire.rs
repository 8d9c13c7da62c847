//! The documents of discovery as they travel, and as kubectl keeps them on disk.
//!
//! k8s-openapi has types for some of them, which want fields that old and aggregated servers leave out; these take what
//! comes.

use std::collections::BTreeMap;

use k8s_client_runtime::schema::{GroupVersion, GroupVersionKind, ResourceScope};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    error::Error,
    model::{ApiGroup, ApiResource, ApiResourceList, ServerResources},
};

/// What `/api` answers without aggregation: the versions of the core group.
#[derive(Deserialize)]
pub(crate) struct CoreVersions {
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<String>,
}

/// What `/apis` answers without aggregation: an `APIGroupList`.
#[derive(Deserialize, Serialize)]
pub(crate) struct GroupList {
    #[serde(default)]
    kind: String,
    #[serde(default, rename = "apiVersion")]
    api_version: String,
    #[serde(default, deserialize_with = "or_default")]
    groups: Vec<Group>,
}

#[derive(Deserialize, Serialize)]
struct Group {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<Version>,
    #[serde(default, rename = "preferredVersion", deserialize_with = "or_default")]
    preferred_version: Version,
}

#[derive(Default, Deserialize, Serialize)]
struct Version {
    #[serde(default, rename = "groupVersion")]
    group_version: String,
    #[serde(default)]
    version: String,
}

/// What `/api/v1` and `/apis/GROUP/VERSION` answer: an `APIResourceList`.
#[derive(Deserialize, Serialize)]
pub(crate) struct ResourceList {
    #[serde(default)]
    kind: String,
    #[serde(default, rename = "apiVersion")]
    api_version: String,
    #[serde(default, rename = "groupVersion")]
    group_version: String,
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<Resource>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    name: String,
    #[serde(default)]
    singular_name: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(default)]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
}

/// What both answer with aggregation: an `APIGroupDiscoveryList`.
#[derive(Deserialize)]
pub(crate) struct Aggregated {
    #[serde(default, deserialize_with = "or_default")]
    items: Vec<AggregatedGroup>,
}

#[derive(Deserialize)]
struct AggregatedGroup {
    #[serde(default)]
    metadata: Named,
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<AggregatedVersion>,
}

#[derive(Default, Deserialize)]
struct Named {
    /// The core group has none.
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct AggregatedVersion {
    version: String,
    #[serde(default)]
    freshness: String,
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<AggregatedResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AggregatedResource {
    resource: String,
    #[serde(default, deserialize_with = "or_default")]
    response_kind: ResponseKind,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    singular_resource: String,
    #[serde(default, deserialize_with = "or_default")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    categories: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    subresources: Vec<AggregatedSubresource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AggregatedSubresource {
    subresource: String,
    #[serde(default, deserialize_with = "or_default")]
    response_kind: ResponseKind,
    #[serde(default, deserialize_with = "or_default")]
    verbs: Vec<String>,
}

#[derive(Default, Deserialize)]
struct ResponseKind {
    #[serde(default)]
    group: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    kind: String,
}

/// Go writes an empty list as null where it was never set.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl CoreVersions {
    /// The core group; none if the server has no version of it.
    pub(crate) fn into_groups(self) -> Vec<ApiGroup> {
        if self.versions.is_empty() { Vec::new() } else { vec![ApiGroup::new("", self.versions)] }
    }
}

impl GroupList {
    pub(crate) fn into_groups(self) -> Vec<ApiGroup> {
        let group = |group: Group| {
            let mut made = ApiGroup::new(group.name, group.versions.into_iter().map(|version| version.version));
            if !group.preferred_version.version.is_empty() {
                made.preferred_version = group.preferred_version.version;
            }
            made
        };
        self.groups.into_iter().map(group).collect()
    }

    /// The document that kubectl keeps as `servergroups.json`.
    pub(crate) fn of(groups: &[ApiGroup]) -> Self {
        let version = |group: &ApiGroup, version: &str| Version {
            group_version: GroupVersion::new(&group.name, version).to_string(),
            version: version.to_owned(),
        };
        let group = |group: &ApiGroup| Group {
            name: group.name.clone(),
            versions: group.versions.iter().map(|name| version(group, name)).collect(),
            preferred_version: version(group, &group.preferred_version),
        };
        Self {
            kind: "APIGroupList".to_owned(),
            api_version: "v1".to_owned(),
            groups: groups.iter().map(group).collect(),
        }
    }
}

impl ResourceList {
    /// The group-version that the document says it is about, in the form of an `apiVersion`.
    pub(crate) fn group_version(&self) -> &str {
        &self.group_version
    }

    /// The resources, as those of the group-version that was asked for.
    pub(crate) fn into_list(self, group_version: &GroupVersion) -> ApiResourceList {
        let resource = |resource: Resource| {
            let kind = ResponseKind { group: resource.group, version: resource.version, kind: resource.kind };
            let mut made = ApiResource::new(resource.name, kind.in_list(group_version)?, scope(resource.namespaced));
            made.singular_name = resource.singular_name;
            made.verbs = resource.verbs;
            made.short_names = resource.short_names;
            made.categories = resource.categories;
            Some(made)
        };
        ApiResourceList::new(group_version.clone(), self.resources.into_iter().filter_map(resource).collect())
    }

    /// The document that kubectl keeps as `serverresources.json`.
    pub(crate) fn of(list: &ApiResourceList) -> Self {
        let resource = |resource: &ApiResource| {
            let own = resource.kind.group_version() == list.group_version;
            let unless_own = |text: &String| if own { String::new() } else { text.clone() };
            Resource {
                name: resource.name.clone(),
                singular_name: resource.singular_name.clone(),
                namespaced: resource.scope == ResourceScope::Namespaced,
                group: unless_own(&resource.kind.group),
                version: unless_own(&resource.kind.version),
                kind: resource.kind.kind.clone(),
                verbs: resource.verbs.clone(),
                short_names: resource.short_names.clone(),
                categories: resource.categories.clone(),
            }
        };
        Self {
            kind: "APIResourceList".to_owned(),
            api_version: "v1".to_owned(),
            group_version: list.group_version.to_string(),
            resources: list.resources.iter().map(resource).collect(),
        }
    }
}

impl Aggregated {
    /// The groups alone.
    pub(crate) fn groups(&self) -> Vec<ApiGroup> {
        self.items.iter().map(AggregatedGroup::group).collect()
    }

    /// Groups, resources, and which group-versions are stale.
    pub(crate) fn into_resources(self) -> ServerResources {
        let groups = self.groups();
        let (mut resources, mut failures) = (Vec::new(), BTreeMap::new());
        for group in self.items {
            for version in group.versions {
                let group_version = GroupVersion::new(&group.metadata.name, &version.version);
                if version.is_stale() {
                    failures.insert(group_version.clone(), Error::stale(group_version));
                } else {
                    let list = version.resources.into_iter().flat_map(|resource| resource.flatten(&group_version));
                    resources.push(ApiResourceList::new(group_version.clone(), list.collect()));
                }
            }
        }
        ServerResources { groups, resources, failures }
    }
}

impl AggregatedGroup {
    fn group(&self) -> ApiGroup {
        let mut group = ApiGroup::new(&self.metadata.name, self.versions.iter().map(|version| &version.version));
        // client-go prefers the first that can be read.
        if let Some(fresh) = self.versions.iter().find(|version| !version.is_stale()) {
            group.preferred_version.clone_from(&fresh.version);
        }
        group
    }
}

impl AggregatedVersion {
    fn is_stale(&self) -> bool {
        self.freshness == "Stale"
    }
}

impl AggregatedResource {
    /// The resource and, after it, its subresources. A resource without a kind only carries subresources.
    fn flatten(self, group_version: &GroupVersion) -> impl Iterator<Item = ApiResource> {
        let scope = scope(self.scope == "Namespaced");
        let mut list = Vec::with_capacity(1 + self.subresources.len());
        if let Some(kind) = self.response_kind.in_list(group_version) {
            let mut resource = ApiResource::new(&self.resource, kind, scope);
            resource.singular_name.clone_from(&self.singular_resource);
            resource.verbs = self.verbs;
            resource.short_names = self.short_names;
            resource.categories = self.categories;
            list.push(resource);
        }
        for subresource in self.subresources {
            let Some(kind) = subresource.response_kind.in_list(group_version) else { continue };
            let name = format!("{}/{}", self.resource, subresource.subresource);
            let mut resource = ApiResource::new(name, kind, scope);
            resource.singular_name.clone_from(&self.singular_resource);
            resource.verbs = subresource.verbs;
            list.push(resource);
        }
        list.into_iter()
    }
}

impl ResponseKind {
    /// The whole kind: what is left empty is that of the list. Nothing if there is no kind at all.
    fn in_list(self, list: &GroupVersion) -> Option<GroupVersionKind> {
        let or = |text: String, other: &String| if text.is_empty() { other.clone() } else { text };
        let (group, version) = (or(self.group, &list.group), or(self.version, &list.version));
        (!self.kind.is_empty()).then(|| GroupVersionKind::new(group, version, self.kind))
    }
}

fn scope(namespaced: bool) -> ResourceScope {
    if namespaced { ResourceScope::Namespaced } else { ResourceScope::Cluster }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGGREGATED: &str = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
        {"metadata":{"name":"apps"},"versions":[
            {"version":"v1","freshness":"Current","resources":[
                {"resource":"deployments","responseKind":{"group":"","version":"","kind":"Deployment"},"scope":"Namespaced",
                 "singularResource":"deployment","verbs":["get","list"],"shortNames":["deploy"],"categories":["all"],
                 "subresources":[
                    {"subresource":"scale","responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"},"verbs":["get"]},
                    {"subresource":"nothing","responseKind":null,"verbs":["get"]}]},
                {"resource":"ghosts","responseKind":null,"scope":"Cluster","verbs":null,
                 "subresources":[{"subresource":"log","responseKind":{"kind":"Log"},"verbs":["get"]}]}]},
            {"version":"v0","resources":null}]},
        {"metadata":{"name":"dead.example.com"},"versions":[
            {"version":"v2","freshness":"Stale"},
            {"version":"v1","freshness":"Current","resources":[]}]}]}"#;

    #[test]
    fn aggregated_document_becomes_flat_lists_and_failures() {
        let aggregated: Aggregated = serde_json::from_str(AGGREGATED).expect("it is well formed");
        let all = aggregated.into_resources();
        let apps = all.of(&GroupVersion::new("apps", "v1")).expect("it is fresh");
        let names: Vec<_> = apps.resources.iter().map(|resource| resource.name.as_str()).collect();
        assert_eq!(names, ["deployments", "deployments/scale", "ghosts/log"]);
        assert_eq!(apps.resources[0].kind, GroupVersionKind::new("apps", "v1", "Deployment"));
        assert_eq!(apps.resources[1].kind, GroupVersionKind::new("autoscaling", "v1", "Scale"));
        assert_eq!(apps.resources[1].scope, ResourceScope::Namespaced);
        assert_eq!(apps.resources[2].kind, GroupVersionKind::new("apps", "v1", "Log"));

        assert_eq!(all.groups[1].versions, ["v2", "v1"]);
        assert_eq!(all.groups[1].preferred_version, "v1", "v2 cannot be read");
        let failed: Vec<_> = all.failures.keys().map(ToString::to_string).collect();
        assert_eq!(failed, ["dead.example.com/v2"]);
    }

    #[test]
    fn documents_of_kubectl_are_written_and_read_back() {
        let aggregated: Aggregated = serde_json::from_str(AGGREGATED).expect("it is well formed");
        let all = aggregated.into_resources();
        let text = serde_json::to_string(&ResourceList::of(&all.resources[0])).expect("it is plain data");
        assert!(
            text.starts_with(
                r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[{"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["get","list"],"shortNames":["deploy"],"categories":["all"]},{"name":"deployments/scale","singularName":"deployment","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get"]}"#
            ),
            "{text}"
        );
        let read: ResourceList = serde_json::from_str(&text).expect("it was written so");
        assert_eq!(read.into_list(&GroupVersion::new("apps", "v1")), all.resources[0]);

        let text = serde_json::to_string(&GroupList::of(&all.groups)).expect("it is plain data");
        assert!(text.contains(r#""preferredVersion":{"groupVersion":"dead.example.com/v1","version":"v1"}"#), "{text}");
        let read: GroupList = serde_json::from_str(&text).expect("it was written so");
        assert_eq!(read.into_groups(), all.groups);
    }

    #[test]
    fn old_documents_without_lists_are_empty() {
        for text in [r#"{"groups":null}"#, "{}"] {
            assert!(serde_json::from_str::<GroupList>(text).expect(text).into_groups().is_empty());
            assert!(serde_json::from_str::<CoreVersions>(text).expect(text).into_groups().is_empty());
        }
    }
}
