//! Jobs: pods until enough of them have succeeded.

use serde_json::{Value, json};

use super::{
    MANAGER, condition,
    work::{Work, count},
};
use crate::state::State;

pub(super) fn sync(state: &mut State, job: &Work) {
    let is_over = ["Complete", "Failed"].iter().any(|kind| has(job, kind));
    // The pods of indexed jobs have states of their own, which nobody has here.
    if is_over || job.spec()["completionMode"] == "Indexed" {
        return;
    }
    let pods = job.claimed(state, ("v1", "pods"), |_| true);
    let active: Vec<&Work> = pods.iter().filter(|pod| pod.is_active()).collect();
    let (succeeded, failed) =
        (count(&pods, |pod| pod.phase() == "Succeeded"), count(&pods, |pod| pod.phase() == "Failed"));
    let completions = job.spec()["completions"].as_i64();
    let is_suspended = job.spec()["suspend"] == true;
    let is_complete = match completions {
        Some(completions) => succeeded >= completions,
        None => succeeded > 0 && active.is_empty(),
    };
    let has_failed = failed > job.number("/spec/backoffLimit");
    let parallelism = job.number("/spec/parallelism");
    let wanted = match completions {
        _ if is_complete || has_failed || is_suspended => 0,
        Some(completions) => parallelism.min(completions - succeeded),
        // Once one has succeeded, the others know that there is nothing left to do.
        None if succeeded > 0 => parallelism.min(count(active.iter().copied(), |_| true)),
        None => parallelism,
    };
    let wanted = usize::try_from(wanted).unwrap_or(0);
    for _ in active.len()..wanted {
        if !job.create_pod(state, |_| {}) {
            break;
        }
    }
    for pod in active.iter().skip(wanted) {
        pod.delete(state);
    }
    let status = status(state, job, is_suspended, is_complete, has_failed);
    job.set_status(state, MANAGER, status);
}

fn has(job: &Work, kind: &str) -> bool {
    let conditions = job.status()["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["type"] == kind && condition["status"] == "True")
}

fn status(state: &State, job: &Work, is_suspended: bool, is_complete: bool, has_failed: bool) -> Value {
    let pods = job.controlled(state, "v1", "pods");
    let now = state.clock.timestamp();
    let mut status = json!({
        "uncountedTerminatedPods": {},
        "ready": count(&pods, |pod| pod.is_active() && pod.is_ready()),
        "terminating": count(&pods, |pod| pod.object.is_being_deleted()),
    });
    for (name, number) in [
        ("active", count(&pods, Work::is_active)),
        ("succeeded", count(&pods, |pod| pod.phase() == "Succeeded")),
        ("failed", count(&pods, |pod| pod.phase() == "Failed")),
    ] {
        if number > 0 {
            status[name] = number.into();
        }
    }
    if !is_suspended {
        status["startTime"] = job.status().get("startTime").cloned().unwrap_or_else(|| now.clone().into());
    }
    let mut conditions = condition::of(job.status());
    let mut set = |kind, fields| {
        let is_new = !conditions.iter().any(|condition| condition["type"] == kind);
        condition::set(&mut conditions, kind, fields, &now);
        if let Some(last) = conditions.last_mut().filter(|_| is_new) {
            last["lastProbeTime"] = now.clone().into();
        }
    };
    if is_suspended {
        set("Suspended", ["True", "JobSuspended", "Job suspended"]);
    } else if has(job, "Suspended") {
        set("Suspended", ["False", "JobResumed", "Job resumed"]);
    }
    if is_complete {
        let message = "Reached expected number of succeeded pods";
        set("SuccessCriteriaMet", ["True", "CompletionsReached", message]);
        set("Complete", ["True", "CompletionsReached", message]);
        status["completionTime"] = now.clone().into();
    } else if has_failed {
        let message = "Job has reached the specified backoff limit";
        set("FailureTarget", ["True", "BackoffLimitExceeded", message]);
        set("Failed", ["True", "BackoffLimitExceeded", message]);
    }
    if !conditions.is_empty() {
        status["conditions"] = conditions.into();
    }
    status
}
