//! What is looked up in: all resources of a server in order of precedence.

use std::{collections::HashSet, sync::Arc};

use k8s_client_runtime::schema::{GroupKind, GroupResource, GroupVersion, GroupVersionResource, RestMapping};

use super::short_name::{AmbiguousShortName, Handler};
use crate::{
    error::{Error, Result},
    model::{ApiGroup, ApiResource, ServerResources},
};

/// The resources of a server, without subresources, those that take precedence first: the core group, then groups in
/// the server's order, and within a group the preferred version before the others.
#[derive(Debug)]
pub(super) struct Table {
    entries: Vec<Entry>,
    everything: Arc<ServerResources>,
}

#[derive(Debug)]
struct Entry {
    mapping: RestMapping,
    singular: String,
    short_names: Vec<String>,
    categories: Vec<String>,
    /// The number of its group-version in the order of precedence.
    rank: usize,
    /// No version of its group that has the resource takes precedence.
    preferred: bool,
}

impl Table {
    pub(super) fn new(everything: Arc<ServerResources>) -> Self {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        for (rank, group_version) in precedence(&everything.groups).into_iter().enumerate() {
            let list = everything.of(&group_version);
            let resources = list.into_iter().flat_map(|list| &list.resources);
            for resource in resources.filter(|resource| !resource.is_subresource()) {
                let preferred = seen.insert(GroupResource::new(&group_version.group, &resource.name));
                entries.push(Entry::new(&group_version, resource, rank, preferred));
            }
        }
        Self { entries, everything }
    }

    /// All that a resource may mean, of which any part but the name may be empty; what takes precedence comes first.
    pub(super) fn resources(&self, wanted: &GroupVersionResource, handler: &Handler) -> Result<Vec<&RestMapping>> {
        Ok(self.named(wanted, handler)?.into_iter().map(|entry| &entry.mapping).collect())
    }

    /// What a resource means: of all that it may mean, what takes precedence.
    pub(super) fn resource(&self, wanted: &GroupVersionResource, handler: &Handler) -> Result<&RestMapping> {
        let named = self.named(wanted, handler)?;
        let first = named[0];
        let equals: Vec<_> = named.iter().filter(|entry| entry.rank == first.rank).collect();
        if equals.len() > 1 {
            let candidates = equals.into_iter().map(|entry| entry.mapping.resource.to_string()).collect();
            return Err(Error::ambiguous(describe(wanted), candidates));
        }
        Ok(&first.mapping)
    }

    /// Where a kind is served, in the first of these versions that has it; with none, in the one that takes precedence.
    pub(super) fn kind(&self, wanted: &GroupKind, versions: &[&str]) -> Result<&RestMapping> {
        let of_kind = |entry: &&Entry| entry.mapping.kind.group == wanted.group && entry.is_kind(&wanted.kind);
        let entries: Vec<&Entry> = self.entries.iter().filter(of_kind).collect();
        let chosen = if versions.is_empty() {
            entries.first().map(|entry| entry.rank)
        } else {
            let in_version = |version: &&str| entries.iter().find(|entry| entry.mapping.kind.version == **version);
            versions.iter().find_map(in_version).map(|entry| entry.rank)
        };
        // Of several resources with one kind, client-go takes the last.
        let entry = entries.into_iter().rfind(|entry| Some(entry.rank) == chosen);
        entry.map(|entry| &entry.mapping).ok_or_else(|| {
            let of_versions = if versions.is_empty() { String::new() } else { format!(" in {}", versions.join(", ")) };
            self.no_match(format!("kind {wanted}{of_versions}"))
        })
    }

    /// What an argument of a command line means: `RESOURCE`, `RESOURCE.GROUP` or `RESOURCE.VERSION.GROUP`, where the
    /// resource may be plural, singular or short, and a kind may stand in its place.
    pub(super) fn argument(&self, argument: &str, handler: &Handler) -> Result<&RestMapping> {
        let (full, partial) = parse(argument);
        for wanted in full.iter().chain([&partial]) {
            match self.resource(wanted, handler) {
                Err(error) if error.is_no_match() => {}
                answer => return answer,
            }
        }
        for GroupVersionResource { group, version, resource: kind } in full.iter().chain([&partial]) {
            let entry = self.entries.iter().find(|entry| {
                let mapped = &entry.mapping.kind;
                entry.is_kind(kind)
                    && (group.is_empty() || *group == mapped.group)
                    && (version.is_empty() || *version == mapped.version)
            });
            if let Some(entry) = entry {
                return Ok(&entry.mapping);
            }
        }
        Err(self.no_match(format!("resource type {argument:?}")))
    }

    /// The preferred version of each resource that belongs to a category.
    pub(super) fn category(&self, category: &str) -> Result<Vec<RestMapping>> {
        let belongs = |entry: &&Entry| entry.preferred && entry.categories.iter().any(|known| known == category);
        let mappings: Vec<_> = self.entries.iter().filter(belongs).map(|entry| entry.mapping.clone()).collect();
        if mappings.is_empty() { Err(self.no_match(format!("category {category:?}"))) } else { Ok(mappings) }
    }

