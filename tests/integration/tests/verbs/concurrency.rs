//! Many calls of one client at the same time: they share its HTTP/2 connection.

use k8s_client::WatchEvent;
use k8s_client_integration_tests::{Test, TestResult, soon};
use tokio::task::JoinSet;

use crate::config_map;

const MANY: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_run_at_once() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;
    let mut requests = JoinSet::new();
    for _ in 0..MANY {
        let config_maps = config_maps.clone();
        requests.spawn(async move { config_maps.get("web").await });
    }
    while let Some(answer) = soon("all requests are answered", requests.join_next()).await {
        assert_eq!(answer??.metadata.name.as_deref(), Some("web"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_watches_leave_room_for_requests() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let mut opening = JoinSet::new();
    for _ in 0..MANY {
        let config_maps = config_maps.clone();
        opening.spawn(async move { config_maps.watch().label_selector("app=test").await });
    }
    let mut watches = Vec::new();
    while let Some(watch) = soon("all watches are open", opening.join_next()).await {
        watches.push(watch??);
    }

    soon("a write gets through", config_maps.create(&config_map("web", "1")).into_future()).await?;
    for watch in &mut watches {
        let event = soon("every watch tells of it", watch.try_next()).await?;
        assert!(matches!(event, Some(WatchEvent::Added(_))), "{event:?}");
    }
    Ok(())
}
