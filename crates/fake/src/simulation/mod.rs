//! Simulations: an operator on a server where everything goes wrong, for hours that take a second, again and again in
//! the same way.
//!
//! What breaks operators are the days on which a watch is cut just before a deletion, the answer to a write is lost,
//! and another copy takes over while a request is still under way. A [`Simulation`] has many such days. All that
//! happens in it follows from one number, its seed: what fails, when, and in which order what runs at the same time
//! goes on. When an operator is wrong under one seed, it is wrong under that seed each time, until it is mended.
//!
//! # Your own operator
//!
//! ```
//! use k8s_client_controller::{Controller, Next};
//! use k8s_client_fake::simulation::Simulation;
//! use k8s_client_informer::Informer;
//! # use k8s_client_runtime::k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::Patch};
//! use k8s_client_runtime::{Error, RestClient, resource::ResourceClient};
//! use serde_json::json;
//!
//! // Your operator, as your program runs it: it marks each config map that it has seen.
//! async fn operator(client: RestClient) {
//!     let all = ResourceClient::<ConfigMap>::namespaced(&client, "default");
//!     let config_maps = Informer::of(all.clone()).start();
//!     let mark = |all: ResourceClient<ConfigMap, _>, config_map: std::sync::Arc<ConfigMap>| async move {
//!         let patch = Patch::Merge(json!({"data": {"seen": "yes"}}));
//!         all.patch(config_map.metadata.name.as_deref().unwrap_or_default(), &patch).await?;
//!         Ok::<_, Error>(Next::wait())
//!     };
//!     Controller::for_each(&config_maps).reconcile(all, mark).run().await;
//! }
//!
//! Simulation::seeds(0..5).minutes(10).run(|sim| async move {
//!     sim.start("operator", operator);
//!     // What must hold at each write.
//!     sim.on_write(|write| assert!(write.after().is_some(), "nothing is ever deleted"));
//!     // What users do meanwhile.
//!     while sim.turn().await {
//!         let name = format!("web-{}", sim.random(0..5));
//!         let web = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
//!         sim.server().add(&web).unwrap();
//!     }
//!     // What must be there in the end, when nothing fails any more.
//!     sim.calm().await;
//!     for config_map in sim.server().objects("v1", "ConfigMap") {
//!         assert_eq!(config_map["data"]["seen"], "yes");
//!     }
//! });
//! ```
//!
//! A failure says its seed, what is wrong, and the last requests with what became of them.
//! `K8S_CLIENT_SIMULATION_SEED=17` in the environment runs that seed alone.
//!
//! # Copies of which one leads
//!
//! Each copy is a program of its own, and takes part in the election by its name:
//!
//! ```
//! # use std::{future::pending, time::Duration};
//! use k8s_client_fake::simulation::{FaultKind, Faults, Simulation};
//! use k8s_client_leader_election::Elector;
//!
//! let faults = Faults::only([FaultKind::Crash, FaultKind::Pause, FaultKind::Restart]);
//! Simulation::seeds(0..5).minutes(10).faults(faults).run(|sim| async move {
//!     for name in ["operator-0", "operator-1"] {
//!         let (sim_of_copy, config) = (sim.clone(), sim.server().config().unwrap());
//!         sim.start(name, move |client| {
//!             let elector = Elector::builder(&config, "default", "operator").identity(name).client(&client).build();
//!             let (mut elector, sim) = (elector.unwrap(), sim_of_copy.clone());
//!             // When it has lost its lease it ends, as the program would, and is started again.
//!             async move {
//!                 let work = async |_term| {
//!                     let _alone = sim.alone("the work"); // This fails if the other copy works as well.
//!                     pending::<()>().await; // In place of the operator.
//!                 };
//!                 elector.lead(work).await
//!             }
//!         });
//!     }
//!     while sim.turn().await {}
//! });
//! ```
//!
//! # What goes wrong
//!
//! All [`FaultKind`]s, unless you choose: requests and answers that are lost, slow or refused, watches that are late
//! and cut, stale reads, a server that is away or has forgotten what happened, programs that are killed and started
//! again or stand still for a while, clocks that are set. What a program has sent reaches the server even if the
//! program has been killed or stands still meanwhile. Beside that the controllers, the garbage collector, the kubelets
//! and the compaction do what they do in a cluster, after a while.
//!
//! # What follows from the seed, and what does not
//!
//! The simulation has one thread, and tokio's clock in it is paused: where nothing can go on, it jumps to the next time
//! that something waits for. The crates of this library take the time of day, and what is random, from the simulation.
//! An operator has to do the same:
//!
//! * Take times from tokio (`tokio::time::Instant`, `sleep`), and random numbers from [`Sim::random`] or from the
//!   functions of the crate `fastrand`, whose numbers follow from the seed here.
//! * Let nothing depend on the order of a `HashMap`, start no threads, and do not use `spawn_blocking`. Keep tasks in a
//!   `JoinSet`, so that they end with the program: see [`Sim::start`].
//! * tokio itself chooses at random between the branches of `select!` that are ready, unless it begins with `biased;`,
//!   and between those who wait for one `watch` channel.
//! * Use no network and no files.
//!
//! [`Simulation::replays`] finds out whether an operator keeps to this.

mod events;
mod faults;
mod line;
mod run;
mod sim;
mod world;

pub use faults::{FaultKind, Faults};
pub use run::{Failure, Report, Simulation};
pub use sim::{Alone, Sim};
