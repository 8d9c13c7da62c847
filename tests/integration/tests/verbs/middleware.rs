//! What a program puts between itself and the server, and what the server says besides its answers.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use http::{HeaderName, HeaderValue, Request};
use k8s_client::{
    ResourceClient, RestClient,
    rest::{Body, DeduplicatedWarnings, HttpService, Warning},
};
use k8s_client_integration_tests::{Test, TestResult, config_of};
use k8s_client_test_harness::TOKEN_CONTEXT;
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints};
use serde_json::json;
use tower::{Service as _, layer::layer_fn, service_fn};

use crate::config_map;

#[tokio::test]
async fn layer_counts_requests_and_adds_headers() -> TestResult {
    let test = Test::namespace().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let layer = layer_fn(move |inner: HttpService| {
        let counter = Arc::clone(&counter);
        service_fn(move |mut request: Request<Body>| {
            assert!(request.headers()["authorization"].is_sensitive());
            counter.fetch_add(1, Ordering::SeqCst);
            // The server takes the front of it for the field manager.
            let agent = HeaderValue::from_static("layered/1");
            request.headers_mut().insert(HeaderName::from_static("user-agent"), agent);
            inner.clone().call(request)
        })
    });
    let client = RestClient::builder(&config_of(TOKEN_CONTEXT)).layer(layer).build()?;
    let config_maps = ResourceClient::<ConfigMap>::namespaced(&client, &test.namespace);
    let created = config_maps.create(&config_map("web", "1")).await?;
    let fields = created.metadata.managed_fields.unwrap_or_default();
    assert_eq!(fields[0].manager.as_deref(), Some("layered"));
    assert_eq!(config_maps.list().label_selector("app=test").await?.items.len(), 1);
    config_maps.delete("web").dry_run().await?;
    config_maps.get("web").await?;
    assert_eq!(count.load(Ordering::SeqCst), 4);
    Ok(())
}

#[tokio::test]
async fn warnings_of_the_server_are_heard() -> TestResult {
    let test = Test::namespace().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let handler = DeduplicatedWarnings::new(move |warning: &Warning| {
        hearing.lock().expect("nobody panics").push(warning.text.clone());
    });
    let client = RestClient::builder(&config_of(TOKEN_CONTEXT)).warning_handler(handler).build()?;
    let endpoints = ResourceClient::<Endpoints>::namespaced(&client, &test.namespace);
    for _ in 0..2 {
        endpoints.list().await?;
    }
    let create = client.post().group_version("", "v1").namespace(&test.namespace).resource("configmaps");
    let body = json!({ "metadata": { "name": "web" }, "dada": { "key": "1" } });
    let response = create.query("dryRun", "All").json(&body).send().await?;
    assert_eq!(response.warnings()[0].text, "unknown field \"dada\"");
    let heard = heard.lock().expect("nobody panics");
    assert!(heard[0].contains("v1 Endpoints is deprecated"), "{heard:?}");
    assert_eq!(heard[1..], ["unknown field \"dada\""]);
    Ok(())
}
