//! Deployments: a ReplicaSet for each template, and the way from one to the next.

use serde_json::{Map, Value, json};

use super::{
    MANAGER, condition,
    replica_set::has_terminating,
    work::{self, Work, count, hash},
};
use crate::state::State;

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations of a Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 5] = ["kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM];

/// How many pods there may be at a time, and how many there must be.
struct Limits {
    replicas: i64,
    surge: i64,
    /// The least that must be available.
    available: i64,
}

impl Limits {
    fn of(deployment: &Work) -> Self {
        let replicas = deployment.number("/spec/replicas");
        let strategy = &deployment.spec()["strategy"];
        if strategy["type"] == "Recreate" {
            return Self { replicas, surge: 0, available: 0 };
        }
        let part = |name: &str, rounding: i64| match &strategy["rollingUpdate"][name] {
            Value::String(text) => {
                let percent: i64 = text.trim_end_matches('%').parse().unwrap_or_default();
                percent.saturating_mul(replicas).saturating_add(rounding) / 100
            }
            number => number.as_i64().unwrap_or_default(),
        };
        let (surge, unavailable) = (part("maxSurge", 99), part("maxUnavailable", 0));
        // With neither of them nothing could ever move.
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Self { replicas, surge, available: (replicas - unavailable).max(0) }
    }

    fn most(&self) -> i64 {
        self.replicas.saturating_add(self.surge)
    }
}

/// Its ReplicaSets.
struct Sets {
    /// That of the template that is wanted.
    new: Option<Work>,
    /// The others, in the order of their names.
    old: Vec<Work>,
}

impl Sets {
    fn of(state: &State, deployment: &Work) -> Self {
        Self::among(deployment.controlled(state, "apps/v1", "replicasets"), deployment)
    }

    fn among(all: Vec<Work>, deployment: &Work) -> Self {
        let wanted = &deployment.spec()["template"];
        let (mut new, mut old) = (None, Vec::new());
        for set in all {
            if new.is_none() && without_hash(&set.spec()["template"]) == *wanted {
                new = Some(set);
            } else {
                old.push(set);
            }
        }
        Self { new, old }
    }

    fn all(&self) -> impl Iterator<Item = &Work> {
        self.new.iter().chain(&self.old)
    }

    fn sum(&self, pointer: &str) -> i64 {
        self.all().map(|set| set.number(pointer)).sum()
    }
}

fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    template
}

fn annotation<'a>(work: &'a Work, name: &str) -> &'a str {
    work.object.value["metadata"]["annotations"][name].as_str().unwrap_or_default()
}

fn revision(set: &Work) -> i64 {
    annotation(set, REVISION).parse().unwrap_or_default()
}

pub(super) fn sync(state: &mut State, deployment: &Work) {
    let sets = Sets::among(deployment.claimed(state, ("apps/v1", "replicasets"), |_| true), deployment);
    let limits = Limits::of(deployment);
    let is_paused = deployment.spec()["paused"] == true;
    let deployment = if is_paused {
        scale_alone(state, &sets, &limits);
        deployment.clone()
    } else {
        let deployment = roll(state, deployment, sets, &limits);
        forget(state, &deployment, &limits);
        deployment
    };
    let sets = Sets::of(state, &deployment);
    let status = status(state, &deployment, &sets, &limits);
    deployment.set_status(state, MANAGER, status);
}

/// One that is paused has no new template, but may have more or fewer pods of the one that it has.
fn scale_alone(state: &mut State, sets: &Sets, limits: &Limits) {
    let mut active = sets.all().filter(|set| set.number("/spec/replicas") > 0);
    if let (Some(only), None) = (active.next().or(sets.new.as_ref()), active.next()) {
        scale(state, only, limits.replicas, limits);
    }
}

