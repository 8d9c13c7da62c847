//! Reading one object, and lists: selectors, pages, and older revisions.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use k8s_client_runtime::selector::{FieldSelector, Selector};
use serde_json::{Value, json};

use super::{Call, options, selector};
use crate::{
    breaks::{Break, is_broken},
    failure::{Failure, Result},
    http::{Answer, Content},
    json_path,
    model::Resource,
    state::{State, in_version},
    store::{Object, prefix},
};

pub(super) fn get(state: &mut State, call: &Call) -> Result<Answer> {
    check_not_ahead(state, revision(call, false)?)?;
    Ok(Answer::object(&call.resource, state.object(&call.resource, call.namespace(), call.name())?))
}

/// The `resourceVersion` of a request; 0 if it says none.
pub(super) fn revision(call: &Call, of_watch: bool) -> Result<u64> {
    let text = call.query.text("resourceVersion");
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let problem =
            format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
        if of_watch {
            Failure::internal(problem)
        } else {
            Failure::bad_request(format!("invalid resource version: {problem}"))
        }
    })
}

/// A revision that has not come yet cannot be read.
fn check_not_ahead(state: &State, revision: u64) -> Result<()> {
    let current = state.store.revision();
    if revision > current { Err(Failure::too_large_resource_version(revision, current)) } else { Ok(()) }
}

/// Which objects are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    labels: Selector,
    fields: FieldSelector,
}

impl Selection {
    /// The selectors of a request. A path to one object is a selector of its name.
    pub(super) fn of(call: &Call) -> Result<Self> {
        let labels = call.query.text("labelSelector");
        let labels: Selector = labels.parse().map_err(|error| {
            let problem = selector::problem(labels);
            Failure::bad_request(problem.unwrap_or_else(|| format!("unable to parse requirement: {error}")))
        })?;
        let text = call.query.text("fieldSelector");
        let mut fields: FieldSelector = text.parse().map_err(|_| {
            let term = text.split(',').find(|term| !term.contains('=')).unwrap_or(text);
            Failure::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"))
        })?;
        for (field, ..) in fields.terms() {
            check_field(&call.resource, field)?;
        }
        if let Some(name) = &call.path.name {
            fields = fields.equal("metadata.name", name);
        }
        Ok(Self { labels, fields })
    }

    pub(super) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// Whether one object alone can be meant, which is read instead of listed.
    fn is_of_one(&self) -> bool {
        self.fields.terms().any(|(field, equal, _)| field == "metadata.name" && equal)
    }

    /// Whether an object of a resource is meant.
    pub(crate) fn matches(&self, resource: &Resource, object: &Object) -> bool {
        let labels = &object.value["metadata"]["labels"];
        let by_label = self.labels.is_everything()
            || self.labels.matches_by(|label| labels[label].as_str())
            || is_broken(Break::LabelsSelectNothing);
        let by_field = || {
            let mut terms = self.fields.terms();
            terms.all(|(field, equal, value)| (field_value(resource, object, field) == value) == equal)
        };
        by_label && (is_broken(Break::FieldsSelectNothing) || by_field())
    }
}

