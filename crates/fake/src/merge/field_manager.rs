//! Field management of one endpoint: what its writes make of an object and of its managedFields.

use serde_json::{Map as Members, Value};

use super::{
    conflict::{ApplyError, Conflict},
    last_applied,
    managers::{Manager, Managers, Operation, Owned, asks_for_reset},
    set::FieldSet,
    typed::{Duplicates, Typed},
    types::Type,
    updater::{Updater, Versions},
    value::equal,
};

/// The manager of what an object had before the first apply, if nobody was written down for it.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The manager whose applies take over fields from client-side applies.
const KUBECTL: &str = "kubectl";

/// Keeps managedFields for one endpoint of one resource.
pub(crate) struct FieldManager<'v, 's> {
    /// The resource in all its versions.
    pub(crate) versions: &'v dyn Versions<'s>,
    /// The version of the request.
    pub(crate) api_version: &'v str,
    /// The kind of the objects.
    pub(crate) kind: &'v str,
    /// `status` and the like; empty for the resource itself.
    pub(crate) subresource: &'v str,
    /// An object of the kind in which nothing is set. What a new object is compared with.
    pub(crate) empty: &'v Value,
    /// The time, as RFC 3339 in whole seconds.
    pub(crate) now: &'v str,
}

impl<'s> FieldManager<'_, 's> {
    /// Completes an object that is about to be written by a create, update or patch.
    ///
    /// `live` is the object as it is stored, or the empty object when it is created. managedFields in the new object
    /// count if they are valid and this is the resource itself. Nothing fails: where fields cannot be tracked, those of
    /// the live object stay.
    pub(crate) fn update(&self, live: &Value, mut new: Value, manager: &str) -> Value {
        let given = set_managed_fields(&mut new, None);
        let managers = self.managers_of_update(live, given.as_ref());
        let encoded = match self.updated(live, &new, managers, manager) {
            Ok(managers) => managers.encode(),
            Err(_) => managed_fields(live).cloned(),
        };
        set_managed_fields(&mut new, encoded);
        new
    }

    /// Merges a configuration into the live object, or into the empty one when it is created.
    ///
    /// An object that does not change keeps its times: [`keep_times`](Self::keep_times) undoes the rest.
    pub(crate) fn apply(&self, live: &Value, config: &Value, manager: &str, force: bool) -> Result<Value, ApplyError> {
        let managers = Managers::decode(managed_fields(live))
            .map_err(|fault| ApplyError::Internal(format!("failed to decode managed fields: {fault}")))?;
        self.check_kind(config)?;
        let first = self.apply_once(live, config, managers.clone(), manager, force);
        let applied = match first {
            Err(ApplyError::Conflicts(conflicts)) if manager == KUBECTL => {
                let conflicts = self.not_applied_last(live, conflicts)?;
                if !conflicts.is_empty() {
                    return Err(ApplyError::Conflicts(conflicts));
                }
                self.apply_once(live, config, managers, manager, true)
            }
            other => other,
        };
        let (mut object, managers) = applied?;
        if manager == KUBECTL {
            last_applied::renew(&mut object, config);
        }
        set_managed_fields(&mut object, managers.encode());
        Ok(object)
    }

    fn check_kind(&self, config: &Value) -> Result<(), ApplyError> {
        let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if (api_version, kind) == (self.api_version, self.kind) {
            return Ok(());
        }
        Err(ApplyError::BadRequest(format!("invalid object type: {}", go_kind(api_version, kind))))
    }

    /// The managers that a plain write starts from.
    fn managers_of_update(&self, live: &Value, given: Option<&Value>) -> Managers {
        if self.subresource.is_empty() {
            if asks_for_reset(given) {
                return Managers::default();
            }
            if let Ok(managers) = Managers::decode(given)
                && !managers.is_empty()
            {
                return managers;
            }
        }
        Managers::decode(managed_fields(live)).unwrap_or_default()
    }

    fn updated(&self, live: &Value, new: &Value, managers: Managers, manager: &str) -> Result<Managers, String> {
        // An object that exists and has no managers is not tracked before somebody applies.
        let exists = live.pointer("/metadata/uid").and_then(Value::as_str).is_some_and(|uid| !uid.is_empty());
        if managers.is_empty() && exists {
            return Ok(managers);
        }
        self.tracked(live, new, managers, manager)
    }

    fn tracked(&self, live: &Value, new: &Value, managers: Managers, manager: &str) -> Result<Managers, String> {
        let of = self.of()?;
        let typed = |which: &str, object| {
            Typed::new(object, of, Duplicates::Allowed).map_err(|fault| {
                format!("failed to convert {which} object ({}) to smd typed: {fault}", self.named(object))
            })
        };
        let (_, typed_live) = (typed("new", new)?, typed("live", live)?);
        let (mut managers, changed) = self
            .updater()
            .update(typed_live, new, managers)
            .map_err(|fault| format!("failed to update ManagedFields ({}): {fault}", self.named(new)))?;
        let changed = without_metadata(&changed);
        if !changed.is_empty() {
            let manager = Manager::new(manager, Operation::Update, self.api_version, self.subresource);
            let before = managers.0.remove(&manager).map(|owned| owned.fields).unwrap_or_default();
            let owned = Owned {
                fields: changed.union(&before),
                api_version: self.api_version.to_owned(),
                time: Some(self.now.to_owned()),
            };
            managers.0.insert(manager, owned);
        }
        managers.cap();
        Ok(managers)
    }

    fn apply_once(
        &self,
        live: &Value,
        config: &Value,
        mut managers: Managers,
        manager: &str,
        force: bool,
    ) -> Result<(Value, Managers), ApplyError> {
        let internal = ApplyError::Internal;
        if managers.is_empty() {
            managers = self
                .tracked(self.empty, live, managers, BEFORE_FIRST_APPLY)
                .map_err(|fault| internal(format!("failed to create manager for existing fields: {fault}")))?;
        }
        if managed_fields(config).is_some_and(|managed_fields| !managed_fields.is_null()) {
            return Err(ApplyError::BadRequest("metadata.managedFields must be nil".to_owned()));
        }
        let of = self.of().map_err(internal)?;
        let typed_config = Typed::new(config, of, Duplicates::Refused).map_err(|fault| {
            internal(format!("failed to create typed patch object ({}): {fault}", self.named(config)))
        })?;
        let typed_live = Typed::new(live, of, Duplicates::Allowed)
            .map_err(|fault| internal(format!("failed to create typed live object ({}): {fault}", self.named(live))))?;
        let manager = Manager::new(manager, Operation::Apply, self.api_version, self.subresource);
        let (mut object, mut managers) = self.updater().apply(typed_live, typed_config, managers, &manager, force)?;
        let changed = !equal(live, &object);
        if !changed {
            object = live.clone();
        }
        if let Some(mut owned) = managers.0.remove(&manager) {
            owned.fields = without_metadata(&owned.fields);
            if changed {
                owned.time = Some(self.now.to_owned());
            }
            if !owned.fields.is_empty() {
                managers.0.insert(manager, owned);
            }
        }
        Ok((object, managers))
    }

    /// The conflicts without those about fields that the last client-side apply set and that have not changed since.
    fn not_applied_last(&self, live: &Value, conflicts: Vec<Conflict>) -> Result<Vec<Conflict>, ApplyError> {
        let of = self.of().map_err(ApplyError::Internal)?;
        Ok(match last_applied::fields(live, of, self.api_version) {
            Some(fields) => conflicts.into_iter().filter(|conflict| !fields.has(&conflict.path)).collect(),
            None => conflicts,
        })
    }

    /// The object as the server's messages name it.
    fn named(&self, object: &Value) -> String {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (name, namespace) = (text("/metadata/name"), text("/metadata/namespace"));
        format!("{namespace}/{name}; {}", go_kind(self.api_version, self.kind))
    }

    fn of(&self) -> Result<Type<'s>, String> {
        self.versions
            .kind(self.api_version)
            .ok_or_else(|| format!("no corresponding type for {}", go_kind(self.api_version, self.kind)))
    }

    fn updater(&self) -> Updater<'_, 's> {
        Updater { versions: self.versions, api_version: self.api_version }
    }
}