/// Goes a step from the old templates to the new one.
fn roll(state: &mut State, deployment: &Work, mut sets: Sets, limits: &Limits) -> Work {
    let is_recreated = deployment.spec()["strategy"]["type"] == "Recreate";
    if is_recreated && takes_down_old(state, &sets, limits) {
        return deployment.clone();
    }
    let latest = sets.old.iter().map(revision).max().unwrap_or_default() + 1;
    let wanted = wanted_of_new(&sets, limits);
    let new = match &sets.new {
        Some(new) => new.change(state, MANAGER, |set| {
            annotate(set, deployment, latest.max(revision(new)), limits);
            set["spec"]["replicas"] = wanted.into();
        }),
        None => match create(state, deployment, wanted, latest, limits) {
            Some(new) => new,
            None => return deployment.clone(),
        },
    };
    let revision = annotation(&new, REVISION).to_owned();
    let is_created = sets.new.is_none();
    // By its status: the generation counts what users say.
    let deployment = deployment.change_by_status(state, MANAGER, |object| {
        object["metadata"]["annotations"][REVISION] = revision.into();
    });
    if is_created {
        // What is there now is not what the sums below are of.
        return deployment;
    }
    sets.new = Some(new);
    if !is_recreated {
        take_from_old(state, &sets, limits);
    }
    deployment
}

/// Takes all old pods away, and says whether some are still there.
fn takes_down_old(state: &mut State, sets: &Sets, limits: &Limits) -> bool {
    for set in sets.old.iter().filter(|set| set.number("/spec/replicas") > 0) {
        scale(state, set, 0, limits);
    }
    sets.old.iter().any(|set| {
        let pods = set.controlled(state, "v1", "pods");
        pods.iter().any(|pod| !matches!(pod.phase(), "Succeeded" | "Failed"))
    })
}

/// How many pods the new ReplicaSet is to have now.
fn wanted_of_new(sets: &Sets, limits: &Limits) -> i64 {
    let has = sets.new.as_ref().map_or(0, |new| new.number("/spec/replicas"));
    if has >= limits.replicas {
        return limits.replicas;
    }
    let room = (limits.most() - sets.sum("/spec/replicas")).max(0);
    (has + room).min(limits.replicas)
}

/// Takes pods from the old ReplicaSets, as many as can be missed: first those that are not available anyway.
fn take_from_old(state: &mut State, sets: &Sets, limits: &Limits) {
    let Some(new) = &sets.new else { return };
    let new_missing = new.number("/spec/replicas") - new.number("/status/availableReplicas");
    let mut left = sets.sum("/spec/replicas") - limits.available - new_missing;
    let mut available = sets.sum("/status/availableReplicas") - limits.available;
    for set in &sets.old {
        let has = set.number("/spec/replicas");
        let unavailable = (has - set.number("/status/availableReplicas")).clamp(0, left.max(0));
        let more = (has - unavailable).clamp(0, available.min(left - unavailable).max(0));
        left -= unavailable + more;
        available -= more;
        if unavailable + more > 0 {
            scale(state, set, has - unavailable - more, limits);
        }
    }
}

fn scale(state: &mut State, set: &Work, replicas: i64, limits: &Limits) {
    set.change(state, MANAGER, |set| {
        set["spec"]["replicas"] = replicas.into();
        set["metadata"]["annotations"][DESIRED] = limits.replicas.to_string().into();
        set["metadata"]["annotations"][MAXIMUM] = limits.most().to_string().into();
    });
}

fn annotate(set: &mut Value, deployment: &Work, revision: i64, limits: &Limits) {
    let annotations = &mut set["metadata"]["annotations"];
    let given = deployment.object.value["metadata"]["annotations"].as_object();
    for (name, value) in given.into_iter().flatten().filter(|(name, _)| !NOT_COPIED.contains(&name.as_str())) {
        annotations[name] = value.clone();
    }
    let revision = revision.to_string();
    if let Some(before) = annotations[REVISION].as_str().map(str::to_owned).filter(|before| *before != revision) {
        let history = annotations[HISTORY].as_str().map(|history| format!("{history},{before}"));
        annotations[HISTORY] = history.unwrap_or(before).into();
    }
    annotations[REVISION] = revision.into();
    annotations[DESIRED] = limits.replicas.to_string().into();
    annotations[MAXIMUM] = limits.most().to_string().into();
}

