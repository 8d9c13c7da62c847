//! Subresources: parts of objects, and what is done with them.

use std::sync::Arc;

use k8s_client_runtime::http::StatusCode;
use serde_json::{Value, json};

use super::{
    Call, body,
    delete::{self, Options},
    metadata::{meta, meta_mut, set_or_remove},
    options,
    patch::{self, Patch, apply_to},
    read,
    update::{self, Write},
};
use crate::{
    failure::{Cause, Failure, Result},
    fields::{self, Apply, ScaleWrite},
    http::Answer,
    model::Resource,
    scale,
    state::State,
    store::Object,
};

/// The subresources that are the object itself, of which a part is written.
const PARTS: [&str; 4] = ["status", "resize", "ephemeralcontainers", "approval"];

pub(super) fn answer(state: &mut State, call: &Call) -> Result<Answer> {
    let subresource = call.subresource();
    if let Some(part) = PARTS.into_iter().find(|part| *part == subresource) {
        return of_part(state, call, part);
    }
    match (call.resource.plural.as_str(), subresource, call.verb) {
        (_, "scale", _) => of_scale(state, call),
        ("namespaces", "finalize", "update") => finalize(state, call),
        ("pods", "eviction", "create") => evict(state, call),
        ("pods", "binding", "create") => bind(state, call),
        ("serviceaccounts", "token", "create") => token(state, call),
        (plural, ..) => Err(Failure::not_implemented(&format!("{} {plural}/{subresource}", call.verb))),
    }
}

fn of_part(state: &mut State, call: &Call, part: &'static str) -> Result<Answer> {
    match call.verb {
        "get" => read::get(state, call),
        "update" => {
            options::check_write(call, "UpdateOptions")?;
            let sent = body::object(call)?;
            let write = Write { subresource: part, ..Write::default() };
            let answer = update::put(state, call, sent.value, &write);
            Ok(answer.map_err(|failure| failure.with_warnings(&sent.warnings))?.with_warnings(sent.warnings))
        }
        _ => patch::patch(state, call, part),
    }
}

fn of_scale(state: &mut State, call: &Call) -> Result<Answer> {
    let resource = Arc::clone(&call.resource);
    let existing = state.object(&resource, call.namespace(), call.name())?;
    let current = match call.verb {
        "get" => scale::of(&resource, &existing)?,
        _ => scale::before_update(&resource, &existing),
    };
    let manager = call.field_manager();
    let mut warnings = Vec::new();
    let write = match call.verb {
        "get" => return Ok(Answer::value(current)),
        "update" => {
            options::check_write(call, "UpdateOptions")?;
            ScaleWrite::Whole(whole_scale(call, of_subresource(call, "Scale")?, &mut warnings)?)
        }
        _ => {
            let (patch, _) = Patch::read(call, || Ok(()))?;
            let schema = resource.subresources.get("scale").map(|scale| scale.schema.clone()).unwrap_or_default();
            match patch {
                Patch::Apply(configuration) => {
                    let force = call.query.flag("force") == Some(true);
                    let apply = Apply { subresource: "scale", manager: &manager, force };
                    let (scale, owned) = fields::write_scale(
                        state,
                        &resource,
                        &existing.value,
                        current,
                        ScaleWrite::Applied(&configuration, apply),
                        &manager,
                    )?;
                    return store_scale(state, call, &existing, &scale, owned.as_ref());
                }
                patch => {
                    let patched = apply_to(&patch, current.clone(), &schema)?;
                    ScaleWrite::Whole(whole_scale(call, patched, &mut warnings)?)
                }
            }
        }
    };
    let (scale, owned) = fields::write_scale(state, &resource, &existing.value, current, write, &manager)?;
    let answer = store_scale(state, call, &existing, &scale, owned.as_ref());
    Ok(answer.map_err(|failure| failure.with_warnings(&warnings))?.with_warnings(warnings))
}

/// What is sent to a subresource that has a kind of its own.
fn of_subresource(call: &Call, kind: &str) -> Result<Value> {
    let subresource = call.resource.subresources.get(call.subresource());
    body::parse(call, kind, &subresource.map(|it| it.schema.clone()).unwrap_or_default())
}

/// A scale that was sent or patched, as the server reads it.
fn whole_scale(call: &Call, scale: Value, warnings: &mut Vec<String>) -> Result<Value> {
    let mut resource =
        Resource::new("autoscaling".to_owned(), "v1".to_owned(), "scales".to_owned(), "Scale".to_owned());
    resource.schema = call.resource.subresources.get("scale").map(|scale| scale.schema.clone()).unwrap_or_default();
    let sent = body::typed(call, &resource, scale)?;
    warnings.extend(sent.warnings);
    Ok(patch::with_type(&sent.value, "autoscaling/v1", "Scale"))
}

