//! Objects on their way into a store, and in it.

use std::sync::Arc;

use k8s_client_runtime::object::AnyObject;

use crate::{
    ObjectKey,
    keep::{Decode, Kept},
};

/// An object as it is kept, with what tells it from others and from its other states. Those are the server's, whatever
/// a projection leaves of the object.
pub(crate) struct Entry<T> {
    pub(crate) key: ObjectKey,
    pub(crate) uid: Box<str>,
    pub(crate) version: Box<str>,
    pub(crate) kept: Kept<T>,
    /// Which of several sources it came from.
    pub(crate) source: usize,
}

impl<T> Entry<T> {
    /// The object; decoded, if it is kept as bytes.
    pub(crate) fn read(&self, decode: Decode<T>) -> Option<Arc<T>> {
        match &self.kept {
            Kept::Whole(object) => Some(object.clone()),
            // These bytes have been decoded once when they came.
            Kept::Encoded(encoded) => decode(encoded)
                .inspect_err(|error| tracing::error!(key = %self.key, %error, "an object that was kept cannot be read"))
                .ok()
                .map(Arc::new),
        }
    }

    /// The same object, kept as something else.
    pub(crate) fn with<U>(self, kept: Kept<U>) -> Entry<U> {
        let Self { key, uid, version, source, .. } = self;
        Entry { key, uid, version, kept, source }
    }

    /// Whether this is the same state of the same object.
    pub(crate) fn is_state(&self, other: &Self) -> bool {
        self.uid == other.uid && self.version == other.version && !self.version.is_empty()
    }
}

/// An object that has arrived.
pub(crate) struct Arrival<T> {
    pub(crate) entry: Entry<T>,
    /// The object as it was decoded, for indexes and filters.
    pub(crate) object: Arc<T>,
}

impl<T> Arrival<T> {
    /// An object, kept whole.
    pub(crate) fn whole(metadata: &impl AnyObject, object: T) -> Self {
        let object = Arc::new(object);
        Self::new(metadata, Kept::Whole(object.clone()), object)
    }

    pub(crate) fn new(metadata: &impl AnyObject, kept: Kept<T>, object: Arc<T>) -> Self {
        let entry = Entry {
            key: ObjectKey::of(metadata),
            uid: metadata.uid().unwrap_or_default().into(),
            version: metadata.resource_version().unwrap_or_default().into(),
            kept,
            source: 0,
        };
        Self { entry, object }
    }
}
