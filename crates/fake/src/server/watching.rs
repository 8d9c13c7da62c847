//! Watches as answers, which go on for as long as they are read.

use std::{convert::Infallible, pin::pin};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use k8s_client_runtime::{
    http::{Response, StatusCode},
    rest::Body,
};
use tokio::time::{self, Instant};

use super::FakeServer;
use crate::{
    api::WatchStream,
    http::response,
    users::{Cut, RecordedRequest},
};

/// What a watch was opened by.
pub(super) struct OpenedBy {
    pub(super) request: RecordedRequest,
    /// How often watches had been cut by then.
    pub(super) cuts: usize,
    /// When it is to be cut.
    pub(super) end: Option<Instant>,
}

impl FakeServer {
    /// The answer to a watch, which goes on for as long as it is read.
    pub(super) fn stream(&self, watch: WatchStream, by: OpenedBy) -> Response<Body> {
        let content_type = watch.content_type();
        let open = (self.clone(), watch, by);
        let events = stream::unfold(open, |(server, mut watch, by)| async move {
            let bytes = server.next_event(&mut watch, &by).await?;
            Some((Ok::<_, Infallible>(Frame::data(bytes)), (server, watch, by)))
        });
        let mut response = response(StatusCode::OK, content_type, Bytes::new());
        *response.body_mut() = Body::new(StreamBody::new(events));
        response
    }

    async fn next_event(&self, watch: &mut WatchStream, by: &OpenedBy) -> Option<Bytes> {
        loop {
            let mut news = pin!(self.0.news.notified());
            news.as_mut().enable();
            {
                let state = self.state();
                let is_late = by.end.is_some_and(|end| end <= Instant::now());
                match state.cuts.of(&by.request, by.cuts).or(is_late.then_some(Cut::Broken)) {
                    _ if watch.is_over() => {}
                    Some(Cut::Broken) => watch.cut(),
                    Some(Cut::Expired) => watch.expire(&state),
                    None => {}
                }
                if let Some(bytes) = watch.next(&state) {
                    return Some(bytes);
                }
            }
            if watch.is_over() {
                return None;
            }
            // Whether there is news or time is up, the watch sees what there is to do.
            let deadline = by.end.map_or(watch.deadline(), |end| end.min(watch.deadline()));
            let _ = time::timeout_at(deadline, news).await;
        }
    }
}
