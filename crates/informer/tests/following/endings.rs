//! How informers end.

use std::time::Duration;

use k8s_client_informer::{Informer, InformerError, Registry};
use k8s_client_runtime::{k8s_openapi::api::core::v1::ConfigMap, resource::ResourceClient};
use k8s_client_test_server::{Fate, Server};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use crate::{LONG, synced, told, until};

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn last_handle_ends_the_task_and_the_connection_at_once() {
    let server = Server::new();
    server.set("web", "one");
    let before = tasks();
    let informer = synced(&server).await;
    let lister = informer.lister().in_namespace("default");
    let index = informer.index(|_| Some(1));
    let subscription = informer.subscribe();
    let other = informer.clone();
    let handles: Vec<Box<dyn std::any::Any>> =
        vec![Box::new(informer), Box::new(index), Box::new(subscription), Box::new(other), Box::new(lister)];
    for handle in handles {
        assert_eq!(server.live_watches(), 1, "others are left");
        server.set("web", "next");
        drop(handle);
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((server.live_watches(), tasks()), (0, before));
    let asked = server.asked().len();
    sleep(LONG).await;
    assert_eq!(server.asked().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn last_handle_ends_it_whatever_it_is_at() {
    let fates: [fn() -> Fate; 5] =
        [|| Fate::Slow(LONG), || Fate::Lost, || Fate::Unmarked, || Fate::Refused(403, "Forbidden"), || Fate::Over];
    for fate in fates {
        let server = Server::new();
        server.decide(move |_| fate());
        let before = tasks();
        let informer = Informer::of(server.config_maps()).start();
        sleep(Duration::from_secs(3)).await;
        drop(informer);
        sleep(Duration::from_millis(1)).await;
        assert_eq!((server.live_watches(), tasks()), (0, before));
    }
}

#[tokio::test(start_paused = true)]
async fn subscription_that_is_dropped_is_told_no_more_and_frees_what_it_held() {
    let server = Server::new();
    server.set("web", "one");
    let informer = Informer::of(server.config_maps()).whole().start();
    informer.synced().await.expect("the server has it");
    let before = tasks();
    let subscriptions: Vec<_> = (0..100).map(|_| informer.subscribe()).collect();
    let web = std::sync::Arc::downgrade(&informer.lister().get("default", "web").expect("it is there"));
    let version = server.set("web", "two");
    informer.wait_for(&version, LONG).await.expect("it comes");
    assert_eq!(tasks(), before, "a subscription is no task");
    assert!(web.upgrade().is_none(), "an update that was not read has no older state than the last that was");
    let subscribed: usize = subscriptions.iter().map(k8s_client_informer::Subscription::len).sum();
    assert_eq!(subscribed, 200);
    let web = std::sync::Arc::downgrade(&informer.lister().get("default", "web").expect("it is there"));
    server.delete("web");
    until("the deletion", || informer.lister().is_empty()).await;
    drop(subscriptions);
    assert!(web.upgrade().is_none(), "nobody has it any more");
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_ends_subscriptions_and_leaves_what_is_there_to_be_read() {
    let server = Server::new();
    server.set("web", "one");
    let before = tasks();
    let informer = synced(&server).await;
    let mut changes = informer.subscribe();
    let waiting = tokio::spawn({
        let informer = informer.clone();
        async move { informer.wait_for("4000", LONG).await }
    });
    sleep(Duration::from_millis(1)).await;
    informer.shutdown().await;
    assert_eq!(server.live_watches(), 0, "nothing is left when it returns");
    assert!(matches!(waiting.await.expect("no panic"), Err(InformerError::Ended)));
    assert_eq!(tasks(), before);
    assert_eq!(told(&mut changes).await, ["+web=one", "synced"], "what was not read yet");
    assert!(changes.next().await.is_none() && changes.next().await.is_none());
    assert!(informer.lister().get("default", "web").is_some());
    assert!(informer.health().ended);
    assert_eq!(told(&mut informer.subscribe()).await, ["+web=one", "synced"]);
    assert!(informer.synced().await.is_ok(), "it was synced");
    informer.shutdown().await;

    let never = Informer::of(Server::new().config_maps()).start();
    never.shutdown().await;
    assert!(matches!(never.synced().await, Err(InformerError::Ended)));
    assert!(matches!(never.synced_within(LONG).await, Err(InformerError::Ended)));
}

#[tokio::test(start_paused = true)]
async fn shutdown_that_is_given_up_or_asked_for_twice_is_one() {
    let server = Server::new();
    let informer = synced(&server).await;
    let mut changes = informer.subscribe();
    let (first, second) = (informer.shutdown(), informer.shutdown());
    tokio::join!(first, second);
    assert!(server.live_watches() == 0 && informer.health().ended);

    let informer = synced(&server).await;
    let _ = timeout(Duration::ZERO, informer.shutdown()).await;
    sleep(Duration::from_millis(1)).await;
    assert!(server.live_watches() == 0 && informer.health().ended);
    told(&mut changes).await;
    assert!(timeout(LONG, changes.next()).await.expect("it has ended").is_none());
}

#[tokio::test(start_paused = true)]
async fn registry_makes_anew_what_has_ended_and_keeps_nothing_alive() {
    let server = Server::new();
    server.set("web", "one");
    let registry = Registry::new();
    let all = server.config_maps();
    let start = || Informer::of(all.clone()).start_in(&registry);
    let one = start();
    let same = start();
    let whole = Informer::of(all.clone()).whole().start_in(&registry);
    let labelled = Informer::of(all.clone()).label_selector("app=web").start_in(&registry);
    let slim = Informer::of(all.clone()).project(|_| ()).start_in(&registry);
    let slimmer = Informer::of(all.clone()).project(|_| ()).start_in(&registry);
    until("all of them", || server.live_watches() == 5).await;
    drop((one, labelled, slim, slimmer));
    until("two of them", || server.live_watches() == 2).await;
    assert!(same.synced().await.is_ok());
    same.shutdown().await;
    let anew = start();
    anew.synced().await.expect("a fresh one");
    assert!(!whole.health().ended && same.health().ended && !anew.health().ended);
    drop((same, anew, whole));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(server.live_watches(), 0);
    let later = start();
    later.synced().await.expect("a fresh one");
}

#[tokio::test(start_paused = true)]
async fn registry_shares_by_place_selectors_and_way_to_keep() {
    let server = Server::new();
    let registry = Registry::new();
    let client = server.client();
    let all = ResourceClient::<ConfigMap, _>::all_namespaces(&client);
    let informers = || {
        let of_all = || Informer::of(all.clone());
        let of = |namespace| Informer::of(ResourceClient::<ConfigMap>::namespaced(&client, namespace));
        vec![
            of_all().start_in(&registry),
            of_all().label_selector("app=web").start_in(&registry),
            of_all().label_selector("app=db").start_in(&registry),
            of_all().field_selector("metadata.name=web").start_in(&registry),
            of_all().with_managed_fields().start_in(&registry),
            of_all().whole().start_in(&registry),
            of("a").start_in(&registry),
            of("b").start_in(&registry),
        ]
    };
    let first = informers();
    until("all of them", || server.live_watches() == first.len()).await;
    let second = informers();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(server.live_watches(), first.len(), "the others are the same");
    for (number, one) in first.iter().enumerate() {
        one.shutdown().await;
        let ended = second.iter().map(|other| other.health().ended).filter(|ended| *ended).count();
        assert!(second[number].health().ended && ended == number + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn registry_tells_clients_apart_since_their_credentials_may_differ() {
    let server = Server::new();
    server.set("web", "one");
    let registry = Registry::new();
    let (all, others) = (server.config_maps(), server.config_maps());
    let one = Informer::of(all.clone()).start_in(&registry);
    let same = Informer::of(all).start_in(&registry);
    let other = Informer::of(others).start_in(&registry);
    until("two watches", || server.live_watches() == 2).await;
    one.shutdown().await;
    assert!(same.health().ended && !other.health().ended);
}

#[tokio::test(start_paused = true)]
async fn panic_of_a_programs_own_function_ends_the_informer_and_is_not_hidden() {
    let server = Server::new();
    server.set("web", "one");
    let informer = Informer::of(server.config_maps())
        .project(|object| assert_eq!(crate::value(&object), "one", "a mistake of the program"))
        .start();
    informer.synced().await.expect("the server has it");
    let mut changes = informer.subscribe();
    server.set("web", "two");
    let end = async { while changes.next().await.is_some() {} };
    timeout(LONG, end).await.expect("the stream ends");
    assert!(informer.health().ended);
    assert!(matches!(informer.wait_for("4000", LONG).await, Err(InformerError::Ended)));
}
