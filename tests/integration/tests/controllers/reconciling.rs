//! A controller that makes one config map of another, and cleans up behind it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use k8s_client::Clientset;
use k8s_client::controller::{Controller, Metrics, Next, Outcome, Stopped};
use k8s_client::informer::Informer;
use k8s_client_integration_tests::{Test, TestResult, eventually, gone, object, soon};
use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::OwnerReference};
use serde_json::json;
use tokio::sync::oneshot;

const FINALIZER: &str = "example.com/test";
const OTHER_FINALIZER: &str = "example.com/other";

/// What the controller's calls share.
#[derive(Clone)]
struct Context {
    client: Clientset,
    calls: Arc<Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
}

impl Context {
    fn new(client: &Clientset) -> Self {
        Self { client: client.clone(), calls: Arc::default(), running: Arc::default(), failures: Arc::default() }
    }

    fn calls_of(&self, name: &str) -> usize {
        self.calls.lock().expect("nobody panics with it").iter().filter(|call| *call == name).count()
    }
}

/// Makes the copy that belongs to an original.
async fn copy(context: Context, original: Arc<ConfigMap>) -> Result<Next, k8s_client::Error> {
    let name = original.metadata.name.clone().unwrap_or_default();
    let namespace = original.metadata.namespace.clone().unwrap_or_default();
    assert_eq!(context.running.fetch_add(1, Ordering::SeqCst), 0, "one worker, one call");
    context.calls.lock().expect("nobody panics with it").push(name.clone());
    let copies = context.client.core_v1().config_maps(&namespace);
    let owner = OwnerReference {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        name: name.clone(),
        uid: original.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        ..OwnerReference::default()
    };
    let wanted = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": format!("{name}-copy"), "labels": { "role": "copy" }, "ownerReferences": [owner] },
        "data": original.data,
    });
    let result = copies.apply(&wanted).field_manager("copier").force().await;
    context.running.fetch_sub(1, Ordering::SeqCst);
    if name == "bad" && context.failures.fetch_add(1, Ordering::SeqCst) < 2 {
        assert!(context.failures.load(Ordering::SeqCst) != 1, "the first call panics");
        return Err(copies.get("").await.expect_err("there is no such name"));
    }
    result.map(|_| Next::wait())
}

fn original(name: &str, value: &str) -> ConfigMap {
    object(json!({ "metadata": { "name": name, "labels": { "role": "original" } }, "data": { "value": value } }))
}

#[tokio::test]
async fn controller_keeps_what_its_objects_own() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&original("early", "1")).await?;
    let originals = Informer::of(config_maps.clone()).label_selector("role=original").start();
    let copies = Informer::of(config_maps.clone()).label_selector("role=copy").start();
    let context = Context::new(&test.client);
    let (stop, stopped) = oneshot::channel::<()>();
    let controller = Controller::for_each(&originals).owned_by(&copies).reconcile(context.clone(), copy);
    let running = tokio::spawn(controller.run_until(stopped));

    let value = |name: &'static str| {
        let config_maps = config_maps.clone();
        move || {
            let config_maps = config_maps.clone();
            async move { config_maps.get(name).await.ok()?.data?.get("value").cloned() }
        }
    };
    assert_eq!(eventually("the first copy", value("early-copy")).await, "1");
    config_maps.create(&original("late", "2")).await?;
    assert_eq!(eventually("the second copy", value("late-copy")).await, "2");
    config_maps.modify("late", |late| late.data = Some([("value".to_owned(), "3".to_owned())].into())).await?;
    eventually("the change", || async { (value("late-copy")().await? == "3").then_some(()) }).await;

    // Somebody takes the copy away: its owner is looked at.
    let before = config_maps.get("late-copy").await?.metadata.uid;
    config_maps.delete("late-copy").await?;
    eventually("another copy", || async {
        (config_maps.get("late-copy").await.ok()?.metadata.uid != before).then_some(())
    })
    .await;

    // A panic and an error are tried again.
    config_maps.create(&original("bad", "4")).await?;
    eventually("three calls", || async { (context.calls_of("bad") >= 3).then_some(()) }).await;
    assert_eq!(eventually("the copy of the bad one", value("bad-copy")).await, "4");

    stop.send(()).expect("it is running");
    assert_eq!(soon("the end", running).await?, Stopped::default());
    let calls = context.calls.lock().expect("nobody panics with it").len();
    config_maps.modify("late", |late| late.data = None).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(context.calls.lock().expect("nobody panics with it").len(), calls, "nothing is begun after the end");
    Ok(())
}

