//! Proxies and compression between a client and the real server.

#[path = "../../../../crates/runtime/tests/support/proxies.rs"]
mod support;

use k8s_client::{
    Clientset,
    config::{Proxy, ProxyUrl},
};
use k8s_client_integration_tests::{Test, TestResult, config_of, soon};
use k8s_client_test_harness::ADMIN_CONTEXT;

use self::support::{Protocol, TestProxy};
use super::config_map;

#[tokio::test]
async fn create_list_and_watch_go_through_a_proxy() -> TestResult {
    let test = Test::namespace().await;
    for (protocol, scheme, login, url_login) in [
        (Protocol::Http, "http", Some("Basic dXNlcjpwYXNzd29yZA=="), "user:password@"),
        (Protocol::Socks5, "socks5", Some("user:password"), "user:password@"),
        (Protocol::Socks5, "socks5h", None, ""),
    ] {
        let proxy = TestProxy::start(protocol, login).await;
        let mut config = config_of(ADMIN_CONTEXT);
        config.proxy = Proxy::Url(ProxyUrl::parse(&format!("{scheme}://{url_login}{}", proxy.address))?);
        let maps = Clientset::new(&config)?.core_v1().config_maps(&test.namespace);

        // Only the test's own: a controller puts a config map of its own into every new namespace, at any time.
        let list = maps.list().label_selector("app=test").await?;
        let version = list.metadata.resource_version.unwrap_or_default();
        let mut events = maps.watch().label_selector("app=test").resource_version(version).await?;
        let created = maps.create(&config_map(scheme, "value")).await?;
        let event = soon("the new object is told", events.try_next()).await?.ok_or("the watch ended")?;
        assert_eq!(event.object().and_then(|object| object.metadata.uid.as_ref()), created.metadata.uid.as_ref());
        assert_eq!(maps.list().label_selector("app=test").await?.items.len(), list.items.len() + 1);
        assert_eq!(proxy.asked().len(), 1, "one connection for all: {:?}", proxy.asked());
    }
    Ok(())
}

#[tokio::test]
async fn large_lists_are_the_same_compressed_and_plain() -> TestResult {
    let test = Test::namespace().await;
    let maps = test.client.core_v1().config_maps(&test.namespace);
    // kube-apiserver compresses answers of more than 128 KiB.
    for index in 0..8 {
        maps.create(&config_map(&format!("large-{index}"), &"words and more words ".repeat(4096))).await?;
    }
    let mut config = config_of(ADMIN_CONTEXT);
    let compressed = Clientset::new(&config)?;
    config.disable_compression = true;
    let plain = Clientset::new(&config)?;
    let path = format!("/api/v1/namespaces/{}/configmaps", test.namespace);
    let compressed_list = compressed.core_v1().config_maps(&test.namespace).list().label_selector("app=test").await?;
    let plain_list = plain.core_v1().config_maps(&test.namespace).list().label_selector("app=test").await?;
    assert_eq!(compressed_list.items.len(), 8);
    assert_eq!(compressed_list.items, plain_list.items);

    // The server does compress it: who asks without being the transport gets it as it is.
    let raw = plain.rest_client().get().abs_path(&path).header("accept-encoding", "gzip").send().await?;
    assert_eq!(raw.headers()["content-encoding"], "gzip");
    assert!(raw.bytes().await?.len() < 128 << 10);
    let unpacked = compressed.rest_client().get().abs_path(&path).send().await?;
    assert!(!unpacked.headers().contains_key("content-encoding"));
    assert!(unpacked.bytes().await?.len() > 600 << 10);
    Ok(())
}
