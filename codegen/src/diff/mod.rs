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
mod operations;
mod protobuf;
mod reach;
mod render;
mod report;
mod rules;
mod types;

use std::collections::BTreeSet;

pub use self::{
    api::Api,
    change::{Audience, Change, Place, Stability},
    reach::Reach,
    render::{json, markdown, text},
    report::{Counts, Report},
    rules::Kind,
};

/// Compares an older version of an API with a newer one.
pub fn compare(old: &Api<'_>, new: &Api<'_>) -> Report {
    let mut changes = Vec::new();
    operations::compare(old, new, &mut changes);
    types::compare(old, new, &mut changes);
    let mut not_compared = BTreeSet::new();
    match (old.protobuf, new.protobuf) {
        (Some(before), Some(after)) => protobuf::compare(new, before, after, &mut changes),
        _ => drop(not_compared.insert("protobuf: only one side has the numbers of its fields")),
    }
    changes.sort();
    Report {
        from: old.name.clone(),
        to: new.name.clone(),
        counts: Counts::of(old, new),
        changes,
        not_compared: not_compared.into_iter().map(str::to_owned).collect(),
    }
}
