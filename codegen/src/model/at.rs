//! Where something stands in the specs, for messages.

use crate::{
    Error,
    spec::{Operation, Spec},
};

/// A file and a place in it.
#[derive(Clone)]
pub(super) struct At {
    pub(super) file: String,
    pub(super) location: String,
}

impl At {
    pub(super) fn new(file: impl Into<String>, location: impl Into<String>) -> Self {
        Self { file: file.into(), location: location.into() }
    }

    pub(super) fn operation(spec: &Spec, operation: &Operation) -> Self {
        Self::new(
            format!("{}/paths/{}.json", spec.version().folder(), operation.document),
            format!("{} {}", operation.method, operation.path),
        )
    }

    pub(super) fn schema(spec: &Spec, name: &str) -> Self {
        let package = super::package(name);
        Self::new(format!("{}/schemas/{package}.json", spec.version().folder()), name)
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        Error::at(&self.file, &self.location, message)
    }
}
