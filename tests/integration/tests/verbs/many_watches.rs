//! A thousand watches of one client: the server allows a hundred streams or so a connection.

use std::{
    future::IntoFuture,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use k8s_client::{Clientset, Config, WatchEvent};
use k8s_client_integration_tests::{Test, TestResult, control_plane, soon};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::config_map;

const WATCHES: usize = 1000;
const WRITES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn thousand_watches_share_few_connections_and_leave_room_for_writes() -> TestResult {
    let test = Test::namespace().await;
    let mut config = Config::from_kubeconfig(control_plane().kubeconfig())?;
    let counter =
        Counter::start(config.server.authority().ok_or("a server has an address")?.as_str().to_owned()).await?;
    config.server = format!("https://{}", counter.address).parse()?;
    let client = Clientset::new(&config)?;
    let config_maps = client.core_v1().config_maps(&test.namespace);

    let mut opening = JoinSet::new();
    for _ in 0..WATCHES {
        let config_maps = config_maps.clone();
        opening.spawn(async move { config_maps.watch().label_selector("app=test").await });
    }
    let mut watches = Vec::new();
    while let Some(watch) = soon("all watches are open", opening.join_next()).await {
        watches.push(watch??);
    }
    let connections = counter.accepted.load(Ordering::SeqCst);
    assert!((2..=25).contains(&connections), "{connections} connections for {WATCHES} watches");

    for number in 0..WRITES {
        let write = config_maps.create(&config_map(&format!("object-{number}"), "1"));
        soon("a write gets through", write.into_future()).await?;
    }
    for watch in &mut watches {
        for number in 0..WRITES {
            let event = soon("every watch tells of it", watch.try_next()).await?;
            let Some(WatchEvent::Added(object)) = event else { panic!("{event:?}") };
            assert_eq!(object.metadata.name, Some(format!("object-{number}")));
        }
    }
    Ok(())
}

/// Passes connections on to the server and counts them: the other tests of this process have connections of their own.
struct Counter {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Counter {
    async fn start(server: String) -> TestResult<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let server = server.clone();
                tokio::spawn(async move {
                    let mut to = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut from, &mut to).await
                });
            }
        });
        Ok(Self { address, accepted })
    }
}
