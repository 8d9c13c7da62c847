//! What the parts of an operator report: its informers, controllers and queues. An elector and a recorder of events do
//! it in the same way.

use std::time::Duration;

use k8s_client::{Error, controller, informer, queue};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::register::{registered, seconds};

/// What one informer reports. A program with several gives each a label, by a sub-registry.
pub(crate) struct InformerMetrics {
    objects: Gauge,
    lists: Histogram,
    watches: Counter,
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