#[tokio::test]
async fn finalizers_are_set_and_taken_away_after_cleaning_up() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let informer = Informer::of(config_maps.clone()).label_selector("role=original").start();
    let context = Context::new(&test.client);
    let client = test.client.clone();
    let config_maps_of = move |namespace: &str| client.core_v1().config_maps(namespace);
    let controller = Controller::for_each(&informer).reconcile(context.clone(), copy).finalizer(
        FINALIZER,
        config_maps_of.clone(),
        |context: Context, original| async move {
            context.calls.lock().expect("nobody panics with it").push("cleaned".to_owned());
            if context.failures.fetch_add(1, Ordering::SeqCst) == 0 {
                return Err("not yet".to_owned());
            }
            let namespace = original.metadata.namespace.clone().unwrap_or_default();
            context
                .client
                .core_v1()
                .config_maps(&namespace)
                .delete("web-copy")
                .await
                .map_err(|error| error.to_string())?;
            Ok(())
        },
    );
    let controller = controller.finalizer(OTHER_FINALIZER, config_maps_of, |context: Context, _| async move {
        context.calls.lock().expect("nobody panics with it").push("other cleaned".to_owned());
        Ok::<_, String>(())
    });
    let running = tokio::spawn(controller.run());
    config_maps.create(&original("web", "1")).await?;
    eventually("the copy", || async { config_maps.get("web-copy").await.ok() }).await;
    let finalizers = config_maps.get("web").await?.metadata.finalizers;
    assert_eq!(finalizers, Some(vec![OTHER_FINALIZER.to_owned(), FINALIZER.to_owned()]));
    config_maps.delete("web").await?;
    gone("the original", || config_maps.get("web")).await;
    gone("the copy", || config_maps.get("web-copy")).await;
    assert_eq!(context.calls_of("cleaned"), 2, "the first time fails");
    assert_eq!(context.calls_of("other cleaned"), 1);
    running.abort();
    Ok(())
}

#[tokio::test]
async fn calls_that_do_not_end_in_time_are_named() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&original("slow", "1")).await?;
    let informer = Informer::of(config_maps.clone()).label_selector("role=original").start();
    let (begun, is_begun) = oneshot::channel::<()>();
    let begun = Arc::new(Mutex::new(Some(begun)));
    let controller = Controller::for_each(&informer).stop_timeout(Duration::from_millis(100)).reconcile(
        begun,
        |begun, _| async move {
            if let Some(begun) = begun.lock().expect("nobody panics with it").take() {
                let _ = begun.send(());
            }
            std::future::pending::<Result<Next, String>>().await
        },
    );
    let stopped = soon("the end", controller.run_until(is_begun)).await;
    let names: Vec<String> = stopped.unfinished.iter().map(ToString::to_string).collect();
    assert_eq!(names, [format!("{}/slow", test.namespace)]);
    Ok(())
}

/// Everything that is reported.
#[derive(Clone, Default)]
struct Told {
    running: Arc<Mutex<Vec<usize>>>,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
}

impl Metrics for Told {
    fn running(&self, objects: usize) {
        self.running.lock().expect("nobody panics with it").push(objects);
    }

    fn reconciled(&self, outcome: Outcome, _: Duration) {
        self.outcomes.lock().expect("nobody panics with it").push(outcome);
    }
}

#[tokio::test]
async fn each_call_is_reported_and_one_that_panics_before_it_is_a_future_too() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&original("web", "1")).await?;
    let informer = Informer::of(config_maps.clone()).label_selector("role=original").start();
    let told = Told::default();
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Arc::new(Mutex::new(Some(stop)));
    let calls = Arc::new(AtomicUsize::new(0));
    let controller = Controller::for_each(&informer).metrics(told.clone()).reconcile(calls, move |calls, _| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        assert_ne!(call, 0, "the first call");
        let stop = stop.clone();
        async move {
            match call {
                1 => Err("the second call"),
                2 => panic!("the third call"),
                3 => Ok(Next::after(Duration::from_millis(1))),
                _ => {
                    drop(stop.lock().expect("nobody panics with it").take());
                    Ok(Next::wait())
                }
            }
        }
    });
    assert_eq!(soon("the end", controller.run_until(stopped)).await, Stopped::default());
    let outcomes = told.outcomes.lock().expect("nobody panics with it").clone();
    let expected = [Outcome::Panicked, Outcome::Failed, Outcome::Panicked, Outcome::Again, Outcome::Done];
    assert_eq!(outcomes, expected);
    assert_eq!(*told.running.lock().expect("nobody panics with it"), [1, 0].repeat(5));
    Ok(())
}
