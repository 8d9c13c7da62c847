//! Deleting objects: preconditions, finalizers, time to end, and what becomes of dependents.

use std::sync::Arc;

use k8s_client_runtime::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Call, body,
    metadata::{counts_change, has_generation, list, meta, meta_mut},
    read,
    update::{refused_by_storage, stored_key},
};
use crate::{
    breaks::{Break, is_broken},
    clock,
    failure::{Cause, Failure, Result},
    hooks,
    http::{Answer, Content},
    model::Resource,
    protobuf,
    state::{State, empty_object},
    store::Object,
};

/// What a deletion says beyond the name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    uid: Option<String>,
    resource_version: Option<String>,
    grace: Option<i64>,
    propagation: Option<String>,
    /// What was the word for `propagation` before.
    orphan: Option<bool>,
    is_dry_run: bool,
}

/// Deletions that nobody asked for in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// Dependents are found later.
    Background,
    /// Dependents go first.
    Foreground,
    /// Without time to end.
    Now,
}

impl From<Deletion> for Options {
    fn from(deletion: Deletion) -> Self {
        let propagation = if deletion == Deletion::Foreground { "Foreground" } else { "Background" };
        let grace = (deletion == Deletion::Now).then_some(0);
        Self { propagation: Some(propagation.to_owned()), grace, ..Self::default() }
    }
}

