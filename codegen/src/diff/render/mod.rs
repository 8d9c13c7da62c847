//! Forms of a report: for people, for pull requests, for programs.

mod json;
mod markdown;
mod text;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{json::json, markdown::markdown, text::text};
use super::{Audience, Change, Kind, Report, Stability};
use crate::spec::Release;

/// A part of a report under one heading.
struct Section<'a> {
    audience: Audience,
    /// The stable versions, and then all others.
    parts: Vec<(&'static str, BTreeMap<Kind, Vec<&'a Change>>)>,
}

/// The sections, those with most to do first.
fn sections(report: &Report) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    for &audience in Audience::ALL {
        let part = |is_stable: bool| {
            let mut kinds: BTreeMap<Kind, Vec<&Change>> = BTreeMap::new();
            for change in &report.changes {
                let belongs = change.first_audience() == audience;
                if belongs && (change.stability() == Stability::Stable) == is_stable {
                    kinds.entry(change.kind).or_default().push(change);
                }
            }
            kinds
        };
        let parts = [("stable", part(true)), ("beta and alpha", part(false))];
        let parts: Vec<_> = parts.into_iter().filter(|(_, kinds)| !kinds.is_empty()).collect();
        if !parts.is_empty() {
            sections.push(Section { audience, parts });
        }
    }
    sections
}

/// What a section is about.
fn heading(audience: Audience) -> &'static str {
    match audience {
        Audience::Wire => "Requests or answers that worked do not work any more, or mean something else",
        Audience::Apply => "Who owns what in server-side apply changes",
        Audience::Rust => "Code in Rust does not compile any more, though the wire is as it was",
        Audience::Additive => "New, or said more clearly: breaks nobody",
        Audience::Schedule => "What later versions will do, and what depends on feature gates",
    }
}

/// How many kinds a line names.
const KINDS: usize = 3;

/// The lines of one kind of change, without its title: a place, and what there is to say of it. Types that come or go
/// share a line.
fn lines(kind: Kind, changes: &[&Change]) -> Vec<(String, String)> {
    if [Kind::TypeAdded, Kind::TypeRemoved].contains(&kind) {
        let mut by_version: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for change in changes {
            by_version.entry(change.place.api_version()).or_default().push(&change.place.name);
        }
        return by_version.into_iter().map(|(version, names)| (version, format!(": {}", names.join(", ")))).collect();
    }
    changes.iter().map(|change| (change.place.to_string(), format!("{}{}", details(change), reach(change)))).collect()
}

/// What changed, as what follows a place.
fn details(change: &Change) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!(": {before} → {after}"),
        (Some(only), None) | (None, Some(only)) => format!(": {only}"),
        (None, None) => String::new(),
    }
}

/// Who has what changed, in brackets.
fn reach(change: &Change) -> String {
    let reach = &change.reach;
    let mut parts = Vec::new();
    let names: BTreeSet<&str> = reach.kinds.iter().map(|kind| kind.name.as_str()).collect();
    let is_own = names.len() == 1 && names.contains(change.place.name.as_str());
    if !names.is_empty() && !is_own {
        let mut some: Vec<&str> = names.iter().take(KINDS).copied().collect();
        let more = format!("{} more", names.len().saturating_sub(KINDS));
        if names.len() > KINDS {
            some.push(&more);
        }
        parts.push(format!("of {}", some.join(", ")));
    }
    match reach.operations {
        0 => {}
        1 => parts.push("1 operation".to_owned()),
        count => parts.push(format!("{count} operations")),
    }
    if reach.status_only {
        parts.push("status only".to_owned());
    }
    parts.extend(reach.gates.iter().map(|(name, gate)| format!("feature gate {name}: {gate}")));
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

/// Why it is where it is, and whom else it concerns.
fn reason(kind: Kind, audience: Audience) -> String {
    let others: Vec<&str> =
        kind.audiences().iter().filter(|other| **other != audience).map(|other| other.as_str()).collect();
    let also = if others.is_empty() { String::new() } else { format!("; also {}", others.join(", ")) };
    format!("{}{also}", kind.reason())
}

/// How much there is, in a sentence.
fn counts(report: &Report) -> String {
    let counts = &report.counts;
    let [before, after] = counts.operations;
    let of_group = report.group.as_ref().map(|group| format!(" of {group}")).unwrap_or_default();
    format!(
        "Operations: {before} → {after} (+{} −{}). Types: {} → {}. Changes{of_group}: {}.",
        counts.operations_added,
        counts.operations_removed,
        counts.types[0],
        counts.types[1],
        report.changes.len()
    )
}

/// What later versions will not have, a line for each.
fn removals(report: &Report) -> Vec<String> {
    let mut releases: BTreeMap<Release, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for removal in &report.removals {
        let of_release = releases.entry(removal.release).or_default();
        of_release.entry(removal.kind.api_version()).or_default().push(&removal.kind.name);
    }
    let of_version = |(version, names): (String, Vec<&str>)| format!("{version} {}", names.join(", "));
    let line = |(release, versions): (Release, BTreeMap<String, Vec<&str>>)| {
        format!("{release}: {}", versions.into_iter().map(of_version).collect::<Vec<_>>().join("; "))
    };
    releases.into_iter().map(line).collect()
}
