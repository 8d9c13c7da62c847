//! Merging lists strategically.

use serde_json::Value;

use super::{
    Members, PATCH, Patch, PatchError, Result, Type, merge_members, no_merge_key, not_comparable, order, same,
    unknown_directive, wrong_type,
};
use crate::merge::value::in_text;

/// The list with the patch. Lists without a strategy are replaced.
pub(super) fn merge(before: Vec<Value>, patch: Vec<Value>, item: Type<'_>, strategy: &Patch) -> Result<Vec<Value>> {
    if !strategy.merge {
        return Ok(patch);
    }
    if before.is_empty() && patch.is_empty() {
        return Ok(before);
    }
    if !check_items([&before, &patch])? {
        let merged = without_duplicates([before.clone(), patch.clone()].concat());
        return order::sorted(merged, &patch, &before, strategy.key.as_deref(), false);
    }
    let Some(key) = strategy.key.as_deref() else {
        return Err(PatchError::Internal(format!("cannot merge lists without merge key for {}", item.go_kind())));
    };
    let (before, patch) = obey_directives(before, patch, key)?;
    let mut merged = before.clone();
    for change in patch.iter().filter_map(Value::as_object) {
        let value = change.get(key).ok_or_else(|| no_merge_key(change, key))?;
        match position(&merged, key, value)? {
            Some(index) => {
                let Value::Object(item_before) = std::mem::take(&mut merged[index]) else { continue };
                merged[index] = Value::Object(merge_members(item_before, change.clone(), item)?);
            }
            None => merged.push(Value::Object(change.clone())),
        }
    }
    order::sorted(merged, &patch, &before, Some(key), true)
}

/// The list without the deleted scalars. Lists of maps are merged.
pub(super) fn delete(
    before: Vec<Value>,
    deletions: Vec<Value>,
    item: Type<'_>,
    strategy: &Patch,
) -> Result<Vec<Value>> {
    if before.is_empty() && deletions.is_empty() {
        return Ok(before);
    }
    if check_items([&before, &deletions])? {
        return merge(before, deletions, item, &Patch { merge: true, ..strategy.clone() });
    }
    let mut left = Vec::new();
    for value in before {
        if !contains(&deletions, &value)? {
            left.push(value);
        }
    }
    Ok(left)
}

/// Whether the items, of which there must be one, are maps. All must be of one type, and no lists.
pub(super) fn check_items(lists: [&Vec<Value>; 2]) -> Result<bool> {
    let mut items = lists.into_iter().flatten();
    let Some(first) = items.next() else {
        return Err(PatchError::Internal("no elements in any of the given slices".to_owned()));
    };
    if first.is_null() {
        return Err(not_comparable());
    }
    if first.is_array() {
        return Err(PatchError::Unprocessable("lists of lists are not supported".to_owned()));
    }
    let kind = crate::merge::value::go_type(first);
    if items.any(|item| crate::merge::value::go_type(item) != kind) {
        let lists: Vec<String> = lists.iter().map(|list| in_text(&Value::Array((*list).clone()))).collect();
        return Err(PatchError::Internal(format!("list element types are not identical: [{}]", lists.join(" "))));
    }
    Ok(first.is_object())
}

/// Does what items with `$patch` ask for; the list and the patch that are left.
fn obey_directives(mut before: Vec<Value>, patch: Vec<Value>, key: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let mut left = Vec::new();
    let mut replace = false;
    for item in patch {
        let Value::Object(members) = item else { continue };
        match members.get(PATCH) {
            None => left.push(Value::Object(members)),
            Some(Value::String(directive)) if directive == "delete" => {
                let value = members.get(key).ok_or_else(|| no_merge_key(&members, key))?;
                while let Some(index) = position(&before, key, value)? {
                    before.remove(index);
                }
            }
            Some(Value::String(directive)) if directive == "replace" => replace = true,
            Some(Value::String(directive)) if directive == "merge" => {
                return Err(PatchError::Internal("merging lists cannot yet be specified in the patch".to_owned()));
            }
            Some(directive) => return Err(unknown_directive(directive, &members)),
        }
    }
    Ok(if replace { (left, Vec::new()) } else { (before, left) })
}

pub(super) fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// Whether a list of scalars has the value.
pub(super) fn contains(values: &[Value], value: &Value) -> Result<bool> {
    if is_scalar(value) && values.iter().all(is_scalar) { Ok(values.contains(value)) } else { Err(not_comparable()) }
}

/// Where the item with this key is.
pub(super) fn position(items: &[Value], key: &str, value: &Value) -> Result<Option<usize>> {
    for (index, item) in items.iter().enumerate() {
        let members =
            item.as_object().ok_or_else(|| PatchError::Internal(format!("value for key {index} is not a map")))?;
        if let Some(other) = members.get(key)
            && same(other, value)?
        {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// The value of an item's merge key.
pub(super) fn key_of<'v>(item: &'v Value, key: &str) -> Result<&'v Value> {
    let members: &Members = item.as_object().ok_or_else(|| wrong_type("map[string]interface {}", item))?;
    members.get(key).ok_or_else(|| no_merge_key(members, key))
}

/// The values without those that came before. The last one takes the place of each that is left out.
fn without_duplicates(mut values: Vec<Value>) -> Vec<Value> {
    let mut first = 0;
    while first < values.len() {
        let mut other = first + 1;
        while other < values.len() {
            if values[first] == values[other] {
                values.swap_remove(other);
            } else {
                other += 1;
            }
        }
        first += 1;
    }
    values
}
