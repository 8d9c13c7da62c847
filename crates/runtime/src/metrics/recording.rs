//! A receiver for tests of what is not a request.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use super::{ExecPluginOutcome, Metrics};
use crate::error::{Error, ErrorKind};

/// What was reported, without how long it took.
#[derive(Clone, Default)]
pub(crate) struct Recording(Arc<Mutex<Vec<String>>>);

impl Recording {
    /// What was reported since this was asked for the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// What a configuration is given.
    pub(crate) fn receiver(&self) -> Arc<dyn Metrics> {
        Arc::new(self.clone())
    }

    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

impl Metrics for Recording {
    fn resolver_latency(&self, host: &str, _: Duration) {
        self.note(format!("resolved {host}"));
    }

    fn connection(&self, result: Result<(), ErrorKind>, _: Duration) {
        self.note(format!("connection {result:?}"));
    }

    fn exec_plugin_call(&self, command: &str, outcome: ExecPluginOutcome) {
        self.note(format!("{command} {outcome:?} {}", outcome.as_str()));
    }

    fn client_certificate_expiry(&self, expiry: SystemTime) {
        let seconds = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        self.note(format!("expiry {seconds}"));
    }

    fn client_certificate_rotation_age(&self, age: Duration) {
        self.note(format!("age {}", age.as_secs() / 60));
    }

    fn certificate_reload(&self, result: Result<(), &Error>) {
        self.note(format!("reload {}", if result.is_ok() { "ok" } else { "failed" }));
    }
}
