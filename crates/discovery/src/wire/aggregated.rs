//! `APIGroupDiscoveryList`: groups with their versions and resources in one document.

use k8s_client_runtime::schema::GroupVersion;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Entry, Problem, ResponseKind, Root, scope};
use crate::{
    error::Error,
    model::{ApiGroup, ApiResource, ApiResourceList, ServerResources},
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AggregatedResource {
    resource: String,
    response_kind: ResponseKind,
    scope: String,
    singular_resource: String,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
    subresources: Vec<AggregatedSubresource>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AggregatedSubresource {
    subresource: String,
    response_kind: ResponseKind,
    verbs: Vec<String>,
}

/// The groups and resources in a document of a root, and which of them could not be read.
pub(crate) fn read(document: &Entry, root: Root) -> Result<ServerResources, Problem> {
    let mut all = ServerResources::default();
    for entry in document.list("items")? {
        all.merge(read_group(&entry, root));
    }
    Ok(all)
}

fn read_group(entry: &RawValue, root: Root) -> ServerResources {
    let (mut group, mut found) = (ApiGroup::default(), ServerResources::default());
    if let Err(problem) = read_versions(entry, root, &mut group, &mut found) {
        found.fail(GroupVersion::new(&group.name, ""), |group| problem.of(group));
    }
    // client-go prefers the first that can be read.
    let preferred = group.group_versions().find(|version| found.of(version).is_some());
    let preferred = preferred.or_else(|| group.group_versions().next());
    group.preferred_version = preferred.map(|preferred| preferred.version).unwrap_or_default();
    if !(group.name.is_empty() && group.versions.is_empty()) {
        found.groups.push(group);
    }
    found
}

/// Fills in the group and what is found in it, as far as it can be read.
fn read_versions(
    entry: &RawValue,
    root: Root,
    group: &mut ApiGroup,
    found: &mut ServerResources,
) -> Result<(), Problem> {
    let entry = Entry::read(entry)?;
    group.name = entry.get::<Named>("metadata")?.name;
    let versions = entry.list("versions")?;
    if group.name.is_empty() && root == Root::Groups {
        // Its versions would be taken for those of the core group.
        return if versions.is_empty() { Ok(()) } else { Err(Problem::nameless()) };
    }
    let mut answer = Ok(());
    for version in versions {
        answer = answer.and(read_version(&version, group, found));
    }
    answer
}

/// An error is one that hides even the version's name.
fn read_version(entry: &RawValue, group: &mut ApiGroup, found: &mut ServerResources) -> Result<(), Problem> {
    let entry = Entry::read(entry)?;
    let version: String = entry.get("version")?;
    if version.is_empty() {
        return if entry.list("resources")?.is_empty() { Ok(()) } else { Err(Problem::nameless()) };
    }
    let group_version = GroupVersion::new(&group.name, &version);
    group.add_version(version);
    match read_resources(&entry, &group_version) {
        Ok(Some(resources)) => found.add_list(ApiResourceList::new(group_version, resources)),
        Ok(None) => found.fail(group_version, Error::stale),
        Err(problem) => found.fail(group_version, |group_version| problem.of(group_version)),
    }
    Ok(())
}

/// `None` if the version is stale.
fn read_resources(version: &Entry, group_version: &GroupVersion) -> Result<Option<Vec<ApiResource>>, Problem> {
    if version.get::<String>("freshness")? == "Stale" {
        return Ok(None);
    }
    let resources: Vec<AggregatedResource> = version.get("resources")?;
    Ok(Some(resources.into_iter().flat_map(|resource| resource.flatten(group_version)).collect()))
}

impl AggregatedResource {
    /// The resource and, after it, its subresources. A resource without a kind only carries subresources; what has no
    /// name is nothing.
    fn flatten(self, group_version: &GroupVersion) -> Vec<ApiResource> {
        let scope = scope(self.scope == "Namespaced");
        let mut list = Vec::with_capacity(1 + self.subresources.len());
        if self.resource.is_empty() {
            return list;
        }
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
            if subresource.subresource.is_empty() {
                continue;
            }
            let name = format!("{}/{}", self.resource, subresource.subresource);
            let mut resource = ApiResource::new(name, kind, scope);
            resource.singular_name.clone_from(&self.singular_resource);
            resource.verbs = subresource.verbs;
            list.push(resource);
        }
        list
    }
}
