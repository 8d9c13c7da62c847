//! Writing a controller: an operator from its first line to its last.
//!
//! A controller makes the cluster match what an object asks for. Its parts are these, and each can be used by itself:
//!
//! | part | what it does |
//! |---|---|
//! | [`Informer`](crate::informer::Informer) | keeps objects in memory and follows their changes |
//! | [`Index`](crate::informer::Index) | finds objects by a value, such as pods by their owners |
//! | [`Queue`](crate::queue::Queue) | holds the names of objects that need work, each once |
//! | [`Controller`](crate::controller::Controller) | calls a function of yours for each object that may need work |
//! | `event_recorder` (feature `event-recorder`) | records what was done, for `kubectl describe` to show |
//! | `leader_election` (feature `leader-election`) | lets one copy of the program work, of several that run |
//!
//! The program below sees to it that each Deployment has its number of running pods as an annotation. It needs the
//! features `controller`, `event-recorder`, `apps` and `core`, and runs on a laptop and in a pod.
//!
#![cfg_attr(feature = "event-recorder", doc = "```no_run")]
#![cfg_attr(not(feature = "event-recorder"), doc = "```ignore")]
//! use std::{collections::BTreeMap, sync::Arc, time::Duration};
//!
//! use k8s_client::{
//!     Clientset, Error,
//!     controller::{Controller, Next, generation_changed},
//!     event_recorder::Recorder,
//!     informer::{Index, Informer, ObjectKey},
//!     k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod},
//!     stop_signal,
//! };
//!
//! const RUNNING: &str = "example.com/running-pods";
//! const AGAIN: Duration = Duration::from_secs(300);
//!
//! /// What each call is given. It is cloned for each, so it holds handles.
//! #[derive(Clone)]
//! struct Context {
//!     client: Clientset,
//!     pods: Index<ObjectKey, Pod>,
//!     events: Recorder,
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let client = Clientset::try_default().await?;
//!     let deployments = Informer::of(client.apps_v1().all_deployments()).label_selector("count-pods=yes").start();
//!     let pods = Informer::of(client.core_v1().all_pods()).label_selector("app").start();
//!     let events = Recorder::new(client.rest_client(), "pod-counter");
//!     let context = Context { client, pods: pods.index(deployment_of), events: events.clone() };
//!
//!     Controller::for_each(&deployments)
//!         .filtered(generation_changed) // the annotation that we write is no reason to look again
//!         .watch_mapped(&pods, deployment_of)
//!         .workers(4)
//!         .reconcile(context, reconcile)
//!         .run_until(stop_signal()) // Ctrl-C, and SIGTERM, by which Kubernetes stops a pod
//!         .await;
//!     events.shutdown().await; // writes what was recorded and not written yet
//!     Ok(())
//! }
//!
//! /// The Deployment that a pod belongs to: here, the one that its label `app` names.
//! fn deployment_of(pod: &Pod) -> Option<ObjectKey> {
//!     let name = pod.metadata.labels.as_ref()?.get("app")?;
//!     Some(ObjectKey::new(pod.metadata.namespace.as_deref()?, name.as_str()))
//! }
//!
//! async fn reconcile(context: Context, deployment: Arc<Deployment>) -> Result<Next, Error> {
//!     let key = ObjectKey::of(&*deployment);
//!     let is_running = |pod: &&Arc<Pod>| {
//!         pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
//!     };
//!     let running = context.pods.get(&key).iter().filter(is_running).count().to_string();
//!     if deployment.metadata.annotations.as_ref().and_then(|all| all.get(RUNNING)) == Some(&running) {
//!         return Ok(Next::after(AGAIN));
//!     }
//!
//!     let deployments = context.client.apps_v1().deployments(key.namespace());
//!     let written = deployments
//!         .modify(key.name(), |deployment| {
//!             let annotations = deployment.metadata.annotations.get_or_insert_with(BTreeMap::new);
//!             annotations.insert(RUNNING.to_owned(), running.clone());
//!         })
//!         .await?;
//!     context.events.normal(&written, "Counted", "Count").note(format!("{running} pods run"));
//!     Ok(Next::after(AGAIN).having_written(&written))
//! }
//! ```
//!
//! # What to keep in mind
//!
//! * **Look, do not remember.** The function is given the object that may need work, not what has changed. It looks at
//!   what there is, and does what is missing, so that it may be called at any time, and twice.
//! * **Memory is a little behind.** What an informer has may be older than what the server has. A write that is based
//!   on it is checked by the server: use [`modify`](crate::resource::ResourceClient::modify), an update with the
//!   object's version, or apply. [`Next::having_written`](crate::controller::Next::having_written) makes the next call
//!   wait for what this one has written of its object. Where calls count what they have made of other kinds, end them
//!   with [`Informer::wait_for`](crate::informer::Informer::wait_for) and the version of what was made.
//! * **Errors are for what may pass.** An error is tried again, with a pause that grows. What trying again does not
//!   mend belongs into the object's status, as a [condition](crate::controller::set_condition). A user who mends the
//!   object need not wait: a change of its generation ends the [pause](crate::controller::Controller::backoff).
//! * **Own what you make.** An object with an [owner reference](crate::object::controller_reference) is collected when
//!   its owner goes, and [`owned_by`](crate::controller::Controller::owned_by) makes its changes a reason to look at its
//!   owner. What Kubernetes does not know of is cleaned up by a
//!   [finalizer](crate::controller::Reconciler::finalizer).
//! * **Show the log.** A call that fails or panics, and an informer that is refused, are tried again and told by
//!   `tracing`. A program that installs no [subscriber](crate::guide#logging) shows nothing of it, and seems to hang.
//!   [`Informer::synced`](crate::informer::Informer::synced) returns such a refusal, for a program that had rather end.
//! * **Ask for what you need.** An informer takes a label selector, and a
//!   [projection](crate::informer::InformerBuilder::project) keeps a few fields of many objects.
//!
//! The program's service account needs the verbs `get`, `list`, `watch` and `update` on deployments, and `list` and
//! `watch` on pods, and `create` and `patch` on events of `events.k8s.io`.
//!
//! # Status
//!
//! A controller of a [custom resource](crate::custom_resource!) tells in the status what it has found, and for which
//! generation. Only what has changed is written, so that a call does not lead to the next; with
//! [`generation_changed`](crate::controller::generation_changed) it would not in any case.
//!
//! ```no_run
//! use k8s_client::{
//!     Error, ResourceClient,
//!     controller::{Next, condition_of, set_condition},
//! };
//! # type Site = k8s_client::k8s_openapi::api::core::v1::Service;
//!
//! async fn report(sites: &ResourceClient<Site>, site: &Site, pages: usize) -> Result<Next, Error> {
//!     let mut site = site.clone();
//!     let ready = condition_of(&site, "Ready", pages > 0, "PagesCounted", format!("{pages} pages"));
//!     let conditions = site.status.get_or_insert_default().conditions.get_or_insert_default();
//!     if !set_condition(conditions, ready) {
//!         return Ok(Next::wait());
//!     }
//!     let written = sites.update_status(&site).await?;
//!     Ok(Next::wait().having_written(&written))
//! }
//! ```
//!
//! # Metrics
//!
//! Each part reports what it does to a value of yours, of a trait `Metrics` whose methods do nothing unless you write
//! them: clients by [`Config::metrics`](crate::Config::metrics), and informers, queues, controllers, recorders and
//! electors by the method `metrics` of what builds them. `examples/metrics` shows all of them to Prometheus, and what
//! is [read](crate::controller::Reconciler::queue) of a controller's queue: for how long its calls have been running.
//! Here, for the requests of a client and the calls of a controller, it is two lines:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use k8s_client::{Clientset, Config, Error, controller::{self, Controller}, informer::Informer, metrics};
//! # use k8s_client::k8s_openapi::api::core::v1::Pod;
//! # #[derive(Default)]
//! # struct Requests;
//! # impl metrics::Metrics for Requests {}
//! # struct Calls;
//! # impl controller::Metrics for Calls {}
//! # fn example(pods: &Informer<Pod>) -> Result<(), Error> {
//! # let mut config = Config::infer()?;
//! config.metrics = Some(Arc::new(Requests::default()));
//! let controller = Controller::for_each(pods).metrics(Calls);
//! # Ok(())
//! # }
//! ```
//!
//! # Several copies
//!
//! Two copies of a controller do everything twice. With the feature `leader-election` only the one that leads works: to
//! run the controller is its work.
//!
//! ```no_run
//! # #[cfg(feature = "leader-election")]
//! # async fn example(
//! #     config: k8s_client::Config,
//! #     controller: k8s_client::controller::Reconciler<k8s_client::k8s_openapi::api::core::v1::Pod, ()>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use k8s_client::{
//!     leader_election::{Elector, Ends},
//!     stop_signal,
//! };
//!
//! let mut elector = Elector::new(&config, "default", "my-operator")?;
//! let ends = elector.lead_until(stop_signal(), |_term| controller.run()).await;
//! if let Ends::Lost(loss) = ends {
//!     eprintln!("{loss}"); // end the program: Kubernetes starts it again, and it takes part in the next election
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A controller [keeps to the term](crate::controller::Reconciler::run_until) that it is run in. When the program is
//! asked to stop, calls under way come to their end, and then the lease is released, so that the next copy begins at
//! once. When the lease is lost, no line of a call runs any more. Tasks that a call has started must ask the term
//! themselves.
//!
//! A program that takes part in the next election instead of ending uses `Elector::campaign_until`. It makes a
//! controller for each term, of informers that it keeps:
//! `|_term| Controller::for_each(&pods).reconcile(context.clone(), reconcile).run()`.
//!
//! # Tests
//!
//! The function is an ordinary one: call it with an object and a client whose server is
//! [a function](crate::guide#testing). The whole loop runs in a test on `k8s-client-fake`, an API server in memory. Its
//! simulations run the loop through hours of lost answers, restarts and old reads in a second, and replay a failure by
//! its seed: `examples/controller` has one.
