//! The rows of what makes pods.

use serde_json::{Value, json};

use super::{
    age::human,
    row::{NONE, Row, joined, labels, selector},
};
use crate::clock;

/// The names and the images of a template's containers.
fn containers(row: &Row<'_>, template: &str) -> [Value; 2] {
    let containers = row.items(&format!("{template}/spec/containers"));
    ["name", "image"].map(|member| joined(containers, member).into())
}

pub(super) fn deployment(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row, "/spec/template");
    vec![
        row.name(),
        format!("{}/{}", row.number("/status/readyReplicas"), row.number("/spec/replicas")).into(),
        row.number("/status/updatedReplicas").into(),
        row.number("/status/availableReplicas").into(),
        row.age(),
        names,
        images,
        selector(row.at("/spec/selector")).into(),
    ]
}

pub(super) fn replica_set(row: &Row<'_>) -> Vec<Value> {
    replicas(row, selector(row.at("/spec/selector")))
}

pub(super) fn replication_controller(row: &Row<'_>) -> Vec<Value> {
    replicas(row, labels(row.at("/spec/selector")))
}

fn replicas(row: &Row<'_>, selector: String) -> Vec<Value> {
    let [names, images] = containers(row, "/spec/template");
    vec![
        row.name(),
        row.number("/spec/replicas").into(),
        row.number("/status/replicas").into(),
        row.number("/status/readyReplicas").into(),
        row.age(),
        names,
        images,
        selector.into(),
    ]
}

pub(super) fn stateful_set(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row, "/spec/template");
    let ready = format!("{}/{}", row.number("/status/readyReplicas"), row.number("/spec/replicas"));
    vec![row.name(), ready.into(), row.age(), names, images]
}

pub(super) fn daemon_set(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row, "/spec/template");
    let numbers = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let mut cells = vec![row.name()];
    cells.extend(numbers.map(|name| row.number(&format!("/status/{name}")).into()));
    cells.extend([
        labels(row.at("/spec/template/spec/nodeSelector")).into(),
        row.age(),
        names,
        images,
        selector(row.at("/spec/selector")).into(),
    ]);
    cells
}

pub(super) fn job(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row, "/spec/template");
    let succeeded = row.number("/status/succeeded");
    let parallelism = row.number("/spec/parallelism");
    let completions = match row.at("/spec/completions").as_i64() {
        Some(completions) => format!("{succeeded}/{completions}"),
        None if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        None => format!("{succeeded}/1"),
    };
    let seconds = |pointer: &str| clock::seconds(row.text(pointer));
    let duration = seconds("/status/startTime").map_or_else(String::new, |start| {
        human(seconds("/status/completionTime").unwrap_or(row.now).saturating_sub(start))
    });
    let states = [
        ("Complete", row.has("Complete")),
        ("Failed", row.has("Failed")),
        ("Terminating", row.is_being_deleted()),
        ("Suspended", row.has("Suspended")),
        ("FailureTarget", row.has("FailureTarget")),
        ("SuccessCriteriaMet", row.has("SuccessCriteriaMet")),
    ];
    let state = states.into_iter().find(|(_, is)| *is).map_or("Running", |(state, _)| state);
    vec![
        row.name(),
        state.into(),
        completions.into(),
        duration.into(),
        row.age(),
        names,
        images,
        selector(row.at("/spec/selector")).into(),
    ]
}

pub(super) fn cron_job(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row, "/spec/jobTemplate/spec/template");
    let suspended = match row.at("/spec/suspend").as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = row.text("/status/lastScheduleTime");
    vec![
        row.name(),
        row.text("/spec/schedule").into(),
        row.text_or("/spec/timeZone", NONE),
        suspended.into(),
        row.items("/status/active").len().into(),
        if last.is_empty() { NONE.into() } else { row.since(last) },
        row.age(),
        names,
        images,
        selector(row.at("/spec/jobTemplate/spec/selector")).into(),
    ]
}

pub(super) fn revision(row: &Row<'_>) -> Vec<Value> {
    let owner = row.items("/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true);
    let owner = owner.map_or_else(
        || NONE.to_owned(),
        |owner| {
            let text = |name: &str| owner[name].as_str().unwrap_or_default();
            let group = text("apiVersion").split_once('/').map_or(String::new(), |(group, _)| format!(".{group}"));
            format!("{}{group}/{}", text("kind").to_lowercase(), text("name"))
        },
    );
    vec![row.name(), owner.into(), row.number("/revision").into(), row.age()]
}

pub(super) fn disruption_budget(row: &Row<'_>) -> Vec<Value> {
    let limit = |pointer: &str| match row.at(pointer) {
        Value::Null => "N/A".to_owned(),
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    let allowed = row.number("/status/disruptionsAllowed");
    let (least, most) = (limit("/spec/minAvailable"), limit("/spec/maxUnavailable"));
    vec![row.name(), json!(least), json!(most), allowed.into(), row.age()]
}
