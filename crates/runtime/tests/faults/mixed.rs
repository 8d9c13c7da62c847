//! Ten thousand requests of all kinds through all faults.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use fastrand::Rng;
use http::{Method, Request};
use k8s_client_runtime::{
    Config, Error, RestClient,
    resource::{Namespaced, Patch, ResourceClient},
    rest::{Body, BoxError, HttpFuture, HttpService},
};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use tower_layer::layer_fn;
use tower_service::Service;

use crate::{
    config_map, config_maps,
    ledger::Outcome,
    plan::Plan,
    server::{CALL, Server},
};

const CALLS: u64 = 10_000;
const WORKERS: usize = 64;
/// What every call is limited to.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What it may take on a slow machine.
const HANGS: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_under_fault_are_done_at_most_once_and_none_is_lost() {
    let seed = seed();
    let server = Server::start(Plan::random(seed));
    let (outcomes, astray) = run(&server, seed, CALLS, RestClient::builder).await;

    assert_eq!(outcomes.len() as u64, CALLS, "K8S_CLIENT_FAULTS_SEED={seed}");
    let retries = server.config().retry.max_retries as usize;
    let violations = [server.ledger().violations(&outcomes, retries, HANGS), astray].concat();
    assert!(
        violations.is_empty(),
        "K8S_CLIENT_FAULTS_SEED={seed}: {} violations\n{}",
        violations.len(),
        violations.join("\n")
    );

    // The run was one under fault, and what could be saved was.
    let faults = server.ledger().faults();
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    let rescued = server.ledger().rescued(&outcomes);
    println!("K8S_CLIENT_FAULTS_SEED={seed}: {failed} failed, {rescued} were refused first and succeeded; {faults:?}");
    assert!(faults.len() > 12, "K8S_CLIENT_FAULTS_SEED={seed}: {faults:?}");
    assert!(failed > 100 && failed < outcomes.len() / 4, "K8S_CLIENT_FAULTS_SEED={seed}: {failed} failed");
    assert!(rescued > 200, "K8S_CLIENT_FAULTS_SEED={seed}: {rescued} were refused first and succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_repeats_posts_is_found_out() {
    let seed = seed();
    let server = Server::start(Plan::random(seed));
    let (outcomes, astray) =
        run(&server, seed, 2_000, |config| RestClient::builder(config).layer(layer_fn(RepeatsPosts))).await;
    let violations = server.ledger().violations(&outcomes, usize::MAX - 1, HANGS);
    let twice = violations.iter().filter(|violation| violation.contains("was processed 2 times")).count();
    assert!(twice > 0, "K8S_CLIENT_FAULTS_SEED={seed}: no repeated POST was noticed; {violations:?} {astray:?}");
}

/// That of a run before, which a failure names, or a new one.
fn seed() -> u64 {
    let given = std::env::var("K8S_CLIENT_FAULTS_SEED").ok();
    given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("K8S_CLIENT_FAULTS_SEED is a number"))
}

/// Makes this many calls. Returns what each came to, and where the server's objects in the end are not what the answers
/// said.
async fn run(
    server: &Server,
    seed: u64,
    calls: u64,
    build: impl Fn(&Config) -> k8s_client_runtime::rest::RestClientBuilder,
) -> (Vec<Outcome>, Vec<String>) {
    let sent = Sent::default();
    // Three connections of HTTP/2 at a time, and as many of HTTP/1.1 as there are workers.
    let configs = [server.config(), server.config(), server.config(), server.plain_config()];
    let clients = configs.map(|mut config| {
        config.timeout = Some(TIMEOUT);
        config.response_header_timeout = Some(Duration::from_secs(2));
        config.http2_ping_interval = Some(Duration::from_secs(1));
        config.http2_ping_timeout = Duration::from_secs(2);
        let counted = sent.clone();
        let client = build(&config).layer(layer_fn(move |inner| Counting { inner, sent: counted.clone() })).build();
        client.expect("the configuration is valid")
    });
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let namespace = format!("worker-{number}");
            let worker = Worker {
                config_maps: config_maps(&clients[number % clients.len()], &namespace),
                rng: Rng::with_seed(seed.wrapping_add(number as u64)),
                known: BTreeMap::new(),
                doubtful: BTreeSet::new(),
                outcomes: Vec::new(),
            };
            (namespace, tokio::spawn(worker.work((number as u64..calls).step_by(WORKERS))))
        })
        .collect();
    let healthy = server.client();
    let (mut outcomes, mut astray) = (Vec::new(), Vec::new());
    for (namespace, worker) in workers {
        let worker = worker.await.unwrap_or_else(|error| panic!("K8S_CLIENT_FAULTS_SEED={seed}: {error}"));
        let there = config_maps(&healthy, &namespace).list().await.expect("requests without a number meet no fault");
        astray.extend(worker.compare(&namespace, &there.items));
        outcomes.extend(worker.outcomes);
    }
    for outcome in &mut outcomes {
        outcome.sent = sent.of(outcome.id);
    }
    (outcomes, astray)
}

