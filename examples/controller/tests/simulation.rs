//! The controller through hours in which everything fails, on a fake server and by a clock that jumps.

use std::{collections::BTreeMap, time::Instant};

use k8s_client::Clientset;
use k8s_client_fake::simulation::{Sim, Simulation};
use serde_json::json;

/// Simulated minutes in one go.
const MINUTES: u64 = if cfg!(debug_assertions) { 500 } else { 10_000 };

/// Users create, change and delete originals, and take copies away. In the end each original has its copy.
async fn originals_and_copies(sim: Sim) {
    sim.start("copier", |client| copier::controller(Clientset::from(client), "default").run());
    sim.on_write(|write| {
        let owned = write.after().is_some_and(|after| after["metadata"]["ownerReferences"].is_array());
        assert_eq!(owned, write.after().is_some() && write.name().ends_with("-copy"), "copies alone have owners");
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
    Simulation::seeds(0..20).run(originals_and_copies);
}

#[test]
fn days_pass_in_seconds() {
    let begun = Instant::now();
    let report = Simulation::new(1).minutes(MINUTES).check(originals_and_copies).unwrap();
    println!("{MINUTES} simulated minutes in {:?}: {report:?}", begun.elapsed());
    assert!(report.simulated.as_secs() >= MINUTES * 60);
    assert!(report.faults > MINUTES / 2 && report.requests > 5 * MINUTES, "{report:?}");
}