/// Writes a scale into its object.
fn store_scale(
    state: &mut State,
    call: &Call,
    existing: &Arc<Object>,
    wanted: &Value,
    owned: Option<&Value>,
) -> Result<Answer> {
    let resource = Arc::clone(&call.resource);
    let replicas = match &wanted["spec"]["replicas"] {
        Value::Null => 0,
        number => number.as_i64().ok_or_else(|| {
            Failure::bad_request("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is no number")
        })?,
    };
    let name = meta(wanted, "name");
    if !name.is_empty() && name != call.name() {
        let message = format!("the name of the object ({name}) does not match the name on the URL ({})", call.name());
        return Err(Failure::bad_request(message));
    }
    if replicas < 0 {
        let cause = Cause::invalid("spec.replicas", &replicas.into(), "must be greater than or equal to 0");
        return Err(Failure::invalid("autoscaling", "Scale", call.name(), &[cause]));
    }
    let mut object = existing.value.clone();
    scale::set(&resource, &mut object, replicas)?;
    set_or_remove(meta_mut(&mut object), "managedFields", owned);
    for field in ["uid", "resourceVersion"] {
        let given = meta(wanted, field);
        if !given.is_empty() && given != existing.meta(field) {
            return Err(Failure::modified(&resource, call.name()));
        }
    }
    let write = Write { is_patch: true, is_tracked: true, subresource: "scale" };
    let answer = update::replace(state, call, existing, object, &write)?;
    match answer.content {
        crate::http::Content::Object(_, object) => Ok(Answer::value(scale::of(&resource, &object)?)),
        _ => Ok(answer),
    }
}

/// The finalizers of a namespace are changed by this alone.
fn finalize(state: &mut State, call: &Call) -> Result<Answer> {
    let sent = body::object(call)?;
    update::check_name(call, &sent.value)?;
    let existing = state.object(&call.resource, "", call.name())?;
    let given = meta(&sent.value, "resourceVersion");
    if !given.is_empty() && given != existing.meta("resourceVersion") {
        return Err(Failure::modified(&call.resource, call.name()));
    }
    let mut object = existing.value.clone();
    object["spec"] = sent.value["spec"].clone();
    if object == existing.value {
        return Ok(Answer::object(&call.resource, existing));
    }
    if delete::is_finished(&call.resource, &object) {
        let gone = state.remove(&call.resource, &object).unwrap_or(existing);
        return Ok(Answer::object(&call.resource, gone));
    }
    let object = state.put(&call.resource, object);
    Ok(Answer::object(&call.resource, object))
}

fn success() -> Answer {
    Answer::value(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}))
        .created()
}

/// Deletes a pod unless its disruption budget has none left.
fn evict(state: &mut State, call: &Call) -> Result<Answer> {
    let eviction = of_subresource(call, "Eviction")?;
    let name = meta(&eviction, "name");
    if !name.is_empty() && name != call.name() {
        return Err(Failure::bad_request("name in URL does not match name in Eviction object"));
    }
    let pod = state.object(&call.resource, call.namespace(), call.name())?;
    let phase = pod.value["status"]["phase"].as_str().unwrap_or_default();
    let is_bound = !matches!(phase, "Succeeded" | "Failed" | "Pending" | "") && !pod.is_being_deleted();
    if let Some(budgets) = state.built_in("policy/v1", "poddisruptionbudgets").filter(|_| is_bound) {
        let all = read::all(state, &budgets, Some(call.namespace()));
        let labels = &pod.value["metadata"]["labels"];
        let matching: Vec<&Arc<Object>> =
            all.iter().filter(|budget| selects(&budget.value["spec"]["selector"], labels)).collect();
        match matching.as_slice() {
            [] => {}
            [budget] => take_disruption(state, &budgets, budget)?,
            _ => {
                let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not \
                     support.";
                return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message));
            }
        }
    }
    let options = Options::of_eviction(&eviction, call.query.is_dry_run());
    delete::delete_one(state, &call.resource, &pod, &options)?;
    Ok(success())
}

