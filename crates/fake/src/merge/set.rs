//! Sets of fields, as a tree of path elements.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    path::PathElement,
    types::{List, Type},
};

/// A set of paths. A path does not include those below it, nor those above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet(pub(super) BTreeMap<PathElement, Node>);

/// What a set has at an element: the element itself, or something below it, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) member: bool,
    pub(super) below: FieldSet,
}

impl Node {
    fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }
}

impl FieldSet {
    /// A set of top-level fields and of fields below them, each a list of names.
    pub(crate) fn of_fields<const N: usize>(paths: [&[&str]; N]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<PathElement> = path.iter().copied().map(PathElement::field).collect();
            set.insert(&path);
        }
        set
    }

    /// Adds a path. Nobody owns a whole object, so that the empty path adds nothing.
    pub(crate) fn insert(&mut self, path: &[PathElement]) {
        let [above @ .., last] = path else { return };
        let mut set = self;
        for element in above {
            set = &mut set.0.entry(element.clone()).or_default().below;
        }
        set.0.entry(last.clone()).or_default().member = true;
    }

    /// Sets what there is at an element, and below it.
    pub(super) fn put(&mut self, element: PathElement, node: Node) {
        if !node.is_empty() {
            self.0.insert(element, node);
        }
    }

    /// Whether all paths of this set are in the other one.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|(element, node)| {
            let other = other.0.get(element);
            let is_below = |other: &Node| node.below.is_within(&other.below);
            other.is_some_and(|other| (other.member || !node.member) && is_below(other))
        })
    }

    /// Whether there is no path in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the path is in it.
    pub(crate) fn has(&self, path: &[PathElement]) -> bool {
        let [above @ .., last] = path else { return false };
        let mut set = self;
        for element in above {
            match set.0.get(element) {
                Some(node) => set = &node.below,
                None => return false,
            }
        }
        set.has_element(last)
    }

    /// Whether the path of this one element is in it.
    pub(super) fn has_element(&self, element: &PathElement) -> bool {
        self.0.get(element).is_some_and(|node| node.member)
    }

    /// The paths that begin with the element, without it; `None` when there are none.
    pub(super) fn below(&self, element: &PathElement) -> Option<&Self> {
        self.0.get(element).map(|node| &node.below).filter(|below| !below.is_empty())
    }

    /// The paths that are in one of the sets.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        for (element, node) in &other.0 {
            match union.0.entry(element.clone()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(node.clone());
                }
                Entry::Occupied(mut occupied) => {
                    let own = occupied.get_mut();
                    own.member |= node.member;
                    own.below = own.below.union(&node.below);
                }
            }
        }
        union
    }

    /// The paths that are in both sets.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.each(|element, node| {
            let other = other.0.get(element)?;
            Some(Node { member: node.member && other.member, below: node.below.intersection(&other.below) })
        })
    }

    /// The paths that are not in the other set. Those below a path of the other set stay.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.each(|element, node| {
            Some(match other.0.get(element) {
                Some(other) => {
                    Node { member: node.member && !other.member, below: node.below.difference(&other.below) }
                }
                None => node.clone(),
            })
        })
    }

    /// The paths that are neither in the other set nor below one of its paths.
    pub(crate) fn recursive_difference(&self, other: &Self) -> Self {
        self.each(|element, node| match other.0.get(element) {
            Some(other) if other.member => None,
            Some(other) => Some(Node { member: node.member, below: node.below.recursive_difference(&other.below) }),
            None => Some(node.clone()),
        })
    }

    fn each(&self, change: impl Fn(&PathElement, &Node) -> Option<Node>) -> Self {
        let changed = self.0.iter().filter_map(|(element, node)| Some((element.clone(), change(element, node)?)));
        Self(changed.filter(|(_, node)| !node.is_empty()).collect())
    }

    /// The set with each field of a struct that has a path below it. Entries of maps and items are not added.
    pub(super) fn with_fields_above(&self, of: Option<Type<'_>>) -> Self {
        let atom = of.map(Type::atom);
        let nodes = self.0.iter().map(|(element, node)| {
            let (named, type_below) = match (element, atom) {
                (PathElement::Field(name), Some(atom)) => match atom.map {
                    Some(map) => match map.field(name) {
                        Some(field) => (true, Some(field)),
                        None => (false, map.element()),
                    },
                    None => (false, None),
                },
                (PathElement::Key(_), Some(atom)) => (false, atom.list.map(List::element)),
                _ => (false, None),
            };
            let member = node.member || (named && !node.below.is_empty());
            (element.clone(), Node { member, below: node.below.with_fields_above(type_below) })
        });
        Self(nodes.collect())
    }

    /// All paths: at each place first those that end there, then those that go on. Conflicts are listed in this order.
    pub(crate) fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut paths = Vec::new();
        self.add_paths(&mut Vec::new(), &mut paths);
        paths
    }

    fn add_paths(&self, at: &mut Vec<PathElement>, paths: &mut Vec<Vec<PathElement>>) {
        for (element, _) in self.0.iter().filter(|(_, node)| node.member) {
            let mut path = at.clone();
            path.push(element.clone());
            paths.push(path);
        }
        for (element, node) in &self.0 {
            at.push(element.clone());
            node.below.add_paths(at, paths);
            at.pop();
        }
    }
}
