//! One follower for each instance of a container.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use k8s_client_informer::{Event, Informer};
use k8s_client_runtime::{
    Error,
    k8s_openapi::api::core::v1::Pod,
    machine,
    resource::{LogEvent, LogFollower, Logs, ResourceClient},
};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    PodLogEntry, PodLogEvent, Selection,
    containers::{Containers, Started},
};

/// How many pods are remembered that are not chosen any more. They may come back, as when a label is taken away and set
/// again, and what has been given out of them does not come twice.
const LEFT: usize = 4096;

/// The followers of all containers.
pub(super) struct Followers {
    selection: Selection,
    entries: mpsc::Sender<PodLogEntry>,
    /// The instances that are or were followed, of each pod that is or was chosen, by its uid.
    followed: HashMap<String, HashSet<String>>,
    /// The pods that are not chosen any more or are gone, the first of them first.
    left: VecDeque<String>,
    /// Dropping them aborts them.
    tasks: JoinSet<()>,
}

/// Where the entries of one container go.
struct Channel {
    namespace: Arc<str>,
    pod: Arc<str>,
    container: Arc<str>,
    entries: mpsc::Sender<PodLogEntry>,
}

impl Followers {
    pub(super) fn new(selection: Selection, entries: mpsc::Sender<PodLogEntry>) -> Self {
        Self { selection, entries, followed: HashMap::new(), left: VecDeque::new(), tasks: JoinSet::new() }
    }

    /// Follows what is started until nobody reads any more.
    pub(super) async fn follow(mut self, informer: Informer<Containers>) {
        let mut changes = informer.subscribe();
        let mut is_synced = false;
        loop {
            let event = tokio::select! {
                event = changes.next() => event,
                () = self.entries.closed() => return,
                // What has ended is not kept.
                Some(_) = self.tasks.join_next() => continue,
            };
            match event {
                Some(Event::Added(pod) | Event::Updated { new: pod, .. }) => self.follow_pod(&pod, !is_synced),
                Some(Event::Deleted { last, .. }) => self.leave(&last.uid),
                Some(Event::Synced) => is_synced = true,
                None => return,
            }
        }
    }

    /// A pod is gone, or not chosen any more. What is followed of it is followed to its end.
    fn leave(&mut self, uid: &str) {
        if !self.followed.contains_key(uid) {
            return;
        }
        self.left.push_back(uid.to_owned());
        if self.left.len() > LEFT
            && let Some(first) = self.left.pop_front()
        {
            self.followed.remove(&first);
        }
    }

    /// Follows what has been started of a pod since the last time.
    fn follow_pod(&mut self, pod: &Containers, was_there: bool) {
        if self.followed.contains_key(&pod.uid) {
            self.left.retain(|uid| *uid != pod.uid);
        }
        for started in &pod.started {
            let is_new = !self.followed.get(&pod.uid).is_some_and(|ids| ids.contains(&started.id));
            if !is_new || !(self.selection.chosen)(&pod.pod, &started.container) {
                continue;
            }
            self.followed.entry(pod.uid.clone()).or_default().insert(started.id.clone());
            let channel = Channel {
                namespace: pod.namespace.clone(),
                pod: pod.pod.clone(),
                container: started.container.clone(),
                entries: self.entries.clone(),
            };
            let logs = self.logs(pod, started, was_there);
            let follow = logs.follow_on().of_instance(&pod.uid, &started.id).buffer_bytes(self.selection.buffer);
            let restart_count = started.restart_count;
            self.tasks.spawn(machine::own(async move {
                // Nobody is told any more if nobody reads.
                let _ = channel.follow(follow.await, restart_count).await;
            }));
        }
    }

    /// The request for the log of a container.
    fn logs(&self, pod: &Containers, started: &Started, was_there: bool) -> Logs {
        let Selection { client, tail_lines, since_seconds, since_time, .. } = &self.selection;
        let pods = ResourceClient::<Pod>::namespaced(client, &pod.namespace);
        let mut logs = pods.logs(&pod.pod).container(&started.container);
        if !was_there {
            return logs;
        }
        if let Some(lines) = tail_lines {
            logs = logs.tail_lines(*lines);
        }
        if let Some(seconds) = since_seconds {
            logs = logs.since_seconds(*seconds);
        }
        if let Some(time) = since_time {
            logs = logs.since_time(*time);
        }
        logs
    }
}

/// Nobody reads any more.
struct Gone;

impl Channel {
    /// Hands on what comes of a log.
    async fn follow(&self, log: Result<LogFollower, Error>, restart_count: i32) -> Result<(), Gone> {
        let mut log = match log {
            Ok(log) => log,
            Err(error) => return self.tell(PodLogEvent::Failed(error)).await,
        };
        self.tell(PodLogEvent::Started { restart_count }).await?;
        loop {
            let event = match log.try_next().await {
                Ok(Some(LogEvent::Line(line))) => PodLogEvent::Line(line),
                Ok(Some(LogEvent::Message(text))) => PodLogEvent::Message(text),
                Ok(Some(LogEvent::Incomplete { reason })) => PodLogEvent::Incomplete { reason },
                Ok(Some(_)) => continue,
                Ok(None) => return self.tell(PodLogEvent::Ended).await,
                Err(error) => return self.tell(PodLogEvent::Failed(error)).await,
            };
            self.tell(event).await?;
        }
    }

    async fn tell(&self, event: PodLogEvent) -> Result<(), Gone> {
        let entry = PodLogEntry {
            namespace: self.namespace.clone(),
            pod: self.pod.clone(),
            container: self.container.clone(),
            event,
        };
        self.entries.send(entry).await.map_err(|_| Gone)
    }
}
