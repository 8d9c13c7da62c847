//! Watches that end before their time.

use super::{RecordedRequest, RequestFilter};
use crate::server::FakeServer;

/// How a watch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its connection breaks.
    Broken,
    /// What it has not seen is forgotten.
    Expired,
}

/// The cuts so far, in their order.
#[derive(Debug, Default)]
pub(crate) struct Cuts(Vec<(RequestFilter, Cut)>);

impl Cuts {
    /// How many there are: those that are made later concern the watches that are open now.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first one that concerns a watch that was opened when there were `before`.
    pub(crate) fn of(&self, watch: &RecordedRequest, before: usize) -> Option<Cut> {
        let mut later = self.0.get(before..).into_iter().flatten();
        later.find(|(filter, _)| filter.matches(watch)).map(|(_, cut)| *cut)
    }
}

impl FakeServer {
    /// Ends all watches that are open, as a server does that is restarted.
    pub fn cut_watches(&self) {
        self.cut_watches_of(RequestFilter::any());
    }

    /// Ends the watches that are open and were opened by requests that the filter matches, as a connection does that
    /// breaks.
    ///
    /// ```
    /// use k8s_client_fake::{FakeServer, RequestFilter};
    ///
    /// let server = FakeServer::new();
    /// server.cut_watches_of(RequestFilter::any().resource("", "pods").namespace("default"));
    /// ```
    pub fn cut_watches_of(&self, filter: RequestFilter) {
        self.cut(filter, Cut::Broken);
    }

    /// Ends the same with the event `410 Expired`: whoever watched has to list again.
    pub fn expire_watches_of(&self, filter: RequestFilter) {
        self.cut(filter, Cut::Expired);
    }

    fn cut(&self, filter: RequestFilter, cut: Cut) {
        self.state().cuts.0.push((filter, cut));
        self.tell();
    }
}