/// Fields that selectors can name beside the name and the namespace, by resource. The specs do not say them.
const SELECTABLE: [(&str, &[&str]); 12] = [
    (
        "pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("nodes", &["spec.unschedulable"]),
    ("namespaces", &["status.phase"]),
    ("secrets", &["type"]),
    ("services", &["spec.clusterIP", "spec.type"]),
    ("replicationcontrollers", &["status.replicas"]),
    ("jobs.batch", &["status.successful"]),
    (
        "events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    (
        "events.events.k8s.io",
        &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
    ),
    ("certificatesigningrequests.certificates.k8s.io", &["spec.signerName"]),
    ("clustertrustbundles.certificates.k8s.io", &["spec.signerName"]),
    ("resourceslices.resource.k8s.io", &["spec.nodeName", "spec.driver", "spec.pool.name"]),
];

fn selectable(resource: &Resource) -> Vec<&str> {
    if let Some(custom) = &resource.custom {
        return custom.selectable.iter().map(String::as_str).collect();
    }
    let name = resource.qualified();
    SELECTABLE.iter().find(|(known, _)| *known == name).map_or_else(Vec::new, |(_, fields)| fields.to_vec())
}

/// A field that selectors cannot name is refused, so that nobody believes that it selects.
fn check_field(resource: &Resource, field: &str) -> Result<()> {
    let mut known = vec!["metadata.name"];
    if resource.namespaced {
        known.push("metadata.namespace");
    }
    let of_kind = selectable(resource);
    if known.contains(&field) || of_kind.contains(&field) {
        return Ok(());
    }
    if of_kind.is_empty() && resource.custom.is_none() {
        // Kinds without fields of their own do not ask what they are of.
        known = vec!["metadata.name", "metadata.namespace"];
        if known.contains(&field) {
            return Ok(());
        }
        let known: Vec<String> = known.iter().map(|field| format!("{field:?}")).collect();
        let message = format!("{field:?} is not a known field selector: only {}", known.join(", "));
        return Err(Failure::bad_request(message));
    }
    let message = if resource.group == "batch" {
        format!("field label {field:?} not supported for {}", resource.kind)
    } else {
        format!("field label not supported: {field}")
    };
    Err(Failure::bad_request(message))
}

/// The text of a field as selectors compare it; empty if it is not there.
fn field_value(resource: &Resource, object: &Object, field: &str) -> String {
    let value = match (resource.plural.as_str(), field) {
        ("pods", "status.podIPs") => json_path::get(&object.value, "status.podIPs[0].ip"),
        ("jobs", "status.successful") => json_path::get(&object.value, "status.succeeded"),
        ("events", "source") => json_path::get(&object.value, "source.component"),
        _ => json_path::get(&object.value, field),
    };
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        // Go's strings of what has its zero.
        None | Some(_) => match (resource.plural.as_str(), field) {
            ("pods", "spec.hostNetwork") | ("nodes", "spec.unschedulable") => "false".to_owned(),
            ("replicationcontrollers", "status.replicas") | ("jobs", "status.successful") => "0".to_owned(),
            _ => String::new(),
        },
    }
}

/// Where a list goes on.
struct Continue {
    /// The revision of the first page; -1 for the latest.
    revision: i64,
    /// The key behind which it goes on.
    after: String,
}

impl Continue {
    fn parse(token: &str) -> Result<Self> {
        let wrong = |problem: &str| {
            Failure::bad_request(format!("invalid continue token: continue key is not valid: {problem}"))
        };
        let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|error| wrong(&error.to_string()))?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| match bytes.first() {
            None => wrong("unexpected end of JSON input"),
            Some(first) => wrong(&format!("invalid character {} looking for beginning of value", go_character(*first))),
        })?;
        if token["v"] != "meta.k8s.io/v1" {
            return Err(wrong("server does not recognize this encoded version"));
        }
        let start = token["start"].as_str().unwrap_or_default();
        let after = start.strip_suffix('\0').unwrap_or(start);
        let revision = token["rv"].as_i64().unwrap_or_default();
        if after.is_empty() || after.starts_with('/') || revision == 0 {
            return Err(wrong("the key is empty, or has no revision"));
        }
        Ok(Self { revision, after: after.to_owned() })
    }

    fn token(&self, prefix: &str) -> String {
        let start = format!("{}\0", self.after.strip_prefix(prefix).unwrap_or(&self.after));
        let text = json!({"v": "meta.k8s.io/v1", "rv": self.revision, "start": start}).to_string();
        URL_SAFE_NO_PAD.encode(text)
    }
}

/// A byte as Go's errors show it.
fn go_character(byte: u8) -> String {
    match char::from(byte) {
        '\'' => "'\\''".to_owned(),
        character @ ('\u{80}'..='\u{a0}' | '\u{ad}') => format!("'\\u{:04x}'", u32::from(character)),
        character if character.is_control() => format!("'\\x{byte:02x}'"),
        character => format!("'{character}'"),
    }
}

/// A page of objects, and the metadata of its list.
pub(super) struct Page {
    pub(super) objects: Vec<Arc<Object>>,
    pub(super) meta: Value,
}

pub(super) fn list(state: &mut State, call: &Call) -> Result<Answer> {
    let page = page(state, call)?;
    Ok(Answer::ok(Content::List(Arc::clone(&call.resource), page.objects, page.meta)))
}

