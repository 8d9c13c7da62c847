//! Creating objects.

use k8s_client_runtime::http::StatusCode;
use serde_json::{Value, json};

use super::{
    Call, body,
    metadata::{check_namespace, check_namespace_lives, has_generation, meta, meta_mut, reset_status, set_or_remove},
    options, subresource, validate,
};
use crate::{
    breaks::{Break, is_broken},
    failure::{Cause, Failure, Result},
    fields, hooks,
    http::Answer,
    model::Resource,
    schema,
    state::State,
    store::{Object, key},
};

/// How often a name is generated before the server gives up.
const TRIES: usize = 8;

/// The longest beginning of a generated name.
const LONGEST_BASE: usize = 58;

pub(super) fn create(state: &mut State, call: &Call) -> Result<Answer> {
    options::check_write(call, "CreateOptions")?;
    let sent = body::object(call)?;
    if call.resource.storage.as_ref() == "bindings" {
        return subresource::bind_by_name(state, call, &sent.value);
    }
    if !call.resource.has_verb("get") {
        return hooks::review(state, &call.resource, sent.value);
    }
    let mut warnings = sent.warnings;
    warnings.extend(hooks::warnings(&call.resource, &sent.value));
    let answer = insert(state, call, sent.value).map_err(|failure| failure.with_warnings(&warnings))?;
    Ok(answer.created().with_warnings(warnings))
}

/// Creates an object, given without `apiVersion` and `kind`.
pub(super) fn insert(state: &mut State, call: &Call, mut object: Value) -> Result<Answer> {
    let resource = &call.resource;
    check_namespace(call, &mut object)?;
    if !meta(&object, "resourceVersion").is_empty() {
        return Err(Failure::internal("resourceVersion should not be set on objects to be created"));
    }
    hooks::default_fields(resource, &mut object, state.minor());
    name(state, call, &mut object)?;
    check_namespace_lives(state, call, meta(&object, "name"))?;
    wipe(&mut object);
    // What the server itself sets below is nobody's.
    let mut object = fields::update(state, resource, "", None, &object, &call.field_manager());
    settle(resource, &mut object);
    prepare(state, resource, &mut object);
    finish(state, call, object)
}

/// Checks a new object and puts it into the store, unless it is only tried.
pub(super) fn finish(state: &mut State, call: &Call, object: Value) -> Result<Answer> {
    let resource = &call.resource;
    let mut causes = validate::metadata(resource, &object, state.minor());
    causes.extend(wrong_fields(resource, &object));
    causes.extend(hooks::before_create(resource, &object)?);
    validate::refuse(resource, &object, &causes)?;
    let name = meta(&object, "name").to_owned();
    let existing = state.store.get(&resource.storage, &key(call.namespace(), &name));
    if let Some(existing) = existing.filter(|_| !is_broken(Break::NameIsTakenTwice)) {
        return Err(Failure::already_exists(resource, &name, existing.is_being_deleted()));
    }
    if call.query.is_dry_run() {
        // One that an apply brings is not looked at, and is still there.
        let version = object["metadata"].get("resourceVersion").cloned();
        let mut object = Object::new(object, &resource.version_text, 0);
        set_or_remove(meta_mut(&mut object.value), "resourceVersion", version.as_ref());
        return Ok(Answer::object(resource, object.into()));
    }
    let object = state.put(resource, object);
    hooks::after_write(state, resource, None, Some(&object));
    Ok(Answer::object(resource, object))
}

/// Gives the object its name.
fn name(state: &mut State, call: &Call, object: &mut Value) -> Result<()> {
    if !meta(object, "name").is_empty() {
        return Ok(());
    }
    let resource = &call.resource;
    let base = meta(object, "generateName").to_owned();
    if base.is_empty() {
        // It is said with all else that is wrong.
        return Ok(());
    }
    let end =
        base.char_indices().map(|(index, _)| index).chain([base.len()]).take_while(|end| *end <= LONGEST_BASE).last();
    let base = &base[..end.unwrap_or(0)];
    for _ in 0..TRIES {
        let name = format!("{base}{}", state.name_suffix());
        if state.store.get(&resource.storage, &key(call.namespace(), &name)).is_none() {
            meta_mut(object).insert("name".to_owned(), name.into());
            return Ok(());
        }
    }
    let message = format!(
        "{} {base:?} already exists, the server was not able to generate a unique name for the object",
        resource.qualified()
    );
    let mut failure = Failure::new(StatusCode::CONFLICT, "AlreadyExists", message);
    let mut details = resource.details(base);
    details["retryAfterSeconds"] = json!(1);
    (failure.details, failure.retry_after) = (Some(details), Some(1));
    Err(failure)
}

/// Makes an object what it will be when it has been stored.
pub(super) fn settle(resource: &Resource, object: &mut Value) {
    if resource.custom.is_none() {
        schema::as_stored(object, &resource.schema);
    }
}

/// Takes away what nobody but the server says.
fn wipe(object: &mut Value) {
    let metadata = meta_mut(object);
    for name in
        ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"]
    {
        metadata.remove(name);
    }
}

/// Sets what the server sets and takes away what it does not take from others.
pub(super) fn prepare(state: &mut State, resource: &Resource, object: &mut Value) {
    if !resource.behaviour.status_of_creator && !is_broken(Break::NewObjectKeepsItsStatus) {
        reset_status(resource, object, None);
    }
    let (uid, now) = (state.uid(), state.clock.timestamp());
    wipe(object);
    let metadata = meta_mut(object);
    metadata.insert("uid".to_owned(), uid.into());
    metadata.insert("creationTimestamp".to_owned(), now.into());
    if has_generation(resource) {
        metadata.insert("generation".to_owned(), 1.into());
    }
    hooks::decide(state, resource, object, None);
}

/// What is wrong with the fields of a custom resource, by its definition.
pub(super) fn wrong_fields(resource: &Resource, object: &Value) -> Vec<Cause> {
    if resource.custom.is_some() { schema::violations(object, &resource.schema) } else { Vec::new() }
}
