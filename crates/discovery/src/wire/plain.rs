//! `APIVersions`, `APIGroupList` and `APIResourceList`: groups in one document, and the resources of each version in
//! one of their own. The latter two are kubectl's files too, `servergroups.json` and `serverresources.json`.

use k8s_client_runtime::schema::{GroupVersion, ResourceScope};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Entry, Problem, ResponseKind, scope};
use crate::model::{ApiGroup, ApiResource, ApiResourceList, ServerResources};

/// The core group, out of the document of `/api`.
pub(crate) fn read_core(document: &Entry) -> ServerResources {
    let mut found = ServerResources::default();
    match document.get::<Vec<String>>("versions") {
        Ok(versions) => {
            let core = ApiGroup::new("", versions.into_iter().filter(|version| !version.is_empty()));
            found.groups.extend((!core.versions.is_empty()).then_some(core));
        }
        Err(problem) => found.fail(GroupVersion::default(), |core| problem.of(core)),
    }
    found
}

/// The groups in the document of `/apis`, and which of them could not be read.
pub(crate) fn read_groups(document: &Entry) -> Result<ServerResources, Problem> {
    let mut all = ServerResources::default();
    for entry in document.list("groups")? {
        let mut group = ApiGroup::default();
        let mut answer = read_group(&entry, &mut group);
        if group.name.is_empty() {
            // Its versions would be taken for those of the core group.
            answer = answer.and(if group.versions.is_empty() { Ok(()) } else { Err(Problem::nameless()) });
        }
        let mut found = ServerResources::default();
        if let Err(problem) = answer {
            found.fail(GroupVersion::new(&group.name, ""), |group| problem.of(group));
        }
        found.groups.extend((!group.name.is_empty()).then_some(group));
        all.merge(found);
    }
    Ok(all)
}

/// The groups, with the core group among them, that a file of kubectl's has. It is damaged if one cannot be read.
pub(crate) fn read_groups_file(document: &Entry) -> Result<Vec<ApiGroup>, Problem> {
    let read = |entry: Box<RawValue>| {
        let mut group = ApiGroup::default();
        read_group(&entry, &mut group).map(|()| group)
    };
    document.list("groups")?.into_iter().map(read).collect()
}

/// Fills in a group as far as it can be read.
fn read_group(entry: &RawValue, group: &mut ApiGroup) -> Result<(), Problem> {
    let entry = Entry::read(entry)?;
    group.name = entry.get("name")?;
    let mut answer = Ok(());
    for version in entry.list("versions")? {
        match Entry::read(&version).and_then(|version| read_version(&version)) {
            Ok(version) if version.is_empty() => {}
            Ok(version) => group.add_version(version),
            Err(problem) => answer = Err(problem.within("versions")),
        }
    }
    group.preferred_version = group.versions.first().cloned().unwrap_or_default();
    let preferred = read_version(&entry.get("preferredVersion")?)?;
    if !preferred.is_empty() {
        group.preferred_version = preferred;
    }
    answer
}

/// The name of a version, which is the end of its `groupVersion` too.
fn read_version(version: &Entry) -> Result<String, Problem> {
    let name: String = version.get("version")?;
    if !name.is_empty() {
        return Ok(name);
    }
    let group_version: String = version.get("groupVersion")?;
    Ok(group_version.rsplit('/').next().unwrap_or_default().to_owned())
}

/// The resources of the group-version that was asked for.
pub(crate) fn read_resources(document: &Entry, group_version: &GroupVersion) -> Result<ApiResourceList, Problem> {
    let resources: Vec<Resource> = document.get("resources")?;
    let resources = resources.into_iter().filter_map(|resource| resource.in_list(group_version));
    Ok(ApiResourceList::new(group_version.clone(), resources.collect()))
}

/// The same out of a file of kubectl's, which must be that of the group-version.
pub(crate) fn read_resources_file(document: &Entry, wanted: &GroupVersion) -> Result<ApiResourceList, Problem> {
    let group_version: String = document.get("groupVersion")?;
    if group_version != wanted.to_string() {
        return Err(Problem(format!("it is that of {group_version:?}, not of {wanted}")));
    }
    read_resources(document, wanted)
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    name: String,
    singular_name: String,
    namespaced: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    kind: String,
    verbs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    short_names: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
}

impl Resource {
    /// The resource, if it has a name and a kind.
    fn in_list(self, group_version: &GroupVersion) -> Option<ApiResource> {
        let kind = ResponseKind { group: self.group, version: self.version, kind: self.kind }.in_list(group_version)?;
        let mut resource = ApiResource::new(self.name, kind, scope(self.namespaced));
        resource.singular_name = self.singular_name;
        resource.verbs = self.verbs;
        resource.short_names = self.short_names;
        resource.categories = self.categories;
        (!resource.name.is_empty()).then_some(resource)
    }
}

/// The file that kubectl calls `servergroups.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupsFile {
    kind: &'static str,
    api_version: &'static str,
    groups: Vec<Group>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    versions: Vec<Version>,
    preferred_version: Version,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    group_version: String,
    version: String,
}

impl GroupsFile {
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
        Self { kind: "APIGroupList", api_version: "v1", groups: groups.iter().map(group).collect() }
    }
}

/// The file that kubectl calls `serverresources.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourcesFile {
    kind: &'static str,
    api_version: &'static str,
    group_version: String,
    resources: Vec<Resource>,
}

impl ResourcesFile {
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
            kind: "APIResourceList",
            api_version: "v1",
            group_version: list.group_version.to_string(),
            resources: list.resources.iter().map(resource).collect(),
        }
    }
}
