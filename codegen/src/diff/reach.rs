//! Who has a type: kinds, operations, and behind which gates.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, Stability, api::Resource};
use crate::spec::{AdditionalProperties, Gate, Markers, Operation, Schema};

/// Who has something: kinds, operations, and behind which gates.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// The kinds whose objects have it.
    pub kinds: BTreeSet<Place>,
    /// How many operations send or answer it.
    pub operations: usize,
    /// Whether it is in the status alone, which controllers write and others only read.
    pub status_only: bool,
    /// The feature gates of the field, or of all fields that lead to its type, with what they are.
    pub gates: BTreeMap<String, Gate>,
}

impl Reach {
    /// What the gates promise: what nobody has without asking for it is as unstable as they are.
    pub fn stability(&self) -> Stability {
        self.gates.values().map(of_gate).max().unwrap_or(Stability::Stable)
    }
}

fn of_gate(gate: &Gate) -> Stability {
    match gate.stage.as_str() {
        _ if gate.default => Stability::Stable,
        "alpha" => Stability::Alpha,
        _ => Stability::Beta,
    }
}

/// The gates of a property.
pub(super) fn gates_of(markers: Option<&Markers>, schema: &str, property: &str) -> BTreeMap<String, Gate> {
    let Some(markers) = markers else { return BTreeMap::new() };
    let names = markers.gated.get(schema).and_then(|fields| fields.get(property)).into_iter().flatten();
    names.filter_map(|name| Some((name.clone(), markers.gates.get(name)?.clone()))).collect()
}

/// A way from an object to a type inside of it.
#[derive(Clone, Default)]
struct Way {
    in_status: bool,
    gates: BTreeMap<String, Gate>,
}

impl Way {
    fn stability(&self) -> Stability {
        self.gates.values().map(of_gate).max().unwrap_or(Stability::Stable)
    }

    /// Joins two ways to one type: it is as open as the more open one. Whether that is new.
    fn join(&mut self, other: &Self) -> bool {
        let is_opener = self.in_status && !other.in_status;
        self.in_status &= other.in_status;
        let has_fewer = (other.stability(), other.gates.len()) < (self.stability(), self.gates.len());
        if has_fewer {
            self.gates.clone_from(&other.gates);
        }
        is_opener || has_fewer
    }
}

/// The reach of each type, by its full name.
pub(super) fn of_types<'a>(
    resources: impl Iterator<Item = &'a Resource<'a>> + Clone,
    schemas: &BTreeMap<String, Schema>,
    markers: Option<&Markers>,
) -> BTreeMap<String, Reach> {
    let mut ways: BTreeMap<&str, BTreeMap<&str, Way>> = BTreeMap::new();
    for root in resources.clone().flat_map(Resource::operations).flat_map(roots) {
        ways.entry(root).or_insert_with(|| ways_from(root, schemas, markers));
    }
    let mut reach: BTreeMap<String, (Reach, Way)> = BTreeMap::new();
    for resource in resources {
        for operation in resource.operations() {
            let mut of_operation: BTreeMap<&str, Way> = BTreeMap::new();
            for (&name, way) in roots(operation).iter().flat_map(|root| &ways[root]) {
                of_operation.entry(name).or_insert_with(|| way.clone()).join(way);
            }
            for (name, way) in of_operation {
                let (of_type, known) = reach.entry(name.to_owned()).or_insert_with(|| (Reach::default(), way.clone()));
                of_type.kinds.insert(resource.kind_place());
                of_type.operations += 1;
                known.join(&way);
            }
        }
    }
    let finish = |(name, (reach, way)): (String, (Reach, Way))| {
        (name, Reach { status_only: way.in_status, gates: way.gates, ..reach })
    };
    reach.into_iter().map(finish).collect()
}

/// The types of an operation's bodies and answers.
fn roots(operation: &Operation) -> BTreeSet<&str> {
    let bodies = operation.body.iter().flat_map(|body| &body.contents);
    let answers = operation.answers.values().flat_map(|answer| &answer.contents);
    bodies.chain(answers).filter_map(|content| content.schema.as_ref()?.reference.as_deref()).collect()
}

/// The types inside of a type, each with the most open way to it.
fn ways_from<'a>(
    root: &'a str,
    schemas: &'a BTreeMap<String, Schema>,
    markers: Option<&Markers>,
) -> BTreeMap<&'a str, Way> {
    let mut found: BTreeMap<&str, Way> = BTreeMap::new();
    let mut next = vec![(root, Way::default())];
    while let Some((name, way)) = next.pop() {
        let is_new = match found.get_mut(name) {
            Some(known) => known.join(&way),
            None => found.insert(name, way).is_none(),
        };
        let Some(schema) = schemas.get(name).filter(|_| is_new) else { continue };
        let way = &found[name];
        let is_kind = !schema.kinds.is_empty();
        for (property, of_property) in &schema.properties {
            let mut gates = gates_of(markers, name, property);
            gates.extend(way.gates.clone());
            let way = Way { in_status: way.in_status || (is_kind && property == "status"), gates };
            next.extend(of_property.references().into_iter().map(|name| (name, way.clone())));
        }
        let values = match &schema.additional_properties {
            Some(AdditionalProperties::Of(values)) => Some(values.as_ref()),
            _ => None,
        };
        let others = schema.items.as_deref().into_iter().chain(values).flat_map(Schema::references);
        next.extend(others.chain(schema.reference.as_deref()).map(|name| (name, way.clone())));
    }
    found
}