    /// The entries of this name, at least one: by the plural name, else by the singular, else by the short one.
    fn named(&self, wanted: &GroupVersionResource, handler: &Handler) -> Result<Vec<&Entry>> {
        let name = wanted.resource.to_lowercase();
        let GroupVersionResource { group, version, .. } = wanted;
        // With its version, a group is written whole: it would be another group's otherwise.
        let is_there = |entry: &Entry| {
            let whole = version.is_empty() || group.is_empty() || entry.mapping.resource.group == *group;
            whole && entry.is_version(version)
        };
        let mut found = self.of_group(group, |entry| is_there(entry) && entry.mapping.resource.resource == name);
        if found.is_empty() {
            found = self.of_group(group, |entry| is_there(entry) && entry.singular == name);
        }
        if found.is_empty() {
            found = self.short_named(name, wanted, handler);
        }
        if found.is_empty() { Err(self.no_match(describe(wanted))) } else { Ok(found) }
    }

    /// The entries of the resource that a short name stands for, which is one, whichever the version.
    fn short_named(&self, short_name: String, wanted: &GroupVersionResource, handler: &Handler) -> Vec<&Entry> {
        let mut long: Vec<GroupResource> = Vec::new();
        for entry in self.of_group(&wanted.group, |entry| entry.short_names.contains(&short_name)) {
            let resource = entry.mapping.resource.group_resource();
            if !long.contains(&resource) {
                long.push(resource);
            }
        }
        let mut long = long.into_iter();
        let Some(chosen) = long.next() else { return Vec::new() };
        let found = self.of_group(&chosen.group, |entry| {
            entry.is_version(&wanted.version) && entry.mapping.resource.group_resource() == chosen
        });
        let others: Vec<_> = long.collect();
        if !found.is_empty() && !others.is_empty() {
            handler.handle(&AmbiguousShortName { short_name, chosen, others });
        }
        found
    }

    /// The entries of a group; of those whose names begin so, if there is none; of all, if no group is named.
    fn of_group(&self, group: &str, holds: impl Fn(&Entry) -> bool) -> Vec<&Entry> {
        let all: Vec<&Entry> = self.entries.iter().filter(|entry| holds(entry)).collect();
        let exact: Vec<&Entry> = all.iter().copied().filter(|entry| entry.mapping.resource.group == group).collect();
        if group.is_empty() || exact.is_empty() {
            all.into_iter().filter(|entry| entry.mapping.resource.group.starts_with(group)).collect()
        } else {
            exact
        }
    }

    fn no_match(&self, wanted: String) -> Error {
        Error::no_match(wanted, self.everything.failures.clone())
    }
}

impl Entry {
    fn new(group_version: &GroupVersion, resource: &ApiResource, rank: usize, preferred: bool) -> Self {
        let kind = &resource.kind.kind;
        let singular =
            if resource.singular_name.is_empty() { kind.to_lowercase() } else { resource.singular_name.clone() };
        Self {
            mapping: RestMapping {
                resource: group_version.with_resource(&resource.name),
                kind: group_version.with_kind(kind),
                scope: resource.scope,
            },
            singular,
            short_names: resource.short_names.clone(),
            categories: resource.categories.clone(),
            rank,
            preferred,
        }
    }

    /// As it is written, or all in lower case.
    fn is_kind(&self, kind: &str) -> bool {
        let own = &self.mapping.kind.kind;
        own == kind || own.to_lowercase() == kind
    }

    fn is_version(&self, version: &str) -> bool {
        version.is_empty() || self.mapping.resource.version == version
    }
}

/// The group-versions in order of precedence.
fn precedence(groups: &[ApiGroup]) -> Vec<GroupVersion> {
    let (core, others): (Vec<&ApiGroup>, Vec<&ApiGroup>) = groups.iter().partition(|group| group.name.is_empty());
    let mut all = Vec::new();
    for group in core.into_iter().chain(others) {
        let preferred = |version: &&String| **version == group.preferred_version;
        let first = group.versions.iter().filter(preferred);
        let then = group.versions.iter().filter(|version| !preferred(version));
        all.extend(first.chain(then).map(|version| GroupVersion::new(&group.name, version)));
    }
    all
}

/// The two ways to read an argument: `a.b.c` is a resource of version b and group c, or of group `b.c`.
fn parse(argument: &str) -> (Option<GroupVersionResource>, GroupVersionResource) {
    let (name, rest) = argument.split_once('.').unwrap_or((argument, ""));
    let full = rest.split_once('.').map(|(version, group)| GroupVersionResource::new(group, version, name));
    (full, GroupVersionResource::new(rest, "", name))
}

fn describe(wanted: &GroupVersionResource) -> String {
    let version = if wanted.version.is_empty() { String::new() } else { format!(" in version {}", wanted.version) };
    format!("resource {:?}{version}", wanted.group_resource().to_string())
}

#[cfg(test)]
mod tests;
