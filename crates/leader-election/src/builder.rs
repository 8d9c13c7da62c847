//! How an elector is made.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use k8s_client_runtime::{Config, RestClient};

#[cfg(feature = "coordinated")]
use crate::{Coordination, coordinated::Candidate};
use crate::{
    ElectionError, Elector, Metrics, candidacy::Candidacy, clock::Clock, elector::Parts, identity, lock::Lock,
    metrics::NoMetrics, timing::Timing,
};

/// Longer than a controller gives its calls, and shorter than the 30 seconds after which a pod is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);

/// Builds an [`Elector`]; [`Elector::builder`] makes it. The times are those of Kubernetes' own components unless
/// others are set.
///
/// ```no_run
/// # fn example(config: &k8s_client_runtime::Config) -> Result<(), k8s_client_leader_election::ElectionError> {
/// use k8s_client_leader_election::Elector;
///
/// let elector = Elector::builder(config, "default", "my-operator").label("app", "my-operator").patient().build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "`build` makes the elector"]
pub struct ElectorBuilder {
    config: Config,
    client: Option<RestClient>,
    namespace: String,
    name: String,
    identity: Option<String>,
    timing: Timing,
    stop_timeout: Duration,
    labels: BTreeMap<String, String>,
    metrics: Arc<dyn Metrics>,
    #[cfg(feature = "coordinated")]
    coordination: Option<Coordination>,
    pub(crate) clock: Clock,
    pub(crate) rng: fastrand::Rng,
}

impl ElectorBuilder {
    pub(crate) fn new(config: &Config, namespace: &str, name: &str) -> Self {
        Self {
            config: config.clone(),
            client: None,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: None,
            timing: Timing::DEFAULT,
            stop_timeout: STOP_TIMEOUT,
            labels: BTreeMap::new(),
            metrics: Arc::new(NoMetrics),
            #[cfg(feature = "coordinated")]
            coordination: None,
            clock: Clock::machine(),
            rng: fastrand::Rng::new(),
        }
    }

    /// What this candidate calls itself. Default: the host's name, which in a pod is the pod's, and a random suffix.
    ///
    /// Identities are compared letter by letter. A candidate that finds its own in the lease takes it at once, so that
    /// a program that was restarted need not wait. Two that run at the same time must not have the same one: they would
    /// take the lease from each other.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// How long others wait, after they saw the lease change last, until they take it. Default: 15 seconds. The lease
    /// holds whole seconds, so this is rounded up.
    pub fn lease_duration(mut self, lease_duration: Duration) -> Self {
        self.timing.lease_duration = lease_duration;
        self
    }

    /// How long after the last renewal the work is dropped. Default: 10 seconds. A renewal counts from when its request
    /// was sent.
    pub fn renew_deadline(mut self, renew_deadline: Duration) -> Self {
        self.timing.renew_deadline = renew_deadline;
        self
    }

    /// The time from one renewal to the next, and the longest pause of a candidate between two looks at the lease.
    /// Default: 2 seconds.
    pub fn retry_period(mut self, retry_period: Duration) -> Self {
        self.timing.retry_period = retry_period;
        self
    }

    /// Times for an API server that may be away for a minute, such as a single one that is updated: a lease of 137
    /// seconds, a deadline of 107, a period of 26. Another candidate takes over that much later if the leader dies
    /// without releasing the lease.
    pub fn patient(mut self) -> Self {
        self.timing = Timing::PATIENT;
        self
    }

    /// How long the work may go on when the program asks to stop, until it is dropped. Default: 25 seconds,
    /// since Kubernetes kills a pod after 30. The lease is renewed meanwhile, and released afterwards.
    pub fn stop_timeout(mut self, stop_timeout: Duration) -> Self {
        self.stop_timeout = stop_timeout;
        self
    }

    /// A label that the lease is given when this candidate writes it.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Reports what happens in the election. Default: no metrics.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.metrics = Arc::new(metrics);
        self
    }

    /// Sends the requests by this client, for a program with a transport or credentials of its own. Default: a client
    /// of its own, without the configuration's rate limit and with connections of its own, so that nothing that the
    /// program does delays a renewal. It pings the server often enough to find a dead connection before the deadline.
    pub fn client(mut self, client: &RestClient) -> Self {
        self.client = Some(client.clone());
        self
    }

    /// Leaves the choice of the leader to the control plane: see [`Coordination`].
    #[cfg(feature = "coordinated")]
    pub fn coordinated(mut self, coordination: Coordination) -> Self {
        self.coordination = Some(coordination);
        self
    }

    /// Makes the elector. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When a name is empty, when the times do not fit together (lease duration > renew deadline > 1.2 × retry period >
    /// 0), or when the configuration cannot be used.
    pub fn build(self) -> Result<Elector, ElectionError> {
        self.timing.check()?;
        let identity = self.identity.unwrap_or_else(identity::random);
        for (what, name) in [("lease", &self.name), ("lease's namespace", &self.namespace), ("candidate", &identity)] {
            if name.is_empty() {
                return Err(ElectionError::Invalid(format!("the name of the {what} of a leader election is empty")));
            }
        }
        let client = match self.client {
            Some(client) => client,
            None => RestClient::builder(&own_config(&self.config, &self.timing)).add_user_agent(USER_AGENT).build()?,
        };
        let limit = self.timing.request_timeout();
        let mut candidacy = Candidacy::new(&self.namespace, &self.name, &identity, self.timing.seconds_of_record());
        candidacy.labels = self.labels;
        #[cfg(feature = "coordinated")]
        let candidate = self.coordination.map(|coordination| {
            candidacy.coordinated = true;
            Candidate::new(&client, &self.namespace, &self.name, &identity, coordination, limit, self.clock.clone())
        });
        Ok(Elector::of(Parts {
            lock: Lock::new(&client, &self.namespace, &self.name, limit),
            candidacy,
            timing: self.timing,
            stop_timeout: self.stop_timeout,
            metrics: self.metrics,
            clock: self.clock,
            rng: self.rng,
            #[cfg(feature = "coordinated")]
            candidate,
        }))
    }
}

