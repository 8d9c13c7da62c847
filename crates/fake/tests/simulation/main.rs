//! Simulations of operators: that they replay, and that they find what is wrong.

mod planted;
mod processes;
mod replay;

use std::{collections::BTreeMap, future::Future};

use k8s_client_controller::{Controller, Next};
use k8s_client_fake::simulation::Sim;
use k8s_client_informer::Informer;
use k8s_client_leader_election::Elector;
use k8s_client_runtime::{
    Config, Error, RestClient,
    k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta},
    resource::{Namespaced, ResourceClient},
};
use serde_json::{Value, json};

type ConfigMaps = ResourceClient<ConfigMap, Namespaced>;

fn config_maps(client: &RestClient) -> ConfigMaps {
    ResourceClient::namespaced(client, "default")
}

fn name(config_map: &ConfigMap) -> &str {
    config_map.metadata.name.as_deref().unwrap_or_default()
}

fn data(config_map: &ConfigMap, key: &str) -> String {
    config_map.data.as_ref().and_then(|data| data.get(key)).cloned().unwrap_or_default()
}

/// Runs something for as long as this copy of a program leads.
async fn lead<A: Future<Output = ()>>(client: &RestClient, identity: &str, work: impl FnMut() -> A) {
    let config = Config::new("http://unused.invalid").expect("a URL");
    let elector = Elector::builder(&config, "default", "copier").identity(identity).client(client).build();
    let mut work = work;
    let _ = elector.expect("it is whole").lead(|_| work()).await;
}

/// Applies a config map, whoever else has written it.
async fn apply(client: &RestClient, config_map: &Value) -> Result<(), Error> {
    let path = "/api/v1/namespaces/default/configmaps";
    let name = config_map["metadata"]["name"].as_str().unwrap_or_default();
    let request =
        client.patch().abs_path(&format!("{path}/{name}")).query("fieldManager", "copier").query("force", "true");
    request.body("application/apply-patch+yaml", config_map.to_string()).send().await.map(drop)
}

/// Keeps a copy of each config map that asks for one.
async fn copier(client: RestClient) {
    let originals = Informer::of(config_maps(&client)).label_selector("copy=yes").start();
    let copies = Informer::of(config_maps(&client)).label_selector("copy-of").start();
    Controller::for_each(&originals).owned_by(&copies).workers(3).reconcile(client, |client, original| async move {
        let name = original.metadata.name.as_deref().unwrap_or_default();
        let copy = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": format!("{name}-copy"), "labels": {"copy-of": name},
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": original.metadata.uid, "controller": true,
                }],
            },
            "data": original.data,
        });
        apply(&client, &copy).await?;
        Ok::<_, Error>(Next::wait())
    }).run().await;
}

/// A config map of a name that has a value, and asks for a copy.
fn config_map(name: &str, value: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([("copy".to_owned(), "yes".to_owned())])),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("value".to_owned(), value.to_owned())])),
        ..ConfigMap::default()
    }
}

/// Creates, changes and deletes config maps of so many names; and takes away what is made of them.
async fn use_config_maps(sim: &Sim, prefix: &str, names: u64) {
    let own = config_maps(&sim.server().client().expect("a client"));
    while sim.turn().await {
        let name = format!("{prefix}-{}", sim.random(0..names));
        let given = config_map(&name, &sim.random(0..1000).to_string());
        // Much of this fails because there is no such object, or one already.
        let _ = match sim.random(0..6) {
            0..3 => own.create(&given).await.map(drop),
            3 => own.modify(&name, |it| it.data.clone_from(&given.data)).await.map(drop),
            4 => own.delete(&name).await.map(drop),
            _ => own.delete(&format!("{name}-copy")).await.map(drop),
        };
    }
}

/// What is there in the end: the data of each original and of each copy.
async fn copies(sim: &Sim) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let all = config_maps(&sim.server().client().expect("a client")).list().await.expect("a list");
    let (mut originals, mut copies) = (BTreeMap::new(), BTreeMap::new());
    for config_map in all.items {
        let name = config_map.metadata.name.clone().unwrap_or_default();
        match name.strip_suffix("-copy") {
            Some(original) => copies.insert(original.to_owned(), data(&config_map, "value")),
            None => originals.insert(name, data(&config_map, "value")),
        };
    }
    (originals, copies)
}
