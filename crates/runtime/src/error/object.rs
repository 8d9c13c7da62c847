//! Which object of a list or a watch could not be decoded.

use std::fmt;

use super::{Error, ErrorKind};
use crate::codec;

/// The object of a list or a watch that could not be decoded, as far as it says which one it is: see
/// [`Error::undecodable_object`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndecodableObject {
    /// `metadata.namespace`; `None` for objects of the cluster.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.resourceVersion`: of a watch's event, the version from which another watch goes on behind it.
    pub resource_version: Option<String>,
    /// Whether the event of the watch is its deletion.
    pub deleted: bool,
}

impl Error {
    /// The error of an object that could not be decoded, while those beside it can: `place` is what it is called if it
    /// has no name.
    pub(crate) fn undecodable(object: UndecodableObject, place: &str, source: codec::Error) -> Self {
        let what = if object.name.is_some() { format!("the object {object}") } else { place.to_owned() };
        let mut error = Self::new(ErrorKind::Decode, format!("{what} could not be decoded")).with_source(source);
        error.0.undecodable = Some(object);
        error
    }

    /// The object that could not be decoded, where the error is about one object of a list or a watch. A stream goes on
    /// behind such an error: the next item or event is the one that comes after that object.
    ///
    /// ```no_run
    /// # use k8s_client_runtime::{Error, resource::ResourceClient};
    /// # use k8s_openapi::api::coordination::v1::Lease;
    /// # async fn example(leases: ResourceClient<Lease>) -> Result<(), Error> {
    /// let mut events = leases.watch().await?;
    /// loop {
    ///     match events.try_next().await {
    ///         Ok(Some(event)) => println!("{event:?}"),
    ///         Ok(None) => break Ok(()),
    ///         // Somebody wrote a lease that cannot be read: the others go on.
    ///         Err(error) if error.undecodable_object().is_some() => eprintln!("passed over: {error}"),
    ///         Err(error) => break Err(error),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn undecodable_object(&self) -> Option<&UndecodableObject> {
        self.0.undecodable.as_ref()
    }
}

/// The namespace and the name, with a slash between them.
impl fmt::Display for UndecodableObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(self.name.as_deref().unwrap_or("?"))
    }
}
