//! Enums, feature gates, deprecations and removals.

use std::collections::{BTreeMap, BTreeSet};

use super::{Api, Change, Kind, Place, Reach, reach::gates_of};
use crate::spec::{Gate, Markers, Values};

/// Compares what Go's sources say.
pub(super) fn compare(
    (old, before): (&Api<'_>, &Markers),
    (new, after): (&Api<'_>, &Markers),
    changes: &mut Vec<Change>,
) {
    enums((old, before), (new, after), changes);
    gates((old, before), (new, after), changes);
    fields((old, before), (new, after), changes);
}

/// Deprecations and removals of types, which definitions of custom resources have, too.
pub(super) fn lifecycles(old: &Api<'_>, new: &Api<'_>, changes: &mut Vec<Change>) {
    for (name, after) in &new.types {
        let Some(before) = old.types.get(name) else { continue };
        let mut compare = |kinds: [Kind; 3], before: Option<String>, now: Option<String>| {
            let kind = match (&before, &now) {
                _ if before == now => return,
                (None, Some(_)) => kinds[0],
                (Some(_), None) => kinds[1],
                _ => kinds[2],
            };
            let reach = after.reach.clone();
            changes.push(Change { place: after.place.clone(), kind, before, after: now, reach });
        };
        let kinds = [Kind::Deprecated, Kind::NoLongerDeprecated, Kind::Deprecated];
        compare(kinds, before.deprecated.clone(), after.deprecated.clone());
        let kinds = [Kind::RemovalAnnounced, Kind::RemovalWithdrawn, Kind::RemovalMoved];
        compare(kinds, before.removed.map(|release| release.to_string()), after.removed.map(|it| it.to_string()));
    }
}

/// Types of strings that came, went, or have other values.
fn enums((old, before): (&Api<'_>, &Markers), (new, after): (&Api<'_>, &Markers), changes: &mut Vec<Change>) {
    let list = |values: &BTreeSet<String>| Some(values.iter().cloned().collect::<Vec<_>>().join(", "));
    for (name, of_enum) in &before.enums {
        let place = place(old, name, of_enum);
        let Some(now) = after.enums.get(name) else {
            let before = list(&of_enum.values);
            changes.push(Change { place, kind: Kind::EnumRemoved, before, after: None, reach: reach(old, of_enum) });
            continue;
        };
        for value in of_enum.values.difference(&now.values) {
            let reach = with_gates(reach(old, of_enum), before, of_enum, value);
            let before = Some(value.clone());
            changes.push(Change { place: place.clone(), kind: Kind::ValueRemoved, before, after: None, reach });
        }
        for value in now.values.difference(&of_enum.values) {
            let reach = with_gates(reach(new, now), after, now, value);
            let after = Some(value.clone());
            changes.push(Change { place: place.clone(), kind: Kind::ValueAdded, before: None, after, reach });
        }
    }
    for (name, of_enum) in after.enums.iter().filter(|(name, _)| !before.enums.contains_key(*name)) {
        let (place, after) = (place(new, name, of_enum), list(&of_enum.values));
        changes.push(Change { place, kind: Kind::EnumAdded, before: None, after, reach: reach(new, of_enum) });
    }
}

/// An enum's place: in the group of its package, which it has a field in, or of its first field.
fn place(api: &Api<'_>, name: &str, of_enum: &Values) -> Place {
    let (package, short) = name.rsplit_once('.').unwrap_or(("", name));
    let is_of_package = |schema: &&str| schema.rsplit_once('.').is_some_and(|(of, _)| of == package);
    let schemas = || of_enum.fields.iter().filter_map(|field| Some(field.rsplit_once('.')?.0));
    let schema = schemas().find(is_of_package).or_else(|| schemas().next());
    let near = api.types.keys().map(String::as_str).find(is_of_package).or(schema);
    let place = near.and_then(|schema| api.types.get(schema)).map(|of_type| of_type.place.clone());
    Place { name: short.to_owned(), ..place.unwrap_or_default() }
}

/// Who has one of the fields of an enum.
fn reach(api: &Api<'_>, of_enum: &Values) -> Reach {
    let fields = of_enum.fields.iter().filter_map(|field| field.rsplit_once('.'));
    of_fields(api, fields)
}

/// Who has one of these fields, given as schema and property.
fn of_fields<'a>(api: &Api<'_>, fields: impl Iterator<Item = (&'a str, &'a str)>) -> Reach {
    let reaches: Vec<Reach> = fields
        .filter_map(|(schema, property)| {
            let mut reach = api.types.get(schema)?.reach.clone();
            reach.gates.extend(gates_of(api.markers, schema, property));
            Some(reach)
        })
        .collect();
    Reach {
        kinds: reaches.iter().flat_map(|reach| reach.kinds.clone()).collect(),
        // One operation may have several of them.
        operations: reaches.iter().map(|reach| reach.operations).max().unwrap_or_default(),
        status_only: !reaches.is_empty() && reaches.iter().all(|reach| reach.status_only),
        gates: reaches.into_iter().map(|reach| reach.gates).min_by_key(BTreeMap::len).unwrap_or_default(),
    }
}

/// Adds the gates that a value has of its own.
fn with_gates(mut reach: Reach, markers: &Markers, of_enum: &Values, value: &str) -> Reach {
    let names = of_enum.gated.get(value).into_iter().flatten();
    reach.gates.extend(names.filter_map(|name| Some((name.clone(), markers.gates.get(name)?.clone()))));
    reach
}

/// How many fields of a gate are named.
const NAMED: usize = 2;

/// Gates that opened, or were closed again.
fn gates((old, before): (&Api<'_>, &Markers), (new, after): (&Api<'_>, &Markers), changes: &mut Vec<Change>) {
    for (name, gate) in &after.gates {
        let Some(was) = before.gates.get(name).filter(|was| *was != gate) else { continue };
        let mut fields: BTreeSet<(&str, &str)> = fields_of(before, name).collect();
        fields.extend(fields_of(after, name));
        let api = |schema: &str| if new.types.contains_key(schema) { new } else { old };
        let places: Vec<String> = fields
            .iter()
            .filter_map(|(schema, property)| Some(api(schema).types.get(*schema)?.place.inside(property).to_string()))
            .collect();
        let mut listed: Vec<String> = places.iter().take(NAMED).cloned().collect();
        if places.len() > NAMED {
            listed.push(format!("{} more", places.len() - NAMED));
        }
        let place = Place { name: format!("feature gate {name}"), path: listed.join(", "), ..Place::default() };
        let reach = Reach { gates: BTreeMap::new(), ..of_fields(new, fields.into_iter()) };
        let (before, after) = (Some(was.to_string()), Some(gate.to_string()));
        changes.push(Change { place, kind: Kind::GateStage, before, after, reach });
    }
}

/// The properties behind a gate, with their schemas.
fn fields_of<'a>(markers: &'a Markers, gate: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let of_schema = move |(schema, fields): (&'a String, &'a BTreeMap<String, Vec<String>>)| {
        let is_gated = move |(_, gates): &(&String, &Vec<String>)| gates.iter().any(|name| name == gate);
        fields.iter().filter(is_gated).map(|(property, _)| (schema.as_str(), property.as_str())).collect::<Vec<_>>()
    };
    markers.gated.iter().flat_map(of_schema)
}

