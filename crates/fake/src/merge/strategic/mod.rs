//! Strategic merge patch: a patch that looks like the object, with directives.

mod lists;
mod order;

use serde_json::{Map, Value};

use super::{
    types::Type,
    value::{go_type, in_text},
};
use crate::schema::Patch;

/// `$patch: replace | delete | merge` in a map or in an item.
const PATCH: &str = "$patch";
/// `$retainKeys: [a, b]` in a map: the only keys that stay.
const RETAIN_KEYS: &str = "$retainKeys";
/// `$deleteFromPrimitiveList/NAME: [a]` beside a list of scalars.
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
/// `$setElementOrder/NAME: [{name: a}, {name: b}]` beside a list.
const ELEMENT_ORDER: &str = "$setElementOrder";

/// Why a patch could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PatchError {
    /// Status 400: a directive is malformed.
    BadRequest(String),
    /// Status 422: what the patch asks for cannot be done.
    Unprocessable(String),
    /// Status 500, without a reason.
    Internal(String),
}

type Members = Map<String, Value>;
type Result<T> = std::result::Result<T, PatchError>;

/// The object with the patch.
pub(crate) fn strategic_merge(object: Members, patch: Members, of: Type<'_>) -> Result<Members> {
    merge_members(object, patch, of)
}

fn merge_members(mut target: Members, mut patch: Members, of: Type<'_>) -> Result<Members> {
    match patch.get(PATCH) {
        None => {}
        Some(Value::String(directive)) if directive == "replace" => {
            patch.remove(PATCH);
            return Ok(patch);
        }
        Some(Value::String(directive)) if directive == "delete" => return Ok(Members::new()),
        Some(directive) => return Err(unknown_directive(directive, &patch)),
    }
    if let Some(keys) = patch.remove(RETAIN_KEYS) {
        retain_keys(&mut target, &patch, &keys)?;
    }
    merge_ordered_lists(&mut target, &mut patch, of)?;
    for (key, value) in patch {
        if is_directive(&key, DELETE_FROM) {
            let name = directive_field(&key, DELETE_FROM)?;
            merge_deletions(&mut target, name, value, of)?;
            continue;
        }
        if value.is_null() {
            target.remove(&key);
            continue;
        }
        let merged = match (target.remove(&key), value) {
            (Some(Value::Object(before)), Value::Object(patch)) => {
                let (field, strategy) = of.struct_field(&key).map_err(PatchError::Internal)?;
                let members = if strategy.replace { patch } else { merge_members(before, patch, field)? };
                Some(Value::Object(members))
            }
            (Some(Value::Array(before)), Value::Array(patch)) => {
                let (item, strategy) = of.list_field(&key).map_err(PatchError::Internal)?;
                Some(Value::Array(lists::merge(before, patch, item, &strategy)?))
            }
            (_, mut value) => {
                discard_nulls(&mut value);
                without_directives(value)
            }
        };
        if let Some(merged) = merged {
            target.insert(key, merged);
        }
    }
    Ok(target)
}

/// Removes what is not to be retained. The patch must not set anything else.
fn retain_keys(target: &mut Members, patch: &Members, keys: &Value) -> Result<()> {
    let malformed = || PatchError::BadRequest("invalid patch format of retainKeys".to_owned());
    let keys = keys.as_array().ok_or_else(malformed)?;
    let retained = |key: &str| keys.iter().any(|retained| retained == key);
    let all_retained = patch.iter().all(|(key, value)| {
        value.is_null() || is_directive(key, DELETE_FROM) || is_directive(key, ELEMENT_ORDER) || retained(key)
    });
    if !all_retained {
        return Err(malformed());
    }
    target.retain(|key, _| retained(key));
    Ok(())
}

