//! The way from a program to the server, on which requests and answers are slow, and get lost.

use std::{
    convert::Infallible,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http_body::{Body as _, Frame};
use http_body_util::StreamBody;
use k8s_client_runtime::{
    http::{Method, Request, Response, StatusCode, request::Parts},
    machine::Process,
    rest::Body,
};
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};
use tower_service::Service;

use super::{FaultKind, world::World};
use crate::{AnswerFuture, Fault, protobuf};

/// How long a request or an answer is under way when nothing is wrong.
const USUAL: Duration = Duration::from_millis(5);
/// How long at most when something is.
const SLOW: Duration = Duration::from_secs(30);
/// How long a watch may last that is to be cut.
const SHORT_WATCH: Duration = Duration::from_secs(120);

/// What a server says that does not do what it could.
const REFUSALS: [(u16, &str, &str); 3] = [
    (429, "TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    (500, "InternalError", "Internal error occurred: etcdserver: request timed out"),
    (503, "ServiceUnavailable", "the server is currently unable to handle the request"),
];
const CONFLICT: &str = "Operation cannot be fulfilled: the object has been modified; please apply your changes to the \
                        latest version and try again";

/// A program's way to the server.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) world: Arc<World>,
    /// The program, if it is one that can be stopped.
    pub(super) process: Option<Arc<Process>>,
}

/// What becomes of a request.
struct Fate {
    /// How long it is under way to the server, and its answer back.
    there: Duration,
    back: Duration,
    fault: Option<Fault>,
}

impl Line {
    fn fate(&self, head: &Parts, body: &Bytes) -> Fate {
        let Self { world, .. } = self;
        let is_read = head.method == Method::GET;
        let query = head.uri.query().unwrap_or_default();
        let is_watch = is_read && query.contains("watch=");
        let mut fate = Fate { there: world.draw_time(USUAL), back: world.draw_time(USUAL), fault: None };
        // All lots are drawn for each request, so that what happens to one changes nothing for the next.
        let (slow, is_there) = (world.draw_time(SLOW), world.draw(0..2) == 0);
        if world.happens(FaultKind::SlowAnswer, 20, || true) {
            *(if is_there { &mut fate.there } else { &mut fate.back }) = slow;
        }
        let refusal = REFUSALS[usize::try_from(world.draw(0..3)).unwrap_or_default()];
        let (age, life) = (world.draw(1..20), world.draw_time(SHORT_WATCH));
        let takes_any = is_read && !is_watch && query.split('&').any(|pair| pair == "resourceVersion=0");
        for (kind, in_a_thousand, can) in [
            (FaultKind::LostRequest, 10, true),
            (FaultKind::LostAnswer, 20, true),
            (FaultKind::Refusal, 10, true),
            (FaultKind::Conflict, 50, !is_read),
            (FaultKind::StaleRead, 200, takes_any),
            (FaultKind::WatchCut, 300, is_watch),
        ] {
            // A body is read for those alone on whom the lot has fallen.
            let can = || can && (kind != FaultKind::Conflict || names_version(world, body));
            if !world.happens(kind, in_a_thousand, can) || fate.fault.is_some() {
                continue;
            }
            fate.fault = Some(match kind {
                FaultKind::LostRequest => Fault::DropRequest,
                FaultKind::LostAnswer => Fault::DropAnswer,
                FaultKind::StaleRead => Fault::StaleRead(age),
                FaultKind::WatchCut => Fault::CutWatch(life),
                FaultKind::Conflict => Fault::refuse(409, "Conflict", CONFLICT),
                _ => Fault::refuse(refusal.0, refusal.1, refusal.2),
            });
        }
        fate
    }

    async fn send(self, head: Parts, body: Bytes) -> io::Result<Response<Body>> {
        let fate = self.fate(&head, &body);
        let Self { world, .. } = self;
        let is_write = head.method != Method::GET;
        let (_, restarts) = world.presence();
        sleep(fate.there).await;
        let (is_away, now) = world.presence();
        if is_away || restarts != now {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let response = world.server.meet(head, body, fate.fault).await?;
        sleep(fate.back).await;
        if world.presence().1 != restarts {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        // What has no length goes on: a watch.
        let goes_on = !is_write && response.status() == StatusCode::OK && response.body().size_hint().exact().is_none();
        Ok(if goes_on { late(world, response) } else { response })
    }
}

/// Whether the object or patch of a body says of which version it is.
fn names_version(world: &World, body: &Bytes) -> bool {
    let model = world.server.state().model;
    let object: Option<Value> = protobuf::json(body, model).or_else(|| serde_json::from_slice(body).ok());
    object
        .is_some_and(|object| object["metadata"]["resourceVersion"].as_str().is_some_and(|version| !version.is_empty()))
}

/// A watch whose events come late now and then, and in their order.
fn late(world: Arc<World>, response: Response<Body>) -> Response<Body> {
    let (head, body) = response.into_parts();
    let chunks = stream::unfold((world, body, Instant::now()), |(world, mut body, mut arrival)| async move {
        let chunk = body.chunk().await?.ok()?;
        let (usual, slow) = (world.draw_time(USUAL), world.draw_time(SLOW));
        let under_way = if world.happens(FaultKind::SlowWatch, 50, || true) { slow } else { usual };
        arrival = arrival.max(Instant::now() + under_way);
        sleep_until(arrival).await;
        Some((Ok::<_, Infallible>(Frame::data(chunk)), (world, body, arrival)))
    });
    Response::from_parts(head, Body::new(StreamBody::new(chunks)))
}

impl Service<Request<Body>> for Line {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> AnswerFuture {
        let line = self.clone();
        let process = line.process.clone();
        let answer = async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| io::ErrorKind::ConnectionReset)?;
            // It goes its way even if whoever sent it gives up or is killed.
            tokio::spawn(line.send(head, body)).await.map_err(io::Error::other)?
        };
        match process {
            // Also a task that is not known to be part of the program stands still here when that does.
            Some(process) => Box::pin(process.run(answer)),
            None => Box::pin(answer),
        }
    }
}
