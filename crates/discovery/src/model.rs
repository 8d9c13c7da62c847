//! What a server serves, as plain data.

use std::collections::{BTreeMap, HashMap};

use k8s_client_runtime::schema::{GroupVersion, GroupVersionKind, GroupVersionResource, ResourceScope};

use crate::error::{Error, Result};

/// An API group and its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiGroup {
    /// The name; empty for the core group.
    pub name: String,
    /// The versions, in the server's order of preference: those too that cannot be read at the moment.
    pub versions: Vec<String>,
    /// The version that the server prefers, which is the one to use unless there is a reason; empty if it names none.
    pub preferred_version: String,
}

/// A resource, or a subresource, of one group-version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiResource {
    /// The plural name that URLs have, such as `deployments`; that of a subresource is `deployments/scale`.
    pub name: String,
    /// The name of one, such as `deployment`; empty where the server does not say it. A subresource has its resource's,
    /// or none from a server without aggregated discovery.
    pub singular_name: String,
    /// The kind of its objects. For a subresource this may be of another group: `deployments/scale` of `apps/v1` has
    /// `autoscaling/v1, Kind=Scale`.
    pub kind: GroupVersionKind,
    /// Whether its objects live in namespaces.
    pub scope: ResourceScope,
    /// What can be done with it, such as `get` and `list`, as RBAC names it.
    pub verbs: Vec<String>,
    /// The names for those who type, such as `deploy`.
    pub short_names: Vec<String>,
    /// The groups of resources it belongs to, such as `all`.
    pub categories: Vec<String>,
}

/// The resources of one group-version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiResourceList {
    /// The group-version.
    pub group_version: GroupVersion,
    /// Its resources and subresources, in the server's order.
    pub resources: Vec<ApiResource>,
}

/// All groups and resources of a server, as far as they could be read.
///
/// One aggregated API server that is down does not hide the others: what could not be read is in
/// [`failures`](Self::failures), all else is there. Use [`complete`](Self::complete) where all of it is needed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerResources {
    /// The groups, the core group first, then in the server's order.
    pub groups: Vec<ApiGroup>,
    /// The resources of each group-version that could be read, in the order of groups and versions.
    pub resources: Vec<ApiResourceList>,
    /// The group-versions that could not be read, with the reason of each. Where it cannot even be known which versions
    /// a group has, the version is empty.
    pub failures: BTreeMap<GroupVersion, Error>,
}

impl ApiGroup {
    /// A group with its versions in order of preference.
    pub fn new(name: impl Into<String>, versions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let versions: Vec<String> = versions.into_iter().map(Into::into).collect();
        let preferred_version = versions.first().cloned().unwrap_or_default();
        Self { name: name.into(), versions, preferred_version }
    }

    /// Adds a version behind the others, unless it is there.
    pub(crate) fn add_version(&mut self, version: String) {
        if !self.versions.contains(&version) {
            self.versions.push(version);
        }
    }

    /// Its versions with the group's name, in order of preference.
    pub fn group_versions(&self) -> impl Iterator<Item = GroupVersion> {
        self.versions.iter().map(|version| GroupVersion::new(&self.name, version))
    }
}

impl ApiResource {
    /// A resource without verbs and short names.
    pub fn new(name: impl Into<String>, kind: GroupVersionKind, scope: ResourceScope) -> Self {
        Self {
            name: name.into(),
            singular_name: String::new(),
            kind,
            scope,
            verbs: Vec::new(),
            short_names: Vec::new(),
            categories: Vec::new(),
        }
    }

    /// Whether it is a subresource, such as `deployments/scale`.
    pub fn is_subresource(&self) -> bool {
        self.name.contains('/')
    }

    /// Whether it has a verb, such as `list`.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

impl ApiResourceList {
    /// The resources of a group-version.
    pub fn new(group_version: GroupVersion, resources: Vec<ApiResource>) -> Self {
        Self { group_version, resources }
    }

    /// The resource of this plural name, or the subresource of a name such as `deployments/scale`.
    pub fn get(&self, name: &str) -> Option<&ApiResource> {
        self.resources.iter().find(|resource| resource.name == name)
    }
}

impl ServerResources {
    /// The resources of a group-version, if they could be read.
    pub fn of(&self, group_version: &GroupVersion) -> Option<&ApiResourceList> {
        self.resources.iter().find(|list| list.group_version == *group_version)
    }

    /// What is known of a resource.
    pub fn get(&self, resource: &GroupVersionResource) -> Option<&ApiResource> {
        self.of(&resource.group_version())?.get(&resource.resource)
    }

    /// The same, or an error when any group-version could not be read ([`Error::is_incomplete`]).
    pub fn complete(self) -> Result<Self> {
        if self.failures.is_empty() { Ok(self) } else { Err(Error::incomplete(self.failures)) }
    }

