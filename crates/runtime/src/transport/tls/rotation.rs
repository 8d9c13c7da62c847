//! Certificates and keys that change while a client lives: [`Rotation`].
//!
//! Files are read again before a handshake, and every minute for the sake of connections that last. Good new content
//! makes a new [`Handshake`]; whoever holds connections sees that theirs is not the current one and makes no more use
//! of them, and those end by their [`Retirement`](super::retirement::Retirement).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    task::{AbortHandle, spawn_blocking},
    time::{Instant, sleep},
};

use super::{Handshake, Material};
use crate::{
    config::{ClientIdentity, Config, PemSource, TlsConfig},
    error::{Error, Result},
    metrics::Metrics,
};

// client-go reads files again at most once a second. It compares certificates with those of open connections every five
// minutes; reading three small files costs nothing, so a minute it is, as for token files.
const LOOK_BEFORE_HANDSHAKE_AFTER: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The TLS of a client, always that of the newest certificates.
pub(in crate::transport) struct Rotation {
    config: TlsConfig,
    disable_http2: bool,
    metrics: Option<Arc<dyn Metrics>>,
    state: Mutex<State>,
    looking: Mutex<Option<Looking>>,
}

struct State {
    current: Arc<Handshake>,
    /// What the credentials brought, in place of the configuration's.
    granted: Option<Arc<ClientIdentity>>,
    /// What was granted before. A request that waited must not bring it back.
    replaced: Vec<Weak<ClientIdentity>>,
    looked: Instant,
}

impl Rotation {
    pub(in crate::transport) fn new(config: &Config) -> Result<Self> {
        let Config { tls, disable_http2, metrics, .. } = config;
        let current = Arc::new(Handshake::of(tls, *disable_http2)?);
        if let (Some(metrics), Some((_, expiry))) = (metrics, current.material.identity_validity()) {
            metrics.client_certificate_expiry(expiry);
        }
        Ok(Self {
            config: tls.clone(),
            disable_http2: *disable_http2,
            metrics: metrics.clone(),
            state: Mutex::new(State { current, granted: None, replaced: Vec::new(), looked: Instant::now() }),
            looking: Mutex::default(),
        })
    }

    /// What a request is sent with. A client certificate that comes with the request's credentials replaces the one
    /// before; a request without one goes as the last did.
    pub(in crate::transport) fn current(&self, granted: Option<&Arc<ClientIdentity>>) -> Result<Arc<Handshake>> {
        let mut state = self.state();
        if let Some(granted) = granted.filter(|granted| !state.knows(granted)) {
            let material = state.current.material.with_identity(granted)?;
            self.install(&mut state, Some(granted), material)?;
            state.replaced.retain(|identity| identity.strong_count() > 0);
            if let Some(before) = state.granted.replace(granted.clone()) {
                state.replaced.push(Arc::downgrade(&before));
            }
        }
        Ok(state.current.clone())
    }

    /// What a new connection is made with: from files as they are now.
    pub(in crate::transport) async fn fresh(self: &Arc<Self>) -> Arc<Handshake> {
        if self.has_files() {
            self.keep_looking();
            if self.is_due() {
                look(self.clone()).await;
            }
        }
        self.state().current.clone()
    }

    /// Whether the last look is long enough ago, or no handshake could succeed; if so, this is the next one.
    fn is_due(&self) -> bool {
        let mut state = self.state();
        let due = state.looked.elapsed() > LOOK_BEFORE_HANDSHAKE_AFTER || state.current.material.trusts_nobody();
        if due {
            state.looked = Instant::now();
        }
        due
    }

    fn has_files(&self) -> bool {
        let state = self.state();
        let identity = state.granted.as_deref().or(self.config.identity.as_ref());
        let sources = [self.config.ca.as_ref(), identity.map(|it| &it.certificate), identity.map(|it| &it.key)];
        sources.into_iter().flatten().any(|source| matches!(source, PemSource::File(_)))
    }

    /// Reads the sources, and keeps what there is when they hold nothing good.
    fn look(&self) {
        let granted = self.state().granted.clone();
        let identity = granted.as_deref().or(self.config.identity.as_ref());
        let renewed = Material::read(self.config.ca.as_ref(), identity).and_then(|material| {
            let mut state = self.state();
            let overtaken = state.granted.as_ref().map(Arc::as_ptr) != granted.as_ref().map(Arc::as_ptr);
            // A file may be empty for a moment while it is written.
            let emptied = material.trusts_nobody() && !state.current.material.trusts_nobody();
            match &self.config.ca {
                Some(source) if emptied => Err(Error::config(format!("{source}is empty"))),
                _ if overtaken => Ok(()),
                _ => {
                    let changed = self.install(&mut state, identity, material)?;
                    if let Some(metrics) = self.metrics.as_ref().filter(|_| changed) {
                        metrics.certificate_reload(Ok(()));
                    }
                    Ok(())
                }
            }
        });
        if let Err(error) = renewed {
            if let Some(metrics) = &self.metrics {
                metrics.certificate_reload(Err(&error));
            }
            tracing::warn!(%error, "certificates were not read again; what was read before stays in use");
        }
    }

    /// Puts the material to use, if it is other than what is in use; whether it is.
    fn install(&self, state: &mut State, identity: Option<&ClientIdentity>, material: Material) -> Result<bool> {
        if state.current.material == material {
            return Ok(false);
        }
        let verifier = match state.current.verifier_for(&material) {
            Some(verifier) => verifier,
            None => super::verifier(&self.config, &material)?,
        };
        let next = Handshake::new(material, verifier, identity, self.disable_http2)?;
        let before = std::mem::replace(&mut state.current, Arc::new(next));
        before.retirement.begin();
        if let Some(metrics) = &self.metrics {
            report_rotation(&**metrics, &before.material, &state.current.material);
        }
        tracing::debug!("the client certificate or the CA changed; connections made before will be closed");
        Ok(true)
    }

    /// Sees to it that files are also read while nothing connects.
    fn keep_looking(self: &Arc<Self>) {
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        // A client may outlive the runtime that it was first used in.
        if looking.as_ref().is_none_or(|task| task.0.is_finished()) {
            *looking = Some(Looking(tokio::spawn(look_again_and_again(Arc::downgrade(self))).abort_handle()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No change of the state stops half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports that a client certificate has taken the place of another, if it is another.
fn report_rotation(metrics: &dyn Metrics, before: &Material, now: &Material) {
    if before.identity == now.identity {
        return;
    }
    if let Some((begin, _)) = before.identity_validity() {
        metrics.client_certificate_rotation_age(begin.elapsed().unwrap_or_default());
    }
    if let Some((_, expiry)) = now.identity_validity() {
        metrics.client_certificate_expiry(expiry);
    }
}

impl State {
    fn knows(&self, identity: &Arc<ClientIdentity>) -> bool {
        let same = |known: *const ClientIdentity| std::ptr::eq(known, Arc::as_ptr(identity));
        self.granted.as_ref().is_some_and(|known| same(Arc::as_ptr(known)))
            || self.replaced.iter().any(|known| same(known.as_ptr()))
    }
}

/// The task that looks; it ends with the last client.
struct Looking(AbortHandle);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look_again_and_again(rotation: Weak<Rotation>) {
    loop {
        sleep(LOOK_EVERY).await;
        let Some(rotation) = rotation.upgrade() else { return };
        rotation.state().looked = Instant::now();
        look(rotation).await;
    }
}

async fn look(rotation: Arc<Rotation>) {
    // It fails only when the runtime ends.
    let _ = spawn_blocking(move || rotation.look()).await;
}
