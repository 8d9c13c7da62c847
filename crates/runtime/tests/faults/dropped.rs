//! What a client leaves behind when its last handle is gone: nothing.

use std::{
    fs,
    future::IntoFuture,
    path::Path,
    time::{Duration, Instant},
};

use k8s_client_runtime::{
    Config, RestClient,
    config::{ClientIdentity, Credentials, PemSource},
    watch::WatchEvent,
};
use tokio::runtime::Handle;

use crate::{config_map, config_maps, eventually, plan::Plan, server::Server, soon};

#[tokio::test]
async fn client_with_idle_connections_leaves_nothing() {
    let server = Server::start(Plan::healthy());
    for config in [server.config(), server.plain_config()] {
        leaves_nothing(&server, &config, async |client| {
            let reads = (0..8).map(|_| {
                let config_maps = config_maps(&client, "ns");
                tokio::spawn(async move { config_maps.list().await.unwrap() })
            });
            for read in reads.collect::<Vec<_>>() {
                read.await.unwrap();
            }
        })
        .await;
    }
}

#[tokio::test]
async fn client_whose_credentials_are_in_files_leaves_nothing() {
    let server = Server::start(Plan::healthy());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) = server.authority().signed("client");
    let mut config = server.config();
    config.credentials = Credentials::TokenFile { path: file("token", "abc"), fallback: None };
    config.tls.ca = Some(PemSource::File(file("ca.crt", &server.authority().pem())));
    config.tls.identity = Some(ClientIdentity {
        certificate: PemSource::File(file("tls.crt", &certificate)),
        key: PemSource::File(file("tls.key", &key)),
    });
    leaves_nothing(&server, &config, async |client| {
        config_maps(&client, "ns").list().await.unwrap();
        // Renewed while the client runs.
        let (certificate, key) = server.authority().signed("client");
        file("tls.crt", &certificate);
        file("tls.key", &key);
        file("token", "def");
        config_maps(&client, "ns").list().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn client_whose_watches_and_calls_were_dropped_half_way_leaves_nothing() {
    let server = Server::start(Plan::healthy());
    for config in [server.config(), server.plain_config()] {
        leaves_nothing(&server, &config, async |client| {
            let name = config.server.scheme_str().unwrap();
            let mut events = config_maps(&client, "ns").watch().await.unwrap();
            config_maps(&client, "ns").create(&config_map(name, "1")).await.unwrap();
            assert!(matches!(soon("an event", events.try_next()).await, Ok(Some(WatchEvent::Added(_)))));
            for _ in 0..20 {
                let cancelled = config_maps(&client, "ns").list();
                let _ = tokio::time::timeout(Duration::from_micros(200), cancelled.into_future()).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn client_of_a_black_hole_leaves_nothing() {
    let server = Server::start(Plan::healthy());
    leaves_nothing(&server, &server.config(), async |client| {
        config_maps(&client, "ns").list().await.unwrap();
        server.silence();
        let waiting = config_maps(&client, "ns").list();
        assert!(tokio::time::timeout(Duration::from_millis(200), waiting.into_future()).await.is_err());
    })
    .await;
}

/// A stream outlives the client that it came from, and then the connection goes with it.
#[tokio::test]
async fn watch_goes_on_without_its_client_and_takes_the_connection_with_it() {
    let server = Server::start(Plan::healthy());
    let tasks = alive();
    let client = server.client();
    let mut events = config_maps(&client, "ns").watch().await.unwrap();
    drop(client);
    let other = server.client();
    config_maps(&other, "ns").create(&config_map("a", "1")).await.unwrap();
    drop(other);
    assert!(matches!(soon("an event", events.try_next()).await, Ok(Some(WatchEvent::Added(_)))));
    drop(events);
    all_gone(&server, tasks).await;
}

async fn leaves_nothing(server: &Server, config: &Config, work: impl AsyncFnOnce(RestClient)) {
    let tasks = alive();
    let client = RestClient::new(config).unwrap();
    soon("the client's work", work(client.clone())).await;
    let sockets = sockets(server.port());
    assert!(sockets.is_none_or(|sockets| sockets > 0), "the client has no connection to leave behind");
    drop(client);
    all_gone(server, tasks).await;
}

/// Nothing waits for a time limit, of which the shortest is longer than this.
async fn all_gone(server: &Server, tasks: usize) {
    let start = Instant::now();
    eventually("the tasks end", || alive() <= tasks).await;
    eventually("the sockets are closed", || sockets(server.port()).unwrap_or_default() == 0).await;
    assert!(start.elapsed() < Duration::from_secs(25), "it took {:?}", start.elapsed());
}

fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// How many sockets of this process are connected to the port; nothing where the system does not tell.
fn sockets(port: u16) -> Option<usize> {
    let held: Vec<_> = fs::read_dir("/proc/self/fd").ok()?.flatten().filter_map(|file| inode(&file.path())).collect();
    let table = fs::read_to_string("/proc/self/net/tcp").ok()?;
    let is_ours = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.len() > 9 && fields[2].ends_with(&format!(":{port:04X}")) && held.iter().any(|inode| inode == fields[9])
    };
    Some(table.lines().skip(1).filter(is_ours).count())
}

/// `socket:[123]` has the inode 123.
fn inode(descriptor: &Path) -> Option<String> {
    let target = fs::read_link(descriptor).ok()?;
    Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
}