/// The page that a list asks for.
pub(super) fn page(state: &State, call: &Call) -> Result<Page> {
    options::check_list(call)?;
    let selection = Selection::of(call)?;
    let (asked, current) = (revision(call, false)?, state.store.revision());
    let limit = call.query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let limit = limit.filter(|_| call.query.text("resourceVersion") != "0" && !is_broken(Break::ListIsNotLimited));
    let in_one_place = call.path.namespace.is_some() || !call.resource.namespaced;
    let limit = limit.filter(|_| !(selection.is_of_one() && in_one_place));
    let prefix = prefix(call.path.namespace.as_deref().filter(|_| call.resource.namespaced));
    let token = Some(call.query.text("continue")).filter(|token| !token.is_empty());
    let token = token.map(Continue::parse).transpose()?;
    if token.is_some() && asked > 0 {
        return Err(Failure::bad_request("specifying resource version is not allowed when using continue"));
    }
    check_not_ahead(state, asked)?;
    let exact = match (&token, call.query.text("resourceVersionMatch")) {
        (Some(token), _) => u64::try_from(token.revision).ok(),
        (None, "Exact") => Some(asked),
        (None, "") if asked > 0 && limit.is_some() => Some(asked),
        _ => None,
    };
    let exact = exact.filter(|_| !is_broken(Break::ListOfAnOlderVersionIsTheLatest));
    let after =
        token.as_ref().filter(|_| !is_broken(Break::PageBeginsAnew)).map(|token| format!("{prefix}{}", token.after));
    let old = match exact {
        Some(revision) => Some(
            state.store.at(&call.resource.storage, revision).ok_or_else(|| expired(state, revision, token.as_ref()))?,
        ),
        None => None,
    };
    let revision = exact.unwrap_or(current);
    let found = match &old {
        Some(objects) => gather(objects_of(objects, &prefix, after.as_deref()), call, &selection, limit),
        None => gather(state.store.list(&call.resource.storage, &prefix, after.as_deref()), call, &selection, limit),
    };
    let mut meta = json!({"resourceVersion": revision.to_string()});
    if let Some((last, remaining)) = found.more {
        let revision = i64::try_from(revision).unwrap_or(i64::MAX);
        meta["continue"] = Continue { revision, after: last }.token(&prefix).into();
        if selection.is_everything() && !is_broken(Break::RemainingItemsAreNotCounted) {
            meta["remainingItemCount"] = remaining.into();
        }
    }
    Ok(Page { objects: found.objects, meta })
}

fn objects_of<'a>(
    objects: &'a BTreeMap<String, Arc<Object>>,
    prefix: &'a str,
    after: Option<&'a str>,
) -> impl Iterator<Item = (&'a String, &'a Arc<Object>)> {
    let is_meant = move |(key, _): &(&String, &Arc<Object>)| {
        key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after)
    };
    objects.iter().filter(is_meant)
}

struct Found {
    objects: Vec<Arc<Object>>,
    /// The key of the last object of the page and how many come after it, if there are any.
    more: Option<(String, usize)>,
}

fn gather<'a>(
    objects: impl Iterator<Item = (&'a String, &'a Arc<Object>)>,
    call: &Call,
    selection: &Selection,
    limit: Option<usize>,
) -> Found {
    let mut found = Vec::new();
    let mut last = String::new();
    let everything = selection.is_everything();
    let mut objects = objects;
    for (key, object) in objects.by_ref() {
        let object = in_version(object, &call.resource);
        if everything || selection.matches(&call.resource, &object) {
            found.push(object);
        }
        if Some(found.len()) == limit {
            last.clone_from(key);
            break;
        }
    }
    // There is more as long as there are objects, be they meant or not: the server has not looked at them.
    let remaining = if last.is_empty() { 0 } else { objects.count() };
    Found { objects: found, more: (remaining > 0).then_some((last, remaining)) }
}

fn expired(state: &State, revision: u64, token: Option<&Continue>) -> Box<Failure> {
    let Some(token) = token else {
        let compacted = state.store.compacted();
        return Failure::expired(format!(
            "The resourceVersion for the provided list is too old. ({revision} < {compacted})"
        ));
    };
    let mut failure = Failure::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without \
         the continue parameter, or use the continue token in this response to retrieve the remainder of the results. \
         Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
         deleted between the time the first chunk was returned and now may show up in the list.",
    );
    failure.continue_token = Some(Continue { revision: -1, after: token.after.clone() }.token(""));
    failure
}

/// The objects of a resource that are in a namespace, or of all.
pub(super) fn all(state: &State, resource: &Resource, namespace: Option<&str>) -> Vec<Arc<Object>> {
    let prefix = prefix(namespace);
    state.store.list(&resource.storage, &prefix, None).map(|(_, object)| Arc::clone(object)).collect()
}
