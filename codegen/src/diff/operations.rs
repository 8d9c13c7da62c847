//! Groups, versions, resources and their operations.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Api, Change, Kind, Place, Reach,
    api::{Part, Resource},
};
use crate::{
    model::Scope,
    spec::{Body, Content, Operation, Parameter},
};

pub(super) fn compare(old: &Api<'_>, new: &Api<'_>, changes: &mut Vec<Change>) {
    groups(old, new, changes);
    for (key, resource) in &old.resources {
        match new.resources.get(key) {
            Some(after) => compare_resources(resource, after, changes),
            None => changes.push(whole(Kind::ResourceRemoved, resource)),
        }
    }
    for (key, resource) in &new.resources {
        if !old.resources.contains_key(key) {
            changes.push(whole(Kind::ResourceAdded, resource));
        }
    }
    let mut details = Details::default();
    others(old, new, changes);
    for (route, before) in &old.others {
        if let Some(after) = new.others.get(route) {
            details.compare((route, Place::default()), before, after);
        }
    }
    for (key, resource) in &old.resources {
        let Some(after) = new.resources.get(key) else { continue };
        let kind = after.kind_place();
        for (before, after) in pairs(resource, after) {
            for (route, before) in &before.routes {
                if let (Some(before), Some(Some(after))) = (before, after.routes.get(route)) {
                    details.compare((route, kind.clone()), before, after);
                }
            }
        }
    }
    changes.extend(details.into_changes());
}

/// Operations that are not about objects. Those of discovery come and go with groups and versions.
fn others(old: &Api<'_>, new: &Api<'_>, changes: &mut Vec<Change>) {
    let is_discovery = |route: &str| route.starts_with("GET /apis/") || route.starts_with("GET /api/");
    let mut missing = |these: &Api<'_>, those: &Api<'_>, kind| {
        let routes = these.others.keys().filter(|route| !those.others.contains_key(*route) && !is_discovery(route));
        let place = |route: &String| Place { name: route.clone(), ..Place::default() };
        let reach = Reach { operations: 1, ..Reach::default() };
        changes.extend(routes.map(|route| Change { reach: reach.clone(), ..one(place(route), kind, String::new()) }));
    };
    missing(old, new, Kind::OperationRemoved);
    missing(new, old, Kind::OperationAdded);
}

/// Groups and versions that come or go as a whole.
fn groups(old: &Api<'_>, new: &Api<'_>, changes: &mut Vec<Change>) {
    type Versions = BTreeMap<String, BTreeMap<String, Place>>;
    let versions = |api: &Api<'_>| {
        let mut versions = Versions::new();
        for ((group, version, _), resource) in &api.resources {
            let place = Place { name: String::new(), ..resource.place.clone() };
            versions.entry(group.clone()).or_default().insert(version.clone(), place);
        }
        versions
    };
    let (before, after) = (versions(old), versions(new));
    let mut missing = |these: &Versions, those: &Versions, group_kind, version_kind| {
        for (group, versions) in these {
            let Some(others) = those.get(group) else {
                let names: Vec<&str> = versions.values().map(|place| place.version.as_str()).collect();
                let place = versions.values().next().cloned().unwrap_or_default();
                let place = Place { version: String::new(), ..place };
                changes.push(one(place, group_kind, names.join(", ")));
                continue;
            };
            for (version, place) in versions {
                if !others.contains_key(version) {
                    changes.push(one(place.clone(), version_kind, String::new()));
                }
            }
        }
    };
    missing(&before, &after, Kind::GroupRemoved, Kind::VersionRemoved);
    missing(&after, &before, Kind::GroupAdded, Kind::VersionAdded);
}

/// A change of something that is there on one side only.
fn one(place: Place, kind: Kind, what: String) -> Change {
    let what = Some(what).filter(|what| !what.is_empty());
    let is_gone = kind.title().ends_with("removed");
    let (before, after) = if is_gone { (what, None) } else { (None, what) };
    Change { place, kind, before, after, reach: Reach::default() }
}

