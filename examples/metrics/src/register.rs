//! Making metrics and registering them.

use prometheus_client::{
    metrics::{
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Metric, Registry},
};

/// A metric that is in the registry under this name.
pub(crate) fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// Histograms, one for each of the labels that there are.
pub(crate) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// From a millisecond to half a minute.
pub(crate) fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

/// From 64 bytes to 16 MiB.
pub(crate) fn bytes() -> Histogram {
    Histogram::new(exponential_buckets(64.0, 4.0, 10))
}
