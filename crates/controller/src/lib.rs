//! Controllers: a reconcile loop over informers and a work queue.
//!
//! A controller makes the cluster match what an object asks for. It learns which objects may need work from the changes
//! of their informer, and of the objects that they own, and calls a function of yours with one object at a time:
//! *reconcile*. That function looks at what there is, does what is missing, and returns when it wants to be called
//! again. It does not learn what has changed: changes are only a reason to look.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use k8s_client_controller::{Controller, Next};
//! use k8s_client_informer::Informer;
//! use k8s_client_runtime::{
//!     Error, RestClient,
//!     k8s_openapi::api::core::v1::{ConfigMap, Pod},
//!     resource::ResourceClient,
//! };
//!
//! # async fn example(client: RestClient) -> Result<(), Error> {
//! let config_maps = Informer::of(ResourceClient::<ConfigMap>::all_namespaces(&client)).label_selector("app=web").start();
//! let pods = Informer::of(ResourceClient::<Pod>::all_namespaces(&client)).start();
//!
//! let stopped = Controller::for_each(&config_maps)
//!     .owned_by(&pods)
//!     .workers(4)
//!     .reconcile(client, |client, config_map| async move {
//!         println!("{:?} may need work", config_map.metadata.name);
//!         # let _: RestClient = client;
//!         Ok::<_, Error>(Next::after(Duration::from_secs(300)))
//!     })
//!     .run_until(k8s_client_runtime::stop_signal())
//!     .await;
//! println!("{} objects were still being worked on", stopped.unfinished.len());
//! # Ok(())
//! # }
//! ```
//!
//! # What you can rely on
//!
//! * No object is reconciled twice at the same time, whatever the number of workers.
//! * A change that comes while its object is reconciled leads to another call.
//! * A call that returns an error, or panics, is repeated after a pause that grows with each failure of that object
//!   ([`ItemBackoff`](k8s_client_queue::ItemBackoff)).
//! * Nothing is reconciled before all informers have all their objects, and nothing after one of them has ended.
//! * A change of what is wanted of an object, which shows in its generation, is taken up at once, whatever has failed
//!   before.
//! * What was there at the start comes after what changes.

mod call;
mod changes;
mod conditions;
mod controller;
mod feed;
mod filters;
mod finalizer;
mod gate;
mod memory;
mod metrics;
mod next;
mod owner;
mod run;
mod settings;

pub use changes::Changes;
pub use conditions::{condition_of, is_condition_true, set_condition};
pub use controller::{Controller, Reconciler};
pub use filters::{annotations_changed, generation_changed, labels_changed};
pub use metrics::{Metrics, Outcome};
pub use next::{Next, Stopped};
pub use owner::owner_of;

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