/// A resource that comes or goes, with all that could be done with it.
fn whole(kind: Kind, resource: &Resource<'_>) -> Change {
    let of_part = |(name, part): (&String, &Part<'_>)| {
        let verbs = verbs(part);
        if name.is_empty() { verbs } else { format!("{name}: {verbs}") }
    };
    let what = resource.parts.iter().map(of_part).collect::<Vec<_>>().join("; ");
    let operations = resource.parts.values().map(|part| part.routes.len()).sum();
    Change { reach: reach(resource, operations), ..one(resource.place.clone(), kind, what) }
}

/// What every ordinary resource has.
const ALL_VERBS: &str = "create, delete, deletecollection, get, list, patch, update, watch";

fn verbs(part: &Part<'_>) -> String {
    let verbs = part.verbs.iter().copied().collect::<Vec<_>>().join(", ");
    if verbs == ALL_VERBS { "all verbs".to_owned() } else { verbs }
}

fn reach(resource: &Resource<'_>, operations: usize) -> Reach {
    Reach { kinds: BTreeSet::from([resource.kind_place()]), operations, ..Reach::default() }
}

fn compare_resources(old: &Resource<'_>, new: &Resource<'_>, changes: &mut Vec<Change>) {
    let mut differ = |kind, before: String, after: String, operations| {
        let (before, after) = (Some(before), Some(after));
        changes.push(Change { place: new.place.clone(), kind, before, after, reach: reach(new, operations) });
    };
    let all = new.parts.values().map(|part| part.routes.len()).sum();
    if old.kind != new.kind {
        differ(Kind::KindChanged, old.kind.clone(), new.kind.clone(), all);
    }
    if old.scope != new.scope {
        let word = |scope| match scope {
            Scope::Namespaced => "namespaced".to_owned(),
            Scope::Cluster => "cluster".to_owned(),
        };
        // All paths differ then, which says nothing new.
        return differ(Kind::ScopeChanged, word(old.scope), word(new.scope), all);
    }
    let mut missing = |these: &Resource<'_>, those: &Resource<'_>, kind| {
        for (name, part) in &these.parts {
            if !those.parts.contains_key(name) {
                let reach = reach(these, part.routes.len());
                changes.push(Change { reach, ..one(these.place.inside(name), kind, verbs(part)) });
            }
        }
    };
    missing(old, new, Kind::SubresourceRemoved);
    missing(new, old, Kind::SubresourceAdded);
    for (name, before) in &old.parts {
        if let Some(after) = new.parts.get(name) {
            let keys = |part: &Part<'_>| part.routes.keys().cloned().collect();
            routes(&new.place.inside(name), &keys(before), &keys(after), changes);
        }
    }
}

/// The parts that both sides have.
fn pairs<'p, 'a>(
    old: &'p Resource<'a>,
    new: &'p Resource<'a>,
) -> impl Iterator<Item = (&'p Part<'a>, &'p Part<'a>)> + 'p {
    old.parts.iter().filter_map(|(name, part)| Some((part, new.parts.get(name)?)))
}

fn routes(place: &Place, old: &BTreeSet<String>, new: &BTreeSet<String>, changes: &mut Vec<Change>) {
    let reach = Reach { operations: 1, ..Reach::default() };
    let change = |kind, route: &String| Change { reach: reach.clone(), ..one(place.clone(), kind, route.clone()) };
    changes.extend(old.difference(new).map(|route| change(Kind::OperationRemoved, route)));
    changes.extend(new.difference(old).map(|route| change(Kind::OperationAdded, route)));
}

/// Differences inside of operations that both sides have. Most are the same in many of them.
#[derive(Default)]
struct Details {
    /// What differs, and in which operations of which kinds.
    routes: BTreeMap<Detail, BTreeMap<String, Place>>,
}

/// What differs: kind, the parameter or status code, before and after.
type Detail = (Kind, String, Option<String>, Option<String>);

/// An operation, and the kind that it is about.
type Route<'a> = (&'a str, Place);

/// How many operations are named.
const NAMED: usize = 2;

impl Details {
    fn add(&mut self, (route, kind): &Route<'_>, detail: Detail) {
        self.routes.entry(detail).or_default().insert((*route).to_owned(), kind.clone());
    }

