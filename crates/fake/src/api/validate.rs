//! The rules that all objects have: names, labels, annotations, finalizers, owners.

use serde_json::Value;

use super::metadata::{list, meta};
use crate::{
    failure::{Cause, Failure, Result},
    model::{NameRule, Resource},
};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
     and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
     and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const RFC_1035_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
     alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
     validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const NAME_PART: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
     an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_KEY: &str = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and \
     end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. \
     'example.com/MyName')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
     and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
     validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What is wrong with the metadata of an object that is to be written.
pub(super) fn metadata(resource: &Resource, object: &Value, minor: u32) -> Vec<Cause> {
    let mut causes = Vec::new();
    check_name(resource, meta(object, "name"), minor, &mut causes);
    check_labels(object, &mut causes);
    check_annotations(object, &mut causes);
    check_owners(object, &mut causes);
    for finalizer in list(object, "finalizers") {
        if let Some(problem) = qualified_name_problem(finalizer) {
            causes.push(Cause::invalid("metadata.finalizers", &finalizer.into(), problem));
        }
    }
    causes
}

/// Refuses an object that something is wrong with. The server looks at all of it before it says so.
pub(super) fn refuse(resource: &Resource, object: &Value, causes: &[Cause]) -> Result<()> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(&resource.group, &resource.kind, meta(object, "name"), causes))
}

fn check_name(resource: &Resource, name: &str, minor: u32, causes: &mut Vec<Cause>) {
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
        return;
    }
    let mut wrong = |problem: &str| causes.push(Cause::invalid("metadata.name", &name.into(), problem));
    match resource.behaviour.name {
        NameRule::PathSegment => {
            if name == "." || name == ".." {
                wrong(&format!("may not be '{name}'"));
            }
            for character in ['/', '%'] {
                if name.contains(character) {
                    wrong(&format!("may not contain '{character}'"));
                }
            }
        }
        NameRule::Label => {
            let most = 63;
            if name.len() > most {
                wrong(&format!("must be no more than {most} bytes"));
            }
            let begins_with_a_letter = resource.plural == "services" && minor < 36;
            if begins_with_a_letter && !(is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase())) {
                wrong(RFC_1035_LABEL);
            } else if !is_label(name) {
                wrong(LABEL);
            }
        }
        NameRule::Subdomain => {
            if name.len() > 253 {
                wrong("must be no more than 253 bytes");
            }
            if !name.split('.').all(is_label) {
                wrong(SUBDOMAIN);
            }
        }
    }
}

pub(crate) fn is_label(text: &str) -> bool {
    let is_end = |character: Option<char>| character.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    is_end(text.chars().next())
        && is_end(text.chars().last())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_name_part(text: &str) -> bool {
    let is_end = |character: Option<char>| character.is_some_and(|c| c.is_ascii_alphanumeric());
    is_end(text.chars().next())
        && is_end(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// What is wrong with a name such as `example.com/name`.
pub(super) fn qualified_name_problem(text: &str) -> Option<&'static str> {
    if text.matches('/').count() > 1 {
        return Some(LABEL_KEY);
    }
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    match prefix {
        Some("") => return Some("prefix part must be non-empty"),
        Some(prefix) if prefix.len() > 253 || !prefix.split('.').all(is_label) => return Some(SUBDOMAIN),
        _ => {}
    }
    match name {
        "" => Some("name part must be non-empty"),
        name if name.len() > 63 => Some("name part must be no more than 63 bytes"),
        name if !is_name_part(name) => Some(NAME_PART),
        _ => None,
    }
}

fn check_labels(object: &Value, causes: &mut Vec<Cause>) {
    for (key, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
        let mut wrong =
            |value: &str, problem: &str| causes.push(Cause::invalid("metadata.labels", &value.into(), problem));
        if let Some(problem) = qualified_name_problem(key) {
            wrong(key, problem);
        }
        let value = value.as_str().unwrap_or_default();
        for problem in label_value_problems(value) {
            wrong(value, problem);
        }
    }
}

/// What is wrong with the value of a label.
pub(super) fn label_value_problems(value: &str) -> impl Iterator<Item = &'static str> {
    let is_long = value.len() > 63;
    let is_wrong = !value.is_empty() && !is_name_part(value);
    [(is_long, "must be no more than 63 bytes"), (is_wrong, LABEL_VALUE)]
        .into_iter()
        .filter_map(|(is, problem)| is.then_some(problem))
}

/// The most bytes that all annotations have together.
const MOST_ANNOTATIONS: usize = 256 * 1024;

fn check_annotations(object: &Value, causes: &mut Vec<Cause>) {
    let annotations = object["metadata"]["annotations"].as_object();
    let mut length = 0;
    for (key, value) in annotations.into_iter().flatten() {
        if let Some(problem) = qualified_name_problem(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &key.as_str().into(), problem));
        }
        length += key.len() + value.as_str().map_or(0, str::len);
    }
    if length > MOST_ANNOTATIONS {
        let message = format!("Too long: may not be more than {MOST_ANNOTATIONS} bytes");
        causes.push(Cause::new("FieldValueTooLong", "metadata.annotations", message));
    }
}

fn check_owners(object: &Value, causes: &mut Vec<Cause>) {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let mut controllers = Vec::new();
    for (index, owner) in owners.into_iter().flatten().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let place = format!("metadata.ownerReferences[{index}].{field}");
                causes.push(if field == "apiVersion" {
                    Cause::invalid(place, &"".into(), "version must not be empty")
                } else {
                    Cause::required(place, "must not be empty")
                });
            }
        }
        if owner["controller"] == true {
            controllers.push(owner);
        }
    }
    if let [first, second, ..] = controllers.as_slice() {
        let text = |owner: &Value| {
            format!("{}/{}", owner["kind"].as_str().unwrap_or_default(), owner["name"].as_str().unwrap_or_default())
        };
        let problem = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
            text(first),
            text(second)
        );
        causes.push(Cause::invalid("metadata.ownerReferences", &object["metadata"]["ownerReferences"], &problem));
    }
}
