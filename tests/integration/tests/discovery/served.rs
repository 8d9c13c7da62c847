//! What the server says of itself.

use std::{collections::BTreeMap, sync::Arc};

use k8s_client::discovery::{ApiResourceList, Discovery as _, GroupVersion, ResourceScope, ServerResources};
use k8s_client_integration_tests::{TestResult, client};
use serde_json::Value;

use crate::{built_in, is_built_in};

fn group_version(text: &str) -> GroupVersion {
    text.parse().expect("it is a group-version")
}

#[tokio::test]
async fn version_is_the_servers() -> TestResult {
    let version = client().discovery().server_version().await?;
    assert_eq!(version.major, "1");
    assert!(version.git_version.starts_with(&format!("v1.{}", version.minor.trim_end_matches('+'))), "{version:?}");
    Ok(())
}

#[tokio::test]
async fn aggregated_discovery_says_what_each_group_version_says() -> TestResult {
    let discovery = client().discovery();
    let all = discovery.groups_and_resources().await?;
    let mut one_by_one: Vec<ApiResourceList> = Vec::new();
    for group_version in all.groups.iter().flat_map(k8s_client::discovery::ApiGroup::group_versions) {
        if is_built_in(&group_version) {
            one_by_one.push(discovery.resources(&group_version).await?);
        }
    }
    assert!(one_by_one.len() > 20, "{}", one_by_one.len());
    let mut aggregated = ServerResources::clone(&all);
    let mut plain = ServerResources::default();
    plain.resources = one_by_one;
    for list in aggregated.resources.iter_mut().chain(&mut plain.resources) {
        // The old documents have none.
        list.resources.iter_mut().filter(|known| known.is_subresource()).for_each(|known| known.singular_name.clear());
    }
    let (aggregated, plain) = (built_in(&aggregated), built_in(&plain));
    let differences: Vec<_> = aggregated.symmetric_difference(&plain).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    Ok(())
}

#[tokio::test]
async fn groups_come_in_order_and_resources_know_what_they_are() -> TestResult {
    let all = client().discovery().groups_and_resources().await?;
    assert_eq!((all.groups[0].name.as_str(), all.groups[0].preferred_version.as_str()), ("", "v1"));
    let autoscaling = all.groups.iter().find(|group| group.name == "autoscaling").expect("it is served");
    assert_eq!(
        (autoscaling.versions.as_slice(), autoscaling.preferred_version.as_str()),
        (&["v2", "v1"].map(str::to_owned)[..], "v2")
    );

    let deployments = all.get(&group_version("apps/v1").with_resource("deployments")).expect("they are served");
    assert_eq!(deployments.singular_name, "deployment");
    assert_eq!(deployments.short_names, ["deploy"]);
    assert_eq!(deployments.categories, ["all"]);
    assert_eq!(deployments.scope, ResourceScope::Namespaced);
    assert!(deployments.has_verb("deletecollection") && !deployments.has_verb("fly"));
    let scale = all.get(&group_version("apps/v1").with_resource("deployments/scale")).expect("it is served");
    assert_eq!(scale.kind.to_string(), "autoscaling/v1, Kind=Scale");
    let nodes = all.get(&group_version("v1").with_resource("nodes")).expect("they are served");
    assert_eq!(nodes.scope, ResourceScope::Cluster);
    Ok(())
}

#[tokio::test]
async fn preferred_resources_are_there_once_without_subresources() -> TestResult {
    let discovery = client().discovery();
    let preferred = discovery.preferred_resources().await?;
    let mut seen = BTreeMap::new();
    for list in &preferred.resources {
        for resource in &list.resources {
            assert!(!resource.is_subresource(), "{resource:?}");
            let twice =
                seen.insert((list.group_version.group.clone(), resource.name.clone()), list.group_version.clone());
            assert_eq!(twice, None, "{}", resource.name);
        }
    }
    let of = |group: &str, name: &str| seen[&(group.to_owned(), name.to_owned())].to_string();
    assert_eq!(of("autoscaling", "horizontalpodautoscalers"), "autoscaling/v2");

    let namespaced = discovery.namespaced_preferred_resources().await?;
    assert!(namespaced.get(&group_version("v1").with_resource("pods")).is_some());
    assert!(namespaced.get(&group_version("v1").with_resource("nodes")).is_none());
    Ok(())
}

#[tokio::test]
async fn it_is_known_what_is_served() -> TestResult {
    let discovery = client().discovery();
    for (text, resource, served) in [
        ("v1", "pods", true),
        ("v1", "pods/log", true),
        ("apps/v1", "deployments/scale", true),
        ("apps/v1", "pods", false),
        ("apps/v9", "deployments", false),
        ("no.example.com/v1", "things", false),
    ] {
        assert_eq!(
            discovery.is_served(&group_version(text).with_resource(resource)).await?,
            served,
            "{text} {resource}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn openapi_documents_have_the_hash_of_the_index() -> TestResult {
    let discovery = Arc::new(client().discovery());
    let index = discovery.openapi_v3().await?;
    for (text, schema) in [("v1", "io.k8s.api.core.v1.Pod"), ("apps/v1", "io.k8s.api.apps.v1.Deployment")] {
        let path = index.of(&group_version(text)).expect("it is described");
        let document = discovery.openapi_v3_document(path).await?;
        assert!(path.hash().is_some_and(|hash| hash.len() > 32), "{path:?}");
        assert_eq!(document.hash.as_deref(), path.hash());
        let json: Value = serde_json::from_slice(&document.json)?;
        assert!(json["components"]["schemas"][schema].is_object(), "{text}");
    }
    let swagger = discovery.openapi_v2().await?;
    assert!(swagger.hash.is_some());
    let json: Value = serde_json::from_slice(&swagger.json)?;
    assert_eq!(json["swagger"], "2.0");
    Ok(())
}
