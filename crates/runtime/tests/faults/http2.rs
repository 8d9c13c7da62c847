//! HTTP/2 with faults.

use std::{collections::VecDeque, future::poll_fn, sync::Arc, task::Poll};

use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    server::{self, SendResponse},
};
use http::{Request, Response};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    api::{self, Event, Reply},
    plan::Fault,
    server::{CALL, Connection},
    wire::Wire,
};

/// What the task of a stream wants of its connection. The stream is kept, since dropping it would reset it first.
struct Wish {
    /// GOAWAY, with the last stream that was accepted, before the end.
    go_away: bool,
    stream: SendResponse<Bytes>,
}

/// Serves one connection until its end.
pub(crate) async fn serve(wire: Wire, on: &Arc<Connection>, streams: u32) {
    let mut builder = server::Builder::new();
    builder.max_concurrent_streams(streams).max_concurrent_reset_streams(1024);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(wire).await else { return };
    let (wishes, mut inbox) = mpsc::unbounded_channel::<Wish>();
    let mut tasks = JoinSet::new();
    // Requests that come after a GOAWAY are not looked at; to drop them would reset their streams.
    let mut unread = Vec::new();
    let mut kept = Vec::new();
    let (mut going, mut graceful) = (false, false);
    let mut last = 0;
    loop {
        let (request, respond) = tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok(accepted)) => accepted,
                Some(Err(_)) | None => break,
            },
            Some(wish) = inbox.recv() => {
                on.breaks();
                if wish.go_away {
                    // Both are seen in the wild: a server that closes in good order, and one that fails.
                    let reason = if last % 4 == 1 { Reason::NO_ERROR } else { Reason::INTERNAL_ERROR };
                    on.control.go_away(last, reason);
                    poll_fn(|context| match connection.poll_closed(context) {
                        Poll::Pending if !on.control.has_gone_away() => Poll::Pending,
                        _ => Poll::Ready(()),
                    })
                    .await;
                }
                on.control.cut(false);
                kept.push(wish.stream);
                continue;
            }
            Some(_) = tasks.join_next() => continue,
        };
        if going {
            unread.push((request, respond));
            continue;
        }
        let id = u32::from(respond.stream_id());
        let call = request.headers().get(CALL).and_then(|id| id.to_str().ok()?.parse().ok());
        let fault = match on.arrived(call, true) {
            // The last stream was told already, or will be; a server must not change its mind.
            Fault::GoAwayBelow if graceful => Fault::Refused,
            fault => fault,
        };
        match fault {
            Fault::DropBefore | Fault::TcpReset => {
                on.breaks();
                on.control.cut(fault == Fault::TcpReset);
            }
            Fault::BlackHole => {
                on.breaks();
                on.control.silence();
            }
            Fault::GoAwayBelow => {
                // All streams below have been accepted, and will be answered.
                on.control.go_away(id.saturating_sub(2), Reason::NO_ERROR);
                going = true;
                unread.push((request, respond));
                continue;
            }
            Fault::GoAwayGraceful => {
                connection.graceful_shutdown();
                graceful = true;
            }
            _ => {}
        }
        last = id;
        let stream = Stream { call, fault, on: on.clone(), respond, wishes: wishes.clone() };
        tasks.spawn(stream.serve(request));
    }
}

struct Stream {
    call: Option<u64>,
    fault: Fault,
    on: Arc<Connection>,
    respond: SendResponse<Bytes>,
    wishes: mpsc::UnboundedSender<Wish>,
}

impl Stream {
    async fn serve(mut self, request: Request<RecvStream>) {
        match self.fault {
            Fault::Refused => return self.respond.send_reset(Reason::REFUSED_STREAM),
            // The connection itself is broken.
            Fault::DropBefore | Fault::TcpReset | Fault::BlackHole | Fault::GoAwayBelow => return,
            _ => {}
        }
        let (head, body) = request.into_parts();
        let Some(body) = read(body).await else { return };
        if let Fault::Busy { code, retry_after } = self.fault {
            return self.answer(code, retry_after, &api::busy(code)).await;
        }
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let (code, body) = match self.on.process(self.call, head.method.as_str(), path, &body) {
            Reply::Object(code, body) => (code, body),
            Reply::Watch { namespace, first, mut then } => {
                let Some(mut stream) = self.head(200, None, None) else { return };
                let mut lines = VecDeque::from(first);
                while let Some(line) = next_line(&mut lines, &mut then, &namespace).await {
                    if send(&mut stream, line).await.is_none() {
                        return;
                    }
                }
                return;
            }
        };
        match self.fault {
            Fault::DropAfter | Fault::GoAwayAfter => {
                let go_away = self.fault == Fault::GoAwayAfter;
                let _ = self.wishes.send(Wish { go_away, stream: self.respond });
            }
            Fault::ResetAfter => self.respond.send_reset(Reason::INTERNAL_ERROR),
            Fault::Stall => {
                let _ = poll_fn(|context| self.respond.poll_reset(context)).await;
            }
            Fault::HalfAnswer | Fault::HalfThenSilence => {
                let Some(mut stream) = self.head(code, None, Some(body.len())) else { return };
                if send(&mut stream, body.slice(..body.len() / 2)).await.is_none() {
                    return;
                }
                if self.fault == Fault::HalfAnswer {
                    stream.send_reset(Reason::INTERNAL_ERROR);
                } else {
                    let _ = poll_fn(|context| stream.poll_reset(context)).await;
                }
            }
            _ => self.answer(code, None, &body).await,
        }
    }

    async fn answer(&mut self, code: u16, retry_after: Option<u16>, body: &Bytes) {
        let Some(mut stream) = self.head(code, retry_after, Some(body.len())) else { return };
        if send(&mut stream, body.clone()).await.is_some() {
            let _ = stream.send_data(Bytes::new(), true);
        }
    }

    fn head(&mut self, code: u16, retry_after: Option<u16>, length: Option<usize>) -> Option<SendStream<Bytes>> {
        let mut response = Response::builder().status(code).header("content-type", "application/json");
        if let Some(seconds) = retry_after {
            response = response.header("retry-after", seconds);
        }
        if let Some(length) = length {
            response = response.header("content-length", length);
        }
        let response = response.body(()).expect("the head is valid");
        self.respond.send_response(response, false).ok()
    }
}

/// The next line of a watch.
pub(crate) async fn next_line(
    lines: &mut VecDeque<Bytes>,
    then: &mut tokio::sync::broadcast::Receiver<Event>,
    namespace: &str,
) -> Option<Bytes> {
    if let Some(line) = lines.pop_front() {
        return Some(line);
    }
    loop {
        let (of, line) = then.recv().await.ok()?;
        if of == namespace {
            return Some(line);
        }
    }
}

async fn read(mut body: RecvStream) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.ok()?;
        all.extend_from_slice(&chunk);
        body.flow_control().release_capacity(chunk.len()).ok()?;
    }
    Some(all)
}

/// Sends all of it, or nothing if the stream has ended.
async fn send(stream: &mut SendStream<Bytes>, mut bytes: Bytes) -> Option<()> {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        let capacity = poll_fn(|context| stream.poll_capacity(context)).await?.ok()?;
        stream.send_data(bytes.split_to(capacity.min(bytes.len())), false).ok()?;
    }
    Some(())
}
