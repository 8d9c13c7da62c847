//! Calls see what the calls before have written.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use k8s_client_controller::{Controller, Next};
use k8s_client_informer::Informer;
use k8s_client_runtime::{
    Config, RestClient,
    k8s_openapi::api::core::v1::ConfigMap,
    resource::ResourceClient,
    rest::{Body, BoxError},
};
use k8s_client_test_server::{Fate, Server, What};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Calls, SECOND, value};

#[tokio::test(start_paused = true)]
async fn call_sees_what_the_one_before_has_written() {
    let server = Server::new();
    server.set("web", "1");
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let context = (server.clone(), calls.clone());
    let controller = Controller::for_each(&objects).reconcile(context, |(server, calls), object| async move {
        calls.note(&object);
        if value(&object) != "1" {
            return Ok::<_, String>(Next::wait());
        }
        // Nothing is heard of the server for a while.
        server.lose_watches();
        server.decide(|ask| if ask.what == What::List { Fate::Served } else { Fate::Lost });
        let mut written = (*object).clone();
        written.metadata.resource_version = Some(server.set("web", "2"));
        tokio::spawn(async move {
            sleep(2 * SECOND).await;
            server.decide(|_| Fate::Served);
        });
        Ok(Next::after(Duration::ZERO).having_written(&written))
    });
    controller.run_until(sleep(60 * SECOND)).await;
    let names = calls.names();
    assert!(names.len() > 1 && names[1..].iter().all(|call| call == "web=2"), "{names:?}");
    assert!(calls.seconds_of("web")[1] >= 2);
}

#[tokio::test(start_paused = true)]
async fn call_does_not_wait_for_namespaces_that_the_object_is_not_in() {
    let server = Server::new();
    server.set_in("one", "web", "1");
    // Of the second namespace nothing is heard after the list.
    server.decide(|ask| match (ask.namespace.as_deref(), ask.what) {
        (Some("two"), What::WatchList) => Fate::Refused(422, "Invalid"),
        (Some("two"), What::Watch) => Fate::Lost,
        _ => Fate::Served,
    });
    let objects = Informer::of(server.config_maps_in("one")).start_each([server.config_maps_in("two")]);
    let calls = Calls::new();
    let context = (server.clone(), calls.clone());
    let controller = Controller::for_each(&objects).reconcile(context, |(server, calls), object| async move {
        calls.note(&object);
        if value(&object) == "2" {
            return Ok::<_, String>(Next::wait());
        }
        let mut written = (*object).clone();
        written.metadata.resource_version = Some(server.set_in("one", "web", "2"));
        Ok(Next::wait().having_written(&written))
    });
    controller.run_until(sleep(60 * SECOND)).await;
    assert_eq!(calls.names(), ["web=1", "web=2"]);
    assert!(calls.seconds_of("web")[1] < 5, "{:?}", calls.seconds_of("web"));
}

/// A client whose patches change the server's objects. Informers hear of them two seconds later.
/// Counts those that are of an older state than the server has.
fn patching(server: &Server, conflicts: &Arc<AtomicUsize>) -> RestClient {
    let (server, conflicts) = (server.clone(), conflicts.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (server, conflicts) = (server.clone(), conflicts.clone());
        async move {
            assert_eq!(request.method(), Method::PATCH);
            let patch: Value = serde_json::from_slice(&request.into_body().collect().await?)?;
            server.lose_watches();
            server.decide(|ask| if ask.what == What::List { Fate::Served } else { Fate::Lost });
            let later = server.clone();
            tokio::spawn(async move {
                sleep(2 * SECOND).await;
                later.decide(|_| Fate::Served);
            });
            let mut patched = Value::Null;
            let version = server.write("default", "web", |object| {
                if object["metadata"]["resourceVersion"] != patch["metadata"]["resourceVersion"] {
                    conflicts.fetch_add(1, Ordering::SeqCst);
                }
                object["metadata"]["finalizers"] = patch["metadata"]["finalizers"].clone();
                patched = object.clone();
            });
            patched["metadata"]["resourceVersion"] = json!(version);
            let answer = Response::builder().header("content-type", "application/json");
            Ok::<_, BoxError>(answer.body(Body::from(Bytes::from(patched.to_string())))?)
        }
    });
    let mut config = Config::new("http://server").expect("a URL");
    config.disable_protobuf = true;
    RestClient::from_service(&config, service).expect("the configuration is good")
}

#[tokio::test(start_paused = true)]
async fn call_sees_the_finalizer_that_was_set_before() {
    for fails in [false, true] {
        let server = Server::new();
        server.set("web", "1");
        let objects = Informer::of(server.config_maps()).start();
        let calls = Calls::new();
        let conflicts = Arc::new(AtomicUsize::new(0));
        let client = patching(&server, &conflicts);
        let controller = Controller::for_each(&objects)
            .reconcile(calls.clone(), move |calls, object| async move {
                calls.note(&object);
                if calls.all().len() > 1 {
                    return Ok(Next::wait());
                }
                if fails { Err("not yet") } else { Ok(Next::after(Duration::ZERO)) }
            })
            .finalizer(
                "example.com/test",
                move |namespace| ResourceClient::<ConfigMap>::namespaced(&client, namespace),
                |_, _| async { Ok::<_, String>(()) },
            );
        controller.run_until(sleep(60 * SECOND)).await;
        assert_eq!(conflicts.load(Ordering::SeqCst), 0);
        assert!(calls.seconds_of("web")[1] >= 2, "{:?}", calls.seconds_of("web"));
    }
}
