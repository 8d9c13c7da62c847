//! A controller: each config map with the label `copy=yes` has a copy beside it, which is made, kept as it should be,
//! and goes with its original.
//!
//! The program of this package runs it; `tests/simulation.rs` runs it through hours in which everything fails.

use std::{future::Future, sync::Arc};

use k8s_client::{
    Clientset, Error,
    api::core::v1::apply::ConfigMapApplyConfiguration,
    controller::{Controller, Next, Reconciler, Stopped},
    informer::{Informer, ObjectKey},
    k8s_openapi::api::core::v1::ConfigMap,
    leader_election::{Elector, Ends},
};

/// Makes and keeps the copies in a namespace while this copy of the program leads, until it is to stop. Calls that are
/// under way then come to their end.
pub async fn run(elector: &mut Elector, client: Clientset, namespace: &str, stop: impl Future) -> Ends<Stopped> {
    // It is made first, so that it knows all objects by the time that it leads.
    let controller = controller(client, namespace);
    elector.lead_until(stop, |_term| controller.run()).await
}

fn controller(client: Clientset, namespace: &str) -> Reconciler<ConfigMap, Clientset> {
    let config_maps = client.core_v1().config_maps(namespace);
    let originals = Informer::of(config_maps.clone()).label_selector("copy=yes").start();
    let copies = Informer::of(config_maps).label_selector("copy-of").start();

    // The function below is called for an original that is new or has changed, and when a copy that it owns has.
    Controller::for_each(&originals).owned_by(&copies).workers(4).reconcile(client, reconcile)
}

/// Makes the copy what it should be. Applying says what is wanted, whatever there is: nothing is to be compared.
async fn reconcile(client: Clientset, original: Arc<ConfigMap>) -> Result<Next, Error> {
    let key = ObjectKey::of(&*original);
    let (namespace, name) = (key.namespace(), key.name());
    let copy = ConfigMapApplyConfiguration::new(format!("{name}-copy"), namespace)
        .labels([("copy-of", name)])
        .controller_reference(&*original) // takes the copy along when the original goes
        .data(original.data.clone().unwrap_or_default());
    client.core_v1().config_maps(namespace).apply(&copy).field_manager("copier").force().await?;
    println!("{name} has its copy");
    Ok(Next::wait())
}
