//! Kinds that appear while the program runs.

use k8s_client::{
    Clientset, RestMapper,
    discovery::{Discovery as _, DiskCache, GroupKind, MemoryCache, ResourceScope},
};
use k8s_client_integration_tests::{TestResult, client, eventually, object, unique};
use serde_json::json;

use crate::caches::{HOUR, folder};

/// Defines a resource in a group of its own and waits until it is served.
async fn define(client: &Clientset, group: &str) -> TestResult<String> {
    let name = format!("gadgets.{group}");
    let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
    let definition = object(json!({
        "metadata": { "name": name },
        "spec": {
            "group": group,
            "names": { "kind": "Gadget", "plural": "gadgets", "singular": "gadget", "shortNames": ["gdg"],
                "categories": ["toys"] },
            "scope": "Cluster",
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
        },
    }));
    client.apiextensions_v1().custom_resource_definitions().create(&definition).await?;
    let gadgets = || client.rest_client().get().group_version(group, "v1").resource("gadgets").send();
    eventually("the resource is served", || async { gadgets().await.ok().map(drop) }).await;
    // The aggregator learns of it a little later.
    eventually("the group is named", || async {
        let all = client.discovery().groups_and_resources().await.ok()?;
        all.get(&k8s_client::discovery::GroupVersionResource::new(group, "v1", "gadgets")).map(drop)
    })
    .await;
    Ok(name)
}

#[tokio::test]
async fn kind_is_seen_by_mappers_that_were_there_before_it() -> TestResult {
    let client = client();
    let group = format!("{}.example.com", unique("gadgets"));
    let folder = folder();
    let disk = || DiskCache::new(client.discovery(), folder.path(), HOUR);
    let mappers = [
        RestMapper::new(client.discovery()),
        RestMapper::new(MemoryCache::new(client.discovery())),
        RestMapper::new(disk()),
        RestMapper::new(MemoryCache::new(disk())),
    ];
    for mapper in &mappers {
        assert!(mapper.mapping_for(&format!("gadgets.{group}")).await.expect_err("not yet").is_no_match());
    }
    let definition = define(&client, &group).await?;

    for mapper in &mappers {
        let mapping = mapper.mapping(&GroupKind::new(&group, "Gadget"), &[]).await?;
        assert_eq!((mapping.resource.resource.as_str(), mapping.scope), ("gadgets", ResourceScope::Cluster));
        assert_eq!(mapper.mapping_for(&format!("gdg.{group}")).await?, mapping);
        assert!(mapper.category("toys").await?.contains(&mapping));
    }
    client.apiextensions_v1().custom_resource_definitions().delete(&definition).await?;
    Ok(())
}
