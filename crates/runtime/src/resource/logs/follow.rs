//! The loop around the requests for a log.

use std::time::Duration;

use http::StatusCode;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    LogEvent,
    buffer::{Filler, Gone},
    cut::{LineCutter, MAX_LINE, Piece},
    pod::{EndedLog, Instance, Outlook, PodView},
    progress::Progress,
    stamp,
    start::Start,
};
use crate::{
    error::{Error, ErrorKind, Result},
    rest::Request,
    retry::{Backoff, BackoffManager},
    transport::Body,
};

/// The pauses before a log is asked for again that brought nothing new.
const PAUSES: Backoff = Backoff {
    steps: 0,
    duration: Duration::from_millis(250),
    factor: 2.0,
    jitter: 0.5,
    cap: Some(Duration::from_secs(10)),
};
/// After this long without a pause they begin anew.
const CALM: Duration = Duration::from_secs(60);
/// How long the head of an answer is waited for: a kubelet writes it before it reads the log.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// How long the pod is waited for.
const POD_LIMIT: Duration = Duration::from_secs(30);
/// After this long the API server knows of an instance that a kubelet has started.
const STATUS_LAG: Duration = Duration::from_secs(3);
/// How many bytes are read until then.
const MAX_UNCONFIRMED: usize = 4 << 20;
/// How often in a row the rest of a log that has ended is asked for and nothing new comes.
const LAST_TRIES: u32 = 6;
/// How often in a row the server may refuse what it allowed before.
const MAX_REFUSALS: u32 = 5;

/// How a log is followed, beside what the API has options for.
#[derive(Debug, Default)]
pub(super) struct FollowOptions {
    /// The only instance that is wanted.
    pub(super) instance: Option<Instance>,
    pub(super) through_restarts: bool,
    pub(super) wait_for_start: bool,
    pub(super) keep_replays: bool,
}

/// A log that is being followed.
pub(super) struct Follow {
    request: Request,
    /// Reads the pod.
    pod: Request,
    start: Start,
    container: Option<String>,
    options: FollowOptions,
    progress: Progress,
    instance: Option<Instance>,
    pauses: BackoffManager,
    refusals: u32,
    doubt: Doubt,
    /// How many events have been given out.
    given: u64,
    filler: Filler,
}

/// How the next answer can turn out to be the log of another instance, or another pod, than the one that is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It cannot: the instance is found out after the answer has begun.
    None,
    /// The pod knows, since nothing was read of this instance yet.
    Pod,
    /// Lines that are known come again, or else the pod knows after a while.
    Lines,
}

/// How an answer ended.
#[derive(Default)]
struct Ending {
    /// What stood behind the last newline: a last line without an end, or half a line.
    rest: Option<Piece>,
    /// Why it broke off, if it did.
    error: Option<Error>,
}

/// What has become of the rest of a log that has ended.
enum Rest {
    Read,
    /// It cannot be read any more.
    Lost(String),
    Failed(Error),
}

