//! What the parts of an operator report: its informers, controllers and queues. An elector and a recorder of events do
//! it in the same way.

use std::time::Duration;

use k8s_client::{Error, controller, informer, queue};
use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

/// What one informer reports. A program with several gives each a label, by a sub-registry.
pub(crate) struct InformerMetrics {
    objects: Gauge,
    lists: Histogram,
    watches: Counter,
    changes: Counter,
    failures: Counter,
}

/// From a millisecond to half a minute.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

fn count(number: usize) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

impl InformerMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            objects: Gauge::default(),
            lists: seconds(),
            watches: Counter::default(),
            changes: Counter::default(),
            failures: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("informer");
        registry.register("objects", "Objects in memory", metrics.objects.clone());
        registry.register("list_duration_seconds", "How long it took to read all objects", metrics.lists.clone());
        registry.register("watches", "Watches that were opened", metrics.watches.clone());
        registry.register("changes", "Objects that have changed", metrics.changes.clone());
        registry.register("failures", "Lists and watches that have failed", metrics.failures.clone());
        metrics
    }
}

impl informer::Metrics for InformerMetrics {
    fn listed(&self, _: usize, took: Duration) {
        self.lists.observe(took.as_secs_f64());
    }

    fn watched(&self) {
        self.watches.inc();
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
        let metrics = Self {
            depth: Gauge::default(),
            adds: Counter::default(),
            waits: seconds(),
            work: seconds(),
            retries: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("workqueue");
        registry.register("depth", "Items that are ready", metrics.depth.clone());
        registry.register("adds", "Items that were added", metrics.adds.clone());
        registry.register("queue_duration_seconds", "How long items were ready before", metrics.waits.clone());
        registry.register("work_duration_seconds", "How long the work on items took", metrics.work.clone());
        registry.register("retries", "Items that are tried again", metrics.retries.clone());
        metrics
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

/// What one controller reports, under controller-runtime's names.
pub(crate) struct ControllerMetrics {
    active: Gauge,
    calls: Family<[(&'static str, &'static str); 1], Counter>,
    times: Histogram,
}

impl ControllerMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self { active: Gauge::default(), calls: Family::default(), times: seconds() };
        let registry = registry.sub_registry_with_prefix("controller_runtime");
        registry.register("active_workers", "Objects that are being worked on", metrics.active.clone());
        registry.register("reconcile", "Calls by how they ended", metrics.calls.clone());
        registry.register("reconcile_time_seconds", "How long calls took", metrics.times.clone());
        metrics
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
