//! The rate limit of a client, as its calls feel it. The limiter's own rules are tested beside it.

use std::{future::pending, time::Duration};

use k8s_client_runtime::{Config, ErrorKind, RestClient, config::RateLimit};
use tokio::time::Instant;

use crate::{CONFIG_MAP, answered_by, config_maps, count, json, later, nowhere, nowhere_but};

fn limited(qps: f32, burst: u32) -> Config {
    nowhere_but(|config| config.rate_limit = Some(RateLimit { qps, burst }))
}

#[tokio::test(start_paused = true)]
async fn all_clones_of_a_client_share_one_limit() {
    let (client, seen) = answered_by(&limited(1.0, 1), |_| async { json(200, CONFIG_MAP) });
    let started = Instant::now();
    for _ in 0..2 {
        config_maps(&client.clone()).get("web").await.expect("a config map");
        client.get().abs_path("/version").send().await.expect("an answer");
    }
    assert_eq!((count(&seen), started.elapsed().as_secs()), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_waits() {
    let (client, seen) = answered_by(&nowhere(), |_| async { json(200, CONFIG_MAP) });
    let started = Instant::now();
    for _ in 0..1000 {
        config_maps(&client).get("web").await.expect("a config map");
    }
    assert_eq!((count(&seen), started.elapsed()), (1000, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn watch_is_opened_without_waiting_and_waits_when_it_is_opened_again() {
    let answer = |number| async move { if number == 2 { later(429, "0") } else { json(200, "") } };
    let (client, _) = answered_by(&limited(0.1, 1), answer);
    let started = Instant::now();
    let _ = config_maps(&client).watch().await.expect("a watch");
    assert_eq!(started.elapsed(), Duration::ZERO);
    // The next takes the only token for its second attempt, and leaves none.
    let _ = config_maps(&client).watch().await.expect("a watch");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    config_maps(&client).get("web").await.expect_err("an empty answer");
    assert!(started.elapsed() > Duration::from_secs(9), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn each_retry_waits_for_its_turn() {
    let answer = |number| async move { if number < 4 { later(429, "0") } else { json(200, CONFIG_MAP) } };
    let (client, _) = answered_by(&limited(0.5, 1), answer);
    let started = Instant::now();
    config_maps(&client).get("web").await.expect("the fourth attempt succeeds");
    assert_eq!(started.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_outside_of_the_configurations_limit_and_inside_of_the_calls() {
    let mut config = limited(0.1, 1);
    config.timeout = Some(Duration::from_secs(5));
    let (client, seen) = answered_by(&config, |_| async { json(200, CONFIG_MAP) });
    config_maps(&client).get("web").await.expect("a config map");
    let started = Instant::now();
    config_maps(&client).get("web").await.expect("a config map, however late");
    assert_eq!(started.elapsed().as_secs(), 10);
    let error = config_maps(&client).get("web").with_timeout(Duration::from_secs(5)).await.expect_err("it waits");
    assert_eq!((error.kind(), started.elapsed().as_secs(), count(&seen)), (ErrorKind::Timeout, 15, 2));

    let (client, _) = answered_by(&config, |_| pending());
    let started = Instant::now();
    config_maps(&client).get("web").await.expect_err("no answer comes");
    config_maps(&client).get("web").await.expect_err("no answer comes");
    assert_eq!(started.elapsed().as_secs(), 15, "5 seconds, 5 more until its turn, and 5 again");
}

#[tokio::test(start_paused = true)]
async fn retry_whose_turn_comes_too_late_is_not_made() {
    let (client, seen) = answered_by(&limited(0.01, 1), |_| async { later(503, "1") });
    let started = Instant::now();
    let error = config_maps(&client).get("web").await.expect_err("its turn does not come");
    assert_eq!((error.code(), error.retries(), count(&seen)), (Some(503), 0, 1));
    assert_eq!(started.elapsed().as_secs(), 60);
}

#[test]
fn nonsense_is_an_error_of_the_configuration() {
    for (qps, burst) in [(0.0, 1), (-1.0, 1), (f32::NAN, 1), (f32::INFINITY, 1), (5.0, 0)] {
        let error = RestClient::new(&limited(qps, burst)).expect_err("nonsense");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
}
