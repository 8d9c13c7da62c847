//! The annotation of client-side apply, which kubectl's server-side apply takes over.

use serde_json::{Map as Members, Value};

use super::{
    set::FieldSet,
    typed::{Duplicates, Typed},
    types::Type,
    value::write_json,
};

/// The annotation with the object as it was applied last.
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How many bytes the annotations of an object may have.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// The fields that the last client-side apply set and that have not changed since; `None` when that cannot be told.
pub(super) fn fields(live: &Value, of: Type<'_>, api_version: &str) -> Option<FieldSet> {
    let applied: Value = serde_json::from_str(annotation(live)?).ok()?;
    if applied.get("apiVersion")?.as_str()? != api_version {
        return None;
    }
    Typed::new(live, of, Duplicates::Refused).ok()?;
    let applied = Typed::new(&applied, of, Duplicates::Refused).ok()?;
    let compared = applied.compare(live);
    let unchanged = applied.field_set().difference(&compared.modified);
    Some(unchanged.difference(&compared.added).difference(&compared.removed))
}

/// Writes the annotation anew, if the object has it.
pub(super) fn renew(object: &mut Value, config: &Value) {
    if annotation(object).is_none() {
        return;
    }
    let mut config = config.clone();
    if let Some(annotations) = annotations(&mut config) {
        annotations.remove(ANNOTATION);
    }
    let mut text = String::new();
    write_json(&mut text, &config);
    text.push('\n');
    if let Some(annotations) = annotations(object) {
        annotations.insert(ANNOTATION.to_owned(), Value::String(text));
        // Kubernetes reads and writes them as texts.
        annotations.values_mut().filter(|value| value.is_null()).for_each(|value| *value = Value::from(""));
        let size = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
        if annotations.iter().map(size).sum::<usize>() > MAX_ANNOTATIONS {
            annotations.remove(ANNOTATION);
        }
    }
}

fn annotation(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str().filter(|text| !text.is_empty())
}

fn annotations(object: &mut Value) -> Option<&mut Members<String, Value>> {
    object.pointer_mut("/metadata/annotations")?.as_object_mut()
}
