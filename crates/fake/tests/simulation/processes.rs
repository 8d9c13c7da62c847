//! Programs that are killed, and programs that stand still: bugs that nothing else brings to light, and what a program
//! without them does.

use std::{
    collections::BTreeMap,
    future::{Future, pending},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join;
use k8s_client_controller::{Controller, Next};
use k8s_client_fake::simulation::{FaultKind, Faults, Sim, Simulation};
use k8s_client_informer::Informer;
use k8s_client_leader_election::Elector;
use k8s_client_runtime::{Config, Error, RestClient, k8s_openapi::api::core::v1::ConfigMap};
use tokio::time::sleep;

use super::{config_map, config_maps, lead, name};

const SECOND: Duration = Duration::from_secs(1);

/// The bug is found with this kind of fault alone, and not with all others.
fn is_found_only_by<A: Future<Output = ()>>(kind: FaultKind, reason: &str, script: impl Fn(Sim) -> A) {
    let simulation = |seeds, faults| Simulation::seeds(0..seeds).minutes(20).faults(faults);
    let failure = simulation(200, Faults::only([kind])).check(&script).expect_err("the bug is found");
    assert!(failure.reason.contains(reason), "{failure}");
    println!("found with the seed {} after {:?}", failure.seed, failure.after);
    // As many seeds as found it, and some more.
    let others = simulation(failure.seed + 5, Faults::all().without(kind)).check(&script);
    others.expect("nothing else brings it to light");
}

/// An operator of two copies whose leader works in rounds of three steps. With the bug it looks at the beginning of a
/// round alone whether it leads.
async fn rounds(sim: Sim, client: RestClient, copy: &'static str, looks_once: bool) {
    let round = move || {
        let sim = sim.clone();
        async move {
            let _alone = sim.alone("the round");
            for _ in 0..3 {
                sleep(SECOND).await;
            }
        }
    };
    if !looks_once {
        return lead(&client, copy, || async {
            loop {
                round().await;
            }
        })
        .await;
    }
    let config = Config::new("http://unused.invalid").expect("a URL");
    let elector = Elector::builder(&config, "default", "rounds").identity(copy).client(&client).build();
    let mut elector = elector.expect("it is whole");
    let observer = elector.observer();
    let working = async {
        loop {
            match observer.term() {
                Some(_) => round().await,
                None => sleep(SECOND).await,
            }
        }
    };
    join(elector.campaign(|_| pending::<()>()), working).await;
}

async fn two_copies_in_rounds(sim: Sim, looks_once: bool) {
    for copy in ["copy-0", "copy-1"] {
        let operator = sim.clone();
        sim.start(copy, move |client| rounds(operator.clone(), client, copy, looks_once));
    }
    while sim.turn().await {}
}

#[test]
fn leader_that_stands_still_and_goes_on_as_if_it_led_is_found() {
    let reason = "the round is worked on twice at the same time";
    is_found_only_by(FaultKind::Pause, reason, |sim| two_copies_in_rounds(sim, true));
}

#[test]
fn leader_whose_work_belongs_to_its_term_survives_everything() {
    Simulation::seeds(0..10).minutes(20).check(|sim| two_copies_in_rounds(sim, false)).unwrap();
}

/// Makes two parts of each object, one after the other. When the first is there it takes it that both are.
async fn two_parts(client: RestClient) {
    let objects = Informer::of(config_maps(&client)).label_selector("copy=yes").start();
    let left = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let call = move |client: RestClient, object: Arc<ConfigMap>| {
        let left = left.clone();
        async move {
            for number in 0..2 {
                // What is still to do is known to this process alone.
                let done = left.lock().unwrap().get(name(&object)).copied().unwrap_or(0);
                if done > number {
                    continue;
                }
                let mut part = config_map(&format!("part-{number}-of-{}", name(&object)), "");
                part.metadata.labels = None;
                match config_maps(&client).create(&part).await {
                    Err(error) if error.is_already_exists() && number == 0 && done == 0 => {
                        return Ok(Next::wait());
                    }
                    Err(error) if !error.is_already_exists() => return Err(error),
                    _ => drop(left.lock().unwrap().insert(name(&object).to_owned(), number + 1)),
                }
                sleep(5 * SECOND).await;
            }
            Ok::<_, Error>(Next::wait())
        }
    };
    Controller::for_each(&objects).reconcile(client, call).run().await;
}

#[test]
fn work_that_is_forgotten_when_a_program_is_killed_is_found() {
    let script = |sim: Sim| async move {
        sim.start("parts", two_parts);
        let mut number = 0;
        while sim.turn().await {
            number += 1;
            sim.server().add(&config_map(&format!("web-{number}"), "")).unwrap();
        }
        sim.calm().await;
        let all = sim.server().objects("v1", "ConfigMap");
        let parts = all.iter().filter(|it| it["metadata"]["name"].as_str().unwrap().starts_with("part-")).count();
        assert_eq!(parts, 2 * number, "a part is missing");
    };
    // Where an answer is lost the program takes its own part for an old one, which is the same bug. These lose none.
    let failure = Simulation::seeds(0..200).minutes(20).faults(Faults::only([FaultKind::Crash])).check(script);
    assert!(failure.expect_err("the bug is found").reason.contains("a part is missing"));
    let others = [FaultKind::Pause, FaultKind::WatchCut, FaultKind::SlowWatch, FaultKind::ClockStep];
    Simulation::seeds(0..10).minutes(20).faults(Faults::only(others)).check(script).expect("nothing else shows it");
}

#[test]
fn program_that_stands_still_sends_nothing_and_goes_on_where_it_was() {
    /// Says that it lives, each second.
    async fn beat(client: RestClient) {
        loop {
            let _ = config_maps(&client).get("beat").await;
            sleep(SECOND).await;
        }
    }
    Simulation::new(3).minutes(80).faults(Faults::only([FaultKind::Pause])).run(|sim| async move {
        // Also what is no part of the program for the simulation sends nothing.
        sim.start("beat", |client| async move {
            tokio::spawn(beat(client.clone()));
            beat(client).await;
        });
        while sim.turn().await {}
        let times: Vec<Duration> = sim.server().take_requests().iter().map(|request| request.at).collect();
        let pauses: Vec<Duration> =
            times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).filter(|pause| *pause > 2 * SECOND).collect();
        assert!(pauses.len() > 5 && pauses.iter().all(|pause| *pause < 125 * SECOND), "{pauses:?}");
    });
}

#[test]
fn what_a_killed_program_has_left_behind_sends_nothing() {
    Simulation::new(5).minutes(60).faults(Faults::only([FaultKind::Crash])).run(|sim| async move {
        let lives = AtomicU64::new(0);
        sim.start("strays", move |client| {
            let life = lives.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                loop {
                    let _ = config_maps(&client).get(&format!("life-{life}")).await;
                    sleep(SECOND).await;
                }
            });
            pending::<()>()
        });
        while sim.turn().await {}
        let requests = sim.server().take_requests();
        let mut names: Vec<&str> = requests.iter().filter_map(|request| request.name.as_deref()).collect();
        names.dedup();
        let expected: Vec<String> = (0..names.len()).map(|life| format!("life-{life}")).collect();
        assert!(names.len() > 5);
        assert_eq!(names, expected, "the requests of one life come after those of the life before");
    });
}
