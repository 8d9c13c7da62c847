//! Which groups' types refer to which others': the order in which their crates can depend on one another.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Error, spec::Spec};

/// Fails when groups' types refer to one another in a circle: their crates could not.
pub(super) fn check_no_cycle(specs: &[Spec]) -> Result<(), Error> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, schema) in specs.iter().flat_map(|spec| &spec.schemas) {
        let Some(from) = group_of(name) else { continue };
        let others = schema.references().into_iter().filter_map(group_of).filter(|to| *to != from);
        edges.entry(from).or_default().extend(others);
    }
    // A group that refers to none of the others that are left is in no circle.
    loop {
        let left: BTreeSet<&str> = edges.keys().copied().collect();
        edges.retain(|_, others| others.iter().any(|other| left.contains(other)));
        if edges.len() == left.len() {
            break;
        }
    }
    let Some(first) = edges.keys().next() else { return Ok(()) };
    // Every group that is left refers to another that is left, so a way from any of them comes back to where it was.
    let mut way = vec![*first];
    while let Some(next) = way.last().and_then(|last| edges[last].iter().find(|other| edges.contains_key(*other))) {
        let returns = way.iter().position(|group| group == next);
        way.push(next);
        if let Some(start) = returns {
            way.drain(..start);
            break;
        }
    }
    let message = format!("groups' types refer to one another in a circle, their crates cannot: {}", way.join(" → "));
    Err(Error::file("schemas", message))
}

/// `apps` of `io.k8s.api.apps.v1.Deployment`. Types outside `io.k8s.api` belong to no group or refer to no other.
fn group_of(schema: &str) -> Option<&str> {
    schema.strip_prefix("io.k8s.api.")?.split('.').next()
}
