//! What differs between two versions of an API, and who it breaks.
//!
//! [`Api`] is one version as it is compared: a stored spec of Kubernetes, what a server publishes, or definitions of
//! custom resources. [`compare`] makes a [`Report`] of two, and its renderers make text, Markdown or JSON of that. All
//! are functions from values to values.
//!
//! * A type is compared once, however many operations send or answer it. Each change says which kinds have the type and
//!   how many operations ([`Reach`]).
//! * [`Kind`] is the table of all that can change: who each breaks, and why.
//! * What only one side knows, such as the numbers of protobuf, which no server publishes, is not compared, and the
//!   report says so.
//! * Prose is not compared: specs are stored without it.

mod api;
mod change;
mod markers;
mod operations;
mod protobuf;
mod reach;
mod render;
mod report;
mod rules;
mod types;

pub use self::{
    api::Api,
    change::{Audience, Change, Place, Stability},
    reach::Reach,
    render::{json, markdown, text},
    report::{Counts, Removal, Report},
    rules::Kind,
};

/// Compares an older version of an API with a newer one.
pub fn compare(old: &Api<'_>, new: &Api<'_>) -> Report {
    let mut changes = Vec::new();
    operations::compare(old, new, &mut changes);
    types::compare(old, new, &mut changes);
    if old.markers.is_some() == new.markers.is_some() {
        markers::lifecycles(old, new, &mut changes);
    }
    let mut not_compared = Vec::new();
    match (old.protobuf, new.protobuf) {
        (Some(before), Some(after)) => protobuf::compare(new, before, after, &mut changes),
        (None, None) => {}
        _ => not_compared.push("numbers and types of protobuf's fields, which only one side knows".to_owned()),
    }
    match (old.markers, new.markers) {
        (Some(before), Some(after)) => markers::compare((old, before), (new, after), &mut changes),
        (None, None) => {}
        _ => not_compared.push("feature gates and what will be removed, which only one side knows".to_owned()),
    }
    if !new.is_custom {
        not_compared.push("defaults that only the code of the server knows".to_owned());
    }
    if types::values_are_unknown(old) != types::values_are_unknown(new) {
        not_compared.push("the values of enums, which only one side knows".to_owned());
    }
    changes.sort();
    Report {
        from: old.name.clone(),
        to: new.name.clone(),
        counts: Counts::of(old, new),
        groups: old.groups().chain(new.groups()).map(str::to_owned).collect(),
        group: None,
        changes,
        removals: Removal::all(new),
        not_compared,
    }
}
