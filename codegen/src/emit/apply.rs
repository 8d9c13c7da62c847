//! The files of apply configurations: a line a field, since the runtime's macros make the rest.
//!
//! rustfmt does not look into calls of macros, so these files are written as they should look.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{header, names, text::use_line};
use crate::{
    Error,
    model::{Configuration, Configurations, Field, FieldType, Group, Home, Merge, Model, Presence, Scope},
};

/// The file `src/<version>/apply.rs`.
pub(super) fn source(model: &Model, home: &Home, api_version: &str) -> Result<String, Error> {
    let Some(module) = model.configurations.get(home) else { return Ok(String::new()) };
    // The types of custom resources are the same with all versions of Kubernetes.
    let is_custom = model.structs.contains_key(home);
    let mut text = format!(
        "// {}\n\n//! Apply configurations of `{api_version}`: every type with all its fields optional.\n",
        header(is_custom, api_version)
    );
    if !is_custom {
        text.push_str("//!\n//! They have the fields of every Kubernetes version that k8s-client supports.\n");
    }
    text.push('\n');
    imports(model, home, module, &mut text);
    for configuration in module.types.values() {
        record(model, configuration, &mut text)?;
    }
    Ok(text)
}

fn imports(model: &Model, home: &Home, module: &Configurations, text: &mut String) {
    let mut known: BTreeSet<String> = ["record".to_owned()].into();
    let mut foreign: BTreeSet<(String, String)> = BTreeSet::new();
    let is_custom = model.structs.contains_key(home);
    for configuration in module.types.values() {
        if configuration.identity.is_some() || is_template(model, configuration) {
            known.insert("object".to_owned());
        }
        known.extend(configuration.fields.values().filter_map(|field| imported(&field.value)));
        let enums = configuration.fields.values().filter_map(|field| enum_of(&field.value));
        foreign.extend(enums.map(|name| ("super::types".to_owned(), name.to_owned())));
        for (other, referred) in model.contained(configuration) {
            if other != home {
                foreign.insert((names::apply_module(other), names::configuration(&referred.object.name)));
            }
        }
    }
    let mut modules: Vec<(String, Vec<String>)> = vec![(
        format!("k8s_client_runtime::codegen::{}", if is_custom { "custom" } else { "apply" }),
        known.into_iter().collect(),
    )];
    for (path, name) in foreign {
        match modules.iter_mut().find(|(other, _)| *other == path) {
            Some((_, names)) => names.push(name),
            None => modules.push((path, vec![name])),
        }
    }
    modules.sort();
    for (path, names) in modules {
        use_line(&path, &names, text);
    }
}

/// A type of the runtime that must be imported; the others are Rust's own.
pub(super) fn imported(value: &FieldType) -> Option<String> {
    match value {
        FieldType::Known("String" | "bool" | "i32" | "i64" | "f64")
        | FieldType::Record(_)
        | FieldType::Boxed(_)
        | FieldType::Enum(_) => None,
        FieldType::Known(name) => Some((*name).to_owned()),
        FieldType::List(inner) | FieldType::Map(inner) | FieldType::Nullable(inner) => imported(inner),
    }
}

/// The enum in a field, which the version has itself.
fn enum_of(value: &FieldType) -> Option<&str> {
    match value {
        FieldType::Enum(name) => Some(name),
        FieldType::List(inner) | FieldType::Map(inner) | FieldType::Nullable(inner) => enum_of(inner),
        FieldType::Known(_) | FieldType::Record(_) | FieldType::Boxed(_) => None,
    }
}

fn record(model: &Model, configuration: &Configuration, text: &mut String) -> Result<(), Error> {
    let object = &configuration.object;
    let name = names::configuration(&object.name);
    let what = if object.is_own() {
        format!("{} in \"super::types\"", object.name)
    } else if configuration.current {
        format!("{} in \"k8s_openapi::{}\"", object.name, object.module.join("::"))
    } else {
        format!("old {}", object.name)
    };
    let _ = write!(text, "\nrecord! {{\n    {name}\n    of {what}");
    if let Some(identity) = &configuration.identity {
        let _ = write!(text, "\n    is (\"{}\", \"{}\")", identity.api_version, identity.kind);
    }
    if configuration.atomic {
        text.push_str("\n    merges atomic");
    }
    if let Some(field) = &configuration.unknown_fields {
        let _ = write!(text, "\n    keeps {field}");
    }
    text.push_str("\n    {\n");
    let (current, old): (Vec<_>, Vec<_>) = configuration
        .fields
        .iter()
        .partition(|(_, field)| configuration.current && field.presence.last == model.newest());
    for (json, field) in current {
        let _ = writeln!(text, "        {}", line(model, configuration, json, field)?);
    }
    text.push_str("    }\n");
    if !old.is_empty() {
        text.push_str("    old {\n");
        for (json, field) in old {
            let _ = writeln!(text, "        {}", line(model, configuration, json, field)?);
        }
        text.push_str("    }\n");
    }
    text.push_str("}\n");
    if let Some(identity) = &configuration.identity {
        let scope = match identity.scope {
            Scope::Namespaced => "namespaced",
            Scope::Cluster => "cluster",
        };
        let _ = writeln!(text, "\nobject!({name} {scope} \"{}\");", identity.kind);
    } else if is_template(model, configuration) {
        let _ = writeln!(text, "\nobject!(template {name});");
    }
    Ok(())
}

