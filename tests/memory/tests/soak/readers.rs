//! Who reads the changes of an informer, at a speed of their own.

use std::time::Duration;

use k8s_client_informer::Subscription;
use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
use k8s_client_test_server::known::{Known, told};
use tokio::time::sleep;

/// Reads to the end, with pauses up to so long, and says what it knows then. Each change must follow from what was told
/// before.
pub(crate) async fn read_along(mut changes: Subscription<ConfigMap>, pause: Duration) -> Known {
    let mut known = Known::new();
    loop {
        sleep(pause.mul_f64(fastrand::f64())).await;
        // All that is there, and then a pause again.
        for _ in 0..changes.len().max(1) {
            let Some(event) = changes.next().await else { return known };
            told(&mut known, &event);
        }
    }
}
