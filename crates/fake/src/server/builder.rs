//! How a server is to be, before it starts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::FakeServer;
use crate::{clock::Clock, model::Model, state::State};

/// When the time of a seeded server begins: 1 January 2026.
pub(crate) const SEEDED_START: Duration = Duration::from_secs(1_767_225_600);

/// How a [`FakeServer`] is to be: see [`FakeServer::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct FakeServerBuilder {
    minor: u32,
    seed: Option<u64>,
    collects_garbage: bool,
    runs_controllers: bool,
}

impl Default for FakeServerBuilder {
    /// A server of the newest version that is known.
    fn default() -> Self {
        Self { minor: Model::newest(), seed: None, collects_garbage: false, runs_controllers: false }
    }
}

impl FakeServerBuilder {
    /// The minor version of Kubernetes that is served: 37 for 1.37. The newest one that is known by default.
    pub fn kubernetes_minor(mut self, minor: u32) -> Self {
        self.minor = minor;
        self
    }

    /// Makes everything that the server draws — uids, generated names — follow from this number, and lets its clock
    /// begin at a fixed time. By default they differ each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Does what [`FakeServer::collect_garbage`] does after each write. By default nothing is deleted that a request
    /// does not delete, as on a server without controllers.
    pub fn collects_garbage(mut self) -> Self {
        self.collects_garbage = true;
        self
    }

    /// Does what a cluster would do after each write: controllers make what Deployments and their like want, pods run
    /// and are ready at once, those of Jobs succeed, those that are told to end do, and garbage is collected. All of it
    /// has happened when the write is answered. By default no controllers run.
    ///
    /// [`FakeServer::run_controllers`] and its neighbours do the same in steps, for tests of what happens in between.
    pub fn runs_controllers(mut self) -> Self {
        self.runs_controllers = true;
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// When there is no data of the version.
    pub fn start(self) -> FakeServer {
        let Some(model) = Model::of(self.minor) else {
            panic!("there is no data of Kubernetes 1.{}: the newest version is 1.{}", self.minor, Model::newest());
        };
        let (clock, random) = match self.seed {
            Some(seed) => (Clock::showing(UNIX_EPOCH + SEEDED_START), fastrand::Rng::with_seed(seed)),
            None => (Clock::showing(SystemTime::now()), fastrand::Rng::new()),
        };
        let mut state = State::new(model, clock, random);
        state.collects_garbage = self.collects_garbage;
        state.runs_controllers = self.runs_controllers;
        FakeServer::of(state)
    }
}
