//! Sets of fields that were written for an older schema.

use super::Form;
use crate::merge::{
    path::PathElement,
    set::{FieldSet, Node},
    types::{List, Map, Type},
};

/// Who owned parts of a map or list that has become atomic owns all of it now.
pub(super) fn reconcile(fields: FieldSet, of: Type<'_>) -> FieldSet {
    let mut walk = Walk { path: Vec::new(), atomic: FieldSet::default() };
    walk.node(Some(&fields), false, of);
    if walk.atomic.is_empty() { fields } else { fields.recursive_difference(&walk.atomic).union(&walk.atomic) }
}

struct Walk {
    path: Vec<PathElement>,
    /// What is atomic now.
    atomic: FieldSet,
}

impl Walk {
    /// `whole`: the set has the value as a whole and nothing below it.
    fn node(&mut self, below: Option<&FieldSet>, whole: bool, of: Type<'_>) {
        match of.atom().form() {
            Form::Scalar(_) => {}
            Form::List(list) => self.list(below, whole, list),
            Form::Map(map) => self.map(below, whole, map),
        }
    }

    fn list(&mut self, below: Option<&FieldSet>, whole: bool, list: List<'_>) {
        if list.is_atomic() {
            if !whole {
                self.atomic.insert(&self.path);
            }
            return;
        }
        for (element, node) in below.into_iter().flat_map(|below| &below.0) {
            self.descend(element, node, list.element());
        }
    }

    fn map(&mut self, below: Option<&FieldSet>, whole: bool, map: Map<'_>) {
        if map.is_deduced() {
            return;
        }
        if map.is_atomic() {
            if !whole && below.is_some_and(|below| !below.is_empty()) {
                self.atomic.insert(&self.path);
            }
            return;
        }
        for (element, node) in below.into_iter().flat_map(|below| &below.0) {
            let of = match element {
                PathElement::Field(name) => map.at(name),
                _ => map.element(),
            };
            if let Some(of) = of {
                self.descend(element, node, of);
            }
        }
    }

    fn descend(&mut self, element: &PathElement, node: &Node, of: Type<'_>) {
        self.path.push(element.clone());
        let below = (!node.below.is_empty()).then_some(&node.below);
        self.node(below, node.member && below.is_none(), of);
        self.path.pop();
    }
}
