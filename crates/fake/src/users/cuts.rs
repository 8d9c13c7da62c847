//! Watches that end before their time.

use super::{RecordedRequest, Which};
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
pub(crate) struct Cuts(Vec<(Which, Cut)>);

impl Cuts {
    /// How many there are: those that are made later concern the watches that are open now.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first one that concerns a watch that was opened when there were `before`.
    pub(crate) fn of(&self, watch: &RecordedRequest, before: usize) -> Option<Cut> {
        let mut later = self.0.get(before..).into_iter().flatten();
        later.find(|(which, _)| which.fits(watch)).map(|(_, cut)| *cut)
    }
}

impl FakeServer {
    /// Ends all watches that are open, as a server does that is restarted.
    pub fn cut_watches(&self) {
        self.cut_watches_of(Which::any());
    }

    /// Ends the watches that are open and were opened by requests that are meant, as a connection that breaks does.
    ///
    /// ```
    /// use k8s_client_fake::{FakeServer, Which};
    ///
    /// let server = FakeServer::new();
    /// server.cut_watches_of(Which::any().resource("", "pods").namespace("default"));
    /// ```
    pub fn cut_watches_of(&self, which: Which) {
        self.cut(which, Cut::Broken);
    }

    /// Ends the same with the event `410 Expired`: whoever watched has to list again.
    pub fn expire_watches_of(&self, which: Which) {
        self.cut(which, Cut::Expired);
    }

    fn cut(&self, which: Which, cut: Cut) {
        self.state().cuts.0.push((which, cut));
        self.tell();
    }
}