impl Options {
    /// What an eviction says of the deletion.
    pub(super) fn of_eviction(eviction: &Value, is_dry_run: bool) -> Self {
        let options = &eviction["deleteOptions"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let dry_run = options["dryRun"].as_array().is_some_and(|list| list.iter().any(|it| it == "All"));
        Self {
            uid: text(&options["preconditions"]["uid"]),
            resource_version: text(&options["preconditions"]["resourceVersion"]),
            grace: options["gracePeriodSeconds"].as_i64(),
            propagation: text(&options["propagationPolicy"]),
            orphan: None,
            is_dry_run: is_dry_run || dry_run,
        }
    }

    /// The options of a request: those of its body, or of its query if there is no body.
    fn of(call: &Call) -> Result<Self> {
        let options = if call.body.is_empty() {
            of_query(call)?
        } else {
            let schema = protobuf::of_all_groups(call.types, "DeleteOptions").unwrap_or_default();
            body::parse(call, "DeleteOptions", &schema)?
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (propagation, orphan) = (text(&options["propagationPolicy"]), options["orphanDependents"].as_bool());
        let dry_run: Vec<&Value> = options["dryRun"].as_array().into_iter().flatten().collect();
        let mut causes = Vec::new();
        if let (Some(propagation), Some(_)) = (&propagation, orphan) {
            let problem = "orphanDependents and deletionPropagation cannot be both set";
            causes.push(Cause::invalid("propagationPolicy", &propagation.as_str().into(), problem));
        } else if let Some(other) =
            propagation.as_deref().filter(|it| !matches!(*it, "Foreground" | "Background" | "Orphan"))
        {
            let supported = ["Foreground", "Background", "Orphan", "nil"];
            causes.push(Cause::unsupported("propagationPolicy", &format!("{other:?}"), &supported));
        }
        if dry_run.iter().any(|value| **value != "All") {
            causes.push(Cause::unsupported("dryRun", &options["dryRun"].to_string(), &["All"]));
        }
        if !causes.is_empty() {
            return Err(Failure::invalid("meta.k8s.io", "DeleteOptions", "", &causes));
        }
        Ok(Self {
            uid: text(&options["preconditions"]["uid"]),
            resource_version: text(&options["preconditions"]["resourceVersion"]),
            grace: options["gracePeriodSeconds"].as_i64(),
            propagation: propagation.or_else(|| orphan.map(|it| if it { "Orphan" } else { "Background" }.to_owned())),
            orphan,
            is_dry_run: !dry_run.is_empty(),
        })
    }
}

impl Options {
    /// What the sender of a deletion should know.
    fn warnings(&self, resource: &Resource) -> Vec<String> {
        let is_told = resource.plural == "jobs" && self.propagation.is_none() && resource.behaviour.orphans_dependents;
        let warning = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to \
                       remove them or set propagationPolicy=Orphan to suppress this warning";
        is_told.then(|| warning.to_owned()).into_iter().collect()
    }
}

/// The options that stand in the query, in the form of those of a body.
fn of_query(call: &Call) -> Result<Value> {
    let mut options = json!({});
    if let Some(propagation) = Some(call.query.text("propagationPolicy")).filter(|text| !text.is_empty()) {
        options["propagationPolicy"] = propagation.into();
    }
    if let Some(orphan) = call.query.flag("orphanDependents") {
        options["orphanDependents"] = orphan.into();
    }
    if let Some(grace) = call.query.number("gracePeriodSeconds")? {
        options["gracePeriodSeconds"] = grace.into();
    }
    let dry_run: Vec<&String> = call.query.all("dryRun").iter().filter(|value| !value.is_empty()).collect();
    if !dry_run.is_empty() {
        options["dryRun"] = json!(dry_run);
    }
    Ok(options)
}

pub(super) fn delete(state: &mut State, call: &Call) -> Result<Answer> {
    let options = Options::of(call)?;
    let warnings = options.warnings(&call.resource);
    let answer = delete_named(state, call, &options).map_err(|failure| failure.with_warnings(&warnings))?;
    Ok(answer.with_warnings(warnings))
}

fn delete_named(state: &mut State, call: &Call, options: &Options) -> Result<Answer> {
    let resource = Arc::clone(&call.resource);
    let object = state.object(&resource, call.namespace(), call.name())?;
    let (object, outcome) = delete_one(state, &resource, &object, options)?;
    // A deletion that has to wait shows what it waits for.
    if outcome != Outcome::Gone || resource.behaviour.answers_object {
        let mut answer = Answer::object(&resource, object);
        if outcome == Outcome::Waits && options.orphan == Some(false) {
            answer.code = StatusCode::ACCEPTED;
        }
        return Ok(answer);
    }
    let mut details = resource.details(call.name());
    details["uid"] = object.meta("uid").into();
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Ok(Answer::value(status))
}

pub(super) fn delete_collection(state: &mut State, call: &Call) -> Result<Answer> {
    let options = Options::of(call)?;
    let page = read::page(state, call)?;
    for object in &page.objects {
        delete_one(state, &call.resource, object, &options)?;
    }
    // The answer is the list that it began with.
    let answer = Answer::ok(Content::List(Arc::clone(&call.resource), page.objects, page.meta));
    Ok(answer.with_warnings(options.warnings(&call.resource)))
}

/// What became of an object that was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is gone, or would be.
    Gone,
    /// It would be gone, but nobody knows any more what it was.
    Forgotten,
    /// It waits for its finalizers or its containers.
    Waits,
}

/// Deletes an object as far as it can be at once.
pub(crate) fn delete_one(
    state: &mut State,
    resource: &Arc<Resource>,
    object: &Arc<Object>,
    options: &Options,
) -> Result<(Arc<Object>, Outcome)> {
    check_preconditions(resource, object, options)?;
    hooks::before_delete(resource, object)?;
    let old = &object.value;
    let left = old["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or_default();
    let is_no_sooner = left > 0 && options.grace.is_none_or(|grace| grace >= left);
    if resource.behaviour.graceful && object.is_being_deleted() && is_no_sooner {
        // Nothing of it is taken any more.
        return Ok((Arc::clone(object), Outcome::Waits));
    }
    let mut new = old.clone();
    let grace = grace(resource, old, options);
    change_finalizers(resource, &mut new, options);
    let has_finalizers = !list(&new, "finalizers").is_empty() && !is_broken(Break::FinalizersAreIgnored);
    let is_ended = object.is_being_deleted() && old["metadata"]["deletionGracePeriodSeconds"].as_i64() == Some(0);
    let waits = grace > 0 || has_finalizers || hooks::holds(resource, &new);
    if !waits {
        let ends_now = resource.behaviour.graceful && !is_ended;
        if !ends_now && !list(old, "finalizers").is_empty() {
            // The server begins with a write of the finalizers, gives up when none is left, and then goes on with the
            // object that was never read: it has no fields, and no version that a precondition could name.
            if options.is_dry_run {
                let nothing = Object::unversioned(empty_object(resource), &resource.version_text);
                return Ok((nothing.into(), Outcome::Forgotten));
            }
            if options.resource_version.is_some() && !is_broken(Break::PreconditionIsIgnored) {
                let (namespace, name, version) =
                    (object.meta("namespace"), object.meta("name"), object.meta("resourceVersion"));
                let key = format!("/registry{}", stored_key(resource, namespace, name));
                let problem = format!("ResourceVersion in precondition: , ResourceVersion in object meta: {version}");
                return Err(refused_by_storage(resource, name, &key, &problem));
            }
        }
        if ends_now {
            // What watches are told of says that it had no time.
            meta_mut(&mut new).insert("deletionTimestamp".to_owned(), end(state, old, 0).into());
            meta_mut(&mut new).insert("deletionGracePeriodSeconds".to_owned(), 0.into());
            if !object.is_being_deleted() {
                let generation = old["metadata"]["generation"].as_i64().unwrap_or_default() + 1;
                meta_mut(&mut new).insert("generation".to_owned(), generation.into());
            }
        }
        if options.is_dry_run {
            return Ok((Object::unversioned(new, &object.version).into(), Outcome::Gone));
        }
        if !ends_now {
            // It goes as it was kept, whatever the options made of its finalizers.
            new.clone_from(old);
        }
        // That is a write of its own.
        let object = if new == *old { Arc::clone(object) } else { state.put(resource, new.clone()) };
        let object = &object;
        let gone = state.remove(resource, &new).unwrap_or_else(|| Arc::clone(object));
        hooks::after_write(state, resource, Some(object), None);
        return Ok((gone, Outcome::Gone));
    }
    mark(state, resource, &mut new, grace);
    hooks::terminating(resource, &mut new);
    if new == *old || options.is_dry_run {
        return Ok((Object::unversioned(new, &object.version).into(), Outcome::Waits));
    }
    let written = state.put(resource, new);
    hooks::after_write(state, resource, Some(object), Some(&written));
    Ok((written, Outcome::Waits))
}

fn check_preconditions(resource: &Resource, object: &Object, options: &Options) -> Result<()> {
    let name = object.meta("name");
    if is_broken(Break::PreconditionIsIgnored) {
        return Ok(());
    }
    if hooks::is_namespace(resource) {
        // They have a check of their own.
        for (what, field, wanted) in
            [("UID", "uid", &options.uid), ("ResourceVersion", "resourceVersion", &options.resource_version)]
        {
            if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != object.meta(field)) {
                let problem = format!(
                    "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {}",
                    object.meta(field)
                );
                return Err(Failure::conflict(resource, name, &problem));
            }
        }
        return Ok(());
    }
    if let Some(uid) = options.uid.as_deref().filter(|uid| *uid != object.meta("uid")) {
        let problem = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted \
             and then recreated",
            object.meta("uid")
        );
        return Err(Failure::precondition(resource, name, &problem));
    }
    if let Some(version) = options.resource_version.as_deref().filter(|it| *it != object.meta("resourceVersion")) {
        let problem = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The \
             object might have been modified",
            object.meta("resourceVersion")
        );
        return Err(Failure::precondition(resource, name, &problem));
    }
    Ok(())
}

