//! Informers and all that can happen to what they follow, on a server in memory and with the clock under the tests'
//! control.

mod endings;
mod health;
mod initial_events;
mod metrics;
mod pauses;
mod reads;
mod subscriptions;
mod undecodable;
mod versions;

use std::time::Duration;

use k8s_client_informer::{Event, Informer, Subscription};
use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
use k8s_client_test_server::{
    Server,
    known::{Known, value},
};
use tokio::time::{sleep, timeout};

/// Longer than any pause.
const LONG: Duration = Duration::from_secs(300);

/// An informer of all config maps that has them.
async fn synced(server: &Server) -> Informer<ConfigMap> {
    let informer = Informer::of(server.config_maps()).start();
    informer.synced_within(LONG).await.expect("the server has them");
    informer
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, wait).await.unwrap_or_else(|_| panic!("{what} does not happen"));
}

/// What is told until nothing more comes, in short: `+name=value`, `~name=old>new`, `-name=last`, with `?` if it was
/// not seen, and `synced`.
async fn told(changes: &mut Subscription<ConfigMap>) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(Some(event)) = timeout(Duration::from_millis(20), changes.next()).await {
        told.push(short(&event));
    }
    told
}

fn short(event: &Event<ConfigMap>) -> String {
    let name = event.object().and_then(|object| object.metadata.name.clone()).unwrap_or_default();
    match event {
        Event::Added(new) => format!("+{name}={}", value(new)),
        Event::Updated { old, new } => format!("~{name}={}>{}", value(old), value(new)),
        Event::Deleted { last, seen: true } => format!("-{name}={}", value(last)),
        Event::Deleted { last, seen: false } => format!("-{name}={}?", value(last)),
        Event::Synced => "synced".to_owned(),
    }
}

/// Reads what is told, which must follow from what was told before.
async fn follow_along(changes: &mut Subscription<ConfigMap>, known: &mut Known) {
    while let Ok(Some(event)) = timeout(Duration::from_millis(20), changes.next()).await {
        k8s_client_test_server::known::told(known, &event);
    }
}
