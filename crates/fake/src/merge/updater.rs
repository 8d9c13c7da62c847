//! Who owns what after a write, and what an apply makes of an object.

use std::{borrow::Cow, collections::BTreeMap, fmt::Display};

use serde_json::Value;

use super::{
    conflict::{ApplyError, Conflict},
    managers::{Manager, Managers, Owned},
    set::FieldSet,
    typed::{Comparison, Duplicates, Typed},
    types::Type,
    value::equal,
};

/// A resource in all its versions, as far as ownership is concerned.
pub(crate) trait Versions<'s> {
    /// The type of the kind in a version; `None` when the version is not served any more.
    fn kind(&self, api_version: &str) -> Option<Type<'s>>;

    /// The fields that a write through this endpoint does not touch, and therefore does not own.
    fn reset_fields(&self, api_version: &str) -> Option<&FieldSet>;
}

/// Compares objects and keeps sets in the version in which each manager wrote.
pub(super) struct Updater<'v, 's> {
    pub(super) versions: &'v dyn Versions<'s>,
    /// The version of the request, and of the objects that are given.
    pub(super) api_version: &'v str,
}

impl<'s> Updater<'_, 's> {
    /// Takes the fields that a plain write changed from all managers, and tells which those are.
    pub(super) fn update(
        &self,
        live: Typed<'_, 's>,
        new: &Value,
        managers: Managers,
    ) -> Result<(Managers, FieldSet), String> {
        let managers = self.reconcile(live, managers)?;
        let Taken { managers, compared, .. } = self.take(live, new, managers, None)?;
        Ok((managers, self.without_reset_fields(compared.modified.union(&compared.added))))
    }

    /// Merges a configuration.
    pub(super) fn apply(
        &self,
        live: Typed<'_, 's>,
        config: Typed<'_, 's>,
        managers: Managers,
        manager: &Manager,
        force: bool,
    ) -> Result<(Value, Managers), ApplyError> {
        let internal = ApplyError::Internal;
        // It stays with the manager also when what it owned was in a version that is not served any more.
        let time = managers.0.get(manager).and_then(|last| last.time.clone());
        let mut managers = self.reconcile(live, managers).map_err(internal)?;
        let merged = live.merge(config.value);
        let last = managers.0.get(manager).cloned();
        let fields = self.without_reset_fields(config.field_set());
        managers.0.insert(manager.clone(), Owned { fields, api_version: self.api_version.to_owned(), time });
        let leaves_out = |last: &Owned| {
            let now = managers.0.get(manager);
            let is_other = |owned: &Owned| owned.api_version != last.api_version;
            managers.0.values().any(is_other) || now.is_none_or(|now| !last.fields.is_within(&now.fields))
        };
        let merged = match last.filter(|last| !last.fields.is_empty() && leaves_out(last)) {
            Some(last) => self
                .prune(merged, &managers, &last)
                .map_err(|fault| internal(format!("failed to prune fields: {fault}")))?,
            None => merged,
        };
        let taken = self.take(live, &merged, managers, Some(manager)).map_err(internal)?;
        if !force && !taken.conflicts.is_empty() {
            return Err(ApplyError::Conflicts(taken.conflicts));
        }
        Ok((merged, taken.managers))
    }

    fn without_reset_fields(&self, fields: FieldSet) -> FieldSet {
        match self.versions.reset_fields(self.api_version) {
            Some(reset) => fields.recursive_difference(reset),
            None => fields,
        }
    }

    /// Takes the fields that differ from all managers but one.
    fn take(
        &self,
        live: Typed<'_, 's>,
        new: &Value,
        managers: Managers,
        except: Option<&Manager>,
    ) -> Result<Taken, String> {
        let unchanged = equal(live.value, new);
        let compare = |live: Typed<'_, 's>, new: &Value, api_version: &str| {
            if unchanged {
                return Comparison::default();
            }
            let compared = live.compare(new);
            match self.versions.reset_fields(api_version) {
                Some(reset) => compared.without(reset),
                None => compared,
            }
        };
        let mut compared = BTreeMap::from([(self.api_version.to_owned(), compare(live, new, self.api_version))]);
        let mut conflicts = Vec::new();
        let mut kept = BTreeMap::new();
        for (manager, mut owned) in managers.0 {
            if except != Some(&manager) {
                if !compared.contains_key(&owned.api_version) {
                    let live = self.converted(live.value, &owned.api_version);
                    let Some(live) = live.map_err(in_context("failed to convert old object"))? else { continue };
                    let new = self.converted(new, &owned.api_version);
                    let Some(new) = new.map_err(in_context("failed to convert new object"))? else { continue };
                    let comparison = compare(live.typed(), &new.value, &owned.api_version);
                    compared.insert(owned.api_version.clone(), comparison);
                }
                let Some(compared) = compared.get(&owned.api_version) else { continue };
                let lost = owned.fields.intersection(&compared.modified.union(&compared.added));
                conflicts.extend(lost.paths().into_iter().map(|path| Conflict { manager: manager.clone(), path }));
                owned.fields = owned.fields.difference(&lost).difference(&compared.removed);
            }
            if !owned.fields.is_empty() {
                kept.insert(manager, owned);
            }
        }
        let compared = compared.remove(self.api_version).unwrap_or_default();
        Ok(Taken { managers: Managers(kept), compared, conflicts })
    }

    /// Removes what the manager applied last time, leaves out now, and nobody else owns.
    fn prune(&self, merged: Value, managers: &Managers, last: &Owned) -> Result<Value, String> {
        let failed = in_context("failed to convert merged object to last applied version");
        let Some(merged_then) = self.converted(&merged, &last.api_version).map_err(failed)? else { return Ok(merged) };
        let last_fields = last.fields.with_fields_above(Some(merged_then.of));
        let pruned = merged_then.typed().without(&last_fields);
        let pruned = self
            .with_owned(&merged_then.value, pruned, managers, &last.api_version)
            .map_err(in_context("failed add back owned items"))?;
        // What the manager did not own stays, also when what it stood in has gone.
        let failed =
            in_context("failed add back dangling items: failed to convert pruned object to last applied version");
        let Some(pruned) = self.converted(&pruned, &last.api_version).map_err(failed)? else { return Ok(merged) };
        let gone = merged_then.fields().difference(&pruned.fields());
        let pruned = merged_then.typed().without(&gone.intersection(&last_fields));
        Ok(self.converted(&pruned, self.api_version)?.map_or(merged, |pruned| pruned.value.into_owned()))
    }

    /// The pruned object with what the managers own, in each version that they wrote in.
    fn with_owned(
        &self,
        merged: &Value,
        mut pruned: Value,
        managers: &Managers,
        first_version: &str,
    ) -> Result<Value, String> {
        let mut by_version = BTreeMap::<&str, FieldSet>::new();
        for owned in managers.0.values() {
            let fields = by_version.entry(&owned.api_version).or_default();
            *fields = fields.union(&owned.fields);
        }
        let first = by_version.remove_entry(first_version);
        for (version, owned) in first.into_iter().chain(by_version) {
            let failed = |what: &str| in_context(format!("failed to convert {what} object at version {version}"));
            let Some(merged) = self.converted(merged, version).map_err(failed("merged"))? else { continue };
            let Some(left) = self.converted(&pruned, version).map_err(failed("pruned"))? else { continue };
            let kept = left.fields().union(&owned.with_fields_above(Some(merged.of)));
            pruned = merged.typed().without(&merged.fields().difference(&kept));
        }
        Ok(pruned)
    }

    /// The managers with sets that fit the schemas of today, without those of versions that are not served any more.
    fn reconcile(&self, live: Typed<'_, 's>, managers: Managers) -> Result<Managers, String> {
        let mut reconciled = BTreeMap::new();
        for (manager, mut owned) in managers.0 {
            if let Some(live) = self.converted(live.value, &owned.api_version)? {
                owned.fields = live.typed().reconcile(owned.fields);
                reconciled.insert(manager, owned);
            }
        }
        Ok(Managers(reconciled))
    }

    /// The object in a version; `None` when the version is not served any more.
    ///
    /// Versions of a resource differ in their name alone here: that is all that conversion without a webhook changes.
    fn converted<'v>(&self, object: &'v Value, api_version: &str) -> Result<Option<Converted<'v, 's>>, String> {
        let Some(of) = self.versions.kind(api_version) else { return Ok(None) };
        if object.get("apiVersion").and_then(Value::as_str) == Some(api_version) {
            return Ok(Some(Converted { value: Cow::Borrowed(object), of }));
        }
        let mut value = object.clone();
        if let Value::Object(members) = &mut value {
            members.insert("apiVersion".to_owned(), Value::from(api_version));
        }
        Typed::new(&value, of, Duplicates::Refused)?;
        Ok(Some(Converted { value: Cow::Owned(value), of }))
    }
}

/// Puts in front of a fault what was tried.
fn in_context(tried: impl Display) -> impl Fn(String) -> String {
    move |fault| format!("{tried}: {fault}")
}

/// An object in one of its versions.
struct Converted<'v, 's> {
    value: Cow<'v, Value>,
    of: Type<'s>,
}

impl<'s> Converted<'_, 's> {
    fn typed(&self) -> Typed<'_, 's> {
        Typed { value: &self.value, of: self.of }
    }

    /// The fields of the object with the fields of structs above them.
    fn fields(&self) -> FieldSet {
        self.typed().field_set().with_fields_above(Some(self.of))
    }
}

/// What a write leaves to the managers.
struct Taken {
    managers: Managers,
    /// What it changes, in its own version.
    compared: Comparison,
    /// What it took from others.
    conflicts: Vec<Conflict>,
}