const USER_AGENT: &str = "leader-election";

/// The configuration of a client whose requests nothing holds up, and that sees early when the server is gone.
fn own_config(config: &Config, timing: &Timing) -> Config {
    let limit = timing.request_timeout();
    let ping = timing.ping_interval();
    let mut config = config.clone();
    config.rate_limit = None;
    config.timeout = Some(limit);
    config.response_header_timeout = Some(limit);
    config.connect_timeout = config.connect_timeout.min(limit);
    config.tls_handshake_timeout = config.tls_handshake_timeout.min(limit);
    config.http2_ping_interval = Some(config.http2_ping_interval.map_or(ping, |interval| interval.min(ping)));
    config.http2_ping_timeout = config.http2_ping_timeout.min(ping);
    config
}

impl fmt::Debug for ElectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElectorBuilder")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("identity", &self.identity)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use k8s_client_runtime::config::RateLimit;

    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn times_that_do_not_fit_together_are_refused_with_what_to_do() {
        let config = Config::new("http://localhost").unwrap();
        for (lease, renew, retry, complaint) in [
            (15.0, 10.0, 2.0, None),
            (2.0, 1.3, 1.0, None),
            (15.0, 15.0, 2.0, Some("must be longer than the renew deadline, which is 15s")),
            (15.0, 20.0, 2.0, Some("must be longer than the renew deadline, which is 20s")),
            (15.0, 2.4, 2.0, Some("must be longer than 1.2 times the retry period, which is 2s")),
            (15.0, 10.0, 0.0, Some("the retry period of a leader election is zero")),
            (15.0, 0.0, 2.0, Some("must be longer than 1.2 times the retry period")),
            (1e12, 10.0, 2.0, Some("which a Lease cannot hold")),
        ] {
            let builder = Elector::builder(&config, "default", "x").lease_duration(seconds(lease));
            let built = builder.renew_deadline(seconds(renew)).retry_period(seconds(retry)).build();
            match (built, complaint) {
                (Ok(_), None) => {}
                (Err(error), Some(complaint)) => {
                    assert!(error.to_string().contains(complaint), "{error}");
                }
                (built, _) => panic!("{lease} {renew} {retry}: {built:?}"),
            }
        }
    }

    #[test]
    fn empty_names_are_refused() {
        let config = Config::new("http://localhost").unwrap();
        for (namespace, name, identity) in [("", "x", "me"), ("default", "", "me"), ("default", "x", "")] {
            let error = Elector::builder(&config, namespace, name).identity(identity).build().unwrap_err();
            assert!(error.to_string().ends_with("is empty"), "{error}");
        }
    }

    #[test]
    fn part_of_a_second_makes_the_record_a_second_longer() {
        for (duration, record) in [(15.0, 15), (15.001, 16), (15.9, 16), (0.5, 1)] {
            let timing = Timing { lease_duration: seconds(duration), ..Timing::DEFAULT };
            assert_eq!(timing.seconds_of_record(), record, "{duration}");
        }
    }

    #[test]
    fn own_client_has_no_rate_limit_and_finds_a_dead_server_before_the_deadline() {
        let mut config = Config::new("http://localhost").unwrap();
        config.rate_limit = Some(RateLimit::CLIENT_GO);
        for timing in [Timing::DEFAULT, Timing::PATIENT] {
            let own = own_config(&config, &timing);
            assert_eq!(own.rate_limit, None);
            let noticed = own.http2_ping_interval.unwrap() + own.http2_ping_timeout;
            assert!(noticed < timing.renew_deadline, "{noticed:?}");
            assert!(own.timeout.unwrap() < timing.renew_deadline);
            assert!(own.connect_timeout < timing.renew_deadline);
        }
        assert_eq!(Timing { renew_deadline: seconds(1.5), ..Timing::DEFAULT }.request_timeout(), seconds(1.0));
    }
}
