//! The addresses of a name, by the system.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use tokio::time::Instant;
use tower_service::Service;

use crate::metrics::Metrics;

/// Asks the system, and reports how long it took.
#[derive(Clone)]
pub(super) struct Resolver {
    system: GaiResolver,
    metrics: Option<Arc<dyn Metrics>>,
}

impl Resolver {
    pub(super) fn new(metrics: Option<Arc<dyn Metrics>>) -> Self {
        Self { system: GaiResolver::new(), metrics }
    }
}

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<GaiAddrs>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let asking = self.system.call(name.clone());
        let metrics = self.metrics.clone();
        Box::pin(async move {
            let asked = Instant::now();
            let addresses = asking.await;
            if let Some(metrics) = metrics {
                metrics.resolver_latency(name.as_str(), asked.elapsed());
            }
            addresses
        })
    }
}