/// Fields of both sides that got or lost a gate, or became deprecated.
fn fields((old, before): (&Api<'_>, &Markers), (new, after): (&Api<'_>, &Markers), changes: &mut Vec<Change>) {
    for (schema, of_type) in &new.types {
        let Some(was) = old.types.get(schema) else { continue };
        for property in of_type.schema.properties.keys().filter(|name| was.schema.properties.contains_key(*name)) {
            let mut change = |kind, before, after| {
                let reach = Reach { gates: BTreeMap::new(), ..of_type.reach.clone() };
                changes.push(Change { place: of_type.place.inside(property), kind, before, after, reach });
            };
            let (had, has) = (gates_of(Some(before), schema, property), gates_of(Some(after), schema, property));
            // A gate that opens for good says so itself.
            let is_ga = |markers: &Markers, name: &String| markers.gates.get(name).is_some_and(Gate::is_ga);
            let gone = had.keys().filter(|name| !has.contains_key(*name) && !is_ga(after, name));
            gone.for_each(|name| change(Kind::NoLongerGated, Some(name.clone()), None));
            let come = has.keys().filter(|name| !had.contains_key(*name) && !is_ga(before, name));
            come.for_each(|name| change(Kind::NowGated, None, Some(name.clone())));
            let is_deprecated =
                |markers: &Markers| markers.deprecated.get(schema).is_some_and(|fields| fields.contains(property));
            match (is_deprecated(before), is_deprecated(after)) {
                (false, true) => change(Kind::FieldDeprecated, None, None),
                (true, false) => change(Kind::FieldNoLongerDeprecated, None, None),
                _ => {}
            }
        }
    }
}
