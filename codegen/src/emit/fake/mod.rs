//! What the fake API server knows of each Kubernetes version: `crates/fake/data/v1.NN.txt`, a line for each fact.
//!
//! ```text
//! version 1.37.2
//! group apps v1
//! resource apps/v1 deployments Deployment namespaced @io.k8s.api.apps.v1.Deployment verbs=create,… singular=… …
//!   sub scale autoscaling/v1 Scale @io.k8s.api.autoscaling.v1.Scale verbs=get,patch,update
//! type io.k8s.api.apps.v1.DeploymentSpec
//!   replicas int32 pointer omitempty #1
//! ```
//!
//! `crates/fake/src/model` and `crates/fake/src/schema` read it and say what the words mean.

mod kinds;
mod types;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use kinds::Kinds;

use super::{Files, HEADER};
use crate::{
    Error,
    model::{Model, ParsedPath, api_version},
    spec::{Action, Operation, Spec},
};

/// Where the fake server has its data.
const FOLDER: &str = "crates/fake/data";

/// A file for each version, which must have nothing that the notation lacks, and the list of them.
pub(super) fn files(specs: &[Spec], model: &Model) -> Result<Files, Error> {
    let mut files = Files::new();
    let mut list = format!(
        "// {HEADER} api-specs; edit codegen instead.

//! The data of each Kubernetes version.

/// The minor numbers of the versions, oldest first, and their data.
pub(super) const VERSIONS: &[(u32, &str)] = &[
"
    );
    let kinds = Kinds::read().map_err(|message| Error::file(FOLDER, message))?;
    for spec in specs {
        let (folder, minor) = (spec.version().folder(), spec.version().minor);
        let path = format!("{FOLDER}/{folder}.txt");
        let text = text(spec, model, &kinds).map_err(|message| Error::file(&path, message))?;
        let _ = writeln!(list, "    ({minor}, include_str!(\"../../data/{folder}.txt\")),");
        files.insert(path, text);
    }
    list.push_str("];\n");
    files.insert("crates/fake/src/model/generated.rs".to_owned(), list);
    Ok(files)
}

fn text(spec: &Spec, model: &Model, kinds: &Kinds) -> Result<String, String> {
    let folder = spec.version().folder();
    let mut text = format!("# {HEADER} api-specs/{folder}; edit codegen instead.\nversion {}\n", spec.version());
    for (group, versions) in groups(spec, model) {
        let _ = writeln!(text, "group {group} {}", versions.join(" "));
    }
    for ((api_version, plural), resource) in resources(spec) {
        resource.write(&mut text, (spec, kinds), &api_version, &plural)?;
    }
    for (name, schema) in &spec.schemas {
        types::write(&mut text, spec, name, schema)?;
    }
    Ok(text)
}

/// The groups in the order of discovery; where that is not stored, in the model's.
fn groups(spec: &Spec, model: &Model) -> Vec<(String, Vec<String>)> {
    if !spec.discovery.groups.is_empty() {
        return spec.discovery.groups.clone();
    }
    let served: BTreeSet<String> = resources(spec).into_keys().map(|(api_version, _)| api_version).collect();
    let of_group = |group: &crate::model::Group| {
        let versions = group.versions.iter().filter(|version| served.contains(&version.api_version(group)));
        (group.name.clone(), versions.map(|version| version.name.clone()).collect::<Vec<_>>())
    };
    let groups = model.groups.iter().filter(|group| !group.name.is_empty()).map(of_group);
    groups.filter(|(_, versions)| !versions.is_empty()).collect()
}

/// A resource or a subresource while its operations are gathered.
#[derive(Default)]
struct Resource {
    namespaced: bool,
    /// `apiVersion`, kind.
    kind: Option<(String, String)>,
    schema: Option<String>,
    verbs: BTreeSet<&'static str>,
    subresources: BTreeMap<String, Resource>,
}

/// The resources by `apiVersion` and plural.
fn resources(spec: &Spec) -> BTreeMap<(String, String), Resource> {
    let mut resources: BTreeMap<(String, String), Resource> = BTreeMap::new();
    for operation in spec.operations() {
        let Some((action, path)) = operation.action.zip(ParsedPath::parse(&operation.path)) else { continue };
        let api_version = api_version(path.group, path.version);
        let resource = resources.entry((api_version, path.plural.to_owned())).or_default();
        resource.namespaced |= path.namespaced;
        let resource = match &path.subresource {
            Some(subresource) => resource.subresources.entry(subresource.clone()).or_default(),
            None => resource,
        };
        resource.take(operation, action);
    }
    resources
}

impl Resource {
    fn take(&mut self, operation: &Operation, action: Action) {
        use crate::spec::Method;
        self.verbs.extend(match action {
            Action::Connect => match operation.method {
                Method::Get | Method::Head => Some("get"),
                Method::Post => Some("create"),
                Method::Put => Some("update"),
                Method::Patch => Some("patch"),
                Method::Delete => Some("delete"),
                Method::Options | Method::Trace => None,
            },
            Action::Post => Some("create"),
            Action::Put => Some("update"),
            Action::Watch | Action::WatchList => None,
            action => Some(action.as_str()),
        });
        if operation.can_watch() {
            self.verbs.insert("watch");
        }
        if let Some(kind) = &operation.kind
            && self.kind.is_none()
        {
            self.kind = Some((api_version(&kind.group, &kind.version), kind.kind.clone()));
        }
        // What is sent or read; lists and statuses are the server's own.
        let sent = operation.body.as_ref().and_then(|body| body.schema_name());
        let read = operation.answers.get(&200).and_then(|answer| answer.schema_name());
        let schema = match action {
            Action::Post | Action::Put => sent,
            Action::Get => read,
            _ => None,
        };
        if let Some(schema) = schema {
            self.schema = Some(schema.to_owned());
        }
    }

    fn write(
        &self,
        text: &mut String,
        (spec, kinds): (&Spec, &Kinds),
        api_version: &str,
        plural: &str,
    ) -> Result<(), String> {
        let (_, kind) = self.kind.as_ref().ok_or_else(|| format!("{api_version} {plural}: no operation has a kind"))?;
        let scope = if self.namespaced { "namespaced" } else { "cluster" };
        let _ = write!(text, "resource {api_version} {plural} {kind} {scope}{}", self.facts());
        let names = spec.discovery.names(api_version, plural);
        let singular = names.map_or_else(|| kind.to_lowercase(), |names| names.singular.clone());
        let _ = write!(text, " singular={singular}");
        for (word, list) in
            [("short", names.map(|names| &names.short_names)), ("categories", names.map(|names| &names.categories))]
        {
            if let Some(list) = list.filter(|list| !list.is_empty()) {
                let _ = write!(text, " {word}={}", list.join(","));
            }
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let words: Vec<&str> = kinds.words(group, plural).into_iter().collect();
        if !words.is_empty() {
            let _ = write!(text, " is={}", words.join(","));
        }
        text.push('\n');
        for (name, subresource) in &self.subresources {
            let (group_version, kind) =
                subresource.kind.as_ref().ok_or_else(|| format!("{plural}/{name}: no operation has a kind"))?;
            let _ = writeln!(text, "  sub {name} {group_version} {kind}{}", subresource.facts());
        }
        Ok(())
    }

    fn facts(&self) -> String {
        let schema = self.schema.as_ref().map(|name| format!(" @{name}")).unwrap_or_default();
        let verbs: Vec<&str> = self.verbs.iter().copied().collect();
        format!("{schema} verbs={}", verbs.join(","))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::spec;

    #[test]
    fn every_entry_of_the_table_of_kinds_is_of_a_resource_that_some_version_has() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api-specs");
        let mut all = BTreeSet::new();
        for version in std::fs::read_dir(folder).unwrap() {
            let spec = spec::load(&spec::read_dir(&version.unwrap().path()).unwrap()).unwrap();
            all.extend(resources(&spec).into_keys().map(|(api_version, plural)| {
                (api_version.split_once('/').map_or("", |(group, _)| group).to_owned(), plural)
            }));
        }
        assert_eq!(Kinds::read().unwrap().unused(&all), Vec::<String>::new());
    }
}
