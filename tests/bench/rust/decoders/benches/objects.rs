//! Reading and writing objects and lists of 500: JSON, and protobuf by the generated codecs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decoders::{PAGE, config_map, event, list, pod, readers};
use k8s_client_api_core::v1::kinds;
use k8s_client_runtime::codec::{Codec, Listable, MediaType};
use k8s_openapi::{List, ListableResource, serde::Serialize, serde::de::DeserializeOwned};

fn json<T: DeserializeOwned + Serialize>(criterion: &mut Criterion, name: &str, object: &T) {
    let body = serde_json::to_vec(object).expect("it is an object");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(body.len() as u64));
    for (library, read) in readers::<T>() {
        group.bench_function(format!("read json {library}"), |bencher| bencher.iter(|| read(black_box(&body))));
    }
    group.bench_function("write json", |bencher| bencher.iter(|| serde_json::to_vec(black_box(object))));
    group.finish();
}

/// The throughput is that of the message's own bytes, which are fewer: compare times.
fn protobuf<K: Codec>(criterion: &mut Criterion, name: &str, object: &K::Object) {
    let body = K::encode(MediaType::Protobuf, object).expect("it is an object");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("read protobuf", |bencher| {
        bencher.iter(|| K::decode(MediaType::Protobuf, black_box(&body)).expect("it is an object"));
    });
    group.bench_function("write protobuf", |bencher| {
        bencher.iter(|| K::encode(MediaType::Protobuf, black_box(object)).expect("it is an object"));
    });
    group.finish();
}

fn protobuf_list<K: Listable>(criterion: &mut Criterion, name: &str, items: &[K::Object]) {
    // Every object has an envelope; in a list, the whole of it has one.
    let mut raw = Vec::new();
    for item in items {
        let item = K::encode(MediaType::Protobuf, item).expect("it is an object");
        field(&mut raw, object_of(&item));
    }
    let kind = std::any::type_name::<K>().rsplit("::").next().expect("a type has a name");
    let mut names = Vec::from(*b"k8s\0\x0a");
    let list = format!("{kind}List");
    let length = u8::try_from(list.len()).expect("it is short");
    names.extend([length + 6, 0x0a, 2, b'v', b'1', 0x12, length]);
    names.extend(list.as_bytes());
    field(&mut names, &raw);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(names.len() as u64));
    group.bench_function("read protobuf", |bencher| {
        bencher.iter(|| K::decode_list(MediaType::Protobuf, black_box(&names)).map(drop).expect("it is a list"));
    });
    group.finish();
}

/// Writes field 2, which is an item in a list and the object in an envelope.
fn field(out: &mut Vec<u8>, value: &[u8]) {
    out.push(0x12);
    let mut length = value.len();
    while length >= 0x80 {
        out.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    out.push(length.to_le_bytes()[0]);
    out.extend(value);
}

/// The object in an envelope that our own codec wrote: the names, and then the object to the end.
fn object_of(envelope: &[u8]) -> &[u8] {
    let mut rest = &envelope[6 + usize::from(envelope[5]) + 1..];
    while rest[0] >= 0x80 {
        rest = &rest[1..];
    }
    &rest[1..]
}

fn kind<K>(criterion: &mut Criterion, name: &str, item: fn(usize) -> K::Object)
where
    K: Listable<Object: ListableResource + Serialize + DeserializeOwned>,
{
    let object = item(7);
    json(criterion, &format!("one {name}"), &object);
    protobuf::<K>(criterion, &format!("one {name}"), &object);
    let objects: List<K::Object> = list(PAGE, item);
    json(criterion, &format!("{PAGE} {name}s"), &objects);
    protobuf_list::<K>(criterion, &format!("{PAGE} {name}s"), &objects.items);
}

fn all(criterion: &mut Criterion) {
    kind::<kinds::Pod>(criterion, "pod", pod);
    kind::<kinds::Event>(criterion, "event", event);
    kind::<kinds::ConfigMap>(criterion, "config map", config_map);
}

criterion_group!(benches, all);
criterion_main!(benches);
