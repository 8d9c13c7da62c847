//! From the specs of all versions to the model.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ApiVersion, Group, Model, Presence,
    at::At,
    configurations,
    draft::{ParsedPath, ResourceDraft},
    graph, messages,
    names::{capitalized, check_crate, snake, type_name},
};
use crate::{Error, policy::Policy, spec::Spec};

impl Model {
    /// Joins the specs of all versions, given oldest first.
    ///
    /// # Errors
    ///
    /// When a spec says what the generator has no form for. The message names version, file, path and method.
    pub fn build(specs: &[Spec], policy: &Policy) -> Result<Self, Error> {
        graph::check_no_cycle(specs)?;
        let versions: Vec<String> =
            specs.iter().map(|spec| format!("{}.{}", spec.version().major, spec.version().minor)).collect();
        let mut drafts: BTreeMap<(String, String), ApiDraft> = BTreeMap::new();
        for (version, spec) in specs.iter().enumerate() {
            collect(version, spec, policy, &mut drafts)?;
        }

        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for ((group_name, name), draft) in drafts {
            let (crate_name, prefix) = policy.group(&group_name);
            check_crate(&crate_name).map_err(|refusal| draft.at.error(refusal))?;
            let prefix = type_name(&prefix.unwrap_or_else(|| capitalized(&crate_name)))
                .map(str::to_owned)
                .map_err(|refusal| draft.at.error(refusal))?;
            let version = draft.finish(&group_name, name, &prefix, policy, &versions)?;
            let group = groups.entry(crate_name.clone()).or_insert_with(|| Group {
                name: group_name.clone(),
                crate_name: crate_name.clone(),
                versions: Vec::new(),
                is_custom: false,
            });
            if group.name != group_name {
                let message = format!(
                    "the groups `{}` and `{group_name}` would both have the crate `{crate_name}`; name one of them here",
                    group.name
                );
                return Err(Error::file("groups.toml", message));
            }
            group.versions.push(version);
        }
        let mut groups: Vec<Group> = groups.into_values().collect();
        for group in &mut groups {
            group.versions.sort_by_key(|version| std::cmp::Reverse(priority(&version.name)));
        }
        let configurations = configurations::build(specs, &groups, policy)?;
        let mut model = Self { versions, groups, configurations, messages: BTreeMap::new(), structs: BTreeMap::new() };
        model.messages = messages::build(specs, &model, policy)?;
        policy.check_all_used()?;
        Ok(model)
    }
}

/// Kubernetes' order of versions: stable before beta before alpha, then the higher number.
pub(crate) fn priority(version: &str) -> (u8, u32, u32) {
    let number = |text: &str| text.trim_start_matches('v').parse().unwrap_or(0);
    if let Some((major, minor)) = version.split_once("beta") {
        (1, number(major), number(minor))
    } else if let Some((major, minor)) = version.split_once("alpha") {
        (0, number(major), number(minor))
    } else {
        (2, number(version), 0)
    }
}

struct ApiDraft {
    /// Its first operation.
    at: At,
    in_versions: BTreeSet<usize>,
    resources: BTreeMap<String, ResourceDraft>,
}

fn collect(
    version: usize,
    spec: &Spec,
    policy: &Policy,
    drafts: &mut BTreeMap<(String, String), ApiDraft>,
) -> Result<(), Error> {
    for operation in spec.operations() {
        let Some(path) = ParsedPath::parse(&operation.path) else { continue };
        if policy.skips(path.group, path.version, path.plural, path.subresource.as_deref()) {
            continue;
        }
        let at = At::operation(spec, operation);
        path.check().map_err(|refusal| at.error(refusal))?;
        let key = (path.group.to_owned(), path.version.to_owned());
        let draft = drafts.entry(key).or_insert_with(|| ApiDraft {
            at: at.clone(),
            in_versions: BTreeSet::new(),
            resources: BTreeMap::new(),
        });
        draft.in_versions.insert(version);
        let resource = draft.resources.entry(path.plural.to_owned()).or_default();
        resource.add(version, &at, &path, operation, policy)?;
    }
    Ok(())
}

impl ApiDraft {
    fn finish(
        self,
        group: &str,
        name: String,
        prefix: &str,
        policy: &Policy,
        versions: &[String],
    ) -> Result<ApiVersion, Error> {
        let at = At::new(format!("{group}/{name}"), "");
        let resources = self.resources.into_iter().map(|(plural, resource)| {
            let at = At::new(format!("{group}/{name}"), &plural);
            resource.finish(&at, plural, policy, versions)
        });
        let resources = resources.collect::<Result<Vec<_>, Error>>()?;
        let client = format!("{prefix}{}Client", capitalized(&name));
        let mut clients: BTreeSet<String> = BTreeSet::from([client.clone(), "RestClient".to_owned()]);
        for (resource, area) in resources.iter().flat_map(|it| it.areas().into_iter().map(move |area| (it, area))) {
            if !clients.insert(resource.client(area)) {
                let client = resource.client(area);
                return Err(at.error(format!("{}: something else is called `{client}` already", resource.plural)));
            }
        }
        Ok(ApiVersion {
            client,
            accessor: format!("{}_{name}", snake(prefix)),
            presence: Presence::new(&self.in_versions, versions, &at)?,
            resources,
            module: name.clone(),
            name,
        })
    }
}
