//! Repairs of what the specs have wrong: one function each, with its reason.
//!
//! Every repair must find what it repairs in every version, or generation fails: the spec is right by then, or it has
//! changed in a way that somebody should look at.

use crate::{
    Error,
    spec::{Method, Schema, Spec},
};

const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

/// A repair by its name.
type Fixup = (&'static str, fn(&mut Spec) -> Result<(), String>);

const FIXUPS: [Fixup; 4] = [
    ("eviction_answers_status", eviction_answers_status),
    ("pod_binding_answers_status", pod_binding_answers_status),
    ("binding_answers_status", binding_answers_status),
    ("component_statuses_are_not_watched", component_statuses_are_not_watched),
];

/// Repairs the spec of one version.
///
/// # Errors
///
/// When a repair does not apply. The message names it.
pub fn apply(spec: &mut Spec) -> Result<(), Error> {
    for (name, fixup) in FIXUPS {
        fixup(spec).map_err(|reason| {
            Error::at(
                spec.version().folder(),
                format!("fixup {name}"),
                format!("no longer applies ({reason}); remove it from codegen/src/fixups.rs"),
            )
        })?;
    }
    Ok(())
}

/// The server's eviction handler returns a `Status`, on success as well as when a disruption budget forbids it; the
/// spec takes the type of what is posted for the type of the answer.
fn eviction_answers_status(spec: &mut Spec) -> Result<(), String> {
    answer_status(spec, "/api/v1/namespaces/{namespace}/pods/{name}/eviction", "io.k8s.api.policy.v1.Eviction")
}

/// The binding handler of pods returns a `Status`; the spec takes the type of what is posted for the type of the
/// answer.
fn pod_binding_answers_status(spec: &mut Spec) -> Result<(), String> {
    answer_status(spec, "/api/v1/namespaces/{namespace}/pods/{name}/binding", "io.k8s.api.core.v1.Binding")
}

/// The older way to bind, a resource of its own, goes to the same handler as a pod's binding and answers the same.
fn binding_answers_status(spec: &mut Spec) -> Result<(), String> {
    answer_status(spec, "/api/v1/namespaces/{namespace}/bindings", "io.k8s.api.core.v1.Binding")
}

/// The server has no storage to watch behind component statuses and answers 405; the spec gives their list the
/// parameters of every other list, `watch` among them.
fn component_statuses_are_not_watched(spec: &mut Spec) -> Result<(), String> {
    let path = "/api/v1/componentstatuses";
    let mut operations = spec.documents.values_mut().flatten();
    let operation = operations
        .find(|operation| operation.method == Method::Get && operation.path == path)
        .ok_or_else(|| format!("there is no GET {path}"))?;
    let before = operation.parameters.len();
    operation.parameters.retain(|parameter| parameter.name != "watch");
    if operation.parameters.len() < before { Ok(()) } else { Err(format!("GET {path} has no parameter watch")) }
}

/// Replaces the type that a POST's answers name.
fn answer_status(spec: &mut Spec, path: &str, wrong: &str) -> Result<(), String> {
    let mut operations = spec.documents.values_mut().flatten();
    let operation = operations
        .find(|operation| operation.method == Method::Post && operation.path == path)
        .ok_or_else(|| format!("there is no POST {path}"))?;
    let mut repaired = false;
    for schema in operation.answers.values_mut().flat_map(|a| &mut a.contents).filter_map(|c| c.schema.as_mut()) {
        if schema.reference.as_deref() == Some(wrong) {
            *schema = Schema { reference: Some(STATUS.to_owned()), ..Schema::default() };
            repaired = true;
        }
    }
    if repaired { Ok(()) } else { Err(format!("no answer of POST {path} is a {wrong}")) }
}
