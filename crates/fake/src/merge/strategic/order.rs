//! The order of lists that were merged.

use serde_json::Value;

use super::{
    PATCH, PatchError, Result,
    lists::{contains, is_scalar, key_of, position},
    not_comparable, same,
};
use crate::merge::value::in_text;

/// Refuses an order that the patch's own items contradict or leave.
pub(super) fn check(patch: &[Value], order: &[Value], key: Option<&str>) -> Result<()> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut ordered = order.iter();
    for item in patch {
        if key.is_some() && !item.is_object() {
            key_of(item, key.unwrap_or_default())?;
        }
        if item.as_object().is_some_and(|members| members.contains_key(PATCH)) {
            continue;
        }
        loop {
            let Some(next) = ordered.next() else {
                return Err(PatchError::Internal(format!(
                    "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                    in_text(&Value::Array(patch.to_vec())),
                    in_text(&Value::Array(order.to_vec())),
                )));
            };
            let same = match key {
                Some(key) => key_of(item, key)? == key_of(next, key)?,
                None => same(item, next)?,
            };
            if same {
                break;
            }
        }
    }
    Ok(())
}

/// Sorts merged items: those of the patch in its order, the others in the order in which they were, and each of the
/// others before the first item of the patch that it preceded.
pub(super) fn sorted(
    merged: Vec<Value>,
    patch_order: &[Value],
    old_order: &[Value],
    key: Option<&str>,
    maps: bool,
) -> Result<Vec<Value>> {
    if key.is_none() && !patch_order.iter().all(is_scalar) {
        return Err(not_comparable());
    }
    let (mut patched, mut others) = (Vec::new(), Vec::new());
    for item in merged {
        let in_patch = match key {
            Some(key) => position(patch_order, key, key_of(&item, key)?)?.is_some(),
            None => contains(patch_order, &item)?,
        };
        if in_patch { &mut patched } else { &mut others }.push(item);
    }
    for (items, order) in [(&mut patched, patch_order), (&mut others, old_order)] {
        if maps {
            for item in items.iter().chain(order) {
                key_of(item, key.unwrap_or_default())?;
            }
        }
        sort_by(items, order, key);
    }
    let mut result = Vec::new();
    let (mut others, mut patched) = (others.into_iter().peekable(), patched.into_iter().peekable());
    loop {
        let precedes = match (others.peek(), patched.peek()) {
            (None, None) => return Ok(result),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(patched)) => {
                index(old_order, other, key).zip(index(old_order, patched, key)).is_some_and(|(other, at)| other < at)
            }
        };
        result.extend(if precedes { others.next() } else { patched.next() });
    }
}

/// Sorts by the order; an item that is not in it goes before those which precede it.
fn sort_by(items: &mut [Value], order: &[Value], key: Option<&str>) {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 {
            let [left, right] = [at - 1, at].map(|at| index(order, &items[at], key));
            if right.zip(left).is_some_and(|(right, left)| right >= left) {
                break;
            }
            items.swap(at - 1, at);
            at -= 1;
        }
    }
}

fn index(order: &[Value], item: &Value, key: Option<&str>) -> Option<usize> {
    let key_of = |item: &Value| match (key, item) {
        (Some(key), Value::Object(members)) => members.get(key).cloned(),
        (_, item) => Some(item.clone()),
    };
    let wanted = key_of(item);
    order.iter().position(|other| key_of(other) == wanted)
}