/// Merges the lists for which the patch sets an order, and takes them out of the patch.
fn merge_ordered_lists(target: &mut Members, patch: &mut Members, of: Type<'_>) -> Result<()> {
    let directives: Vec<String> = patch.keys().filter(|key| is_directive(key, ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let order = match patch.remove(&directive) {
            Some(Value::Array(order)) => order,
            other => return Err(not_a_list(&other.unwrap_or_default())),
        };
        let name = directive_field(&directive, ELEMENT_ORDER)?;
        let list = |value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(not_a_list(&other)),
        };
        let before = list(target.get(name).cloned())?;
        let changes = list(patch.get(name).cloned())?;
        let (item, strategy) = of.list_field(name).map_err(PatchError::Internal)?;
        order::check(changes.as_deref().unwrap_or_default(), &order, strategy.key.as_deref())?;
        let merged = match (before.clone(), changes.clone()) {
            (None, None) => continue,
            (Some(before), None) => before,
            (None, Some(changes)) => changes.into_iter().filter_map(without_directives).collect(),
            (Some(before), Some(changes)) => lists::merge(before, changes, item, &strategy)?,
        };
        let before = before.unwrap_or_default();
        let maps = lists::check_items([&before, &changes.unwrap_or_default()])?;
        let merged = order::sorted(merged, &order, &before, strategy.key.as_deref(), maps)?;
        target.insert(name.to_owned(), Value::Array(merged));
        patch.remove(name);
    }
    Ok(())
}

/// Removes scalars from a list.
fn merge_deletions(target: &mut Members, name: &str, deletions: Value, of: Type<'_>) -> Result<()> {
    match (target.get_mut(name), deletions) {
        (Some(before), Value::Null) => {
            *before = Value::Null;
            target.remove(name);
        }
        (Some(Value::Array(before)), Value::Array(deletions)) => {
            let (item, strategy) = of.list_field(name).map_err(PatchError::Internal)?;
            *before = lists::delete(std::mem::take(before), deletions, item, &strategy)?;
        }
        (Some(before @ Value::Object(_)), Value::Object(patch)) => {
            let (field, strategy) = of.struct_field(name).map_err(PatchError::Internal)?;
            let Value::Object(members) = std::mem::take(before) else { return Ok(()) };
            *before = Value::Object(if strategy.replace { patch } else { merge_members(members, patch, field)? });
        }
        _ => {}
    }
    Ok(())
}

fn is_directive(key: &str, directive: &str) -> bool {
    key.starts_with(directive)
}

/// The field that a directive is about.
fn directive_field<'k>(key: &'k str, directive: &str) -> Result<&'k str> {
    key.strip_prefix(directive).and_then(|rest| rest.strip_prefix('/')).ok_or_else(|| {
        let list = if directive == DELETE_FROM { "primitive" } else { "setElementOrder" };
        PatchError::BadRequest(format!("invalid patch format of {list} list"))
    })
}

/// The value without the maps in it that have a directive; `None` if it is one itself.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(members) if members.contains_key(PATCH) => None,
        Value::Object(members) => {
            let members = members.into_iter().filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(members.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}

/// Removes the members of maps that are `null`, also in lists.
fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

fn unknown_directive(directive: &Value, patch: &Members) -> PatchError {
    let patch = in_text(&Value::Object(patch.clone()));
    PatchError::Internal(format!("unknown patch type: {} in map: {patch}", in_text(directive)))
}

/// Without a merge key, Kubernetes compares items of lists as scalars, and does not survive it when they are none.
fn not_comparable() -> PatchError {
    PatchError::Internal("This request caused apiserver to panic. Look in the logs for details.".to_owned())
}

/// Whether two values are the same scalar.
fn same(left: &Value, right: &Value) -> Result<bool> {
    match (left, right) {
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_)) => Err(not_comparable()),
        _ => Ok(left == right),
    }
}

fn not_a_list(value: &Value) -> PatchError {
    wrong_type("[]interface {}", value)
}

fn wrong_type(expected: &str, value: &Value) -> PatchError {
    let found = match value {
        Value::Null => "%!s(<nil>)",
        other => go_type(other),
    };
    PatchError::Internal(format!("expected a {expected}, but received a {found}"))
}

fn no_merge_key(item: &Members, key: &str) -> PatchError {
    let item = in_text(&Value::Object(item.clone()));
    PatchError::Internal(format!("map: {item} does not contain declared merge key: {key}"))
}
