//! Replacing objects.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Call, body, create, delete,
    metadata::{
        check_namespace, check_namespace_lives, counts_change, has_generation, meta, meta_mut, reset_status,
        set_or_remove, wrong_changes,
    },
    options, validate,
};
use crate::{
    breaks::{Break, is_broken},
    failure::{Cause, Failure, Result},
    fields, hooks,
    http::Answer,
    model::Resource,
    state::State,
    store::{Object, key},
};

pub(super) fn update(state: &mut State, call: &Call) -> Result<Answer> {
    options::check_write(call, "UpdateOptions")?;
    let sent = body::object(call)?;
    let answer =
        put(state, call, sent.value, &Write::default()).map_err(|failure| failure.with_warnings(&sent.warnings))?;
    Ok(answer.with_warnings(sent.warnings))
}

/// Replaces an object, or a part of it, by what was sent. Some kinds are created when they are not there.
pub(super) fn put(state: &mut State, call: &Call, mut object: Value, write: &Write) -> Result<Answer> {
    check_name(call, &object)?;
    check_namespace(call, &mut object)?;
    match state.object(&call.resource, call.namespace(), call.name()) {
        Ok(existing) => replace(state, call, &existing, object, write),
        Err(missing) => {
            if !call.resource.behaviour.created_by_update {
                return Err(missing);
            }
            let uid = meta(&object, "uid");
            if !uid.is_empty() {
                return Err(other_object(call, uid, ""));
            }
            let version = meta(&object, "resourceVersion");
            if !version.is_empty() && version.parse::<u64>().is_err() {
                return Err(Failure::internal(format!("strconv.ParseUint: parsing {version:?}: invalid syntax")));
            }
            meta_mut(&mut object).remove("resourceVersion");
            check_namespace_lives(state, call, call.name())?;
            Ok(create::insert(state, call, object)?.created())
        }
    }
}

/// The name of the object must be that of the path.
pub(super) fn check_name(call: &Call, object: &Value) -> Result<()> {
    let (given, named) = (meta(object, "name"), call.name());
    if given.is_empty() {
        let message =
            format!("the name of the object ({named} based on URL) was undeterminable: name must be provided");
        return Err(Failure::bad_request(message));
    }
    if given != named {
        let message = format!("the name of the object ({given}) does not match the name on the URL ({named})");
        return Err(Failure::bad_request(message));
    }
    Ok(())
}

/// How an object is replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Write {
    /// Whether it was made of the object that was read, so that it cannot mean another one.
    pub(super) is_patch: bool,
    /// managedFields have been seen to: server-side apply does that itself.
    pub(super) is_tracked: bool,
    /// The subresource by which it is written.
    pub(super) subresource: &'static str,
}

/// Replaces an object by another, which has `metadata.namespace` and the right name.
pub(super) fn replace(
    state: &mut State,
    call: &Call,
    existing: &Arc<Object>,
    mut object: Value,
    write: &Write,
) -> Result<Answer> {
    let resource = Arc::clone(&call.resource);
    let old = &existing.value;
    if !write.is_patch {
        check_identity(call, &object, old)?;
    }
    check_revision(call, &object, old)?;
    let uid = meta(&object, "uid").to_owned();
    hooks::default_fields(&resource, &mut object, state.minor());
    if !write.is_tracked {
        // What the server itself sets below is nobody's.
        object = fields::update(state, &resource, write.subresource, Some(old), &object, &call.field_manager());
    }
    keep(&resource, &mut object, old, write.subresource);
    if write.subresource.is_empty() {
        hooks::decide(state, &resource, &mut object, Some(old));
    }
    let counts = || {
        if write.subresource == "status" {
            return is_broken(Break::StatusCountsAsAGeneration);
        }
        let mut stored = object.clone();
        create::settle(&resource, &mut stored);
        counts_change(&resource, old, &stored) && !is_broken(Break::GenerationStays)
    };
    if has_generation(&resource) && counts() {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or_default() + 1;
        meta_mut(&mut object).insert("generation".to_owned(), generation.into());
    }
    let mut causes = wrong_changes(&resource, old, &object, &uid);
    causes.extend(validate::metadata(&resource, &object, state.minor()));
    causes.extend(create::wrong_fields(&resource, &object));
    causes.extend(hooks::before_update(&resource, old, &object, write.subresource)?);
    validate::refuse(&resource, &object, &causes)?;
    object["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
    fields::keep_times(old, &mut object);
    // An update that ends the object answers with what was sent.
    let sent = delete::is_finished(&resource, &object).then(|| object.clone());
    create::settle(&resource, &mut object);
    if object == *old && !is_broken(Break::UnchangedObjectIsWritten) {
        return Ok(Answer::object(&resource, Arc::clone(existing)));
    }
    if call.query.is_dry_run() && !is_broken(Break::DryRunIsWritten) {
        let object = Object::unversioned(sent.unwrap_or(object), &resource.version_text);
        return Ok(Answer::object(&resource, object.into()));
    }
    if let Some(sent) = sent {
        // Watches are told of the object as it was kept, and the writer of what was never written.
        state.remove(&resource, old);
        hooks::after_write(state, &resource, Some(existing), None);
        return Ok(Answer::object(&resource, Object::unversioned(sent, &resource.version_text).into()));
    }
    let object = state.put(&resource, object);
    hooks::after_write(state, &resource, Some(existing), Some(&object));
    Ok(Answer::object(&resource, object))
}

/// A uid that is given says which object is meant.
fn check_identity(call: &Call, object: &Value, old: &Value) -> Result<()> {
    let (given, uid) = (meta(object, "uid"), meta(old, "uid"));
    if given.is_empty() || given == uid {
        return Ok(());
    }
    Err(other_object(call, given, uid))
}

/// The object is not the one that the writer means.
fn other_object(call: &Call, given: &str, uid: &str) -> Box<Failure> {
    // What is only tried does not come as far as the storage.
    let root = if call.query.is_dry_run() { "" } else { "/registry" };
    let key = format!("{root}{}", stored_key(&call.resource, call.namespace(), call.name()));
    let problem = format!("UID in precondition: {given}, UID in object meta: {uid}");
    refused_by_storage(&call.resource, call.name(), &key, &problem)
}

/// The storage refuses what does not meet its condition.
pub(super) fn refused_by_storage(resource: &Resource, name: &str, key: &str, problem: &str) -> Box<Failure> {
    let problem = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: \
         {problem}"
    );
    Failure::conflict(resource, name, &problem)
}

