//! A thousand watches of one client.

use k8s_client_runtime::watch::WatchEvent;
use tokio::sync::mpsc;

use crate::{config_map, config_maps, plan::Plan, server::Server, soon};

const WATCHES: usize = 1000;
const WRITES: usize = 5;

/// The server allows a hundred streams a connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_watches_of_one_client_get_all_events_while_others_write() {
    let server = Server::start(Plan::healthy());
    let client = server.client();
    let (told, mut tell) = mpsc::unbounded_channel();
    let opening: Vec<_> = (0..WATCHES)
        .map(|_| {
            let (config_maps, told) = (config_maps(&client, "ns"), told.clone());
            tokio::spawn(async move {
                let mut events = config_maps.watch().await?;
                told.send(None).expect("the test listens");
                let mut names = Vec::new();
                while names.len() < WRITES {
                    match events.try_next().await? {
                        Some(WatchEvent::Added(object)) => names.push(object.metadata.name.clone().unwrap_or_default()),
                        other => panic!("{other:?}"),
                    }
                }
                told.send(Some(names)).expect("the test listens");
                // It stays open until all have what they wait for.
                Ok::<_, k8s_client_runtime::Error>(events)
            })
        })
        .collect();
    for _ in 0..WATCHES {
        assert_eq!(soon("a watch opens", tell.recv()).await, Some(None));
    }
    let connections = server.connections();
    assert!((10..=20).contains(&connections), "{connections} connections for {WATCHES} watches");

    for number in 0..WRITES {
        let name = format!("object-{number}");
        soon("a write goes past the watches", config_maps(&client, "ns").create(&config_map(&name, "1")))
            .await
            .unwrap();
    }
    let expected: Vec<_> = (0..WRITES).map(|number| format!("object-{number}")).collect();
    for _ in 0..WATCHES {
        assert_eq!(soon("a watch gets all events", tell.recv()).await, Some(Some(expected.clone())));
    }
    for watch in opening {
        drop(watch.await.unwrap().unwrap());
    }
    // Their streams are free again: no connection more for as many others.
    let again: Vec<_> = (0..WATCHES)
        .map(|_| {
            let config_maps = config_maps(&client, "ns");
            tokio::spawn(async move { config_maps.watch().await })
        })
        .collect();
    for watch in again {
        drop(soon("a watch opens again", watch).await.unwrap().unwrap());
    }
    assert!(server.accepted() <= 20, "{} connections", server.accepted());
}
