//! Taking in the answer to a list of 5,000 pods: its bytes alone, all objects at once, one by one as they arrive, and
//! fields of them. The server is a thread that writes to a loopback socket.

use std::{
    hint::black_box,
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decoders::{list, pod};
use k8s_client_runtime::{Config, RestClient, resource::ResourceClient};
use k8s_openapi::api::core::v1::Pod;
use serde::Deserialize;

const COUNT: usize = 5_000;
const CHUNK: usize = 16 << 10;

#[derive(Deserialize)]
struct Named {
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Names {
    items: Vec<Named>,
}

/// A client that is always answered with these bytes, whose length the head says or not: servers do not know it of a
/// list.
fn client(body: &[u8], encoding: &str, is_known: bool) -> RestClient {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    let length =
        if is_known { format!("Content-Length: {}", body.len()) } else { "Transfer-Encoding: chunked".to_owned() };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n");
    let mut answer = format!("{head}{encoding}\r\n").into_bytes();
    if is_known {
        answer.extend(body);
    } else {
        for chunk in body.chunks(CHUNK) {
            answer.extend(format!("{:x}\r\n", chunk.len()).bytes());
            answer.extend(chunk);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
    }
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 4096];
            // Each request is one packet.
            while stream.read(&mut request).is_ok_and(|read| read > 0) && stream.write_all(&answer).is_ok() {}
        }
    });
    let config = Config::new(&format!("http://{address}")).expect("a URL");
    RestClient::new(&config).expect("a valid configuration")
}

fn gzip(body: &[u8]) -> Vec<u8> {
    // The server's level.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(body).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn answers(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut pods = serde_json::to_value(list(COUNT, pod)).expect("it is a list");
    for item in pods["items"].as_array_mut().expect("it has items") {
        // Servers leave these out of lists.
        let item = item.as_object_mut().expect("it is an object");
        item.retain(|field, _| field != "kind" && field != "apiVersion");
    }
    let body = serde_json::to_vec(&pods).expect("it is a list");
    drop(pods);
    let known = client(&body, "", true);
    let known = ResourceClient::<Pod>::all_namespaces(&known);
    criterion.bench_function(&format!("{COUNT} pods of known length/bytes"), |bencher| {
        bencher.iter(|| black_box(runtime.block_on(known.list().raw()).expect("it is an answer")).len());
    });
    for (name, client) in
        [("plain", client(&body, "", false)), ("gzip", client(&gzip(&body), "Content-Encoding: gzip\r\n", false))]
    {
        let pods = ResourceClient::<Pod>::all_namespaces(&client);
        let mut group = criterion.benchmark_group(format!("{COUNT} pods {name}"));
        group.throughput(Throughput::Bytes(body.len() as u64)).sample_size(10);
        group.bench_function("bytes", |bencher| {
            bencher.iter(|| black_box(runtime.block_on(pods.list().raw()).expect("it is an answer")).len());
        });
        group.bench_function("whole list", |bencher| {
            bencher.iter(|| runtime.block_on(async { pods.list().await }).expect("it is a list").items.len());
        });
        group.bench_function("streamed list", |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let mut items = pods.list().stream().await.expect("it is a list");
                    let mut count = 0;
                    while let Some(item) = items.try_next().await.expect("it is a pod") {
                        black_box(item);
                        count += 1;
                    }
                    assert_eq!(count, COUNT);
                });
            });
        });
        group.bench_function("names of the whole list", |bencher| {
            bencher.iter(|| {
                let names = runtime.block_on(pods.list().json::<Names>()).expect("it is a list");
                names.items.iter().map(|item| item.metadata.name.len()).sum::<usize>()
            });
        });
        group.bench_function("names of the streamed list", |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let mut items = pods.list().stream_json::<Named>().await.expect("it is a list");
                    while let Some(item) = items.try_next().await.expect("it has a name") {
                        black_box(item.metadata.name.len());
                    }
                });
            });
        });
        group.finish();
    }
}

criterion_group!(benches, answers);
criterion_main!(benches);
