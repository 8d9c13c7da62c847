//! The lease on the server.

use std::time::Duration;

use k8s_client_api_coordination::v1::{CoordinationV1Client, Leases};
use k8s_client_runtime::{RestClient, Result};
use k8s_openapi::api::coordination::v1::Lease;

/// The requests of an election, each with a limit of time.
pub(crate) struct Lock {
    leases: Leases,
    name: String,
    limit: Duration,
}

impl Lock {
    pub(crate) fn new(client: &RestClient, namespace: &str, name: &str, limit: Duration) -> Self {
        Self { leases: CoordinationV1Client::new(client).leases(namespace), name: name.to_owned(), limit }
    }

    /// The lease as it is now, if there is one.
    pub(crate) async fn read(&self) -> Result<Option<Lease>> {
        match self.leases.get(&self.name).with_timeout(self.limit).await {
            Ok(lease) => Ok(Some(lease)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates the lease if it has no version, and otherwise replaces that version of it, if it is still the newest.
    pub(crate) async fn write(&self, lease: &Lease) -> Result<Lease> {
        match lease.metadata.resource_version {
            Some(_) => self.leases.update(lease).with_timeout(self.limit).await,
            None => self.leases.create(lease).with_timeout(self.limit).await,
        }
    }
}
