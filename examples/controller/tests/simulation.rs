//! The controller through hours in which everything fails, on a fake server and by a clock that jumps.

use std::{
    collections::BTreeMap,
    future::pending,
    time::{Duration, Instant},
};

use k8s_client::{Clientset, leader_election::Elector};
use k8s_client_fake::simulation::{Sim, Simulation};
use serde_json::json;
use tokio::time;

/// Simulated minutes in one go.
const MINUTES: u64 = if cfg!(debug_assertions) { 500 } else { 10_000 };

/// Two copies of the program, of which one works. Candidates have the times of the program, or those for servers that
/// are to be spared.
fn start_two(sim: &Sim, patient: bool) {
    for name in ["copier-0", "copier-1"] {
        let config = sim.server().config().unwrap();
        sim.start(name, move |client| {
            let elector = Elector::builder(&config, "default", "copier").identity(name).client(&client);
            let elector = if patient { elector.patient() } else { elector };
            let mut elector = elector.build().unwrap();
            // It ends when it has lost its lease, and is started again.
            async move { copier::run(&mut elector, Clientset::from(client), "default", pending::<()>()).await }
        });
    }
}

/// Nobody works who does not lead any more. What was sent before may be under way for half a minute.
fn check_leaders(sim: &Sim) {
    let (mut leader, mut since) = (String::new(), time::Instant::now());
    sim.on_write(move |write| {
        let writer = write.request().map(|request| request.user_agent.as_str());
        if write.resource() == "leases.coordination.k8s.io" {
            let holder = write.after().and_then(|lease| lease["spec"]["holderIdentity"].as_str()).unwrap_or_default();
            if !holder.is_empty() && holder != leader {
                (leader, since) = (holder.to_owned(), time::Instant::now());
            }
        } else if let Some(copier) = writer.filter(|writer| writer.starts_with("copier-") && *writer != leader) {
            let late = since.elapsed();
            assert!(late < Duration::from_secs(31), "{copier} works {late:?} after {leader} has become the leader");
        }
    });
}

/// Users create, change and delete originals, and take copies away. In the end each original has its copy.
async fn originals_and_copies(sim: Sim, patient: bool) {
    start_two(&sim, patient);
    check_leaders(&sim);
    sim.on_write(|write| {
        if write.resource() == "configmaps" {
            let owned = write.after().is_some_and(|after| after["metadata"]["ownerReferences"].is_array());
            assert_eq!(owned, write.after().is_some() && write.name().ends_with("-copy"), "copies alone have owners");
        }
    });
    let config_maps = sim.server().client().map(Clientset::from).unwrap().core_v1().config_maps("default");
    while sim.turn().await {
        let name = format!("web-{}", sim.random(0..5));
        match sim.random(0..6) {
            // They may be gone already.
            0 => drop(config_maps.delete(&name).await),
            1 => drop(config_maps.delete(&format!("{name}-copy")).await),
            _ => sim
                .server()
                .add(&json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"copy": "yes"}},
                    "data": {"value": sim.random(0..1000).to_string()},
                }))
                .unwrap(),
        }
    }
    sim.calm().await;
    let (mut originals, mut copies) = (BTreeMap::new(), BTreeMap::new());
    for config_map in sim.server().objects("v1", "ConfigMap") {
        let name = config_map["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        match name.strip_suffix("-copy") {
            Some(original) => copies.insert(original.to_owned(), config_map["data"].clone()),
            None => originals.insert(name, config_map["data"].clone()),
        };
    }
    assert_eq!(originals, copies, "each original has a copy of its data, and nothing else has one");
}

#[test]
fn copies_follow_their_originals_whatever_fails() {
    Simulation::seeds(0..20).run(|sim| originals_and_copies(sim, false));
}

#[test]
fn days_pass_in_seconds() {
    let begun = Instant::now();
    let report = Simulation::new(1).minutes(MINUTES).check(|sim| async move {
        originals_and_copies(sim.clone(), true).await;
        let leases = sim.server().objects("coordination.k8s.io/v1", "Lease");
        let terms = leases[0]["spec"]["leaseTransitions"].as_u64().unwrap();
        println!("{terms} terms");
        assert!(terms > MINUTES / 50, "there were {terms} terms");
    });
    let report = report.unwrap();
    println!("{MINUTES} simulated minutes in {:?}: {report:?}", begun.elapsed());
    assert!(report.simulated.as_secs() >= MINUTES * 60);
    assert!(report.faults > MINUTES / 2 && report.requests > 5 * MINUTES, "{report:?}");
}
