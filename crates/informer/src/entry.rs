//! Objects on their way into a store, and in it.

use std::{ops::Deref, sync::Arc};

use k8s_client_runtime::object::AnyObject;

use crate::{
    ObjectKey,
    keep::{Decode, Encoded, Kept},
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

/// What is taken of each object, however it is kept.
pub(crate) struct Metadata {
    key: ObjectKey,
    uid: Box<str>,
    version: Box<str>,
}

impl Metadata {
    pub(crate) fn of(object: &impl AnyObject) -> Self {
        Self {
            key: ObjectKey::of(object),
            uid: object.uid().unwrap_or_default().into(),
            version: object.resource_version().unwrap_or_default().into(),
        }
    }

    /// The entry of an object that is kept so.
    pub(crate) fn keeps<T>(self, kept: Kept<T>) -> Entry<T> {
        let Self { key, uid, version } = self;
        Entry { key, uid, version, kept, source: 0 }
    }
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

    /// Whether this is the same state of the same object.
    pub(crate) fn is_state(&self, other: &Self) -> bool {
        self.uid == other.uid && self.version == other.version && !self.version.is_empty()
    }
}

/// An object that has arrived.
pub(crate) struct Arrival<T> {
    pub(crate) entry: Entry<T>,
    /// The object as it was decoded, for indexes and filters.
    pub(crate) object: Decoded<T>,
}

/// An object as it was decoded.
pub(crate) enum Decoded<T> {
    /// It is kept as bytes.
    Own(T),
    /// It is what is kept.
    Kept(Arc<T>),
}

impl<T> Arrival<T> {
    /// An object, kept as its bytes.
    pub(crate) fn encoded(object: T, encoded: Encoded) -> Self
    where
        T: AnyObject,
    {
        Self { entry: Metadata::of(&object).keeps(Kept::Encoded(encoded)), object: Decoded::Own(object) }
    }

    /// An object, kept as it is read.
    pub(crate) fn whole(metadata: Metadata, object: T) -> Self {
        let object = Arc::new(object);
        Self { entry: metadata.keeps(Kept::Whole(object.clone())), object: Decoded::Kept(object) }
    }
}

impl<T> Deref for Decoded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Own(object) => object,
            Self::Kept(object) => object,
        }
    }
}
