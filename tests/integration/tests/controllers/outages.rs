//! Informers outlast their server: killed, started again, with a memory that begins anew.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use k8s_client::{
    Clientset, Config,
    informer::{Event, Informer, Metrics, Subscription},
};
use k8s_client_integration_tests::{TestResult, connections_to, eventually, object};
use k8s_client_test_harness::ControlPlane;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use tokio::{
    net::UnixStream,
    task::{JoinSet, spawn_blocking},
    time::{Instant, timeout},
};

/// How many objects there are: small ones, so that a test takes seconds.
const OBJECTS: usize = 20_000;
const LIMIT: Duration = Duration::from_secs(120);

fn config_map(name: &str, value: &str) -> ConfigMap {
    object(json!({ "metadata": { "name": name, "labels": { "app": "test" } }, "data": { "value": value } }))
}

async fn create_many(client: &Clientset) -> TestResult {
    let mut creations = JoinSet::new();
    for worker in 0..32 {
        let config_maps = client.core_v1().config_maps("default");
        creations.spawn(async move {
            for number in (worker..OBJECTS).step_by(32) {
                config_maps.create(&config_map(&format!("object-{number}"), "first")).await?;
            }
            Ok::<_, k8s_client::Error>(())
        });
    }
    while let Some(creation) = creations.join_next().await {
        creation??;
    }
    Ok(())
}

/// Counts the failures of an informer after which it must list again.
struct Expired(Arc<AtomicUsize>);

impl Metrics for Expired {
    fn failed(&self, error: &k8s_client::Error) {
        self.0.fetch_add(usize::from(error.must_list_again()), Ordering::SeqCst);
    }
}

/// What is told until nothing more comes for a while: names, with `+`, `~` or `-` before them.
async fn told<T: Send + Sync + 'static>(
    changes: &mut Subscription<T>,
    name: impl Fn(&T) -> Option<String>,
) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    while let Ok(Some(event)) = timeout(Duration::from_millis(500), changes.next()).await {
        let sign = match event {
            Event::Added(_) => '+',
            Event::Updated { .. } => '~',
            Event::Deleted { .. } => '-',
            Event::Synced => continue,
        };
        told.insert(format!("{sign}{}", event.object().and_then(|object| name(object)).unwrap_or_default()));
    }
    told
}

/// Makes etcd forget all revisions before this one, as Kubernetes does every five minutes: a call of gRPC.
async fn compact_etcd(plane: &ControlPlane, revision: &str) -> TestResult {
    let socket = plane.logs().ok_or("it was started here")?.join("etcd.sock");
    let (mut send, connection) = h2::client::handshake(UnixStream::connect(socket).await?).await?;
    let connection = tokio::spawn(connection);
    let request = http::Request::post("http://etcd/etcdserverpb.KV/Compact")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())?;
    let (response, mut body) = send.send_request(request, false)?;
    // Field 1 is the revision, a varint.
    let mut message = vec![0x08];
    let mut rest: u64 = revision.parse()?;
    while rest >= 0x80 {
        message.push(u8::try_from(rest & 0x7f)? | 0x80);
        rest >>= 7;
    }
    message.push(u8::try_from(rest)?);
    let mut frame = vec![0, 0, 0, 0, u8::try_from(message.len())?];
    frame.append(&mut message);
    body.send_data(frame.into(), true)?;
    let mut answer = response.await?.into_body();
    while let Some(data) = answer.data().await {
        answer.flow_control().release_capacity(data?.len())?;
    }
    let status = answer.trailers().await?.and_then(|trailers| trailers.get("grpc-status").cloned());
    assert!(status.is_some_and(|status| status == "0"), "etcd compacts");
    connection.abort();
    Ok(())
}

#[tokio::test]
async fn informers_outlast_a_server_that_is_killed_and_a_memory_that_is_compacted() -> TestResult {
    let mut plane = ControlPlane::start_new()?;
    let mut config = Config::from_kubeconfig(plane.kubeconfig())?;
    config.rate_limit = None;
    let client = Clientset::new(&config)?;
    let port = config.server.port_u16().expect("the plane has one");
    let config_maps = client.core_v1().config_maps("default");
    create_many(&client).await?;

    assert_ne!(connections_to(port), 0);
    let begun = Instant::now();
    let expired = Arc::new(AtomicUsize::new(0));
    let compact_informer = Informer::of(client.core_v1().all_config_maps())
        .label_selector("app=test")
        .metrics(Expired(expired.clone()))
        .start();
    let names = Informer::of(client.core_v1().all_config_maps())
        .label_selector("app=test")
        .project(|object| object.metadata.name)
        .start();
    compact_informer.synced_within(LIMIT).await?;
    println!("{OBJECTS} objects are there after {:?}", begun.elapsed());
    names.synced_within(LIMIT).await?;
    assert_eq!((compact_informer.lister().len(), names.lister().len()), (OBJECTS, OBJECTS));
    let by_value = compact_informer.index(|object: &ConfigMap| object.data.as_ref()?.get("value").cloned());
    let mut changes = compact_informer.subscribe();
    let mut name_changes = names.subscribe();
    let name = |object: &ConfigMap| object.metadata.name.clone();
    assert_eq!(told(&mut changes, name).await.len(), OBJECTS);
    assert_eq!(told(&mut name_changes, Clone::clone).await.len(), OBJECTS);

    for round in ["second", "third"] {
        plane.kill_kube_apiserver()?;
        eventually("the error", || async { compact_informer.health().error }).await;
        assert!(compact_informer.health().synced);
        assert!(compact_informer.lister().get("default", "object-0").is_some(), "reads go on");
        // All that the informers know is forgotten, by the server and by etcd.
        if round == "third" {
            compact_etcd(&plane, &compact_informer.resource_version().expect("it is synced")).await?;
        }
        plane = spawn_blocking(move || plane.restart_kube_apiserver().map(|()| plane)).await??;
        let data = |object: &mut ConfigMap| object.data = Some([("value".to_owned(), round.to_owned())].into());
        config_maps.modify("object-1", data).await?;
        config_maps.delete("object-2").await?;
        let again = config_maps.create(&config_map("object-2", round)).await?;
        let gone = if round == "second" { "object-3" } else { "object-4" };
        config_maps.delete(gone).await?;
        let version = again.metadata.resource_version.clone().expect("the server gives versions");
        compact_informer.wait_for(&version, LIMIT).await?;
        names.wait_for(&version, LIMIT).await?;
        let (whole, slim) = (compact_informer.lister(), names.lister());
        eventually("it is gone", || async {
            (whole.get("default", gone).is_none() && slim.get("default", gone).is_none()).then_some(())
        })
        .await;
        let expected: BTreeSet<String> =
            [format!("-{gone}"), "+object-2".to_owned(), "-object-2".to_owned(), "~object-1".to_owned()].into();
        assert_eq!(told(&mut changes, name).await, expected, "and nothing about the others");
        assert_eq!(told(&mut name_changes, Clone::clone).await, expected);
        assert_eq!(by_value.keys(round).len(), 2);
        let read = compact_informer.lister().get("default", "object-2").expect("it is there");
        assert_eq!(read.metadata.uid, again.metadata.uid);
        assert!(compact_informer.health().error.is_none());
    }
    assert_eq!(compact_informer.lister().len(), OBJECTS - 2);
    assert_ne!(expired.load(Ordering::SeqCst), 0, "the server has said that it knows the versions no more");
    drop((compact_informer, names, by_value, changes, name_changes, config_maps, client));
    eventually("the connections are closed", || async { (connections_to(port) == 0).then_some(()) }).await;
    plane.stop()?;
    Ok(())
}
