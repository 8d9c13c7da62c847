//! How a recorder is made.

use std::{fmt, sync::Arc, time::Duration};

use k8s_client_runtime::{RestClient, host_name::host_name, machine};

use crate::{
    Metrics, Recorder,
    correlate::{Correlator, Limits, SeriesTimes},
    metrics::NoMetrics,
    shared::Shared,
    sink::{Api, Sink},
    task::Task,
};

/// The longest name of an instance that the server takes, in bytes.
const MAX_INSTANCE: usize = 128;

/// Builds a [`Recorder`]; [`Recorder::builder`] makes it. The limits are client-go's unless others are set.
///
/// ```no_run
/// # fn example(client: &k8s_client_runtime::RestClient) {
/// use std::time::Duration;
///
/// use k8s_client_events::Recorder;
///
/// let recorder = Recorder::builder(client, "my-operator").spam_budget(50, Duration::from_secs(60)).start();
/// # }
/// ```
#[must_use = "`start` makes the recorder"]
pub struct RecorderBuilder {
    client: RestClient,
    api: Api,
    controller: String,
    instance: Option<String>,
    host: Option<String>,
    cluster_namespace: String,
    limits: Limits,
    series: Option<SeriesTimes>,
    metrics: Arc<dyn Metrics>,
}

impl RecorderBuilder {
    pub(crate) fn new(client: &RestClient, controller: &str) -> Self {
        Self {
            client: client.clone(),
            api: Api::Events,
            controller: controller.to_owned(),
            instance: None,
            host: None,
            cluster_namespace: "default".to_owned(),
            limits: Limits::default(),
            series: None,
            metrics: Arc::new(NoMetrics),
        }
    }

    /// Writes events of `core/v1`, for programs that read only those fields. Default: `events.k8s.io/v1`. The server
    /// keeps both as the same objects.
    pub fn core_v1(mut self) -> Self {
        self.api = Api::Core;
        self
    }

    /// Which copy of the program reports. Default: the controller's name and the host's, which in a pod is the pod's.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The node that the program reports from, as the kubelet's events have it. Only events of `core/v1` hold it.
    /// Default: none.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// The namespace for events of objects that are in none, such as nodes. Default: `default`. Servers take
    /// `kube-system` otherwise, and no other.
    pub fn cluster_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.cluster_namespace = namespace.into();
        self
    }

    /// How many writes about one object there may be at once, normal events and warnings apart, and how long it takes
    /// until there may be one more. Default: 25, and 5 minutes. Repeats that are only counted need none.
    pub fn spam_budget(mut self, burst: u32, refill: Duration) -> Self {
        self.limits.spam_burst = burst;
        self.limits.spam_refill = refill;
        self
    }

    /// Gives each reason a budget of its own, so that one that floods does not hide others. Default: all reasons of
    /// normal events about one object share one, and so do those of warnings.
    pub fn spam_budget_per_reason(mut self) -> Self {
        self.limits.spam_per_reason = true;
        self
    }

    /// When events that differ in nothing but their notes and related objects become one: with this many of them, as
    /// long as each comes within the time after the one before. Default: 10, and 10 minutes.
    pub fn combine_similar(mut self, events: usize, within: Duration) -> Self {
        self.limits.similar = events;
        self.limits.similar_window = within;
        self
    }

    /// How often the count of an event that repeats is written, and after how long without a repeat the next one is a
    /// new event. Default: 30 and 6 minutes, as in client-go; with `core_v1`, 5 minutes and an hour.
    pub fn series(mut self, refresh: Duration, quiet: Duration) -> Self {
        self.series = Some(SeriesTimes { refresh, quiet });
        self
    }

    /// How many different events may wait to be written. Further ones are dropped. Default: 1,000.
    pub fn max_waiting(mut self, events: usize) -> Self {
        self.limits.waiting = events;
        self
    }

    /// How many different events are remembered, to find repeats. Default: 4,096.
    pub fn max_remembered(mut self, events: usize) -> Self {
        self.limits.remembered = events;
        self
    }

    /// How often an event is tried to be written, while the server cannot be reached or is busy. Default: 12 times,
    /// with pauses of 1 to 10 seconds.
    pub fn tries(mut self, tries: u32) -> Self {
        self.limits.tries = tries;
        self
    }

    /// Reports what the recorder does. Default: no metrics; what was dropped is logged, at most once a minute.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.metrics = Arc::new(metrics);
        self
    }

    /// Starts the recorder, in the tokio runtime in which this is called.
    pub fn start(self) -> Recorder {
        let default = if self.api == Api::Core { SeriesTimes::CORE } else { SeriesTimes::EVENTS };
        let limits = Limits { series: self.series.unwrap_or(default), ..self.limits };
        let instance = self.instance.unwrap_or_else(|| default_instance(&self.controller, &host_name()));
        let sink = Sink {
            client: self.client,
            api: self.api,
            controller: self.controller,
            instance,
            host: self.host,
            cluster_namespace: self.cluster_namespace,
        };
        let shared = Arc::new(Shared::new(Correlator::new(limits), sink, self.metrics));
        tokio::spawn(machine::own(Task::new(shared.clone()).run()));
        Recorder::with(shared)
    }
}

/// As much of both names as fits.
fn default_instance(controller: &str, host: &str) -> String {
    let both = if host.is_empty() { controller.to_owned() } else { format!("{controller}-{host}") };
    let fits = |&(start, letter): &(usize, char)| start + letter.len_utf8() <= MAX_INSTANCE;
    both.char_indices().take_while(fits).map(|(_, letter)| letter).collect()
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderBuilder")
            .field("controller", &self.controller)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_is_the_controller_on_its_host_and_fits() {
        assert_eq!(default_instance("x", "web-0"), "x-web-0");
        assert_eq!(default_instance("x", ""), "x");
        assert_eq!(default_instance("x", &"é".repeat(100)).len(), 128);
        assert_eq!(default_instance("xy", &"é".repeat(100)).len(), 127);
    }
}
