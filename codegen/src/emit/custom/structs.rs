//! The files of types that k8s-openapi does not have: a line a field, since the runtime's macros make the rest.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::emit::{
    apply::{imported, written},
    header,
    text::use_line,
};
use crate::model::{ApiVersion, CustomObject, Group, Home, Model, OpenEnum, Scope, Struct, StructField};

/// The group's files of types.
pub(super) fn files(model: &Model, group: &Group, folder: &str) -> Vec<(String, String)> {
    let versions = group.versions.iter();
    versions
        .map(|version| (format!("{folder}/src/{}/types.rs", version.module), source(model, group, version)))
        .collect()
}

/// The file `src/<version>/types.rs`.
fn source(model: &Model, group: &Group, version: &ApiVersion) -> String {
    let api_version = version.api_version(group);
    let mut text = format!("// {}\n\n//! The types of the objects of `{api_version}`.\n\n", header(true, &api_version));
    let Some(types) = model.structs.get(&Home::new(group, version)) else { return text };
    let mut names: BTreeSet<String> = BTreeSet::new();
    for structure in types.structs.values() {
        names.insert("structure".to_owned());
        names.extend(structure.object.is_some().then(|| "custom_resource".to_owned()));
        names.extend(structure.fields.values().filter_map(|field| imported(&field.value)));
    }
    if !types.enums.is_empty() {
        names.insert("open_enum".to_owned());
    }
    let names: Vec<String> = names.into_iter().collect();
    use_line("k8s_client_runtime::codegen::custom", &names, &mut text);
    for (name, structure) in &types.structs {
        write_struct(name, structure, &mut text);
    }
    for (name, open) in &types.enums {
        write_enum(name, open, &mut text);
    }
    text
}

fn docs(lines: &[String], indent: &str, text: &mut String) {
    for line in lines {
        text.push_str(format!("{indent}/// {line}").trim_end());
        text.push('\n');
    }
}

fn write_struct(name: &str, structure: &Struct, text: &mut String) {
    text.push_str("\nstructure! {\n");
    docs(&structure.docs, "    ", text);
    let _ = write!(text, "    {name}");
    if let Some(object) = &structure.object {
        let _ = write!(text, "\n    is ({:?}, {:?})", object.api_version, object.kind);
    }
    if let Some(field) = &structure.unknown_fields {
        let _ = write!(text, "\n    keeps {field}");
    }
    for (heading, required) in [("required", true), ("optional", false)] {
        let mut fields = structure.fields.iter().filter(|(_, field)| field.required == required).peekable();
        if fields.peek().is_some() {
            let _ = write!(text, "\n    {heading} {{\n");
            fields.for_each(|(json, field)| write_field(json, field, text));
            text.push_str("    }");
        }
    }
    text.push_str("\n}\n");
    if let Some(object) = &structure.object {
        write_object(name, object, text);
    }
}

fn write_field(json: &str, field: &StructField, text: &mut String) {
    if !field.docs.is_empty() {
        text.push_str("        ///\n");
        docs(&field.docs, "        ", text);
    }
    let record = |schema: &str| Ok(schema.rsplit('.').next().unwrap_or(schema).to_owned());
    let value = written(&field.value, &record).unwrap_or_default();
    let _ = writeln!(text, "        {}({json:?}): {value},", field.name);
}

fn write_object(name: &str, object: &CustomObject, text: &mut String) {
    let scope = match object.scope {
        Scope::Namespaced => "Namespaced",
        Scope::Cluster => "Cluster",
    };
    let api_version = &object.api_version;
    let slash = if api_version.contains('/') { "" } else { "/" };
    let _ = write!(text, "\ncustom_resource!(\n    {name}, \"{slash}{api_version}\", {:?}, {scope}", object.plural);
    let mut option = |option: String| {
        let _ = write!(text, ",\n    {option}");
    };
    if object.has_status {
        option("status".to_owned());
    }
    if object.kind != name {
        option(format!("kind = {:?}", object.kind));
    }
    if object.list_kind != format!("{}List", object.kind) {
        option(format!("list_kind = {:?}", object.list_kind));
    }
    if object.singular != object.kind.to_lowercase() {
        option(format!("singular = {:?}", object.singular));
    }
    if !object.short_names.is_empty() {
        option(format!("short_names = {:?}", object.short_names));
    }
    if !object.categories.is_empty() {
        option(format!("categories = {:?}", object.categories));
    }
    text.push_str("\n);\n");
}

fn write_enum(name: &str, open: &OpenEnum, text: &mut String) {
    text.push_str("\nopen_enum! {\n");
    docs(&open.docs, "    ", text);
    let _ = writeln!(text, "    {name} {{");
    for (variant, value) in &open.variants {
        let _ = writeln!(text, "        {variant} = {value:?},");
    }
    text.push_str("    }\n}\n");
}