    /// Each resource once, in the version that its group prefers or else the first that has it; no subresources.
    /// client-go's `ServerPreferredResources`.
    pub fn preferred(&self) -> Self {
        let lists: HashMap<&GroupVersion, &ApiResourceList> =
            self.resources.iter().map(|list| (&list.group_version, list)).collect();
        // Which version of its group has each resource.
        let mut chosen: HashMap<(&str, &str), &str> = HashMap::new();
        for group in &self.groups {
            for version in &group.versions {
                let Some(list) = lists.get(&GroupVersion::new(&group.name, version)) else { continue };
                for resource in list.resources.iter().filter(|resource| !resource.is_subresource()) {
                    let choice = chosen.entry((&group.name, &resource.name)).or_insert(version);
                    if *version == group.preferred_version {
                        *choice = version;
                    }
                }
            }
        }
        self.filtered(|list, resource| {
            chosen.get(&(list.group_version.group.as_str(), resource.name.as_str()))
                == Some(&list.group_version.version.as_str())
        })
    }

    /// Only what lives in namespaces; `everything.preferred().namespaced()` is client-go's
    /// `ServerPreferredNamespacedResources`.
    pub fn namespaced(&self) -> Self {
        self.filtered(|_, resource| resource.scope == ResourceScope::Namespaced)
    }

    /// Notes that a version could not be read, or with an empty one, that something of its group could not.
    pub(crate) fn fail(&mut self, group_version: GroupVersion, error: impl FnOnce(GroupVersion) -> Error) {
        self.failures.insert(group_version.clone(), error(group_version));
    }

    /// Why a version could not be read, if it or its whole group could not.
    pub(crate) fn failure(&self, group_version: &GroupVersion) -> Option<&Error> {
        let whole_group = || self.failures.get(&GroupVersion::new(&group_version.group, ""));
        self.failures.get(group_version).or_else(whole_group)
    }

    /// Adds a list. Of a version that is there already, only the resources that are not.
    pub(crate) fn add_list(&mut self, list: ApiResourceList) {
        match self.resources.iter_mut().find(|known| known.group_version == list.group_version) {
            Some(known) => {
                for resource in list.resources {
                    if known.get(&resource.name).is_none() {
                        known.resources.push(resource);
                    }
                }
            }
            None => self.resources.push(list),
        }
    }

    /// Adds what was found elsewhere. A group that is in both keeps its place and its preferred version.
    pub(crate) fn merge(&mut self, other: Self) {
        for group in other.groups {
            match self.groups.iter_mut().find(|known| known.name == group.name) {
                Some(known) => group.versions.into_iter().for_each(|version| known.add_version(version)),
                None => self.groups.push(group),
            }
        }
        other.resources.into_iter().for_each(|list| self.add_list(list));
        self.failures.extend(other.failures);
    }

    /// Puts in a list that could not be read before.
    pub(crate) fn recover(&mut self, list: ApiResourceList) {
        if self.failures.remove(&list.group_version).is_none() {
            return;
        }
        self.resources.push(list);
        let order: HashMap<GroupVersion, usize> =
            self.groups.iter().flat_map(ApiGroup::group_versions).enumerate().map(|(at, known)| (known, at)).collect();
        self.resources.sort_by_key(|list| order.get(&list.group_version).copied());
    }

    /// The resources that a test holds for; group-versions that have none left are left out. Groups and failures stay.
    pub fn filtered(&self, keep: impl Fn(&ApiResourceList, &ApiResource) -> bool) -> Self {
        let filter = |list: &ApiResourceList| {
            let resources = list.resources.iter().filter(|resource| keep(list, resource)).cloned().collect();
            ApiResourceList::new(list.group_version.clone(), resources)
        };
        let resources = self.resources.iter().map(filter).filter(|list| !list.resources.is_empty()).collect();
        Self { groups: self.groups.clone(), resources, failures: self.failures.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(group: &str, version: &str, names: &[&str]) -> ApiResourceList {
        let group_version = GroupVersion::new(group, version);
        let resource = |name: &&str| ApiResource::new(*name, group_version.with_kind("Any"), ResourceScope::Namespaced);
        let resources = names.iter().map(resource).collect();
        ApiResourceList::new(group_version, resources)
    }

    fn names(all: &ServerResources) -> Vec<String> {
        let of = |list: &ApiResourceList| {
            let group_version = list.group_version.clone();
            let name = move |resource: &ApiResource| format!("{group_version}/{}", resource.name);
            list.resources.iter().map(name).collect::<Vec<_>>()
        };
        all.resources.iter().flat_map(of).collect()
    }

    #[test]
    fn preferred_version_wins_and_other_versions_fill_in() {
        let mut batch = ApiGroup::new("batch", ["v2", "v1", "v1beta1"]);
        batch.preferred_version = "v1".to_owned();
        let all = ServerResources {
            groups: vec![batch],
            resources: vec![
                list("batch", "v2", &["jobs", "queues"]),
                list("batch", "v1", &["jobs", "jobs/status", "crons"]),
                list("batch", "v1beta1", &["jobs", "queues", "old"]),
            ],
            failures: BTreeMap::new(),
        };
        assert_eq!(
            names(&all.preferred()),
            ["batch/v2/queues", "batch/v1/jobs", "batch/v1/crons", "batch/v1beta1/old"]
        );
    }

    #[test]
    fn complete_refuses_what_is_not() {
        let dead = GroupVersion::new("dead", "v1");
        let mut all = ServerResources::default();
        assert!(all.clone().complete().is_ok());
        all.failures.insert(dead.clone(), Error::stale(dead.clone()));
        let error = all.complete().expect_err("one is missing");
        assert!(error.is_incomplete() && error.failures()[&dead].is_stale());
    }
}
