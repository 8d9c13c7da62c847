//! Short answers: lists, watches, tests, logs and times.
//!
//! # Lists
//!
//! A list has its objects in `items`:
//!
//! ```no_run
//! # async fn example(client: k8s_client::Clientset) -> Result<(), k8s_client::Error> {
//! for pod in client.core_v1().pods("default").list().label_selector("app=web").await?.items {
//!     println!("{}", pod.metadata.name.unwrap_or_default());
//! }
//!
//! // A long list, of which one object is in memory at a time.
//! let mut pods = client.core_v1().all_pods().list().stream().await?;
//! while let Some(pod) = pods.try_next().await? {
//!     println!("{}", pod.metadata.name.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Watches
//!
//! A watch ends: the server closes it in time, connections are lost, and a version that is too old is forgotten. A
//! program that follows changes lists, watches from the list's version on, watches again from the last version that it
//! saw, and lists again when [`Error::must_list_again`](crate::Error::must_list_again) says so, with pauses that grow.
//! [`BackoffManager`](crate::retry::BackoffManager) has these pauses, and the whole loop as an example to copy. An
//! `Informer` (feature `informer`) does all of it, and keeps the objects.
//!
//! # Testing
//!
//! The crate `k8s-client-fake` is an API server in memory: `FakeServer::new().client()?` is a client of it, with
//! watches, server-side apply and conflicts as a real server has them. For a few answers less will do:
//! [`RestClient::from_service`](crate::RestClient::from_service) takes a function for the server. Here it is one from
//! method and path to status and JSON, and the test asks what the program makes of the answers:
//!
//! ```
//! use k8s_client::{Clientset, Config, Error, RestClient, http, rest::Body};
//! use serde_json::{Value, json};
//!
//! /// A clientset whose server is this function.
//! fn served_by(server: fn(&str, &str) -> (u16, Value)) -> Result<Clientset, Error> {
//!     let service = tower::service_fn(move |request: http::Request<Body>| async move {
//!         let (status, body) = server(request.method().as_str(), request.uri().path());
//!         let answer = http::Response::builder().status(status).header("content-type", "application/json");
//!         answer.body(Body::from(body.to_string()))
//!     });
//!     let mut config = Config::new("http://fake")?;
//!     config.disable_protobuf = true; // so that bodies of requests can be read
//!     Ok(Clientset::from(RestClient::from_service(&config, service)?))
//! }
//!
//! /// What is tested.
//! async fn image(client: &Clientset, pod: &str) -> Result<Option<String>, Error> {
//!     let pod = client.core_v1().pods("default").get(pod).await?;
//!     Ok(pod.spec.and_then(|spec| spec.containers.into_iter().next()?.image))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = served_by(|method, path| match (method, path) {
//!     ("GET", "/api/v1/namespaces/default/pods/web") => {
//!         (200, json!({ "kind": "Pod", "apiVersion": "v1", "spec": { "containers": [{ "name": "web", "image": "nginx" }] } }))
//!     }
//!     _ => (404, json!({ "kind": "Status", "apiVersion": "v1", "reason": "NotFound", "code": 404 })),
//! })?;
//! assert_eq!(image(&client, "web").await?.as_deref(), Some("nginx"));
//! assert!(image(&client, "db").await.is_err_and(|error| error.is_not_found()));
//! # Ok(())
//! # }
//! ```
//!
//! With `#[tokio::test(start_paused = true)]` retries and time limits take no time. Events of a watch are lines of
//! JSON: `{"type":"ADDED","object":{…}}`. A test on a real API server needs etcd and kube-apiserver alone, without
//! nodes.
//!
//! # Logging
//!
//! The crates log by [`tracing`](https://docs.rs/tracing), each under its own name: `k8s_client_runtime` the requests,
//! `k8s_client_informer`, `k8s_client_controller` and so on what they do. The libraries below log much more at the same
//! levels, so choose by the target, here for `tracing_subscriber`'s `EnvFilter`:
//!
//! ```text
//! RUST_LOG=warn,k8s_client_runtime=debug
//! ```
//!
//! * `warn` and `error` have warnings of the server, certificates, tokens or files that cannot be used, failed calls of
//!   controllers, terms that were lost, and events that were dropped.
//! * `info` has what is sent again, and why.
//! * `debug` has each call with its method, URL, status and time.
//! * `trace` has the headers that are sent and the bodies of both sides, without credentials, and without bodies that
//!   may hold secrets. A body that is protobuf is not shown;
//!   [`Config::disable_protobuf`](crate::Config::disable_protobuf) makes it JSON.
//!
//! Nothing is printed unless the program installs a subscriber.
//!
//! # Times
//!
//! Times of objects are [jiff](https://docs.rs/jiff)'s: `Time` holds a `jiff::Timestamp`. Reading and comparing them
//! takes no further dependency; for `jiff::Timestamp::now()`, add `jiff` to your own.
//!
//! ```
//! # use k8s_client::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
//! use std::time::{SystemTime, UNIX_EPOCH};
//!
//! /// The age in seconds.
//! fn age(metadata: &ObjectMeta) -> Option<i64> {
//!     let created = metadata.creation_timestamp.as_ref()?.0.as_second();
//!     let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
//!     Some(i64::try_from(now).ok()? - created)
//! }
//! # assert_eq!(age(&ObjectMeta::default()), None);
//! ```