/// Makes calls one after the other, on objects that are nobody else's.
struct Worker {
    config_maps: ResourceClient<ConfigMap, Namespaced>,
    rng: Rng,
    /// The objects that exist, and the value of each.
    known: BTreeMap<String, String>,
    /// Names, or the fronts of generated ones, about which an error left us in doubt.
    doubtful: BTreeSet<String>,
    outcomes: Vec<Outcome>,
}

impl Worker {
    async fn work(mut self, ids: impl Iterator<Item = u64>) -> Self {
        for id in ids {
            let started = Instant::now();
            let call = tokio::time::timeout(HANGS, self.call(id));
            let (changes, result) = call.await.unwrap_or_else(|_| panic!("request {id} hangs"));
            self.outcomes.push(Outcome { id, changes, sent: 0, took: started.elapsed(), result });
        }
        self
    }

    /// Makes one call; says whether it is one that changes something.
    async fn call(&mut self, id: u64) -> (bool, Result<(), Error>) {
        let value = id.to_string();
        let Some(name) = self.rng.choice(self.known.keys()).cloned() else {
            return (true, self.create(id, &value).await);
        };
        match self.rng.u8(0..100) {
            0..25 => (true, self.create(id, &value).await),
            25..45 => {
                let result = self.config_maps.get(&name).with_header(CALL, &value).await;
                (false, result.map(|found| assert_eq!(read(&found), self.known[&name], "request {id}")))
            }
            45..50 => {
                let result = self.config_maps.list().with_header(CALL, &value).await;
                (false, result.map(|found| assert!(found.items.len() >= self.known.len(), "request {id}")))
            }
            50..70 => {
                let result = self.config_maps.update(&config_map(&name, &value)).with_header(CALL, &value).await;
                (true, self.changed(name, &value, result))
            }
            70..85 => {
                let patch = Patch::Merge(json!({ "data": { "key": value } }));
                let result = self.config_maps.patch(&name, &patch).with_header(CALL, &value).await;
                (true, self.changed(name, &value, result))
            }
            _ => {
                let result = self.config_maps.delete(&name).with_header(CALL, &value).await;
                self.known.remove(&name);
                if result.is_err() {
                    self.doubtful.insert(name);
                }
                (true, result.map(drop))
            }
        }
    }

    async fn create(&mut self, id: u64, value: &str) -> Result<(), Error> {
        let name = format!("c{id}-");
        let mut new = config_map(&name, value);
        if id.is_multiple_of(3) {
            new.metadata.name = None;
            new.metadata.generate_name = Some(name.clone());
        }
        match self.config_maps.create(&new).with_header(CALL, value).await {
            Ok(created) => {
                self.known.insert(created.metadata.name.clone().unwrap_or_default(), read(&created));
                Ok(())
            }
            Err(error) => {
                self.doubtful.insert(name);
                Err(error)
            }
        }
    }

    fn changed(&mut self, name: String, value: &str, result: Result<ConfigMap, Error>) -> Result<(), Error> {
        match result {
            Ok(changed) => {
                assert_eq!(read(&changed), value);
                self.known.insert(name, value.to_owned());
                Ok(())
            }
            Err(error) => {
                self.known.remove(&name);
                self.doubtful.insert(name);
                Err(error)
            }
        }
    }

    /// Where the objects that there are differ from what this worker was told.
    fn compare(&self, namespace: &str, there: &[ConfigMap]) -> Vec<String> {
        let there: BTreeMap<_, _> =
            there.iter().map(|object| (object.metadata.name.clone().unwrap_or_default(), read(object))).collect();
        let in_doubt = |name: &str| self.doubtful.iter().any(|front| name.starts_with(front.as_str()));
        let lost = self.known.iter().filter(|(name, value)| there.get(*name) != Some(value));
        let lost = lost.map(|(name, value)| format!("{namespace}/{name} should be {value}: {:?}", there.get(name)));
        let extra = there.keys().filter(|name| !self.known.contains_key(*name) && !in_doubt(name));
        lost.chain(extra.map(|name| format!("{namespace}/{name} should not be there"))).collect()
    }
}

fn read(object: &ConfigMap) -> String {
    object.data.as_ref().and_then(|data| data.get("key")).cloned().unwrap_or_default()
}

/// How often each call was sent.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<HashMap<u64, usize>>>);

impl Sent {
    fn count(&self, request: &Request<Body>) {
        if let Some(id) = request.headers().get(CALL).and_then(|id| id.to_str().ok()?.parse().ok()) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default() += 1;
        }
    }

    fn of(&self, id: u64) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied().unwrap_or_default()
    }
}

#[derive(Clone)]
struct Counting {
    inner: HttpService,
    sent: Sent,
}

impl Service<Request<Body>> for Counting {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = HttpFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> HttpFuture {
        self.sent.count(&request);
        self.inner.call(request)
    }
}

/// What a client must not do: it sends each POST that failed once more.
#[derive(Clone)]
struct RepeatsPosts(HttpService);

impl Service<Request<Body>> for RepeatsPosts {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = HttpFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> HttpFuture {
        let mut service = self.0.clone();
        if request.method() != Method::POST {
            return service.call(request);
        }
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body: Bytes = body.collect().await?;
            match service.call(Request::from_parts(head.clone(), body.clone().into())).await {
                Err(_) => service.call(Request::from_parts(head, body.into())).await,
                answer => answer,
            }
        })
    }
}
