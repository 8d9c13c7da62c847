//! Proof under fault: an API server of one resource that fails in every way a real one or the network may, and what
//! becomes of a client's requests.
//!
//! `api` is the server's store, `server` its sockets, `http1` and `http2` what is spoken on them; `plan` says which
//! request meets which fault, `ledger` what really happened to each, so that `mixed` can hold that against what the
//! client was told.

mod api;
mod black_hole;
mod dropped;
mod http1;
mod http2;
mod ledger;
mod mixed;
mod plan;
mod server;
mod watches;
mod wire;

use std::{future::IntoFuture, time::Duration};

use k8s_client_runtime::{
    RestClient,
    resource::{Namespaced, ResourceClient},
};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;

/// How long anything may take that happens soon; one that hangs takes longer.
const SOON: Duration = Duration::from_secs(60);

fn config_maps(client: &RestClient, namespace: &str) -> ResourceClient<ConfigMap, Namespaced> {
    ResourceClient::<ConfigMap>::namespaced(client, namespace)
}

/// A config map with one entry, `key`.
fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({ "metadata": { "name": name }, "data": { "key": value } }))
        .expect("it is a ConfigMap")
}

/// Waits for what should not take long.
async fn soon<F: IntoFuture>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(SOON, future.into_future())
        .await
        .unwrap_or_else(|_| panic!("it did not happen in {SOON:?}: {what}"))
}

/// Asks again and again until it is so.
async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let asking = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(what, asking).await;
}
