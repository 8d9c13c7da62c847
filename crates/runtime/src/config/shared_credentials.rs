//! What the clients of one configuration share: [`SharedCredentials`].

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// The credentials that all clones of a configuration share once they are fetched: `auth` keeps its `exec::Plugin` or
/// its `oidc::Provider` here. They are freed with the last clone; nothing is global.
///
/// A configuration is plain data and knows neither type, so they are held as [`Any`].
#[derive(Clone, Default)]
pub(crate) struct SharedCredentials(Arc<Mutex<Option<Arc<dyn Any + Send + Sync>>>>);

impl SharedCredentials {
    /// What is kept, if it suits; otherwise what is made now, which is kept instead. A clone whose settings were
    /// changed does not suit.
    pub(crate) fn get_or_insert<T: Send + Sync + 'static>(
        &self,
        suits: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.clone().and_then(|kept| kept.downcast::<T>().ok())
            && suits(&kept)
        {
            return kept;
        }
        let fresh = Arc::new(make());
        *kept = Some(fresh.clone());
        fresh
    }
}

impl fmt::Debug for SharedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedCredentials")
    }
}
