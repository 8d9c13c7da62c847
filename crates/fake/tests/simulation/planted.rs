//! Operators with a bug, one of each usual kind: a simulation finds it within 200 seeds, and finds nothing in the same
//! operator without the bug.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use k8s_client_controller::{Controller, Next};
use k8s_client_fake::simulation::{Sim, Simulation};
use k8s_client_informer::{Event, Informer, ObjectKey};
use k8s_client_runtime::{Error, RestClient, k8s_openapi::api::core::v1::ConfigMap};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use super::{config_map, config_maps, data, lead, name, use_config_maps};

/// Whether an operator has its bug.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bug {
    Planted,
    Absent,
}

/// Runs the script with and without the bug. The reason of the failure has this text.
fn finds<A: Future<Output = ()>>(reason: &str, script: impl Fn(Sim, Bug) -> A) {
    let simulation = || Simulation::seeds(0..200).minutes(10);
    let failure = simulation().check(|sim| script(sim, Bug::Planted)).expect_err("the bug is found");
    assert!(failure.reason.contains(reason), "{failure}");
    println!("found with the seed {} after {:?}", failure.seed, failure.after);
    let seeds = failure.seed..failure.seed + 3;
    Simulation::seeds(seeds)
        .minutes(10)
        .check(|sim| script(sim, Bug::Absent))
        .expect("without the bug nothing is wrong");
}

/// Tries again and again, a second apart.
async fn insist<A: Future<Output = Result<(), Error>>>(attempt: impl Fn() -> A) {
    while attempt().await.is_err_and(|error| !error.is_not_found() && !error.is_already_exists()) {
        sleep(Duration::from_secs(1)).await;
    }
}

