//! Winning a term, keeping it while the work runs, and giving it away: the requests and the waiting around the
//! algorithm.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, pending},
    panic::resume_unwind,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use k8s_client_runtime::{Config, Error, Result};
use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::{sleep, timeout};

#[cfg(feature = "coordinated")]
use crate::coordinated::Candidate;
use crate::{
    ElectionError, ElectorBuilder, Ends, Loss, Metrics, Observer, Term,
    candidacy::{Candidacy, Step},
    clock::{Clock, Moment},
    lock::Lock,
    observer::Board,
    stop::Stop,
    timing::Timing,
    work::{Guarded, Outcome, Panic},
};

/// A candidate in the election of one lease.
///
/// ```no_run
/// # async fn example(config: &k8s_client_runtime::Config) -> Result<(), k8s_client_leader_election::ElectionError> {
/// use k8s_client_leader_election::{Elector, Ends};
///
/// # async fn reconcile() {}
/// let mut elector = Elector::new(config, "default", "my-operator")?;
/// let ends = elector
///     .lead(|term| async move {
///         println!("{} leads in term {}", term.identity(), term.fencing_token());
///         reconcile().await
///     })
///     .await;
/// if let Ends::Lost(loss) = ends {
///     eprintln!("{loss}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Elector {
    pub(crate) parts: Parts,
    board: Arc<Board>,
}

/// What an elector is made of.
pub(crate) struct Parts {
    pub(crate) lock: Lock,
    pub(crate) candidacy: Candidacy,
    pub(crate) timing: Timing,
    pub(crate) stop_timeout: Duration,
    pub(crate) metrics: Arc<dyn Metrics>,
    pub(crate) clock: Clock,
    pub(crate) rng: fastrand::Rng,
    #[cfg(feature = "coordinated")]
    pub(crate) candidate: Option<Candidate>,
}

/// What came of one try to win or to keep the lease.
enum Attempt {
    /// The lease is this candidate's. The request was sent at this moment.
    Held(Moment),
    /// Another candidate holds it, or may still hold it.
    Waiting,
    /// It was this candidate's and is so no more.
    Lost(Loss),
}

impl Elector {
    /// A candidate for the lease of this name, with the times of Kubernetes' own components and an identity of its own.
    ///
    /// # Errors
    ///
    /// When a name is empty, or the configuration cannot be used.
    pub fn new(config: &Config, namespace: &str, name: &str) -> Result<Self, ElectionError> {
        Self::builder(config, namespace, name).build()
    }

    /// A candidate with other times, another identity, metrics and more.
    pub fn builder(config: &Config, namespace: &str, name: &str) -> ElectorBuilder {
        ElectorBuilder::new(config, namespace, name)
    }

    pub(crate) fn of(parts: Parts) -> Self {
        let board = Arc::new(Board::new(parts.timing));
        Self { parts, board }
    }

    /// What this candidate calls itself.
    pub fn identity(&self) -> &str {
        &self.parts.candidacy.identity
    }

    /// Follows the election from elsewhere in the program.
    pub fn observer(&self) -> Observer {
        self.board.observer()
    }

    /// Waits until this candidate leads, and runs the work while it does.
    ///
    /// The work begins when the lease is won. When the lease cannot be renewed in time it is dropped, before anybody
    /// else can lead. When it returns or panics, the lease is released, so that another candidate leads within one
    /// retry period; a panic goes on after that.
    ///
    /// A controller of `k8s-client-controller` that is run in the work keeps to the term by itself. Other tasks that
    /// the work starts ask the [`Term`].
    ///
    /// Errors of the server do not end this: it tries again, [logs](tracing) what is new about them, and
    /// [`Observer::last_error`] has the last one.
    ///
    /// Work and renewals are one future and start no task. Work that blocks its thread, rather than awaiting, holds up
    /// the renewals as well, and loses the lease if it does so for as long as the deadline;
    /// `tokio::task::spawn_blocking` is for such work. A future that is dropped before it has ended drops the work and
    /// does not release the lease, which then lasts until it expires; [`lead_until`](Self::lead_until) releases it.
    pub async fn lead<T, F>(&mut self, work: impl FnOnce(Term) -> F) -> Ends<T>
    where
        F: Future<Output = T>,
    {
        self.lead_until(pending::<Infallible>(), work).await
    }

