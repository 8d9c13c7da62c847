//! What differs between two values.

use std::collections::BTreeMap;

use serde_json::{Map as Members, Value};

use super::{Form, forms_of_two, items::element_of};
use crate::merge::{
    path::PathElement,
    set::FieldSet,
    types::{List, Map, Type},
    value::equal,
};

/// The fields that differ. No field is in two of the sets.
#[derive(Default)]
pub(crate) struct Comparison {
    pub(crate) removed: FieldSet,
    pub(crate) modified: FieldSet,
    pub(crate) added: FieldSet,
}

impl Comparison {
    /// The comparison without these fields and what is below them.
    pub(crate) fn without(self, fields: &FieldSet) -> Self {
        Self {
            removed: self.removed.recursive_difference(fields),
            modified: self.modified.recursive_difference(fields),
            added: self.added.recursive_difference(fields),
        }
    }
}

pub(super) fn compare(old: &Value, new: &Value, of: Type<'_>) -> Comparison {
    let mut walk = Walk { path: Vec::new(), comparison: Comparison::default() };
    walk.values(Some(old), Some(new), of);
    walk.comparison
}

struct Walk {
    path: Vec<PathElement>,
    comparison: Comparison,
}

impl Walk {
    fn values(&mut self, old: Option<&Value>, new: Option<&Value>, of: Type<'_>) {
        let (first, form) = forms_of_two(of, old, new);
        if let Some(first) = first {
            self.form(old, new, first);
        }
        if !self.form(old, new, form) {
            // What came or went is a change of its own, beside those of its parts.
            match (old, new) {
                (None, _) => self.comparison.added.insert(&self.path),
                (_, None) => self.comparison.removed.insert(&self.path),
                _ => {}
            }
        }
    }

    /// Compares in one form; whether it was compared as one value.
    fn form(&mut self, old: Option<&Value>, new: Option<&Value>, form: Form<'_>) -> bool {
        match form {
            Form::Scalar(_) => self.leaf(old, new),
            Form::Map(map) => {
                let [old_members, new_members] = [old, new].map(|value| value.and_then(Value::as_object));
                if map.is_atomic() || both_empty(old_members.map(Members::len), new_members.map(Members::len)) {
                    return self.leaf(old, new);
                }
                self.members(old_members, new_members, map);
                false
            }
            Form::List(list) => {
                let [old_items, new_items] = [old, new].map(|value| value.and_then(Value::as_array));
                let atomic = list.is_atomic();
                if atomic || both_empty(old_items.map(Vec::len), new_items.map(Vec::len)) {
                    return self.leaf(old, new);
                }
                self.items(old_items, new_items, list);
                false
            }
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) -> bool {
        let Comparison { removed, modified, added } = &mut self.comparison;
        match (old, new) {
            (None, _) => added.insert(&self.path),
            (_, None) => removed.insert(&self.path),
            (Some(old), Some(new)) if !equal(old, new) => modified.insert(&self.path),
            _ => {}
        }
        true
    }

    fn members(&mut self, old: Option<&Members<String, Value>>, new: Option<&Members<String, Value>>, map: Map<'_>) {
        for name in names(old, new) {
            let [old, new] = [old, new].map(|members| members.and_then(|members| members.get(name)));
            self.path.push(PathElement::field(name.as_str()));
            self.values(old, new, map.at(name).unwrap_or(Type::Deduced));
            self.path.pop();
        }
    }

    fn items(&mut self, old: Option<&Vec<Value>>, new: Option<&Vec<Value>>, list: List<'_>) {
        let [mut old, mut new] = [old, new].map(|items| by_element(items, list));
        let elements: std::collections::BTreeSet<PathElement> = old.keys().chain(new.keys()).cloned().collect();
        for element in elements {
            let [old, new] = [&mut old, &mut new].map(|items| items.remove(&element).unwrap_or_default());
            self.path.push(element);
            match (old.as_slice(), new.as_slice()) {
                ([] | [_], [] | [_]) => self.values(old.first().copied(), new.first().copied(), list.element()),
                // Items with the same keys are compared as one value.
                ([_, _, ..], [_, _, ..]) => {
                    if old.len() != new.len() || !old.iter().zip(&new).all(|(old, new)| equal(old, new)) {
                        self.comparison.modified.insert(&self.path);
                    }
                }
                ([_, _, ..], _) => {
                    if let Some(new) = new.first() {
                        self.values(None, Some(new), list.element());
                    }
                    self.comparison.removed.insert(&self.path);
                }
                (_, [_, _, ..]) => {
                    if let Some(old) = old.first() {
                        self.values(Some(old), None, list.element());
                    }
                    self.comparison.added.insert(&self.path);
                }
            }
            self.path.pop();
        }
    }
}

fn by_element<'v>(items: Option<&'v Vec<Value>>, list: List<'_>) -> BTreeMap<PathElement, Vec<&'v Value>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for item in items.into_iter().flatten() {
        if let Ok(element) = element_of(item, list) {
            found.entry(element).or_default().push(item);
        }
    }
    found
}

/// Whether neither side has items: two such values are one leaf, which keeps `{}`, `null` and nothing apart.
pub(super) fn both_empty(left: Option<usize>, right: Option<usize>) -> bool {
    left.unwrap_or(0) == 0 && right.unwrap_or(0) == 0
}

/// The names of the members on either side, once.
pub(super) fn names<'m>(
    left: Option<&'m Members<String, Value>>,
    right: Option<&'m Members<String, Value>>,
) -> impl Iterator<Item = &'m String> {
    let only_right = move |name: &&String| !left.is_some_and(|left| left.contains_key(name.as_str()));
    left.into_iter().flat_map(Members::keys).chain(right.into_iter().flat_map(Members::keys).filter(only_right))
}
