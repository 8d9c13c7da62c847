//! CustomResourceDefinitions: the same model, and with it the same clients and apply configurations, as Kubernetes' own
//! groups have, and the types of the objects, which k8s-openapi does not have.
//!
//! * [`Definition`] is what is read: YAML or JSON, with many documents in a file, or what a server answers.
//! * Structural schemas have no references. So types are found by their shape: what is the same is one type in all
//!   places of a kind (`types`).
//! * [`Names`] keeps the names of types from one run to the next.
//! * [`Group::files`] makes a crate or a module of each group.
//!
//! Nothing is lost when an object is read and written: enums are open, null beside absent is kept where the schema lets
//! a field be null, unknown fields where it preserves them, and numbers, quantities and times stay as they were
//! written.

mod build;
mod definition;
mod docs;
mod facts;
mod identifiers;
mod naming;
mod preview;
mod types;
mod yaml;

use std::collections::BTreeMap;

pub(crate) use self::preview::Operations;
pub use self::{
    definition::{Definition, DefinitionNames, DefinitionVersion, Reader},
    facts::facts,
    naming::{NAMES_FILE, Names},
    preview::preview,
    yaml::objects,
};
use crate::{
    Error,
    emit::{self, Files, Layout},
    model::Model,
};

/// The definitions of one API group.
#[derive(Clone, Debug)]
pub struct Group {
    /// `cert-manager.io`
    pub name: String,
    /// What its module and its folder are called: `cert_manager`.
    pub module: String,
    definitions: Vec<Definition>,
}

impl Group {
    /// Sorts definitions into groups, by name. Versions of one resource may stand in several definitions, and a version
    /// may be there again if it is the same. Groups of which no version is served are left out.
    ///
    /// # Errors
    ///
    /// When two definitions contradict each other, or none has a version that is served.
    pub fn all(definitions: Vec<Definition>) -> Result<Vec<Self>, Error> {
        let mut by_name: BTreeMap<String, Vec<Definition>> = BTreeMap::new();
        for definition in definitions {
            by_name.entry(definition.group.clone()).or_default().push(definition);
        }
        leave_out_unserved(&mut by_name)?;
        let mut modules: BTreeMap<String, usize> = BTreeMap::new();
        for name in by_name.keys() {
            *modules.entry(identifiers::group(name, false)).or_default() += 1;
        }
        let mut groups = Vec::new();
        for (name, definitions) in by_name {
            check(&definitions)?;
            let mut definitions = merge(definitions)?;
            definitions.sort_by(|a, b| (&a.names.kind, &a.file).cmp(&(&b.names.kind, &b.file)));
            let short = identifiers::group(&name, false);
            let module = if modules[&short] == 1 { short } else { identifiers::group(&name, true) };
            groups.push(Self { name, module, definitions });
        }
        Ok(groups)
    }

    /// The definitions of the group.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The model of the group, as the emitters of clients take it. It has one version, which stands for all of
    /// Kubernetes.
    ///
    /// # Errors
    ///
    /// When two kinds cannot be in one crate.
    pub fn model(&self) -> Result<Model, Error> {
        Ok(build::build(&self.module, &self.definitions, &Names::default(), false)?.model)
    }

    /// The files of a crate or a module, by their paths from its folder. `known` are the names that types had, and
    /// `descriptions` are whether the docs of fields have what the schema says of them.
    ///
    /// # Errors
    ///
    /// When two kinds cannot be in one crate.
    pub fn files(&self, layout: &Layout, known: &Names, descriptions: bool) -> Result<Files, Error> {
        let built = build::build(&self.module, &self.definitions, known, descriptions)?;
        let mut files = Files::new();
        for group in &built.model.groups {
            files.extend(emit::custom(&built.model, group, layout)?);
        }
        files.insert(NAMES_FILE.to_owned(), built.names.text(&self.name));
        Ok(files)
    }
}

/// Refuses definitions of one group that no server could have at once.
fn check(definitions: &[Definition]) -> Result<(), Error> {
    let mut kinds: BTreeMap<&str, &Definition> = BTreeMap::new();
    let mut plurals: BTreeMap<&str, &Definition> = BTreeMap::new();
    for definition in definitions {
        let names = &definition.names;
        let error = |message: String| Err(Error::at(&definition.file, "$.spec.names", message));
        let by_kind = kinds.entry(&names.kind).or_insert(definition);
        if by_kind.names.plural != names.plural {
            let (other, plural) = (&by_kind.file, &by_kind.names.plural);
            return error(format!("the kind `{}` is that of `{plural}` in {other} already", names.kind));
        }
        let by_plural = plurals.entry(&names.plural).or_insert(definition);
        if by_plural.names.kind != names.kind {
            let (other, kind) = (&by_plural.file, &by_plural.names.kind);
            return error(format!("the plural `{}` is that of `{kind}` in {other} already", names.plural));
        }
        if by_kind.scope != definition.scope {
            return error(format!("`{}` has another scope in {}", names.kind, by_kind.file));
        }
    }
    Ok(())
}

/// Leaves out the groups of which no version is served.
fn leave_out_unserved(groups: &mut BTreeMap<String, Vec<Definition>>) -> Result<(), Error> {
    let is_served = |definition: &Definition| definition.versions.iter().any(|version| version.served);
    let first = groups.values().flatten().next().map(|definition| definition.file.clone());
    groups.retain(|_, definitions| definitions.iter().any(is_served));
    match first {
        Some(file) if groups.is_empty() => {
            let message = "no version of any definition is served, so there is nothing to make clients of";
            Err(Error::at(file, "$.spec.versions", message))
        }
        _ => Ok(()),
    }
}

/// Takes each version once. Projects have their definitions in several places, as in a chart and beside it.
fn merge(definitions: Vec<Definition>) -> Result<Vec<Definition>, Error> {
    let mut merged: Vec<Definition> = Vec::new();
    let mut errors = Vec::new();
    for mut definition in definitions {
        let Definition { file, names, versions, .. } = &mut definition;
        let others: Vec<&Definition> = merged.iter().filter(|other| other.names.kind == names.kind).collect();
        versions.retain(|version| {
            let there = others
                .iter()
                .find_map(|other| Some((other, other.versions.iter().find(|first| first.name == version.name)?)));
            let Some((other, first)) = there else { return true };
            let is_same = *first == DefinitionVersion { location: first.location.clone(), ..version.clone() };
            if !is_same || other.names != *names {
                let message = format!(
                    "`{}` is in {} too, and is not the same there in the version `{}`: leave one of the two out",
                    names.kind, other.file, version.name
                );
                errors.push(Error::at(&*file, &version.location, message));
            }
            false
        });
        if !definition.versions.is_empty() {
            merged.push(definition);
        }
    }
    Error::all(errors)?;
    Ok(merged)
}
