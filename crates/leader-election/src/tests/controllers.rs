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
use tokio::time::{Instant, sleep, sleep_until};

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

fn objects() -> Informer<ConfigMap> {
    let client = RestClient::from_service(&server::config(), tower::service_fn(config_maps)).expect("a client");
    Informer::of(ResourceClient::<ConfigMap>::all_namespaces(&client)).start()
}

#[tokio::test(start_paused = true)]
async fn call_of_a_controller_does_not_run_on_when_the_machine_was_suspended() {
    let objects = objects();
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
            controller.run()
        })
        .await;
    assert!(matches!(ends, Ends::Lost(Loss::NotRenewed { .. })), "{ends:?}");
    assert_eq!((lines.load(Ordering::SeqCst), late.load(Ordering::SeqCst)), (51, 0));
}

/// How a program may run its controller in the work.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It is the work.
    Itself,
    /// Its future is made before there is a term.
    MadeBefore,
    /// It becomes a task of its own.
    Task,
}

#[tokio::test(start_paused = true)]
async fn controller_ends_its_calls_and_begins_no_other_when_its_elector_is_asked_to_stop() {
    for way in [Way::Itself, Way::MadeBefore, Way::Task] {
        let server = Server::default();
        let candidate = Candidate::new(&server, "me");
        let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let controller = Controller::for_each(&objects()).reconcile(
            (begun.clone(), ended.clone()),
            |(begun, ended), _| async move {
                begun.fetch_add(1, Ordering::SeqCst);
                sleep(10 * SECOND).await;
                ended.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(Next::after(SECOND / 10))
            },
        );
        let stopped = Instant::now() + 15 * SECOND;
        let mut elector = candidate.elector();
        let stop = sleep_until(stopped);
        let ends = match way {
            Way::Itself => elector.lead_until(stop, |_| controller.run()).await,
            Way::MadeBefore => {
                let running = controller.run();
                elector.lead_until(stop, |_| running).await
            }
            Way::Task => {
                let spawned = |_| async { tokio::spawn(controller.run()).await.expect("it does not panic") };
                elector.lead_until(stop, spawned).await
            }
        };
        assert!(matches!(&ends, Ends::Work(stopped) if stopped.unfinished.is_empty()), "{way:?}: {ends:?}");
        let took = stopped.elapsed();
        assert!((4 * SECOND..6 * SECOND).contains(&took), "{way:?}: the second call came to its end, {took:?}");
        assert_eq!((begun.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)), (2, 2), "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn controller_that_is_a_task_ends_with_the_term_that_it_was_made_in() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let lines = Arc::new(AtomicUsize::new(0));
    let controller = Controller::for_each(&objects()).reconcile(lines.clone(), |lines, _| async move {
        loop {
            lines.fetch_add(1, Ordering::SeqCst);
            sleep(SECOND).await;
        }
        #[expect(unreachable_code, reason = "the type of the result")]
        Ok::<_, Infallible>(Next::wait())
    });
    let mut task = None;
    let mut elector = candidate.elector();
    let work = |_| async {
        task = Some(tokio::spawn(controller.run()));
        sleep(4 * SECOND + SECOND / 2).await;
    };
    assert!(matches!(elector.lead(work).await, Ends::Work(())));
    let in_the_term = lines.load(Ordering::SeqCst);
    let stopped = task.expect("the work began").await.expect("it does not panic");
    assert_eq!((lines.load(Ordering::SeqCst), stopped.unfinished.len()), (in_the_term, 1));
}