/// Under which key a server keeps an object, below its root.
pub(super) fn stored_key(resource: &Resource, namespace: &str, name: &str) -> String {
    // Some are kept where they were first.
    let folder = match (resource.group.as_str(), resource.plural.as_str()) {
        (group, plural) if resource.custom.is_some() => format!("{group}/{plural}"),
        ("", "services") => "services/specs".to_owned(),
        ("", "endpoints") => "services/endpoints".to_owned(),
        ("", "nodes") => "minions".to_owned(),
        ("", "replicationcontrollers") => "controllers".to_owned(),
        ("networking.k8s.io", "ingresses") => "ingress".to_owned(),
        (group @ ("apiextensions.k8s.io" | "apiregistration.k8s.io"), plural) => format!("{group}/{plural}"),
        (_, plural) => plural.to_owned(),
    };
    format!("/{folder}/{}", key(namespace, name))
}

/// A resourceVersion that is given must be the object's, and some kinds want one.
fn check_revision(call: &Call, object: &Value, old: &Value) -> Result<()> {
    let resource = &call.resource;
    let given = meta(object, "resourceVersion");
    if given.is_empty() {
        if !resource.behaviour.conditional && resource.custom.is_none() {
            return Ok(());
        }
        let cause = Cause::invalid("metadata.resourceVersion", &0.into(), "must be specified for an update");
        return Err(Failure::invalid(&resource.group, &resource.plural, call.name(), &[cause]));
    }
    if given.parse::<u64>().is_err() {
        return Err(Failure::internal(format!("strconv.ParseUint: parsing {given:?}: invalid syntax")));
    }
    if given == meta(old, "resourceVersion") || is_broken(Break::StaleUpdateIsTaken) {
        return Ok(());
    }
    Err(Failure::modified(resource, call.name()))
}

/// What no write changes, and what this one does not.
pub(super) fn keep(resource: &Resource, object: &mut Value, old: &Value, subresource: &str) {
    let kept =
        ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"];
    {
        let metadata = meta_mut(object);
        for name in kept {
            set_or_remove(metadata, name, old["metadata"].get(name));
        }
    }
    match subresource {
        "" if is_broken(Break::UpdateTakesTheStatus) => {}
        "status" if is_broken(Break::StatusTakesTheSpec) => {}
        "" | "scale" => reset_status(resource, object, Some(old)),
        _ if resource.custom.is_some() => {
            // Only the status is taken of a custom resource.
            let status = object.get("status").cloned();
            let managed = object["metadata"].get("managedFields").cloned();
            let mut kept = old.clone();
            if let Some(kept) = kept.as_object_mut() {
                set_or_remove(kept, "status", status.as_ref());
            }
            set_or_remove(meta_mut(&mut kept), "managedFields", managed.as_ref());
            *object = kept;
        }
        _ => {
            // The rest of the object is as it was; of the metadata, labels are taken, but for deployments.
            let Some(members) = object.as_object_mut() else { return };
            let mut spec = old.get("spec").cloned();
            if let (Some(part), Some(spec), Some(given)) = (part_of_spec(subresource), &mut spec, members.get("spec")) {
                take_part(spec, given, part);
            }
            let taken = if part_of_spec(subresource).is_some() { &["metadata"][..] } else { &["status", "metadata"] };
            members.retain(|name, _| taken.contains(&name.as_str()));
            for (name, value) in old.as_object().into_iter().flatten() {
                if !taken.contains(&name.as_str()) {
                    members.insert(name.clone(), value.clone());
                }
            }
            members.extend(spec.map(|spec| ("spec".to_owned(), spec)));
            let fixed: &[&str] = match resource.plural.as_str() {
                "deployments" => &["labels"],
                "pods" => &["ownerReferences"],
                _ => &[],
            };
            let metadata = meta_mut(object);
            for name in fixed {
                set_or_remove(metadata, name, old["metadata"].get(*name));
            }
        }
    }
}

/// The list in the spec of a pod that a subresource writes.
fn part_of_spec(subresource: &str) -> Option<&'static str> {
    match subresource {
        "ephemeralcontainers" => Some("ephemeralContainers"),
        "resize" => Some("containers"),
        _ => None,
    }
}

/// Takes over a list; of containers, what is asked of the node alone.
fn take_part(spec: &mut Value, given: &Value, part: &str) {
    let Some(given) = given.get(part) else { return };
    if part != "containers" {
        spec[part] = given.clone();
        return;
    }
    for container in spec[part].as_array_mut().into_iter().flatten() {
        let same = given.as_array().into_iter().flatten().find(|other| other["name"] == container["name"]);
        for field in ["resources", "resizePolicy"] {
            if let Some(value) = same.and_then(|same| same.get(field)) {
                container[field] = value.clone();
            }
        }
    }
}
