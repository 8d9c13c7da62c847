//! The fake API server: its start, a write and a read, an event to a hundred watches, a long list; and what controllers
//! add to a write.

use std::{hint::black_box, time::Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use k8s_client_fake::FakeServer;
use k8s_client_runtime::{http::Request, rest::Body};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service as _;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const WATCHES: usize = 100;
const MANY: usize = 10_000;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime needs nothing")
}

fn config_map(number: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("map-{number}"), "namespace": "default"},
        "data": {"color": "blue", "size": "big"},
    })
}

async fn ask(server: &FakeServer, method: &str, path: &str, body: &str) -> Body {
    let request = Request::builder().method(method).uri(format!("http://fake{path}")).header("user-agent", "bench/1");
    let request = request.body(Body::from(body.to_owned())).expect("it is a request");
    let response = server.clone().call(request).await.expect("it answers");
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body()
}

/// Sends a request and reads the whole answer, whose length is returned.
async fn length(server: &FakeServer, method: &str, path: &str, body: &str) -> usize {
    ask(server, method, path, body).await.collect().await.expect("it ends").len()
}

fn start(criterion: &mut Criterion) {
    // The data of a version is read once in a program.
    let first = Instant::now();
    drop(FakeServer::new());
    println!("the first start in this program: {:?}", first.elapsed());
    let _runtime = runtime();
    criterion.bench_function("start", |bencher| bencher.iter(FakeServer::new));
}

fn create_and_get(criterion: &mut Criterion) {
    let runtime = runtime();
    for (name, builder) in
        [("", FakeServer::builder()), (" with controllers", FakeServer::builder().runs_controllers())]
    {
        let server = builder.start();
        let mut number = 0;
        criterion.bench_function(&format!("create and get{name}"), |bencher| {
            bencher.iter(|| {
                number += 1;
                let body = config_map(number).to_string();
                let path = format!("{MAPS}/map-{number}");
                runtime.block_on(async {
                    length(&server, "POST", MAPS, &body).await;
                    length(&server, "GET", &path, "").await
                })
            });
        });
    }
}

fn watches(criterion: &mut Criterion) {
    let runtime = runtime();
    let server = FakeServer::new();
    let mut number = 0;
    let mut watches: Vec<Body> = runtime.block_on(async {
        let mut watches = Vec::new();
        for _ in 0..WATCHES {
            let path = format!("{MAPS}?watch=true&resourceVersion={}", server.revision());
            watches.push(ask(&server, "GET", &path, "").await);
        }
        watches
    });
    criterion.bench_function("an event to 100 watches", |bencher| {
        bencher.iter_batched(
            || {
                number += 1;
                config_map(number).to_string()
            },
            |body| {
                runtime.block_on(async {
                    length(&server, "POST", MAPS, &body).await;
                    for watch in &mut watches {
                        black_box(watch.chunk().await.expect("it goes on").expect("it is an event"));
                    }
                });
            },
            BatchSize::PerIteration,
        );
    });
}

fn list(criterion: &mut Criterion) {
    let runtime = runtime();
    let server = FakeServer::new();
    for number in 0..MANY {
        server.add(&config_map(number)).expect("it is an object");
    }
    criterion.bench_function("list 10,000 objects", |bencher| {
        bencher.iter(|| runtime.block_on(length(&server, "GET", MAPS, "")));
    });
}

criterion_group!(benches, start, create_and_get, watches, list);
criterion_main!(benches);
