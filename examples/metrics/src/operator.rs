//! What the parts of an operator report: its informers, controllers and queues, its elector and its event recorder.

use std::{fmt, time::Duration};

use k8s_client::{Error, controller, event_recorder, informer, informer::ObjectKey, leader_election, queue};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};

use crate::register::{registered, seconds};

/// What one informer reports. A program with several gives each a label, by a sub-registry.
pub(crate) struct InformerMetrics {
    objects: Gauge,
    lists: Histogram,
    watches: Counter,
    short_watches: Counter,
    changes: Counter,
    failures: Counter,
}

fn count(number: usize) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

impl InformerMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = registry.sub_registry_with_prefix("informer");
        Self {
            objects: registered(it, "objects", "Objects in memory", Gauge::default()),
            lists: registered(it, "list_duration_seconds", "How long it took to read all objects", seconds()),
            watches: registered(it, "watches", "Watches that were opened", Counter::default()),
            short_watches: registered(it, "short_watches", "Watches that ended at once", Counter::default()),
            changes: registered(it, "changes", "Objects that have changed", Counter::default()),
            failures: registered(it, "failures", "Lists and watches that have failed", Counter::default()),
        }
    }
}

impl informer::Metrics for InformerMetrics {
    fn listed(&self, _: usize, took: Duration) {
        self.lists.observe(took.as_secs_f64());
    }

    fn watched(&self) {
        self.watches.inc();
    }

    fn ended_at_once(&self) {
        self.short_watches.inc();
    }

    fn changed(&self) {
        self.changes.inc();
    }

    fn failed(&self, _: &Error) {
        self.failures.inc();
    }

    fn objects(&self, number: usize) {
        self.objects.set(count(number));
    }
}

/// What one queue reports, under client-go's names.
pub(crate) struct QueueMetrics {
    depth: Gauge,
    adds: Counter,
    waits: Histogram,
    work: Histogram,
    retries: Counter,
}

impl QueueMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = registry.sub_registry_with_prefix("workqueue");
        Self {
            depth: registered(it, "depth", "Items that are ready", Gauge::default()),
            adds: registered(it, "adds", "Items that were added", Counter::default()),
            waits: registered(it, "queue_duration_seconds", "How long items were ready before", seconds()),
            work: registered(it, "work_duration_seconds", "How long the work on items took", seconds()),
            retries: registered(it, "retries", "Items that are tried again", Counter::default()),
        }
    }
}

impl queue::Metrics for QueueMetrics {
    fn added(&self) {
        self.adds.inc();
    }

    fn depth(&self, depth: usize) {
        self.depth.set(count(depth));
    }

    fn taken(&self, ready_for: Duration) {
        self.waits.observe(ready_for.as_secs_f64());
    }

    fn finished(&self, worked_for: Duration) {
        self.work.observe(worked_for.as_secs_f64());
    }

    fn retried(&self) {
        self.retries.inc();
    }
}

/// What is read of a queue whenever the metrics are: these times grow while work goes on.
#[derive(Debug)]
pub(crate) struct QueueStats(queue::Queue<ObjectKey>);

impl QueueStats {
    pub(crate) fn register(registry: &mut Registry, queue: &queue::Queue<ObjectKey>) {
        registry.sub_registry_with_prefix("workqueue").register_collector(Box::new(Self(queue.clone())));
    }
}

impl Collector for QueueStats {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        for (name, help, time) in [
            ("unfinished_work_seconds", "How long all work that goes on has taken so far.", stats.unfinished),
            ("longest_running_processor_seconds", "How long the oldest of it has taken.", stats.longest_running),
        ] {
            let gauge = ConstGauge::new(time.as_secs_f64());
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// What one controller reports, under controller-runtime's names.
pub(crate) struct ControllerMetrics {
    active: Gauge,
    calls: Family<[(&'static str, &'static str); 1], Counter>,
    times: Histogram,
}

impl ControllerMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = registry.sub_registry_with_prefix("controller_runtime");
        Self {
            active: registered(it, "active_workers", "Objects that are being worked on", Gauge::default()),
            calls: registered(it, "reconcile", "Calls by how they ended", Family::default()),
            times: registered(it, "reconcile_time_seconds", "How long calls took", seconds()),
        }
    }
}

impl controller::Metrics for ControllerMetrics {
    fn running(&self, objects: usize) {
        self.active.set(count(objects));
    }

    fn reconciled(&self, outcome: controller::Outcome, took: Duration) {
        self.calls.get_or_create(&[("result", outcome.as_str())]).inc();
        self.times.observe(took.as_secs_f64());
    }
}

/// What an elector reports, under client-go's names.
pub(crate) struct ElectionMetrics {
    leading: Gauge,
    renewals: Histogram,
    slow_paths: Counter,
    failures: Counter,
}

impl ElectionMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = registry.sub_registry_with_prefix("leader_election");
        Self {
            leading: registered(it, "master_status", "Whether this copy of the program leads", Gauge::default()),
            renewals: registered(it, "renewal_duration_seconds", "How long renewals took", seconds()),
            slow_paths: registered(it, "slowpath", "Renewals that had to read the lease", Counter::default()),
            failures: registered(it, "failures", "Looks at the lease and changes that have failed", Counter::default()),
        }
    }
}

impl leader_election::Metrics for ElectionMetrics {
    fn leading(&self, leading: bool) {
        self.leading.set(leading.into());
    }

    fn renewed(&self, took: Duration) {
        self.renewals.observe(took.as_secs_f64());
    }

    fn slow_path(&self) {
        self.slow_paths.inc();
    }

    fn failed(&self, _: &Error) {
        self.failures.inc();
    }
}

/// What an event recorder reports.
pub(crate) struct EventMetrics {
    recorded: Counter,
    written: Counter,
    requests: Histogram,
    failures: Counter,
    dropped: Family<[(&'static str, String); 1], Counter>,
}

impl EventMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = registry.sub_registry_with_prefix("events");
        Self {
            recorded: registered(it, "recorded", "Events that were recorded", Counter::default()),
            written: registered(it, "written", "Of them, those that the server has", Counter::default()),
            requests: registered(it, "request_duration_seconds", "How long it took to write some", seconds()),
            failures: registered(it, "failures", "Requests that have failed", Counter::default()),
            dropped: registered(it, "dropped", "Events that are not written, by the reason", Family::default()),
        }
    }
}

impl event_recorder::Metrics for EventMetrics {
    fn recorded(&self) {
        self.recorded.inc();
    }

    fn written(&self, occurrences: u64, took: Duration) {
        self.written.inc_by(occurrences);
        self.requests.observe(took.as_secs_f64());
    }

    fn failed(&self, _: &Error) {
        self.failures.inc();
    }

    fn dropped(&self, why: event_recorder::Dropped, occurrences: u64) {
        self.dropped.get_or_create(&[("reason", format!("{why:?}"))]).inc_by(occurrences);
    }
}
