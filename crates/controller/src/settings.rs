//! How a controller works, whatever its objects are.

use std::{any::type_name, sync::Arc, time::Duration};

use k8s_client_runtime::object::short_type_name;

use crate::{Metrics, metrics::NoMetrics};

/// How long the calls under way may take when the controller is stopped: less than a leader's work has, and less than
/// the 30 seconds after which a pod is killed, so that what did not end can still be reported.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Settings {
    /// What it is called in the log.
    pub(crate) name: Arc<str>,
    pub(crate) workers: usize,
    pub(crate) stop_timeout: Duration,
    pub(crate) metrics: Arc<dyn Metrics>,
    pub(crate) resync: Option<Duration>,
    pub(crate) waits_out_backoff: bool,
}

impl Settings {
    /// The defaults of a controller of this type's objects.
    pub(crate) fn of<T>() -> Self {
        Self {
            name: short_type_name(type_name::<T>()).into(),
            workers: 1,
            stop_timeout: STOP_TIMEOUT,
            metrics: Arc::new(NoMetrics),
            resync: None,
            waits_out_backoff: false,
        }
    }
}