/// Whether a record has the metadata of the objects that are made of it, such as a pod template.
fn is_template(model: &Model, configuration: &Configuration) -> bool {
    let fields = &configuration.fields;
    // The methods for members of the metadata would have the names of these.
    let are_taken = fields.values().any(|field| matches!(field.name.as_str(), "labels" | "annotations"));
    let of_objects = names::configuration("ObjectMeta");
    let has_metadata = || fields.get("metadata").is_some_and(|field| value(model, &field.value) == Ok(of_objects));
    configuration.identity.is_none() && !are_taken && has_metadata()
}

fn line(model: &Model, configuration: &Configuration, json: &str, field: &Field) -> Result<String, Error> {
    let value = value(model, &field.value).map_err(|schema| {
        Error::at(&configuration.object.schema, json, format!("{schema} has no apply configuration"))
    })?;
    let merge = match &field.merge {
        None => String::new(),
        Some(Merge::Atomic) => " atomic".to_owned(),
        Some(Merge::Granular) => " granular".to_owned(),
        Some(Merge::Set) => " set".to_owned(),
        Some(Merge::Keyed(keys)) => {
            let key = |(name, default): &(String, Option<String>)| match default {
                Some(default) => format!("{name:?} = {default:?}"),
                None => format!("{name:?}"),
            };
            format!(" keyed({})", keys.iter().map(key).collect::<Vec<_>>().join(", "))
        }
    };
    let versions = versions(model, configuration, field.presence);
    Ok(format!("{}({json:?}): {value}{merge}{versions},", field.name))
}

/// The versions that have a field, where not all of those do that have its type.
fn versions(model: &Model, configuration: &Configuration, presence: Presence) -> String {
    let fields = configuration.fields.values().map(|field| field.presence);
    let first = fields.clone().map(|presence| presence.first).min();
    let last = fields.map(|presence| presence.last).max();
    if (Some(presence.first), Some(presence.last)) == (first, last) {
        return String::new();
    }
    let minor = |index: usize| super::minor(&model.versions[index]);
    // The newest version is not named, so that the next one does not change what it has too.
    let last = if presence.last == model.newest() { "" } else { &format!("={}", minor(presence.last)) };
    format!(" @ ({}..{last})", minor(presence.first))
}

fn value(model: &Model, value: &FieldType) -> Result<String, String> {
    written(value, &|schema| {
        model
            .configuration(schema)
            .map(|(_, it)| names::configuration(&it.object.name))
            .ok_or_else(|| schema.to_owned())
    })
}

/// A type as the runtime's macros take it. `record` finds what the type of a schema is called.
pub(super) fn written(value: &FieldType, record: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    Ok(match value {
        FieldType::Known(name) => (*name).to_owned(),
        FieldType::Enum(name) => name.clone(),
        FieldType::Record(schema) => record(schema)?,
        FieldType::Boxed(schema) => format!("({})", record(schema)?),
        FieldType::List(inner) => format!("[{}]", written(inner, record)?),
        FieldType::Map(inner) => format!("{{{}}}", written(inner, record)?),
        FieldType::Nullable(inner) => format!("(null {})", written(inner, record)?),
    })
}

/// The group's files of configurations.
pub(super) fn files(model: &Model, group: &Group, folder: &str) -> Result<Vec<(String, String)>, Error> {
    let versions = group.versions.iter().map(|version| (version, Home::new(group, version)));
    versions
        .filter(|(_, home)| model.configurations.contains_key(home))
        .map(|(version, home)| {
            let path = format!("{folder}/src/{}/apply.rs", version.module);
            Ok((path, source(model, &home, &version.api_version(group))?))
        })
        .collect()
}
