//! Where a log begins.

use std::time::Duration;

use tokio::time::Instant;

use crate::rest::{Query, Request};

/// An answer that has had no line for this long had none to begin with.
const EMPTY: Duration = Duration::from_secs(10);

/// Where a log begins whose first line has not come yet.
#[derive(Default)]
pub(super) struct Start {
    since_time: Option<String>,
    /// How much is wanted of what was written before the moment.
    since_seconds: Option<(u64, Instant)>,
    /// How many lines are wanted of those that are there, as long as it is not known that there are none.
    tail_lines: Option<String>,
}

impl Start {
    pub(super) fn of(request: &Request) -> Self {
        let seconds = request.query_value("sinceSeconds").and_then(|seconds| seconds.parse().ok());
        let tail_lines = request.query_value("tailLines");
        let none = (tail_lines == Some("0")).then_some(0);
        Self {
            since_time: request.query_value("sinceTime").map(str::to_owned),
            since_seconds: none.or(seconds).map(|seconds| (seconds, Instant::now())),
            tail_lines: tail_lines.filter(|lines| *lines != "0").map(str::to_owned),
        }
    }

    /// The option that stands for the same moment now, by the clock of the node.
    pub(super) fn write(&self, query: &mut Query) {
        match (&self.since_time, self.since_seconds) {
            (_, Some((seconds, at))) => query.set("sinceSeconds", (seconds + at.elapsed().as_secs() + 1).to_string()),
            (Some(time), None) => query.set("sinceTime", time),
            (None, None) => {}
        }
        if let Some(lines) = &self.tail_lines {
            query.set("tailLines", lines);
        }
    }
    /// An answer that began then has ended, by itself or not. If nothing came, nothing was there: what comes later is
    /// wanted, however many lines that are.
    pub(super) fn answered(&mut self, begun: Instant, is_whole: bool) {
        if is_whole || begun.elapsed() >= EMPTY {
            self.tail_lines = None;
        }
    }
}