    fn compare(&mut self, (route, kind): (&str, Place), old: &Operation, new: &Operation) {
        let route = &(route, kind);
        for before in &old.parameters {
            match new.parameters.iter().find(|after| same(before, after)) {
                Some(after) => self.compare_parameters(route, before, after),
                None => self.add(route, (Kind::ParameterRemoved, parameter(before), None, None)),
            }
        }
        for after in &new.parameters {
            if !old.parameters.iter().any(|before| same(before, after)) {
                let kind = if after.required { Kind::RequiredParameterAdded } else { Kind::ParameterAdded };
                self.add(route, (kind, parameter(after), None, None));
            }
        }
        let (before, after) = (contents(old.body.as_ref()), contents(new.body.as_ref()));
        self.compare_contents(route, Kind::BodyChanged, "request body", before, after);
        for (code, before) in &old.answers {
            let after = new.answers.get(code).map(|answer| answer.contents.as_slice()).unwrap_or_default();
            self.compare_contents(route, Kind::AnswerChanged, &format!("answer {code}"), &before.contents, after);
        }
    }

    fn compare_parameters(&mut self, route: &Route<'_>, old: &Parameter, new: &Parameter) {
        let kind = match (old.required, new.required) {
            (false, true) => Some(Kind::ParameterNowRequired),
            (true, false) => Some(Kind::ParameterNoLongerRequired),
            _ => None,
        };
        if let Some(kind) = kind {
            self.add(route, (kind, parameter(new), None, None));
        }
        let (before, after) = (super::types::text(&old.schema), super::types::text(&new.schema));
        if before != after {
            self.add(route, (Kind::ParameterType, parameter(new), Some(before), Some(after)));
        }
    }

    fn compare_contents(&mut self, route: &Route<'_>, kind: Kind, what: &str, old: &[Content], new: &[Content]) {
        let types = |contents: &[Content]| {
            let texts: BTreeSet<String> =
                contents.iter().filter_map(|content| content.schema.as_ref()).map(super::types::text).collect();
            texts.into_iter().collect::<Vec<_>>().join(" or ")
        };
        let (before, after) = (types(old), types(new));
        if before != after {
            return self.add(route, (kind, what.to_owned(), Some(before), Some(after)));
        }
        let media_types = |contents: &[Content]| {
            contents.iter().flat_map(|content| content.media_types.clone()).collect::<BTreeSet<String>>()
        };
        let (before, after) = (media_types(old), media_types(new));
        for gone in before.difference(&after) {
            self.add(route, (Kind::MediaTypeRemoved, what.to_owned(), Some(gone.clone()), None));
        }
        for added in after.difference(&before) {
            self.add(route, (Kind::MediaTypeAdded, what.to_owned(), None, Some(added.clone())));
        }
    }

    fn into_changes(self) -> impl Iterator<Item = Change> {
        self.routes.into_iter().map(|((kind, name, before, after), routes)| {
            let mut named: Vec<&str> = routes.keys().take(NAMED).map(String::as_str).collect();
            let more = format!("{} more", routes.len().saturating_sub(NAMED));
            if routes.len() > NAMED {
                named.push(&more);
            }
            let versions: BTreeSet<(&str, &str)> =
                routes.values().map(|place| (place.group.as_str(), place.version.as_str())).collect();
            // What versions of several groups have is in none of them.
            let (group, version) = match versions.first() {
                Some(&(group, version)) if versions.len() == 1 => (group.to_owned(), version.to_owned()),
                _ => (String::new(), String::new()),
            };
            let place = Place { group, version, name, path: named.join(", ") };
            let operations = routes.len();
            let kinds = routes.into_values().filter(|kind| !kind.name.is_empty()).collect();
            Change { place, kind, before, after, reach: Reach { kinds, operations, ..Reach::default() } }
        })
    }
}

fn contents(body: Option<&Body>) -> &[Content] {
    body.map(|body| body.contents.as_slice()).unwrap_or_default()
}

fn same(a: &Parameter, b: &Parameter) -> bool {
    a.name == b.name && a.location == b.location
}

/// `query shardSelector`
fn parameter(parameter: &Parameter) -> String {
    format!("{} {}", parameter.location.as_str(), parameter.name)
}
