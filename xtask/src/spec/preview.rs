//! A version that k8s-openapi has no types of yet: crates with the types and clients of what is new in it.

use std::{fs, path::Path};

use k8s_client_codegen::{
    crd::{Group, NAMES_FILE, Names, preview},
    emit::{CRD_HEADER_OF_ALL, Dependencies, Layout},
    policy::Policy,
    spec::{self, Files, Spec, Version},
};

use crate::Result;

/// Writes a workspace of crates into the folder, for what the version of these files has and the newest stored one
/// before it has not.
pub(super) fn write(root: &Path, new: &Files, folder: &Path) -> Result<()> {
    let new = spec::load(new)?;
    let known = before(root, new.version())?;
    let policy = "codegen/groups.toml";
    let policy = Policy::parse(policy, &fs::read_to_string(root.join(policy))?)?;
    let groups = preview(&new, &known, &policy)?;
    check_is_ours(folder)?;
    let checkout = fs::canonicalize(root)?.to_str().ok_or("the path of the workspace is not UTF-8")?.replace('\\', "/");
    let mut files = Files::new();
    for group in &groups {
        let names = folder.join(&group.module).join(NAMES_FILE);
        let known = if names.exists() { fs::read_to_string(&names)? } else { String::new() };
        let known = Names::parse(&names.display().to_string(), &known)?;
        let dependencies = Dependencies::Checkout(checkout.clone());
        let layout = Layout::Crate { package: package(group), dependencies };
        let of_group = group.files(&layout, &known, false)?;
        files.extend(of_group.into_iter().map(|(path, text)| (format!("{}/{path}", group.module), text)));
    }
    files.insert("Cargo.toml".to_owned(), manifest(&groups));
    files.insert("README.md".to_owned(), readme(&groups, &new, &known, &checkout));
    super::replace(folder, &files)?;
    for line in kinds(&groups) {
        println!("{line}");
    }
    let (new, known) = (new.version(), known.version());
    println!("{}: {} crates with what Kubernetes {new} has and {known} has not", folder.display(), groups.len());
    Ok(())
}

/// The newest stored version before this one.
fn before(root: &Path, version: Version) -> Result<Spec> {
    let stored = crate::regenerate::specs(&root.join("api-specs"))?;
    let is_before = |spec: &Spec| spec.version().minor < version.minor;
    let found = stored.into_iter().filter(is_before).max_by_key(|spec| spec.version().minor);
    Ok(found.ok_or_else(|| format!("api-specs has no version before {version} to compare it with"))?)
}

/// Refuses a folder that has something else in it.
fn check_is_ours(folder: &Path) -> Result<()> {
    let is_empty = !folder.exists() || fs::read_dir(folder)?.next().is_none();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    if is_empty || manifest.starts_with(&format!("# {CRD_HEADER_OF_ALL}")) {
        return Ok(());
    }
    let folder = folder.display();
    Err(format!("{folder}: the folder has something that was not generated; name one that is empty or not there")
        .into())
}

fn package(group: &Group) -> String {
    format!("k8s-client-preview-{}", group.module.replace('_', "-"))
}

fn manifest(groups: &[Group]) -> String {
    let members: Vec<String> = groups.iter().map(|group| format!("    \"{}\",\n", group.module)).collect();
    format!(
        "# {CRD_HEADER_OF_ALL} for `cargo xtask spec update --preview`.\n\n[workspace]\nresolver = \"3\"\nmembers = [\n{}]\n",
        members.concat()
    )
}

/// The kinds, a line each: `apps/v1 Deployment`.
fn kinds(groups: &[Group]) -> Vec<String> {
    let mut lines = Vec::new();
    for group in groups {
        for definition in group.definitions() {
            for version in &definition.versions {
                let separator = if group.name.is_empty() { "" } else { "/" };
                lines.push(format!("{}{separator}{} {}", group.name, version.name, definition.names.kind));
            }
        }
    }
    lines.sort();
    lines
}

fn readme(groups: &[Group], new: &Spec, known: &Spec, checkout: &str) -> String {
    let kinds: Vec<String> = kinds(groups).into_iter().map(|kind| format!("- `{kind}`\n")).collect();
    let package = groups.first().map(package).unwrap_or_default();
    let folder = groups.first().map(|group| group.module.clone()).unwrap_or_default();
    format!(
        "# What is new in Kubernetes {new}

Made by `cargo xtask spec update {new} --preview`: types, clients and apply configurations of
each kind that Kubernetes {known} has not, or has with other fields.

A program that tries them has, beside what it has already:

```toml
{package} = {{ path = \"{folder}\" }}
k8s-client-runtime = {{ path = \"{checkout}/crates/runtime\", features = [\"latest\"] }}
```

The kinds:

{kinds}",
        new = new.version(),
        known = known.version(),
        kinds = kinds.concat(),
    )
}
