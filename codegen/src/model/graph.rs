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
    let mut done = BTreeSet::new();
    edges.keys().try_for_each(|group| visit(group, &edges, &mut Vec::new(), &mut done))
}

fn visit<'a>(
    group: &'a str,
    edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Result<(), Error> {
    if done.contains(group) {
        return Ok(());
    }
    let returns = way.contains(&group);
    way.push(group);
    if returns {
        let message =
            format!("groups' types refer to one another in a circle, their crates cannot: {}", way.join(" → "));
        return Err(Error::file("schemas", message));
    }
    for next in edges.get(group).into_iter().flatten() {
        visit(next, edges, way, done)?;
    }
    way.pop();
    done.insert(group);
    Ok(())
}

/// `apps` of `io.k8s.api.apps.v1.Deployment`. Types outside `io.k8s.api` belong to no group or refer to no other.
fn group_of(schema: &str) -> Option<&str> {
    schema.strip_prefix("io.k8s.api.")?.split('.').next()
}