fn create(state: &mut State, deployment: &Work, replicas: i64, revision: i64, limits: &Limits) -> Option<Work> {
    let mut template = deployment.spec()["template"].clone();
    let hash = hash(&template);
    let labeled = |labels: &mut Value| labels[HASH] = hash.clone().into();
    labeled(&mut template["metadata"]["labels"]);
    let mut selector = deployment.spec()["selector"].clone();
    labeled(&mut selector["matchLabels"]);
    let mut set = json!({
        "metadata": {
            "name": format!("{}-{hash}", deployment.name()), "labels": template["metadata"]["labels"],
            "ownerReferences": deployment.as_owner(),
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    if let Some(seconds) = deployment.spec().get("minReadySeconds") {
        set["spec"]["minReadySeconds"] = seconds.clone();
    }
    annotate(&mut set, deployment, revision, limits);
    let resource = state.built_in("apps/v1", "replicasets")?;
    let object = work::create(state, MANAGER, ("apps/v1", "replicasets"), deployment.namespace(), &set)?;
    Some(Work { resource, object })
}

/// Deletes old ReplicaSets that are more than the history is to have, once nothing is on its way.
fn forget(state: &mut State, deployment: &Work, limits: &Limits) {
    let sets = Sets::of(state, deployment);
    if sets.sum("/status/replicas") != limits.replicas {
        return;
    }
    let is_empty = |set: &&Work| set.number("/spec/replicas") == 0 && set.number("/status/replicas") == 0;
    let mut old: Vec<&Work> = sets.old.iter().filter(is_empty).collect();
    old.sort_by_key(|set| revision(set));
    let kept = usize::try_from(deployment.number("/spec/revisionHistoryLimit")).unwrap_or(usize::MAX);
    for set in old.iter().take(old.len().saturating_sub(kept)).filter(|set| !set.object.is_being_deleted()) {
        set.delete(state);
    }
}

fn status(state: &State, deployment: &Work, sets: &Sets, limits: &Limits) -> Value {
    let of_new = |pointer: &str| sets.new.as_ref().map_or(0, |new| new.number(pointer));
    let (replicas, available) = (sets.sum("/status/replicas"), sets.sum("/status/availableReplicas"));
    let updated = of_new("/status/replicas");
    let mut status = Map::new();
    status.insert("observedGeneration".to_owned(), deployment.number("/metadata/generation").into());
    for (name, number) in [
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", sets.sum("/status/readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", (sets.sum("/spec/replicas") - available).max(0)),
    ] {
        if number > 0 {
            status.insert(name.to_owned(), number.into());
        }
    }
    if has_terminating(deployment) {
        let pods = sets.all().flat_map(|set| set.controlled(state, "v1", "pods"));
        let ending = count(&pods.collect::<Vec<_>>(), |pod| pod.object.is_being_deleted());
        status.insert("terminatingReplicas".to_owned(), ending.into());
    }
    let is_complete = updated == limits.replicas && replicas == limits.replicas && available == limits.replicas;
    let conditions = conditions(state, deployment, sets, available >= limits.available, is_complete);
    status.insert("conditions".to_owned(), conditions.into());
    status.into()
}

/// Whether the last rollout has ended and only the number of pods is on its way.
fn is_settled(conditions: &[Value], sets: &Sets) -> bool {
    conditions.iter().any(|condition| condition["type"] == "Progressing" && condition["reason"] == COMPLETE)
        && sets.old.iter().all(|set| set.number("/status/replicas") == 0)
}

/// Why a Deployment whose pods are all new and ready is progressing.
const COMPLETE: &str = "NewReplicaSetAvailable";

fn conditions(state: &State, deployment: &Work, sets: &Sets, is_available: bool, is_complete: bool) -> Vec<Value> {
    let before = condition::of(deployment.status());
    let mut conditions = before.clone();
    let now = state.clock.timestamp();
    let mut set = |kind: &str, fields: [&str; 3]| condition::set(&mut conditions, kind, fields, &now);
    if is_available {
        set("Available", ["True", "MinimumReplicasAvailable", "Deployment has minimum availability."]);
    } else {
        let message = "Deployment does not have minimum availability.";
        set("Available", ["False", "MinimumReplicasUnavailable", message]);
    }
    if deployment.spec()["paused"] == true {
        set("Progressing", ["Unknown", "DeploymentPaused", "Deployment is paused"]);
    } else if let Some(new) = sets.new.as_ref().filter(|_| !is_settled(&before, sets)) {
        let (reason, did) = if is_complete {
            (COMPLETE, "has successfully progressed")
        } else {
            ("ReplicaSetUpdated", "is progressing")
        };
        set("Progressing", ["True", reason, &format!("ReplicaSet \"{}\" {did}.", new.name())]);
    }
    for condition in conditions.iter_mut().filter(|condition| !before.contains(condition)) {
        condition["lastUpdateTime"] = now.clone().into();
    }
    conditions
}