/// The seconds that the object has to end.
fn grace(resource: &Resource, object: &Value, options: &Options) -> i64 {
    if !resource.behaviour.graceful {
        return 0;
    }
    let spec = &object["spec"];
    let is_unscheduled = spec["nodeName"].as_str().unwrap_or_default().is_empty();
    let is_over = matches!(object["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
    if is_unscheduled || is_over {
        return 0;
    }
    let of_spec = || spec["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    let period = options.grace.unwrap_or_else(of_spec);
    let period = if period < 0 { 1 } else { period };
    match object["metadata"]["deletionGracePeriodSeconds"].as_i64() {
        // A later deletion can only shorten the time.
        Some(before) if !meta(object, "deletionTimestamp").is_empty() => period.min(before),
        _ => period,
    }
}

/// Dependents that are to go first, or to stay, are the garbage collector's, who is waited for.
fn change_finalizers(resource: &Resource, object: &mut Value, options: &Options) {
    let mut finalizers: Vec<String> = list(object, "finalizers").into_iter().map(str::to_owned).collect();
    let before = finalizers.clone();
    let wanted = match options.propagation.as_deref() {
        _ if is_broken(Break::PropagationIsIgnored) => None,
        Some("Foreground") => Some("foregroundDeletion"),
        Some("Orphan") => Some("orphan"),
        Some(_) => None,
        // What was asked for before stays.
        None => {
            let before = before.iter().map(String::as_str).find(|it| matches!(*it, "foregroundDeletion" | "orphan"));
            before.or(resource.behaviour.orphans_dependents.then_some("orphan"))
        }
    };
    let wanted = wanted.map(str::to_owned);
    finalizers.retain(|finalizer| {
        !matches!(finalizer.as_str(), "foregroundDeletion" | "orphan") || Some(finalizer) == wanted.as_ref()
    });
    if let Some(wanted) = wanted.filter(|wanted| !finalizers.contains(wanted)) {
        finalizers.push(wanted);
    }
    // Those of a namespace are settled when its deletion begins.
    let is_settled = hooks::is_namespace(resource) && !meta(object, "deletionTimestamp").is_empty();
    if finalizers == before || is_settled {
        return;
    }
    let metadata = meta_mut(object);
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), json!(finalizers));
    }
}