    /// Does the same as [`lead`](Self::lead) until the program asks to stop, which it does by ending the future `stop`:
    /// a signal, for instance.
    ///
    /// The work learns of it by [`Term::stopping`] and may then go on for
    /// [`stop_timeout`](ElectorBuilder::stop_timeout) until it is dropped. The lease is released after that.
    ///
    /// ```no_run
    /// # async fn example(mut elector: k8s_client_leader_election::Elector, stop: tokio::sync::oneshot::Receiver<()>) {
    /// use std::time::Duration;
    ///
    /// let ends = elector
    ///     .lead_until(stop, |term| async move {
    ///         let mut ticks = tokio::time::interval(Duration::from_secs(60));
    ///         loop {
    ///             tokio::select! {
    ///                 () = term.stopping() => break,
    ///                 _ = ticks.tick() => println!("tick"),
    ///             }
    ///         }
    ///     })
    ///     .await;
    /// # }
    /// ```
    pub async fn lead_until<T, F>(&mut self, stop: impl Future, work: impl FnOnce(Term) -> F) -> Ends<T>
    where
        F: Future<Output = T>,
    {
        self.with_candidate(stop, async |elector, stop| elector.one_term(stop, work).await).await
    }

    /// Does the same as [`lead`](Self::lead) again and again: whenever the lease is lost, this candidate takes part in
    /// the next election. It ends when the work returns.
    pub async fn campaign<T, F>(&mut self, work: impl FnMut(Term) -> F) -> T
    where
        F: Future<Output = T>,
    {
        match self.campaign_until(pending::<Infallible>(), work).await {
            Some(value) => value,
            // Nobody asks to stop.
            None => pending().await,
        }
    }

    /// Does the same as [`lead_until`](Self::lead_until) again and again, until the work returns or the program asks to
    /// stop. `None` if the latter comes first and the work does not return in time.
    pub async fn campaign_until<T, F>(&mut self, stop: impl Future, mut work: impl FnMut(Term) -> F) -> Option<T>
    where
        F: Future<Output = T>,
    {
        self.with_candidate(stop, async |elector, stop| {
            loop {
                match elector.one_term(stop, &mut work).await? {
                    Ends::Work(value) => return Ok(Some(value)),
                    Ends::Stopped => return Ok(None),
                    Ends::Lost(_) => {}
                }
            }
        })
        .await
    }