/// Why following ends before the log does.
enum Stop {
    /// Nobody reads.
    Gone,
    Failed(Error),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Follow {
    pub(super) fn new(request: Request, container: Option<String>, mut options: FollowOptions, filler: Filler) -> Self {
        Self {
            pod: request.of_the_object().timeout(POD_LIMIT),
            start: Start::of(&request),
            request,
            container,
            progress: Progress::new(!options.keep_replays),
            instance: options.instance.take(),
            options,
            pauses: PAUSES.manager(CALM),
            refusals: 0,
            doubt: Doubt::Pod,
            given: 0,
            filler,
        }
    }

    /// Whether it is known which instance is wanted, so that nobody has to open the log to know that there is one.
    pub(super) fn is_of_instance(&self) -> bool {
        self.instance.is_some()
    }

    /// Opens the log for the first time. What hinders it is for the caller.
    ///
    /// The pod is read before, and again after: between the two the container may be started again, and the answer does
    /// not say of which instance it is.
    pub(super) async fn first(&mut self) -> Result<Body> {
        loop {
            self.instance = self.view().await.ok().and_then(|pod| pod.instance(self.container.as_deref()));
            match self.open(self.request.clone()).await {
                Err(error) if self.options.wait_for_start && error.is_bad_request() => match self.look().await {
                    Ok(Some(Outlook::NotStarted | Outlook::Runs(_) | Outlook::Ended { .. })) => {
                        self.pauses.wait().await;
                    }
                    _ => return Err(error),
                },
                Ok(None) if self.options.wait_for_start => self.pauses.wait().await,
                opened => return Ok(opened?.unwrap_or_default()),
            }
        }
    }

    pub(super) async fn run(mut self, body: Option<Body>) {
        if let Err(Stop::Failed(error)) = self.follow(body).await {
            self.filler.fail(error);
        }
    }

    /// Follows one instance after the other.
    async fn follow(&mut self, mut body: Option<Body>) -> std::result::Result<(), Stop> {
        if body.is_some() {
            match self.look().await? {
                None => {}
                // What has been opened may be another log than the one that is wanted.
                Some(Outlook::Ended { next: Some(_), .. }) => body = None,
                Some(Outlook::Replaced) => {
                    let reason = "another pod got the name while the log was opened".to_owned();
                    return Ok(self.filler.tell(LogEvent::Incomplete { reason })?);
                }
                Some(outlook) => {
                    self.doubt = Doubt::None;
                    if let Outlook::Runs(instance) = outlook {
                        self.instance = Some(instance);
                    }
                }
            }
        }
        loop {
            let next = self.follow_instance(body.take()).await?;
            let Some(instance) = next.filter(|_| self.options.through_restarts) else { return Ok(()) };
            self.filler.tell(LogEvent::Restarted { restart_count: instance.restart_count })?;
            self.progress.next_instance();
            self.instance = Some(instance);
            self.start = Start::default();
            self.doubt = Doubt::Pod;
        }
    }

    /// Follows an instance to its end. Gives the next one, if there is one.
    async fn follow_instance(&mut self, body: Option<Body>) -> std::result::Result<Option<Instance>, Stop> {
        let mut was_open = body.is_some();
        let mut ending = match body {
            Some(body) => self.read(body, None).await?,
            None => Ending::default(),
        };
        let (mut tries, mut given) = (0, self.given);
        loop {
            let Some(outlook) = self.look().await? else {
                self.pauses.wait().await;
                continue;
            };
            match outlook {
                Outlook::Runs(instance) => self.instance = Some(instance),
                Outlook::Silent if ending.error.as_ref().is_some_and(|error| !is_gone(error)) => {}
                Outlook::NotStarted if self.options.wait_for_start || self.progress.since().is_some() => {}
                Outlook::Gone | Outlook::Replaced | Outlook::Silent | Outlook::NotStarted => {
                    self.end(ending.rest).await?;
                    if let Some(error) = ending.error {
                        self.filler.tell(LogEvent::Incomplete { reason: error.to_string() })?;
                    }
                    return Ok(None);
                }
                Outlook::Ended { log, may_restart, next } => {
                    match self.read_the_rest(log, ending.rest.clone()).await? {
                        Rest::Read => {}
                        Rest::Lost(reason) => self.filler.tell(LogEvent::Incomplete { reason })?,
                        Rest::Failed(error) => {
                            if self.given > given {
                                (tries, given, ending.rest) = (0, self.given, None);
                            }
                            tries += 1;
                            if tries == LAST_TRIES {
                                return Err(Stop::Failed(error));
                            }
                            tracing::debug!(%error, "the end of the log cannot be read");
                            self.pauses.wait().await;
                            continue;
                        }
                    }
                    return match next {
                        None if may_restart && self.options.through_restarts => self.next_instance().await,
                        next => Ok(next),
                    };
                }
            }
            if std::mem::replace(&mut was_open, true) {
                self.pauses.wait().await;
                tracing::debug!(error = ending.error.as_ref().map(tracing::field::display), "the log goes on");
            }
            match self.open(self.resumed(true)).await {
                Ok(body) => {
                    self.refusals = 0;
                    self.progress.reopened();
                    ending = self.read(body.unwrap_or_default(), None).await?;
                }
                Err(error) if is_refusal(&error) && self.is_refused_for_good() => return Err(Stop::Failed(error)),
                // Whether there is anything to wait for is up to the pod, if it may be read.
                Err(error) => ending.error = Some(error),
            }
        }
    }

    /// Waits until the container is started again.
    async fn next_instance(&mut self) -> std::result::Result<Option<Instance>, Stop> {
        loop {
            self.pauses.wait().await;
            match self.look().await? {
                Some(Outlook::Ended { next: Some(next), .. }) => return Ok(Some(next)),
                None | Some(Outlook::Ended { may_restart: true, .. } | Outlook::Runs(_)) => {}
                Some(_) => return Ok(None),
            }
        }
    }

    /// Reads what is left of the log of an instance that has ended.
    async fn read_the_rest(&mut self, log: EndedLog, rest: Option<Piece>) -> std::result::Result<Rest, Stop> {
        let mut request = self.resumed(false);
        match log {
            EndedLog::Current => {}
            EndedLog::Previous => request = request.with_query(|query| query.set("previous", "true")),
            EndedLog::Lost => {
                self.end(rest).await?;
                return Ok(Rest::Lost("the container has been started again since, more than once".to_owned()));
            }
        }
        match self.open(request).await {
            Ok(body) => {
                self.progress.reopened();
                let ending = self.read(body.unwrap_or_default(), Some(log)).await?;
                Ok(ending.error.map_or(Rest::Read, Rest::Failed))
            }
            // The runtime has removed the container.
            Err(error) if is_gone(&error) => {
                self.end(rest).await?;
                Ok(Rest::Lost(error.to_string()))
            }
            Err(error) => Ok(Rest::Failed(error)),
        }
    }

    /// The request that goes on where the log has been read to.
    fn resumed(&self, follow: bool) -> Request {
        self.request.clone().with_query(|query| {
            for replaced in ["tailLines", "sinceSeconds", "sinceTime"] {
                query.remove(replaced);
            }
            if !follow {
                query.remove("follow");
            }
            match self.progress.since() {
                Some(since) => query.set("sinceTime", since.to_string()),
                None => self.start.write(query),
            }
        })
    }

    /// Counts what the server refuses, until it allows something.
    fn is_refused_for_good(&mut self) -> bool {
        self.refusals += 1;
        self.refusals > MAX_REFUSALS
    }

    /// Asks for the log. `None` if the pod is on no node yet.
    async fn open(&self, request: Request) -> Result<Option<Body>> {
        let (method, url) = (request.method().clone(), request.url());
        let late = |_| {
            let problem = format!("the server did not begin to answer within {HEAD_LIMIT:?}");
            Error::new(ErrorKind::Timeout, problem).with_request(&method, url)
        };
        let response = timeout(HEAD_LIMIT, request.send()).await.map_err(late)??;
        Ok((response.status_code() != StatusCode::NO_CONTENT).then(|| response.into_body()))
    }

    /// Reads the pod, and says what becomes of the log: the one place that tells what an error means for it. `None` if
    /// the pod cannot be read just now.
    async fn look(&mut self) -> std::result::Result<Option<Outlook>, Stop> {
        let error = match self.view().await {
            Ok(pod) => return Ok(Some(pod.outlook(self.container.as_deref(), self.instance.as_ref()))),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Decode {
            return Ok(Some(Outlook::Silent));
        }
        if error.is_not_found() {
            return Ok(Some(Outlook::Gone));
        }
        // Nobody may look, so the connection alone says whether there is more. A server that has just been started does
        // not know yet who may.
        if error.is_forbidden() && (self.instance.is_none() || self.is_refused_for_good()) {
            return Ok(Some(Outlook::Silent));
        }
        if error.is_unauthorized() && self.is_refused_for_good() {
            return Err(Stop::Failed(error));
        }
        tracing::debug!(%error, "the pod whose log is followed cannot be read");
        Ok(None)
    }

    async fn view(&self) -> Result<PodView> {
        self.pod.clone().send().await?.json().await
    }

    /// Reads an answer to its end: that of a log that goes on, or of one that has ended. In the latter a last line
    /// without an end counts.
    async fn read(&mut self, mut body: Body, ended: Option<EndedLog>) -> std::result::Result<Ending, Stop> {
        let begun = Instant::now();
        let mut cutter = LineCutter::new(MAX_LINE);
        let mut end = None;
        let doubt = std::mem::replace(&mut self.doubt, Doubt::Lines);
        if doubt != Doubt::None && self.instance.is_some() {
            let lag = if doubt == Doubt::Lines { STATUS_LAG } else { Duration::ZERO };
            let Some(confirmed) = self.confirm(&mut body, &mut cutter, ended, begun + lag).await? else {
                let problem = "what is sent is the log of another instance of the container";
                let error = Some(Error::new(ErrorKind::Transport, problem));
                return Ok(Ending { rest: None, error });
            };
            self.give(confirmed.pieces, confirmed.bytes).await?;
            end = confirmed.end;
        }
        let error = loop {
            if let Some(end) = end.take() {
                break end.err();
            }
            match body.chunk().await {
                Some(Ok(chunk)) => {
                    let length = chunk.len();
                    cutter.push(chunk);
                    self.give(std::iter::from_fn(|| cutter.next()), length).await?;
                }
                Some(Err(error)) => end = Some(Err(error)),
                None => end = Some(Ok(())),
            }
        };
        self.start.answered(begun, error.is_none());
        if error.is_some() {
            return Ok(Ending { rest: None, error });
        }
        let mut rest = cutter.rest();
        // A kubelet ends its messages where it ends the answer.
        if ended.is_some() || rest.as_ref().is_some_and(|rest| rest.begins && stamp::is_message(&rest.bytes)) {
            self.end(rest.take()).await?;
        }
        Ok(Ending { rest, error: None })
    }

    /// Reads the beginning of an answer until it is certain that it is the log of the instance that is followed. `None`
    /// if it is not.
    ///
    /// A kubelet starts a container again before the API server knows, and then sends the log of the new instance. What
    /// has a line that is known is the log that was asked for. Otherwise the pod is asked again, when it must
    /// have heard of a new instance.
    async fn confirm(
        &mut self,
        body: &mut Body,
        cutter: &mut LineCutter,
        ended: Option<EndedLog>,
        late: Instant,
    ) -> std::result::Result<Option<Confirmed>, Stop> {
        let mut confirmed = Confirmed::default();
        let (mut has_lines, mut is_known) = (false, false);
        loop {
            // All that has come is taken: the cutter takes no chunk before the last one has been cut.
            while let Some(piece) = cutter.next() {
                let is_line = piece.begins && !stamp::is_message(&piece.bytes);
                has_lines |= is_line;
                is_known = is_known || (is_line && self.progress.knows(&piece));
                confirmed.pieces.push(piece);
            }
            // What has no lines is no other log.
            if is_known || (confirmed.end.is_some() && !has_lines) {
                return Ok(Some(confirmed));
            }
            tokio::select! {
                chunk = body.chunk(), if confirmed.end.is_none() && confirmed.bytes < MAX_UNCONFIRMED => match chunk {
                    Some(Ok(chunk)) => {
                        confirmed.bytes += chunk.len();
                        cutter.push(chunk);
                    }
                    Some(Err(error)) => confirmed.end = Some(Err(error)),
                    None => confirmed.end = Some(Ok(())),
                },
                () = sleep_until(late) => break,
            }
        }
        let is_it = match self.look().await? {
            Some(Outlook::Runs(_) | Outlook::Ended { next: None, .. }) => ended != Some(EndedLog::Previous),
            Some(Outlook::Ended { log: EndedLog::Previous, .. }) => ended == Some(EndedLog::Previous),
            // Nobody says anything else.
            Some(Outlook::Silent | Outlook::Gone) => true,
            _ => false,
        };
        Ok(is_it.then_some(confirmed))
    }

    /// Gives out what is new in so many bytes.
    async fn give(&mut self, pieces: impl IntoIterator<Item = Piece>, bytes: usize) -> std::result::Result<(), Gone> {
        let events: Vec<_> = pieces.into_iter().filter_map(|piece| self.progress.take(piece)).map(Ok).collect();
        if events.is_empty() {
            return Ok(());
        }
        self.pauses.reset();
        self.given += events.len() as u64;
        self.filler.put(events, bytes).await
    }

    /// Gives out a last line without an end.
    async fn end(&mut self, rest: Option<Piece>) -> std::result::Result<(), Gone> {
        let bytes = rest.as_ref().map_or(0, |rest| rest.bytes.len());
        self.give(rest, bytes).await
    }
}

/// The beginning of an answer, which is the log that was asked for.
#[derive(Default)]
struct Confirmed {
    pieces: Vec<Piece>,
    bytes: usize,
    /// How the answer ended, if it did.
    end: Option<Result<()>>,
}

/// Whether there is no such log, or none any more.
fn is_gone(error: &Error) -> bool {
    error.is_not_found() || error.is_bad_request()
}

/// Whether the server refuses what it allowed before. One that has just been started may do so for a moment.
fn is_refusal(error: &Error) -> bool {
    error.is_unauthorized() || error.is_forbidden() || error.is_invalid()
}