fn take_disruption(state: &mut State, budgets: &Arc<Resource>, budget: &Arc<Object>) -> Result<()> {
    let allowed = budget.value["status"]["disruptionsAllowed"].as_i64().unwrap_or_default();
    if allowed <= 0 {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let mut failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message);
        let status = &budget.value["status"];
        let problem = format!(
            "The disruption budget {} needs {} healthy pods and has {} currently",
            budget.meta("name"),
            status["desiredHealthy"].as_i64().unwrap_or_default(),
            status["currentHealthy"].as_i64().unwrap_or_default()
        );
        failure.details = Some(json!({"causes": [{"reason": "DisruptionBudget", "message": problem}]}));
        return Err(failure);
    }
    let mut value = budget.value.clone();
    value["status"]["disruptionsAllowed"] = (allowed - 1).into();
    state.put(budgets, value);
    Ok(())
}

/// Whether a label selector, as objects have it, matches labels. One that says nothing matches all.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    if selector.is_null() {
        return false;
    }
    let has = |key: &str, value: &str| labels[key].as_str() == Some(value);
    let equal = selector["matchLabels"].as_object();
    let equal = equal.into_iter().flatten().all(|(key, value)| has(key, value.as_str().unwrap_or_default()));
    let expressions = selector["matchExpressions"].as_array();
    equal
        && expressions.into_iter().flatten().all(|expression| {
            let key = expression["key"].as_str().unwrap_or_default();
            let one_of = || expression["values"].as_array().into_iter().flatten().any(|value| labels[key] == *value);
            match expression["operator"].as_str() {
                Some("In") => one_of(),
                Some("NotIn") => !one_of(),
                Some("Exists") => labels.get(key).is_some(),
                Some("DoesNotExist") => labels.get(key).is_none(),
                _ => false,
            }
        })
}

/// Puts a pod on a node.
fn bind(state: &mut State, call: &Call) -> Result<Answer> {
    let binding = of_subresource(call, "Binding")?;
    bind_to(state, &Arc::clone(&call.resource), call, call.name(), &binding)
}

/// The same by a resource of its own, which names the pod.
pub(super) fn bind_by_name(state: &mut State, call: &Call, binding: &Value) -> Result<Answer> {
    let pods = state.built_in("v1", "pods").ok_or_else(Failure::unknown_resource)?;
    bind_to(state, &pods, call, meta(binding, "name"), binding)
}

fn bind_to(state: &mut State, pods: &Arc<Resource>, call: &Call, name: &str, binding: &Value) -> Result<Answer> {
    let existing = state.object(pods, call.namespace(), name)?;
    let mut pod = existing.value.clone();
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    if !node.is_empty() {
        let problem = format!("pod {name} is already assigned to node {node:?}");
        return Err(Failure::conflict(&binding_resource(pods), name, &problem));
    }
    let target = binding["target"]["name"].clone();
    if target.as_str().unwrap_or_default().is_empty() {
        let cause = Cause::required("target.name", "");
        return Err(Failure::invalid("", "Binding", name, &[cause]));
    }
    pod["spec"]["nodeName"] = target;
    for (key, value) in binding["metadata"]["annotations"].as_object().into_iter().flatten() {
        pod["metadata"]["annotations"][key] = value.clone();
    }
    let condition = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": state.clock.timestamp(),
    });
    match pod["status"]["conditions"].as_array_mut() {
        Some(conditions) => {
            conditions.retain(|condition| condition["type"] != "PodScheduled");
            conditions.push(condition);
        }
        None => pod["status"]["conditions"] = json!([condition]),
    }
    state.put(pods, pod);
    Ok(success())
}

/// The server names the subresource in a conflict of bindings.
fn binding_resource(pods: &Resource) -> Resource {
    Resource { plural: "pods/binding".to_owned(), ..pods.clone() }
}

/// How long a token is good for if nobody says.
const TOKEN_SECONDS: u64 = 3_600;

/// A token that nobody can check, for those who ask for one.
fn token(state: &mut State, call: &Call) -> Result<Answer> {
    let mut request = of_subresource(call, "TokenRequest")?;
    state.object(&call.resource, call.namespace(), call.name())?;
    let seconds = request["spec"]["expirationSeconds"].as_u64().unwrap_or(TOKEN_SECONDS);
    let until = crate::clock::timestamp(state.clock.now().as_secs() + seconds);
    let token = format!("fake-token-{}", state.uid());
    request["apiVersion"] = "authentication.k8s.io/v1".into();
    request["kind"] = "TokenRequest".into();
    request["metadata"] = json!({
        "name": call.name(), "namespace": call.namespace(), "creationTimestamp": state.clock.timestamp(),
    });
    request["spec"]["expirationSeconds"] = seconds.into();
    request["status"] = json!({"token": token, "expirationTimestamp": until});
    Ok(Answer::value(request).created())
}