/// When an object that has so many seconds from the first deletion on is to be gone.
fn end(state: &State, object: &Value, grace: i64) -> String {
    let before = clock::seconds(meta(object, "deletionTimestamp"));
    let had = object["metadata"]["deletionGracePeriodSeconds"].as_u64().unwrap_or(0);
    let began = before.map_or_else(|| state.clock.now().as_secs(), |end| end.saturating_sub(had));
    clock::timestamp(began + u64::try_from(grace).unwrap_or(0))
}

/// Writes down since when the object is being deleted, and how long it may take.
fn mark(state: &State, resource: &Resource, object: &mut Value, grace: i64) {
    let before = object.clone();
    let is_first = meta(object, "deletionTimestamp").is_empty();
    let is_shorter = object["metadata"]["deletionGracePeriodSeconds"].as_i64().is_some_and(|before| grace < before);
    if !is_first && !is_shorter {
        return;
    }
    let time = end(state, &before, grace);
    let metadata: &mut Map<String, Value> = meta_mut(object);
    metadata.insert("deletionTimestamp".to_owned(), time.into());
    if !hooks::is_namespace(resource) {
        metadata.insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    }
    if is_first && has_generation(resource) && !counts_change(resource, &before, object) {
        let generation = before["metadata"]["generation"].as_i64().unwrap_or_default() + 1;
        meta_mut(object).insert("generation".to_owned(), generation.into());
    }
}

/// Whether an object that was being deleted waits for nothing any more.
pub(crate) fn is_finished(resource: &Resource, object: &Value) -> bool {
    !meta(object, "deletionTimestamp").is_empty()
        && list(object, "finalizers").is_empty()
        && object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or_default() == 0
        && !hooks::holds(resource, object)
}
