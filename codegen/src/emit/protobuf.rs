//! The files of messages: a line a field, since the runtime's macro makes the rest.
//!
//! rustfmt does not look into calls of macros, so these files are written as they should look.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    HEADER,
    gate::Gate,
    names::{protobuf_alias, protobuf_module},
    text::{gated, use_line},
};
use crate::{
    Error,
    model::{Empty, Group, Home, Message, MessageField, Messages, Model, Occurs, Presence, Value},
};

/// The group's files of messages.
pub(super) fn files(model: &Model, group: &Group, folder: &str) -> Result<Vec<(String, String)>, Error> {
    let versions = group.versions.iter().map(|version| (version, Home::new(group, version)));
    versions
        .map(|(version, home)| {
            // The configurations of other groups need the module with every version, clients or not.
            let given = if home.is_shared(model) { model.all_versions() } else { version.presence };
            let path = format!("{folder}/src/{}/protobuf.rs", version.name);
            Ok((path, source(model, &home, &version.api_version(group), given)?))
        })
        .collect()
}

/// The file `src/<version>/protobuf.rs` of a module that is compiled for the `given` versions.
pub(super) fn source(model: &Model, home: &Home, api_version: &str, given: Presence) -> Result<String, Error> {
    let mut text = format!(
        "// {HEADER} {api_version}; edit codegen instead.

//! How the types of `{api_version}` travel as protobuf: the numbers of their fields, and what the fields hold.

"
    );
    let Some(messages) = model.messages.get(home) else { return Ok(text) };
    imports(model, home, messages, given, &mut text);
    for (name, message) in messages {
        let body = table(model, home, name, message)?;
        text.push('\n');
        gated(&Gate::new(model, given, message.presence), &body, &mut text);
    }
    Ok(text)
}

/// Writes what the tables name: first what they name with every version.
fn imports(model: &Model, home: &Home, messages: &Messages, given: Presence, text: &mut String) {
    let (mut names, mut now_and_then) = (BTreeSet::new(), BTreeSet::new());
    for message in messages.values() {
        let used = if message.presence == given { &mut names } else { &mut now_and_then };
        used.insert((String::new(), "message".to_owned()));
        for field in message.fields.values() {
            let is_always_there = message.presence == given && field.presence == given;
            let used = if is_always_there { &mut names } else { &mut now_and_then };
            used.extend(named(model, home, &field.value));
        }
    }
    write_imports(&names, "", text);
    let others: BTreeSet<_> = now_and_then.difference(&names).cloned().collect();
    if !names.is_empty() && !others.is_empty() {
        // Together, rustfmt would put them into another order.
        text.push('\n');
    }
    write_imports(&others, "#[allow(unused_imports, reason = \"it depends on the Kubernetes version\")]\n", text);
}

/// The names that a field's type needs: the path of another module of messages, or nothing and a name of the runtime.
fn named(model: &Model, home: &Home, value: &Value) -> Vec<(String, String)> {
    let other = |schema: &str| model.message(home, schema).map(|(other, _)| other).filter(|other| *other != home);
    let other = |schema: &str| other(schema).map(|other| (protobuf_module(other), protobuf_alias(other)));
    match value {
        Value::Known(name) => vec![(String::new(), (*name).to_owned())],
        Value::OrSchema(name, schema) => {
            [Some((String::new(), (*name).to_owned())), other(schema)].into_iter().flatten().collect()
        }
        Value::Message(schema) => other(schema).into_iter().collect(),
    }
}

fn write_imports(names: &BTreeSet<(String, String)>, attribute: &str, text: &mut String) {
    for (path, alias) in names.iter().filter(|(path, _)| !path.is_empty()) {
        let _ = writeln!(text, "{attribute}use {path} as {alias};");
    }
    let known: Vec<String> = names.iter().filter(|(path, _)| path.is_empty()).map(|(_, name)| name.clone()).collect();
    if !known.is_empty() {
        text.push_str(attribute);
        use_line("k8s_client_runtime::codegen::protobuf", &known, text);
    }
}

fn table(model: &Model, home: &Home, name: &str, message: &Message) -> Result<String, Error> {
    let object = format!("k8s_openapi::{}::{}", message.object.module.join("::"), message.object.name);
    let empty = match message.empty {
        Empty::Default => "",
        Empty::Zeros => ", without default",
        Empty::AnyObject => return Ok(format!("message! {{\n    pub {name} of {object}, any object {{}}\n}}\n")),
    };
    let mut text = format!("message! {{\n    pub {name} of {object}{empty} {{\n");
    let mut gates: BTreeMap<Gate, Vec<(&u32, &MessageField)>> = BTreeMap::new();
    for field in &message.fields {
        gates.entry(Gate::new(model, message.presence, field.1.presence)).or_default().push(field);
    }
    lines(model, home, message, gates.remove(&Gate::default()).unwrap_or_default(), &mut text)?;
    text.push_str("    }\n");
    if !message.embedded.is_empty() {
        text.push_str("    embedded {\n");
        for (number, embedded) in &message.embedded {
            let _ = writeln!(text, "        {number} {embedded},");
        }
        text.push_str("    }\n");
    }
    for (gate, fields) in gates {
        let names: Vec<String> = gate
            .macros()
            .map(|path| path.trim_start_matches("k8s_openapi::").trim_end_matches('!').to_owned())
            .collect();
        let _ = writeln!(text, "    if {} {{", names.join(" "));
        lines(model, home, message, fields, &mut text)?;
        text.push_str("    }\n");
    }
    text.push_str("}\n");
    Ok(text)
}

fn lines(
    model: &Model,
    home: &Home,
    message: &Message,
    fields: Vec<(&u32, &MessageField)>,
    text: &mut String,
) -> Result<(), Error> {
    for (number, field) in fields {
        let occurs = match field.occurs {
            Occurs::One => "one",
            Occurs::OneUnlessZero => "one_unless_zero",
            Occurs::Many => "many",
            Occurs::Map => "map",
        };
        let value = match &field.value {
            Value::Known(name) => (*name).to_owned(),
            Value::OrSchema(name, schema) => format!("{name}<{}>", referred(model, home, message, field, schema)?),
            Value::Message(schema) => referred(model, home, message, field, schema)?,
        };
        let _ = writeln!(text, "        {number} {}: {occurs} {value},", field.name);
    }
    Ok(())
}

/// The path of another message.
fn referred(
    model: &Model,
    home: &Home,
    message: &Message,
    field: &MessageField,
    schema: &str,
) -> Result<String, Error> {
    let (other, referred) = model
        .message(home, schema)
        .ok_or_else(|| Error::at(&message.object.schema, &field.name, format!("{schema} has no message")))?;
    let name = &referred.object.name;
    Ok(if other == home { name.clone() } else { format!("{}::{name}", protobuf_alias(other)) })
}
