//! Coordinated leader election: the control plane chooses among candidates that announce themselves.

use std::{convert::Infallible, sync::Arc, time::Duration};

use k8s_client_api_coordination::v1beta1::{CoordinationV1beta1Client, LeaseCandidates};
use k8s_client_runtime::{RestClient, Result};
use k8s_openapi::api::coordination::v1beta1::{LeaseCandidate, LeaseCandidateSpec};
use tokio::time::timeout;

use crate::clock::Clock;

/// How often a candidate looks whether the control plane asks for a sign of life. The control plane waits for 5
/// seconds.
const LOOK: Duration = Duration::from_secs(1);

/// What the control plane knows a candidate by, in a coordinated election. It chooses the candidate with the oldest
/// emulation version, and of those the one with the oldest binary version, so that an update of a cluster can be
/// undone.
///
/// The server needs the feature gate `CoordinatedLeaderElection` and the API `coordination.k8s.io/v1beta1`. The
/// candidate's [identity](crate::ElectorBuilder::identity) is the name of its `LeaseCandidate`, so it must be a valid
/// name of an object.
///
/// ```
/// use k8s_client_leader_election::Coordination;
///
/// let coordination = Coordination::new("1.4.2").emulation_version("1.3.0");
/// ```
#[derive(Clone, Debug)]
pub struct Coordination {
    binary_version: String,
    emulation_version: String,
    strategy: String,
}

impl Coordination {
    /// A candidate of this version: three numbers with dots between them.
    pub fn new(binary_version: impl Into<String>) -> Self {
        let binary_version = binary_version.into();
        Self {
            emulation_version: binary_version.clone(),
            binary_version,
            strategy: "OldestEmulationVersion".to_owned(),
        }
    }

    /// The version that the program behaves as. Default: its own.
    pub fn emulation_version(mut self, emulation_version: impl Into<String>) -> Self {
        self.emulation_version = emulation_version.into();
        self
    }

    /// How the control plane chooses. Default: `OldestEmulationVersion`, the only strategy that Kubernetes has.
    pub fn strategy(mut self, strategy: impl Into<String>) -> Self {
        self.strategy = strategy.into();
        self
    }
}

/// The `LeaseCandidate` on the server.
#[derive(Clone)]
pub(crate) struct Candidate {
    candidates: LeaseCandidates,
    namespace: String,
    lease: String,
    identity: Arc<str>,
    coordination: Coordination,
    limit: Duration,
    clock: Clock,
}

impl Candidate {
    pub(crate) fn new(
        client: &RestClient,
        namespace: &str,
        lease: &str,
        identity: &str,
        coordination: Coordination,
        limit: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            candidates: CoordinationV1beta1Client::new(client).lease_candidates(namespace),
            namespace: namespace.to_owned(),
            lease: lease.to_owned(),
            identity: identity.into(),
            coordination,
            limit,
            clock,
        }
    }

    /// Announces the candidate, and answers when the control plane asks whether it is still there.
    pub(crate) async fn keep(&mut self) -> Infallible {
        let mut last = String::new();
        loop {
            let problem = self.announce().await.err().map(|error| error.to_string()).unwrap_or_default();
            if problem != last && !problem.is_empty() {
                tracing::warn!(
                    "the candidate of a leader election cannot be announced: {problem}; it will be tried again"
                );
            }
            last = problem;
            self.clock.sleep_until(self.clock.now().after(LOOK).monotonic).await;
        }
    }

    /// Takes the announcement back, so that the control plane does not wait for this candidate.
    pub(crate) async fn withdraw(&self) {
        // What fails here is collected by the control plane some hours later.
        let _ = timeout(self.limit, self.candidates.delete(&self.identity).into_future()).await;
    }

    #[allow(
        clippy::useless_conversion,
        reason = "whether the spec is an option differs between the versions of Kubernetes"
    )]
    async fn announce(&self) -> Result<()> {
        let found = match self.candidates.get(&self.identity).with_timeout(self.limit).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => {
                let mut candidate = LeaseCandidate::default();
                candidate.metadata.namespace = Some(self.namespace.clone());
                candidate.metadata.name = Some(self.identity.to_string());
                candidate.spec = self.spec().into();
                self.candidates.create(&candidate).with_timeout(self.limit).await?;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let spec: Option<LeaseCandidateSpec> = found.spec.clone().into();
        if spec.as_ref().is_some_and(|spec| !is_asked(spec) && self.is_current(spec)) {
            return Ok(());
        }
        let renewed = LeaseCandidateSpec { ping_time: spec.and_then(|spec| spec.ping_time), ..self.spec() };
        let candidate = LeaseCandidate { spec: renewed.into(), ..found };
        self.candidates.update(&candidate).with_timeout(self.limit).await?;
        Ok(())
    }

    fn spec(&self) -> LeaseCandidateSpec {
        LeaseCandidateSpec {
            binary_version: self.coordination.binary_version.clone(),
            emulation_version: Some(self.coordination.emulation_version.clone()),
            lease_name: self.lease.clone(),
            ping_time: None,
            renew_time: Some(self.clock.now().time()),
            strategy: self.coordination.strategy.clone(),
        }
    }

    /// Whether it is this candidate's announcement, and not that of an older version of the program under the same
    /// name.
    fn is_current(&self, spec: &LeaseCandidateSpec) -> bool {
        let own = &self.coordination;
        spec.binary_version == own.binary_version
            && spec.emulation_version.as_ref() == Some(&own.emulation_version)
            && spec.strategy == own.strategy
    }
}

/// Whether the control plane waits for an answer.
fn is_asked(spec: &LeaseCandidateSpec) -> bool {
    match (&spec.ping_time, &spec.renew_time) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(asked), Some(renewed)) => asked.0 > renewed.0,
    }
}
