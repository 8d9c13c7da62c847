//! Lists: whole, in pages, chosen, across namespaces.

use std::collections::BTreeSet;

use k8s_client::ResourceVersionMatch;
use k8s_client_integration_tests::{Test, TestResult, object};
use serde_json::json;

use crate::config_map;

/// Makes `count` config maps, `0000` and so on.
async fn with_config_maps(count: usize) -> Test {
    let test = Test::namespace().await;
    for number in 0..count {
        let created = test.client.core_v1().config_maps(&test.namespace).create(&config_map(&name(number), "1")).await;
        created.expect("an administrator may create it");
    }
    test
}

fn name(number: usize) -> String {
    format!("{number:04}")
}

#[tokio::test]
async fn list_goes_on_from_its_continue_token() -> TestResult {
    let test = with_config_maps(5).await;
    let list = || test.client.core_v1().config_maps(&test.namespace).list().label_selector("app=test").limit(2);
    let first = list().await?;
    assert_eq!(first.items.len(), 2);
    assert_eq!(first.metadata.remaining_item_count, None, "servers do not count what they have not selected");
    let second = list().continue_token(first.metadata.continue_.unwrap_or_default()).await?;
    assert_eq!(second.items.len(), 2);
    assert_eq!(second.metadata.resource_version, first.metadata.resource_version);
    let third = list().continue_token(second.metadata.continue_.unwrap_or_default()).await?;
    assert_eq!(third.items.len(), 1);
    assert_eq!(third.metadata.continue_.unwrap_or_default(), "");
    Ok(())
}

#[tokio::test]
async fn pages_come_one_after_the_other_until_there_are_no_more() -> TestResult {
    let test = with_config_maps(5).await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let mut pages = config_maps.list().label_selector("app=test").limit(2).pages();
    let mut sizes = Vec::new();
    while let Some(page) = pages.try_next().await? {
        sizes.push(page.items.len());
    }
    assert_eq!(sizes, [2, 2, 1]);

    let all = config_maps.list().label_selector("app=test").limit(2).all_pages().await?;
    assert_eq!((all.items.len(), all.metadata.continue_, all.metadata.remaining_item_count), (5, None, None));
    let version = all.metadata.resource_version.unwrap_or_default();
    assert!(version.parse::<u64>()? > 0);
    Ok(())
}

#[tokio::test]
async fn pages_of_a_given_version_go_on_at_that_version() -> TestResult {
    let test = with_config_maps(3).await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let version = config_maps.list().await?.metadata.resource_version.unwrap_or_default();
    config_maps.delete(&name(2)).await?;
    let list = config_maps.list().label_selector("app=test").limit(1);
    let mut items = list.resource_version(version).resource_version_match(ResourceVersionMatch::Exact).items();
    let mut seen = 0;
    while items.try_next().await?.is_some() {
        seen += 1;
    }
    assert_eq!(seen, 3, "the third was there at that version");
    Ok(())
}

#[tokio::test]
async fn items_come_across_pages_in_order() -> TestResult {
    let test = with_config_maps(5).await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let mut items = config_maps.list().label_selector("app=test").limit(2).items();
    let mut seen = Vec::new();
    while let Some(item) = items.try_next().await? {
        seen.push(item.metadata.name.unwrap_or_default());
    }
    assert_eq!(seen, (0..5).map(name).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn empty_list_is_an_empty_list() -> TestResult {
    let test = Test::namespace().await;
    let list = test.client.apps_v1().deployments(&test.namespace).list().await?;
    assert!(list.items.is_empty());
    assert!(list.metadata.resource_version.is_some());
    let mut pages = test.client.apps_v1().deployments(&test.namespace).list().pages();
    assert!(pages.try_next().await?.is_some_and(|page| page.items.is_empty()));
    assert!(pages.try_next().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn all_namespaces_are_listed_at_once() -> TestResult {
    let (here, there) = (with_config_maps(1).await, with_config_maps(1).await);
    let all = here.client.core_v1().all_config_maps().list().label_selector("app=test").await?;
    let namespaces: BTreeSet<_> = all.items.into_iter().filter_map(|item| item.metadata.namespace).collect();
    assert!(namespaces.contains(&here.namespace) && namespaces.contains(&there.namespace), "{namespaces:?}");
    Ok(())
}

#[tokio::test]
async fn selectors_choose_by_labels_and_by_fields() -> TestResult {
    let test = with_config_maps(3).await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let other = object(json!({ "metadata": { "name": "other", "labels": { "app": "other", "tier": "back" } } }));
    config_maps.create(&other).await?;

    let names = |list: k8s_openapi::List<k8s_openapi::api::core::v1::ConfigMap>| -> Vec<_> {
        list.items.into_iter().filter_map(|item| item.metadata.name).collect()
    };
    for selector in ["app in (other, none)", "app!=test,tier", "tier=back"] {
        assert_eq!(names(config_maps.list().label_selector(selector).await?), ["other"], "{selector}");
    }
    let chosen = config_maps.list().label_selector("app=test").field_selector("metadata.name!=0001").await?;
    assert_eq!(names(chosen), ["0000", "0002"]);
    Ok(())
}

#[tokio::test]
async fn cache_answers_a_list_of_version_zero() -> TestResult {
    let test = with_config_maps(1).await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let version = config_maps.list().await?.metadata.resource_version.unwrap_or_default();
    let newer = config_maps.list().resource_version(version).label_selector("app=test").await?;
    assert_eq!(newer.items.len(), 1, "no version means at least that one");
    config_maps.list().resource_version("0").await?;
    let one = config_maps.get(&name(0)).resource_version("0").await?;
    assert_eq!(one.metadata.name, Some(name(0)));
    Ok(())
}
