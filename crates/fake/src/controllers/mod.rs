//! What controllers of a cluster, its scheduler and its kubelets do, as far as tests of users need it: the README of
//! this crate has a line for each, with the reason why it does as much as it does.
//!
//! All of it is written through the verbs, so that fields have the owners that they have in a cluster.

mod condition;
mod daemon_set;
mod deployment;
mod job;
mod kubelet;
mod replica_set;
mod stateful_set;
mod work;

use work::{Work, all};

use crate::{garbage, server::FakeServer, state::State};

/// Who the controllers are.
const MANAGER: &str = "kube-controller-manager";

/// How often everything is looked at before it counts as a circle: there is none that is known of.
const MOST_PASSES: usize = 10_000;

/// The resources of which a change gives controllers something to do.
const WATCHED: [&str; 8] = [
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "pods",
    "nodes",
    "namespaces",
];

type Sync = fn(&mut State, &Work);

/// The controllers by the resources that they see to.
const CONTROLLERS: [(&str, &str, Sync); 5] = [
    ("apps/v1", "deployments", deployment::sync),
    ("apps/v1", "replicasets", replica_set::sync),
    ("apps/v1", "statefulsets", stateful_set::sync),
    ("apps/v1", "daemonsets", daemon_set::sync),
    ("batch/v1", "jobs", job::sync),
];

/// Lets each controller do what there is to do for it, until nothing is left.
fn run(state: &mut State) {
    for _ in 0..MOST_PASSES {
        let before = state.store.revision();
        for (api_version, plural, sync) in CONTROLLERS {
            for work in all(state, api_version, plural) {
                if !work.object.is_being_deleted() {
                    sync(state, &work);
                }
            }
        }
        if state.store.revision() == before {
            return;
        }
    }
}

/// Does everything that a cluster would do after the write of this revision, and the next ones.
pub(crate) fn follow(state: &mut State, since: u64) {
    let concerns = |state: &State, since| {
        let events = state.store.after(since);
        events.is_none_or(|mut events| events.any(|event| WATCHED.contains(&&*event.resource)))
    };
    let mut seen = since;
    for _ in 0..MOST_PASSES {
        let before = state.store.revision();
        if before == seen {
            return;
        }
        if concerns(state, seen) {
            run(state);
            kubelet::start(state);
            kubelet::finish_jobs(state);
            garbage::end_pods(state);
        }
        garbage::collect_after(state, seen);
        seen = before;
    }
}

impl FakeServer {
    /// Does what the controllers of Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs would do now: their
    /// pods are made and deleted, and their status says what there is. What has to wait for pods waits:
    /// [`start_pods`](Self::start_pods) and [`end_terminating_pods`](Self::end_terminating_pods) are what it waits for.
    ///
    /// [`FakeServerBuilder::runs_controllers`](crate::FakeServerBuilder::runs_controllers) does all of this after each
    /// write.
    ///
    /// ```
    /// use k8s_client_fake::FakeServer;
    /// use serde_json::json;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = FakeServer::new();
    /// server.add(&json!({
    ///     "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
    ///     "spec": {
    ///         "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
    ///         "template": {
    ///             "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    ///         },
    ///     },
    /// }))?;
    /// let ready = || server.object("apps/v1", "Deployment", "default", "web").unwrap()["status"]["readyReplicas"].clone();
    ///
    /// server.run_controllers(); // There are a ReplicaSet and two pods, which do not run yet.
    /// assert!(ready().is_null());
    /// server.start_pods();
    /// server.run_controllers();
    /// assert_eq!(ready(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_controllers(&self) {
        run(&mut self.state());
        self.tell();
    }

    /// Lets pods that wait run and be ready, as a scheduler and a kubelet do. A pod without a node comes to the first
    /// Node object, or to a node of the name `fake-node` if there is none.
    pub fn start_pods(&self) {
        kubelet::start(&mut self.state());
        self.tell();
    }

    /// Lets the running pods of Jobs succeed.
    pub fn finish_job_pods(&self) {
        kubelet::finish_jobs(&mut self.state());
        self.tell();
    }
}