    /// Runs the election, and beside it what a coordinated one needs. A panic of the work goes on when everything that
    /// others wait for is given back.
    async fn with_candidate<S: Future, R>(
        &mut self,
        stop: S,
        run: impl AsyncFnOnce(&mut Self, &mut Stop<'_, S>) -> Result<R, Panic>,
    ) -> R {
        let stop = pin!(stop);
        let stop = &mut Stop::new(stop);
        #[cfg(feature = "coordinated")]
        if let Some(mut candidate) = self.parts.candidate.clone() {
            let ended = tokio::select! {
                biased;
                never = candidate.keep() => match never {},
                ended = run(self, stop) => ended,
            };
            candidate.withdraw().await;
            return ended.unwrap_or_else(|panic| resume_unwind(panic));
        }
        run(self, stop).await.unwrap_or_else(|panic| resume_unwind(panic))
    }

    async fn one_term<T, F, S: Future>(
        &mut self,
        stop: &mut Stop<'_, S>,
        work: impl FnOnce(Term) -> F,
    ) -> Result<Ends<T>, Panic>
    where
        F: Future<Output = T>,
    {
        // Of a term whose future was dropped, this is what remains.
        self.parts.candidacy.end();
        let term = tokio::select! {
            biased;
            () = &mut *stop => None,
            term = self.win() => Some(term),
        };
        let Some(term) = term else {
            // A request that was under way may have won it.
            if self.parts.candidacy.may_hold() {
                self.release().await;
            }
            return Ok(Ends::Stopped);
        };
        self.hold(&term, stop, work).await
    }

    /// Tries until the lease is this candidate's.
    async fn win(&mut self) -> Term {
        loop {
            let attempt = self.attempt().await;
            if let (Ok(Attempt::Held(sent)), Some(number)) = (&attempt, self.parts.candidacy.own_term()) {
                let identity = self.parts.candidacy.identity.clone();
                let deadline = sent.after(self.parts.timing.renew_deadline);
                let term = Term::new(identity, number, self.parts.clock.clone(), deadline);
                // The answer may have come too late.
                if term.is_valid() {
                    self.parts.candidacy.begin(number);
                    return term;
                }
            }
            self.note(attempt.err());
            let period = self.parts.timing.retry_period;
            // At most the period, so that a lease that is released waits no longer for its next holder.
            let pause = period.mul_f64(0.5 + self.parts.rng.f64() / 2.0);
            self.parts.clock.sleep_until(self.parts.clock.now().after(pause).monotonic).await;
        }
    }

    /// Runs the work while the lease is renewed, and releases the lease if the term is still this candidate's
    /// afterwards.
    async fn hold<T, F, S: Future>(
        &mut self,
        term: &Term,
        stop: &mut Stop<'_, S>,
        work: impl FnOnce(Term) -> F,
    ) -> Result<Ends<T>, Panic>
    where
        F: Future<Output = T>,
    {
        let given = term.clone();
        let mut work = Guarded::new(async move { work(given).await }, term);
        // Dropped before the work is, whatever ends this: nobody takes the program for a leader any more when the work
        // stops.
        let leading = Leading::begin(term, &self.board, &self.parts.metrics);
        tracing::info!(lease = %self.lease(), term = term.fencing_token(), "this candidate leads");
        let (board, stop_timeout) = (self.board.clone(), self.parts.stop_timeout);
        let ended = {
            let mut renewals = pin!(self.renew(term));
            let mut expiry = pin!(term.expired());
            let mut patience = pin!(None);
            loop {
                tokio::select! {
                    biased;
                    () = &mut expiry => break Err(Loss::NotRenewed { last: board.error() }),
                    loss = &mut renewals => break Err(loss),
                    () = &mut *stop, if patience.is_none() => {
                        term.stop();
                        patience.set(Some(sleep(stop_timeout)));
                    }
                    () = async { if let Some(over) = patience.as_mut().as_pin_mut() { over.await } }, if patience.is_some() => {
                        break Ok(None);
                    }
                    outcome = &mut work => match outcome {
                        Outcome::TooLate => break Err(Loss::NotRenewed { last: board.error() }),
                        outcome => break Ok(Some(outcome)),
                    },
                }
            }
        };
        drop(leading);
        drop(work);
        let ended = match ended {
            Ok(ended) => {
                self.release().await;
                ended
            }
            Err(loss) => {
                tracing::warn!(lease = %self.lease(), "this candidate does not lead any more: {loss}");
                if matches!(loss, Loss::Unwanted { .. }) {
                    self.release().await;
                }
                self.parts.candidacy.end();
                return Ok(Ends::Lost(loss));
            }
        };
        match ended {
            Some(Outcome::Returned(value)) => Ok(Ends::Work(value)),
            Some(Outcome::Panicked(panic)) => Err(panic),
            Some(Outcome::TooLate) | None => Ok(Ends::Stopped),
        }
    }

    /// Renews the lease again and again, until it is lost.
    async fn renew(&mut self, term: &Term) -> Loss {
        let Timing { renew_deadline, retry_period, .. } = self.parts.timing;
        loop {
            let began = self.parts.clock.now();
            match self.attempt().await {
                Ok(Attempt::Held(sent)) => {
                    if !term.extend(sent.after(renew_deadline)) {
                        return Loss::NotRenewed { last: self.board.error() };
                    }
                    self.parts.metrics.renewed(self.parts.clock.now().monotonic - began.monotonic);
                    self.note(None);
                }
                Ok(Attempt::Lost(loss)) => return loss,
                Ok(Attempt::Waiting) => {}
                Err(error) => self.note(Some(error)),
            }
            // After a try that took long, the next one begins at once.
            self.parts.clock.sleep_until(began.after(retry_period).monotonic).await;
        }
    }

    /// One try to win or to keep the lease.
    async fn attempt(&mut self) -> Result<Attempt> {
        let now = self.parts.clock.now();
        // In a term, the record is usually as this candidate has left it.
        if self.parts.candidacy.leads()
            && let Step::Write(lease) = self.parts.candidacy.next(now)
        {
            match self.write(&lease).await {
                Ok(sent) => return Ok(Attempt::Held(sent)),
                Err(error) => {
                    self.parts.metrics.slow_path();
                    // Somebody else may have written to it, which is no failure if this candidate still holds it.
                    if !error.is_conflict() {
                        self.note(Some(error));
                    }
                }
            }
        }
        self.read().await?;
        match self.parts.candidacy.next(self.parts.clock.now()) {
            Step::Write(lease) => Ok(Attempt::Held(self.write(&lease).await?)),
            Step::Wait => Ok(Attempt::Waiting),
            Step::End(loss) => Ok(Attempt::Lost(loss)),
        }
    }

    async fn read(&mut self) -> Result<()> {
        let found = self.parts.lock.read().await?;
        self.observe(found);
        Ok(())
    }

    /// Returns when the request was sent.
    async fn write(&mut self, lease: &Lease) -> Result<Moment> {
        let sent = self.parts.clock.now();
        let written = self.parts.lock.write(lease).await?;
        self.observe(Some(written));
        Ok(sent)
    }

    fn observe(&mut self, found: Option<Lease>) {
        let candidacy = &mut self.parts.candidacy;
        candidacy.observe(found, self.parts.clock.now().monotonic);
        self.board.set_holder(candidacy.holder());
    }

    /// Gives the lease away if it is still this candidate's. The work must have stopped.
    async fn release(&mut self) {
        let limit = self.parts.timing.renew_deadline;
        if timeout(limit, self.try_to_release()).await.is_err() {
            tracing::warn!(lease = %self.lease(), "the lease could not be released within {limit:?}; it lasts until it expires");
        }
        self.parts.candidacy.end();
    }

    async fn try_to_release(&mut self) {
        let mut is_fresh = false;
        loop {
            let lease = self.parts.candidacy.release(self.parts.clock.now());
            match lease {
                Some(lease) => match self.write(&lease).await {
                    Ok(_) => return,
                    Err(error) if error.is_conflict() => {}
                    Err(error) => self.failed(error).await,
                },
                None if is_fresh => return,
                None => {}
            }
            match self.read().await {
                Ok(()) => is_fresh = true,
                Err(error) => self.failed(error).await,
            }
        }
    }

    async fn failed(&mut self, error: Error) {
        self.note(Some(error));
        sleep(self.parts.timing.retry_period / 4).await;
    }

    /// Remembers why the last try failed, and logs what is new about it.
    fn note(&self, error: Option<Error>) {
        let Some(error) = error else {
            self.board.set_error(None);
            return;
        };
        self.parts.metrics.failed(&error);
        let error = Arc::new(error);
        let before = self.board.set_error(Some(error.clone()));
        if before.is_none_or(|before| before.to_string() != error.to_string()) {
            tracing::warn!(lease = %self.lease(), "the lease cannot be read or written: {error}; it will be tried again");
        }
    }

    fn lease(&self) -> String {
        format!("{}/{}", self.parts.candidacy.namespace, self.parts.candidacy.name)
    }
}

impl Drop for Elector {
    fn drop(&mut self) {
        self.board.close();
    }
}

impl fmt::Debug for Elector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elector")
            .field("lease", &self.lease())
            .field("identity", &self.parts.candidacy.identity)
            .finish_non_exhaustive()
    }
}

/// The announcement that this candidate leads. Dropping it takes it back.
struct Leading {
    term: Term,
    board: Arc<Board>,
    metrics: Arc<dyn Metrics>,
}

impl Leading {
    fn begin(term: &Term, board: &Arc<Board>, metrics: &Arc<dyn Metrics>) -> Self {
        board.set_term(Some(term.clone()));
        metrics.leading(true);
        Self { term: term.clone(), board: board.clone(), metrics: metrics.clone() }
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        self.term.end();
        self.board.set_term(None);
        self.metrics.leading(false);
    }
}