/// The objects that have a name with this prefix, by the rest of their names.
fn with_prefix(sim: &Sim, prefix: &str) -> Vec<Value> {
    let all = sim.server().objects("v1", "ConfigMap");
    all.into_iter().filter(|it| it["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(prefix))).collect()
}

#[test]
fn missed_deletion_is_found() {
    /// Keeps a record of each object, and no record of others. It hears of deletions only while it runs; so the other
    /// one looks through its records every now and then.
    async fn recorder(client: RestClient, bug: Bug) {
        let all = Informer::of(config_maps(&client)).start();
        let mut changes = all.subscribe();
        let records = config_maps(&client);
        let forget = |record: String| {
            let records = records.clone();
            async move { insist(|| records.delete(&record).into_future().map(|deleted| deleted.map(drop))).await }
        };
        loop {
            tokio::select! {
                biased;
                Some(event) = changes.next() => match event {
                    Event::Added(it) if name(&it).starts_with("web-") => {
                        let record = config_map(&format!("record-{}", name(&it)), "there");
                        insist(|| records.create(&record).into_future().map(|created| created.map(drop))).await;
                    }
                    Event::Deleted { last, .. } if name(&last).starts_with("web-") => {
                        forget(format!("record-{}", name(&last))).await;
                    }
                    _ => {}
                },
                () = sleep(Duration::from_secs(120)), if bug == Bug::Absent => {
                    let known = all.lister();
                    let keys = known.keys();
                    for record in keys.iter().map(ObjectKey::name).filter(|name| name.starts_with("record-")) {
                        if known.get("default", record.trim_start_matches("record-")).is_none() {
                            forget(record.to_owned()).await;
                        }
                    }
                }
            }
        }
    }
    finds("records without an object", |sim, bug| async move {
        sim.start("recorder", move |client| recorder(client, bug));
        use_config_maps(&sim, "web", 4).await;
        sim.calm().await;
        let names = |prefix| -> Vec<String> {
            let all = with_prefix(&sim, prefix);
            all.iter()
                .map(|it| it["metadata"]["name"].as_str().unwrap().rsplit('-').next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names("record-"), names("web-"), "records without an object, or the other way round");
    });
}

#[test]
fn write_from_a_stale_cache_is_found() {
    /// Sees to it that each object has three children. With the bug it counts those that its informer knows of and
    /// creates the others under new names; else they have names that say which they are.
    async fn parent(client: RestClient, bug: Bug) {
        let objects = Informer::of(config_maps(&client)).label_selector("kind=web").start();
        let children = Informer::of(config_maps(&client)).label_selector("child-of").start();
        let known = children.lister();
        let owner = |child: &ConfigMap| {
            let parent = child.metadata.labels.as_ref().and_then(|labels| labels.get("child-of")).cloned();
            parent.map(|parent| ObjectKey::new("default", parent))
        };
        let call = move |client: RestClient, object: Arc<ConfigMap>| {
            let known = known.clone();
            async move {
                let parent = name(&object).to_owned();
                let own = |child: &Arc<ConfigMap>| name(child).starts_with(&format!("{parent}-"));
                let missing = 3_usize.saturating_sub(known.all().iter().filter(|child| own(child)).count());
                let count = if bug == Bug::Planted { missing } else { 3 };
                for number in 0..count {
                    let mut child = config_map(&format!("{parent}-{number}"), "");
                    child.metadata.labels = Some([("child-of".to_owned(), parent.clone())].into());
                    if bug == Bug::Planted {
                        child.metadata.name = None;
                        child.metadata.generate_name = Some(format!("{parent}-"));
                    }
                    match config_maps(&client).create(&child).await {
                        Err(error) if !error.is_already_exists() => return Err(error),
                        _ => {}
                    }
                }
                Ok(Next::wait())
            }
        };
        Controller::for_each(&objects).watch_mapped(&children, owner).reconcile(client, call).run().await;
    }
    finds("has more children than three", |sim, bug| async move {
        let server = sim.server().clone();
        sim.on_write(move |write| {
            let Some(parent) = write.after().and_then(|child| child["metadata"]["labels"]["child-of"].as_str()) else {
                return;
            };
            let all = server.objects("v1", "ConfigMap");
            let children = all.iter().filter(|it| it["metadata"]["labels"]["child-of"] == parent).count();
            assert!(children <= 3, "{parent} has more children than three");
        });
        sim.start("parent", move |client| parent(client, bug));
        for number in 0..3 {
            let mut object = config_map(&format!("web{number}"), "");
            object.metadata.labels = Some([("kind".to_owned(), "web".to_owned())].into());
            sim.server().add(&object).unwrap();
            sim.turn().await;
        }
        while sim.turn().await {}
        sim.calm().await;
        assert_eq!(with_prefix(&sim, "web").len(), 3 + 9);
    });
}

#[test]
fn double_run_is_found() {
    /// Works on an object for a second, and must be alone with it.
    async fn work(sim: &Sim, client: &RestClient, object: &ConfigMap) -> Result<(), Error> {
        let _alone = sim.alone(name(object));
        sleep(Duration::from_secs(1)).await;
        config_maps(client).get(name(object)).await.map(drop)
    }
    /// With the bug it works on an object as soon as it hears of it.
    async fn hasty(sim: Sim, client: RestClient, bug: Bug) {
        let objects = Informer::of(config_maps(&client)).start();
        if bug == Bug::Absent {
            let call = move |client, object: Arc<ConfigMap>| {
                let sim = sim.clone();
                async move { work(&sim, &client, &object).await.map(|()| Next::wait()) }
            };
            Controller::for_each(&objects).workers(4).reconcile(client, call).run().await;
            return;
        }
        let (mut changes, mut under_way) = (objects.subscribe(), JoinSet::new());
        while let Some(event) = changes.next().await {
            let (sim, client) = (sim.clone(), client.clone());
            if let Event::Added(object) | Event::Updated { new: object, .. } = event {
                under_way.spawn(async move { work(&sim, &client, &object).await });
            }
        }
    }
    finds("is worked on twice at the same time", |sim, bug| async move {
        let operator = sim.clone();
        sim.start("hasty", move |client| hasty(operator.clone(), client, bug));
        use_config_maps(&sim, "web", 2).await;
        sim.calm().await;
    });
}

#[test]
fn two_copies_that_work_at_the_same_time_are_found() {
    finds("is worked on twice at the same time", |sim, bug| async move {
        for copy in ["copy-0", "copy-1"] {
            let operator = sim.clone();
            sim.start(copy, move |client| {
                let sim = operator.clone();
                let work = move || {
                    let sim = sim.clone();
                    async move {
                        let _alone = sim.alone("the whole");
                        sleep(Duration::from_secs(3600)).await;
                    }
                };
                async move {
                    match bug {
                        Bug::Planted => work().await,
                        Bug::Absent => lead(&client, copy, work).await,
                    }
                }
            });
        }
        while sim.turn().await {}
    });
}

#[test]
fn failure_that_is_not_tried_again_is_found() {
    /// Marks each object. With the bug an error is taken for an end.
    async fn marker(client: RestClient, bug: Bug) {
        let objects = Informer::of(config_maps(&client)).start();
        let call = move |client: RestClient, object: Arc<ConfigMap>| async move {
            let mark = json!({"metadata": {"labels": {"seen": "yes"}}});
            let patch = k8s_client_runtime::k8s_openapi::apimachinery::pkg::apis::meta::v1::Patch::Merge(mark);
            match config_maps(&client).patch(name(&object), &patch).await {
                Err(error) if bug == Bug::Absent && !error.is_not_found() => Err(error),
                _ => Ok(Next::wait()),
            }
        };
        Controller::for_each(&objects).reconcile(client, call).run().await;
    }
    finds("is not marked", |sim, bug| async move {
        sim.start("marker", move |client| marker(client, bug));
        use_config_maps(&sim, "web", 10).await;
        sim.calm().await;
        for object in with_prefix(&sim, "web-") {
            assert_eq!(object["metadata"]["labels"]["seen"], "yes", "{} is not marked", object["metadata"]["name"]);
        }
    });
}

#[test]
fn update_that_overwrites_others_is_found() {
    /// Writes into each object that it has seen it. With the bug, whatever has become of it meanwhile.
    async fn overwriter(client: RestClient, bug: Bug) {
        let objects = Informer::of(config_maps(&client)).start();
        let call = move |client: RestClient, object: Arc<ConfigMap>| async move {
            let mut object = ConfigMap::clone(&object);
            let seen = data(&object, "value");
            object.metadata.labels.get_or_insert_default().insert("seen".to_owned(), seen);
            if bug == Bug::Planted {
                object.metadata.resource_version = None;
            }
            config_maps(&client).update(&object).await.map(|_| Next::wait())
        };
        Controller::for_each(&objects).reconcile(client, call).run().await;
    }
    finds("has lost what a user has written", |sim, bug| async move {
        sim.on_write(|write| {
            let value =
                |object: Option<&Value>| object.and_then(|it| it["data"]["value"].as_str()?.parse::<u64>().ok());
            if let (Some(before), Some(after)) = (value(write.before()), value(write.after())) {
                assert!(before <= after, "{} has lost what a user has written", write.name());
            }
        });
        sim.server().add(&config_map("web", "0")).unwrap();
        sim.start("overwriter", move |client| overwriter(client, bug));
        let own = config_maps(&sim.server().client().unwrap());
        while sim.turn().await {
            let more = |it: &mut ConfigMap| {
                let value = data(it, "value").parse::<u64>().unwrap_or_default() + 1;
                it.data = Some([("value".to_owned(), value.to_string())].into());
            };
            own.modify("web", more).await.unwrap();
        }
        sim.calm().await;
    });
}
