//! Connections that nothing comes out of any more: a load balancer was replaced, a cable was pulled.

use std::time::Duration;

use k8s_client_runtime::{RestClient, watch::WatchEvent};
use tokio::time::Instant;

use crate::{config_map, config_maps, plan::Plan, server::Server, soon};

/// The time is tokio's and stands still while there is something to do, so the 45 seconds pass at once. The server
/// lives in real time.
#[tokio::test]
async fn watch_on_a_black_holed_connection_ends_within_50_seconds() {
    let server = Server::start(Plan::healthy());
    let client = server.client();
    config_maps(&client, "ns").create(&config_map("a", "1")).await.unwrap();
    let mut events = config_maps(&client, "ns").watch().await.unwrap();
    assert!(matches!(soon("the first event", events.try_next()).await, Ok(Some(WatchEvent::Added(_)))));

    server.silence();
    tokio::time::pause();
    let start = Instant::now();
    let end = tokio::time::timeout(Duration::from_secs(300), events.try_next()).await.expect("it ends at all");
    let error = end.expect_err("nothing came out of the connection");
    let took = start.elapsed();
    assert!(took <= Duration::from_secs(50), "{took:?}: {error}");
    assert!(took >= Duration::from_secs(10), "it ended for another reason after {took:?}: {error}");
    assert!(!error.must_list_again(), "{error}");
    tokio::time::resume();

    let mut events = soon("another watch", config_maps(&client, "ns").watch()).await.unwrap();
    assert!(matches!(soon("its first event", events.try_next()).await, Ok(Some(WatchEvent::Added(_)))));
    assert_eq!(server.accepted(), 2);
}

#[test]
fn default_pings_find_a_dead_connection_within_45_seconds() {
    let config = Server::start(Plan::healthy()).config();
    let idle = config.http2_ping_interval.expect("there are pings by default");
    assert!(idle + config.http2_ping_timeout <= Duration::from_secs(45));
}

#[tokio::test]
async fn requests_that_wait_on_a_black_holed_connection_end_and_later_ones_go_elsewhere() {
    let server = Server::start(Plan::healthy());
    let mut config = server.config();
    config.http2_ping_interval = Some(Duration::from_secs(1));
    config.http2_ping_timeout = Duration::from_secs(1);
    let client = RestClient::new(&config).unwrap();
    config_maps(&client, "ns").create(&config_map("a", "1")).await.unwrap();
    let watch = config_maps(&client, "ns").watch().await.unwrap();

    server.silence();
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let config_maps = config_maps(&client, "ns");
            tokio::spawn(async move {
                if number % 2 == 0 {
                    config_maps.get("a").await.map(drop)
                } else {
                    config_maps.create(&config_map(&format!("b{number}"), "1")).await.map(drop)
                }
            })
        })
        .collect();
    for (number, request) in waiting.into_iter().enumerate() {
        let result = soon("a waiting request ends", request).await.unwrap();
        // A read may have been repeated on another connection; a write must not.
        assert!(result.is_err() || number % 2 == 0, "request {number} was answered by a black hole");
    }
    drop(watch);
    assert_eq!(soon("a new request", config_maps(&client, "ns").list()).await.unwrap().items.len(), 1);
    assert!(server.accepted() >= 2);
}

#[tokio::test]
async fn request_on_a_black_holed_http1_connection_ends_with_its_time_limit() {
    let server = Server::start(Plan::healthy());
    let mut config = server.plain_config();
    config.response_header_timeout = Some(Duration::from_secs(3));
    config.retry.max_retries = 0;
    let client = RestClient::new(&config).unwrap();
    config_maps(&client, "ns").create(&config_map("a", "1")).await.unwrap();
    server.silence();
    let error = soon("the request ends", config_maps(&client, "ns").get("a")).await.expect_err("nothing answers");
    assert_eq!(error.kind(), k8s_client_runtime::ErrorKind::Timeout, "{error}");
    soon("another request", config_maps(&client, "ns").get("a")).await.unwrap();
}

#[tokio::test]
async fn quiet_watch_on_a_live_connection_goes_on() {
    let server = Server::start(Plan::healthy());
    let mut config = server.config();
    config.http2_ping_interval = Some(Duration::from_millis(50));
    config.http2_ping_timeout = Duration::from_secs(20);
    let client = RestClient::new(&config).unwrap();
    let mut events = config_maps(&client, "ns").watch().await.unwrap();
    // Many pings go by.
    assert!(tokio::time::timeout(Duration::from_secs(2), events.try_next()).await.is_err());
    config_maps(&client, "ns").create(&config_map("a", "1")).await.unwrap();
    assert!(matches!(soon("the event", events.try_next()).await, Ok(Some(WatchEvent::Added(_)))));
    assert_eq!(server.accepted(), 1);
}
