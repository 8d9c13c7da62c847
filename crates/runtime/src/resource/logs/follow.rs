//! The loop around the requests for a log.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::{Instant, timeout};

use super::{
    LogEvent,
    buffer::{Filler, Gone},
    cut::{LineCutter, MAX_LINE, Piece},
    pod::{EndedLog, Instance, Outlook, PodView},
    progress::Progress,
};
use crate::{
    error::{Error, ErrorKind, Result},
    rest::{Query, Request},
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
const HEAD_LIMIT: Duration = Duration::from_secs(60);
/// How long the pod is waited for.
const POD_LIMIT: Duration = Duration::from_secs(30);
/// How often the rest of a log that has ended is asked for.
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

/// Where a log begins whose first line has not come yet.
#[derive(Default)]
struct Start {
    since_time: Option<String>,
    /// How much is wanted of what was written before the moment.
    since_seconds: Option<(u64, Instant)>,
}

impl Start {
    fn of(request: &Request) -> Self {
        let seconds = request.query_value("sinceSeconds").and_then(|seconds| seconds.parse().ok());
        // Of lines that are counted from the end, none had been written when none came.
        let none = (request.query_value("tailLines") == Some("0")).then_some(0);
        Self {
            since_time: request.query_value("sinceTime").map(str::to_owned),
            since_seconds: none.or(seconds).map(|seconds| (seconds, Instant::now())),
        }
    }

    /// The option that stands for the same moment now, by the clock of the node.
    fn write(&self, query: &mut Query) {
        match (&self.since_time, self.since_seconds) {
            (_, Some((seconds, at))) => query.set("sinceSeconds", (seconds + at.elapsed().as_secs() + 1).to_string()),
            (Some(time), None) => query.set("sinceTime", time),
            (None, None) => {}
        }
    }
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
    filler: Filler,
}

/// How an answer ended.
struct Ending {
    /// What stood behind the last newline: a last line without an end, or half a line.
    rest: Option<Piece>,
    /// Why it broke off, if it did.
    error: Option<Error>,
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
            filler,
        }
    }

    /// Opens the log for the first time. What hinders it is for the caller.
    pub(super) async fn first(&mut self) -> Result<Body> {
        loop {
            match self.open(self.request.clone()).await {
                Err(error) if self.options.wait_for_start && error.is_bad_request() => match self.look().await {
                    Ok(Outlook::NotStarted | Outlook::Runs(_) | Outlook::Ended { .. }) => self.pauses.wait().await,
                    _ => return Err(error),
                },
                Ok(None) if self.options.wait_for_start => self.pauses.wait().await,
                opened => return Ok(opened?.unwrap_or_default()),
            }
        }
    }

    pub(super) async fn run(mut self, body: Body) {
        if let Err(Stop::Failed(error)) = self.follow(body).await {
            self.filler.fail(error);
        }
    }

    /// Follows one instance after the other.
    async fn follow(&mut self, mut body: Body) -> std::result::Result<(), Stop> {
        match self.look().await {
            Ok(Outlook::Runs(instance)) => self.instance = Some(instance),
            // What has been opened is the log of another instance than the one that is wanted.
            Ok(Outlook::Ended { log, next: Some(_), .. }) => return self.read_to_the_end(log, None).await,
            _ => {}
        }
        loop {
            let next = self.follow_instance(body).await?;
            let Some(instance) = next.filter(|_| self.options.through_restarts) else { return Ok(()) };
            self.filler.tell(LogEvent::Restarted { restart_count: instance.restart_count })?;
            self.progress.next_instance();
            self.instance = Some(instance);
            self.start = Start::default();
            body = Body::default();
        }
    }

    /// Follows an instance to its end. Gives the next one, if there is one.
    async fn follow_instance(&mut self, body: Body) -> std::result::Result<Option<Instance>, Stop> {
        let mut ending = self.read(body, false).await?;
        loop {
            let outlook = match self.look().await {
                Ok(outlook) => outlook,
                Err(error) if error.is_not_found() => Outlook::Gone,
                // Nobody may look, so the connection alone says whether there is more.
                Err(error) if error.is_forbidden() && (self.instance.is_none() || self.is_refused_for_good()) => {
                    Outlook::Silent
                }
                Err(error) => {
                    tracing::debug!(%error, "the pod whose log ended cannot be read");
                    self.pauses.wait().await;
                    continue;
                }
            };
            match outlook {
                Outlook::Runs(instance) => self.instance = Some(instance),
                Outlook::Silent if ending.error.as_ref().is_some_and(|error| !is_gone(error)) => {}
                Outlook::NotStarted if self.options.wait_for_start || self.progress.since().is_some() => {}
                Outlook::Gone | Outlook::Silent | Outlook::NotStarted => {
                    self.end(ending.rest).await?;
                    return Ok(None);
                }
                Outlook::Ended { log, may_restart, next } => {
                    self.read_to_the_end(log, ending.rest).await?;
                    return match next {
                        None if may_restart && self.options.through_restarts => self.next_instance().await,
                        next => Ok(next),
                    };
                }
            }
            self.pauses.wait().await;
            tracing::debug!(error = ending.error.as_ref().map(tracing::field::display), "the log goes on");
            match self.open(self.resumed(true)).await {
                Ok(body) => {
                    self.refusals = 0;
                    self.progress.reopened();
                    ending = self.read(body.unwrap_or_default(), false).await?;
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
            match self.look().await {
                Ok(Outlook::Ended { next: Some(next), .. }) => return Ok(Some(next)),
                Ok(Outlook::Ended { may_restart: true, .. } | Outlook::Runs(_)) => {}
                Ok(_) => return Ok(None),
                Err(error) if error.is_not_found() || error.is_forbidden() => return Ok(None),
                Err(error) => tracing::debug!(%error, "the pod whose container is to be restarted cannot be read"),
            }
        }
    }

    /// Reads what is left of the log of an instance that has ended.
    async fn read_to_the_end(&mut self, log: EndedLog, rest: Option<Piece>) -> std::result::Result<(), Stop> {
        let mut request = self.resumed(false);
        match log {
            EndedLog::Current => {}
            EndedLog::Previous => request = request.with_query(|query| query.set("previous", "true")),
            EndedLog::Lost => return Ok(self.end(rest).await?),
        }
        for _ in 1..LAST_TRIES {
            let error = match self.open(request.clone()).await {
                Ok(body) => {
                    self.progress.reopened();
                    match self.read(body.unwrap_or_default(), true).await?.error {
                        None => return Ok(()),
                        Some(error) => error,
                    }
                }
                // The runtime has removed the container.
                Err(error) if is_gone(&error) => return Ok(self.end(rest).await?),
                Err(error) => error,
            };
            tracing::debug!(%error, "the end of the log cannot be read");
            self.pauses.wait().await;
        }
        // What the last try says is the answer.
        let body = self.open(request).await.map_err(Stop::Failed)?;
        self.progress.reopened();
        match self.read(body.unwrap_or_default(), true).await?.error {
            None => Ok(()),
            Some(error) => Err(Stop::Failed(error)),
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

    /// Reads the pod.
    async fn look(&self) -> Result<Outlook> {
        let pod = match self.pod.clone().send().await?.json::<PodView>().await {
            Err(error) if error.kind() == ErrorKind::Decode => return Ok(Outlook::Silent),
            pod => pod?,
        };
        Ok(pod.outlook(self.container.as_deref(), self.instance.as_ref()))
    }

    /// Reads an answer to its end. A last line without an end counts if this is all there will be.
    async fn read(&mut self, mut body: Body, is_last: bool) -> std::result::Result<Ending, Gone> {
        let mut cutter = LineCutter::new(MAX_LINE);
        while let Some(chunk) = body.chunk().await {
            match chunk {
                Ok(chunk) => self.take(&mut cutter, chunk).await?,
                Err(error) => return Ok(Ending { rest: None, error: Some(error) }),
            }
        }
        let mut rest = cutter.rest();
        if is_last {
            self.end(rest.take()).await?;
        }
        Ok(Ending { rest, error: None })
    }

    async fn take(&mut self, cutter: &mut LineCutter, chunk: Bytes) -> std::result::Result<(), Gone> {
        let length = chunk.len();
        cutter.push(chunk);
        let mut events = Vec::new();
        while let Some(piece) = cutter.next() {
            events.extend(self.progress.take(piece).map(Ok));
        }
        if events.is_empty() {
            return Ok(());
        }
        self.pauses.reset();
        self.filler.put(events, length).await
    }

    /// Gives out a last line without an end.
    async fn end(&mut self, rest: Option<Piece>) -> std::result::Result<(), Gone> {
        let Some(rest) = rest else { return Ok(()) };
        let length = rest.bytes.len();
        let events = self.progress.take(rest).map(Ok).into_iter().collect();
        self.filler.put(events, length).await
    }
}

/// Whether there is no such log, or none any more.
fn is_gone(error: &Error) -> bool {
    error.is_not_found() || error.is_bad_request()
}

/// Whether the server refuses what it allowed before. One that has just been started may do so for a moment.
fn is_refusal(error: &Error) -> bool {
    error.is_unauthorized() || error.is_forbidden() || error.is_invalid()
}