/// Takes the old times of managers where nothing but times has changed, so that the write changes nothing.
pub(crate) fn keep_times(old: &Value, new: &mut Value) {
    if entries(old).len() != entries(new).len() {
        return;
    }
    let (old_times, new_times) = (times(old), times(new));
    give_times(new, old_times);
    if *old != *new {
        give_times(new, new_times);
    }
}

fn times(object: &Value) -> Vec<Option<Value>> {
    entries(object).iter().map(|entry| entry.get("time").cloned()).collect()
}

fn entries(object: &Value) -> &[Value] {
    managed_fields(object).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn give_times(object: &mut Value, times: Vec<Option<Value>>) {
    let Some(Value::Array(entries)) = object.pointer_mut("/metadata/managedFields") else { return };
    for (entry, time) in entries.iter_mut().zip(times) {
        if let Value::Object(entry) = entry {
            match time {
                Some(time) => entry.insert("time".to_owned(), time),
                None => entry.remove("time"),
            };
        }
    }
}

/// A kind as the server's messages have it: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`.
fn go_kind(api_version: &str, kind: &str) -> String {
    let slash = if api_version.contains('/') { "" } else { "/" };
    format!("{slash}{api_version}, Kind={kind}")
}

/// What nobody owns: it is the server's, or says which object it is.
fn without_metadata(fields: &FieldSet) -> FieldSet {
    fields.difference(&FieldSet::of_fields([
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ]))
}

fn managed_fields(object: &Value) -> Option<&Value> {
    object.pointer("/metadata/managedFields")
}

/// Sets or removes managedFields; what was there before.
fn set_managed_fields(object: &mut Value, managed_fields: Option<Value>) -> Option<Value> {
    let Value::Object(members) = object else { return None };
    let key = "managedFields";
    match managed_fields {
        Some(managed_fields) => {
            let metadata = members.entry("metadata").or_insert_with(|| Value::Object(Members::new()));
            metadata.as_object_mut()?.insert(key.to_owned(), managed_fields)
        }
        None => members.get_mut("metadata")?.as_object_mut()?.remove(key),
    }
}
