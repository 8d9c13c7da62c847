//! What the clients of one configuration share.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// A place, shared by all clones of a configuration, where credentials that are fetched keep what they got. It is freed with
/// the last of them; nothing is global.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Option<Arc<dyn Any + Send + Sync>>>>);

impl Memory {
    /// What is kept, if it suits; otherwise what is made now, which is kept instead. A clone whose settings were changed does
    /// not suit.
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

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
