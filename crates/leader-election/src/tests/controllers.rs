//! A controller as the work of a leader.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response};
use k8s_client_controller::{Controller, Next};
use k8s_client_informer::Informer;
use k8s_client_runtime::{
    RestClient,
    resource::ResourceClient,
    rest::{Body, BoxError},
};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use tokio::time::sleep;

use super::{
    Candidate, SECOND,
    server::{self, Server},
};
use crate::{Ends, Loss};

/// A server of one config map that never changes.
async fn config_maps(request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let query = request.uri().query().unwrap_or_default();
    let (code, answer) = if query.contains("sendInitialEvents") {
        (422, json!({ "apiVersion": "v1", "kind": "Status", "code": 422, "reason": "Invalid" }))
    } else if query.contains("watch=true") {
        std::future::pending().await
    } else {
        let item = json!({ "metadata": { "namespace": "default", "name": "web", "uid": "1", "resourceVersion": "1" } });
        let metadata = json!({ "resourceVersion": "1" });
        (200, json!({ "apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": [item] }))
    };
    let response = Response::builder().status(code).header("content-type", "application/json");
    Ok(response.body(Body::from(answer.to_string()))?)
}

#[tokio::test(start_paused = true)]
async fn call_of_a_controller_does_not_run_on_when_the_machine_was_suspended() {
    let client = RestClient::from_service(&server::config(), tower::service_fn(config_maps)).expect("a client");
    let objects = Informer::of(ResourceClient::<ConfigMap>::all_namespaces(&client)).start();
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let lines = Arc::new(AtomicUsize::new(0));
    let late = Arc::new(AtomicUsize::new(0));
    let mut elector = candidate.elector();
    let ends = elector
        .lead(|term| {
            let context = (term.clone(), candidate.clocks.clone(), lines.clone(), late.clone());
            let controller = Controller::for_each(&objects).reconcile(context, |context, _| async move {
                let (term, clocks, lines, late) = context;
                loop {
                    late.fetch_add(usize::from(!term.is_valid()), Ordering::SeqCst);
                    if lines.fetch_add(1, Ordering::SeqCst) == 50 {
                        // The monotonic clock stood still, and so no timer of the elector is due yet.
                        clocks.step(3600);
                    }
                    sleep(SECOND / 10).await;
                }
                #[expect(unreachable_code, reason = "the type of the result")]
                Ok::<_, Infallible>(Next::wait())
            });
            let stopping = term.stopping();
            controller.only_while(move || term.is_valid()).run_until(stopping)
        })
        .await;
    assert!(matches!(ends, Ends::Lost(Loss::NotRenewed { .. })), "{ends:?}");
    assert_eq!((lines.load(Ordering::SeqCst), late.load(Ordering::SeqCst)), (51, 0));
}
