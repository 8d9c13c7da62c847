//! Which kinds and operations have a type.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, api::Resource};
use crate::spec::{AdditionalProperties, Operation, Schema};

/// Which kinds and operations have a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// The kinds whose objects have it.
    pub kinds: BTreeSet<Place>,
    /// How many operations send or answer it.
    pub operations: usize,
    /// Whether it is in the status alone, which controllers write and others only read.
    pub status_only: bool,
}

/// The reach of each type, by its full name.
pub(super) fn of_types<'a>(
    resources: impl Iterator<Item = &'a Resource<'a>> + Clone,
    schemas: &BTreeMap<String, Schema>,
) -> BTreeMap<String, Reach> {
    let mut reach: BTreeMap<String, Reach> = BTreeMap::new();
    let mut closures: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    for resource in resources.clone() {
        for operation in resource.operations() {
            for root in roots(operation) {
                closures.entry(root).or_insert_with(|| closure(root, schemas));
            }
        }
    }
    for resource in resources {
        for operation in resource.operations() {
            let mut of_operation: BTreeMap<&str, bool> = BTreeMap::new();
            for (&name, &status_only) in roots(operation).iter().flat_map(|root| &closures[root]) {
                let known = of_operation.entry(name).or_insert(true);
                *known &= status_only;
            }
            for (name, status_only) in of_operation {
                let new = || Reach { status_only: true, ..Reach::default() };
                let of_type = reach.entry(name.to_owned()).or_insert_with(new);
                of_type.kinds.insert(resource.kind_place());
                of_type.operations += 1;
                of_type.status_only &= status_only;
            }
        }
    }
    reach
}

/// The types of an operation's bodies and answers.
fn roots(operation: &Operation) -> BTreeSet<&str> {
    let bodies = operation.body.iter().flat_map(|body| &body.contents);
    let answers = operation.answers.values().flat_map(|answer| &answer.contents);
    bodies.chain(answers).filter_map(|content| content.schema.as_ref()?.reference.as_deref()).collect()
}

/// The types inside of a type, each with whether it is reached through a `status` alone.
fn closure<'a>(root: &'a str, schemas: &'a BTreeMap<String, Schema>) -> BTreeMap<&'a str, bool> {
    let mut found: BTreeMap<&str, bool> = BTreeMap::new();
    let mut next = vec![(root, false)];
    while let Some((name, in_status)) = next.pop() {
        match found.get(name) {
            Some(known) if !*known || in_status => continue,
            _ => drop(found.insert(name, in_status)),
        }
        let Some(schema) = schemas.get(name) else { continue };
        let is_kind = !schema.kinds.is_empty();
        for (property, of_property) in &schema.properties {
            let in_status = in_status || (is_kind && property == "status");
            next.extend(of_property.references().into_iter().map(|name| (name, in_status)));
        }
        let values = match &schema.additional_properties {
            Some(AdditionalProperties::Of(values)) => Some(values.as_ref()),
            _ => None,
        };
        let others = schema.items.as_deref().into_iter().chain(values).flat_map(Schema::references);
        next.extend(others.chain(schema.reference.as_deref()).map(|name| (name, in_status)));
    }
    found
}
